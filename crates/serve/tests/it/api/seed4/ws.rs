//! Over the WebSocket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_model::{Event, UnixNanos};
use tungstenite::Message;
use tungstenite::protocol::frame::coding::CloseCode;

use super::{ago, append, at, expected, holding, metric, same};
use crate::api::engine::{Engine, door};
use crate::api::socket::{self, Socket, closed, next};
use crate::common::{Door, config, get};

fn connect(door: &Door) -> Result<Socket, u16> {
    socket::connect(door, "/ws")
}

fn of_type(socket: &mut Socket, kind: &str) -> Json {
    loop {
        let message = next(socket);
        if message["type"] == kind {
            return message;
        }
    }
}

#[test]
fn pushes_come_every_second_and_sooner_with_news() {
    let door = holding(&[metric(ago(1), "system", "cpu_usage_percent", "gauge", 40.0)]);
    let mut socket = connect(&door).expect("a websocket");
    let first = next(&mut socket);
    assert_eq!(first["type"], "initial_data");
    assert_eq!(
        first["data"]["charts"]["system"]["cpu_usage"]["current"],
        40.0
    );
    assert_eq!(first["data"]["summary"]["window_seconds"], 60);
    assert_eq!(first["data"]["alerts"], json!([]));
    assert_eq!(
        get(door.addresses().dashboard, "/health", &[]).json()["websocket_clients"],
        1
    );
    let began = Instant::now();
    let update = next(&mut socket);
    assert_eq!(update["type"], "metrics_update");
    let took = began.elapsed();
    assert!(
        (700..5000).contains(&took.as_millis()),
        "without news: {took:?}"
    );
    let began = Instant::now();
    append(
        &door,
        &[metric(ago(0), "system", "cpu_usage_percent", "gauge", 80.0)],
    );
    let current =
        |update: &Json| update["data"]["charts"]["system"]["cpu_usage"]["current"].clone();
    while current(&next(&mut socket)) != 80.0 {}
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    socket
        .send(Message::text(r#"{"type":"ping"}"#))
        .expect("sent");
    assert!(of_type(&mut socket, "pong")["timestamp"].is_string());
    for odd in [
        "",
        "ping",
        "{",
        "[]",
        r#"{"type":7}"#,
        r#"{"type":"subscribe"}"#,
    ] {
        socket.send(Message::text(odd)).expect("sent");
    }
    socket.send(Message::binary(vec![0_u8; 64])).expect("sent");
    assert_eq!(
        of_type(&mut socket, "metrics_update")["type"],
        "metrics_update"
    );
}

/// The seed's case, its points as of now and its time left out.
#[test]
fn what_is_pushed_is_the_seed_s() {
    let points: Json = serde_json::from_str(include_str!("../../data/summary/points.json"))
        .expect("as the case has it");
    // By 20 seconds more than that: those of the minute stay in it while
    // this goes on, and what is ahead counts as now.
    let moved = UnixNanos::now().0 - super::now().0 + 20_000_000_000;
    let mut events = Vec::new();
    for (key, points) in points.as_object().expect("as the case has it") {
        let (source, name) = key.split_once('.').expect("as the case has it");
        for point in points.as_array().expect("as the case has it") {
            let time = at(point[0].as_str().expect("as the case has it"));
            let kind = point[2].as_str().expect("as the case has it");
            let value = point[1].as_f64().expect("as the case has it");
            events.push(metric(UnixNanos(time.0 + moved), source, name, kind, value));
        }
    }
    let door = holding(&events);
    let mut socket = connect(&door).expect("a websocket");
    let mut wanted = expected(include_str!("../../data/summary/expected_update.json"));
    for kind in ["initial_data", "metrics_update", "metrics_update"] {
        let message = next(&mut socket);
        let keys: Vec<&String> = message.as_object().expect("a message").keys().collect();
        assert_eq!(keys, ["type", "timestamp", "data"]);
        assert_eq!(message["type"], kind);
        let time = &message["data"]["summary"]["timestamp"];
        assert_eq!(time, &message["timestamp"]);
        wanted["summary"]["timestamp"] = time.clone();
        same(&message["data"], &wanted, kind);
    }
}

#[test]
fn what_all_wait_for_is_made_once() {
    let engine = Engine {
        takes: Duration::from_millis(100),
        ..Engine::default()
    };
    let door = door(config(), Arc::new(engine));
    append(&door, &[Event::new(ago(1), "alert")]);
    let barrier = std::sync::Barrier::new(8);
    let first = || {
        barrier.wait();
        next(&mut connect(&door).expect("a websocket"))["timestamp"].to_string()
    };
    let times: std::collections::HashSet<String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(first)).collect();
        let times = clients.into_iter().map(|client| client.join());
        times.map(|time| time.expect("a message")).collect()
    });
    // A busy machine may take longer than one push is fresh.
    assert!(times.len() <= 2, "{times:?}");
}

#[test]
fn too_many_too_much_and_too_late_end() {
    let mut config = config();
    config.limits.websockets = 2;
    let door = door(config, Arc::new(Engine::default()));
    let mut one = connect(&door).expect("one");
    let mut other = connect(&door).expect("another");
    assert_eq!(connect(&door).err(), Some(429));
    for _ in 0..200 {
        if one.send(Message::text(r#"{"type":"ping"}"#)).is_err() {
            break;
        }
    }
    let code = closed(&mut one);
    assert!(matches!(code, Some(CloseCode::Policy) | None), "{code:?}");
    // A message over the limit ends it.
    let _ = other.send(Message::text("x".repeat(100_000)));
    closed(&mut other);
    let patience = Instant::now() + Duration::from_secs(10);
    let mut last = loop {
        match connect(&door) {
            Ok(socket) => break socket,
            Err(status) => assert_eq!(status, 429),
        }
        assert!(Instant::now() < patience, "places come free");
        std::thread::sleep(Duration::from_millis(20));
    };
    // Leaving says so.
    let left = std::thread::spawn(move || closed(&mut last));
    std::thread::sleep(Duration::from_millis(100));
    drop(door);
    assert_eq!(left.join().expect("ended"), Some(CloseCode::Away));
}
