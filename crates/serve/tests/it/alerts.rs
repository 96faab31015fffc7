//! Alerts: what fires and what does not, told once, over restarts.

use std::time::Duration;

use serde_json::Value as Json;
use tachograph_model::alert::{Machine, Rule, State, Terms};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::alert::figures;
use tachograph_serve::live::{self, Family};

const SECOND: i64 = 1_000_000_000;
const NOW: i64 = 1_763_640_000 * SECOND;

/// Whether a rule of the fourth seed's documentation fires over those values.
fn fires(case: &Json) -> bool {
    let values = case["values_1s_apart_oldest_first"].as_array();
    let values = values.expect("values").iter().rev().enumerate();
    let mut state = live::State::new(64);
    for (ago, value) in values.collect::<Vec<_>>().into_iter().rev() {
        let event = Event::new(UnixNanos(NOW - ago as i64 * SECOND), "metric")
            .with(Column::Source, "agent")
            .with(Column::Name, "m")
            .with(Column::Value, value.as_f64().expect("a number"));
        state.take(&event.to_line(), UnixNanos(NOW));
    }
    let mut rule = serde_json::json!({"name": "r", "metric_name": "m", "source": "agent",
        "created_at": "2025-11-20"});
    for key in ["condition", "threshold", "window_seconds", "enabled"] {
        if !case[key].is_null() {
            rule[key] = case[key].clone();
        }
    }
    if let Some(source) = case["rule_src"].as_str() {
        rule["source"] = source.into();
    }
    let rule: Rule = serde_json::from_value(rule).expect("a rule");
    let Ok(terms) = Terms::of(&rule) else {
        return false;
    };
    let window = Duration::from_secs(rule.window_seconds);
    let reading = state.reading(
        Family::Metric,
        &rule.source,
        &rule.metric_name,
        window,
        UnixNanos(NOW),
    );
    let window = reading.and_then(|reading| reading.window);
    let value = terms
        .condition
        .value(&figures(Family::Metric, window.as_ref()));
    let mut machine = Machine::default();
    machine.step(UnixNanos(NOW), &terms, value);
    rule.enabled && machine.state() == State::Firing
}

#[test]
fn conditions_mean_what_the_fourth_seed_documents() {
    let cases = include_str!("data/alert_conditions.json");
    let cases: Vec<Json> = serde_json::from_str(cases).expect("cases");
    assert_eq!(cases.len(), 25);
    for case in &cases {
        let expected = case["should_fire"].as_bool().expect("an expectation");
        assert_eq!(fires(case), expected, "{case}");
    }
}
