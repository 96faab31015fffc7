//! The server as its clients see it: how soon it answers, how soon what it took
//! shows up, how fast its API is, and what it costs while nothing happens.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;

use super::Row;
use super::lab::{Lab, bytes};
use super::process::{mebibytes, time};
use crate::server::{Client, Server};

/// Events in one request.
pub(super) const BATCH: u64 = 512;
/// For how long nothing happens while the idle server is watched.
const IDLE: Duration = Duration::from_secs(20);
/// Within this a server looks what there is to seal, and seals a million spans.
const SEALING: Duration = Duration::from_secs(15);

/// From the start of the process to its first answer, and what it costs then.
pub(crate) fn start(lab: &Lab) -> Result<Vec<Row>> {
    let mut first = Vec::new();
    let mut left = Vec::new();
    for _ in 0..9 {
        let home = lab.empty()?;
        let began = Instant::now();
        let server = Server::start(lab.tacho(), &home, &[])?;
        Client::to(server.address("dashboard")?)?.get("/health")?;
        first.push(began.elapsed());
        left.push(server.stop()?);
    }
    let server = Server::start(lab.tacho(), &lab.empty()?, &[])?;
    std::thread::sleep(Duration::from_secs(2));
    let before = server.cpu()?;
    std::thread::sleep(IDLE);
    let busy = (server.cpu()? - before).as_secs_f64() / IDLE.as_secs_f64();
    let resident = server.resident_bytes()?;
    Ok(vec![
        Row::new(
            "`start` in an empty home to the first answered request",
            "≤ 100 ms",
            time(middle(&mut first, 0.5)),
        ),
        Row::new(
            "SIGTERM to the end of the process",
            "≤ 2 s",
            time(middle(&mut left, 0.5)),
        ),
        Row::new("resident memory, idle", "≤ 80 MB", mebibytes(resident)),
        Row::new(
            "processor while idle",
            "≤ 0.3 % of a core",
            format!("{:.2} %", busy * 100.0),
        ),
    ])
}

/// How long after its acknowledgement an event shows in the API.
pub(crate) fn visible(lab: &Lab) -> Result<Vec<Row>> {
    let server = Server::start(lab.tacho(), &lab.empty()?, &[])?;
    let mut sender = Client::to(server.address("json")?)?;
    let mut live = Client::to(server.address("json")?)?;
    let mut asked = Client::to(server.address("dashboard")?)?;
    let (mut seen_live, mut seen_asked) = (Vec::new(), Vec::new());
    for round in 0..200 {
        let tool = format!("tool-{round}");
        let event = format!(
            r#"{{"event_type":"tool_call","tool":"{tool}","duration_ms":1.5,"success":true}}"#
        );
        sender.post("/api/v1/events", "application/json", event.as_bytes())?;
        let acknowledged = Instant::now();
        let shows = |client: &mut Client, path: &str| -> Result<Duration> {
            let wanted = format!("\"{tool}\"");
            while acknowledged.elapsed() < Duration::from_secs(5) {
                let body = client.get(path)?;
                if String::from_utf8_lossy(&body).contains(&wanted) {
                    return Ok(acknowledged.elapsed());
                }
            }
            bail!("{tool} does not show at {path}")
        };
        seen_asked.push(shows(&mut asked, "/api/v1/tools")?);
        seen_live.push(shows(&mut live, "/metrics")?);
    }
    let row = |what: &str, all: &mut Vec<Duration>| {
        let (p50, p99) = (middle(all, 0.5), middle(all, 0.99));
        let measured = format!("p50 {}, p99 {}", time(p50), time(p99));
        Row::new(what, "p99 ≤ 150 ms", measured)
    };
    Ok(vec![
        row("acknowledged to visible, a question", &mut seen_asked),
        row("acknowledged to visible, live state", &mut seen_live),
    ])
}

/// Quantiles over 100 000 spans, then a million: time, memory, and what a
/// sealed span takes on the disk.
pub(crate) fn spans(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.empty()?;
    let server = Server::start(lab.tacho(), &home, &[])?;
    let mut sender = Client::to(server.address("otlp_http")?)?;
    let mut client = Client::to(server.address("dashboard")?)?;
    send_spans(&mut sender, 0, 100_000)?;
    let quantiles = ask(&mut client, "/api/v1/tools?days=1", 50, |answer| {
        answer["tools"]["calls"]["succeeded"] == 50_000
    })?;
    send_spans(&mut sender, 100_000, 1_000_000)?;
    let resident = highest(&server)?;
    server.stop()?;
    lab.run_now(&home, &["compact"])?;
    let sealed = bytes(&home.join("segments"), ".parquet")?;
    Ok(vec![
        Row::new(
            "p50, p95, p99 of tools over 100 k spans, through the API",
            "≤ 10 ms",
            quantiles,
        ),
        Row::new(
            "resident memory after 1 M spans, the most while they are sealed",
            "≤ 250 MB",
            mebibytes(resident),
        ),
        Row::new(
            "disk per sealed span",
            "≤ 60 B",
            format!("{:.1} B", sealed as f64 / 1e6),
        ),
    ])
}

