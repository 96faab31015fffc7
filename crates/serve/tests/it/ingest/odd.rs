//! Bodies that are cut, too large or too deep, and odd spans beside good ones.

use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};
use tachograph_serve::Config;
use tachograph_serve::config::Limits;
use tachograph_serve::counters::Signal;

use super::{AS_JSON, AS_PROTOBUF, PROTOBUF, gzip, send, times};
use crate::common::{Door, config};
use crate::otlp::{call, calls, ids, now, traces};

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
fn the_limit_holds_for_what_comes_out_of_a_bomb() {
    let limits = Limits {
        body_bytes: 1 << 20,
        ..Limits::default()
    };
    let door = Door::with(Config { limits, ..config() });
    let bomb = gzip(&vec![b' '; 20 << 20]);
    let reply = send(
        &door,
        "/v1/traces",
        &[AS_JSON, ("content-encoding", "gzip")],
        &bomb,
    );
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert!(reply.text().contains("1048576 bytes"));
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
