//! Rules that are there without anybody's doing: the eight of the fourth seed's
//! file, and ours, which are off until someone wants them.

use tachograph_model::alert::{Condition, EVERY, Op, Rule, Stat};

/// Severity, name, source, metric, condition.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    (Stat, Op, f64),
);

#[rustfmt::skip]
const SEED: [Row; 8] = [
    ("warning", "High Database Query Latency", "database", "query_latency_ms", (Stat::P95, Op::Above, 100.0)),
    ("critical", "Database Connection Pool Exhaustion", "database", "connection_pool_size", (Stat::Avg, Op::Above, 90.0)),
    ("critical", "High WebSocket Error Rate", "websocket", "error_rate", (Stat::Avg, Op::Above, 0.05)),
    ("warning", "WebSocket Connection Surge", "websocket", "connections_per_second", (Stat::Max, Op::Above, 1000.0)),
    ("warning", "Slow Agent Inference", "agent", "inference_time_ms", (Stat::P95, Op::Above, 50.0)),
    ("critical", "High Agent Memory Usage", "agent", "memory_per_agent_mb", (Stat::Avg, Op::Above, 50.0)),
    ("critical", "High CPU Usage", "system", "cpu_usage_percent", (Stat::Avg, Op::Above, 90.0)),
    ("warning", "High Memory Usage", "system", "memory_usage_percent", (Stat::Avg, Op::Above, 85.0)),
];

/// Seconds that a machine's load must have been too high for: a server that has just
/// begun has but one measurement.
const SETTLED: u64 = 60;

/// Severity, name, family, condition, window, least values in it, description.
type Ours = (
    &'static str,
    &'static str,
    &'static str,
    (Stat, Op, f64),
    u64,
    u64,
    &'static str,
);

#[rustfmt::skip]
const OURS: [Ours; 4] = [
    ("warning", "High Tool Error Rate", "tool", (Stat::Ratio, Op::Above, 0.2), 900, 10,
        "more than a fifth of a tool's calls failed"),
    ("warning", "Slow Tool", "tool", (Stat::P95, Op::Above, 30_000.0), 900, 1,
        "one in twenty calls of a tool took more than 30 s"),
    ("info", "Low Cache Hit Rate", "cache", (Stat::Ratio, Op::Below, 0.5), 3600, 20,
        "fewer than half of a cache's look-ups were hits"),
    ("warning", "High Model Cost", "model_cost", (Stat::Sum, Op::Above, 10.0), 3600, 1,
        "a model cost more than 10 USD within an hour"),
];

/// All of them.
pub(super) fn rules() -> Vec<Rule> {
    let condition = |(stat, op, number)| Condition { stat, op, number };
    let seed = SEED
        .into_iter()
        .map(|(severity, name, source, metric, when)| Rule {
            severity: severity.to_owned(),
            group: source.to_owned(),
            for_seconds: if source == "system" { SETTLED } else { 0 },
            ..Rule::new(name, metric, source, condition(when))
        });
    let ours = OURS.into_iter();
    let ours = ours.map(
        |(severity, name, family, when, window_seconds, min_count, description)| Rule {
            severity: severity.to_owned(),
            description: description.to_owned(),
            family: family.to_owned(),
            group: family.to_owned(),
            window_seconds,
            min_count,
            enabled: false,
            ..Rule::new(name, EVERY, "", condition(when))
        },
    );
    seed.chain(ours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_may_be_watched() {
        let rules = rules();
        for rule in &rules {
            rule.check_new()
                .unwrap_or_else(|error| panic!("{}: {error}", rule.name));
        }
        assert_eq!(rules.iter().filter(|rule| rule.enabled).count(), SEED.len());
    }
}
