//! `POST /api/v1/write`: bodies made by hand, as both specifications have them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use tachograph_log::{DurableLog, Home};
use tachograph_serve::Config;
use tachograph_serve::config::Limits;
use tachograph_serve::counters::Signal;

use crate::common::{Door, NoEngine, Reply, config, post};

const V1: &str = "application/x-protobuf";
const V2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// A field whose value has a length.
fn bytes(number: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&[number << 3 | 2], &varint(value.len() as u64)[..], value].concat()
}

fn number(number: u8, value: u64) -> Vec<u8> {
    [varint(u64::from(number) << 3), varint(value)].concat()
}

fn double(number: u8, value: f64) -> Vec<u8> {
    [&[number << 3 | 1], &value.to_le_bytes()[..]].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(now.expect("after 1970").as_millis()).expect("milliseconds")
}

fn sample(value: f64, time: i64) -> Vec<u8> {
    [double(1, value), number(2, time.cast_unsigned())].concat()
}

/// A series of 1.0.
fn series(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> Vec<u8> {
    let labels = labels
        .iter()
        .map(|(name, value)| bytes(1, [bytes(1, name), bytes(2, value)].concat()));
    let samples = samples
        .iter()
        .map(|(value, time)| bytes(2, sample(*value, *time)));
    bytes(1, labels.chain(samples).collect::<Vec<_>>().concat())
}

fn family(kind: u64, name: &str) -> Vec<u8> {
    bytes(
        3,
        [number(1, kind), bytes(2, name), bytes(4, "help")].concat(),
    )
}

fn pressed(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new()
        .compress_vec(body)
        .expect("compressed")
}

fn send(door: &Door, content_type: &str, body: &[u8]) -> Reply {
    let headers = [
        ("content-type", content_type),
        ("content-encoding", "snappy"),
        ("x-prometheus-remote-write-version", "0.1.0"),
    ];
    post(door.addresses().prometheus, "/api/v1/write", &headers, body)
}

/// Sends; the status, what the headers say is written, and what was stored:
/// source, name and value.
fn written(door: &Door, content_type: &str, body: &[u8]) -> (u16, [u64; 3], Vec<Json>) {
    let before = door.stored().len();
    let reply = send(door, content_type, &pressed(body));
    let written = ["samples", "histograms", "exemplars"].map(|what| {
        let name = format!("x-prometheus-remote-write-{what}-written");
        let count = reply.header(&name).map(str::parse);
        count
            .unwrap_or_else(|| panic!("{name}: {}", reply.text()))
            .expect("a number")
    });
    let added = door.stored().split_off(before);
    let added = added
        .iter()
        .map(|event| json!([event["source"], event["name"], event["value"]]));
    (reply.status, written, added.collect())
}

#[test]
fn samples_of_1_0_are_stored_once() {
    let door = Door::open();
    let now = now();
    let body = |time, total| {
        [
            series(
                &[
                    ("__name__", "up"),
                    ("instance", "alice:9100"),
                    ("job", "api"),
                ],
                &[(1.0, time), (STALE, time + 1)],
            ),
            series(&[("__name__", "node_load1")], &[(-0.5, time)]),
            series(
                &[("__name__", "http_requests_total"), ("job", "api")],
                &[(total, time)],
            ),
        ]
        .concat()
    };
    let up = json!(["api", "up", 1.0]);
    let load = json!(["node", "node_load1", -0.5]);
    let first = written(&door, V1, &body(now, 100.0));
    assert_eq!(first, (204, [4, 0, 0], vec![up.clone(), load.clone()]));
    // Prometheus sends the whole request again.
    let again = written(&door, V1, &body(now, 100.0));
    assert_eq!(again, (204, [4, 0, 0], vec![]));
    let next = written(&door, V1, &body(now + 15_000, 107.0));
    let grown = json!(["api", "http_requests_total", 7.0]);
    assert_eq!(next, (204, [4, 0, 0], vec![up, load, grown]));
    let older = written(&door, V1, &body(now + 5_000, 103.0));
    assert_eq!(older.2.len(), 2, "levels out of order are levels");
    let text = format!("{:?}", door.stored());
    assert!(!text.contains("alice"), "{text}");
    // Sent through the other door it is the same series.
    let headers = [("content-type", V1)];
    let body = pressed(&body(now, 100.0));
    let other = post(door.addresses().dashboard, "/api/v1/write", &headers, &body);
    assert_eq!((other.status, door.stored().len()), (204, 7));
}

#[test]
fn metadata_of_1_0_tells_what_counts() {
    let door = Door::open();
    let now = now();
    let only = written(
        &door,
        V1,
        &[family(1, "jobs"), family(2, "queue_count")].concat(),
    );
    assert_eq!(only, (204, [0, 0, 0], vec![]));
    let body = |time, value| {
        [
            series(&[("__name__", "jobs")], &[(value, time)]),
            series(&[("__name__", "queue_count")], &[(value, time)]),
        ]
        .concat()
    };
    let (_, _, first) = written(&door, V1, &body(now, 5.0));
    assert_eq!(first, [json!(["queue", "queue_count", 5.0])]);
    let (_, _, next) = written(&door, V1, &body(now + 1, 6.0));
    let jobs = json!(["jobs", "jobs", 1.0]);
    assert_eq!(next, [jobs, json!(["queue", "queue_count", 6.0])]);
    assert_eq!(written(&door, V1, b""), (204, [0, 0, 0], vec![]));
}

#[test]
fn all_of_2_0_is_read() {
    let door = Door::open();
    let now = now();
    let symbols = ["", "__name__", "rpc", "job", "api", "load", "seconds"];
    let symbols: Vec<u8> = symbols.iter().flat_map(|symbol| bytes(4, symbol)).collect();
    let started = number(3, (now - 1).cast_unsigned() + 60_000);
    let counter = [
        bytes(1, [1, 2, 3, 4]),
        bytes(2, [sample(7.0, now + 60_000), started].concat()),
        bytes(4, ""),
        bytes(5, [number(1, 1), number(4, 6)].concat()),
    ];
    let load = [bytes(1, [1, 5]), bytes(2, sample(0.5, now))];
    let histogram = |count: Vec<u8>, sum, time: i64| {
        bytes(
            3,
            [
                count,
                double(3, sum),
                number(4, 3),
                number(15, time.cast_unsigned()),
            ]
            .concat(),
        )
    };
    let whole = [
        bytes(1, [1, 6]),
        histogram(number(1, 2), 3.0, now),
        histogram(number(1, 6), 5.0, now + 1),
        histogram(double(2, 8.0), 9.0, now + 2),
    ];
    let body = [
        symbols,
        bytes(5, counter.concat()),
        bytes(5, load.concat()),
        bytes(5, whole.concat()),
    ]
    .concat();
    let expected = vec![
        json!(["api", "rpc", 7.0]),
        json!(["load", "load", 0.5]),
        json!(["seconds", "seconds", 0.5]),
        json!(["seconds", "seconds", 2.0]),
    ];
    assert_eq!(written(&door, V2, &body), (204, [2, 3, 0], expected));
    assert_eq!(written(&door, V2, &body), (204, [2, 3, 0], vec![]));
    let stored = door.stored();
    assert_eq!(
        (&stored[0]["type"], &stored[0]["unit"]),
        (&json!("counter"), &json!("s"))
    );
    assert_eq!(
        (&stored[3]["type"], &stored[3]["count"]),
        (&json!("histogram"), &json!(2))
    );
    // The other version's content type gives nothing, and says so.
    assert_eq!(written(&door, V1, &body), (204, [0, 0, 0], vec![]));
}

#[test]
fn what_is_wrong_with_one_spoils_none_beside_it() {
    let door = Door::open();
    let now = now();
    let good = |time| series(&[("__name__", "up")], &[(1.0, time)]);
    let check = |bad: Vec<u8>, time, rejected: u64, reason: &str| {
        let body = [good(time), bad].concat();
        let before = door.stored().len();
        let reply = send(&door, V1, &pressed(&body));
        let problem = reply.json();
        assert_eq!(
            (reply.status, &problem["rejected_total"]),
            (400, &json!(rejected))
        );
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(reason), "{detail}");
        let samples = reply.header("x-prometheus-remote-write-samples-written");
        assert_eq!((samples, door.stored().len()), (Some("1"), before + 1));
    };
    let up = |time| series(&[("__name__", "up"), ("a", "b")], &[(1.0, time)]);
    check(
        series(&[("job", "x")], &[(1.0, now), (1.0, now)]),
        now,
        2,
        "no name",
    );
    check(up(0), now + 1, 1, "before the year 2000");
    check(up(-5), now + 2, 1, "before the year 2000");
    check(up(i64::MAX), now + 3, 1, "30 days ahead");
    check(up(now + 40 * 86_400_000), now + 4, 1, "30 days ahead");
    let many: Vec<(String, &str)> = (0..65).map(|at| (format!("l{at}"), "x")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, *value)).collect();
    check(
        series(&many, &[(1.0, now)]),
        now + 5,
        1,
        "more than 64 labels",
    );
}

