//! What the door says of itself: what came, what was dropped and why, what
//! waits, how far behind live state is, and what all of it costs.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::page::{Page, Type};
use crate::counters::{Counters, OfSignal, Signal};
use crate::hub::Hub;
use crate::live::Overview;

/// This process, as the operating system sees it; nothing where it is not known.
#[derive(Debug)]
pub(super) struct Process(Option<(Pid, Mutex<System>)>);

impl Process {
    pub(super) fn new() -> Self {
        let pid = sysinfo::get_current_pid().ok();
        let system = System::new().ok();
        Self(pid.zip(system.map(Mutex::new)))
    }

    /// Resident bytes, and seconds of processor time.
    fn look(&self) -> Option<(f64, f64)> {
        let (pid, system) = self.0.as_ref()?;
        let mut system = system.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        let this = ProcessesToUpdate::Some(std::slice::from_ref(pid));
        system.refresh_processes_specifics(this, false, kind.without_tasks());
        let process = system.process(*pid)?;
        let seconds = process.accumulated_cpu_time() as f64 / 1e3;
        Some((process.memory() as f64, seconds))
    }
}

/// A counter of signals: name, help, and what it shows by which label value.
type BySignal = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, fn(&OfSignal) -> u64)],
);

const BY_SIGNAL: [BySignal; 6] = [
    (
        "tachograph_ingest_requests_total",
        "Requests (and datagrams) by what they brought.",
        "",
        &[("", |of| of.requests.get())],
    ),
    (
        "tachograph_ingest_body_bytes_total",
        "Bytes of bodies, decompressed.",
        "",
        &[("", |of| of.bytes.get())],
    ),
    (
        "tachograph_ingest_records_total",
        "Spans, log records, points, samples and events that were read.",
        "",
        &[("", |of| of.records.get())],
    ),
    (
        "tachograph_ingest_stored_events_total",
        "Events that are on the disk.",
        "",
        &[("", |of| of.stored.get())],
    ),
    (
        "tachograph_ingest_dropped_records_total",
        "Records that made no event: noise, no agent's, sent before, of a call told of by another, wrong, of too many series.",
        "reason",
        &[
            ("ignored", |of| of.ignored.get()),
            ("no_agent_event", |of| of.foreign.get()),
            ("duplicate", |of| of.duplicates.get()),
            ("merged", |of| of.merged.get()),
            ("rejected", |of| of.rejected.get()),
            ("too_many_series", |of| of.crowded.get()),
        ],
    ),
    (
        "tachograph_ingest_refused_requests_total",
        "Requests of which nothing was stored: too much waited, or the disk said no.",
        "reason",
        &[
            ("overloaded", |of| of.overloaded.get()),
            ("failed", |of| of.failed.get()),
        ],
    ),
];

/// Writes all of it.
pub(super) fn write(page: &mut Page, hub: &Hub, process: &Process, live: &Overview) {
    ingest(page, &hub.counters);
    reading(page, live);
    let version = env!("CARGO_PKG_VERSION");
    let name = "tachograph_build_info";
    page.family(name, Type::Gauge, "1, by version.");
    page.sample(name, "", &[("version", version)], 1.0);
    let started = hub.started.0.as_epoch_seconds();
    let name = "process_start_time_seconds";
    gauge(page, name, "When the server began, Unix time.", started);
    if let Some((resident, seconds)) = process.look() {
        let name = "process_resident_memory_bytes";
        gauge(page, name, "Resident memory.", resident);
        let name = "process_cpu_seconds_total";
        counter(page, name, "Processor time, of user and system.", seconds);
    }
}

