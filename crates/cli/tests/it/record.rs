//! `tacho record`: flags, stdin, bad input, opt-outs, privacy, speed.

use crate::harness::Desk;

#[test]
fn one_event_from_flags() {
    let desk = Desk::new();
    let said = desk.ok(&[
        "--as-of",
        "2025-11-20T11:00:00Z",
        "record",
        "tool_call",
        "--tool",
        "search",
        "--duration-ms",
        "12.5",
        "--success",
        "--agent",
        "alice",
    ]);
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""));
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    let (start, agent) = log.split_once(",\"agent\":").unwrap();
    assert_eq!(
        start,
        "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"tool_call\",\
         \"tool\":\"search\",\"duration_ms\":12.5,\"success\":true"
    );
    assert_eq!(
        agent.trim_end().len(),
        "\"0123456789abcdef\"}".len(),
        "{agent}"
    );
    assert!(!log.contains("alice"));
}

#[test]
fn every_way_to_name_a_field() {
    let desk = Desk::new();
    desk.ok(&[
        "record",
        "llm_call",
        "--input_tokens",
        "7",
        "--cost-usd=0.5",
        "--field",
        "model=opus",
    ]);
    desk.ok(&[
        "record",
        "query",
        "--entities-detected",
        "bills, payments",
        "--agent-type",
        "crewai",
    ]);
    desk.ok(&["record", "loss", "--kind", "tool_call", "--count", "3"]);
    desk.ok(&[
        "record",
        "metric",
        "--field",
        "tags={\"region\":\"eu\",\"user\":\"alice\"}",
    ]);
    let events = desk.events();
    assert_eq!(events[0]["input_tokens"], 7);
    assert_eq!(events[0]["cost_usd"], 0.5);
    assert_eq!(events[0]["model"], "opus");
    assert_eq!(
        events[1]["entities_detected"],
        serde_json::json!(["bills", "payments"])
    );
    assert_eq!(events[1]["agent_type"], "crewai");
    assert_eq!(events[2]["kind"], "tool_call");
    assert_eq!(events[3]["tags"]["region"], "eu");
    assert_ne!(events[3]["tags"]["user"], "alice");
}

#[test]
fn mistakes_are_named_and_nothing_is_recorded() {
    let desk = Desk::new();
    desk.tacho(&["record", "tool_cal"])
        .fails(2, &["`tool_cal`", "hint: did you mean tool_call?"]);
    desk.tacho(&["record", "zebra"])
        .fails(2, &["there are agent_discovery, ", "--keep-text"]);
    desk.tacho(&["record", "tool_call", "--duration-ms", "-3"])
        .fails(2, &["duration_ms: -3.0 is not a number of at least 0"]);
    desk.tacho(&["record", "tool_call", "--duration-ms", "fast"])
        .fails(2, &["duration_ms: fast is not a number of at least 0"]);
    desk.tacho(&["record", "tool_call", "--success", "maybe"])
        .fails(2, &["success: maybe is not true or false"]);
    desk.tacho(&["record", "tool_call", "--model", "opus"])
        .fails(
            2,
            &[
                "tool_call has no field `model`",
                "hint: it has tool, duration_ms",
            ],
        );
    desk.tacho(&["record", "tool_call", "--field", "tool"])
        .fails(2, &["no `=`"]);
    desk.tacho(&["record", "tool_call", "--too", "x"])
        .fails(2, &["--tool"]);
    desk.tacho(&["record", "tool_call", "--timestamp", "yesterday"])
        .fails(2, &["--timestamp \"yesterday\""]);
    desk.tacho(&["record", "--tool", "x"])
        .fails(2, &["fields, but of no kind"]);
    assert_eq!(desk.events().len(), 0);
}

