//! The first seed's vectors for the direction of a trend and for percentiles.

use serde_json::Value;
use tachograph_model::question::{Discovery, Trends};
use tachograph_model::{Ask, Column, Event};
use tachograph_stats::round_half_even_decimal;

use crate::home::{TestHome, ago, days};

/// Where ours is right and the original is not, because it rounds a day's mean
/// to 0.01 ms before it compares: 0.004 to 0.0011 ms is a fall to a quarter.
const DIFFERENT: [(&str, &str); 1] = [("rounding_hides_change", "improving")];

fn discovery(seconds: i64, ms: f64) -> Event {
    ago(seconds, "agent_discovery")
        .with(Column::Name, "list_agents")
        .with(Column::DurationMs, ms)
}

#[test]
fn the_direction_follows_the_first_seed_s_rule_on_exact_means() {
    let vectors: Value = serde_json::from_str(include_str!("data/trend_rule.json")).unwrap();
    let mut different = Vec::new();
    for (name, vector) in vectors.as_object().unwrap() {
        let events: Vec<Event> = vector["events_days_ago_and_ms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| {
                discovery(
                    pair[0].as_i64().unwrap() * 86_400,
                    pair[1].as_f64().unwrap(),
                )
            })
            .collect();
        let home = TestHome::of(&events);
        let (found, _) = Trends { scope: days(30) }.ask(&home.engine()).unwrap();
        let expected = &vector["expected"];
        let rows = expected["daily_stats"].as_array().unwrap();
        assert_eq!(found.days.len(), rows.len(), "{name}");
        for (day, row) in found.days.iter().zip(rows) {
            assert_eq!(day.date, row["date"].as_str().unwrap(), "{name}");
            assert_eq!(
                day.operations,
                row["operations"].as_u64().unwrap(),
                "{name}"
            );
            let mean = round_half_even_decimal(day.mean_ms.unwrap(), 2);
            assert_eq!(mean, row["avg_latency_ms"].as_f64().unwrap(), "{name}");
        }
        let direction = found
            .direction
            .map_or("stable", |direction| direction.as_str());
        if direction != expected["trend"] {
            different.push((name.clone(), direction));
        }
    }
    let different: Vec<_> = different
        .iter()
        .map(|(name, d)| (name.as_str(), *d))
        .collect();
    assert_eq!(different, DIFFERENT);
}

#[test]
fn one_day_is_not_enough_for_a_trend_and_the_answer_says_so() {
    let home = TestHome::of(&[discovery(60, 1.0), discovery(30, 2.0)]);
    let (found, about) = Trends { scope: days(7) }.ask(&home.engine()).unwrap();
    assert_eq!(found.direction, None);
    assert_eq!(about.notes.len(), 1, "{:?}", about.notes);
}

#[test]
fn a_busy_day_outweighs_a_quiet_one() {
    // 100 ms once on a day of its own among days of 1 ms: unweighted, the
    // first half would be at 50 ms; weighted, at 1.2.
    let mut events = vec![discovery(4 * 86_400, 100.0)];
    for second in 0..500 {
        events.push(discovery(3 * 86_400 + second, 1.0));
        events.push(discovery(2 * 86_400 + second, 1.15));
        events.push(discovery(86_400 + second, 1.15));
    }
    let home = TestHome::of(&events);
    let (found, _) = Trends { scope: days(30) }.ask(&home.engine()).unwrap();
    assert_eq!(found.direction.unwrap().as_str(), "stable");
}

#[test]
fn a_steady_rise_is_seen_by_both_opinions() {
    let events: Vec<Event> = (0..12)
        .map(|day| discovery((12 - day) * 86_400, 10.0 + day as f64))
        .collect();
    let home = TestHome::of(&events);
    let (found, about) = Trends { scope: days(30) }.ask(&home.engine()).unwrap();
    let opinion = found.second_opinion.unwrap();
    assert_eq!(found.direction.unwrap().as_str(), "degrading");
    assert_eq!(opinion.direction.as_str(), "degrading");
    assert!((opinion.slope_ms_per_day - 1.0).abs() < 1e-12);
    assert_eq!(opinion.tau, 1.0);
    assert!(about.notes.is_empty(), "{:?}", about.notes);
}

#[test]
fn percentiles_are_the_first_seed_s() {
    let vectors: Value = serde_json::from_str(include_str!("data/percentiles.json")).unwrap();
    let mut checked = 0;
    for vector in vectors.as_array().unwrap() {
        let values: Vec<f64> = vector["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_f64().unwrap())
            .collect();
        // A duration below zero is none: such data are for the arithmetic alone.
        if values.is_empty() || values.iter().any(|value| *value < 0.0) {
            continue;
        }
        let events: Vec<Event> = values.iter().map(|ms| discovery(60, *ms)).collect();
        let home = TestHome::of(&events);
        let (found, _) = Discovery { scope: days(7) }.ask(&home.engine()).unwrap();
        let spread = found.duration_ms.unwrap();
        let expected = &vector["expected"];
        for (percent, value) in [
            ("0", spread.min),
            ("50", spread.p50),
            ("95", spread.p95),
            ("99", spread.p99),
            ("100", spread.max),
        ] {
            let expected = expected[percent].as_f64().unwrap();
            assert_eq!(
                round_half_even_decimal(value, 2),
                expected,
                "p{percent} of {values:?}"
            );
        }
        checked += 1;
    }
    assert!(checked > 10, "{checked}");
}
