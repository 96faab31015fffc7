//! Each thing that the first and the fifth seed get wrong when they read and
//! report, by the number it has in the list of their defects, shown right.

use std::fs;
use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use crate::harness::Desk;

const NOW: &str = "2025-11-20T12:00:00Z";

fn discovery(at: &str, ms: f64) -> String {
    format!(
        "{{\"timestamp\":\"{at}\",\"event_type\":\"agent_discovery\",\"operation\":\"list_agents\",\"duration_ms\":{ms:?},\"cache_hit\":false,\"agent_count\":1}}\n"
    )
}

fn log(desk: &Desk, name: &str, content: impl AsRef<[u8]>) {
    let folder = desk.cwd().join("log");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), content).unwrap();
}

fn report(desk: &Desk, more: &[&str]) -> Json {
    let mut args = vec!["--events", "log", "--as-of", NOW, "report", "--json"];
    args.extend(more);
    desk.ok(&args).json()
}

#[test]
fn defect_1_7_1_more_than_100_000_events_count_the_newest() {
    let desk = Desk::new();
    let mut content = discovery("2025-11-18T10:00:00+00:00", 1.0).repeat(100_000);
    content.push_str(&discovery("2025-11-20T11:00:00+00:00", 2.0));
    log(&desk, "events.jsonl", content);
    let found = report(&desk, &[]);
    assert_eq!(found["discovery_stats"]["total_operations"], 100_001);
    assert_eq!(found["trends"]["daily_stats"][1]["date"], "2025-11-20");
}

#[test]
fn defect_1_7_2_one_odd_line_spoils_nothing() {
    let good = discovery("2025-11-20T11:00:00+00:00", 2.0);
    let odd: [(&str, &[u8], u64); 8] = [
        ("a naive time is UTC", b"{\"timestamp\":\"2025-11-20T11:00:00\",\"event_type\":\"agent_discovery\",\"operation\":\"list_agents\",\"duration_ms\":2.0}\n", 2),
        ("a null time", b"{\"timestamp\":null,\"event_type\":\"agent_discovery\"}\n", 1),
        ("a numeric time", b"{\"timestamp\":1763600000,\"event_type\":\"agent_discovery\"}\n", 1),
        ("no object", b"[1, 2]\n", 1),
        ("no UTF-8", b"{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"\xff\"}\n", 1),
        ("a duration in words", b"{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"agent_discovery\",\"operation\":\"list_agents\",\"duration_ms\":\"fast\"}\n", 2),
        ("NaN", b"{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"agent_discovery\",\"operation\":\"list_agents\",\"duration_ms\":NaN}\n", 2),
        ("year 9999", b"{\"timestamp\":\"9999-12-31T23:59:59+00:00\",\"event_type\":\"agent_discovery\"}\n", 1),
    ];
    for (what, line, operations) in odd {
        let desk = Desk::new();
        log(&desk, "events.jsonl", [good.as_bytes(), line].concat());
        let stats = &report(&desk, &[])["discovery_stats"];
        assert_eq!(stats["total_operations"], operations, "{what}: {stats}");
        assert_eq!(stats["overall"]["p95_ms"], 2.0, "{what}: {stats}");
        desk.ok(&["--events", "log", "--as-of", NOW, "health"]);
    }
}

#[test]
fn defect_1_7_2_skipped_lines_are_named() {
    let desk = Desk::new();
    log(
        &desk,
        "events.jsonl",
        discovery("2025-11-20T11:00:00+00:00", 2.0) + "not json\n",
    );
    let said = desk.ok(&["--events", "log", "--as-of", NOW, "report"]);
    assert!(said.stderr.contains("note: "), "{said:?}");
    assert!(!said.stdout.contains("note"), "{said:?}");
}

#[test]
fn defect_1_7_3_a_torn_last_line_swallows_no_event() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "a"]);
    let path = desk.home().join("events.jsonl");
    let torn = fs::read_to_string(&path).unwrap() + "{\"timestamp\":\"2025-1";
    fs::write(&path, torn).unwrap();
    desk.ok(&["record", "tool_call", "--tool", "b"]);
    let tools = desk.ok(&["report", "--json"]).json()["tools"]["tools"].clone();
    assert_eq!(tools.as_array().unwrap().len(), 2, "{tools}");
}

