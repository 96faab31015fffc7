//! The seed's figures, with a pinned clock and over the network.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tachograph_model::{Column, Event};
use tachograph_serve::api::seed4::shape;
use tachograph_serve::live::{Family, Reading, State};

use super::{ago, at, check, expected, holding, metric, now, same};
use crate::common::get;

/// The case's points, its metrics in its order, read at its time.
fn readings(source: Option<&str>, seconds: u64) -> Vec<Reading> {
    let points: Json = serde_json::from_str(include_str!("../../data/summary/points.json"))
        .expect("as the case has it");
    let mut state = State::new(4096);
    let keys = points.as_object().expect("as the case has it").iter();
    let mut names = Vec::new();
    for (key, points) in keys {
        let (source, name) = key.split_once('.').expect("as the case has it");
        for point in points.as_array().expect("as the case has it") {
            let time = at(point[0].as_str().expect("as the case has it"));
            let (value, kind) = (
                point[1].as_f64().expect("as the case has it"),
                point[2].as_str().expect("as the case has it"),
            );
            state.take(&metric(time, source, name, kind, value).to_line(), now());
        }
        names.push((source.to_owned(), name.to_owned()));
    }
    let length = Duration::from_secs(seconds);
    names
        .iter()
        .filter(|(of, _)| source.is_none_or(|source| source == of))
        .filter_map(|(source, name)| state.reading(Family::Metric, source, name, length, now()))
        .collect()
}

#[test]
fn summaries_and_exports_are_the_seeds() {
    let check = |seconds: u64, source: Option<&str>, text: &str| {
        let length = Duration::from_secs(seconds);
        let found = shape::summary(&readings(source, seconds), length, now(), &[]);
        same(&found, &expected(text), &format!("{seconds}"));
    };
    check(
        60,
        None,
        include_str!("../../data/summary/expected_summary_60.json"),
    );
    check(
        300,
        None,
        include_str!("../../data/summary/expected_summary_300.json"),
    );
    check(
        3600,
        None,
        include_str!("../../data/summary/expected_summary_3600.json"),
    );
    let database = include_str!("../../data/summary/expected_summary_database_300.json");
    check(300, Some("database"), database);
    let text = include_str!("../../data/summary/expected_export.prom");
    let text = text.replace("12:00:00\n", "12:00:00+00:00\n");
    assert_eq!(shape::export(&readings(None, 3600), now()), text);
    let minute = Duration::from_secs(60);
    let update = shape::update(&readings(None, 60), minute, now(), &[]);
    same(
        &update,
        &expected(include_str!("../../data/summary/expected_update.json")),
        "update",
    );
}

#[test]
fn windows_of_any_series_have_every_figure() {
    let call = |seconds, ms, success| {
        Event::new(ago(seconds), "tool_call")
            .with(Column::Name, "search")
            .with(Column::DurationMs, ms)
            .with(Column::Success, success)
    };
    let mut events = vec![call(50, 10.0, true), call(30, 30.0, false)];
    let many = (0..1500).map(|at| metric(ago(5), "agent", "many", "gauge", f64::from(at)));
    events.extend(many);
    events.push(metric(ago(5), "system", "one", "gauge", 7.0).with(Column::Unit, "MiB"));
    let door = holding(&events);
    let address = door.addresses().dashboard;
    let live = |query: &str| get(address, &format!("/api/v1/live{query}"), &[]);
    let tools = live("?family=tool&window=60").json();
    assert_eq!(
        (&tools["family"], &tools["window_seconds"]),
        (&"tool".into(), &60.into())
    );
    let series = &tools["series"][0];
    for (key, value) in [
        ("name", json!("search")),
        ("unit", json!("ms")),
        ("type", Json::Null),
        ("count", 2.into()),
        ("failed", 1.into()),
        ("p50", 20.0.into()),
        ("latest", 30.0.into()),
        ("relative_error", 0.0.into()),
    ] {
        assert_eq!(series[key], value, "{key}: {series}");
    }
    let change = series["change_per_second"].as_f64().expect("a change");
    assert!((change - 1.0).abs() < 0.1, "{change}");
    let one = live("?source=system").json();
    assert_eq!(one["series"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&one["family"], &one["series"][0]["unit"]),
        (&"metric".into(), &"MiB".into())
    );
    assert_eq!(one["series"][0]["change_per_second"], Json::Null);
    assert_eq!(live("?family=cache").json()["series"], json!([]));
    for query in [
        "?family=tools",
        "?window=0",
        "?window=x",
        "?since=x",
        "?source=",
    ] {
        let reply = live(query);
        assert_eq!(reply.status, 400, "{query}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
    }
    // Too many to be exact: the seed's figures say so, and only then.
    let summary = check(&door, "/api/metrics/summary", 200, &[]);
    let error = summary["sources"]["agent"]["agent.many"]["stats"]["relative_error"].as_f64();
    assert!(
        error.is_some_and(|error| (0.0001..0.01).contains(&error)),
        "{summary}"
    );
    let exact = &summary["sources"]["system"]["system.one"]["stats"];
    assert_eq!(exact.get("relative_error"), None);
}
