//! The seed's paths: what they answer, and what they refuse.

use serde_json::{Value as Json, json};

use super::{ago, check, holding, metric};
use crate::api::engine::HOSTILE;
use crate::common::get;

#[test]
fn the_seeds_paths_answer_as_the_seed_does() {
    let door = holding(&[
        metric(ago(200), "database", "query_latency_ms", "histogram", 10.0),
        metric(ago(100), "database", "query_latency_ms", "histogram", 30.0),
        metric(ago(2), "own part", HOSTILE, "gauge", 1.5),
    ]);
    let health = check(&door, "/health", 200, &[("/status", "healthy".into())]);
    assert_eq!(health["metrics_collector"], "running");
    assert_eq!(health["websocket_clients"], 0);
    let summary = [
        ("/window_seconds", 300.into()),
        ("/total_metrics", 2.into()),
        ("/total_points", 3.into()),
        ("/alert_count", 0.into()),
        (
            "/sources/database/database.query_latency_ms/stats/avg",
            20.0.into(),
        ),
        (
            "/sources/database/database.query_latency_ms/type",
            "histogram".into(),
        ),
    ];
    check(&door, "/api/metrics/summary", 200, &summary);
    let short = [("/window_seconds", 60.into()), ("/total_points", 1.into())];
    check(&door, "/api/metrics/summary?window=60", 200, &short);
    let one = [("/total_metrics", 1.into())];
    check(&door, "/api/metrics/summary?source=own%20part", 200, &one);
    // As the seed's own page asks.
    check(
        &door,
        "/api/metrics/summary?window=300&source=",
        200,
        &summary,
    );
    let none = [("/total_metrics", 0.into()), ("/sources", json!({}))];
    check(&door, "/api/metrics/summary?source=coalition", 200, &none);
    let sources = json!([
        "database",
        "websocket",
        "agent",
        "system",
        "inference",
        "coalition",
        "own part"
    ]);
    check(&door, "/api/metrics/sources", 200, &[("/sources", sources)]);
    let path = "/api/metrics/history/database/query_latency_ms";
    let history = [
        ("/source", "database".into()),
        ("/metric", "query_latency_ms".into()),
        ("/duration_seconds", 3600.into()),
        ("/data_points", 2.into()),
        ("/data/0/value", 10.0.into()),
        ("/data/1/value", 30.0.into()),
    ];
    let found = check(&door, path, 200, &history);
    let time = found["data"][0]["timestamp"].as_str().expect("a time");
    assert!(time.ends_with("+00:00"), "{time}");
    // To the microsecond: what parses the seed's times reads no further.
    assert!(
        time.len() <= "2025-11-20T12:00:00.123456+00:00".len(),
        "{time}"
    );
    let recent = [("/data_points", 1.into())];
    check(&door, &format!("{path}?duration=150"), 200, &recent);
    let none = [("/data_points", 0.into()), ("/data", json!([]))];
    check(&door, "/api/metrics/history/agent/none", 200, &none);
    check(
        &door,
        "/api/metrics/history/agent/a/b%2Fc",
        200,
        &[("/metric", "a/b/c".into())],
    );
    check(
        &door,
        "/api/export/json",
        200,
        &[("/window_seconds", 3600.into())],
    );
    let text = get(door.addresses().dashboard, "/api/export/prometheus", &[]);
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let lines: Vec<String> = text.text().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "# FreeAgentics Performance Metrics");
    assert!(
        lines[2..].iter().all(|line| {
            let (key, value) = line.split_once(' ').expect("a key and a value");
            key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && value.parse::<f64>().is_ok()
        }),
        "{lines:?}"
    );
    assert!(lines.contains(&"database_query_latency_ms_avg 20.000000".to_owned()));
}

#[test]
fn what_the_seed_refuses_or_breaks_at_is_a_400() {
    let door = holding(&[]);
    let error = |said: &str| vec![("/error", Json::from(said))];
    check(
        &door,
        "/api/metrics/summary?source=x",
        400,
        &error("Invalid source: x"),
    );
    check(
        &door,
        "/api/metrics/history/x/m",
        400,
        &error("Invalid source: x"),
    );
    check(
        &door,
        "/api/export/csv",
        400,
        &error("Unsupported format: csv"),
    );
    let window = "`window` is \"abc\"; it takes a whole number from 1 to 3600";
    check(
        &door,
        "/api/metrics/summary?window=abc",
        400,
        &error(window),
    );
    for query in [
        "window=0",
        "window=-1",
        "window=NaN",
        "window=3601",
        "window=",
        "windo=1",
        "window=1&window=1",
        "source=%0A",
        "source=%FF",
    ] {
        check(&door, &format!("/api/metrics/summary?{query}"), 400, &[]);
    }
    for query in ["duration=0", "duration=604801", "duration=1e3", "x=1"] {
        check(
            &door,
            &format!("/api/metrics/history/agent/m?{query}"),
            400,
            &[],
        );
    }
    check(&door, "/api/metrics/history/agent/%FF", 400, &[]);
    check(&door, "/api/metrics/history/agent/%00", 400, &[]);
    assert_eq!(
        get(door.addresses().dashboard, "/api/metrics", &[]).status,
        404
    );
    assert_eq!(get(door.addresses().dashboard, "/ws", &[]).status, 426);
}
