//! `GET /api/v1/server`: what the server itself does, for those who look at the
//! page; Prometheus has the same figures, and more, at `/metrics`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use serde_json::{Map, Value, json};
use tachograph_model::render::iso;

use super::Api;
use super::json::Json;
use crate::counters::{Counters, Signal};
use crate::hub::Hub;

/// Answers; nothing is waited for.
pub async fn get(State(api): State<Arc<Api>>) -> Json {
    Json(shown(&api.hub))
}

fn shown(hub: &Hub) -> Value {
    let counters = &hub.counters;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": iso(hub.started.0),
        "uptime_seconds": hub.started.1.elapsed().as_secs(),
        "listeners": listeners(hub),
        // Why it stores nothing; null: it does.
        "refusing": counters.refusing(),
        "connections": counters.connections.load(Ordering::Relaxed),
        "connections_refused": counters.connections_refused.get(),
        "requests_denied": counters.requests_denied.get(),
        "queued_bytes": counters.queued_bytes.load(Ordering::Relaxed),
        "commits": counters.commits.get(),
        "commit_mean_ms": commit_mean_ms(counters),
        "signals": Signal::ALL.map(|signal| of(counters, signal)),
    })
}

/// Where each door listens; null: it is shut.
fn listeners(hub: &Hub) -> Map<String, Value> {
    let addresses = hub.addresses.get().copied().unwrap_or_default();
    let doors = addresses.by_name().into_iter();
    doors
        .map(|(name, address)| (name.to_owned(), json!(address.map(|it| it.to_string()))))
        .collect()
}

fn of(counters: &Counters, signal: Signal) -> Value {
    let of = counters.of(signal);
    json!({
        "signal": signal.name(),
        "requests": of.requests.get(),
        "body_bytes": of.bytes.get(),
        "records": of.records.get(),
        "stored": of.stored.get(),
        "ignored": of.ignored.get() + of.foreign.get(),
        "duplicates": of.duplicates.get() + of.merged.get(),
        "rejected": of.rejected.get() + of.crowded.get(),
        "overloaded": of.overloaded.get(),
        "failed": of.failed.get(),
    })
}

/// `None` before the first commit.
fn commit_mean_ms(counters: &Counters) -> Option<f64> {
    let commits = counters.commits.get();
    (commits > 0).then(|| counters.commit_nanos.get() as f64 / 1e6 / commits as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_of_nothing_is_none() {
        let counters = Counters::default();
        assert_eq!(commit_mean_ms(&counters), None);
        counters.commits.add(4);
        counters.commit_nanos.add(10_000_000);
        assert_eq!(commit_mean_ms(&counters), Some(2.5));
    }

    #[test]
    fn what_a_signal_brought_adds_up() {
        let counters = Counters::default();
        let events = counters.of(Signal::Events);
        events.records.add(10);
        events.stored.add(4);
        events.ignored.add(1);
        events.foreign.add(1);
        events.duplicates.add(1);
        events.merged.add(1);
        events.rejected.add(1);
        events.crowded.add(1);
        let told = of(&counters, Signal::Events);
        let parts = ["stored", "ignored", "duplicates", "rejected"];
        let sum: u64 = parts.iter().filter_map(|key| told[key].as_u64()).sum();
        assert_eq!(Some(sum), told["records"].as_u64(), "{told}");
        assert_eq!(of(&counters, Signal::Traces)["stored"], 0);
    }
}
