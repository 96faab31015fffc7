//! Doors that cannot be opened, and leaving while others talk.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tachograph_serve::config::{Config, Limits};
use tachograph_serve::{StartError, start};

use super::{eventually, own, request, say};
use crate::common::{Door, config};

#[test]
fn a_port_that_is_taken_names_the_door() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let free = Door::open();
    let hub = free.running().hub();
    let doors = tachograph_serve::Doors {
        sink: Arc::new(tachograph_log::DurableLog::new(&hub.home)),
        answerer: hub.answerer.clone(),
        home: hub.home.clone(),
        salt: hub.salt.clone(),
    };
    let error = start(
        Config {
            prometheus: Some(port),
            ..config()
        },
        doors,
    );
    match error.map(|_| ()) {
        Err(StartError::Bind { door, address, .. }) => {
            assert_eq!((door, address.port()), ("prometheus", port));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_asked_before_the_end_is_answered() {
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let slow = Router::new().route(
        "/",
        get(|| async {
            BEGUN.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
            "late"
        }),
    );
    let mut own = own(Duration::from_secs(10), None, slow);
    let address = own.address;
    // One that only holds its connection open.
    let idle = TcpStream::connect(address).expect("a connection");
    let asked: Vec<_> = (0..20)
        .map(|_| {
            std::thread::spawn(move || say(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"))
        })
        .collect();
    eventually(|| BEGUN.load(Ordering::Relaxed) == 20);
    own.stop.send(true).expect("it listens");
    let gone = own
        .runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(9), own.served.recv()).await });
    assert_eq!(gone, Ok(None), "nobody is served any more");
    for thread in asked {
        let answer = thread.join().expect("no panic");
        assert!(answer.ends_with("late"), "{answer:?}");
    }
    assert!(TcpStream::connect(address).is_err(), "the door is shut");
    drop(idle);
}

#[test]
fn a_server_that_is_told_to_stop_waits_for_nobody_for_long() {
    let limits = Limits {
        read_timeout: Duration::from_secs(120),
        ..Limits::default()
    };
    let door = Door::with(Config { limits, ..config() });
    let address = door.addresses().otlp_http.expect("open");
    // Amid a body that never comes.
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .write_all(b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nx")
        .expect("sent");
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    drop(door);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn what_was_acknowledged_under_load_is_stored_when_it_stops_in_time() {
    let door = Door::open();
    let address = door.addresses().dashboard.expect("open");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut acknowledged = Vec::new();
                let mut at = 0;
                while !stop.load(Ordering::Relaxed) {
                    at += 1;
                    let name = format!("load-{client}-{at}");
                    let event = format!(r#"{{"event_type":"tool_call","tool":"{name}"}}"#);
                    let lines = ["host: localhost", "content-type: application/json"];
                    let Ok(mut stream) = TcpStream::connect(address) else {
                        break;
                    };
                    let sent = request("POST", "/api/v1/events", &lines, &event);
                    let _ = stream.write_all(sent.as_bytes());
                    let mut answer = String::new();
                    // One that is cut off was not acknowledged.
                    let _ = stream.read_to_string(&mut answer);
                    if answer.starts_with("HTTP/1.1 200") {
                        acknowledged.push(name);
                    }
                }
                acknowledged
            })
        })
        .collect();
    // Of the last not every answer may come.
    eventually(|| door.stored().len() > 300);
    let began = Instant::now();
    let folder = door.close();
    let took = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    assert!(took < Duration::from_secs(20), "{took:?}");
    let mut times = std::collections::HashMap::new();
    for event in crate::common::stored(folder.path()) {
        let tool = event["tool"].as_str().expect("a tool").to_owned();
        *times.entry(tool).or_insert(0) += 1;
    }
    let mut acknowledged = 0;
    for client in clients {
        for name in client.join().expect("no panic") {
            assert_eq!(times.get(&name), Some(&1), "{name}");
            acknowledged += 1;
        }
    }
    assert!(acknowledged > 200, "{acknowledged}");
}
