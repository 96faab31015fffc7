//! What each table shows of a series, how it is said, and how it sorts.

use tachograph_model::UnixNanos;
use tachograph_model::render::human;
use tachograph_serve::config::Names;
use tachograph_serve::live::Reading;

use super::names::shown;
use super::picture::{Parts, Row};
use crate::args::top::Tab;

/// What stands where nothing is known.
pub const NOTHING: &str = "–";

/// A column of figures.
pub struct Column {
    pub title: &'static str,
    pub width: usize,
    /// The lower, the longer it stays on a narrow screen.
    pub rank: u8,
    pub value: fn(&Row) -> Option<f64>,
    pub say: fn(&Row, f64, UnixNanos) -> String,
}

impl Column {
    pub fn text(&self, row: &Row, now: UnixNanos) -> String {
        match (self.value)(row) {
            Some(value) => (self.say)(row, value, now),
            None => NOTHING.to_owned(),
        }
    }
}

/// The figures of a table, from left to right.
pub fn of(tab: Tab) -> &'static [Column] {
    match tab {
        Tab::Tools => &CALLS,
        Tab::Agents => &AGENTS,
        Tab::Models => &MODELS,
        Tab::Caches => &CACHES,
        Tab::Metrics => &METRICS,
        // A table of its own.
        Tab::Alerts => &[],
    }
}

/// What stands above the names.
pub fn name_title(tab: Tab) -> &'static str {
    match tab {
        Tab::Tools => "TOOL",
        Tab::Models => "MODEL",
        Tab::Agents => "AGENT",
        Tab::Caches => "CACHE",
        Tab::Metrics => "METRIC",
        Tab::Alerts => "ALERT",
    }
}

/// A series' name, with its source where it has one; an agent's, where its hash
/// is known. It may hold anything.
pub fn name(row: &Row, names: &Names) -> String {
    let reading = &row.reading;
    let name = if reading.name.is_empty() {
        "(unnamed)"
    } else {
        shown(names, &reading.name)
    };
    if reading.source.is_empty() || reading.source == reading.name {
        return name.to_owned();
    }
    format!("{name} ({})", reading.source)
}

macro_rules! column {
    ($title:literal, $width:literal, $rank:literal, $value:expr, $say:expr) => {
        Column {
            title: $title,
            width: $width,
            rank: $rank,
            value: $value,
            say: $say,
        }
    };
}

static CALLS: [Column; 9] = [
    column!("CALLS", 9, 0, count, say_count),
    column!("PER SEC", 9, 3, rate, say_rate),
    column!("FAILED", 8, 5, failed, say_count),
    column!("FAIL %", 7, 1, Row::failure_ratio, say_percent),
    column!("P50", 9, 2, p50, say_value),
    column!("P95", 9, 1, p95, say_value),
    column!("P99", 9, 5, p99, say_value),
    column!("MAX", 9, 6, max, say_value),
    column!("LAST", 6, 4, last, say_age),
];

static MODELS: [Column; 11] = [
    column!("CALLS", 9, 0, count, say_count),
    column!("PER SEC", 9, 5, rate, say_rate),
    column!("FAILED", 8, 6, failed, say_count),
    column!("FAIL %", 7, 3, Row::failure_ratio, say_percent),
    column!("P50", 9, 4, p50, say_value),
    column!("P95", 9, 1, p95, say_value),
    column!("P99", 9, 6, p99, say_value),
    column!("TOKENS", 11, 1, |row| Some(row.tokens?.sum), say_number),
    column!("TOK/MIN", 10, 5, tokens_per_minute, say_number),
    column!("COST", 10, 2, |row| Some(row.cost?.sum), say_usd),
    column!("LAST", 6, 4, last, say_age),
];

static AGENTS: [Column; 10] = [
    column!("CALLS", 9, 0, count, say_count),
    column!("PER SEC", 9, 5, rate, say_rate),
    column!("FAIL %", 7, 1, Row::failure_ratio, say_percent),
    column!("USES", 8, 6, |row| part(row, |it| &it.uses), say_count),
    column!("TOOLS", 8, 2, |row| part(row, |it| &it.tools), say_count),
    column!("TOOL P95", 9, 4, |row| slow(row, |it| &it.tools), say_value),
    column!("MODELS", 8, 2, |row| part(row, |it| &it.models), say_count),
    column!(
        "MODEL P95",
        9,
        4,
        |row| slow(row, |it| &it.models),
        say_value
    ),
    column!("COST", 10, 1, |row| Some(row.cost?.sum), say_usd),
    column!("LAST", 6, 3, last, say_age),
];

static CACHES: [Column; 8] = [
    column!("LOOK-UPS", 9, 0, count, say_count),
    column!("PER SEC", 9, 3, rate, say_rate),
    column!("HIT %", 7, 0, |row| Some(row.window()?.avg), say_percent),
    column!("HITS", 9, 2, hits, say_count),
    column!("MISSES", 9, 2, misses, say_count),
    column!("EVICTED*", 9, 4, evicted, say_count),
    column!("TOO BIG*", 9, 5, rejected, say_count),
    column!("LAST", 6, 1, last, say_age),
];

static METRICS: [Column; 10] = [
    column!("LATEST", 10, 0, latest, say_value),
    column!("AVG", 10, 1, |row| Some(row.window()?.avg), say_value),
    column!("MIN", 10, 3, |row| Some(row.window()?.min), say_value),
    column!("MAX", 10, 2, max, say_value),
    column!("P50", 10, 6, p50, say_value),
    column!("P95", 10, 4, p95, say_value),
    column!("P99", 10, 7, p99, say_value),
    column!("CHANGE/S", 11, 5, change, say_value),
    column!("POINTS", 8, 5, count, say_count),
    column!("LAST", 6, 3, last, say_age),
];

