//! Live state as scrapers read it: the third seed's JSON against its
//! conformance cases, and Prometheus' text against the rules of its forms.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos, Value};
use tachograph_stats::{Fraction, Sample, quantile};

use crate::common::{Door, get, post};

fn append(door: &Door, events: &[Event]) {
    let before = door.running().hub().live.overview().events;
    let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
    let home = Home::create(door.folder()).unwrap();
    Appender::new(&home).append(&lines).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while door.running().hub().live.overview().events < before + events.len() as u64 {
        assert!(Instant::now() < deadline, "it does not show up");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn tool(name: &str, ms: f64) -> Event {
    Event::new(UnixNanos::now(), "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, ms)
        .with(Column::Success, true)
}

fn metric(source: &str, name: &str, value: f64) -> Event {
    Event::new(UnixNanos::now(), "metric")
        .with(Column::Source, source)
        .with(Column::Name, name)
        .with(Column::Type, "gauge")
        .with(Column::Value, value)
}

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

/// Events of every kind, with names that break a careless writer.
fn hostile() -> Vec<Event> {
    let mut events = Vec::new();
    for name in [
        "plain",
        "quo\"te",
        "back\\slash",
        "new\nline",
        "tab\tbell\u{7}",
        "{le=\"1\"} 5",
        "",
        "é漢🦀",
        "# HELP x",
        "a\\",
        "trailing\\\n",
        "\r",
        "_other",
    ] {
        for (event_type, column) in [
            ("tool_call", Column::Name),
            ("cache", Column::Name),
            ("agent_usage", Column::Agent),
            ("query", Column::Agent),
            ("agent_selection", Column::Agent),
            ("error", Column::ErrorType),
            ("loss", Column::Status),
            (name, Column::Name),
        ] {
            events.push(
                Event::new(UnixNanos::now(), event_type)
                    .with(Column::Agent, name)
                    .with(column, name)
                    .with(Column::DurationMs, 3.5)
                    .with(Column::Success, name.len() % 2 == 0),
            );
        }
        let call = Event::new(UnixNanos::now(), "llm_call");
        let call = call.with(Column::Source, name).with(Column::Name, name);
        let call = call.with(Column::Agent, name);
        events.push(
            call.with(Column::DurationMs, 7e5)
                .with(Column::CostUsd, 0.1),
        );
        for (source, value) in [("system", 1.0), ("process", 2.0), (name, f64::MAX)] {
            events.push(metric(source, name, value));
            events.push(metric(source, &format!("{name}_cpu_percent"), value));
        }
        let amount = metric("counters", name, 5.0);
        events.push(amount.with(Column::Type, "counter"));
    }
    for name in [
        "memory_usage_percent",
        "memory_available_mb",
        "disk_read_mb_per_sec",
        "disk_write_mb_per_sec",
        "network_received_mb_per_sec",
        "network_sent_mb_per_sec",
    ] {
        events.push(metric("system", name, 2.0));
    }
    events.push(metric("system", "cpu_usage_percent", 37.5));
    events.push(metric("process", "claude_memory_mb", 3.0));
    events.push(metric("process", "claude_count", 1.0));
    events
}

const OPEN: &str = "application/openmetrics-text; version=1.0.0";

fn scrape(door: &Door, accept: &str) -> String {
    let reply = get(
        door.addresses().prometheus,
        "/metrics",
        &[("accept", accept)],
    );
    assert_eq!(reply.status, 200);
    let ty = match accept {
        OPEN => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        _ => "text/plain; version=0.0.4; charset=utf-8",
    };
    assert_eq!(reply.header("content-type"), Some(ty));
    reply.text()
}

#[test]
fn the_text_keeps_to_the_rules_whatever_the_names() {
    let door = Door::open();
    append(&door, &hostile());
    let text = scrape(&door, "text/plain");
    let samples = checked(&text, false);
    let open = scrape(&door, OPEN);
    assert_eq!(checked(&open, true).len(), samples.len());
    let value = |key: &str| samples.get(key).copied().unwrap_or_else(|| panic!("{key}"));
    for (key, wanted) in [
        (
            r#"tachograph_tool_calls_total{tool="plain",status="error"}"#,
            1.0,
        ),
        (
            r#"tachograph_tool_calls_total{tool="quo\"te",status="ok"}"#,
            1.0,
        ),
        (
            r#"tachograph_tool_calls_total{tool="new\nline",status="ok"}"#,
            1.0,
        ),
        (
            r#"tachograph_tool_duration_seconds_bucket{tool="plain",le="0.0025"}"#,
            0.0,
        ),
        (
            r#"tachograph_tool_duration_seconds_bucket{tool="plain",le="0.005"}"#,
            1.0,
        ),
        (
            r#"tachograph_tool_duration_seconds_sum{tool="plain"}"#,
            0.0035,
        ),
        (
            r#"tachograph_llm_call_duration_seconds_bucket{provider="plain",model="plain",le="600.0"}"#,
            0.0,
        ),
        (
            r#"tachograph_llm_call_duration_seconds_count{provider="plain",model="plain"}"#,
            1.0,
        ),
        ("tachograph_system_cpu_usage_ratio", 0.375),
        ("tachograph_system_memory_available_bytes", 2_097_152.0),
        (
            r#"tachograph_watched_process_cpu_ratio{name="plain"}"#,
            0.02,
        ),
        (
            r#"tachograph_metric{source="plain",name="plain"}"#,
            f64::MAX,
        ),
        (
            r#"tachograph_metric_amount_total{source="counters",name="plain"}"#,
            5.0,
        ),
        (r#"tachograph_agent_llm_cost_usd_total{agent="plain"}"#, 0.1),
        (
            r#"tachograph_agent_tool_duration_seconds_count{agent="plain"}"#,
            1.0,
        ),
        ("tachograph_live_failures_total", 0.0),
        (r#"tachograph_ingest_requests_total{signal="traces"}"#, 0.0),
    ] {
        assert_eq!(value(key), wanted, "{key}");
    }
    #[cfg(target_os = "linux")]
    for key in [
        "process_resident_memory_bytes",
        "process_start_time_seconds",
    ] {
        assert!(value(key) > 1e6, "{key}");
    }
    promtool(&text);
}

#[test]
fn the_guide_names_what_is_served_and_nothing_else() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/metrics.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let rows = guide.lines().filter(|line| line.starts_with("| `"));
    let told: BTreeSet<&str> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`'))
        .filter(|name| name.contains('_'))
        .collect();
    let door = Door::open();
    append(&door, &hostile());
    let text = scrape(&door, "text/plain");
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let served: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(told, served);
}

/// Every sample by its name and labels. Panics on what breaks the form's rules.
fn checked(text: &str, open: bool) -> HashMap<String, f64> {
    let body = match open {
        true => text.strip_suffix("# EOF\n").expect("the end is marked"),
        false => text,
    };
    assert!(body.ends_with('\n'), "the last line ends");
    let mut samples = HashMap::new();
    let mut families = HashSet::new();
    let (mut family, mut ty, mut helped) = (String::new(), String::new(), String::new());
    // Only line feeds end lines; a lone carriage return may stand in a value.
    for line in body.trim_end_matches('\n').split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split(' ').next().unwrap().to_owned();
            assert!(families.insert(helped.clone()), "{helped} is in one piece");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            (family, ty) = (name.to_owned(), kind.to_owned());
            assert_eq!(family, helped, "help stands before the type");
            assert!(!open || !family.ends_with("_total"), "{family}");
            assert_eq!(
                ty == "counter" && !open,
                family.ends_with("_total"),
                "{family}"
            );
        } else {
            let (key, value) = line.rsplit_once(' ').expect(line);
            let name = &key[..key.find('{').unwrap_or(key.len())];
            let suffix = name.strip_prefix(&family).expect("is of its family");
            let allowed: &[&str] = match ty.as_str() {
                "counter" if open => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                "summary" => &["_sum", "_count"],
                _ => &[""],
            };
            assert!(allowed.contains(&suffix), "{line}");
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            check_labels(&key[name.len()..]);
            let value = value.parse().expect(line);
            assert!(
                samples.insert(key.to_owned(), value).is_none(),
                "twice: {key}"
            );
        }
    }
    check_histograms(&samples, body);
    samples
}

/// `{a="…",b="…"}` with quotes, backslashes and line ends escaped.
fn check_labels(labels: &str) {
    let Some(mut rest) = labels.strip_prefix('{') else {
        assert_eq!(labels, "");
        return;
    };
    loop {
        let (name, value) = rest.split_once("=\"").expect(labels);
        assert!(name.bytes().all(|b| b.is_ascii_lowercase()), "{labels}");
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            assert!(!escaped || matches!(c, '"' | '\\' | 'n'), "{labels}");
            escaped = c == '\\' && !escaped;
            ends
        });
        rest = &value[end.expect(labels) + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => return assert_eq!(rest, "}", "{labels}"),
        }
    }
}

/// Buckets rise, and the last of them is the count.
fn check_histograms(samples: &HashMap<String, f64>, body: &str) {
    let mut before = 0.0;
    for line in body.split('\n') {
        let Some((key, _)) = line.rsplit_once(' ').filter(|_| line.contains("_bucket{")) else {
            continue;
        };
        let count = samples[key];
        assert!(count >= before, "{line}");
        before = count;
        if let Some(labels) = key.strip_suffix(r#",le="+Inf"}"#) {
            let of = labels.replacen("_bucket{", "_count{", 1);
            assert_eq!(samples[&format!("{of}}}")], count, "{line}");
            before = 0.0;
        }
    }
}

/// Where Prometheus' own checker is installed, it has nothing to say.
fn promtool(text: &str) {
    let child = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn counters_begin_at_the_start_and_never_fall() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let past = tool("t", 1.0).to_line();
    Appender::new(&home).append(&past).unwrap();
    let sink = std::sync::Arc::new(tachograph_log::DurableLog::new(&home));
    let door = Door::on(
        folder,
        crate::common::config(),
        sink,
        std::sync::Arc::new(crate::common::NoEngine),
    );
    append(&door, &[tool("t", 1.0), tool("t", 2.0)]);
    let mut before = checked(&scrape(&door, "text/plain"), false);
    let calls = r#"tachograph_tool_calls_total{tool="t",status="ok"}"#;
    assert_eq!(before[calls], 2.0, "the past is not in it");
    for round in 0..5 {
        let negative = metric("m", "c", -3.0).with(Column::Type, "counter");
        append(&door, &[tool("t", f64::from(round)), negative]);
        let after = checked(&scrape(&door, "text/plain"), false);
        for (key, value) in &before {
            let counts = key.split('{').next().unwrap();
            if counts.ends_with("_total")
                || counts.ends_with("_count")
                || counts.ends_with("_bucket")
            {
                assert!(after[key] >= *value, "{key} fell");
            }
        }
        before = after;
    }
    assert_eq!(before[calls], 7.0);
}

#[test]
fn the_page_is_gzipped_if_asked_for() {
    let door = Door::open();
    append(&door, &hostile());
    let prometheus = door.addresses().prometheus;
    for (accept, gzipped) in [
        ("gzip", true),
        ("deflate, GZIP;q=0.5", true),
        ("*", true),
        ("identity", false),
        ("gzip;q=0, *", false),
    ] {
        let reply = raw(prometheus, accept);
        assert_eq!(
            reply.0.contains("content-encoding: gzip"),
            gzipped,
            "{accept}"
        );
        let text = match gzipped {
            true => {
                let mut text = String::new();
                let mut from = flate2::read::GzDecoder::new(&reply.1[..]);
                from.read_to_string(&mut text).unwrap();
                text
            }
            false => String::from_utf8(reply.1).unwrap(),
        };
        checked(&text, false);
    }
}

/// Head (in lower case) and body, undecoded, which the client library would
/// not give.
fn raw(address: Option<std::net::SocketAddr>, accept: &str) -> (String, Vec<u8>) {
    let mut stream = std::net::TcpStream::connect(address.unwrap()).unwrap();
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: localhost\r\naccept-encoding: {accept}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    let at = reply
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&reply[..at]).to_lowercase();
    assert!(head.contains("content-length"), "not in chunks: {head}");
    (head, reply[at + 4..].to_vec())
}

/// Nobody told what a model costs: that is not nothing.
#[test]
fn a_cost_that_nobody_told_is_no_series() {
    let door = Door::open();
    let call = |model: &str, cost: Option<f64>| {
        let mut event = Event::new(UnixNanos::now(), "llm_call")
            .with(Column::Source, "p")
            .with(Column::Name, model)
            .with(Column::DurationMs, 10.0);
        event.set(Column::CostUsd, cost.map(Value::from));
        event
    };
    let costs = || {
        let text = get(door.addresses().prometheus, "/metrics", &[]).text();
        let lines = text.lines().filter(|line| line.contains("llm_cost_usd"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    append(&door, &[call("free", None), call("free", None)]);
    assert_eq!(costs(), [""; 0], "not even a family");
    append(
        &door,
        &[call("nothing", Some(0.0)), call("dear", Some(0.25))],
    );
    append(&door, &[call("dear", None), call("dear", Some(0.5))]);
    let of = |model: &str, cost: &str| {
        format!("tachograph_llm_cost_usd_total{{provider=\"p\",model=\"{model}\"}} {cost}")
    };
    let costs = costs();
    assert_eq!(costs[2..], [of("nothing", "0"), of("dear", "0.75")]);
}
