//! How slowly one may ask, send and fetch.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;

use super::{dribble, echo, eventually, own, request, say, status};
use crate::common::{Door, config};

#[test]
fn slow_clients_are_left_and_hold_nobody_up() {
    let patience = Duration::from_millis(400);
    let own = own(patience, None, echo());
    let address = own.address;
    let body = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n";
    let second = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let slow: [(&str, &[u8]); 4] = [
        ("", b""),
        ("GET / HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n"),
        (body, b"x"),
        // The first request is fine; the second one's head never ends.
        (second, b"G"),
    ];
    let slow =
        slow.map(|(first, piece)| std::thread::spawn(move || dribble(address, first, piece)));
    // Others do not notice.
    let began = Instant::now();
    for _ in 0..50 {
        let answer = say(
            address,
            &request("POST", "/echo", &["host: localhost"], "quick"),
        );
        assert!(answer.ends_with("quick"), "{answer}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let slow = slow.map(|thread| thread.join().expect("no panic"));
    for (at, (took, answer)) in slow.iter().enumerate() {
        assert!(
            *took >= patience / 2,
            "{at}: cut off after {took:?}: {answer}"
        );
        assert!(
            *took < Duration::from_secs(8),
            "{at}: held for {took:?}: {answer}"
        );
    }
    assert_eq!(slow[0].1, "", "nothing was asked, nothing is said");
    assert_eq!(slow[1].1, "");
    assert!(!slow[2].1.contains(" 200 "), "{}", slow[2].1);
    assert!(slow[3].1.ends_with("here"), "{}", slow[3].1);
}

#[test]
fn a_small_body_that_dribbles_in_is_too_late() {
    let mut config = config();
    config.limits.read_timeout = Duration::from_millis(300);
    let door = Door::with(config);
    let address = door.addresses().dashboard.expect("open");
    for path in ["/api/alerts/rules", "/api/v1/sql"] {
        let first = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: 100\r\n\r\n{{"
        );
        let (_, answer) = dribble(address, &first, b" ");
        assert_eq!(status(&answer), 408, "{path}: {answer}");
    }
}

#[test]
fn a_large_body_at_a_fair_pace_may_take_longer_than_a_small_one() {
    let own = own(Duration::from_millis(300), None, echo());
    let mut stream = TcpStream::connect(own.address).expect("a connection");
    let pieces = 30;
    let piece = vec![b'x'; 8 << 10];
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        pieces * piece.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let began = Instant::now();
    for _ in 0..pieces {
        stream.write_all(&piece).expect("still wanted");
        std::thread::sleep(Duration::from_millis(30));
    }
    assert!(began.elapsed() > Duration::from_millis(600));
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert_eq!(status(&String::from_utf8_lossy(&answer)), 200);
    assert!(answer.len() > pieces * piece.len());
}

#[test]
fn an_answer_that_nobody_fetches_is_dropped() {
    // More than the buffers of both sides take.
    let large = Router::new().route("/", get(|| async { vec![b'x'; 64 << 20] }));
    let own = own(Duration::from_millis(300), None, large);
    let counters = own._door.running().hub().counters.clone();
    let mut stream = TcpStream::connect(own.address).expect("a connection");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .expect("sent");
    eventually(|| counters.connections.load(Ordering::Relaxed) == 1);
    // Held open by us, and still it goes.
    eventually(|| counters.connections.load(Ordering::Relaxed) == 0);
    drop(stream);
}
