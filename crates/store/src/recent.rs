//! What was sealed of late, as it lay in the log: for whoever follows the log
//! and begins when a part of it is sealed already.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use tachograph_model::port::{Sealed, SealedLog};
use tachograph_model::{UnixNanos, Window};

use crate::decode::BATCH_ROWS;
use crate::error::StoreError;
use crate::manifest::{Manifest, Segment, Source};
use crate::schema::schema;
use crate::segment::Scan;
use crate::snapshot::{Snapshot, event_of, times};
use crate::store::Store;

/// About so many events are read; of more only the newest.
const MOST_ROWS: u64 = 250_000;
/// But all of this time, up to so many bytes.
const LEAST: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 256 << 20;

impl Store {
    /// The sealed events since then, some 250 000 of the newest at most, and
    /// which files of the log are sealed. Whoever lists the log's files first
    /// and asks then misses no event, and has none twice if it leaves these
    /// files out.
    ///
    /// # Errors
    /// When the manifest cannot be read; what else cannot is said.
    pub fn sealed_since(&self, since: UnixNanos) -> Result<Sealed, StoreError> {
        let (manifest, _) = Manifest::load(&self.home)?;
        let whole = |log: &&Source| {
            let path = self.home.root().join(&log.name);
            // What is gone cannot have grown.
            path.metadata()
                .map_or(true, |found| found.len() <= log.sealed)
        };
        let logs = manifest.sources.iter().filter(whole).map(|log| SealedLog {
            name: log.name.clone(),
            inode: log.inode,
            born: log.born,
        });
        let mut sealed = Sealed {
            logs: logs.collect(),
            ..Sealed::default()
        };
        let snapshot = Snapshot {
            home: self.home.clone(),
            segments: manifest.segments,
            logs: Vec::new(),
            notes: Vec::new(),
            threads: self.threads,
            kept: None,
            sound: Mutex::new(HashSet::new()),
        };
        let window = affordable(&snapshot, since);
        let mut order: Vec<(i64, usize, usize)> = Vec::new();
        let mut bytes = Vec::new();
        for segment in snapshot.segments_in(window) {
            let read = lines(&snapshot, segment, window, &mut |time, line| {
                order.push((time, bytes.len(), line.len()));
                bytes.extend_from_slice(line);
                bytes.len() < MOST_BYTES
            });
            if let Err(error) = read {
                let note = snapshot.unreadable(segment, &error);
                sealed.left_out.push(note.to_string());
            }
        }
        order.sort_unstable();
        sealed.lines.reserve_exact(bytes.len());
        for (_, from, len) in order {
            sealed.lines.extend_from_slice(&bytes[from..from + len]);
        }
        Ok(sealed)
    }
}

/// The newest part of the time since then that has not too many events.
fn affordable(snapshot: &Snapshot, since: UnixNanos) -> Window {
    let now = UnixNanos::now();
    let mut window = Window {
        from: since,
        to: UnixNanos::MAX,
    };
    let least = now.saturating_sub(LEAST);
    while window.from < least && snapshot.estimated_rows(window) > MOST_ROWS {
        let half = now.0.saturating_sub(window.from.0) / 2;
        window.from = UnixNanos(now.0 - half).min(least);
    }
    window
}

/// Hands on the events of a segment as lines, as long as more are wanted.
fn lines(
    snapshot: &Snapshot,
    segment: &Segment,
    window: Window,
    take: &mut dyn FnMut(i64, &[u8]) -> bool,
) -> Result<(), StoreError> {
    snapshot.check(segment)?;
    let schema = schema();
    let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let whole = segment.lies_in(window);
    let path = snapshot.segment_path(segment);
    for batch in Scan::open(&path, &columns, window, None, whole, BATCH_ROWS)? {
        let batch = batch?;
        for (row, time) in times(&batch).iter().enumerate() {
            if window.contains(UnixNanos(*time)) && !take(*time, &event_of(&batch, row).to_line()) {
                return Ok(());
            }
        }
    }
    Ok(())
}
