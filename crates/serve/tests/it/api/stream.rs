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

/// Sooner than anything is said without news.
const SOON: Duration = Duration::from_secs(4);

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
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
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

#[test]
fn who_comes_back_is_told_what_it_missed() {
    let door = holding(&[call("a", 5.0), call("b", 5.0)]);
    let mut socket = connect(&door, PATH).expect("a websocket");
    let mut known = Known::default();
    known.take(&next(&mut socket));
    drop(socket);
    append(&door, &[call("a", 6.0), call(HOSTILE, 1.0)]);
    // Somebody else listens meanwhile.
    let mut other = connect(&door, PATH).expect("a websocket");
    let mut others = Known::default();
    until(&mut other, &mut others, HOSTILE, 1);
    let mut socket = connect(&door, &format!("{PATH}&after={}", known.seq)).expect("a websocket");
    let missed = next(&mut socket);
    assert_eq!(missed["type"], "delta");
    assert_eq!(
        missed["families"]["tool"].as_array().map(Vec::len),
        Some(2),
        "{missed}"
    );
    known.take(&missed);
    assert_eq!(known.series, others.series);
    // That nothing was missed is told at once, too.
    let began = Instant::now();
    let mut socket = connect(&door, &format!("{PATH}&after={}", known.seq)).expect("a websocket");
    assert_eq!(next(&mut socket)["type"], "delta");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    // Of other families, or a number nobody gave.
    for path in [
        format!("/api/v1/stream?families=tool&after={}", known.seq),
        format!("{PATH}&after=1"),
        format!("{PATH}&after={}", u64::MAX),
    ] {
        let mut socket = connect(&door, &path).expect("a websocket");
        assert_eq!(next(&mut socket)["type"], "snapshot", "{path}");
    }
}

#[test]
fn after_a_restart_everything_is_told() {
    let door = holding(&[call("a", 5.0)]);
    let mut known = Known::default();
    known.take(&poll(&door, "?families=tool"));
    let epoch = known.epoch.clone();
    let folder = door.close();
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(DurableLog::new(&home));
    let door = Door::on(folder, config(), sink, Arc::new(Engine::default()));
    let patience = Instant::now() + Duration::from_secs(10);
    while !door.running().hub().live.overview().settled {
        assert!(Instant::now() < patience, "it reads the log");
        std::thread::sleep(Duration::from_millis(5));
    }
    let message = poll(&door, &format!("?families=tool&after={}", known.seq));
    assert_eq!(message["type"], "snapshot");
    assert!(message["seq"].as_u64() > Some(known.seq), "{message}");
    known.take(&message);
    assert_ne!(known.epoch, epoch);
    assert_eq!(known.count("tool", "a"), 1);
}

#[test]
fn all_clients_are_told_the_same_from_one_look() {
    let door = holding(&[call("a", 5.0)]);
    let mut clients: Vec<(Socket, Vec<Json>)> = (0..10)
        .map(|_| (connect(&door, PATH).expect("a websocket"), Vec::new()))
        .collect();
    for (socket, told) in &mut clients {
        told.push(next(socket));
    }
    for round in 0..4 {
        append(&door, &[call("a", f64::from(round))]);
        std::thread::sleep(Duration::from_millis(300));
    }
    let mut texts = std::collections::HashSet::new();
    for (socket, told) in &mut clients {
        let mut known = Known::default();
        known.take(&told[0]);
        while known.count("tool", "a") < 5 {
            let message = next(socket);
            known.take(&message);
            texts.insert(message.to_string());
        }
    }
    // Each came to all of them, and none was made for one of them.
    assert!((2..=12).contains(&texts.len()), "{}", texts.len());
    let health = get(door.addresses().dashboard, "/health", &[]).json();
    assert_eq!(health["websocket_clients"], 10);
}

/// Appends so many calls of 700 tools, ten times a second.
fn flood(door: &Door, rounds: usize, each: usize) {
    for _ in 0..rounds {
        let began = Instant::now();
        let calls: Vec<Event> = (0..each)
            .map(|at| call(&format!("t{}", at % 700), at as f64))
            .collect();
        append(door, &calls);
        std::thread::sleep(Duration::from_millis(100).saturating_sub(began.elapsed()));
    }
}

