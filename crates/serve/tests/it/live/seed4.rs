//! Windows against the fourth seed's figures.

use std::time::Duration;

use serde_json::Value as Json;
use tachograph_model::{Column, Event};
use tachograph_serve::live::{Family, State, Stats};

use super::{at, close, metric, now, seconds_ago, taken, window};

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
    let cases: Json =
        serde_json::from_str(include_str!("../data/summary/aggregates.json")).unwrap();
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
    let points: Json = serde_json::from_str(include_str!("../data/summary/points.json")).unwrap();
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
        (60, include_str!("../data/summary/expected_summary_60.json")),
        (
            300,
            include_str!("../data/summary/expected_summary_300.json"),
        ),
        (
            3600,
            include_str!("../data/summary/expected_summary_3600.json"),
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
