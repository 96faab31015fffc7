//! Live state: what it says of what came, against the fourth seed's figures,
//! against a plain recomputation, and under whatever else may come.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value as Json;
use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::config::Limits;
use tachograph_serve::live::{Family, Live, OTHER, Reading, State, Stats};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: i64 = 1_000_000_000;

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text, true).expect("a time")
}

fn now() -> UnixNanos {
    at("2025-11-20T12:00:00")
}

fn seconds_ago(seconds: f64) -> UnixNanos {
    UnixNanos(now().0 - (seconds * 1e9) as i64)
}

fn metric(time: UnixNanos, name: &str, value: f64) -> Event {
    Event::new(time, "metric")
        .with(Column::Source, "agent")
        .with(Column::Name, name)
        .with(Column::Type, "gauge")
        .with(Column::Value, value)
}

fn tool(time: UnixNanos, name: &str, ms: f64) -> Event {
    Event::new(time, "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, ms)
        .with(Column::Success, true)
}

fn taken(events: &[Event]) -> State {
    let mut state = State::new(4096);
    for event in events {
        state.take(&event.to_line(), now());
    }
    state
}

fn reading(state: &State, name: &str, length: Duration) -> Option<Reading> {
    state.reading(Family::Metric, "agent", name, length, now())
}

fn window(state: &State, name: &str, length: Duration) -> Option<Stats> {
    reading(state, name, length)?.window
}

fn close(what: &str, found: f64, expected: f64, relative: f64) {
    let bound = relative * expected.abs() + 1e-9 * (1.0 + expected.abs());
    assert!(
        (found - expected).abs() <= bound,
        "{what}: {found} is not {expected}"
    );
}

fn same_as_seed(what: &str, found: &Stats, expected: &Json) {
    let number = |key: &str| expected[key].as_f64().expect("a number");
    assert_eq!(found.count as f64, number("count"), "{what}");
    assert_eq!(found.relative_error, 0.0, "{what}");
    for (key, value) in [
        ("sum", found.sum),
        ("min", found.min),
        ("max", found.max),
        ("avg", found.avg),
        ("std", found.std),
        ("p50", found.p50),
        ("p95", found.p95),
        ("p99", found.p99),
        ("latest", found.latest),
        ("rate", found.rate),
    ] {
        close(&format!("{what}.{key}"), value, number(key), 1e-9);
    }
}

#[test]
fn aggregates_are_the_fourth_seed_s() {
    let cases: Json = serde_json::from_str(include_str!("data/summary/aggregates.json")).unwrap();
    for (case, wanted) in cases.as_array().unwrap().iter().enumerate() {
        let values = wanted["values"].as_array().unwrap();
        let events: Vec<Event> = values
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let time = seconds_ago(299.0 - 299.0 * at as f64 / values.len() as f64);
                metric(time, "m", value.as_f64().unwrap())
            })
            .collect();
        let length = Duration::from_secs(wanted["window_seconds"].as_u64().unwrap());
        let found = window(&taken(&events), "m", length).expect("a window");
        same_as_seed(
            &format!("case {case}"),
            &found,
            &wanted["expected"]["stats"],
        );
    }
}

#[test]
fn summaries_are_the_fourth_seed_s() {
    let points: Json = serde_json::from_str(include_str!("data/summary/points.json")).unwrap();
    let mut state = State::new(4096);
    for (key, points) in points.as_object().unwrap() {
        let (source, name) = key.split_once('.').unwrap();
        for point in points.as_array().unwrap() {
            let event = Event::new(at(point[0].as_str().unwrap()), "metric")
                .with(Column::Source, source)
                .with(Column::Name, name)
                .with(Column::Type, point[2].as_str().unwrap())
                .with(Column::Value, point[1].as_f64().unwrap());
            state.take(&event.to_line(), now());
        }
    }
    for (seconds, text) in [
        (60, include_str!("data/summary/expected_summary_60.json")),
        (300, include_str!("data/summary/expected_summary_300.json")),
        (
            3600,
            include_str!("data/summary/expected_summary_3600.json"),
        ),
    ] {
        let summary: Json = serde_json::from_str(text).unwrap();
        let mut checked = 0;
        for (source, metrics) in summary["sources"].as_object().unwrap() {
            for metric in metrics.as_object().unwrap().values() {
                let name = metric["name"].as_str().unwrap();
                let length = Duration::from_secs(seconds);
                let found = state
                    .reading(Family::Metric, source, name, length, now())
                    .expect("a metric");
                assert_eq!(found.kind.as_deref(), metric["type"].as_str(), "{name}");
                same_as_seed(name, &found.window.expect("a window"), &metric["stats"]);
                checked += 1;
            }
        }
        assert_eq!(checked, 4);
    }
}

