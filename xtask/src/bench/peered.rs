//! The same load from OpenTelemetry's own SDK for our server and for others, one
//! after the other in one run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;

use super::Row;
use super::lab::{Lab, bytes};
use super::process::{mebibytes, time};
use crate::peers::{PEERS, Peer};
use crate::python;
use crate::server::Server;
use crate::workspace::{output, root};

const OURS: u64 = 100_000;
/// As many as others take in half a minute.
const THEIRS: u64 = 5_000;
const SETTLE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(20);
/// So long may others store after they have answered.
const PATIENCE: Duration = Duration::from_secs(180);
const GLANCE: Duration = Duration::from_millis(500);

/// What one server costs.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    start: Duration,
    idle_bytes: u64,
    /// Of a core, while nothing happens.
    idle_busy: f64,
    spans: Option<Spans>,
}

/// What spans cost it.
#[derive(Clone, Copy, Debug)]
struct Spans {
    cpu_each: Duration,
    per_second: f64,
    resident_bytes: u64,
    disk_bytes_each: f64,
}

pub(crate) fn peered(lab: &Lab) -> Result<Vec<Row>> {
    let python = python::clients()?;
    let grpc = ours(lab, &python, "grpc")?;
    let http = ours(lab, &python, "http")?;
    let mut others = Vec::new();
    let mut rows = Vec::new();
    for peer in PEERS {
        println!("{}", peer.title());
        match theirs(lab, &python, peer) {
            Ok(seen) => others.push((peer.title(), seen)),
            Err(error) => rows.push(Row::new(
                &format!("{}: not measured", peer.title()),
                "–",
                format!("{error:#}"),
            )),
        }
    }
    rows.splice(0..0, table(grpc, http, &others));
    Ok(rows)
}

fn table(grpc: Seen, http: Seen, others: &[(String, Seen)]) -> Vec<Row> {
    let (Some(over_grpc), Some(over_http)) = (grpc.spans, http.spans) else {
        return Vec::new();
    };
    let micros = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
    let percent = |part: f64| format!("{:.2} %", part * 100.0);
    let rate = |rate: f64| format!("{rate:.0}/s");
    let size = |bytes: f64| format!("{bytes:.0} B");
    let spans = |of: fn(&Spans) -> f64| move |seen: &Seen| seen.spans.as_ref().map(of);
    let row = |what: &str,
               asked: &str,
               ours: String,
               own: f64,
               of: &dyn Fn(&Seen) -> Option<f64>,
               show: &dyn Fn(f64) -> String| {
        beside(Row::new(what, asked, ours), own, others, of, show)
    };
    vec![
        row(
            "start to the first answer",
            "≤ 100 ms",
            time(http.start),
            http.start.as_secs_f64(),
            &|seen| Some(seen.start.as_secs_f64()),
            &|seconds| time(Duration::from_secs_f64(seconds)),
        ),
        row(
            "resident memory, idle",
            "≤ 80 MB",
            mebibytes(http.idle_bytes),
            http.idle_bytes as f64,
            &|seen| Some(seen.idle_bytes as f64),
            &|bytes| mebibytes(bytes as u64),
        ),
        row(
            "processor while idle",
            "≤ 0.3 % of a core",
            percent(http.idle_busy),
            http.idle_busy,
            &|seen| Some(seen.idle_busy),
            &percent,
        ),
        row(
            "processor per span from the Python SDK, HTTP",
            "≤ 10 µs",
            micros(over_http.cpu_each),
            over_http.cpu_each.as_secs_f64(),
            &spans(|spans| spans.cpu_each.as_secs_f64()),
            &|seconds| micros(Duration::from_secs_f64(seconds)),
        ),
        Row::new(
            "processor per span from the Python SDK, gRPC",
            "≤ 10 µs",
            micros(over_grpc.cpu_each),
        ),
        row(
            "spans stored from one Python SDK, which is the limit of ours",
            "–",
            format!(
                "{} (gRPC {})",
                rate(over_http.per_second),
                rate(over_grpc.per_second)
            ),
            over_http.per_second,
            &spans(|spans| spans.per_second),
            &rate,
        ),
        row(
            "resident memory after 100 k spans (theirs: 5 k)",
            "–",
            mebibytes(over_http.resident_bytes),
            over_http.resident_bytes as f64,
            &spans(|spans| spans.resident_bytes as f64),
            &|bytes| mebibytes(bytes as u64),
        ),
        row(
            "disk per span, ours sealed",
            "≤ 60 B",
            size(over_http.disk_bytes_each),
            over_http.disk_bytes_each,
            &spans(|spans| spans.disk_bytes_each),
            &size,
        ),
    ]
}

