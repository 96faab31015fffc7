//! `POST /api/v1/events`.

use std::io::Write;

use serde_json::{Value as Json, json};
use tachograph_serve::Config;
use tachograph_serve::config::Limits;

use crate::common::{Door, Reply, config, post};

const PATH: &str = "/api/v1/events";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const LINES: &[(&str, &str)] = &[("content-type", "application/x-ndjson")];

fn send(door: &Door, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
    post(door.addresses().dashboard, PATH, headers, body.as_ref())
}

/// Sends; of the answer the counts, of the log what was added, without times.
fn told(door: &Door, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> (Json, Vec<Json>) {
    let before = door.stored().len();
    let reply = send(door, headers, body);
    let mut answer = reply.json();
    assert_eq!(reply.status, 200, "{answer:#}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    if answer["rejected"] == json!([]) {
        let answer = answer.as_object_mut().expect("an object");
        answer.remove("rejected");
        answer.remove("rejected_total");
    }
    let mut added = door.stored().split_off(before);
    for line in &mut added {
        line.as_object_mut().expect("an object").remove("timestamp");
    }
    (answer, added)
}

fn tools(names: &[&str]) -> Vec<Json> {
    let event = |name| json!({"event_type": "tool_call", "tool": name});
    names.iter().map(event).collect()
}

#[test]
fn every_shape_of_body_is_read() {
    let door = Door::open();
    let check = |headers: &[(&str, &str)], body: &str, names: &[&str]| {
        let expected = json!({"accepted": names.len(), "duplicates": 0});
        assert_eq!(
            told(&door, headers, body),
            (expected, tools(names)),
            "{body}"
        );
    };
    let a = r#"{"event_type":"tool_call","tool":"a"}"#;
    let b = "{\r\n  \"event_type\": \"tool_call\",\n  \"tool\": \"b\"\n}";
    for headers in [JSON, &[], &[("content-type", "text/plain; charset=utf-8")]] {
        check(headers, a, &["a"]);
        check(headers, b, &["b"]);
        check(headers, &format!("[{a},{b}]"), &["a", "b"]);
        check(headers, &format!("{{\"events\": [{b},{a}]}}"), &["b", "a"]);
        check(headers, &format!("{a}\n\n{a}\r\n"), &["a", "a"]);
        check(headers, " [ ] ", &[]);
    }
    check(LINES, &format!("{a}\n[{a},{a}]\n"), &["a", "a", "a"]);
    check(
        &[("content-type", "application/jsonl")],
        &format!("{a}\n{a}"),
        &["a", "a"],
    );
    // The door of the third seed takes them too.
    let reply = post(door.addresses().json, PATH, JSON, a.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn compressed_bodies_are_measured_when_they_are_open() {
    let door = Door::with(Config {
        limits: Limits {
            body_bytes: 10_000,
            ..Limits::default()
        },
        ..config()
    });
    let body = tools(&["a", "b"]);
    let body = serde_json::to_vec(&body).expect("JSON");
    let gzip = |bytes: &[u8]| {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        to.write_all(bytes).expect("written");
        to.finish().expect("finished")
    };
    let check = |encoding, bytes: &[u8], status| {
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", encoding),
        ];
        let reply = send(&door, &headers, bytes);
        assert_eq!(reply.status, status, "{encoding}: {}", reply.text());
    };
    check("gzip", &gzip(&body), 200);
    check("zstd", &zstd::encode_all(&body[..], 3).expect("zstd"), 200);
    check("gzip", &body, 400);
    check("br", &body, 415);
    let spaces = [b' '; 20_000];
    check("gzip", &gzip(&spaces), 413);
    check("identity", &spaces, 413);
    assert_eq!(door.stored().len(), 4);
}

#[test]
fn a_bad_event_spoils_none_beside_it() {
    let door = Door::open();
    let body = concat!(
        r#"{"event_type":"tool_call","tool":"a"}"#,
        "\n",
        r#"{"event_type":"tool_call","tool":"#,
        "\n\n",
        r#"{"event_type":"tool_call","duration_ms":-1}"#,
        "\n",
        r#"{"event_type":"zebra"}"#,
        "\n",
        r#"{"event_type":"tool_call","timestamp":"soon"}"#,
        "\n7\n",
        r#"{"tool":"x"}"#,
        "\n",
        r#"{"event_type":"tool_call","tool":"b","success":null}"#,
        "\n",
        r#"{"event_type":"tool_call","tool":"b","duration_ms":NaN}"#,
        "\n",
    );
    let bytes = [body.as_bytes(), b"{\"event_type\":\"\xff\"}\n"].concat();
    let (answer, added) = told(&door, JSON, bytes);
    let rejected = |index, line, key: Option<&str>, error: &str| {
        let mut rejected = json!({"index": index, "line": line, "error": error});
        if let Some(key) = key {
            rejected["key"] = key.into();
        }
        rejected
    };
    let expected = json!({"accepted": 2, "duplicates": 0, "rejected_total": 8, "rejected": [
        rejected(1, 2, None, "not a JSON object (at byte 33)"),
        rejected(2, 4, Some("duration_ms"), "duration_ms: -1 is not a number of at least 0"),
        rejected(3, 5, Some("event_type"),
            "no kind of event is called `zebra`; docs/events.md names them all"),
        rejected(4, 6, Some("timestamp"), "timestamp: not an ISO 8601 date and time"),
        rejected(5, 7, None, "not a JSON object (at byte 0)"),
        rejected(6, 8, Some("event_type"), "no event_type"),
        rejected(8, 10, Some("duration_ms"), "duration_ms: NaN is not a number of at least 0"),
        rejected(9, 11, None, "not UTF-8"),
    ]});
    assert_eq!(answer, expected, "{answer:#}");
    let mut last = tools(&["b"]);
    last[0]["success"] = Json::Null;
    assert_eq!(added, [tools(&["a"]), last].concat());
}

#[test]
fn a_request_that_is_all_wrong_says_so() {
    let door = Door::open();
    let check = |headers: &[(&str, &str)], body: &str, status, detail: &str, total: u64| {
        let reply = send(&door, headers, body);
        let problem = reply.json();
        assert_eq!(reply.status, status, "{problem:#}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
        let found = problem["detail"].as_str().unwrap_or_default();
        assert!(found.starts_with(detail), "{found}");
        assert_eq!(problem["rejected_total"].as_u64().unwrap_or(0), total);
    };
    check(JSON, "", 400, "the body is empty", 0);
    check(JSON, " \n", 400, "the body is empty", 0);
    check(JSON, "7", 400, "the event is wrong: not a JSON object", 1);
    check(
        JSON,
        "[1,2",
        400,
        "all 2 events are wrong: not a JSON object",
        2,
    );
    let many = "{}\n".repeat(50);
    check(LINES, &many, 400, "all 50 events are wrong: no ", 50);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    check(&form, "{}", 415, "events come as application/json", 0);
    let named = send(&door, LINES, &many).json();
    assert_eq!(named["rejected"].as_array().map(Vec::len), Some(20));
    assert_eq!(door.stored(), [] as [Json; 0]);
}

#[test]
fn a_body_cut_anywhere_stores_whole_events_or_none() {
    let door = Door::open();
    let body =
        br#"[{"event_type":"tool_call","tool":"a"},{"event_type":"tool_call","tool":"\u00e9"}]"#;
    for end in (0..body.len()).step_by(3) {
        let before = door.stored().len();
        let reply = send(&door, JSON, &body[..end]);
        let added = door.stored().split_off(before);
        let whole = usize::from(end > 38);
        assert_eq!(
            (reply.status == 200, added.len()),
            (whole == 1, whole),
            "{end}"
        );
    }
}

#[test]
fn times_are_as_they_are_told() {
    let door = Door::open();
    let check = |timestamp: &str, stored: &str| {
        let body = format!("{{\"event_type\":\"tool_call\",\"timestamp\":{timestamp}}}");
        assert_eq!(send(&door, JSON, body).status, 200, "{timestamp}");
        let last = door.stored().pop().expect("a line");
        assert_eq!(last["timestamp"], stored);
    };
    check("\"2025-11-20T12:00:00+01:00\"", "2025-11-20T11:00:00+00:00");
    check(
        "\"2025-11-20T11:00:00.5\"",
        "2025-11-20T11:00:00.500000+00:00",
    );
    check("1763636400.25", "2025-11-20T11:00:00.250000+00:00");
    check("\"2000-01-01T00:00:00Z\"", "2000-01-01T00:00:00+00:00");
    let body = "{\"event_type\":\"tool_call\",\"timestamp\":1763636400000}";
    assert_eq!(send(&door, JSON, body).status, 400);
    for time in [
        "1999-12-31T23:59:59Z",
        "1700-01-01T00:00:00Z",
        "2261-01-01T00:00:00Z",
    ] {
        let body = json!({"event_type": "tool_call", "timestamp": time});
        let problem = send(&door, JSON, body.to_string()).json();
        let rejected = &problem["rejected"][0];
        let told = rejected["error"].as_str().unwrap_or_default();
        assert_eq!(rejected["key"], "timestamp", "{problem:#}");
        assert!(
            told.ends_with("is before 2000 or more than 30 days ahead"),
            "{told}"
        );
    }
}

#[test]
fn fields_that_no_kind_knows_are_named() {
    let door = Door::open();
    let good = json!({"event_type": "tool_call", "tool": "x", "sucess": true, "mine": 1});
    let reply = send(&door, JSON, json!([good, good]).to_string());
    let expected = json!([
        {"event_type": "tool_call", "field": "sucess", "did_you_mean": "success"},
        {"event_type": "tool_call", "field": "mine"},
    ]);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["unknown_fields"], expected);
    let typos = json!({"event_type": "tool_call", "tol": "x", "duration": 5, "sucess": true});
    let reply = send(&door, JSON, typos.to_string());
    let problem = reply.json();
    assert_eq!(reply.status, 400, "{problem:#}");
    let named = json!({"index": 0, "line": 1, "key": "tool",
        "error": "no tool; did you mean `tool` instead of `tol`?"});
    assert_eq!(problem["rejected"], json!([named]));
    assert_eq!(problem["unknown_fields"][1]["did_you_mean"], "duration_ms");
    assert_eq!(door.stored().len(), 2);
}

#[test]
fn no_text_and_no_identity_gets_in() {
    let door = Door::open();
    let body = json!([
        {"event_type": "tool_call", "tool": "grep", "agent": "alice", "session_id": "alice-1",
            "arguments": "alice", "error_type": "no such file /home/alice"},
        {"event_type": "metric", "name": "load", "value": 1,
            "tags": {"user": "alice", "prompt": "alice", "region": "eu"}},
        {"event_type": "query", "query_text": "who is alice", "query_id": "about alice"},
        {"event_type": "tool_call", "tool": "rm -rf /home/alice", "trace_id": "/home/alice",
            "span_id": "the letter of alice", "parent_id": "alice@example.org"},
        {"event_type": "llm_call", "provider": "https://x.y/alice?token=a",
            "model": "/home/alice/m.gguf", "operation": "token=alice"},
        {"event_type": "metric", "name": "load", "value": 1, "unit": "/home/alice", "tags":
            {"userid": "alice", "uri": "alice", "lane": "/home/alice", "/home/alice": 1}},
        {"event_type": "alice"},
    ]);
    let reply = send(&door, JSON, body.to_string());
    assert_eq!(reply.json()["accepted"], 6, "{}", reply.text());
    let stored = door.stored();
    let text = format!("{stored:?}");
    assert!(!text.contains("alice"), "{text}");
    assert_eq!(stored[1]["tags"]["region"], "eu");
}

#[test]
fn what_is_sent_again_counts_once() {
    let door = Door::open();
    let check = |headers: &[(&str, &str)], body: &Json, accepted: u64, duplicates: u64| {
        let answer = send(&door, headers, body.to_string()).json();
        let found = (&answer["accepted"], &answer["duplicates"]);
        assert_eq!(found, (&accepted.into(), &duplicates.into()), "{answer:#}");
    };
    let span = json!({"event_type": "tool_call", "tool": "a",
        "trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"});
    let odd = json!({"event_type": "tool_call", "tool": "a", "span_id": "step 1"});
    check(JSON, &json!([span, odd]), 2, 0);
    check(JSON, &json!([span, odd, span]), 0, 3);
    // The id of a query says nothing of the event.
    let query = json!([{"event_type": "query", "query_id": "q-1"}]);
    check(JSON, &query, 1, 0);
    check(JSON, &query, 1, 0);
    let keyed = [
        ("content-type", "application/json"),
        ("idempotency-key", "k-1"),
    ];
    let two = json!([{"event_type": "tool_call"}, {"event_type": "tool_call"}]);
    check(&keyed, &two, 2, 0);
    check(&keyed, &two, 0, 2);
    check(JSON, &two, 2, 0);
}

#[test]
fn nothing_is_acknowledged_that_the_disk_refuses() {
    let (door, disk) = super::on_full_disk();
    let span = r#"{"event_type":"tool_call","tool":"a","span_id":"b7ad6b7169203331"}"#;
    let reply = send(&door, JSON, span);
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert!(
        reply.text().contains("the disk is full"),
        "{}",
        reply.text()
    );
    disk.has_room();
    assert_eq!(send(&door, JSON, span).json()["accepted"], 1);
    assert_eq!(door.stored().len(), 1);
}

#[test]
fn what_there_is_no_room_for_is_told_to_wait() {
    let door = Door::open();
    let limit = Limits::default().queued_bytes;
    let budget = door.running().hub().journal.budget().clone();
    let held = [budget.take(limit / 2), budget.take(limit / 2)];
    let reply = send(&door, JSON, "{\"event_type\":\"tool_call\"}");
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert_eq!(reply.header("retry-after"), Some("1"));
    drop(held);
    let reply = send(&door, JSON, "{\"event_type\":\"tool_call\"}");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn a_request_makes_so_many_events_and_no_more() {
    let door = Door::open();
    let event = r#"{"event_type":"tool_call","tool":"a"},"#;
    let body = format!("[{}]", event.repeat((1 << 17) + 1));
    let reply = send(&door, JSON, body);
    assert_eq!(reply.status, 413, "{}", reply.text());
    assert!(reply.text().contains("131072 events"), "{}", reply.text());
    assert!(door.stored().is_empty());
}