#[test]
fn many_events_from_stdin() {
    let desk = Desk::new();
    let lines = "{\"event_type\":\"tool_call\",\"tool\":\"grep\",\"duration_ms\":3,\"prompt\":\"secret\"}\n\
         \n\
         {\"timestamp\":\"2025-11-20T12:00:00+01:00\",\"event_type\":\"session_start\",\"session_id\":\"alice\",\"initial_tokens\":10}\n\
         {\"timestamp\":1763640000.5,\"event_type\":\"query\",\"query_id\":\"q1\",\"query_text\":\"secret\"}";
    let said = desk.tacho_with(&["record"], lines.as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    let events = desk.events();
    assert_eq!(events.len(), 3);
    assert_eq!(events[0]["duration_ms"], 3.0);
    assert_eq!(events[1]["timestamp"], "2025-11-20T11:00:00+00:00");
    assert_eq!(events[2]["timestamp"], "2025-11-20T12:00:00.500000+00:00");
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert!(!log.contains("secret") && !log.contains("alice"), "{log}");
}

#[test]
fn what_is_asked_to_be_kept_is_kept() {
    let desk = Desk::new();
    let line = b"{\"event_type\":\"deploy\",\"prompt\":\"hello\",\"n\":[1]}";
    desk.tacho_with(&["record"], line)
        .fails(1, &["stdin:1: no kind of event is called `deploy`"]);
    assert_eq!(
        desk.tacho_with(&["record", "--keep-text"], line).code,
        Some(0)
    );
    let mut command = desk.command(&["record", "tool_call", "--field", "prompt=hi"]);
    assert!(
        command
            .env("TACHOGRAPH_KEEP_TEXT", "true")
            .status()
            .unwrap()
            .success()
    );
    let events = desk.events();
    assert_eq!(
        (&events[0]["prompt"], &events[0]["n"][0]),
        (&"hello".into(), &1.into())
    );
    assert_eq!(events[1]["prompt"], "hi");
}

#[test]
fn a_bad_line_costs_only_itself() {
    let desk = Desk::new();
    let mut lines = b"{\"event_type\":\"tool_call\",\"tool\":\"a\"}\nnot json\n[1]\n{\"tool\":\"x\"}\n\xff\xfe\n\
        {\"event_type\":\"tool_call\",\"duration_ms\":\"fast\"}\n{\"event_type\":\"tool_call\",\"timestamp\":null}\n"
        .to_vec();
    lines.extend(vec![b'x'; 17 << 20]);
    lines.extend(b"\n{\"event_type\":\"tool_call\",\"tool\":\"b\"}");
    let said = desk.tacho_with(&["record"], &lines);
    said.fails(
        1,
        &[
            "stdin:2: not a JSON object",
            "stdin:3: not a JSON object",
            "stdin:4: no event_type",
            "stdin:5: not UTF-8",
            "stdin:6: duration_ms: \"fast\" is not",
            "stdin:7: no timestamp",
            "stdin:8: longer than",
            "7 of 9 lines hold no event",
        ],
    );
    let tools: Vec<_> = desk
        .events()
        .iter()
        .map(|event| event["tool"].clone())
        .collect();
    assert_eq!(tools, ["a", "b"]);
}

#[test]
fn opt_outs_are_obeyed() {
    let desk = Desk::new();
    for (name, value, kind) in [
        ("MYCELIUM_TELEMETRY", "0", "agent_load"),
        ("TACHOGRAPH_DISABLED", "1", "agent_load"),
        ("PERFORMANCE_METRICS_ENABLED", "false", "tool_call"),
        ("METRICS_ENABLED", "false", "query"),
    ] {
        let output = desk
            .command(&["record", kind])
            .env(name, value)
            .output()
            .unwrap();
        assert!(output.status.success());
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.contains(name), "{words}");
    }
    assert!(!desk.home().exists(), "an opt-out leaves no trace");
    // Each part has its own.
    let mut command = desk.command(&["record", "query"]);
    assert!(
        command
            .env("PERFORMANCE_METRICS_ENABLED", "false")
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(desk.events().len(), 1);
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    std::fs::write(desk.home(), "a file").unwrap();
    desk.tacho(&["record", "tool_call"])
        .fails(1, &["cannot create", "home"]);
}

#[test]
fn many_processes_at_once_lose_nothing() {
    let desk = Desk::new();
    let children: Vec<_> = (0..24)
        .map(|n| {
            desk.command(&["record", "tool_call", "--tool", &format!("t{n}")])
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut tools: Vec<_> = desk
        .events()
        .iter()
        .map(|event| event["tool"].to_string())
        .collect();
    tools.sort();
    tools.dedup();
    assert_eq!(tools.len(), 24);
}

#[test]
fn tags_that_tell_who_or_what_are_hashed_or_left_out() {
    let desk = Desk::new();
    let event = r#"{"event_type":"metric","source":"web","name":"hits","type":"counter","value":1.0,"tags":{"region":"eu","host":"alices-laptop","path":"/home/alice/x","prompt":"tell me","email":"a@b.c"}}"#;
    let said = desk.tacho_with(&["record"], event.as_bytes());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert!(log.contains("\"region\":\"eu\""), "{log}");
    for leak in ["alice", "tell me", "a@b.c"] {
        assert!(!log.contains(leak), "{leak}: {log}");
    }
}