/// The others' figures, and ours ÷ the first of them.
fn beside(
    row: Row,
    own: f64,
    others: &[(String, Seen)],
    of: &dyn Fn(&Seen) -> Option<f64>,
    show: &dyn Fn(f64) -> String,
) -> Row {
    let told: Vec<(String, f64)> = others
        .iter()
        .filter_map(|(title, seen)| Some((title.clone(), of(seen)?)))
        .collect();
    let Some((_, first)) = told.first() else {
        return row;
    };
    let text: Vec<String> = told
        .iter()
        .map(|(title, value)| format!("{} ({title})", show(*value)))
        .collect();
    let ratio = own / first;
    row.beside(text.join(", "), ratio)
}

fn ours(lab: &Lab, python: &Path, protocol: &str) -> Result<Seen> {
    let home = lab.empty()?;
    let server = Server::start(lab.tacho(), &home, &[])?;
    std::thread::sleep(SETTLE);
    let idle_bytes = server.resident_bytes()?;
    let before = server.cpu()?;
    std::thread::sleep(IDLE);
    let idle_busy = (server.cpu()? - before).as_secs_f64() / IDLE.as_secs_f64();
    let start = server.ready_after;
    let address = server.address(&format!("otlp_{protocol}"))?.to_string();
    let before = server.cpu()?;
    let sent = load(python, protocol, &address, OURS, None)?;
    let cpu = server.cpu()? - before;
    let resident_bytes = server.resident_bytes()?;
    server.stop()?;
    lab.run_now(&home, &["compact"])?;
    let disk = bytes(&home.join("segments"), ".parquet")?;
    Ok(Seen {
        start,
        idle_bytes,
        idle_busy,
        spans: Some(Spans {
            cpu_each: cpu.div_f64(OURS as f64),
            per_second: OURS as f64 / sent,
            resident_bytes,
            disk_bytes_each: disk as f64 / OURS as f64,
        }),
    })
}

fn theirs(lab: &Lab, python: &Path, peer: &Peer) -> Result<Seen> {
    let program = peer.program()?;
    let folder = lab.folder(&peer.name.to_lowercase())?;
    // The first start makes its database and compiles its modules.
    peer.start(&program, &folder)?.kill();
    let running = peer.start(&program, &folder)?;
    std::thread::sleep(SETTLE);
    let idle_bytes = running.resident_bytes()?;
    let before = running.cpu()?;
    std::thread::sleep(IDLE);
    let idle_busy = (running.cpu()? - before).as_secs_f64() / IDLE.as_secs_f64();
    let mut seen = Seen {
        start: running.ready_after,
        idle_bytes,
        idle_busy,
        spans: None,
    };
    if peer.database.is_some() {
        let disk = bytes(&folder, "")?;
        let before = running.cpu()?;
        let address = running.address.to_string();
        let mut taken = load(python, "http", &address, THEIRS, peer.header)?;
        // Some of them store after the answer.
        let answered = Instant::now();
        while (peer.stored(&program, &folder)?.len() as u64) < THEIRS {
            ensure!(answered.elapsed() < PATIENCE, "not all spans were stored");
            std::thread::sleep(GLANCE);
        }
        if answered.elapsed() > GLANCE {
            taken += answered.elapsed().as_secs_f64();
        }
        seen.spans = Some(Spans {
            cpu_each: (running.cpu()? - before).div_f64(THEIRS as f64),
            per_second: THEIRS as f64 / taken,
            resident_bytes: running.resident_bytes()?,
            disk_bytes_each: bytes(&folder, "")?.saturating_sub(disk) as f64 / THEIRS as f64,
        });
    }
    running.kill();
    fs::remove_dir_all(&folder)?;
    Ok(seen)
}

/// Seconds until all were taken.
fn load(
    python: &Path,
    protocol: &str,
    address: &str,
    spans: u64,
    header: Option<(&str, &str)>,
) -> Result<f64> {
    let mut command = Command::new(python);
    command.arg(root().join("e2e/clients/load.py"));
    command.args([protocol, address, &spans.to_string()]);
    command.args(header.map(|(name, value)| format!("{name}={value}")));
    let told: Json = serde_json::from_str(&output(&mut command)?)?;
    told["seconds"].as_f64().context("the load told no time")
}