#[test]
fn what_is_no_request_stores_nothing() {
    let door = Door::with(Config {
        limits: Limits {
            body_bytes: 1 << 20,
            ..Limits::default()
        },
        ..config()
    });
    let one = series(&[("__name__", "up")], &[(1.0, now())]);
    let check = |content_type, encoding, body: &[u8], status| {
        let headers = [
            ("content-type", content_type),
            ("content-encoding", encoding),
        ];
        let reply = post(door.addresses().prometheus, "/api/v1/write", &headers, body);
        assert_eq!(reply.status, status, "{}", reply.text());
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
    };
    check(V1, "gzip", &pressed(&one), 415);
    check("application/json", "snappy", &pressed(&one), 415);
    check(
        "application/x-protobuf;proto=x.Y",
        "snappy",
        &pressed(&one),
        415,
    );
    check(V1, "snappy", &one, 400);
    check(V1, "snappy", &pressed(b"\x0a\x05"), 400);
    // Good series before the tear count as little as the tear.
    check(
        V1,
        "snappy",
        &pressed(&[&one[..], b"\x0a\x05"].concat()),
        400,
    );
    // It says that it holds four gigabytes, and two megabytes.
    check(V1, "snappy", b"\xff\xff\xff\xff\x0f\x00", 400);
    check(V1, "snappy", &pressed(&vec![0; 2 << 20]), 413);
    // The lines would be larger than a body may be.
    let samples: Vec<(f64, i64)> = (0..20_000).map(|at| (1.0, now() + at)).collect();
    check(
        V1,
        "snappy",
        &pressed(&series(&[("__name__", "up")], &samples)),
        413,
    );
    assert_eq!(door.stored(), [] as [Json; 0]);
    // And none of it is taken for stored.
    assert_eq!(written(&door, V1, &one).2.len(), 1);
}

