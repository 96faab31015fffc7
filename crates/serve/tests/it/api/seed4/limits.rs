//! The limits beyond which the seed shows a metric as too much.

use serde_json::Value as Json;

use super::{ago, holding, metric};
use crate::common::{Door, get};

/// The limits of a metric whose values came one by one, as it is shown.
fn limits(door: &Door, source: &str, name: &str) -> Vec<Json> {
    let path = format!("/api/v1/live?family=metric&source={source}");
    let live = get(door.addresses().dashboard, &path, &[]).json();
    let series = live["series"].as_array().expect("series").iter();
    let mut found = series.filter(|series| series["name"] == name);
    let found = found
        .next()
        .unwrap_or_else(|| panic!("{source}.{name}: {live}"));
    found["limits"].as_array().expect("limits").clone()
}

#[test]
fn thresholds_are_the_seed_s() {
    let cases: Json = serde_json::from_str(include_str!("../../data/limits/thresholds.json"))
        .expect("as the case has it");
    let cases = cases.as_array().expect("as the case has it");
    let text = |value: &Json| value.as_str().expect("a text").to_owned();
    // Below the limit, then above it.
    for (factor, exceeded) in [(0.99, false), (1.01, true)] {
        let mut events = Vec::new();
        for case in cases {
            let (_, limit) = case[2]
                .as_object()
                .expect("a limit")
                .iter()
                .next()
                .expect("one");
            let value = limit[1].as_f64().expect("a number") * factor;
            events.push(metric(
                ago(1),
                &text(&case[0]),
                &text(&case[1]),
                "gauge",
                value,
            ));
        }
        let door = holding(&events);
        for case in cases {
            let (name, limit) = case[2]
                .as_object()
                .expect("a limit")
                .iter()
                .next()
                .expect("one");
            let found = limits(&door, &text(&case[0]), &text(&case[1]));
            assert_eq!(found.len(), 1, "{case}: {found:?}");
            assert_eq!(found[0]["name"], **name, "{case}");
            assert_eq!(found[0]["above"].as_f64(), limit[1].as_f64(), "{case}");
            assert_eq!(found[0]["exceeded"], exceeded, "{case}: {found:?}");
        }
    }
}

#[test]
fn limits_of_the_architecture_are_the_seed_s() {
    let cases: Json = serde_json::from_str(include_str!("../../data/limits/architecture.json"))
        .expect("as the case has it");
    for case in cases.as_array().expect("as the case has it") {
        let text = |key: &str| case[key].as_str().expect("a text");
        let (source, name) = (text("source"), text("metric"));
        let values = case["values"].as_array().expect("values");
        let events = values.iter().enumerate().map(|(at, value)| {
            let time = ago((values.len() - at) as u64);
            metric(
                time,
                source,
                name,
                "gauge",
                value.as_f64().expect("a number"),
            )
        });
        let door = holding(&events.collect::<Vec<_>>());
        let found = limits(&door, source, name);
        let beyond: Vec<&Json> = found
            .iter()
            .filter(|limit| limit["type"] != "threshold" && limit["exceeded"] == true)
            .collect();
        let wanted = case["expected"].as_array().expect("what is expected");
        assert_eq!(beyond.len(), wanted.len(), "{case}: {found:?}");
        for (found, wanted) in beyond.iter().zip(wanted) {
            for (ours, theirs) in [
                ("type", "type"),
                ("severity", "severity"),
                ("baseline", "baseline"),
                ("value", "current"),
                ("change_percent", "change_percent"),
            ] {
                let (found, wanted) = (&found[ours], &wanted[theirs]);
                let same = match (found.as_f64(), wanted.as_f64()) {
                    (Some(found), Some(wanted)) => (found - wanted).abs() <= 1e-9 * wanted.abs(),
                    _ => found == wanted,
                };
                assert!(same, "{case} {ours}: {found} is not {wanted}");
            }
        }
    }
}
