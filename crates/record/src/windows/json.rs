//! The third seed's JSON: its keys, in its order, rounded as Python rounds.

use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;

use super::CacheCounts;
use super::tool::ToolStats;
use crate::core::Core;

/// What concerns the whole process.
pub(crate) struct System {
    pub(crate) active_sessions: u64,
    pub(crate) concurrent_requests: u64,
    pub(crate) total_requests: u64,
    pub(crate) started: UnixNanos,
    pub(crate) now: UnixNanos,
}

pub(crate) fn all(
    now: UnixNanos,
    enabled: bool,
    tools: Map<String, Value>,
    caches: Map<String, Value>,
    system: &System,
) -> Value {
    let uptime = system.now.0.saturating_sub(system.started.0).max(0) as f64 / 1e9;
    json!({
        "enabled": enabled,
        "timestamp": now.as_epoch_seconds(),
        "tool_metrics": tools,
        "cache_metrics": caches,
        "system_metrics": {
            "active_sessions": system.active_sessions,
            "concurrent_requests": system.concurrent_requests,
            "total_requests": system.total_requests,
            "start_time": system.started.as_epoch_seconds(),
            "uptime_seconds": round2(uptime),
            "uptime_hours": round2(uptime / 3_600.0),
        },
    })
}

pub(crate) fn tool(name: &str, stats: &ToolStats, core: &Core) -> Value {
    let totals = &stats.totals;
    let errors = totals.errors.iter().map(|(error, count)| {
        let error = core.name_text(*error).to_string();
        (error, Value::from(*count))
    });
    let errors: Map<String, Value> = errors.collect();
    let average = match totals.calls {
        0 => 0.0,
        calls => totals.nanos as f64 / 1e6 / calls as f64,
    };
    json!({
        "tool_name": name,
        "total_calls": totals.calls,
        "successful_calls": totals.successes,
        "failed_calls": totals.calls - totals.successes,
        "success_rate": percent(totals.successes, totals.calls),
        "avg_latency_ms": round2(average),
        "p50_latency_ms": round2(stats.p50 / 1e6),
        "p95_latency_ms": round2(stats.p95 / 1e6),
        "p99_latency_ms": round2(stats.p99 / 1e6),
        "min_latency_ms": round2(stats.min as f64 / 1e6),
        "max_latency_ms": round2(stats.max as f64 / 1e6),
        "error_types": errors,
    })
}

pub(crate) fn cache(name: &str, counts: &CacheCounts) -> Value {
    let requests = counts.hits + counts.misses;
    json!({
        "cache_name": name,
        "hits": counts.hits,
        "misses": counts.misses,
        "total_requests": requests,
        "hit_rate": percent(counts.hits, requests),
        "evictions": counts.evictions,
        "size_rejections": counts.size_rejections,
    })
}

pub(crate) fn empty() -> Value {
    Value::Object(Map::new())
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    round2(part as f64 / whole as f64 * 100.0)
}

/// Python's `round(value, 2)`: the nearest two decimals to the exact binary
/// value, ties to even.
fn round2(value: f64) -> f64 {
    let scaled = value * 100.0;
    let part = scaled - scaled.floor();
    // Away from a tie, and where the product is exact enough to say so, the
    // nearest whole number of hundredths is the answer.
    if scaled.abs() < 1e9 && (part - 0.5).abs() > 1e-6 {
        return scaled.round() / 100.0;
    }
    format!("{value:.2}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values come from Python 3's `round`.
    #[test]
    fn rounds_as_python_does() {
        for (value, rounded) in [
            (100.125, 100.12),
            (0.125, 0.12),
            (0.375, 0.38),
            (2.675, 2.67),
            (1.005, 1.0),
            (66.666_666_666_666_66, 66.67),
            (1674.5, 1674.5),
            (12_345_678_901.005, 12_345_678_901.0),
            (0.0, 0.0),
            (7.777, 7.78),
        ] {
            assert_eq!(round2(value), rounded, "{value}");
        }
    }
}
