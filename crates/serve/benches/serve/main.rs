//! What taking in costs the server: `cargo bench -p tachograph-serve --bench serve`.
//!
//! The server is a process of its own, so that its processor time is measured
//! apart from the load's. Prints one table row per way in: what is asked per
//! second of one core, and what one core does. A name as argument runs only
//! the ways that contain it.
//!
//! ```text
//! this process: load.rs ──TCP──► a child of it: door.rs ──► a log in a folder
//!      └── /proc/<child>/stat before and after
//! ```

mod bodies;
mod door;
mod load;
mod victoria;

use std::time::Duration;

use door::Child;
use load::{Load, Outcome, Wire};
use victoria::Victoria;

/// Records of one request, as the Python SDK batches spans.
const BATCH: usize = 512;

/// One way in.
struct Way {
    name: &'static str,
    asked: &'static str,
    /// What is counted, in the plural.
    unit: &'static str,
    wire: Wire,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    /// The body of batch `number`, and how many records it has.
    body: fn(u64) -> (Vec<u8>, usize),
    batches: u64,
    connections: u64,
}

/// Where remote-write goes.
const WRITE: &str = "/api/v1/write";
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

const WAYS: &[Way] = &[
    Way {
        name: "OTLP spans over gRPC",
        asked: "≥ 100 k/s",
        unit: "spans",
        wire: Wire::Grpc,
        path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        headers: &[],
        body: bodies::spans,
        batches: 800,
        connections: 4,
    },
    Way {
        name: "OTLP spans over HTTP",
        asked: "≥ 100 k/s",
        unit: "spans",
        wire: Wire::Otlp,
        path: "/v1/traces",
        headers: &[PROTOBUF],
        body: bodies::spans,
        batches: 800,
        connections: 4,
    },
    Way {
        name: "OTLP spans over HTTP, one connection",
        asked: "–",
        unit: "spans",
        wire: Wire::Otlp,
        path: "/v1/traces",
        headers: &[PROTOBUF],
        body: bodies::spans,
        batches: 400,
        connections: 1,
    },
    Way {
        name: "OTLP spans over HTTP, gzip",
        asked: "–",
        unit: "spans",
        wire: Wire::Otlp,
        path: "/v1/traces",
        headers: &[PROTOBUF, ("content-encoding", "gzip")],
        body: bodies::spans_gzip,
        batches: 400,
        connections: 4,
    },
    Way {
        name: "OTLP spans over HTTP, as JSON",
        asked: "–",
        unit: "spans",
        wire: Wire::Otlp,
        path: "/v1/traces",
        headers: &[("content-type", "application/json")],
        body: bodies::spans_json,
        batches: 200,
        connections: 4,
    },
    Way {
        name: "OTLP spans over HTTP, one a request, 64 connections",
        asked: "–",
        unit: "spans",
        wire: Wire::Otlp,
        path: "/v1/traces",
        headers: &[PROTOBUF],
        body: bodies::one_span,
        batches: 20_000,
        connections: 64,
    },
    Way {
        name: "events as JSON Lines",
        asked: "≥ 150 k/s",
        unit: "events",
        wire: Wire::Api,
        path: "/api/v1/events",
        headers: &[("content-type", "application/x-ndjson")],
        body: bodies::events,
        batches: 800,
        connections: 4,
    },
    Way {
        name: "remote-write 1.0 samples",
        asked: "≥ 500 k/s",
        unit: "samples",
        wire: Wire::Api,
        path: WRITE,
        headers: &[
            PROTOBUF,
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ],
        body: bodies::samples,
        batches: 800,
        connections: 4,
    },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, home] = arguments.as_slice()
        && serve == door::SERVE
    {
        return door::serve(home);
    }
    // `cargo bench` adds `--bench`.
    let wanted = |way: &&Way| {
        let mut names = arguments
            .iter()
            .filter(|name| !name.starts_with("--"))
            .peekable();
        names.peek().is_none() || names.any(|name| way.name.contains(name.as_str()))
    };
    println!("| what | asked | measured | twin | ratio |");
    println!("|---|---|---|---|---|");
    for way in WAYS.iter().filter(wanted) {
        let (measured, each) = measure(way);
        let (twin, ratio) = match (way.path, each) {
            (WRITE, Some(each)) => twin(way, each),
            _ => ("–".to_owned(), "–".to_owned()),
        };
        println!(
            "| {}, per core | {} | {measured} | {twin} | {ratio} |",
            way.name, way.asked
        );
    }
}

fn load(way: &Way) -> Load {
    Load {
        wire: way.wire,
        path: way.path,
        headers: way.headers,
        body: way.body,
        batches: way.batches,
        connections: way.connections,
    }
}

/// What VictoriaMetrics does of the same, and our processor time ÷ its.
fn twin(way: &Way, each: Duration) -> (String, String) {
    let missing = || ("–".to_owned(), "–".to_owned());
    let Some(victoria) = Victoria::start() else {
        return missing();
    };
    let load = load(way);
    load.warm_up(victoria.ports(), 8);
    let before = victoria.cpu();
    let Ok(outcome) = load.run(victoria.ports()) else {
        return missing();
    };
    // It writes to the disk behind its answers; a second of that counts.
    std::thread::sleep(Duration::from_secs(1));
    let theirs = (victoria.cpu() - before).div_f64(outcome.records as f64);
    let text = format!(
        "{:.0} k/s ({}; not on the disk when it answers)",
        1e-3 / theirs.as_secs_f64(),
        victoria.version
    );
    let ratio = each.as_secs_f64() / theirs.as_secs_f64();
    (text, format!("{ratio:.2}"))
}

/// What one core does, and what else was seen; processor time of one record.
fn measure(way: &Way) -> (String, Option<Duration>) {
    let child = Child::start();
    let load = load(way);
    // The first requests warm up what is made once.
    load.warm_up(child.addresses(), 8);
    let before = child.cpu();
    let outcome = match load.run(child.addresses()) {
        Ok(outcome) => outcome,
        Err(why) => return (format!("failed: {why}"), None),
    };
    let cpu = child.cpu() - before;
    let Outcome {
        records,
        wall,
        retries,
        median,
        slowest,
        body_bytes,
    } = outcome;
    let stored = child.stored();
    let per_core = records as f64 / cpu.as_secs_f64();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let text = format!(
        "{:.0} k/s ({:.2} µs of CPU each); {:.0} k/s in all over {} connections, {} of {} {} stored, \
         {} B each on the wire, {} B in the log, answers {:.1} ms (p50) {:.1} ms (p99), {retries} retries",
        per_core / 1e3,
        micros(cpu) / records as f64,
        records as f64 / wall.as_secs_f64() / 1e3,
        way.connections,
        stored.lines,
        records + 8 * (records / way.batches),
        way.unit,
        body_bytes / records,
        stored.bytes / stored.lines.max(1),
        median.as_secs_f64() * 1e3,
        slowest.as_secs_f64() * 1e3,
    );
    (text, Some(cpu.div_f64(records as f64)))
}
