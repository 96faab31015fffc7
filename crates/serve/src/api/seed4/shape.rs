//! Live state in the fourth seed's shapes. Pure: readings in, JSON out. Where
//! the seed wrote naive local time, this is UTC with its offset.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::render::iso;

use crate::live::{Reading, Stats};

/// The seed's sources; there may be others.
pub const SOURCES: [&str; 6] = [
    "database",
    "websocket",
    "agent",
    "system",
    "inference",
    "coalition",
];

/// A time as the seed writes it: to the microsecond, which is as far as many
/// readers of its form go.
pub fn time(at: UnixNanos) -> String {
    iso(UnixNanos(at.0.div_euclid(1_000) * 1_000))
}

/// The same for one that is written already.
pub fn time_of(text: Value) -> Value {
    let at = text
        .as_str()
        .and_then(|text| UnixNanos::parse(text, true).ok());
    at.map_or(text, |at| time(at).into())
}

/// A summary of the window that was read. A metric that nothing was measured of
/// in it is not there.
pub fn summary(readings: &[Reading], length: Duration, now: UnixNanos, alerts: &[Value]) -> Value {
    let mut sources = Map::new();
    let (mut metrics, mut points) = (0_u64, 0_u64);
    for (reading, stats) in measured(readings) {
        metrics += 1;
        points += stats.count;
        let of = sources
            .entry(&*reading.source)
            .or_insert_with(|| Map::new().into());
        of[key(reading)] = json!({
            "name": *reading.name,
            "source": *reading.source,
            "type": kind(reading),
            "stats": figures(stats),
            "window_seconds": length.as_secs(),
        });
    }
    json!({
        "window_seconds": length.as_secs(),
        "timestamp": time(now),
        "sources": sources,
        "total_metrics": metrics,
        "total_points": points,
        "recent_alerts": alerts,
        "alert_count": alerts.len(),
    })
}

fn measured(readings: &[Reading]) -> impl Iterator<Item = (&Reading, &Stats)> {
    readings
        .iter()
        .filter_map(|reading| Some((reading, reading.window.as_ref()?)))
}

fn key(reading: &Reading) -> String {
    format!("{}.{}", reading.source, reading.name)
}

fn kind(reading: &Reading) -> &str {
    reading.kind.as_deref().unwrap_or("gauge")
}

/// The seed's figures; when percentiles are not exact, how exact they are.
fn figures(stats: &Stats) -> Value {
    let mut figures = json!({
        "count": stats.count,
        "sum": stats.sum,
        "min": stats.min,
        "max": stats.max,
        "avg": stats.avg,
        "std": stats.std,
        "p50": stats.p50,
        "p95": stats.p95,
        "p99": stats.p99,
        "latest": stats.latest,
        "rate": stats.rate,
    });
    if stats.relative_error > 0.0 {
        figures["relative_error"] = stats.relative_error.into();
    }
    figures
}

/// The text export: no HELP, no TYPE, no newline at its end.
pub fn export(readings: &[Reading], now: UnixNanos) -> String {
    let at = time(now);
    let mut out = format!("# FreeAgentics Performance Metrics\n# Exported at {at}");
    for (reading, stats) in measured(readings) {
        let plain = |c: char| match c.is_ascii_alphanumeric() {
            true => c,
            // The seed's keys hold no other; ours might, and would end a line.
            false => '_',
        };
        let key: String = key(reading).chars().map(plain).collect();
        for (figure, value) in [
            ("avg", stats.avg),
            ("min", stats.min),
            ("max", stats.max),
            ("p95", stats.p95),
            ("p99", stats.p99),
        ] {
            // Writing to a String cannot fail.
            let _ = write!(out, "\n{key}_{figure} {value:.6}");
        }
        let _ = write!(out, "\n{key}_count {}", stats.count);
    }
    out
}

/// Charts of a group: each a name and the metric it is of.
type Group = (&'static str, &'static [(&'static str, &'static str)]);

/// The seed's charts, per source.
const CHARTS: [Group; 4] = [
    (
        "database",
        &[
            ("query_latency", "query_latency_ms"),
            ("connection_pool", "connection_pool_size"),
            ("transaction_rate", "transaction_rate"),
        ],
    ),
    (
        "websocket",
        &[
            ("connections_rate", "connections_per_second"),
            ("messages_rate", "messages_per_second"),
            ("latency", "current_latency_ms"),
            ("error_rate", "error_rate"),
        ],
    ),
    (
        "agent",
        &[
            ("inference_time", "inference_time_ms"),
            ("active_agents", "active_agents"),
            ("throughput", "agent_throughput"),
            ("belief_updates", "belief_updates_per_sec"),
        ],
    ),
    (
        "system",
        &[
            ("cpu_usage", "cpu_usage_percent"),
            ("memory_usage", "memory_usage_percent"),
            ("disk_io_read", "disk_read_mb_per_sec"),
            ("disk_io_write", "disk_write_mb_per_sec"),
        ],
    ),
];

/// What a WebSocket pushes: the summary, and the figures of the seed's charts
/// (zeros where nothing was measured, as the seed has it).
pub fn update(readings: &[Reading], length: Duration, now: UnixNanos, alerts: &[Value]) -> Value {
    let mut charts = Map::new();
    for (source, group) in CHARTS {
        let of_source = |(reading, _): &(&Reading, &Stats)| *reading.source == *source;
        if !measured(readings).any(|it| of_source(&it)) {
            continue;
        }
        let of = group.iter().map(|(name, metric)| {
            let mut found = measured(readings).filter(of_source);
            let found = found.find(|(reading, _)| reading.name.contains(metric));
            ((*name).to_owned(), chart(found.map(|(_, stats)| stats)))
        });
        charts.insert(source.to_owned(), of.collect::<Map<_, _>>().into());
    }
    json!({
        "summary": summary(readings, length, now, alerts),
        "charts": charts,
        "alerts": alerts,
    })
}

fn chart(stats: Option<&Stats>) -> Value {
    match stats {
        Some(stats) => json!({
            "current": stats.latest,
            "avg": stats.avg,
            "min": stats.min,
            "max": stats.max,
            "p95": stats.p95,
            "p99": stats.p99,
        }),
        None => json!({"current": 0, "avg": 0, "min": 0, "max": 0, "p95": 0, "p99": 0}),
    }
}

/// Points of one metric.
pub fn history(source: &str, metric: &str, length: Duration, points: Vec<Value>) -> Value {
    json!({
        "source": source,
        "metric": metric,
        "duration_seconds": length.as_secs(),
        "data_points": points.len(),
        "data": points,
    })
}

/// One of them.
pub fn point(at: UnixNanos, value: f64) -> Value {
    json!({"timestamp": time(at), "value": value})
}
