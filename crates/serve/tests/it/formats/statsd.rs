//! StatsD over UDP: what clients send, many lines a datagram, good beside bad.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::Home;
use tachograph_serve::Config;
use tachograph_serve::counters::Signal;

use crate::common::{Door, config};

fn open() -> (Door, UdpSocket) {
    let door = Door::with(Config {
        statsd: Some(0),
        ..config()
    });
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = door.addresses().statsd.expect("this door is open");
    socket.connect(address).expect("connected");
    (door, socket)
}

/// Waits until so many lines have been read.
fn read(door: &Door, lines: u64) {
    let of = door.running().hub().counters.of(Signal::Statsd);
    let deadline = Instant::now() + Duration::from_secs(10);
    while of.records.get() < lines {
        assert!(Instant::now() < deadline, "{} of {lines}", of.records.get());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is stored once the door has closed, without times.
fn stored(door: Door) -> Vec<Json> {
    let folder = door.close();
    let home = Home::create(folder.path()).expect("a home");
    let text = std::fs::read_to_string(home.log()).unwrap_or_default();
    let mut events: Vec<Json> = text
        .lines()
        .map(|line| {
            let mut event: Json = serde_json::from_str(line).expect("JSON");
            event
                .as_object_mut()
                .expect("an object")
                .remove("timestamp");
            event
        })
        .collect();
    events.sort_by_key(by_name);
    events
}

fn by_name(event: &Json) -> String {
    format!("{} {}", event["name"], event["value"])
}

#[test]
fn what_clients_send_is_stored_when_the_door_closes_at_the_latest() {
    let (door, socket) = open();
    let before = std::time::SystemTime::now();
    for datagram in [
        &b"agent.calls:1|c\nagent.calls:2|c|@0.5\nagent.queue:7|g\nagent.queue:-2|g\n"[..],
        b"agent.t:320|ms|#tool:grep,user:alice\r\n\n_e{1,1}:a|b\n_sc|a|0",
        b"agent.d:1:2|d|c:ci-1|T1656581400\nagent.users:alice|s",
    ] {
        socket.send(datagram).expect("sent");
    }
    read(&door, 9);
    let of = door.running().hub().counters.of(Signal::Statsd);
    assert_eq!((of.requests.get(), of.ignored.get()), (3, 2));
    // Measurements are there before the flush, which is ten seconds away.
    while door.stored().len() < 3 {
        assert!(before.elapsed().expect("time") < Duration::from_secs(9));
        std::thread::sleep(Duration::from_millis(20));
    }
    let events = stored(door);
    let metric = |kind: &str, name: &str, value: f64| {
        json!({"event_type": "metric", "source": "agent", "name": name, "type": kind,
            "value": value})
    };
    let measured = |name: &str, value: f64| {
        let mut event = metric("histogram", name, value);
        event["count"] = 1.into();
        event
    };
    let mut timing = measured("t", 0.32);
    timing["unit"] = "s".into();
    let tagged = events.iter().find(|event| event.get("tags").is_some());
    let user = &tagged.expect("a tag is kept")["tags"]["user"];
    assert!(user.is_string() && user != "alice", "{events:#?}");
    timing["tags"] = json!({"tool": "grep", "user": user});
    let mut expected = vec![
        metric("counter", "calls", 5.0),
        metric("gauge", "queue", 5.0),
        metric("gauge", "users", 1.0),
        measured("d", 1.0),
        measured("d", 2.0),
        timing,
    ];
    expected.sort_by_key(by_name);
    assert_eq!(events, expected);
}

#[test]
fn bad_lines_are_counted_and_spoil_none_beside_them() {
    let (door, socket) = open();
    let good = b"a.x:1|c";
    for bad in [
        &b"a"[..],
        b"a:1",
        b":1|c",
        b"a:x|c",
        b"a:NaN|g",
        b"a:1|q",
        b"a:1|c|@7",
        b"\xff\xfe:1|c",
        b"a:1|c|T-1",
        b"a:1|c|T9999999999999999999",
    ] {
        let datagram = [good, &b"\n"[..], bad, b"\n", good].concat();
        socket.send(&datagram).expect("sent");
    }
    // A whole datagram of rubbish, and an empty one.
    socket.send(&[0; 9000]).expect("sent");
    socket.send(&[]).expect("sent");
    read(&door, 31);
    let of = door.running().hub().counters.of(Signal::Statsd);
    assert_eq!(of.rejected.get(), 11);
    let events = stored(door);
    assert_eq!((events.len(), &events[0]["value"]), (1, &json!(20.0)));
}

#[test]
fn what_finds_no_room_is_counted_and_nobody_waits() {
    let (door, socket) = open();
    let limit = door.running().hub().config.limits.queued_bytes;
    let budget = door.running().hub().journal.budget().clone();
    let held = [budget.take(limit / 2), budget.take(limit / 2)];
    socket.send(b"a.t:1|ms").expect("sent");
    let of = |door: &Door| {
        let hub = door.running().hub().clone();
        hub.counters.of(Signal::Statsd).overloaded.get()
    };
    let began = Instant::now();
    while of(&door) == 0 {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(held);
    socket.send(b"a.t:2|ms").expect("sent");
    read(&door, 2);
    let events = stored(door);
    assert_eq!((events.len(), &events[0]["value"]), (1, &json!(0.002)));
}

#[test]
fn it_listens_on_loopback_only() {
    use tachograph_serve::ingest::statsd::Statsd;
    for (host, expected) in [
        ("0.0.0.0", "127.0.0.1:8125"),
        ("192.168.1.7", "127.0.0.1:8125"),
        ("::", "127.0.0.1:8125"),
        ("::1", "[::1]:8125"),
        ("127.0.0.2", "127.0.0.2:8125"),
    ] {
        let place = Statsd::place(host.parse().expect("an address"), 8125);
        assert_eq!(place.to_string(), expected);
    }
}
