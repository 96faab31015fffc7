//! Crowds of clients, and disks that are full, slow or taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tachograph_log::{DurableLog, Home};
use tachograph_model::{Event, Sink, SinkError};
use tachograph_serve::Config;
use tachograph_serve::config::Limits;
use tachograph_serve::counters::Signal;

use super::{AS_JSON, send, times};
use crate::common::{Door, NoEngine, config, get, post};
use crate::otlp::{api_request, calls, now, total};

#[test]
fn two_hundred_clients_at_once_are_all_stored() {
    let door = Door::open();
    let address = door.addresses().otlp_http.expect("open");
    let clients: Vec<_> = (0..200)
        .map(|client| {
            std::thread::spawn(move || {
                for round in 0..5 {
                    let body = calls([client * 10 + round]);
                    assert_eq!(
                        post(Some(address), "/v1/traces", &[AS_JSON], &body).status,
                        200
                    );
                }
            })
        })
        .collect();
    for client in clients {
        client.join().expect("answered");
    }
    let stored = times(&door.stored());
    assert_eq!((stored.len(), stored.values().max()), (1000, Some(&1)));
    let counters = &door.running().hub().counters;
    assert!(
        counters.commits.get() < 1000,
        "stored together: {}",
        counters.commits.get()
    );
}

/// A log that can be told to refuse, and to take its time.
struct Moody {
    log: DurableLog,
    refuse: AtomicBool,
    delay_ms: AtomicU64,
}

impl Sink for Moody {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        std::thread::sleep(Duration::from_millis(self.delay_ms.load(Ordering::SeqCst)));
        if self.refuse.load(Ordering::SeqCst) {
            return Err(SinkError {
                what: "no space left on device".to_owned(),
                source: None,
            });
        }
        self.log.put(events)
    }
}

fn moody(config: Config) -> (Door, Arc<Moody>) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(Moody {
        log: DurableLog::new(&home),
        refuse: AtomicBool::new(false),
        delay_ms: AtomicU64::new(0),
    });
    (
        Door::on(folder, config, sink.clone(), Arc::new(NoEngine)),
        sink,
    )
}

#[test]
fn a_full_disk_is_said_and_nothing_of_it_remembered() {
    let (door, sink) = moody(config());
    let start = now();
    let bodies = [
        ("/v1/traces", calls(1..4)),
        ("/v1/logs", api_request("r1", start)),
        ("/v1/metrics", total(start, start + 1_000_000, 5.0)),
    ];
    sink.refuse.store(true, Ordering::SeqCst);
    for (path, body) in &bodies {
        for _ in 0..2 {
            let reply = send(&door, path, &[AS_JSON], body);
            assert_eq!(
                (reply.status, reply.header("retry-after")),
                (503, Some("5")),
                "{path}"
            );
            assert!(reply.text().contains("no space left"), "{}", reply.text());
        }
    }
    assert!(door.stored().is_empty());
    let addresses = door.addresses();
    for address in [addresses.dashboard, addresses.json] {
        let reply = get(address, "/health", &[]);
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (503, &json!("failing"))
        );
        assert!(reply.text().contains("no space left"), "{}", reply.text());
    }
    sink.refuse.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        for (path, body) in &bodies {
            assert_eq!(send(&door, path, &[AS_JSON], body).status, 200, "{path}");
        }
    }
    let events = door.stored();
    let count = |kind| {
        events
            .iter()
            .filter(|event| event["event_type"] == kind)
            .count()
    };
    assert_eq!(
        (count("llm_call"), count("metric"), events.len()),
        (4, 1, 5)
    );
    assert_eq!(events[4]["value"], 5.0, "what the total grew by");
    for (address, status) in [(addresses.dashboard, "healthy"), (addresses.json, "ok")] {
        let reply = get(address, "/health", &[]);
        assert_eq!(
            (reply.status, &reply.json()["status"]),
            (200, &json!(status))
        );
    }
}

#[test]
fn a_slow_disk_makes_clients_wait_or_come_again_and_memory_stays_bounded() {
    let limits = Limits {
        queued_bytes: 200_000,
        ..Limits::default()
    };
    let (door, sink) = moody(Config { limits, ..config() });
    sink.delay_ms.store(100, Ordering::SeqCst);
    let address = door.addresses().otlp_http;
    let clients: Vec<_> = (0..20_u64)
        .map(|client| {
            std::thread::spawn(move || {
                let numbers = client * 100..client * 100 + 20;
                let mut refused = 0;
                loop {
                    let reply = post(address, "/v1/traces", &[AS_JSON], &calls(numbers.clone()));
                    if reply.status == 200 {
                        return refused;
                    }
                    assert_eq!(
                        (reply.status, reply.header("retry-after")),
                        (429, Some("1"))
                    );
                    refused += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
            })
        })
        .collect();
    let counters = door.running().hub().counters.clone();
    let mut most = 0;
    while !clients.iter().all(std::thread::JoinHandle::is_finished) {
        most = most.max(counters.queued_bytes.load(Ordering::Relaxed));
        std::thread::sleep(Duration::from_millis(1));
    }
    let refused: u64 = clients
        .into_iter()
        .map(|client| client.join().expect("stored"))
        .sum();
    assert!(refused > 0, "nobody was told to wait");
    assert_eq!(counters.of(Signal::Traces).overloaded.get(), refused);
    assert!(most <= 200_000, "{most}");
    let stored = times(&door.stored());
    assert_eq!((stored.len(), stored.values().max()), (400, Some(&1)));
}

#[test]
fn a_log_taken_away_loses_nothing_that_comes_after() {
    let door = Door::open();
    for number in 0..6 {
        assert_eq!(
            send(&door, "/v1/traces", &[AS_JSON], &calls([number])).status,
            200
        );
        if number == 2 {
            std::fs::remove_file(door.folder().join("events.jsonl")).expect("deleted");
        }
    }
    assert_eq!(times(&door.stored()).len(), 3);
}

#[test]
fn a_home_that_was_deleted_is_made_again() {
    let door = Door::open();
    let home = Home::at(door.folder());
    let salt = home.salt().expect("a salt");
    let live = &door.running().hub().live;
    for number in 0..4 {
        let reply = send(&door, "/v1/traces", &[AS_JSON], &calls([number]));
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(
            door.stored().len(),
            usize::try_from(number % 2).expect("small") + 1
        );
        let read = || live.overview().events == number + 1;
        let began = Instant::now();
        while !read() && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(read(), "live state follows");
        if number == 1 {
            std::fs::remove_dir_all(door.folder()).expect("deleted");
        }
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(door.folder())
            .expect("a folder")
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(home.salt().expect("a salt").as_bytes(), salt.as_bytes());
    assert_eq!(door.running().hub().counters.homes_made.get(), 1);
    // Where none can be made it is said, and nothing acknowledged.
    std::fs::remove_dir_all(door.folder()).expect("deleted");
    std::fs::write(door.folder(), b"no folder").expect("written");
    let reply = send(&door, "/v1/traces", &[AS_JSON], &calls([9]));
    assert_eq!(reply.status, 503);
    assert_eq!(get(door.addresses().json, "/health", &[]).status, 503);
    std::fs::remove_file(door.folder()).expect("deleted");
    let began = Instant::now();
    while send(&door, "/v1/traces", &[AS_JSON], &calls([9])).status != 200 {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(get(door.addresses().json, "/health", &[]).status, 200);
}