#[test]
fn defect_1_7_6_the_age_of_a_file_means_nothing() {
    let desk = Desk::new();
    log(
        &desk,
        "events.jsonl",
        discovery("2025-11-19T11:00:00+00:00", 1.0),
    );
    log(
        &desk,
        "events_20251101_000000_000000.jsonl",
        discovery("2025-11-18T11:00:00+00:00", 9.0),
    );
    let before = report(&desk, &[]);
    for (name, age) in [
        ("events.jsonl", 9_000),
        ("events_20251101_000000_000000.jsonl", 1),
    ] {
        let file = File::options()
            .append(true)
            .open(desk.cwd().join("log").join(name))
            .unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age))
            .unwrap();
    }
    assert_eq!(report(&desk, &[]), before);
}

#[test]
fn defect_1_7_7_savings_are_measured_against_as_many_sessions_as_began() {
    let desk = Desk::new();
    let mut content = String::new();
    for at in 10..14 {
        content.push_str(&format!("{{\"timestamp\":\"2025-11-{at}T11:00:00+00:00\",\"event_type\":\"session_start\",\"session_type\":\"lazy\",\"initial_tokens\":1}}\n"));
        content.push_str(&format!("{{\"timestamp\":\"2025-11-{at}T11:00:01+00:00\",\"event_type\":\"agent_load\",\"agent_id_hash\":\"f2f2cbc2\",\"load_time_ms\":1.0,\"content_size_bytes\":4,\"estimated_tokens\":20000}}\n"));
    }
    log(&desk, "events.jsonl", content);
    let found = report(&desk, &["--days", "30", "--section", "all"]);
    assert_eq!(
        found["token_savings"]["estimated_savings_tokens"],
        53_550 - 80_000
    );
    assert_eq!(
        found["savings"]["against_sessions"]["saved_tokens"],
        4 * 53_550 - 80_000
    );
    assert_eq!(
        found["savings"]["agents"], 1,
        "distinct agents beside loads"
    );
    let health = desk
        .ok(&["--events", "log", "--as-of", NOW, "health", "--days", "30"])
        .stdout;
    assert!(
        health.contains("Savings:             134,200 tokens (62.6% reduction) ✅"),
        "{health}"
    );
}

#[test]
fn defect_1_7_8_days_are_utc_and_weighted_by_what_they_hold() {
    let desk = Desk::new();
    log(
        &desk,
        "events.jsonl",
        discovery("2025-11-20T01:00:00+05:00", 1.0),
    );
    assert_eq!(
        report(&desk, &[])["trends"]["daily_stats"][0]["date"],
        "2025-11-19"
    );
    // One slow event on a quiet day, after days of a thousand quick ones.
    let mut content = discovery("2025-11-17T11:00:00+00:00", 1.0).repeat(500);
    content.push_str(&discovery("2025-11-18T11:00:00+00:00", 1.0).repeat(500));
    content.push_str(&discovery("2025-11-19T11:00:00+00:00", 1.0).repeat(500));
    content.push_str(&discovery("2025-11-20T11:00:00+00:00", 20.0));
    log(&desk, "events.jsonl", content);
    assert_eq!(report(&desk, &[])["trends"]["trend"], "stable");
}

#[test]
fn defect_1_7_12_there_are_exports_and_a_view_per_agent() {
    let desk = Desk::new();
    desk.ok(&[
        "record",
        "tool_call",
        "--tool",
        "=cmd()",
        "--duration-ms",
        "1.5",
    ]);
    let csv = desk.ok(&["export", "--format", "csv"]).stdout;
    assert!(csv.contains(",'=cmd(),"), "{csv}");
    let line = desk.ok(&["export"]).stdout;
    assert_eq!(
        line,
        fs::read_to_string(desk.home().join("events.jsonl")).unwrap()
    );
    desk.ok(&[
        "export",
        "--format",
        "parquet",
        "--output",
        "new/folder/all.parquet",
    ]);
    assert!(desk.cwd().join("new/folder/all.parquet").is_file());
}

fn queries(desk: &Desk, records: Json) {
    let path = desk.file("metrics.json", records.to_string());
    desk.ok(&["import", path.to_str().unwrap()]);
}