fn count(row: &Row) -> Option<f64> {
    Some(row.happened()?.count as f64)
}

fn rate(row: &Row) -> Option<f64> {
    Some(row.happened()?.rate)
}

/// How often an agent did one of the things that it does.
pub fn part(row: &Row, of: fn(&Parts) -> &Option<Reading>) -> Option<f64> {
    let parts = row.parts.as_ref()?;
    Some(of(parts).as_ref()?.happened?.count as f64)
}

/// How long 95 of 100 of these took at most, milliseconds.
pub fn slow(row: &Row, of: fn(&Parts) -> &Option<Reading>) -> Option<f64> {
    let parts = row.parts.as_ref()?;
    Some(of(parts).as_ref()?.window?.p95)
}

fn failed(row: &Row) -> Option<f64> {
    let counts = row.happened().filter(|_| row.tells_outcome())?;
    Some(counts.failed as f64)
}

fn p50(row: &Row) -> Option<f64> {
    Some(row.window()?.p50)
}

fn p95(row: &Row) -> Option<f64> {
    Some(row.window()?.p95)
}

fn p99(row: &Row) -> Option<f64> {
    Some(row.window()?.p99)
}

fn max(row: &Row) -> Option<f64> {
    Some(row.window()?.max)
}

fn change(row: &Row) -> Option<f64> {
    row.window()?.change_per_second
}

fn latest(row: &Row) -> Option<f64> {
    Some(row.reading.latest?.1)
}

fn last(row: &Row) -> Option<f64> {
    Some(row.reading.heard?.0 as f64)
}

fn tokens_per_minute(row: &Row) -> Option<f64> {
    Some(row.tokens?.sum / row.seconds * 60.0)
}

/// A look-up counts 1 for a hit and 0 for a miss.
fn hits(row: &Row) -> Option<f64> {
    Some(row.window()?.sum)
}

fn misses(row: &Row) -> Option<f64> {
    let window = row.window()?;
    Some(window.count as f64 - window.sum)
}

fn evicted(row: &Row) -> Option<f64> {
    Some(row.reading.totals.lookups.evictions as f64)
}

fn rejected(row: &Row) -> Option<f64> {
    Some(row.reading.totals.lookups.size_rejections as f64)
}

fn say_count(_: &Row, value: f64, _: UnixNanos) -> String {
    shortened(value)
}

fn say_number(_: &Row, value: f64, _: UnixNanos) -> String {
    shortened(value.round())
}

fn say_rate(_: &Row, value: f64, _: UnixNanos) -> String {
    say_per(value)
}

fn say_percent(_: &Row, value: f64, _: UnixNanos) -> String {
    human::percent(value)
}

fn say_usd(_: &Row, value: f64, _: UnixNanos) -> String {
    human::usd(value)
}

fn say_age(row: &Row, _: f64, now: UnixNanos) -> String {
    row.reading
        .heard
        .map_or_else(|| NOTHING.to_owned(), |at| age(at, now))
}

fn say_value(row: &Row, value: f64, _: UnixNanos) -> String {
    measured(row, value)
}

/// A value of a series in its own unit, scaled for people.
pub fn measured(row: &Row, value: f64) -> String {
    if row.reading.family.is_duration() {
        return human::duration(value);
    }
    match row.reading.unit.as_deref() {
        Some("ms" | "milliseconds") => human::duration(value),
        Some("s" | "seconds") => human::duration(value * 1e3),
        Some("us" | "µs" | "microseconds") => human::duration(value / 1e3),
        Some("ns" | "nanoseconds") => human::duration(value / 1e6),
        // What changed may have shrunk.
        Some("By" | "bytes" | "byte" | "B") if value.abs() < u64::MAX as f64 => {
            let sign = if value <= -0.5 { "-" } else { "" };
            format!("{sign}{}", human::bytes(value.abs().round() as u64))
        }
        Some("ratio") => human::percent(value),
        Some("%" | "percent") => format!("{value:.1}%"),
        Some("usd" | "USD") => human::usd(value),
        _ => shortened(value),
    }
}

/// Per second: two digits while they matter.
pub fn say_per(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 0.01 => "<0.01".to_owned(),
        value if value < 9.995 => format!("{value:.2}"),
        value if value < 99.95 => format!("{value:.1}"),
        _ => shortened(value.round()),
    }
}

/// A figure of at most nine columns.
pub fn shortened(value: f64) -> String {
    match value.abs() {
        size if size < 1e6 => human::number(value),
        size if size < 1e7 => format!("{:.2} M", value / 1e6),
        size if size < 1e9 => format!("{:.1} M", value / 1e6),
        size if size < 1e12 => format!("{:.1} G", value / 1e9),
        _ => format!("{value:.2e}"),
    }
}

/// How long ago, in a word.
pub fn age(then: UnixNanos, now: UnixNanos) -> String {
    let seconds = now.0.saturating_sub(then.0) / 1_000_000_000;
    match seconds {
        ..=0 => "now".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Columns that a name gets at least.
const LEAST_NAME: usize = 18;

/// The figures that fit on a screen so wide, from left to right.
pub fn fitting(tab: Tab, columns: usize) -> Vec<usize> {
    let all = of(tab);
    let mut by_rank: Vec<usize> = (0..all.len()).collect();
    by_rank.sort_by_key(|at| all[*at].rank);
    // The mark of the selection before the name, and a space after it.
    let mut left = columns.saturating_sub(LEAST_NAME + 3);
    let mut shown = Vec::new();
    for at in by_rank {
        let needed = all[at].width + 1;
        if needed > left {
            break;
        }
        left -= needed;
        shown.push(at);
    }
    shown.sort_unstable();
    shown
}
