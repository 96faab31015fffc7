//! What alert rules would have said, held against looking every second.

mod incidents;
mod replay;
mod suggest;
mod values;

use tachograph_analyze::question::backtest::{Point, Replay};
use tachograph_model::alert::{Condition, Rule, Stat};
use tachograph_model::answer::RulePast;
use tachograph_model::question::Backtest;
use tachograph_model::{Column, Event, Scope, UnixNanos, answer};

use crate::home::{TestHome, ago};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_763_640_000 * SECOND;

const STATS: [Stat; 10] = [
    Stat::Avg,
    Stat::Min,
    Stat::Max,
    Stat::P50,
    Stat::P95,
    Stat::P99,
    Stat::Rate,
    Stat::Count,
    Stat::Sum,
    Stat::Ratio,
];

fn rule(family: &str, name: &str, condition: &str) -> Rule {
    Rule {
        family: family.to_owned(),
        ..Rule::new("r", name, "", Condition::parse(condition).unwrap())
    }
}

fn replayed(rule: &Rule, points: &[Point], seconds: i64) -> RulePast {
    let until = UnixNanos(START + seconds * SECOND);
    let rules = std::slice::from_ref(rule);
    let mut replay = Replay::new(rules, UnixNanos(START), until).unwrap();
    let series = replay.series("tool", "", "t").unwrap();
    for point in points {
        replay.take(series, *point);
    }
    replay.answer().rules.remove(0)
}

/// Worked out anew at each look, of all values.
fn figure(stat: Stat, window: i64, now: i64, points: &[Point]) -> (u64, Option<f64>) {
    let inside = |point: &&Point| now - window * SECOND <= point.at.0 && point.at.0 <= now;
    let inside: Vec<&Point> = points.iter().filter(inside).collect();
    let count: u64 = inside.iter().map(|point| point.times).sum();
    let mut values = Vec::new();
    for point in &inside {
        let times = usize::try_from(point.times).unwrap();
        values.extend(point.value.into_iter().flat_map(|value| vec![value; times]));
    }
    values.sort_by(f64::total_cmp);
    let sum: f64 = values.iter().sum();
    let quantile = |fraction: f64| {
        let rank = fraction * values.len().checked_sub(1)? as f64;
        let low = values[rank as usize];
        let next = values.get(rank as usize + 1).copied().unwrap_or(low);
        let part = rank.fract();
        Some((low * (1.0 - part) + next * part).clamp(low, next))
    };
    let any = |figure: f64| (!values.is_empty()).then_some(figure);
    let failed = inside.iter().filter(|point| point.failed).count();
    let found = match stat {
        Stat::Avg => any(sum / values.len() as f64),
        Stat::Min => values.first().copied(),
        Stat::Max => values.last().copied(),
        Stat::P50 => quantile(0.5),
        Stat::P95 => quantile(0.95),
        Stat::P99 => quantile(0.99),
        Stat::Rate => Some(count as f64 / window as f64),
        Stat::Count => Some(count as f64),
        Stat::Sum => any(sum),
        Stat::Ratio => Some(failed as f64 / count as f64),
    };
    (count, found.filter(|_| count > 0))
}

fn asked(home: &TestHome, scope: Scope, rules: Vec<Rule>) -> (answer::Backtest, answer::About) {
    let mut last = 0.0;
    let mut progress = |part: f64| {
        assert!(part >= last && part <= 1.0, "{part} after {last}");
        last = part;
    };
    let question = Backtest { scope, rules };
    home.engine().backtest(&question, &mut progress).unwrap()
}

fn call(seconds: i64, ms: f64, success: bool) -> Event {
    ago(seconds, "tool_call")
        .with(Column::Name, "grep")
        .with(Column::DurationMs, ms)
        .with(Column::Success, success)
}
