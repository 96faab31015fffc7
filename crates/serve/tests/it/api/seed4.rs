//! The fourth seed's API: its figures with a pinned clock, its paths over the
//! network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::api::seed4::shape;
use tachograph_serve::live::{Family, Reading, State};

use super::engine::{Engine, HOSTILE, door};
use crate::common::{Door, config, get, post};

pub(super) fn metric(time: UnixNanos, source: &str, name: &str, kind: &str, value: f64) -> Event {
    Event::new(time, "metric")
        .with(Column::Source, source)
        .with(Column::Name, name)
        .with(Column::Type, kind)
        .with(Column::Value, value)
}

/// Same keys in the same order, same figures.
fn same(found: &Json, expected: &Json, at: &str) {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => {
            let keys =
                |object: &serde_json::Map<String, Json>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(found), keys(expected), "{at}");
            for (key, value) in expected {
                same(&found[key], value, &format!("{at}/{key}"));
            }
        }
        (Json::Number(found), Json::Number(expected)) => {
            let (found, expected) = (
                found.as_f64().expect("as the case has it"),
                expected.as_f64().expect("as the case has it"),
            );
            let near = (found - expected).abs() <= 1e-9 * expected.abs();
            assert!(near, "{at}: {found} is not {expected}");
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

/// The case's points, its metrics in its order, read at its time.
fn readings(source: Option<&str>, seconds: u64) -> Vec<Reading> {
    let points: Json = serde_json::from_str(include_str!("../data/summary/points.json"))
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

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text, true).expect("as the case has it")
}

fn now() -> UnixNanos {
    at("2025-11-20T12:00:00")
}

/// What the seed wrote, its naive time in UTC.
fn expected(text: &str) -> Json {
    let naive = "2025-11-20T12:00:00\"";
    serde_json::from_str(&text.replace(naive, "2025-11-20T12:00:00+00:00\""))
        .expect("as the case has it")
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
        include_str!("../data/summary/expected_summary_60.json"),
    );
    check(
        300,
        None,
        include_str!("../data/summary/expected_summary_300.json"),
    );
    check(
        3600,
        None,
        include_str!("../data/summary/expected_summary_3600.json"),
    );
    let database = include_str!("../data/summary/expected_summary_database_300.json");
    check(300, Some("database"), database);
    let text = include_str!("../data/summary/expected_export.prom");
    let text = text.replace("12:00:00\n", "12:00:00+00:00\n");
    assert_eq!(shape::export(&readings(None, 3600), now()), text);
    let minute = Duration::from_secs(60);
    let update = shape::update(&readings(None, 60), minute, now(), &[]);
    same(
        &update,
        &expected(include_str!("../data/summary/expected_update.json")),
        "update",
    );
}

/// A door whose log has these events, read by live state.
pub(super) fn holding(events: &[Event]) -> Door {
    let door = door(config(), Arc::new(Engine::default()));
    append(&door, events);
    door
}

