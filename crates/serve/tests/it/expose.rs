//! Live state as scrapers read it: the third seed's JSON against its
//! conformance cases, and Prometheus' text against the rules of its forms.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checked;
mod json;
mod prometheus;

use std::time::{Duration, Instant};

use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos};

use crate::common::{Door, get};

const OPEN: &str = "application/openmetrics-text; version=1.0.0";

fn append(door: &Door, events: &[Event]) {
    let before = door.running().hub().live.overview().events;
    let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
    let home = Home::create(door.folder()).unwrap();
    Appender::new(&home).append(&lines).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while door.running().hub().live.overview().events < before + events.len() as u64 {
        assert!(Instant::now() < deadline, "it does not show up");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn tool(name: &str, ms: f64) -> Event {
    Event::new(UnixNanos::now(), "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, ms)
        .with(Column::Success, true)
}

fn metric(source: &str, name: &str, value: f64) -> Event {
    Event::new(UnixNanos::now(), "metric")
        .with(Column::Source, source)
        .with(Column::Name, name)
        .with(Column::Type, "gauge")
        .with(Column::Value, value)
}

fn scrape(door: &Door, accept: &str) -> String {
    let reply = get(
        door.addresses().prometheus,
        "/metrics",
        &[("accept", accept)],
    );
    assert_eq!(reply.status, 200);
    let ty = match accept {
        OPEN => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        _ => "text/plain; version=0.0.4; charset=utf-8",
    };
    assert_eq!(reply.header("content-type"), Some(ty));
    reply.text()
}
