//! How many may be connected at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tachograph_serve::config::{Config, Limits};

use super::{eventually, request, say, status};
use crate::common::{Door, config};

#[test]
fn two_hundred_connections_at_once_are_answered() {
    let door = Door::open();
    let address = door.addresses().dashboard.expect("open");
    let mut streams: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    for stream in &mut streams {
        let ask = request("GET", "/nothing-here", &["host: localhost"], "");
        stream.write_all(ask.as_bytes()).expect("sent");
    }
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(status(&answer), 404);
    }
    let counters = &door.running().hub().counters;
    assert_eq!(counters.connections_refused.get(), 0);
}

#[test]
fn more_connections_than_there_are_places_are_turned_away_and_counted() {
    let door = Door::with(Config {
        limits: Limits {
            connections: 8,
            ..Limits::default()
        },
        ..config()
    });
    let address = door.addresses().json.expect("open");
    let held: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    let counters = door.running().hub().counters.clone();
    eventually(|| counters.connections.load(Ordering::Relaxed) == 8);
    let ask = request("GET", "/health", &["host: localhost"], "");
    for _ in 0..12 {
        assert_eq!(say(address, &ask), "", "closed without a word");
    }
    assert_eq!(counters.connections_refused.get(), 12);
    drop(held);
    eventually(|| counters.connections.load(Ordering::Relaxed) == 0);
    assert_ne!(say(address, &ask), "");
}

#[test]
fn idle_connections_at_one_door_shut_none_and_leave_for_others() {
    let door = Door::with(Config {
        limits: Limits {
            connections: 32,
            ..Limits::default()
        },
        ..config()
    });
    let addresses = door.addresses();
    let json = addresses.json.expect("open");
    let counters = door.running().hub().counters.clone();
    // Each asks once and stays.
    let mut idle = Vec::new();
    for _ in 0..24 {
        let mut stream = TcpStream::connect(json).expect("a connection");
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
        idle.push(stream);
        std::thread::sleep(Duration::from_millis(2));
    }
    let ask = request("GET", "/health", &["host: localhost"], "");
    for other in [addresses.dashboard, addresses.prometheus] {
        assert_ne!(say(other.expect("open"), &ask), "", "has places of its own");
    }
    assert_eq!(say(json, &ask), "", "nobody is idle yet");
    std::thread::sleep(Duration::from_millis(1100));
    // The first to come takes the place of one that leaves; the others that one's.
    for _ in 0..3 {
        assert_eq!(status(&say(json, &ask)), 200);
        eventually(|| counters.connections.load(Ordering::Relaxed) == 23);
    }
    assert_eq!(counters.connections_evicted.get(), 1);
    // The one that left was the first.
    let mut rest = Vec::new();
    idle[0]
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a time-out");
    assert!(idle[0].read_to_end(&mut rest).is_ok(), "closed");
    assert_eq!(counters.connections_refused.get(), 1);
}
