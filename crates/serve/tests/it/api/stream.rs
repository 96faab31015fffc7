//! `/api/v1/stream`, over a WebSocket and by polling.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::DurableLog;
use tachograph_log::Home;
use tachograph_model::{Column, Event};
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use super::engine::{Engine, HOSTILE};
use super::seed4::{ago, append, holding, metric};
use super::socket::{Socket, closed, connect, next};
use crate::common::{Door, config, get};

const PATH: &str = "/api/v1/stream?families=tool,metric,error";

fn call(name: &str, ms: f64) -> Event {
    Event::new(ago(0), "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, ms)
        .with(Column::Success, true)
}

fn poll(door: &Door, query: &str) -> Json {
    let reply = get(
        door.addresses().dashboard,
        &format!("/api/v1/stream{query}"),
        &[],
    );
    assert_eq!(reply.status, 200, "{query}: {}", reply.text());
    reply.json()
}

/// What a client makes of the messages.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    series: BTreeMap<(String, String, String), Json>,
    seq: u64,
    epoch: String,
    overview: Json,
    alerts: Json,
}

impl Known {
    fn take(&mut self, message: &Json) {
        let text = |value: &Json| value.as_str().expect("a text").to_owned();
        match message["type"].as_str().expect("a type") {
            "snapshot" => self.series.clear(),
            "delta" => assert_eq!(self.epoch, message["epoch"], "of another server"),
            other => panic!("{other}"),
        }
        let seq = message["seq"].as_u64().expect("a number");
        assert!(
            seq >= self.seq || self.epoch != message["epoch"],
            "numbers rise"
        );
        (self.seq, self.epoch) = (seq, text(&message["epoch"]));
        for (family, series) in message["families"].as_object().expect("families") {
            for one in series.as_array().expect("series") {
                let key = (family.clone(), text(&one["source"]), text(&one["name"]));
                self.series.insert(key, one.clone());
            }
        }
        for (family, keys) in message["gone"].as_object().expect("families") {
            for key in keys.as_array().expect("keys") {
                let key = (family.clone(), text(&key[0]), text(&key[1]));
                assert!(self.series.remove(&key).is_some(), "{key:?} was there");
            }
        }
        self.overview = message["overview"].clone();
        self.alerts = message["alerts"].clone();
    }

    fn count(&self, family: &str, name: &str) -> u64 {
        let key = (family.to_owned(), String::new(), name.to_owned());
        self.series
            .get(&key)
            .map_or(0, |one| one["count"].as_u64().expect("a count"))
    }
}

/// Reads until the client knows of so many.
fn until(socket: &mut Socket, known: &mut Known, name: &str, count: u64) {
    let patience = Instant::now() + Duration::from_secs(10);
    while known.count("tool", name) < count {
        assert!(Instant::now() < patience, "{known:?}");
        known.take(&next(socket));
    }
    assert_eq!(known.count("tool", name), count);
}

#[test]
fn a_snapshot_and_then_what_changes() {
    let door = holding(&[call("a", 5.0), call(HOSTILE, 7.0)]);
    let mut socket = connect(&door, PATH).expect("a websocket");
    let first = next(&mut socket);
    assert_eq!(first["type"], "snapshot");
    assert_eq!(first["window_seconds"], 300);
    let mut known = Known::default();
    known.take(&first);
    assert_eq!(
        (known.count("tool", "a"), known.count("tool", HOSTILE)),
        (1, 1)
    );
    assert_eq!(known.alerts, json!({"firing": [], "pending": []}));
    assert!(known.overview["events_per_second"].as_f64() > Some(0.0));
    assert_eq!(known.overview["cost_per_hour"], Json::Null);
    let began = Instant::now();
    append(&door, &[call("a", 6.0)]);
    let delta = next(&mut socket);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(delta["type"], "delta");
    assert_eq!(
        delta["families"]["tool"].as_array().map(Vec::len),
        Some(1),
        "{delta}"
    );
    known.take(&delta);
    assert_eq!(known.count("tool", "a"), 2);
    // What polling says is the same.
    let mut polled = Known::default();
    polled.take(&poll(&door, "?families=error,metric,tool"));
    assert_eq!(polled.series, known.series);
    let after = format!("?families=tool,metric,error&after={}", known.seq);
    assert_eq!(poll(&door, &after)["type"], "delta");
}

#[test]
fn nothing_recorded_is_an_empty_snapshot() {
    let door = holding(&[]);
    let message = poll(&door, "");
    assert_eq!(
        message["families"],
        json!({"tool": [], "model": [], "cache": [], "agent": []})
    );
    assert_eq!(message["overview"]["events_per_second"], 0.0);
    assert_eq!(message["overview"]["tokens_per_second"], Json::Null);
    assert_eq!(message["overview"]["alerts_firing"], 0);
}

#[test]
fn what_cannot_be_asked_is_a_problem() {
    let door = holding(&[]);
    for query in [
        "?families=tools",
        "?families=",
        "?window=0",
        "?window=3601",
        "?after=x",
        "?x=1",
    ] {
        let path = format!("/api/v1/stream{query}");
        let reply = get(door.addresses().dashboard, &path, &[]);
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(connect(&door, &path).err(), Some(400), "{query}");
    }
    let upgrade = [("upgrade", "websocket")];
    let reply = get(door.addresses().dashboard, "/api/v1/stream", &upgrade);
    assert_eq!(reply.status, 426);
}
