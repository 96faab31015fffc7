//! The JSON door, against the third seed's conformance cases.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value as Json, json};
use tachograph_model::{Column, Event, UnixNanos, Value};
use tachograph_stats::{Fraction, Sample, quantile};

use super::checked::checked;
use super::{OPEN, append, metric, scrape, tool};
use crate::common::{Door, get, post};

/// A call of the seed's, as the event that records it.
fn replayed(operation: &Json) -> Event {
    let name = operation[1].as_str().unwrap_or_default();
    let call = operation[0].as_str().unwrap();
    if let Some(what) = call.strip_prefix("set_") {
        return metric("system", what, operation[1].as_f64().unwrap());
    }
    if let Some(what) = call.strip_prefix("record_cache_") {
        return Event::new(UnixNanos::now(), "cache")
            .with(Column::Name, name)
            .with(Column::Status, what);
    }
    let mut event = tool(name, operation[3].as_f64().unwrap());
    event.set(
        Column::Success,
        Some(operation[2].as_bool().unwrap().into()),
    );
    if let Some(error) = operation[4].as_str() {
        event.set(Column::ErrorType, Some(error.into()));
    }
    event
}

#[test]
fn the_json_is_the_third_seed_s() {
    // The same cases as the recorder's, which lie with it.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../record/tests/data/live_windows");
    for case in [
        "01_scripted_sequence",
        "05_single_and_empty",
        "07_test_success_and_hit_rates",
    ] {
        let read = |file: &str| -> Json {
            let text = std::fs::read(folder.join(case).join(file)).unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        let operations = read("ops.json");
        let operations = operations.as_array().unwrap();
        let door = Door::open();
        let events: Vec<Event> = operations.iter().map(replayed).collect();
        append(&door, &events);
        let mut expected = read("expected.json");
        with_our_differences(&mut expected, operations);
        for path in ["/metrics", "/metrics/", "/metrics?a=b&a", "/metrics/?"] {
            let reply = get(door.addresses().json, path, &[]);
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(reply.header("content-type"), Some("application/json"));
            same(case, &reply.json(), &expected);
            assert!(
                reply.text().starts_with("{\n  \"enabled\": true,\n"),
                "indent of 2"
            );
        }
    }
}

/// Percentiles of type 7, and caches that only evict are there.
fn with_our_differences(expected: &mut Json, operations: &[Json]) {
    for (tool, stats) in expected["tool_metrics"].as_object_mut().unwrap() {
        let calls = operations
            .iter()
            .filter(|op| op[0] == "record_tool_call" && op[1] == tool.as_str());
        let (sample, _) = Sample::new(calls.filter_map(|op| op[3].as_f64()).collect());
        let sample = sample.unwrap();
        for (key, fraction) in [
            ("p50", Fraction::MEDIAN),
            ("p95", Fraction::P95),
            ("p99", Fraction::P99),
        ] {
            stats[format!("{key}_latency_ms")] = json!(quantile(&sample, fraction));
        }
    }
    let known = expected["cache_metrics"].as_object_mut().unwrap();
    let looked_up: HashSet<String> = known.keys().cloned().collect();
    for operation in operations {
        let key = match operation[0].as_str() {
            Some("record_cache_eviction") => "evictions",
            Some("record_cache_size_rejection") => "size_rejections",
            _ => continue,
        };
        let name = operation[1].as_str().unwrap();
        if looked_up.contains(name) {
            continue;
        }
        let cache = known.entry(name).or_insert_with(|| {
            json!({"cache_name": name, "hits": 0, "misses": 0, "total_requests": 0,
                   "hit_rate": 0.0, "evictions": 0, "size_rejections": 0})
        });
        cache[key] = json!(cache[key].as_u64().unwrap() + 1);
    }
}

/// Same keys in the same order, numbers within half a hundredth, `<…>` any.
fn same(at: &str, found: &Json, expected: &Json) {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => {
            let keys: Vec<_> = found.keys().collect();
            assert_eq!(keys, expected.keys().collect::<Vec<_>>(), "{at}");
            for (key, value) in expected {
                same(&format!("{at}.{key}"), &found[key], value);
            }
        }
        (_, Json::String(any)) if any.starts_with('<') => assert!(found.is_number(), "{at}"),
        (Json::Number(a), Json::Number(b)) => {
            assert_eq!(a.is_f64(), b.is_f64(), "{at}: {a} {b}");
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 0.005 + 1e-9, "{at}: {a} is not {b}");
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

#[test]
fn the_json_door_serves_what_the_seed_s_does_and_no_more() {
    let door = Door::open();
    let json = door.addresses().json;
    for path in ["/health", "/health/", "/health?x"] {
        let reply = get(json, path, &[]);
        assert_eq!(reply.status, 200);
        assert_eq!(
            reply.text(),
            r#"{"status": "ok", "service": "metrics-server"}"#
        );
    }
    for path in ["/", "/metricsx", "/health/x", "/favicon.ico"] {
        assert_eq!(get(json, path, &[]).status, 404, "{path}");
    }
    for path in ["/metrics", "/health"] {
        let reply = post(json, path, &[], b"{}");
        assert_eq!(reply.status, 405, "{path}");
        let reply = get(json, path, &[]);
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
}

#[test]
fn the_last_thousand_latencies_count_and_all_calls_do() {
    let door = Door::open();
    let events: Vec<Event> = (1..=1100).map(|ms| tool("t", f64::from(ms))).collect();
    append(&door, &events);
    let all = get(door.addresses().json, "/metrics", &[]).json();
    let tool = &all["tool_metrics"]["t"];
    assert_eq!(tool["total_calls"], 1100);
    assert_eq!(tool["avg_latency_ms"], 550.5);
    assert_eq!(tool["min_latency_ms"], 101.0);
    assert_eq!(tool["p50_latency_ms"], 600.5);
    assert_eq!(tool["p99_latency_ms"], 1090.01);
    assert_eq!(all["system_metrics"]["total_requests"], 1100);
}

#[test]
fn what_does_not_tell_how_it_ended_is_no_success() {
    let door = Door::open();
    let events = [Some(true), Some(true), Some(false), None, None].map(|success| {
        let mut event = tool("t", 1.0);
        event.set(Column::Success, success.map(Value::Bool));
        event
    });
    append(&door, &events);
    let all = get(door.addresses().json, "/metrics", &[]).json();
    let found = |key: &str| all["tool_metrics"]["t"][key].clone();
    assert_eq!(found("total_calls"), 5);
    assert_eq!(found("successful_calls"), 2);
    assert_eq!(found("failed_calls"), 1);
    assert_eq!(found("success_rate"), 66.67);
    let samples = checked(&scrape(&door, OPEN), true);
    for (status, calls) in [("ok", 2.0), ("error", 1.0), ("unknown", 2.0)] {
        let name = format!(r#"tachograph_tool_calls_total{{tool="t",status="{status}"}}"#);
        assert_eq!(samples[&name], calls, "{status}");
    }
}
