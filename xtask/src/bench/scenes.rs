//! Whole processes, as a user waits for them.

use anyhow::Result;

use super::Row;
use super::lab::{Lab, bytes};
use super::process::{Cost, mebibytes, median, time};

const MILLION: u64 = 1_000_000;
const REPORT: [&str; 5] = ["report", "--days", "7", "--format", "json"];

/// What a report costs where there is nothing to report.
pub(crate) fn empty(lab: &Lab) -> Result<Vec<Row>> {
    let cost = lab.run(&lab.empty()?, &["report"], "").median(20)?;
    let what = "`report` on an empty home, whole process";
    Ok(vec![Row::new(what, "≤ 40 ms wall", walls(&cost))])
}

/// What a hook pays for one event.
pub(crate) fn record(lab: &Lab) -> Result<Vec<Row>> {
    let event = "{\"event_type\":\"tool_call\",\"tool\":\"search\",\"duration_ms\":12.5,\"success\":true}\n";
    let home = lab.empty()?;
    let cost = lab.run(&home, &["record"], event).median(50)?;
    let what = "`record` one event from stdin, whole process";
    Ok(vec![Row::new(what, "≤ 5 ms wall", walls(&cost))])
}

/// A week that was never sealed.
pub(crate) fn raw(lab: &Lab) -> Result<Vec<Row>> {
    // A report may seal what it finds, so each run gets its own copy.
    let mut runs = Vec::new();
    for _ in 0..3 {
        let home = lab.copy(MILLION)?;
        runs.push(lab.run(&home, &REPORT, "").once()?);
    }
    let cost = median(&runs).unwrap_or(runs[0]);
    let what = "`report --days 7`, 1 M events raw";
    Ok(vec![Row::new(what, "≤ 0.7 CPU-s, ≤ 200 MiB", all(&cost))])
}

/// Sealing, what it saves, and a week that was sealed.
pub(crate) fn sealed(lab: &Lab) -> Result<Vec<Row>> {
    let raw = lab.copy(MILLION)?;
    let per_event = |bytes: u64| format!("{:.1} B", bytes as f64 / MILLION as f64);
    let log_bytes = bytes(&raw, ".jsonl")?;
    let compact = lab.run(&raw, &["compact"], "").once()?;
    let home = lab.sealed(MILLION)?;
    let sealed_bytes = bytes(&home.join("segments"), ".parquet")?;
    let report = lab.run(&home, &REPORT, "").median(10)?;
    Ok(vec![
        Row::new("`compact`, 1 M events", "–", all(&compact)),
        Row::new("bytes per event, log", "≤ 171", per_event(log_bytes)),
        Row::new("bytes per event, sealed", "≤ 20", per_event(sealed_bytes))
            .beside(per_event(log_bytes), sealed_bytes as f64 / log_bytes as f64),
        Row::new(
            "`report --days 7`, 1 M events sealed",
            "≤ 0.10 s wall",
            all(&report),
        ),
    ])
}

/// Ten million events, by sketches and exactly, beside DuckDB on the same files.
pub(crate) fn big(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.sealed(10 * MILLION)?;
    let sketch = lab.run(&home, &REPORT, "").median(5)?;
    let mut exactly = REPORT.to_vec();
    exactly.push("--exact");
    let exact = lab.run(&home, &exactly, "").median(3)?;
    let row = |what: &str, asked: &str, cost: &Cost| Row::new(what, asked, all(cost));
    let mut rows = vec![
        row(
            "`report`, 10 M events sealed, sketches",
            "≤ 0.10 s wall",
            &sketch,
        ),
        row(
            "`report --exact`, 10 M events sealed",
            "≤ 0.8 s wall",
            &exact,
        ),
    ];
    match lab.duckdb(&home) {
        Ok((seconds, version)) => {
            // Only DuckDB's query is timed, against our whole process and whole report.
            let twin =
                format!("{seconds:.2} s (DuckDB {version}, exact quantiles by kind and name)");
            for (row, cost) in rows.iter_mut().zip([sketch, exact]) {
                *row = row
                    .clone()
                    .beside(twin.clone(), cost.wall.as_secs_f64() / seconds);
            }
        }
        Err(error) => rows.push(Row::new("DuckDB twin", "–", format!("failed: {error:#}"))),
    }
    Ok(rows)
}

/// How a report grows with the number of sealed events, by sketches and exactly.
pub(crate) fn growth(lab: &Lab) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut exactly = REPORT.to_vec();
    exactly.push("--exact");
    for (events, name) in [(MILLION / 10, "0.1"), (MILLION, "1"), (10 * MILLION, "10")] {
        let home = lab.sealed(events)?;
        let mut sketch = lab.run(&home, &REPORT, "");
        sketch.env = &[("TACHOGRAPH_EXACT_LIMIT", "0")];
        let by_sketch = sketch.median(5)?;
        let exact = lab.run(&home, &exactly, "").median(3)?;
        let what = |how: &str| format!("`report --days 7`, {name} M events sealed, {how}");
        rows.push(Row::new(&what("sketches"), "flat", all(&by_sketch)));
        rows.push(Row::new(&what("exact"), "–", all(&exact)));
    }
    Ok(rows)
}

fn walls(cost: &Cost) -> String {
    format!("{} wall, {} CPU", time(cost.wall), time(cost.cpu))
}

fn all(cost: &Cost) -> String {
    format!("{}, {}", walls(cost), mebibytes(cost.peak_bytes))
}