pub(super) fn append(door: &Door, events: &[Event]) {
    let home = Home::create(door.folder()).expect("a home");
    let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
    let live = &door.running().hub().live;
    let before = live.overview().events;
    Appender::new(&home).append(&lines).expect("appended");
    live.wake();
    let patience = Instant::now() + Duration::from_secs(20);
    while live.overview().events < before + events.len() as u64 {
        assert!(
            Instant::now() < patience,
            "live state sees {:?}",
            live.overview()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn ago(seconds: u64) -> UnixNanos {
    UnixNanos::now().saturating_sub(Duration::from_secs(seconds))
}

#[track_caller]
fn check(door: &Door, path: &str, status: u16, members: &[(&str, Json)]) -> Json {
    let reply = get(door.addresses().dashboard, path, &[]);
    assert_eq!(reply.status, status, "{path}: {}", reply.text());
    let json = reply.json();
    for (pointer, value) in members {
        assert_eq!(
            json.pointer(pointer),
            Some(value),
            "{path} {pointer}: {json}"
        );
    }
    if status >= 400 {
        assert!(json["error"].is_string(), "{path}: {json}");
    }
    json
}

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
    let cases: Json = serde_json::from_str(include_str!("../data/limits/thresholds.json"))
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
    let cases: Json = serde_json::from_str(include_str!("../data/limits/architecture.json"))
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

fn add(door: &Door, rule: &Json) -> (u16, Json) {
    let json = [("content-type", "application/json")];
    let body = rule.to_string();
    let reply = post(
        door.addresses().dashboard,
        "/api/alerts/rules",
        &json,
        body.as_bytes(),
    );
    (reply.status, reply.json())
}

#[test]
fn rules_are_kept_and_alerts_listed() {
    let door = holding(&[]);
    let nothing = [
        ("/alerts", json!([])),
        ("/rules", json!([])),
        ("/total_alerts", 0.into()),
        ("/active_rules", 0.into()),
    ];
    check(&door, "/api/alerts", 200, &nothing);
    let rule = |name: &str| {
        json!({"name": name, "metric_name": "cpu_usage_percent", "source": "system",
            "condition": "avg > 90", "threshold": 90, "severity": "critical"})
    };
    let (status, said) = add(&door, &rule(HOSTILE));
    assert_eq!(status, 400, "a name with an escape: {said}");
    let (status, said) = add(&door, &rule("<b>high</b> '\"&"));
    assert_eq!(status, 200);
    let message = "Alert rule '<b>high</b> '\"&' added successfully";
    assert_eq!(said, json!({"status": "success", "message": message}));
    let mut off = rule("off");
    off["enabled"] = false.into();
    assert_eq!(add(&door, &off).0, 200);
    let two = [
        ("/rules/0/name", "<b>high</b> '\"&".into()),
        ("/rules/0/window_seconds", 300.into()),
        ("/rules/0/threshold", 90.0.into()),
        ("/rules/1/enabled", false.into()),
        ("/active_rules", 1.into()),
    ];
    check(&door, "/api/alerts", 200, &two);
    let (status, said) = add(&door, &json!({"name": "x", "threshold": 1}));
    let missing = "Missing required fields: ['metric_name', 'source', 'condition']";
    assert_eq!((status, &said), (400, &json!({"error": missing})));
    for body in ["", "{", "[]", "null", "\"rule\""] {
        let json = [("content-type", "application/json")];
        let reply = post(
            door.addresses().dashboard,
            "/api/alerts/rules",
            &json,
            body.as_bytes(),
        );
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json()["error"].is_string());
    }
    let mut huge = rule("huge");
    huge["description"] = "x".repeat(20_000).into();
    assert_eq!(add(&door, &huge).0, 413);
    std::fs::write(door.folder().join("alerts/rules.json"), "broken").expect("written");
    check(&door, "/api/alerts", 500, &[]);
    assert_eq!(add(&door, &rule("y")).0, 500);

    // Without asking anybody: this engine answers nothing.
    let door = Door::open();
    let old = Event::new(ago(2), "alert").with(Column::Name, "bare");
    let event = Event::new(ago(1), "alert")
        .with(Column::Name, "slow")
        .with(Column::Source, "agent")
        .with(Column::Type, "warning")
        .with(Column::Status, "firing")
        .with(Column::Value, 120.5)
        .with(
            Column::Tags,
            json!({"metric": "m", "condition": "p95 > 100", "threshold": 100, "window_seconds": 60})
                .as_object()
                .expect("an object")
                .clone(),
        );
    append(&door, &[old, event]);
    let listed = [
        ("/total_alerts", 2.into()),
        ("/alerts/0/rule_name", "bare".into()),
        ("/alerts/0/threshold", Json::Null),
        ("/alerts/1/rule_name", "slow".into()),
        ("/alerts/1/source", "agent".into()),
        ("/alerts/1/severity", "warning".into()),
        ("/alerts/1/status", "firing".into()),
        ("/alerts/1/actual_value", 120.5.into()),
        ("/alerts/1/metric_name", "m".into()),
        ("/alerts/1/condition", "p95 > 100".into()),
        ("/alerts/1/threshold", 100.into()),
        ("/alerts/1/window_seconds", 60.into()),
        ("/alerts/1/description", Json::Null),
    ];
    check(&door, "/api/alerts", 200, &listed);
    check(
        &door,
        "/api/metrics/summary",
        200,
        &[("/alert_count", 2.into())],
    );
    // The newest hundred.
    let many = (0..150).map(|at| Event::new(ago(0), "alert").with(Column::Name, format!("a{at}")));
    append(&door, &many.collect::<Vec<_>>());
    let newest = [
        ("/total_alerts", 100.into()),
        ("/alerts/0/rule_name", "a50".into()),
        ("/alerts/99/rule_name", "a149".into()),
    ];
    check(&door, "/api/alerts", 200, &newest);
}

mod ws {
    //! Over the WebSocket.

    use super::*;
    use crate::api::socket::{self, Socket, closed, next};
    use tungstenite::Message;
    use tungstenite::protocol::frame::coding::CloseCode;

    pub(super) fn connect(door: &Door) -> Result<Socket, u16> {
        socket::connect(door, "/ws")
    }

    fn of_type(socket: &mut Socket, kind: &str) -> Json {
        loop {
            let message = next(socket);
            if message["type"] == kind {
                return message;
            }
        }
    }

    #[test]
    fn pushes_come_every_second_and_sooner_with_news() {
        let door = holding(&[metric(ago(1), "system", "cpu_usage_percent", "gauge", 40.0)]);
        let mut socket = connect(&door).expect("a websocket");
        let first = next(&mut socket);
        assert_eq!(first["type"], "initial_data");
        assert_eq!(
            first["data"]["charts"]["system"]["cpu_usage"]["current"],
            40.0
        );
        assert_eq!(first["data"]["summary"]["window_seconds"], 60);
        assert_eq!(first["data"]["alerts"], json!([]));
        assert_eq!(
            get(door.addresses().dashboard, "/health", &[]).json()["websocket_clients"],
            1
        );
        let began = Instant::now();
        let update = next(&mut socket);
        assert_eq!(update["type"], "metrics_update");
        let took = began.elapsed();
        assert!(
            (700..2500).contains(&took.as_millis()),
            "without news: {took:?}"
        );
        let began = Instant::now();
        append(
            &door,
            &[metric(ago(0), "system", "cpu_usage_percent", "gauge", 80.0)],
        );
        let current =
            |update: &Json| update["data"]["charts"]["system"]["cpu_usage"]["current"].clone();
        while current(&next(&mut socket)) != 80.0 {}
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        socket
            .send(Message::text(r#"{"type":"ping"}"#))
            .expect("sent");
        assert!(of_type(&mut socket, "pong")["timestamp"].is_string());
        for odd in [
            "",
            "ping",
            "{",
            "[]",
            r#"{"type":7}"#,
            r#"{"type":"subscribe"}"#,
        ] {
            socket.send(Message::text(odd)).expect("sent");
        }
        socket.send(Message::binary(vec![0_u8; 64])).expect("sent");
        assert_eq!(
            of_type(&mut socket, "metrics_update")["type"],
            "metrics_update"
        );
    }

    /// The seed's case, its points as of now and its time left out.
    #[test]
    fn what_is_pushed_is_the_seed_s() {
        let points: Json = serde_json::from_str(include_str!("../data/summary/points.json"))
            .expect("as the case has it");
        // By 20 seconds more than that: those of the minute stay in it while
        // this goes on, and what is ahead counts as now.
        let moved = UnixNanos::now().0 - super::now().0 + 20_000_000_000;
        let mut events = Vec::new();
        for (key, points) in points.as_object().expect("as the case has it") {
            let (source, name) = key.split_once('.').expect("as the case has it");
            for point in points.as_array().expect("as the case has it") {
                let time = at(point[0].as_str().expect("as the case has it"));
                let kind = point[2].as_str().expect("as the case has it");
                let value = point[1].as_f64().expect("as the case has it");
                events.push(metric(UnixNanos(time.0 + moved), source, name, kind, value));
            }
        }
        let door = holding(&events);
        let mut socket = connect(&door).expect("a websocket");
        let mut wanted = expected(include_str!("../data/summary/expected_update.json"));
        for kind in ["initial_data", "metrics_update", "metrics_update"] {
            let message = next(&mut socket);
            let keys: Vec<&String> = message.as_object().expect("a message").keys().collect();
            assert_eq!(keys, ["type", "timestamp", "data"]);
            assert_eq!(message["type"], kind);
            let time = &message["data"]["summary"]["timestamp"];
            assert_eq!(time, &message["timestamp"]);
            wanted["summary"]["timestamp"] = time.clone();
            same(&message["data"], &wanted, kind);
        }
    }

    #[test]
    fn what_all_wait_for_is_made_once() {
        let engine = Engine {
            takes: Duration::from_millis(100),
            ..Engine::default()
        };
        let door = door(config(), Arc::new(engine));
        append(&door, &[Event::new(ago(1), "alert")]);
        let barrier = std::sync::Barrier::new(8);
        let first = || {
            barrier.wait();
            next(&mut connect(&door).expect("a websocket"))["timestamp"].to_string()
        };
        let times: std::collections::HashSet<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(first)).collect();
            let times = clients.into_iter().map(|client| client.join());
            times.map(|time| time.expect("a message")).collect()
        });
        // A busy machine may take longer than one push is fresh.
        assert!(times.len() <= 2, "{times:?}");
    }

    #[test]
    fn too_many_too_much_and_too_late_end() {
        let mut config = config();
        config.limits.websockets = 2;
        let door = door(config, Arc::new(Engine::default()));
        let mut one = connect(&door).expect("one");
        let mut other = connect(&door).expect("another");
        assert_eq!(connect(&door).err(), Some(429));
        for _ in 0..200 {
            if one.send(Message::text(r#"{"type":"ping"}"#)).is_err() {
                break;
            }
        }
        let code = closed(&mut one);
        assert!(matches!(code, Some(CloseCode::Policy) | None), "{code:?}");
        // A message over the limit ends it.
        let _ = other.send(Message::text("x".repeat(100_000)));
        closed(&mut other);
        let patience = Instant::now() + Duration::from_secs(10);
        let mut last = loop {
            match connect(&door) {
                Ok(socket) => break socket,
                Err(status) => assert_eq!(status, 429),
            }
            assert!(Instant::now() < patience, "places come free");
            std::thread::sleep(Duration::from_millis(20));
        };
        // Leaving says so.
        let left = std::thread::spawn(move || closed(&mut last));
        std::thread::sleep(Duration::from_millis(100));
        drop(door);
        assert_eq!(left.join().expect("ended"), Some(CloseCode::Away));
    }
}
