//! Limits that the fourth seed has built in for the metrics of its sources: the
//! thresholds of its detector, by a part of the metric's name, and the two
//! limits of its architecture that it enforces. Pure; a table each.

use serde::Serialize;

use crate::live::Stats;

/// How a metric stands to one of its limits.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Limit {
    name: &'static str,
    /// What a value beyond it says.
    r#type: &'static str,
    /// Which figure of the window is held against it.
    of: &'static str,
    above: f64,
    /// What is usual, where that is not the limit itself.
    baseline: f64,
    severity: &'static str,
    value: f64,
    exceeded: bool,
    /// By how much the value is above the baseline.
    change_percent: f64,
}

/// Source, part of the name, limit's name, its value. Of a source the first that
/// fits.
type Threshold = (&'static str, &'static str, &'static str, f64);

const THRESHOLDS: [Threshold; 8] = [
    ("database", "latency", "high_latency", 100.0),
    ("database", "connection", "max_connections", 100.0),
    ("websocket", "error_rate", "high_errors", 0.05),
    ("websocket", "latency", "high_latency", 200.0),
    ("agent", "inference_time", "slow_inference", 100.0),
    ("agent", "memory", "high_memory", 100.0),
    ("system", "cpu", "high_cpu", 90.0),
    ("system", "memory", "high_memory", 90.0),
];

/// Agents beyond this many get in each other's way.
const MAX_AGENTS: f64 = 50.0;
/// Milliseconds that an inference should take; twice that is too much.
const INFERENCE_MS: f64 = 10.0;

/// Those of a metric, held against its window.
pub(super) fn of(source: &str, name: &str, stats: &Stats) -> Vec<Limit> {
    let fits = |it: &&Threshold| it.0 == source && name.contains(it.1);
    let threshold = THRESHOLDS.iter().find(fits);
    let limit = |limit: &'static str, above: f64| Limit {
        name: limit,
        r#type: "threshold",
        of: "latest",
        above,
        baseline: above,
        severity: "high",
        value: stats.latest,
        exceeded: false,
        change_percent: 0.0,
    };
    let mut limits: Vec<Limit> = threshold.map(|it| limit(it.2, it.3)).into_iter().collect();
    if source == "agent" && name == "active_agents" {
        limits.push(Limit {
            r#type: "efficiency",
            severity: "critical",
            ..limit("max_agents", MAX_AGENTS)
        });
    }
    if source == "inference" && name.contains("inference_time") {
        limits.push(Limit {
            r#type: "latency",
            of: "p95",
            baseline: INFERENCE_MS,
            severity: "major",
            value: stats.p95,
            ..limit("inference_latency", 2.0 * INFERENCE_MS)
        });
    }
    for limit in &mut limits {
        limit.exceeded = limit.value > limit.above;
        limit.change_percent = (limit.value - limit.baseline) / limit.baseline * 100.0;
    }
    limits
}
