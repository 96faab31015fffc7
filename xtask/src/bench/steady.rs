//! A server under steady load for as long as `--minutes` says: what its memory does,
//! whether its files are rotated, sealed and retained, and that nothing is missing.
//!
//! ```text
//! every tick: spans ─► OTLP ─► server        counted: stored + retained = acknowledged
//!             asked: /metrics, a question    looked at: resident memory, the home's files
//! ```

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;

use super::Row;
use super::lab::Lab;
use super::process::time;
use super::served::{BATCH, middle, send_spans};
use crate::server::{Client, Server, log_of};

/// Spans a second: more than a hundred busy agents send.
const RATE: u64 = 2_048;
const TICK: Duration = Duration::from_millis(1_000 * BATCH / RATE);
/// Small enough that two minutes see all of it; of the spans alone, so that they
/// can be counted.
const SETTINGS: &str =
    "seal_after_bytes: 16777216\nretention_bytes: 2097152\ncollect_system: false\n";

/// What was seen at one moment.
struct Look {
    at: Duration,
    resident: u64,
}

pub(crate) fn steady(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.empty()?;
    std::fs::write(home.join("config.yaml"), SETTINGS)?;
    let server = Server::start(lab.tacho(), &home, &["--log-format", "json"])?;
    let mut sender = Client::to(server.address("otlp_http")?)?;
    let mut scraper = Client::to(server.address("prometheus")?)?;
    let mut asker = Client::to(server.address("dashboard")?)?;
    let cpu_before = server.cpu()?;
    let began = Instant::now();
    let (mut sent, mut looks) = (0, Vec::new());
    let (mut rotated, mut scrapes, mut answers) = (BTreeSet::new(), Vec::new(), Vec::new());
    while began.elapsed() < lab.steady() {
        send_spans(&mut sender, sent, sent + BATCH)?;
        sent += BATCH;
        if sent % RATE == 0 {
            scrapes.push(timed(|| scraper.get("/metrics"))?);
            answers.push(timed(|| asker.get("/api/v1/tools?days=1"))?);
            let (at, resident) = (began.elapsed(), server.resident_bytes()?);
            looks.push(Look { at, resident });
            rotated.extend(rotated_logs(&home)?);
        }
        let due = TICK * u32::try_from(sent / BATCH)?;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
    }
    let took = began.elapsed();
    let busy = (server.cpu()? - cpu_before).as_secs_f64() / took.as_secs_f64();
    server.stop()?;

    let kept = kept(&home)?;
    let stored = count(lab, &home)?;
    let what = |text: &str| format!("{text}, {} min at {RATE} spans/s", took.as_secs() / 60);
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
    let halves = [0.25, 0.5, 0.75, 1.0].map(|part| resident_until(&looks, took.mul_f64(part)));
    let (second, last) = (halves[1], halves[3]);
    Ok(vec![
        Row::new(
            &what("resident memory after each quarter"),
            "flat",
            format!(
                "{} MiB; the last quarter {:+.1} % beside the second",
                halves.map(mib).join(", "),
                (last as f64 / second.max(1) as f64 - 1.0) * 100.0
            ),
        ),
        Row::new("processor, spans, scrapes and questions included", "–", {
            format!("{:.1} % of a core", busy * 100.0)
        }),
        Row::new(
            "logs rotated; seals; joins; deletions by retention",
            "each",
            format!(
                "{}; {}; {}; {}",
                rotated.len(),
                kept.seals,
                kept.joins,
                kept.deletions
            ),
        ),
        Row::new(
            "spans acknowledged; still stored; deleted by retention; missing",
            "0 missing",
            format!(
                "{sent}; {stored}; {}; {}",
                kept.deleted,
                i128::from(sent) - i128::from(stored) - i128::from(kept.deleted)
            ),
        ),
        Row::new(
            "a scrape of `/metrics`; a question, meanwhile",
            "–",
            format!("{}; {}", spread(&mut scrapes), spread(&mut answers)),
        ),
    ])
}

fn timed(ask: impl FnOnce() -> Result<Vec<u8>>) -> Result<Duration> {
    let began = Instant::now();
    ask()?;
    Ok(began.elapsed())
}

fn spread(all: &mut [Duration]) -> String {
    let (p50, p99) = (middle(all, 0.5), middle(all, 0.99));
    format!("p50 {}, p99 {}", time(p50), time(p99))
}

/// The median of the quarter that ends then.
fn resident_until(looks: &[Look], end: Duration) -> u64 {
    let last = looks.last().map_or(Duration::ZERO, |look| look.at);
    let begin = end.saturating_sub(last / 4);
    let within = looks
        .iter()
        .filter(|look| look.at > begin && look.at <= end);
    let mut all: Vec<u64> = within.map(|look| look.resident).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn rotated_logs(home: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(home)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("events_") {
            names.push(name);
        }
    }
    Ok(names)
}

/// What the server said it did in the background.
#[derive(Debug, Default, PartialEq)]
struct Kept {
    seals: u64,
    joins: u64,
    deletions: u64,
    /// Events that were deleted.
    deleted: u64,
}

fn kept(home: &Path) -> Result<Kept> {
    let said = log_of(home)?;
    let mut kept = Kept::default();
    for line in said.lines() {
        let line: Json =
            serde_json::from_str(line).with_context(|| format!("no JSON in its log: {line}"))?;
        match line["message"].as_str() {
            Some("sealed the log") => kept.seals += 1,
            Some("joined small segments") => kept.joins += 1,
            Some("deleted what retention does not keep") => {
                kept.deletions += 1;
                kept.deleted += line["events"].as_u64().unwrap_or_default();
            }
            _ => ensure!(line["level"] != "error", "its log has an error: {line}"),
        }
    }
    Ok(kept)
}

/// Calls that stand in the home.
fn count(lab: &Lab, home: &Path) -> Result<u64> {
    let query = "select count(*) as n from events where event_type in ('tool_call', 'llm_call')";
    let out = crate::workspace::output(
        std::process::Command::new(lab.tacho())
            .arg("--home")
            .arg(home)
            .args(["--format", "json", "sql", query]),
    )?;
    let rows: Json = serde_json::from_str(&out)?;
    rows[0]["n"].as_u64().context("no count")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_told_by_its_median() {
        let look = |second: u64, resident| Look {
            at: Duration::from_secs(second),
            resident,
        };
        let looks: Vec<Look> = (1..=8).map(|second| look(second, second * 10)).collect();
        let at = |second| resident_until(&looks, Duration::from_secs(second));
        assert_eq!([at(2), at(4), at(8)], [20, 40, 80]);
        assert_eq!(resident_until(&[], Duration::from_secs(1)), 0);
    }
}