fn ingest(page: &mut Page, counters: &Counters) {
    for (name, help, label, shown) in BY_SIGNAL {
        page.family(name, Type::Counter, help);
        for signal in Signal::ALL {
            for (value, count) in shown {
                let count = count(counters.of(signal)) as f64;
                let labels = [("signal", signal.name()), (label, value)];
                let labels = if label.is_empty() {
                    &labels[..1]
                } else {
                    &labels
                };
                page.sample(name, "", labels, count);
            }
        }
    }
    let commits = "tachograph_commit_duration_seconds";
    page.family(
        commits,
        Type::Summary,
        "Group commits, until the disk has them.",
    );
    let seconds = counters.commit_nanos.get() as f64 / 1e9;
    page.sample(commits, "_sum", &[], seconds);
    page.sample(commits, "_count", &[], counters.commits.get() as f64);
    let now = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed) as f64;
    let bytes = now(&counters.queued_bytes);
    let name = "tachograph_queue_bytes";
    gauge(page, name, "Bytes that wait to be stored.", bytes);
    let batches = now(&counters.queued_batches);
    let name = "tachograph_queue_batches";
    gauge(page, name, "Batches that wait to be stored.", batches);
    let connections = now(&counters.connections);
    gauge(
        page,
        "tachograph_connections",
        "Open connections.",
        connections,
    );
    let refused = counters.connections_refused.get() as f64;
    let name = "tachograph_connections_refused_total";
    let help = "Connections turned away because there were too many.";
    counter(page, name, help, refused);
    let evicted = counters.connections_evicted.get() as f64;
    let name = "tachograph_connections_evicted_total";
    let help = "Idle connections that were closed because others needed their places.";
    counter(page, name, help, evicted);
    for (name, help, count) in [
        (
            "tachograph_alert_notifications_total",
            "Notifications of alerts that a channel took.",
            &counters.notifications_sent,
        ),
        (
            "tachograph_alert_notifications_failed_total",
            "Tries to tell a channel of alerts that failed.",
            &counters.notifications_failed,
        ),
        (
            "tachograph_alerts_undelivered_total",
            "Alerts that a channel was never told of; alerts/undelivered.jsonl has them.",
            &counters.alerts_undelivered,
        ),
    ] {
        counter(page, name, help, count.get() as f64);
    }
    let denied = counters.requests_denied.get() as f64;
    let name = "tachograph_requests_denied_total";
    let help = "Requests turned away for their Host, Origin or token, or for too many guesses.";
    counter(page, name, help, denied);
}

fn reading(page: &mut Page, live: &Overview) {
    for (name, help, value) in [
        (
            "tachograph_live_lag_seconds",
            "Since when live state has not seen the log's end.",
            live.lag.as_secs_f64(),
        ),
        (
            "tachograph_live_series",
            "Series that are kept apart.",
            live.series as f64,
        ),
        (
            "tachograph_live_memory_bytes",
            "What the sketches and points of live state take.",
            live.bytes as f64,
        ),
        (
            "tachograph_active_sessions",
            "Sessions heard of within 15 minutes that have not ended.",
            live.active_sessions as f64,
        ),
    ] {
        gauge(page, name, help, value);
    }
    for (name, help, value) in [
        (
            "tachograph_live_events_total",
            "Events read from the log since the start, whoever wrote them.",
            live.events_since_start,
        ),
        (
            "tachograph_live_unreadable_lines_total",
            "Lines of the log that hold no event.",
            live.unreadable,
        ),
        (
            "tachograph_live_out_of_reach_events_total",
            "Events more than an hour old or ahead, which no window has.",
            live.out_of_reach,
        ),
        (
            "tachograph_live_overflow_total",
            "Times that something counted under _other because there were too many names.",
            live.overflow,
        ),
        (
            "tachograph_live_forgotten_series_total",
            "Series that were silent for an hour and left their place to others.",
            live.forgotten,
        ),
        (
            "tachograph_live_failures_total",
            "Looks at the log that failed.",
            live.failures,
        ),
    ] {
        counter(page, name, help, value as f64);
    }
}

fn gauge(page: &mut Page, name: &str, help: &str, value: f64) {
    page.family(name, Type::Gauge, help);
    page.sample(name, "", &[], value);
}

fn counter(page: &mut Page, name: &str, help: &str, value: f64) {
    page.family(name, Type::Counter, help);
    page.sample(name, "", &[], value);
}
