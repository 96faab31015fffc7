//! `tacho import`: every shape, twice, grown, broken.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::harness::Desk;

const TOOL_LOG: &str = include_str!("../data/tool-log/metrics.jsonl");

/// The same two queries in the four shapes.
const ARRAY: &str = r#"[
  {"query_id":"q-1","timestamp":"2025-10-17T12:02:42.501961+00:00","agent_type":"crewai","query_text":"who is alice",
   "response_time_ms":85576,"success":true,"error_type":null,"error_message":null,"entities_detected":["payments","bills"],
   "query_complexity_score":0.39999999999999997,"agent_selection_time_ms":2,"query_execution_time_ms":85570,
   "tool_calls_count":3,"graphql_queries_count":1,"result_size_bytes":220},
  {"query_id":"q-2","timestamp":"2025-10-17T12:03:06","agent_type":"simple","query_text":"x","response_time_ms":12,
   "success":false,"error_type":"TimeoutError","error_message":"alice's secret","entities_detected":[],
   "query_complexity_score":0.1,"agent_selection_time_ms":0,"query_execution_time_ms":12,"tool_calls_count":0,
   "graphql_queries_count":0,"result_size_bytes":0}
]"#;
const CSV: &str = "query_id,timestamp,agent_type,query_text,response_time_ms,success,error_type,error_message,entities_detected,query_complexity_score,agent_selection_time_ms,query_execution_time_ms,tool_calls_count,graphql_queries_count,result_size_bytes\r\n\
    q-1,2025-10-17T12:02:42.501961+00:00,crewai,\"who, is alice\",85576,True,,,\"['payments', 'bills']\",0.39999999999999997,2,85570,3,1,220\r\n\
    q-2,2025-10-17T12:03:06,simple,x,12,False,TimeoutError,alice's secret,[],0.1,0,12,0,0,0\r\n";
const DOCUMENT: &str = r#"{"queries":[
  {"query_id":"d-1","user_input":"alice","agent_type":"crewai","start_time":"2025-10-15T06:30:00.000Z","end_time":"2025-10-15T06:30:45.000Z",
   "duration_ms":45000,"success":true,"result_size_bytes":2048,"tool_calls":3,"graphql_queries":2,"entities_detected":["customers"]},
  {"query_id":"d-2","user_input":"alice","agent_type":"simple","start_time":"2025-10-15T06:31:00.000Z","status":"running"}],
 "agent_selections":[{"query_id":"d-1","selected_agent":"crewai","complexity_score":0.85,"selection_reason":"several entities","timestamp":"2025-10-15T06:30:00.000Z"}]}"#;
const DOCUMENT_CSV: &str = "timestamp,query_id,agent_type,duration_ms,success,entities_detected,tool_calls,graphql_queries\n\
    2025-10-15T06:30:00.000Z,d-1,crewai,45000,true,\"customers,bills\",3,2\n";

fn import(desk: &Desk, args: &[&str]) -> Json {
    let mut all = vec!["import", "--json"];
    all.extend(args);
    desk.ok(&all).json()
}

