//! Targets, and how what was measured stands to them.

use super::super::human::round;
use crate::answer::Report;

/// What is aimed at. Latencies are 95th percentiles in ms and missed when not
/// below; rates are percentages and missed when not above.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the operation or the rate of its name")]
pub struct Targets {
    pub list_agents_ms: f64,
    pub get_agent_ms: f64,
    pub search_ms: f64,
    pub other_ms: f64,
    pub overall_ms: f64,
    pub hit_percent: f64,
    pub savings_percent: f64,
}

impl Default for Targets {
    /// The first seed's.
    fn default() -> Self {
        Self {
            list_agents_ms: 20.0,
            get_agent_ms: 5.0,
            search_ms: 10.0,
            other_ms: 10.0,
            overall_ms: 10.0,
            hit_percent: 80.0,
            savings_percent: 40.0,
        }
    }
}

impl Targets {
    pub(super) fn of(&self, operation: &str) -> f64 {
        match operation {
            "list_agents" => self.list_agents_ms,
            "get_agent" => self.get_agent_ms,
            "search" => self.search_ms,
            _ => self.other_ms,
        }
    }
}

/// How a figure stands to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Met.
    Good,
    /// Missed by less than half (latencies) or a quarter (rates).
    Warning,
    /// Missed by more.
    Bad,
}

impl Status {
    /// Where less is better: good below the target, a warning below one and a
    /// half times it.
    pub fn below(value: f64, target: f64) -> Self {
        if value < target {
            Self::Good
        } else if value < target * 1.5 {
            Self::Warning
        } else {
            Self::Bad
        }
    }

    /// Where more is better: good above the target, a warning above three
    /// quarters of it.
    pub fn above(value: f64, target: f64) -> Self {
        if value > target {
            Self::Good
        } else if value > target * 0.75 {
            Self::Warning
        } else {
            Self::Bad
        }
    }

    /// Its icon.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Good => "✅",
            Self::Warning => "⚠️",
            Self::Bad => "❌",
        }
    }
}

/// A target and what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is measured: `search p95`, `overall p95`, `cache hit rate`, `token
    /// savings`.
    pub name: String,
    /// The figure, ms or percent.
    pub value: f64,
    /// The target.
    pub target: f64,
    /// How they stand.
    pub status: Status,
    /// Whether it is a latency, ms; else a rate, percent.
    pub latency: bool,
}

/// Compares every figure that there is with its target. What was not recorded
/// is not judged.
pub fn checks(report: &Report, targets: &Targets) -> Vec<Check> {
    let latency = |name: String, value: f64, target: f64| Check {
        name,
        value,
        target,
        status: Status::below(value, target),
        latency: true,
    };
    let rate = |name: &str, value: f64, target: f64| Check {
        name: name.to_owned(),
        value,
        target,
        status: Status::above(value, target),
        latency: false,
    };
    let mut checks: Vec<Check> = report
        .discovery
        .operations
        .iter()
        .filter_map(|operation| {
            let p95 = round(operation.duration_ms?.p95, 2);
            Some(latency(
                format!("{} p95", operation.name),
                p95,
                targets.of(&operation.name),
            ))
        })
        .collect();
    if let Some(spread) = report.discovery.duration_ms {
        checks.push(latency(
            "overall p95".to_owned(),
            round(spread.p95, 2),
            targets.overall_ms,
        ));
    }
    if let Some(ratio) = report.cache_performance.hit_ratio {
        checks.push(rate(
            "cache hit rate",
            round(ratio * 100.0, 2),
            targets.hit_percent,
        ));
    }
    if let Some(percent) = report
        .token_savings
        .saving()
        .and_then(|saving| saving.saved_ratio)
    {
        checks.push(rate(
            "token savings",
            round(percent * 100.0, 2),
            targets.savings_percent,
        ));
    }
    checks
}

/// Tells whether a target is missed.
pub fn is_missed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.status != Status::Good)
}

/// Tells whether the first seed would call all well: overall latency, hit rate
/// and savings are known and meet their targets.
pub(super) fn is_operational(checks: &[Check]) -> bool {
    ["overall p95", "cache hit rate", "token savings"]
        .iter()
        .all(|name| {
            checks
                .iter()
                .any(|check| check.name == *name && check.status == Status::Good)
        })
}
