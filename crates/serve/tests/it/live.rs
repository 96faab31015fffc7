//! Live state: what it says of what came, against the fourth seed's figures,
//! against a plain recomputation, and under whatever else may come.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod follow;
mod seed4;
mod series;
mod windows;

use std::time::Duration;

use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::live::{Family, Reading, State, Stats};

const HOUR: Duration = Duration::from_secs(3600);

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text, true).expect("a time")
}

fn now() -> UnixNanos {
    at("2025-11-20T12:00:00")
}

fn seconds_ago(seconds: f64) -> UnixNanos {
    UnixNanos(now().0 - (seconds * 1e9) as i64)
}

fn metric(time: UnixNanos, name: &str, value: f64) -> Event {
    Event::new(time, "metric")
        .with(Column::Source, "agent")
        .with(Column::Name, name)
        .with(Column::Type, "gauge")
        .with(Column::Value, value)
}

fn tool(time: UnixNanos, name: &str, ms: f64) -> Event {
    Event::new(time, "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, ms)
        .with(Column::Success, true)
}

fn taken(events: &[Event]) -> State {
    let mut state = State::new(4096);
    for event in events {
        state.take(&event.to_line(), now());
    }
    state
}

fn reading(state: &State, name: &str, length: Duration) -> Option<Reading> {
    state.reading(Family::Metric, "agent", name, length, now())
}

fn window(state: &State, name: &str, length: Duration) -> Option<Stats> {
    reading(state, name, length)?.window
}

fn close(what: &str, found: f64, expected: f64, relative: f64) {
    let bound = relative * expected.abs() + 1e-9 * (1.0 + expected.abs());
    assert!(
        (found - expected).abs() <= bound,
        "{what}: {found} is not {expected}"
    );
}