#[track_caller]
fn counts(summary: &Json, read: u64, added: u64, already: u64, skipped: u64) {
    let found =
        ["read", "added", "already_there", "skipped"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!(found, [read, added, already, skipped], "{summary:#}");
}

#[test]
fn the_real_tool_log_gives_the_independent_totals() {
    let desk = Desk::new();
    let expected: Json =
        serde_json::from_str(include_str!("../data/tool-log/expected.json")).unwrap();
    let lines = expected["lines"].as_u64().unwrap();
    let then: String = TOOL_LOG
        .split_inclusive('\n')
        .take(lines as usize)
        .collect();
    desk.file("metrics.jsonl", then);
    counts(&import(&desk, &["metrics.jsonl"]), lines, lines, 0, 0);
    let mut by_event = BTreeMap::<&str, u64>::new();
    let mut cache = BTreeMap::<String, u64>::new();
    let mut errors = BTreeMap::<String, u64>::new();
    let mut models = BTreeMap::<String, [u64; 3]>::new();
    let text = |json: &Json| json.as_str().unwrap().to_owned();
    for event in desk.events() {
        match event["event_type"].as_str().unwrap() {
            "llm_call" => {
                *by_event.entry("token_usage").or_default() += 1;
                let model = models.entry(text(&event["model"])).or_default();
                model[0] += 1;
                model[1] += event["input_tokens"].as_u64().unwrap();
                model[2] += event["output_tokens"].as_u64().unwrap();
            }
            "cache" => {
                *by_event.entry("file_cache").or_default() += 1;
                *cache.entry(text(&event["operation"])).or_default() += 1;
                assert_eq!(event["hit"], event["operation"] == "hit");
                assert_eq!(event["cache"], "file_cache");
            }
            "error" => {
                *by_event.entry("provider_error").or_default() += 1;
                *errors.entry(text(&event["error_type"])).or_default() += 1;
                assert!(
                    event.get("error_message").is_none(),
                    "messages hold paths: {event}"
                );
            }
            "file_count_delta" => *by_event.entry("file_count_delta").or_default() += 1,
            other => panic!("{other}"),
        }
    }
    let models: BTreeMap<_, _> = models
        .into_iter()
        .map(|(model, [calls, input, output])| {
            (
                model,
                json!({"calls": calls, "input_tokens": input, "output_tokens": output}),
            )
        })
        .collect();
    assert_eq!(json!(by_event), expected["by_event"]);
    assert_eq!(json!(cache), expected["file_cache"]);
    assert_eq!(json!(errors), expected["errors_by_type"]);
    assert_eq!(json!(models), expected["tokens_by_model"]);
    // 1757495269.932687 and 1760131011.3151164, to the microsecond or finer.
    assert_eq!(
        desk.events()[0]["timestamp"],
        "2025-09-10T09:07:49.932687+00:00"
    );
}

#[test]
fn twice_adds_nothing_and_a_grown_file_only_the_new() {
    let desk = Desk::new();
    let lines: Vec<&str> = TOOL_LOG.split_inclusive('\n').collect();
    let file = |count: usize| desk.file("metrics.jsonl", lines[..count].concat());
    file(1_000);
    counts(&import(&desk, &["metrics.jsonl"]), 1_000, 1_000, 0, 0);
    counts(&import(&desk, &["metrics.jsonl"]), 1_000, 0, 1_000, 0);
    file(lines.len());
    let (all, new) = (lines.len() as u64, lines.len() as u64 - 1_000);
    counts(&import(&desk, &["metrics.jsonl"]), all, new, 1_000, 0);
    // By another name, it is the same file.
    desk.file("copy.jsonl", TOOL_LOG);
    counts(
        &import(&desk, &["copy.jsonl", "metrics.jsonl"]),
        2 * all,
        0,
        2 * all,
        0,
    );
    assert_eq!(desk.events().len(), lines.len());
}

#[test]
fn equal_records_in_one_file_are_several_events() {
    let desk = Desk::new();
    let line =
        "{\"event\":\"file_count_delta\",\"provider\":\"kimi\",\"delta\":1,\"t\":1757495284.5}\n";
    desk.file("a.jsonl", line.repeat(3));
    counts(&import(&desk, &["a.jsonl"]), 3, 3, 0, 0);
    desk.file("a.jsonl", line.repeat(4));
    counts(&import(&desk, &["a.jsonl"]), 4, 1, 3, 0);
}

#[test]
fn query_metrics_in_all_shapes_are_the_same_queries() {
    let desk = Desk::new();
    desk.file("metrics.json", ARRAY);
    desk.file("metrics.csv", CSV);
    let summary = import(&desk, &["metrics.json"]);
    counts(&summary, 2, 2, 0, 0);
    assert_eq!(summary["files"][0]["naive_timestamps"], 1);
    counts(&import(&desk, &["metrics.csv"]), 2, 0, 2, 0);
    let other = Desk::new();
    other.file("metrics.csv", CSV);
    counts(&import(&other, &["metrics.csv"]), 2, 2, 0, 0);
    assert_eq!(desk.events(), other.events());
    let event = &desk.events()[0];
    assert_eq!(
        *event,
        json!({"timestamp": "2025-10-17T12:02:42.501961+00:00", "event_type": "query", "query_id": "q-1",
            "agent_type": "crewai", "duration_ms": 85576.0, "success": true, "status": "completed",
            "result_size_bytes": 220, "tool_calls": 3, "graphql_queries": 1,
            "entities_detected": ["payments", "bills"], "complexity_score": 0.39999999999999997,
            "agent_selection_time_ms": 2, "query_execution_time_ms": 85570})
    );
    assert_eq!(desk.events()[1]["error_type"], "TimeoutError");
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert!(!log.contains("alice"), "{log}");
}

#[test]
fn documented_shapes_with_selections() {
    let desk = Desk::new();
    desk.file("metrics.json", DOCUMENT);
    desk.file("metrics.csv", DOCUMENT_CSV);
    let summary = import(&desk, &["metrics.json"]);
    counts(&summary, 3, 2, 0, 1);
    assert_eq!(
        summary["files"][0]["skipped_because"][0]["reason"],
        "the query has not ended yet"
    );
    counts(&import(&desk, &["metrics.csv"]), 1, 0, 1, 0);
    let events = desk.events();
    assert_eq!(events[0]["timestamp"], "2025-10-15T06:30:45+00:00");
    assert_eq!(events[1]["event_type"], "agent_selection");
    assert_eq!(events[1]["complexity_score"], 0.85);
    let other = Desk::new();
    other.file("metrics.csv", DOCUMENT_CSV);
    import(&other, &["metrics.csv"]);
    assert_eq!(other.events()[0]["timestamp"], "2025-10-15T06:30:45+00:00");
    assert_eq!(
        other.events()[0]["entities_detected"],
        json!(["customers", "bills"])
    );
}

#[test]
fn the_first_seed_s_log_and_its_rotated_files() {
    let desk = Desk::new();
    let folder = desk.cwd().join("analytics");
    std::fs::create_dir(&folder).unwrap();
    let old = "{\"timestamp\":\"2025-11-20T10:00:00.5+00:00\",\"event_type\":\"agent_discovery\",\"operation\":\"search\",\"duration_ms\":3,\"cache_hit\":false,\"agent_count\":4}\n";
    let new = "{\"timestamp\":\"2025-11-20T11:00:00\",\"event_type\":\"agent_load\",\"agent_id_hash\":\"f2f2cbc2\",\"load_time_ms\":1.2,\"content_size_bytes\":6424,\"estimated_tokens\":1606}\n\
        {\"timestamp\":\"2025-11-20T11:00:01+00:00\",\"event_type\":\"custom\",\"n\":7,\"who\":\"alice\"}\n";
    std::fs::write(folder.join("events_20251120_103000_000001.jsonl"), old).unwrap();
    std::fs::write(folder.join("events.jsonl"), new).unwrap();
    let summary = import(&desk, &["analytics"]);
    counts(&summary, 3, 3, 0, 0);
    assert_eq!(summary["files"][1]["naive_timestamps"], 1);
    assert_eq!(summary["files"][1]["texts_left_out"], 1);
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert_eq!(
        log,
        "{\"timestamp\":\"2025-11-20T10:00:00.500000+00:00\",\"event_type\":\"agent_discovery\",\"operation\":\"search\",\"duration_ms\":3,\"cache_hit\":false,\"agent_count\":4}\n\
         {\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"agent_load\",\"agent_id_hash\":\"f2f2cbc2\",\"load_time_ms\":1.2,\"content_size_bytes\":6424,\"estimated_tokens\":1606}\n\
         {\"timestamp\":\"2025-11-20T11:00:01+00:00\",\"event_type\":\"custom\",\"n\":7}\n"
    );
    // The log was rotated since: its events have moved to another file.
    std::fs::rename(
        folder.join("events.jsonl"),
        folder.join("events_20251120_120000_000002.jsonl"),
    )
    .unwrap();
    counts(&import(&desk, &["analytics"]), 3, 0, 3, 0);
}

#[test]
fn texts_are_kept_when_asked_for() {
    let desk = Desk::new();
    desk.file("metrics.json", ARRAY);
    import(&desk, &["--keep-text", "metrics.json"]);
    assert_eq!(desk.events()[0]["query_text"], "who is alice");
}

#[test]
fn broken_lines_are_skipped_counted_and_named() {
    let desk = Desk::new();
    let mut log = b"{\"event\":\"token_usage\",\"provider\":\"p\",\"model\":\"m\",\"input_tokens\":1,\"output_tokens\":2,\"t\":1757495284}\n\
        not json\n\n\xff\xfe{}\n{\"event\":\"token_usage\",\"t\":null}\n{\"event\":\"zebra\",\"t\":1}\n{\"event\":\"file_cache\",\"t\":1e300}\n"
        .to_vec();
    // A line of 10 MB is a line; one of 17 MB is not.
    log.extend(
        b"{\"event\":\"provider_error\",\"error_type\":\"x\",\"t\":1757495290,\"message\":\"",
    );
    log.extend(vec![b'm'; 10 << 20]);
    log.extend(b"\"}\n");
    log.extend(vec![b'x'; 17 << 20]);
    log.extend(b"\n{\"event\":\"file_count_delta\",\"delta\":1,\"t\":1757495299}");
    desk.file("metrics.jsonl", &log);
    let said = desk.ok(&["import", "metrics.jsonl"]);
    for words in [
        "metrics.jsonl:2: not a JSON object",
        "metrics.jsonl:4: not UTF-8",
        "metrics.jsonl:5: no timestamp",
        "metrics.jsonl:6: event `zebra` is not known",
        "metrics.jsonl:7: timestamp 1e+300 is outside",
        "metrics.jsonl:9: longer than 16777216 bytes",
    ] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    assert_eq!(desk.events().len(), 3);
    let row: Vec<&str> = said
        .stdout
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(row, ["metrics.jsonl", "tool", "log", "9", "3", "0", "6"]);
}

#[test]
fn a_torn_document_gives_what_stands_before_the_tear() {
    let desk = Desk::new();
    desk.file("metrics.json", &ARRAY[..ARRAY.len() - 60]);
    let summary = import(&desk, &["metrics.json"]);
    counts(&summary, 2, 1, 0, 1);
    assert!(
        summary["files"][0]["skipped_because"][0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("torn: "),
        "{summary:#}"
    );
}

#[test]
fn what_stands_behind_the_one_value_of_a_file_is_named() {
    for (file, added) in [
        (format!("{ARRAY}\n"), 2),
        (format!("{ARRAY}\n{ARRAY}"), 2),
        (format!("{ARRAY} x"), 2),
        (format!("{DOCUMENT}\n"), 2),
        (format!("{DOCUMENT}\n{DOCUMENT}"), 2),
    ] {
        let desk = Desk::new();
        desk.file("m.json", &file);
        let summary = import(&desk, &["m.json"]);
        assert_eq!(summary["added"], added, "{summary:#}");
        let reasons = summary["files"][0]["skipped_because"].to_string();
        let named = reasons.contains("stands behind the end");
        assert_eq!(named, !file.ends_with('\n'), "{reasons}");
    }
}

#[test]
fn a_table_s_odd_cells_are_named_and_not_changed() {
    let desk = Desk::new();
    desk.file(
        "events.csv",
        "timestamp,event_type,name,tags,entities,extra\n\
         2025-11-20T11:00:00Z,metric,a,\"{\n \"\"n\"\": 1.10}\",,\"{\"\"n\"\":2}\"\n\
         2025-11-20T11:00:00Z,metric,b,,,\"{\"\"n\"\":2\"\n\
         2025-11-20T11:00:00Z,metric,c,nonsense,,\n\
         2025-11-20T11:00:00Z,query,,,\"[1,2]\",\n",
    );
    let summary = import(&desk, &["events.csv"]);
    counts(&summary, 4, 1, 0, 3);
    let reasons = summary["files"][0]["skipped_because"].to_string();
    for words in [
        "extra is not a JSON object",
        "not a JSON object (at",
        "entities: [1,2] does not fit",
    ] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.contains("\"tags\":{  \"n\": 1.10},\"n\":2}"), "{log}");
}

/// Identities may be numbers.
#[test]
fn identities_that_are_numbers_are_hashed_or_left_out() {
    let desk = Desk::new();
    desk.file(
        "own.jsonl",
        "{\"timestamp\":\"2025-11-20T11:00:00Z\",\"event_type\":\"tool_call\",\"tool\":\"grep\",\"session_id\":4711,\"user_id\":4711,\"tries\":2}\n",
    );
    counts(&import(&desk, &["own.jsonl"]), 1, 1, 0, 0);
    counts(&import(&desk, &["own.jsonl"]), 1, 0, 1, 0);
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert!(
        !log.contains("4711") && log.contains("\"tries\":2"),
        "{log}"
    );
    assert_eq!(desk.events()[0]["session_id"].as_str().unwrap().len(), 16);
}

#[test]
fn rows_of_odd_length_and_cells_of_odd_content() {
    let desk = Desk::new();
    desk.file("m.csv", format!("\u{feff}{DOCUMENT_CSV}2025-10-15T06:30:00Z,d-3,simple\n2025-10-15T06:30:00Z,d-4,simple,soon,true,,1,1\n=cmd,d-5,simple,1,true,,1,1\n"));
    let summary = import(&desk, &["m.csv"]);
    counts(&summary, 4, 1, 0, 3);
    let reasons = summary["files"][0]["skipped_because"].to_string();
    for words in [
        "3 cells instead of 8",
        "duration_ms: \\\"soon\\\" is not",
        "timestamp",
    ] {
        assert!(reasons.contains(words), "{words}: {reasons}");
    }
}

#[test]
fn what_is_no_input_is_named_and_the_rest_counts() {
    let desk = Desk::new();
    desk.file("empty.jsonl", "");
    desk.file("poem.txt", "roses are red\n");
    desk.file("ok.json", ARRAY);
    std::fs::create_dir(desk.cwd().join("folder")).unwrap();
    let said = desk.tacho(&[
        "import",
        "--json",
        "empty.jsonl",
        "poem.txt",
        "folder",
        "missing",
        "ok.json",
    ]);
    said.fails(
        1,
        &[
            "poem.txt: no form that is known",
            "folder: is a folder without",
            "missing: ",
        ],
    );
    counts(&said.json(), 2, 2, 0, 0);
    assert_eq!(said.json()["files"][0]["form"], "empty");
    desk.tacho(&["import"]).fails(2, &["FILE"]);
}

#[test]
fn the_home_s_own_log_is_not_doubled() {
    let desk = Desk::new();
    desk.ok(&["record", "tool_call", "--tool", "x"]);
    let log = desk.home().join("events.jsonl");
    desk.tacho(&["import", log.to_str().unwrap()])
        .fails(1, &["lies in the home"]);
    assert_eq!(desk.events().len(), 1);
}

#[test]
fn what_was_recorded_line_by_line_is_not_imported_again() {
    let desk = Desk::new();
    let lines = "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":3,\"error_type\":null}\n\
         {\"timestamp\":\"2025-11-20T11:00:01+00:00\",\"event_type\":\"metric\",\"name\":\"load\",\"value\":1.50,\"tags\":{\"region\": \"eu\"},\"unit\":null}\n";
    desk.tacho_with(&["record"], lines.as_bytes());
    assert_eq!(desk.events().len(), 2);
    let path = desk.file("lines.jsonl", lines);
    counts(&import(&desk, &[path.to_str().unwrap()]), 2, 0, 2, 0);
}

#[test]
fn a_dry_run_adds_nothing_and_says_the_same() {
    let desk = Desk::new();
    desk.file("metrics.json", ARRAY);
    let summary = import(&desk, &["--dry-run", "metrics.json"]);
    counts(&summary, 2, 2, 0, 0);
    assert_eq!(summary["dry_run"], true);
    assert!(!desk.home().exists());
}

#[test]
fn a_line_whose_type_is_no_text_is_skipped_and_named() {
    let desk = Desk::new();
    let file = desk.file(
        "odd.jsonl",
        "{\"timestamp\":\"2025-11-20T11:00:00Z\",\"event_type\":null}\n\
         {\"timestamp\":\"2025-11-20T11:00:00Z\",\"event_type\":5}\n\
         {\"timestamp\":\"2025-11-20T11:00:00Z\",\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":1.5}\n",
    );
    let said = desk.ok(&["import", "--json", file.to_str().unwrap()]);
    let summary: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let text = summary.to_string();
    assert!(text.contains("\"added\":1"), "{text}");
    assert!(text.contains("event_type"), "{text}");
}