/// The most memory that it takes in the time in which it seals what has come.
fn highest(server: &Server) -> Result<u64> {
    let mut highest = 0;
    for _ in 0..60 {
        highest = highest.max(server.resident_bytes()?);
        std::thread::sleep(SEALING / 60);
    }
    Ok(highest)
}

/// Every question over a month of ten million sealed events.
pub(crate) fn questions(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.sealed(10_000_000)?;
    let server = Server::start(lab.tacho(), &home, &[])?;
    let mut client = Client::to(server.address("dashboard")?)?;
    let listed: Json = serde_json::from_slice(&client.get("/api/v1")?)?;
    let listed = listed["questions"].as_array().context("no questions")?;
    let names: Vec<&str> = listed
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    let mut rows = Vec::new();
    for name in names.into_iter().filter(|name| *name != "sql") {
        // What lies on the disk has no window.
        let path = match name {
            "storage" => "/api/v1/storage".to_owned(),
            _ => format!("/api/v1/{name}?days=30&as_of={}", super::generate::ANCHOR),
        };
        let measured = ask(&mut client, &path, 20, |_| true)?;
        let what = format!("`/api/v1/{name}` over 30 days, 10 M events");
        rows.push(Row::new(&what, "≤ 50 ms", measured));
    }
    Ok(rows)
}

/// Asks several times: the first answer, which reads, and the median of the
/// others, which find what was read.
fn ask(
    client: &mut Client,
    path: &str,
    times: usize,
    right: impl Fn(&Json) -> bool,
) -> Result<String> {
    let began = Instant::now();
    let body = client.get(path)?;
    let first = began.elapsed();
    let answer: Json = serde_json::from_slice(&body)?;
    if !right(&answer) {
        bail!("{path}: not what was sent: {answer}");
    }
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        client.get(path)?;
        all.push(began.elapsed());
    }
    let (p50, p99) = (middle(&mut all, 0.5), middle(&mut all, 0.99));
    Ok(format!(
        "{} (p99 {}, first {})",
        time(p50),
        time(p99),
        time(first)
    ))
}

/// Model calls and tool calls in turn, as OTLP in JSON.
pub(super) fn send_spans(sender: &mut Client, from: u64, to: u64) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let base = now.as_nanos() as u64 - 600_000_000_000;
    for start in (from..to).step_by(BATCH as usize) {
        let mut body = String::from(
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bench"}}]},"scopeSpans":[{"scope":{"name":"bench"},"spans":["#,
        );
        for number in start..(start + BATCH).min(to) {
            let comma = if number > start { "," } else { "" };
            let begin = base + number * 500_000;
            let end = begin + 1_000_000 + number * 7919 % 40_000_000;
            let attributes = match number % 2 {
                0 => format!(
                    r#"{{"key":"gen_ai.operation.name","value":{{"stringValue":"execute_tool"}}}},{{"key":"gen_ai.tool.name","value":{{"stringValue":"tool-{}"}}}}"#,
                    number % 40
                ),
                _ => format!(
                    r#"{{"key":"gen_ai.operation.name","value":{{"stringValue":"chat"}}}},{{"key":"gen_ai.provider.name","value":{{"stringValue":"anthropic"}}}},{{"key":"gen_ai.request.model","value":{{"stringValue":"model-{}"}}}},{{"key":"gen_ai.usage.input_tokens","value":{{"intValue":{}}}}},{{"key":"gen_ai.usage.output_tokens","value":{{"intValue":{}}}}}"#,
                    number % 5,
                    900 + number % 700,
                    20 + number % 300
                ),
            };
            write!(
                body,
                r#"{comma}{{"traceId":"{:032x}","spanId":"{:016x}","name":"call","kind":3,"startTimeUnixNano":"{begin}","endTimeUnixNano":"{end}","attributes":[{attributes}]}}"#,
                u128::from(number / 8) + 1,
                number + 1,
            )?;
        }
        body.push_str("]}]}]}");
        sender.post("/v1/traces", "application/json", body.as_bytes())?;
    }
    Ok(())
}

/// The value below which this part of all lies.
pub(super) fn middle(all: &mut [Duration], part: f64) -> Duration {
    all.sort_unstable();
    let at = (part * (all.len().max(1) - 1) as f64).round() as usize;
    all.get(at).copied().unwrap_or_default()
}
