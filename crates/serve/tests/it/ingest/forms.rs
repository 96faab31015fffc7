//! Every form and encoding that a body may have, and what is no request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value as Json, json};
use tachograph_serve::counters::Signal;

use super::{AS_JSON, AS_PROTOBUF, PROTOBUF, gzip, send};
use crate::common::{Door, get};
use crate::otlp::{call, calls, ids, now, traces};

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