#[test]
fn a_body_cut_anywhere_ends() {
    let door = Door::open();
    let one = series(&[("__name__", "up"), ("job", "a")], &[(1.0, now())]);
    let whole = pressed(&one);
    for end in 0..whole.len() {
        let reply = send(&door, V1, &whole[..end]);
        assert_eq!(reply.status, if end == 0 { 204 } else { 400 }, "{end}");
    }
    for end in 1..one.len() {
        let reply = send(&door, V1, &pressed(&one[..end]));
        assert_eq!(reply.status, 400, "{end}");
    }
    assert_eq!(door.stored(), [] as [Json; 0]);
}

#[test]
fn what_the_disk_refused_is_taken_when_it_comes_again() {
    let (door, disk) = super::on_full_disk();
    let now = now();
    let body = |time, total| {
        let samples = [series(&[("__name__", "up")], &[(1.0, time)])];
        let total = [series(&[("__name__", "x_total")], &[(total, time)])];
        pressed(&[samples, total].concat().concat())
    };
    for _ in 0..2 {
        let reply = send(&door, V1, &body(now, 5.0));
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert_eq!(reply.header("retry-after"), Some("5"));
    }
    disk.has_room();
    assert_eq!(send(&door, V1, &body(now, 5.0)).status, 204);
    assert_eq!(send(&door, V1, &body(now, 5.0)).status, 204);
    assert_eq!(send(&door, V1, &body(now + 1, 8.0)).status, 204);
    let values: Vec<_> = door
        .stored()
        .iter()
        .map(|event| event["value"].clone())
        .collect();
    assert_eq!(values, [1.0, 1.0, 3.0]);
}

#[test]
fn a_request_sent_again_after_a_restart_counts_once() {
    let body = pressed(&series(
        &[("__name__", "up"), ("path", "/a")],
        &[(1.0, now()), (2.0, now() + 1)],
    ));
    let door = Door::open();
    assert_eq!(send(&door, V1, &body).status, 204);
    let folder = door.close();
    let home = Home::create(folder.path()).expect("a home");
    let sink = Arc::new(DurableLog::new(&home));
    let door = Door::on(folder, config(), sink, Arc::new(NoEngine));
    assert_eq!(send(&door, V1, &body).status, 204);
    assert_eq!(door.stored().len(), 2);
    let of = door.running().hub().counters.of(Signal::RemoteWrite);
    assert_eq!((of.stored.get(), of.duplicates.get()), (0, 2));
}