fn record(agent: &str, at: &str, text: &str) -> Json {
    json!({"query_id": format!("{agent}{at}"), "timestamp": at, "agent_type": agent, "query_text": text,
        "response_time_ms": 1200, "success": true, "error_type": null, "error_message": null,
        "entities_detected": [], "query_complexity_score": 0.5, "agent_selection_time_ms": 0,
        "query_execution_time_ms": 1, "tool_calls_count": 1, "graphql_queries_count": 1, "result_size_bytes": 10})
}

#[test]
fn defect_5_5_4_the_text_of_a_query_is_nowhere() {
    let desk = Desk::new();
    queries(
        &desk,
        json!([record("simple", "2025-11-20T11:00:00+00:00", "=SECRET()")]),
    );
    for args in [
        &["export"][..],
        &["export", "--format", "csv"],
        &["export", "--shape", "queries"],
        &["stats", "--json"],
    ] {
        assert!(!desk.ok(args).stdout.contains("SECRET"), "{args:?}");
    }
}

#[test]
fn defect_5_5_5_no_type_of_agent_missing_folder_or_naive_time_breaks_a_report() {
    let desk = Desk::new();
    queries(&desk, json!([record("crewai", "2025-11-20T11:00:00", "x")]));
    let ask = |args: &[&str]| desk.ok(&[&["--as-of", NOW], args].concat());
    let stats = ask(&["stats"]).stdout;
    assert!(
        stats.contains(
            "📊 Simple Agent:\n  • Total Queries: 0\n\n📊 Crewai Agent:\n  • Total Queries: 1\n"
        ),
        "{stats}"
    );
    assert!(
        ask(&["stats", "--agent", "simple"])
            .stdout
            .ends_with("Total Queries: 0\n")
    );
    assert_eq!(
        ask(&["trends", "--format", "json"]).json()["summary"]["total_days"],
        1
    );
    ask(&[
        "report",
        "--section",
        "queries",
        "--hours",
        "24",
        "--json",
        "--output",
        "no/such/folder/r.json",
    ]);
    let written = fs::read_to_string(desk.cwd().join("no/such/folder/r.json")).unwrap();
    assert_eq!(
        serde_json::from_str::<Json>(&written).unwrap()["total_queries"],
        1
    );
}

#[test]
fn defect_5_5_6_rotated_logs_are_read() {
    let desk = Desk::new();
    log(
        &desk,
        "events.jsonl",
        discovery("2025-11-20T11:00:00+00:00", 1.0),
    );
    log(
        &desk,
        "events_20251119_000000_000000.jsonl",
        discovery("2025-11-18T11:00:00+00:00", 1.0),
    );
    assert_eq!(report(&desk, &[])["discovery_stats"]["total_operations"], 2);
}

#[test]
fn strict_health_tells_by_its_exit_code() {
    let desk = Desk::new();
    let health = |desk: &Desk| {
        desk.tacho(&["--events", "log", "--as-of", NOW, "health", "--strict"])
            .code
    };
    log(
        &desk,
        "events.jsonl",
        discovery("2025-11-20T11:00:00+00:00", 1.0),
    );
    assert_eq!(health(&desk), Some(0));
    log(
        &desk,
        "events.jsonl",
        discovery("2025-11-20T11:00:00+00:00", 50.0),
    );
    assert_eq!(health(&desk), Some(1));
}

#[test]
fn sql_answers_in_every_form_and_refuses_to_write() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "=x"]);
    let query = "select name, 1 as n from events";
    assert_eq!(
        desk.ok(&["sql", query]).stdout,
        "name  n\n=x    1\n(1 row)\n"
    );
    assert_eq!(
        desk.ok(&["sql", query, "--format", "csv"]).stdout,
        "name,n\n'=x,1\n"
    );
    assert_eq!(
        desk.ok(&["sql", query, "--json"]).json(),
        json!([{"name": "=x", "n": 1}])
    );
    assert_eq!(
        desk.tacho_with(&["sql", "-", "--format", "jsonl"], query.as_bytes())
            .stdout,
        "{\"name\":\"=x\",\"n\":1}\n"
    );
    desk.tacho(&["sql", "drop table events"])
        .fails(2, &["not allowed"]);
    desk.tacho(&["sql", "selec"]).fails(2, &["error"]);
}
