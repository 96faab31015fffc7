//! Prometheus' text, against the rules of its forms.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::Path;

use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos, Value};

use super::checked::{checked, promtool};
use super::{OPEN, append, metric, scrape, tool};
use crate::common::{Door, get};

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
