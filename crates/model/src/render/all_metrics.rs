//! Live tools and caches as the third seed's `get_all_metrics` has them: its
//! keys, in its order, rounded as Python rounds.

use serde_json::{Map, Value, json};

use crate::time::UnixNanos;

/// A tool: counts of all time, percentiles and ends over its last latencies.
/// Latencies in milliseconds, 0 when there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool<'a> {
    /// Its name.
    pub name: &'a str,
    /// Calls.
    pub calls: u64,
    /// Calls that succeeded.
    pub successes: u64,
    /// Calls that failed. Of what is left of `calls` it is not known.
    pub failures: u64,
    /// Mean of all time.
    pub average_ms: f64,
    /// Median of the window.
    pub p50_ms: f64,
    /// 95th percentile of the window.
    pub p95_ms: f64,
    /// 99th percentile of the window.
    pub p99_ms: f64,
    /// Least of the window.
    pub min_ms: f64,
    /// Largest of the window.
    pub max_ms: f64,
    /// Failures by type, those without a type left out, in any order.
    pub errors: Vec<(&'a str, u64)>,
}

/// A cache: counts of all time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cache<'a> {
    /// Its name.
    pub name: &'a str,
    /// Look-ups that it answered.
    pub hits: u64,
    /// Look-ups that it did not.
    pub misses: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    /// Entries that were too large for it.
    pub size_rejections: u64,
}

/// What concerns all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Sessions that are going on.
    pub active_sessions: u64,
    /// Requests that are being served.
    pub concurrent_requests: u64,
    /// Tool calls of all time.
    pub total_requests: u64,
    /// When counting began.
    pub started: UnixNanos,
    /// When this is.
    pub now: UnixNanos,
}

/// Everything: `tools` and `caches` are maps of [`tool`] and [`cache`] by name.
pub fn all(
    enabled: bool,
    tools: Map<String, Value>,
    caches: Map<String, Value>,
    system: &System,
) -> Value {
    let uptime = system.now.0.saturating_sub(system.started.0).max(0) as f64 / 1e9;
    json!({
        "enabled": enabled,
        "timestamp": system.now.as_epoch_seconds(),
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

/// One tool.
pub fn tool(tool: &Tool<'_>) -> Value {
    let errors = tool.errors.iter();
    let errors: Map<String, Value> = errors
        .map(|(error, count)| ((*error).to_owned(), Value::from(*count)))
        .collect();
    let known = tool.successes.saturating_add(tool.failures);
    json!({
        "tool_name": tool.name,
        "total_calls": tool.calls,
        "successful_calls": tool.successes,
        "failed_calls": tool.failures,
        "success_rate": percent(tool.successes, known),
        "avg_latency_ms": round2(tool.average_ms),
        "p50_latency_ms": round2(tool.p50_ms),
        "p95_latency_ms": round2(tool.p95_ms),
        "p99_latency_ms": round2(tool.p99_ms),
        "min_latency_ms": round2(tool.min_ms),
        "max_latency_ms": round2(tool.max_ms),
        "error_types": errors,
    })
}

/// One cache.
pub fn cache(cache: &Cache<'_>) -> Value {
    let requests = cache.hits.saturating_add(cache.misses);
    json!({
        "cache_name": cache.name,
        "hits": cache.hits,
        "misses": cache.misses,
        "total_requests": requests,
        "hit_rate": percent(cache.hits, requests),
        "evictions": cache.evictions,
        "size_rejections": cache.size_rejections,
    })
}

/// What there is to say of a tool or a cache that is unknown: `{}`.
pub fn unknown() -> Value {
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
    // nearest whole number of hundredths is the answer; five times as fast.
    if scaled.abs() < 1e9 && (part - 0.5).abs() > 1e-6 {
        return scaled.round() / 100.0;
    }
    super::human::round(value, 2)
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
