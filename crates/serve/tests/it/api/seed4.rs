//! The fourth seed's API: its figures with a pinned clock, its paths over the
//! network.

mod figures;
mod limits;
mod paths;
mod rules;
mod ws;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos};

use super::engine::{Engine, door};
use crate::common::{Door, config, get};

pub(super) fn metric(time: UnixNanos, source: &str, name: &str, kind: &str, value: f64) -> Event {
    Event::new(time, "metric")
        .with(Column::Source, source)
        .with(Column::Name, name)
        .with(Column::Type, kind)
        .with(Column::Value, value)
}

/// Same keys in the same order, same figures.
fn same(found: &Json, expected: &Json, at: &str) {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => {
            let keys =
                |object: &serde_json::Map<String, Json>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(found), keys(expected), "{at}");
            for (key, value) in expected {
                same(&found[key], value, &format!("{at}/{key}"));
            }
        }
        (Json::Number(found), Json::Number(expected)) => {
            let (found, expected) = (
                found.as_f64().expect("as the case has it"),
                expected.as_f64().expect("as the case has it"),
            );
            let near = (found - expected).abs() <= 1e-9 * expected.abs();
            assert!(near, "{at}: {found} is not {expected}");
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text, true).expect("as the case has it")
}

fn now() -> UnixNanos {
    at("2025-11-20T12:00:00")
}

/// What the seed wrote, its naive time in UTC.
fn expected(text: &str) -> Json {
    let naive = "2025-11-20T12:00:00\"";
    serde_json::from_str(&text.replace(naive, "2025-11-20T12:00:00+00:00\""))
        .expect("as the case has it")
}

/// A door whose log has these events, read by live state.
pub(super) fn holding(events: &[Event]) -> Door {
    let door = door(config(), Arc::new(Engine::default()));
    append(&door, events);
    door
}

pub(super) fn append(door: &Door, events: &[Event]) {
    let home = Home::create(door.folder()).expect("a home");
    let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
    let live = &door.running().hub().live;
    let before = live.overview().events;
    Appender::new(&home).append(&lines).expect("appended");
    live.wake();
    let patience = Instant::now() + Duration::from_secs(20);
    while live.overview().events < before + events.len() as u64 {
        assert!(
            Instant::now() < patience,
            "live state sees {:?}",
            live.overview()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn ago(seconds: u64) -> UnixNanos {
    UnixNanos::now().saturating_sub(Duration::from_secs(seconds))
}

#[track_caller]
fn check(door: &Door, path: &str, status: u16, members: &[(&str, Json)]) -> Json {
    let reply = get(door.addresses().dashboard, path, &[]);
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    let json = reply.json();
    for (pointer, value) in members {
        assert_eq!(
            json.pointer(pointer),
            Some(value),
            "{path} {pointer}: {json}"
        );
    }
    if status >= 400 {
        assert!(json["error"].is_string(), "{path}: {json}");
    }
    json
}
