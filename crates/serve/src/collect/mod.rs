//! The machine's own metrics, as `metric` events: processor, memory, disks and
//! network under source `system` (the fourth seed's names), named processes
//! under source `process`.
//!
//! | source | name | unit |
//! |---|---|---|
//! | system | `cpu_usage_percent` | of all processors, 0 to 100 |
//! | system | `memory_usage_percent` | what is not available, 0 to 100 |
//! | system | `memory_available_mb` | MiB |
//! | system | `disk_read_mb_per_sec`, `disk_write_mb_per_sec` | MiB a second, whole disks |
//! | system | `network_received_mb_per_sec`, `network_sent_mb_per_sec` | MiB a second, loopback left out |
//! | process | `NAME_cpu_percent` | of one processor, all processes of the name together |
//! | process | `NAME_memory_mb` | MiB resident |
//! | process | `NAME_count` | processes |
//!
//! Rates are over the time since the measurement before: the first one has none.

mod disk;
mod machine;
mod processes;

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tachograph_model::{Column, Event, UnixNanos, Value};

use self::machine::Machine;
use self::processes::Processes;
use crate::config::Collect;
use crate::counters::Signal;
use crate::ingest::journal::{Batch, Journal};
use crate::normal::candidate::{Candidate, Keys};

/// About what an event takes in memory.
const EVENT_BYTES: usize = 256;
/// The first measurement comes so soon, for rates to be shown early.
const FIRST: Duration = Duration::from_secs(1);

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub source: &'static str,
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
}

impl Measured {
    fn new(source: &'static str, name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            source,
            name: name.into(),
            value,
            unit,
        }
    }

    fn event(self, time: UnixNanos) -> Event {
        let mut event = Event::new(time, "metric");
        event.set(Column::Source, Value::from(self.source));
        event.set(Column::Name, Value::from(self.name));
        event.set(Column::Type, Value::from("gauge"));
        event.set(Column::Value, Value::F64(self.value));
        event.set(Column::Unit, Value::from(self.unit));
        event
    }
}

/// The thread that measures; dropping it ends the thread.
#[derive(Debug)]
pub struct Collector {
    _stop: Sender<()>,
}

/// Starts to measure.
///
/// # Errors
/// When the operating system gives no thread.
pub fn start(what: Collect, journal: Journal) -> std::io::Result<Collector> {
    let (stop, stopped) = mpsc::channel();
    std::thread::Builder::new()
        .name("tacho-collect".to_owned())
        .spawn(move || {
            let mut round = Round::new(&what);
            let mut wait = FIRST;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                hand_over(round.measure(Instant::now()), &journal);
                wait = round.next(Instant::now());
            }
        })?;
    Ok(Collector { _stop: stop })
}

fn hand_over(measured: Vec<Measured>, journal: &Journal) {
    if measured.is_empty() {
        return;
    }
    // The log's own precision.
    let now = UnixNanos(UnixNanos::now().0.div_euclid(1_000) * 1_000);
    let candidates: Vec<Candidate> = measured
        .into_iter()
        .map(|measured| Candidate {
            event: measured.event(now),
            keys: Keys::default(),
        })
        .collect();
    let batch = Batch {
        signal: Signal::System,
        bytes: candidates.len() * EVENT_BYTES,
        candidates,
        links: Vec::new(),
    };
    // What is refused is counted, and measured again soon.
    let _ = journal.offer(batch);
}

/// When what is due.
struct Round {
    system_every: Duration,
    processes_every: Duration,
    machine: Option<Machine>,
    processes: Option<Processes>,
    system_due: Instant,
    processes_due: Instant,
}

impl Round {
    fn new(what: &Collect) -> Self {
        let now = Instant::now();
        Self {
            system_every: what.system_every,
            processes_every: what.processes_every,
            // What the system does not tell is not measured.
            machine: Machine::new(),
            processes: Processes::new(&what.processes),
            system_due: now + FIRST.min(what.system_every),
            processes_due: now + FIRST.min(what.processes_every),
        }
    }

    fn measure(&mut self, now: Instant) -> Vec<Measured> {
        let mut all = Vec::new();
        if now >= self.system_due {
            self.system_due = due(self.system_due, self.system_every, now);
            all.extend(
                self.machine
                    .iter_mut()
                    .flat_map(|machine| machine.measure(now)),
            );
        }
        if now >= self.processes_due {
            self.processes_due = due(self.processes_due, self.processes_every, now);
            let processes = self.processes.iter_mut();
            all.extend(processes.flat_map(|processes| processes.measure(now)));
        }
        all
    }

    fn next(&self, now: Instant) -> Duration {
        let next = self.system_due.min(self.processes_due);
        next.saturating_duration_since(now)
            .max(Duration::from_millis(10))
    }
}

/// The next time of a beat; what was slept through (a closed lid) is not made up for.
fn due(last: Instant, every: Duration, now: Instant) -> Instant {
    let next = last + every;
    if next > now { next } else { now + every }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_kept_and_sleep_is_not_made_up_for() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(due(start, second * 5, start + second), start + second * 5);
        let woken = start + second * 1000;
        assert_eq!(due(start, second * 5, woken), woken + second * 5);
    }

    #[test]
    fn this_machine_can_be_measured() {
        let what = Collect {
            system_every: Duration::from_millis(300),
            processes_every: Duration::from_millis(300),
            processes: vec![own_name()],
        };
        let mut round = Round::new(&what);
        std::thread::sleep(Duration::from_millis(600));
        let measured = round.measure(Instant::now());
        let value = |name: &str| {
            let of_name = measured.iter().find(|measured| measured.name == name);
            of_name
                .unwrap_or_else(|| panic!("{name}: {measured:?}"))
                .value
        };
        for percent in ["cpu_usage_percent", "memory_usage_percent"] {
            assert!((0.0..=100.0).contains(&value(percent)), "{measured:?}");
        }
        assert!(value("memory_available_mb") > 1.0);
        assert!(value("network_received_mb_per_sec") >= 0.0);
        let own = own_name();
        assert!(value(&format!("{own}_count")) >= 1.0);
        assert!(value(&format!("{own}_memory_mb")) > 0.5);
        assert!(value(&format!("{own}_cpu_percent")) >= 0.0);
        assert!(measured.iter().all(|measured| measured.value.is_finite()));
    }

    /// What the system calls this process.
    fn own_name() -> String {
        let system = sysinfo::System::new();
        let mut system = system.expect("this system is known");
        let own = sysinfo::get_current_pid().expect("a number");
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[own]), true);
        let name = system.process(own).expect("this process").name();
        name.to_string_lossy().into_owned()
    }
}
