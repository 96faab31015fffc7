//! What rules of long windows amount to now.

use std::time::Duration;

use tachograph_analyze::question::backtest::Point;
use tachograph_model::alert::{Condition, FAMILIES, Rule, Stat, Terms};
use tachograph_model::answer::{RulePast, SeriesValue};
use tachograph_model::question::RuleValues;
use tachograph_model::{Column, Event, Scope, UnixNanos, Window, answer};
use tachograph_store::SealOptions;

use super::{SECOND, STATS, asked, call, figure, rule};
use crate::home::{TestHome, ago, now};

fn values(home: &TestHome, rules: &[Rule], now: UnixNanos) -> answer::RuleValues {
    let asked = RuleValues {
        rules: rules.to_vec(),
        now,
        within: Duration::from_secs(600),
    };
    home.engine().rule_values(&asked).unwrap()
}

/// What the replay has at its last look.
fn last_look(home: &TestHome, rules: &[Rule]) -> Vec<Vec<SeriesValue>> {
    let scope = Scope {
        window: Window {
            from: now(),
            to: UnixNanos::MAX,
        },
        ..Scope::all(now())
    };
    let (found, _) = asked(home, scope, rules.to_vec());
    let value = |it: answer::Standing| SeriesValue {
        source: it.source,
        name: it.name,
        value: it.value,
    };
    let of = |past: RulePast| past.alerts.into_iter().map(value).collect();
    found.rules.into_iter().map(of).collect()
}

/// Of windows that live state does not hold: from cells, and where these do not
/// tell it, value by value.
#[test]
fn values_of_long_windows_are_those_of_the_replay() {
    let noise = |at: i64| (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let event = |at: i64| {
        let ms = (noise(at) % 5_000) as f64;
        let tokens = (noise(at) % 900) as i64;
        let named = |event: Event| event.with(Column::Name, format!("n{}", at % 2));
        let event = match at % 10 {
            0 | 4 => call(at * 60, ms, at % 5 > 0),
            1 => ago(at * 60, "llm_call")
                .with(Column::Name, "m")
                .with(Column::Source, if at % 3 == 0 { "p" } else { "q" })
                .with(Column::InputTokens, tokens)
                .with(Column::CostUsd, ms / 1e4),
            2 => ago(at * 60, "metric")
                .with(Column::Name, "load")
                .with(Column::Source, "s")
                .with(Column::Value, ms)
                .with(Column::Count, 1 + at % 3),
            3 => ago(at * 60, "cache")
                .with(Column::Name, "c")
                .with(Column::Hit, at % 7 > 1),
            // The operation counts more than the flag.
            5 => ago(at * 60, "cache")
                .with(Column::Name, "d")
                .with(
                    Column::Status,
                    ["hit", "miss", "eviction", ""][(at.unsigned_abs() / 10) as usize % 4],
                )
                .with(Column::Hit, true),
            6 => named(ago(at * 60, "profile"))
                .with(Column::Source, "s")
                .with(Column::DurationMs, ms),
            7 => named(ago(at * 60, "loss"))
                .with(Column::Status, "overload")
                .with(Column::Count, tokens),
            8 => named(ago(at * 60, "agent_discovery")).with(Column::DurationMs, ms),
            _ => {
                let kind = ["agent_usage", "query", "agent_selection"]
                    [(at.unsigned_abs() / 10) as usize % 3];
                ago(at * 60, kind)
                    .with(Column::DurationMs, ms)
                    .with(Column::Value, ms / 5e3)
                    .with(Column::Success, at % 7 > 1)
            }
        };
        // Some name who they are for.
        match noise(at) % 3 {
            0 => event,
            1 => event.with(Column::Agent, "planner"),
            _ => event.with(Column::Agent, "coder"),
        }
    };
    // Some ahead of the present: a clock that goes ahead.
    let events: Vec<Event> = (-3..6_000).map(event).collect();
    let home = TestHome::of(&events);
    let mut rules = Vec::new();
    for family in FAMILIES {
        for (stat, seconds) in STATS
            .into_iter()
            .zip([3_601, 7_211, 86_400, 90_017, 259_200].repeat(2))
        {
            let source = if family == "metric" { "s" } else { "" };
            rules.push(Rule {
                window_seconds: seconds,
                min_count: 3,
                ..Rule::new(
                    &format!("{family} {}", stat.name()),
                    "*",
                    source,
                    Condition::parse(&format!("{} > 1", stat.name())).unwrap(),
                )
            });
            rules.last_mut().unwrap().family = family.to_owned();
        }
    }
    // One of a name, one of a source, one of nothing.
    let named = |family: &str, name: &str, source: &str| Rule {
        window_seconds: 86_400,
        source: source.to_owned(),
        ..rule(family, name, "count > 0")
    };
    rules.extend([
        named("tool", "grep", ""),
        named("model", "m", "q"),
        named("tool", "none", ""),
    ]);
    let check = || {
        let found = values(&home, &rules, now());
        assert_eq!(found.notes, []);
        let wanted = last_look(&home, &rules);
        assert!(wanted.iter().filter(|of| !of.is_empty()).count() == rules.len() - 1);
        for ((rule, found), wanted) in rules.iter().zip(&found.rules).zip(&wanted) {
            let found = found.as_ref().expect("found out");
            assert_eq!(found.len(), wanted.len(), "{}", rule.name);
            for (found, wanted) in found.iter().zip(wanted) {
                let near = match (found.value, wanted.value) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                    (a, b) => a == b,
                };
                let same = (&found.source, &found.name) == (&wanted.source, &wanted.name);
                assert!(near && same, "{}: {found:?} {wanted:?}", rule.name);
            }
        }
    };
    check();
    home.engine().store().seal(SealOptions::default()).unwrap();
    check();
    // Half of it sealed, half of it not.
    for at in 0..500 {
        home.write(&call(at * 7, 123.0, true).to_line());
    }
    check();
}

/// More than are looked at one by one.
#[test]
fn values_of_many_events_are_within_the_error_of_sketches() {
    let events: Vec<Event> = (0..110_000_i64)
        .map(|at| {
            let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            call(at, 10.0 + (noise % 10_000) as f64, at % 10 > 0)
        })
        .collect();
    let home = TestHome::new();
    let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
    home.write(&lines);
    home.engine().store().seal(SealOptions::default()).unwrap();
    let rules: Vec<Rule> = STATS
        .into_iter()
        .map(|stat| Rule {
            window_seconds: 100_003,
            ..rule("tool", "grep", &format!("{} > 1", stat.name()))
        })
        .collect();
    let found = values(&home, &rules, now());
    let inside: Vec<f64> = events[..100_004]
        .iter()
        .filter_map(|event| event.f64(Column::DurationMs))
        .collect();
    let points: Vec<Point> = inside
        .iter()
        .zip(0..)
        .map(|(value, at): (&f64, i64)| Point {
            at: UnixNanos(now().0 - at * SECOND),
            value: Some(*value),
            times: 1,
            failed: at % 10 == 0,
        })
        .collect();
    for (rule, found) in rules.iter().zip(found.rules) {
        let stat = Terms::of(rule).unwrap().condition.stat;
        let wanted = figure(stat, 100_003, now().0, &points).1.unwrap();
        let found = found.unwrap()[0].value.unwrap();
        let error = match stat {
            Stat::P50 | Stat::P95 | Stat::P99 => 0.004,
            _ => 1e-9,
        };
        assert!(
            (found / wanted - 1.0).abs() <= error,
            "{}: {found} {wanted}",
            stat.name()
        );
    }
}