/// What the values of a window are, worked out plainly.
struct Plain {
    values: Vec<f64>,
    sorted: Vec<f64>,
}

impl Plain {
    fn of(events: &[(f64, f64)], from: f64) -> Self {
        let inside = events.iter().filter(|(ago, _)| *ago <= from);
        let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        Self { values, sorted }
    }

    fn quantile(&self, fraction: f64) -> (f64, f64) {
        let position = fraction * (self.sorted.len() - 1) as f64;
        let low = self.sorted[position.floor() as usize];
        let high = self.sorted[position.ceil() as usize];
        (low, high)
    }

    fn check(&self, what: &str, found: &Stats) {
        let count = self.values.len() as f64;
        assert_eq!(found.count as f64, count, "{what}");
        let sum: f64 = self.values.iter().sum();
        let mean = sum / count;
        let squares: f64 = self.values.iter().map(|v| (v - mean).powi(2)).sum();
        close(&format!("{what} sum"), found.sum, sum, 1e-9);
        close(&format!("{what} avg"), found.avg, mean, 1e-9);
        close(
            &format!("{what} std"),
            found.std,
            (squares / count).sqrt(),
            1e-6,
        );
        assert_eq!(found.min, self.sorted[0], "{what}");
        assert_eq!(found.max, self.sorted[self.sorted.len() - 1], "{what}");
        for (fraction, value) in [(0.5, found.p50), (0.95, found.p95), (0.99, found.p99)] {
            let (low, high) = self.quantile(fraction);
            let slack = |edge: f64| found.relative_error * edge.abs() + 1e-12;
            assert!(
                value >= low - slack(low) && value <= high + slack(high),
                "{what} p{fraction}: {value} is not in {low}..{high}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Windows of a minute to an hour, whatever order events come in. It is
    /// noon, so that slots of every length lie either in a window or before it.
    #[test]
    fn windows_equal_a_plain_recomputation(
        told in prop::collection::vec(event(), 1..4000),
        order in any::<u64>(),
    ) {
        let mut arrivals: Vec<usize> = (0..told.len()).collect();
        arrivals.sort_by_key(|at| match order % 3 {
            0 => -(told[*at].0 * 1e3) as i64,
            1 => (told[*at].0 * 1e3) as i64,
            _ => (*at as i64).wrapping_mul(order as i64 | 1) % 1009,
        });
        let mut state = State::new(64);
        for at in arrivals {
            let (ago, value) = told[at];
            state.take(&metric(seconds_ago(ago), "m", value).to_line(), now());
        }
        for minutes in [1_u32, 2, 5, 15, 30, 60] {
            let from = f64::from(minutes) * 60.0;
            let plain = Plain::of(&told, from);
            let found = window(&state, "m", Duration::from_secs_f64(from));
            prop_assert_eq!(found.is_some(), !plain.values.is_empty(), "{}", minutes);
            if let Some(found) = found {
                plain.check(&format!("{minutes} min"), &found);
            }
        }
        let totals = reading(&state, "m", HOUR).expect("is there").totals;
        prop_assert_eq!(totals.values, told.len() as u64);
    }
}

/// How many seconds ago, and what value.
fn event() -> impl Strategy<Value = (f64, f64)> {
    let value = (-6.0..9.0_f64, any::<bool>());
    let value = value.prop_map(|(log, below)| 10_f64.powf(log) * if below { -1.0 } else { 1.0 });
    // As many in the last minutes as before.
    let ago = prop_oneof![0.001..200.0_f64, 0.001..3600.0_f64];
    (ago, value)
}
