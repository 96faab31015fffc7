//! The formats beside OTLP: what clients of each send, whole and broken, and
//! what of it is in the log.

mod events;
mod remote_write;
mod statsd;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tachograph_log::{DurableLog, Home};
use tachograph_model::{Event, Sink, SinkError};

use crate::common::{Door, NoEngine, config};

/// A disk that can be full.
struct Disk {
    log: DurableLog,
    full: AtomicBool,
}

impl Sink for Disk {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(SinkError {
                what: "the disk is full".to_owned(),
                source: None,
            });
        }
        self.log.put(events)
    }
}

/// A door on a disk that is full until it is told otherwise.
fn on_full_disk() -> (Door, Arc<Disk>) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let disk = Arc::new(Disk {
        log: DurableLog::new(&home),
        full: AtomicBool::new(true),
    });
    let door = Door::on(folder, config(), disk.clone(), Arc::new(NoEngine));
    (door, disk)
}

impl Disk {
    fn has_room(&self) {
        self.full.store(false, Ordering::Relaxed);
    }
}
