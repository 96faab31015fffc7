//! What is stored once, however often it comes, and over restarts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::{DurableLog, Home};
use tachograph_serve::counters::Signal;

use super::{AS_JSON, send, times};
use crate::common::{Door, NoEngine, config, post, stored};
use crate::otlp::{api_request, call, calls, ids, now, traces};

#[test]
fn a_span_counts_once_however_often_and_late_it_comes() {
    let door = Door::open();
    let children: Vec<Json> = (2..5)
        .map(|number| {
            let mut child = call(number);
            child["traceId"] = json!(ids(1).0);
            child["parentSpanId"] = json!(ids(1).1);
            child
        })
        .collect();
    let mut agent = call(1);
    agent["attributes"] =
        json!([{"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}}]);
    // Children before their parent, twice in one body, and all again.
    let twice = [children.clone(), children.clone()].concat();
    for body in [
        traces(&twice),
        traces(&[agent.clone()]),
        traces(&children),
        traces(&[agent, call(9)]),
    ] {
        assert_eq!(send(&door, "/v1/traces", &[AS_JSON], &body).status, 200);
    }
    let events = door.stored();
    assert!(
        times(&events).values().all(|times| *times == 1),
        "{events:?}"
    );
    let count = |kind| {
        events
            .iter()
            .filter(|event| event["event_type"] == kind)
            .count()
    };
    assert_eq!(
        (count("llm_call"), count("agent_usage"), events.len()),
        (4, 1, 5)
    );
}

#[test]
fn a_stop_under_load_keeps_every_promise_and_a_restart_doubles_none() {
    let door = Door::open();
    let address = door.addresses().otlp_http;
    let kept = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..8_u64)
        .map(|client| {
            let kept = kept.clone();
            std::thread::spawn(move || {
                let mut promised = Vec::new();
                let mut open = Vec::new();
                for round in 0.. {
                    let number = client * 100_000 + round;
                    let address = address.expect("open");
                    match try_post(address, &calls([number])) {
                        Some(200) => {
                            promised.push(number);
                            kept.fetch_add(1, Ordering::SeqCst);
                        }
                        other => {
                            assert!(matches!(other, None | Some(503)), "{other:?}");
                            open.push(number);
                            break;
                        }
                    }
                }
                (promised, open)
            })
        })
        .collect();
    let began = Instant::now();
    while kept.load(Ordering::SeqCst) <= 8 && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let began = Instant::now();
    let folder = door.close();
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let (mut promised, mut open) = (Vec::new(), Vec::new());
    for client in clients {
        let (yes, unknown) = client.join().expect("no panic");
        promised.extend(yes);
        open.extend(unknown);
    }
    let found = times(&stored(folder.path()));
    assert!(promised.len() > 8, "{}", promised.len());
    for number in &promised {
        assert_eq!(found.get(&ids(*number).1), Some(&1), "{number}");
    }
    // A client sends again what it has no answer to; another what it has.
    let home = Home::create(folder.path()).expect("a home");
    let door = Door::on(
        folder,
        config(),
        Arc::new(DurableLog::new(&home)),
        Arc::new(NoEngine),
    );
    let again = calls(promised.iter().chain(&open).copied());
    assert_eq!(send(&door, "/v1/traces", &[AS_JSON], &again).status, 200);
    let found = times(&door.stored());
    assert_eq!(found.len(), promised.len() + open.len());
    assert!(found.values().all(|times| *times == 1));
}

/// The status, if there was an answer.
fn try_post(address: SocketAddr, body: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.get(9..12)?.parse().ok()
}

#[test]
fn records_without_ids_are_known_after_a_restart() {
    let (first, second) = (api_request("r1", now()), api_request("r2", now()));
    let door = Door::open();
    assert_eq!(send(&door, "/v1/logs", &[AS_JSON], &first).status, 200);
    let folder = door.close();
    let home = Home::create(folder.path()).expect("a home");
    let door = Door::on(
        folder,
        config(),
        Arc::new(DurableLog::new(&home)),
        Arc::new(NoEngine),
    );
    for body in [&first, &second, &first, &second] {
        assert_eq!(send(&door, "/v1/logs", &[AS_JSON], body).status, 200);
    }
    assert_eq!(door.stored().len(), 2);
    let of = door.running().hub().counters.of(Signal::Logs);
    assert_eq!((of.stored.get(), of.duplicates.get()), (1, 3));
}

/// A server on the home of one that was stopped.
fn reopened(door: Door) -> Door {
    let folder = door.close();
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(DurableLog::new(&home));
    Door::on(folder, config(), sink, Arc::new(NoEngine))
}

#[test]
fn what_is_one_within_a_run_is_one_after_a_restart() {
    const T: &str = "0af7651916cd43dd8448eb211c80319c";
    const S: &str = "00f067aa0ba902b7";
    let upper = (T.to_uppercase(), S.to_uppercase());
    // Every form of ids, and what else a line may say of them.
    let ids = [
        json!({"span_id": S}),
        json!({"span_id": S, "trace_id": T}),
        json!({"span_id": upper.1, "trace_id": upper.0}),
        json!({"span_id": S, "trace_id": "a trace", "parent_id": "a"}),
        json!({"span_id": "7", "trace_id": T, "parent_id": S}),
        json!({"span_id": "a \"quoted\" id"}),
        json!({"span_id": "a \"quoted\" id", "trace_id": ""}),
        json!({"span_id": "0000000000000000", "trace_id": T}),
        json!({"span_id": "é"}),
    ];
    let events: Vec<Json> = ids
        .into_iter()
        .map(|ids| {
            let mut event = json!({"event_type": "tool_call", "tool": "k"});
            let members = event.as_object_mut().expect("an object");
            members.extend(ids.as_object().expect("an object").clone());
            event
        })
        .collect();
    let body = serde_json::to_vec(&events).expect("json");
    let send = |door: &Door, body: &[u8]| {
        let json = door.addresses().json;
        let answer = post(json, "/api/v1/events", &[AS_JSON], body).json();
        let count = |key: &str| answer[key].as_u64().expect("a count");
        (count("accepted"), count("duplicates"))
    };
    let door = Door::open();
    // Two say the same as the ones before them.
    assert_eq!(send(&door, &body), (7, 2));
    assert_eq!(send(&door, &body), (0, 9));
    let door = reopened(door);
    assert_eq!(send(&door, &body), (0, 9));
    // A call above one that was stored before.
    let mut outer = call(1);
    outer["traceId"] = json!(T);
    outer["spanId"] = json!("00000000000000a1");
    let mut inner = call(2);
    inner["traceId"] = json!(T);
    inner["spanId"] = json!("00000000000000a2");
    inner["parentSpanId"] = json!("00000000000000a1");
    let spans = |door: &Door, span: &Json| {
        let path = "/v1/traces";
        let body = traces(std::slice::from_ref(span));
        assert_eq!(self::send(door, path, &[AS_JSON], &body).status, 200);
    };
    spans(&door, &inner);
    let door = reopened(door);
    spans(&door, &outer);
    spans(&door, &inner);
    let types: Vec<Json> = door.stored()[7..]
        .iter()
        .map(|event| event["event_type"].clone())
        .collect();
    assert_eq!(types, [json!("llm_call"), json!("span")]);
}
