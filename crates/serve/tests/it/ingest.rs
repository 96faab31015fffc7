//! OTLP over HTTP: whatever comes, what is answered 200 is stored, once, and
//! what is not is not.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::{DurableLog, Home};
use tachograph_model::{Event, Sink, SinkError};
use tachograph_serve::Config;
use tachograph_serve::config::Limits;
use tachograph_serve::counters::Signal;

use crate::common::{Door, NoEngine, Reply, config, get, post, stored};
use crate::otlp::{api_request, call, calls, ids, now, total, traces};

const PROTOBUF: &[u8] = include_bytes!("data/openinference.pb");
const AS_PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const AS_JSON: (&str, &str) = ("content-type", "application/json");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).expect("written");
    to.finish().expect("finished")
}

fn send(door: &Door, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    post(door.addresses().otlp_http, path, headers, body)
}

/// How often each span is stored, by its id.
fn times(events: &[Json]) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for event in events {
        let span = event["span_id"].as_str().expect("a span");
        *times.entry(span.to_owned()).or_default() += 1;
    }
    times
}

#[test]
fn every_form_and_encoding_is_taken() {
    let door = Door::open();
    let deflate = |bytes: &[u8]| {
        let mut to = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(bytes).expect("written");
        to.finish().expect("finished")
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("compressed");
    let mut number = 0;
    let mut check = |headers: &[(&str, &str)], encode: &dyn Fn(&[u8]) -> Vec<u8>| {
        number += 1;
        let reply = send(&door, "/v1/traces", headers, &encode(&calls([number])));
        assert_eq!((reply.status, &*reply.text()), (200, "{}"), "{headers:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let events = door.stored();
        let last = &events[usize::try_from(number).expect("small") - 1];
        assert_eq!(last["span_id"], ids(number).1, "{headers:?}");
        assert_eq!(
            (&last["input_tokens"], &last["output_tokens"]),
            (&json!(10), &json!(3))
        );
    };
    check(&[AS_JSON], &<[u8]>::to_vec);
    check(
        &[("content-type", "Application/JSON; charset=utf-8")],
        &<[u8]>::to_vec,
    );
    check(
        &[AS_JSON, ("content-encoding", "identity")],
        &<[u8]>::to_vec,
    );
    check(&[AS_JSON, ("content-encoding", "gzip")], &gzip);
    check(&[AS_JSON, ("content-encoding", "zstd")], &zstd);
    check(&[AS_JSON, ("content-encoding", "deflate")], &deflate);

    let before = door.stored().len();
    for (encoding, body) in [("identity", PROTOBUF.to_vec()), ("gzip", gzip(PROTOBUF))] {
        let reply = send(
            &door,
            "/v1/traces",
            &[AS_PROTOBUF, ("content-encoding", encoding)],
            &body,
        );
        assert_eq!((reply.status, reply.body.len()), (200, 0));
        assert_eq!(reply.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(
            door.stored().len() - before,
            20,
            "the second time it is a retry"
        );
    }
    let of = door.running().hub().counters.of(Signal::Traces);
    assert_eq!((of.requests.get(), of.records.get()), (8, 46));
    assert_eq!((of.stored.get(), of.duplicates.get()), (26, 20));
}

#[test]
fn chunked_bodies_are_taken() {
    let door = Door::open();
    let mut request =
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            .to_vec();
    for piece in calls(1..4).chunks(100) {
        request.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        request.extend(piece);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    let answer = raw(door.addresses().otlp_http.expect("open"), &request);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(door.stored().len(), 3);
}

fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(request).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn sloppy_json_is_read() {
    let check = |span: Json, expected: Option<(&str, Json)>| {
        let door = Door::open();
        let reply = send(
            &door,
            "/v1/traces",
            &[AS_JSON],
            &traces(std::slice::from_ref(&span)),
        );
        assert_eq!((reply.status, &*reply.text()), (200, "{}"), "{span}");
        let events = door.stored();
        let found = events.first().map(|event| {
            expected
                .as_ref()
                .map(|(key, _)| (*key, event[*key].clone()))
        });
        assert_eq!(found.flatten(), expected, "{span}");
    };
    let with = |change: &dyn Fn(&mut Json)| {
        let mut span = call(7);
        change(&mut span);
        span
    };
    let id = || Some(("span_id", json!(ids(7).1)));
    check(
        with(&|span| span["traceId"] = json!("ABCDEF0123456789ABCDEF0123456789")),
        id(),
    );
    check(with(&|span| span["spanId"] = json!("AAAAAAAAAAg=")), id());
    check(with(&|span| span["kind"] = json!("SPAN_KIND_CLIENT")), id());
    check(
        with(&|span| span["status"] = json!({"code": "STATUS_CODE_ERROR"})),
        Some(("success", json!(false))),
    );
    check(
        with(&|span| span["status"] = Json::Null),
        Some(("success", json!(true))),
    );
    check(with(&|span| span["events"] = Json::Null), id());
    check(with(&|span| span["parentSpanId"] = json!("")), id());
    check(
        with(&|span| span["startTimeUnixNano"] = json!(now() - 5_000_000)),
        id(),
    );
    check(
        with(&|span| span["futureField"] = json!({"deep": [1, 2]})),
        id(),
    );
    let more = |value: Json| {
        with(&|span| {
            let list = span["attributes"].as_array_mut().expect("a list");
            list.push(json!({"key": "gen_ai.usage.cache_read.input_tokens", "value": value}));
        })
    };
    check(
        more(json!({"intValue": "4"})),
        Some(("cache_read_tokens", json!(4))),
    );
    check(
        more(json!({"doubleValue": 4.0})),
        Some(("cache_read_tokens", json!(4))),
    );
    check(
        more(json!({"arrayValue": {}})),
        Some(("cache_read_tokens", Json::Null)),
    );
    check(more(Json::Null), Some(("cache_read_tokens", Json::Null)));
    check(with(&|span| span["attributes"] = Json::Null), None);
}

#[test]
fn what_is_no_request_is_said_in_its_own_form() {
    let door = Door::open();
    let good = calls([1]);
    let cut = &good[..good.len() / 2];
    let check = |path: &str, headers: &[(&str, &str)], body: &[u8], status: u16, says: &str| {
        let reply = send(&door, path, headers, body);
        assert_eq!(reply.status, status, "{path} {headers:?} {}", reply.text());
        let text = reply.text();
        assert!(text.contains(says), "{says}: {text}");
        reply
    };
    let trace = "/v1/traces";
    let json = check(trace, &[AS_JSON], cut, 400, "no JSON").json();
    assert_eq!(json["code"], 3);
    check(trace, &[AS_JSON], b"[]", 400, "no JSON object");
    check(trace, &[AS_JSON], &[0xff, 0xfe], 400, "no JSON");
    check(trace, &[AS_JSON], b"", 400, "no JSON");
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    check(trace, &[AS_JSON], deep.as_bytes(), 400, "no JSON object");
    let wrong = check(
        trace,
        &[AS_PROTOBUF],
        &[0x0a, 0x05, 1],
        400,
        "ends within a field",
    );
    assert_eq!(wrong.body[..2], [0x08, 3], "google.rpc.Status: code 3");
    assert_eq!(wrong.header("content-type"), Some("application/x-protobuf"));
    check(
        trace,
        &[AS_JSON, ("content-encoding", "gzip")],
        &good,
        400,
        "no gzip",
    );
    check(
        trace,
        &[AS_JSON, ("content-encoding", "br")],
        &good,
        415,
        "`br`",
    );
    check(
        trace,
        &[("content-type", "text/plain")],
        &good,
        415,
        "`text/plain`",
    );
    check(
        trace,
        &[("content-type", "\"><script>")],
        &good,
        415,
        "application/x-protobuf",
    );
    assert_eq!(send(&door, "/v1/nothing", &[AS_JSON], &good).status, 404);
    assert_eq!(get(door.addresses().otlp_http, trace, &[]).status, 405);
    assert!(door.stored().is_empty());
    assert_eq!(check(trace, &[AS_PROTOBUF], b"", 200, "").body, b"");
    check(trace, &[AS_JSON], b"{}", 200, "{}");
    check(trace, &[AS_JSON], &good, 200, "{}");
    assert_eq!(door.stored().len(), 1);
}

#[test]
fn a_body_cut_anywhere_leaves_no_half_of_it() {
    let door = Door::open();
    for end in (1..PROTOBUF.len()).step_by(71) {
        let reply = send(&door, "/v1/traces", &[AS_PROTOBUF], &PROTOBUF[..end]);
        assert_eq!(reply.status, 400, "cut at {end}");
    }
    assert!(door.stored().is_empty());
    assert_eq!(
        send(&door, "/v1/traces", &[AS_PROTOBUF], PROTOBUF).status,
        200
    );
    assert_eq!(door.stored().len(), 20);
}

#[test]
fn the_limit_holds_for_what_comes_out_and_a_bomb_is_cheap() {
    let limits = Limits {
        body_bytes: 1 << 20,
        ..Limits::default()
    };
    let door = Door::with(Config { limits, ..config() });
    let bomb = gzip(&vec![b' '; 20 << 20]);
    let began = Instant::now();
    let reply = send(
        &door,
        "/v1/traces",
        &[AS_JSON, ("content-encoding", "gzip")],
        &bomb,
    );
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert!(reply.text().contains("1048576 bytes"));
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    let plain = vec![b' '; (1 << 20) + 1];
    assert_eq!(send(&door, "/v1/logs", &[AS_JSON], &plain).status, 413);
    let mut fits = calls([1]);
    fits.resize(1 << 20, b' ');
    assert_eq!(
        send(
            &door,
            "/v1/traces",
            &[AS_JSON, ("content-encoding", "gzip")],
            &gzip(&fits)
        )
        .status,
        200
    );
    let hub = door.running().hub();
    assert_eq!(hub.counters.queued_bytes.load(Ordering::Relaxed), 0);
    assert_eq!(door.stored().len(), 1);
}

#[test]
fn odd_spans_are_rejected_and_the_good_ones_beside_them_stored() {
    let door = Door::open();
    let mut number = 0;
    let mut check = |change: &dyn Fn(&mut Json), says: Option<&str>| {
        number += 2;
        let mut odd = call(number);
        change(&mut odd);
        let reply = send(
            &door,
            "/v1/traces",
            &[AS_JSON],
            &traces(&[odd.clone(), call(number + 1)]),
        );
        assert_eq!(reply.status, 200, "{odd}");
        let stored = times(&door.stored());
        let has = |number| stored.contains_key(&ids(number).1);
        let partial = reply.json()["partialSuccess"].clone();
        match says {
            None => assert_eq!((partial, has(number)), (Json::Null, true), "{odd}"),
            Some(says) => {
                assert_eq!(partial["rejectedSpans"], "1");
                let message = partial["errorMessage"].as_str().expect("a message");
                assert!(message.contains(says) && !has(number), "{message}");
            }
        }
        assert!(has(number + 1), "the other one, beside {odd}");
    };
    let day = 24 * 3600 * 1_000_000_000;
    check(&|span| span["traceId"] = json!("abc"), Some("trace id"));
    check(
        &|span| span["traceId"] = json!("0".repeat(32)),
        Some("trace id"),
    );
    check(&|span| span["spanId"] = json!(""), Some("span id"));
    check(
        &|span| span["endTimeUnixNano"] = json!(now() / 1_000_000),
        Some("time"),
    );
    check(
        &|span| span["endTimeUnixNano"] = json!(now() + 40 * day),
        Some("time"),
    );
    check(
        &|span| span["endTimeUnixNano"] = json!(u64::MAX.to_string()),
        Some("time"),
    );
    check(&|span| span["startTimeUnixNano"] = json!("7"), Some("time"));
    check(
        &|span| {
            span["startTimeUnixNano"] = json!(0);
            span["endTimeUnixNano"] = json!(0);
        },
        Some("time"),
    );
    // Clocks are a day off, run backwards, or tell one end alone.
    check(&|span| span["endTimeUnixNano"] = json!(now() + day), None);
    check(
        &|span| {
            span["startTimeUnixNano"] = json!(now() - day - 5);
            span["endTimeUnixNano"] = json!(now() - day);
        },
        None,
    );
    check(&|span| span["endTimeUnixNano"] = json!(now() - day), None);
    check(&|span| span["endTimeUnixNano"] = json!(0), None);
    check(&|span| span["startTimeUnixNano"] = json!(0), None);
    // 10 000 attributes; one of 1 MB; a name of 1 MB.
    check(
        &|span| {
            let list = span["attributes"].as_array_mut().expect("a list");
            list.extend(
                (0..10_000).map(|at| json!({"key": format!("k{at}"), "value": {"intValue": at}})),
            );
        },
        None,
    );
    check(&|span| span["name"] = json!("n".repeat(1 << 20)), None);
    check(
        &|span| {
            let list = span["attributes"].as_array_mut().expect("a list");
            list.push(
                json!({"key": "input.value", "value": {"stringValue": "SECRET ".repeat(150_000)}}),
            );
        },
        None,
    );
    let lines = std::fs::read_to_string(door.folder().join("events.jsonl")).expect("the log");
    assert!(!lines.contains("SECRET") && !lines.contains("k9999"));
    assert!(lines.lines().all(|line| line.len() < 1000));
    let of = door.running().hub().counters.of(Signal::Traces);
    assert_eq!(of.rejected.get(), 8);
}

#[test]
fn deep_values_are_passed_over() {
    // `AnyValue`s of lists in lists, 20 000 deep, as the value of an attribute.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut length = bytes.len();
        let mut out = vec![number << 3 | 2];
        while length >= 0x80 {
            out.push(length as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(bytes);
        out
    }
    let mut value = Vec::new();
    for _ in 0..20_000 {
        value = field(5, &field(1, &value));
    }
    let attribute = [field(1, b"deep"), field(2, &value)].concat();
    let kind = [
        field(1, b"openinference.span.kind"),
        field(2, &field(1, b"LLM")),
    ]
    .concat();
    let end = [&[0x41][..], &now().to_le_bytes()].concat();
    let span = [
        field(1, &[1; 16]),
        field(2, &[2; 8]),
        field(9, &attribute),
        field(9, &kind),
        end,
    ]
    .concat();
    let body = field(1, &field(2, &field(2, &span)));
    let door = Door::open();
    let reply = send(&door, "/v1/traces", &[AS_PROTOBUF], &body);
    assert_eq!((reply.status, reply.text()), (200, String::new()));
    assert_eq!(door.stored()[0]["event_type"], "llm_call");
}

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
fn what_is_no_agent_s_is_ignored_and_counted() {
    let door = Door::open();
    let mut span = call(1);
    span["attributes"] = json!([{"key": "http.request.method", "value": {"stringValue": "GET"}}]);
    assert_eq!(
        send(&door, "/v1/traces", &[AS_JSON], &traces(&[span])).status,
        200
    );
    assert!(door.stored().is_empty());
    let of = door.running().hub().counters.of(Signal::Traces);
    assert_eq!(
        (of.records.get(), of.foreign.get(), of.stored.get()),
        (1, 1, 0)
    );
}

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
fn a_stop_under_load_keeps_every_promise_and_a_restart_doubles_none() {
    let door = Door::open();
    let address = door.addresses().otlp_http;
    let clients: Vec<_> = (0..8_u64)
        .map(|client| {
            std::thread::spawn(move || {
                let mut promised = Vec::new();
                let mut open = Vec::new();
                for round in 0.. {
                    let number = client * 100_000 + round;
                    let address = address.expect("open");
                    match try_post(address, &calls([number])) {
                        Some(200) => promised.push(number),
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
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    let folder = door.close();
    assert!(
        began.elapsed() < Duration::from_secs(2),
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
