//! What the door counts of itself; shown at `/metrics` and in `/health`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What something came as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    Traces,
    Logs,
    Metrics,
    /// JSON events.
    Events,
    RemoteWrite,
    Statsd,
    /// The machine's own metrics.
    System,
}

impl Signal {
    pub const ALL: [Self; 7] = [
        Self::Traces,
        Self::Logs,
        Self::Metrics,
        Self::Events,
        Self::RemoteWrite,
        Self::Statsd,
        Self::System,
    ];

    /// As a label's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Events => "events",
            Self::RemoteWrite => "remote_write",
            Self::Statsd => "statsd",
            Self::System => "system",
        }
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How often something went wrong, and what was said of it last.
#[derive(Debug, Default)]
pub struct Faults {
    times: Count,
    last: Mutex<Option<String>>,
}

impl Faults {
    pub fn add(&self, more: u64, why: impl ToString) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_string());
        self.times.add(more);
    }

    pub fn get(&self) -> u64 {
        self.times.get()
    }

    /// Why, the last time; `None`: it never did.
    pub fn why(&self) -> Option<String> {
        let last = self.last.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Of one signal. Records are spans, log records, points, samples or events.
#[derive(Debug, Default)]
pub struct OfSignal {
    pub requests: Count,
    /// Bytes of bodies, after decompression.
    pub bytes: Count,
    /// Records that were read.
    pub records: Count,
    /// Records that are only noise.
    pub ignored: Count,
    /// Spans that tell of no model, tool or agent.
    pub foreign: Count,
    /// Events that are on the disk.
    pub stored: Count,
    /// Records stored before: retries.
    pub duplicates: Count,
    /// Records of a call that another record tells of.
    pub merged: Count,
    /// Records that were wrong in themselves.
    pub rejected: Count,
    /// Records of a series for which there was no room.
    pub crowded: Count,
    /// Requests refused for overload.
    pub overloaded: Count,
    /// Requests refused because the disk said no.
    pub failed: Count,
}

/// Why the disk did not store something.
#[derive(Clone, Debug)]
struct Refusal {
    /// With the file it is about.
    whole: String,
    /// For those who need not know where the home lies.
    cause: String,
}

/// Of the whole door.
#[derive(Debug, Default)]
pub struct Counters {
    signals: [OfSignal; Signal::ALL.len()],
    /// Bytes that wait to be stored, now.
    pub queued_bytes: AtomicU64,
    /// Batches that wait to be stored, now.
    pub queued_batches: AtomicU64,
    /// Group commits, and the time they took together, nanoseconds.
    pub commits: Count,
    pub commit_nanos: Count,
    /// What the disk said when it refused last.
    refusal: Mutex<Option<Refusal>>,
    /// Whether that is all it has said since.
    refuses: AtomicBool,
    /// Times that the home was gone and was made again.
    pub homes_made: Count,
    /// Connections now.
    pub connections: AtomicU64,
    /// Connections turned away because there were too many.
    pub connections_refused: Count,
    /// Connections that were idle and left for others.
    pub connections_evicted: Count,
    /// Requests turned away at the guard (host, origin, token, rate).
    pub requests_denied: Count,
    /// Alerts that fired or were resolved.
    pub alerts_told: Count,
    /// Looks at the API's rules that failed.
    pub alert_rules_unreadable: Faults,
    /// Looks at the silences that failed.
    pub silences_unreadable: Faults,
    /// Notifications that a channel took, tries that failed, and alerts that a
    /// channel was never told of.
    pub notifications_sent: Count,
    pub notifications_failed: Count,
    pub alerts_undelivered: Count,
    /// Times that what could not be delivered could not be noted either.
    pub undelivered_unwritten: Faults,
    /// Times that how alerts stand, or who was told of them, could not be kept.
    pub alert_states_unkept: Faults,
    /// Times that how alerts stood could not be gone on with and was begun anew.
    pub alert_states_lost: Faults,
    /// Times that who had been told of late could not be read.
    pub told_unreadable: Faults,
}

impl Counters {
    pub fn of(&self, signal: Signal) -> &OfSignal {
        &self.signals[signal as usize]
    }

    /// Notes what the disk said as it refused, as a whole and its last cause.
    pub fn refused(&self, whole: String, cause: String) {
        *self.refusal() = Some(Refusal { whole, cause });
        self.refuses.store(true, Ordering::Relaxed);
    }

    /// Notes that the disk took something.
    pub fn took(&self) {
        self.refuses.store(false, Ordering::Relaxed);
    }

    /// Whether the disk refused what came last.
    pub fn refuses(&self) -> bool {
        self.refuses.load(Ordering::Relaxed)
    }

    /// Why it does not do what it is there for, if it does not: for anybody.
    pub fn refusing(&self) -> Option<String> {
        let refusal = self.refuses().then(|| self.refusal().clone());
        let why = refusal.flatten()?.cause;
        let what = "the disk refuses what comes, and nothing of it is acknowledged";
        Some(format!("{what}: {why}"))
    }

    /// What the disk said when it refused last, with the file it is about.
    pub fn last_refusal(&self) -> Option<String> {
        let refusal = self.refusal().clone();
        refusal.map(|refusal| refusal.whole)
    }

    fn refusal(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