#[test]
fn ten_thousand_events_a_second_are_four_messages_and_none_is_lost() {
    let door = holding(&[]);
    let mut socket = connect(&door, PATH).expect("a websocket");
    let mut known = Known::default();
    known.take(&next(&mut socket));
    let began = Instant::now();
    let (mut messages, mut most) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| flood(&door, 20, 1000));
        let all = |known: &Known| -> u64 {
            let tools = known.series.iter().filter(|(key, _)| key.0 == "tool");
            tools
                .map(|(_, one)| one["count"].as_u64().expect("a count"))
                .sum()
        };
        while all(&known) < 20_000 {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", all(&known));
            let message = next(&mut socket);
            messages += 1;
            most = most.max(message.to_string().len());
            known.take(&message);
        }
        assert_eq!(all(&known), 20_000);
    });
    let seconds = began.elapsed().as_secs_f64();
    assert!(
        f64::from(messages) <= seconds * 4.0 + 2.0,
        "{messages} in {seconds}"
    );
    assert_eq!(
        known.series.keys().filter(|key| key.0 == "tool").count(),
        700
    );
    assert!(most < 700 * 600, "{most} bytes");
    let mut polled = Known::default();
    polled.take(&poll(&door, "?families=tool,metric,error"));
    assert_eq!(polled.series.len(), known.series.len());
}

#[test]
fn a_client_that_takes_nothing_is_dropped_and_keeps_nobody_waiting() {
    let door = holding(&[]);
    let many = |at: u32| -> Vec<Event> {
        (0..1700)
            .map(|name| {
                let name = format!("{name:0>200}");
                metric(ago(0), "s", &name, "gauge", f64::from(at))
            })
            .collect()
    };
    append(&door, &many(0));
    let mut slow = connect(&door, PATH).expect("a websocket");
    let mut quick = connect(&door, PATH).expect("a websocket");
    assert_eq!(next(&mut slow)["type"], "snapshot");
    let clients =
        || get(door.addresses().dashboard, "/health", &[]).json()["websocket_clients"].clone();
    let began = Instant::now();
    let mut known = Known::default();
    // A busy machine is slow to all alike.
    let mut first = None;
    for at in 1.. {
        append(&door, &many(at));
        let asked = Instant::now();
        known.take(&next(&mut quick));
        let waited = asked.elapsed();
        let usual = *first.get_or_insert(waited) * 8;
        assert!(
            waited < usual.max(Duration::from_secs(4)),
            "the quick one waits {waited:?}"
        );
        if clients() == 1 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "the slow one is there"
        );
    }
    let code = closed(&mut slow);
    assert!(matches!(code, Some(CloseCode::Again) | None), "{code:?}");
    assert_eq!(known.series.len(), 1700);
}

#[test]
fn places_are_shared_and_leaving_is_said() {
    let mut config = config();
    config.limits.websockets = 2;
    let door = super::engine::door(config, Arc::new(Engine::default()));
    let mut one = connect(&door, PATH).expect("one");
    let _other = connect(&door, "/ws").expect("another");
    assert_eq!(connect(&door, PATH).err(), Some(429));
    // Polling takes none.
    assert_eq!(poll(&door, "?families=tool")["type"], "snapshot");
    // What it says means nothing.
    for odd in ["", "{", r#"{"type":"ping"}"#] {
        one.send(Message::text(odd)).expect("sent");
    }
    assert_eq!(next(&mut one)["type"], "snapshot");
    let left = std::thread::spawn(move || closed(&mut one));
    std::thread::sleep(Duration::from_millis(100));
    drop(door);
    assert_eq!(left.join().expect("ended"), Some(CloseCode::Away));
}

#[test]
fn so_many_streams_and_no_more_than_that() {
    let door = holding(&[]);
    let path = |window: usize| format!("/api/v1/stream?window={window}");
    let sockets: Vec<Socket> = (1..=16)
        .map(|window| connect(&door, &path(window)).expect("a websocket"))
        .collect();
    assert_eq!(connect(&door, &path(17)).err(), Some(429));
    assert_eq!(get(door.addresses().dashboard, &path(17), &[]).status, 429);
    assert_eq!(get(door.addresses().dashboard, &path(16), &[]).status, 200);
    drop(sockets);
    // Those that nobody listens to make room.
    let patience = Instant::now() + Duration::from_secs(10);
    while get(door.addresses().dashboard, &path(17), &[]).status != 200 {
        assert!(Instant::now() < patience, "places come free");
        std::thread::sleep(Duration::from_millis(50));
    }
}
