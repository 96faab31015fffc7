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
        let why = format!("not recorded: recording is off because {name}={value}\n");
        assert_eq!(words, why);
        let mut command = desk.command(&["run", "--", "true"]);
        let output = command.env(name, value).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(words == why, name != "METRICS_ENABLED", "{words}");
        if words.is_empty() {
            std::fs::remove_dir_all(desk.home()).unwrap();
        }
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

#[test]
fn tags_over_several_lines_are_one_event() {
    let desk = Desk::new();
    desk.ok(&[
        "record",
        "metric",
        "--name",
        "m",
        "--tags",
        "{\n  \"n\": 1.10,\n  \"region\": \"eu\"\n}\n",
    ]);
    desk.ok(&["record", "metric", "--name", "n"]);
    let events = desk.events();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["tags"]["region"], "eu");
}

/// What stdin held so far is in the log while stdin stays open.
#[test]
fn events_are_recorded_while_the_input_pauses() {
    use std::io::Write;
    for (start, between, end) in [("", "\n", ""), ("[\n", ",\n", "]")] {
        let desk = Desk::new();
        let mut child = desk
            .command(&["record"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(start.as_bytes()).unwrap();
        for count in 1..4 {
            write!(
                pipe,
                "{{\"event_type\":\"tool_call\",\"tool\":\"t{count}\"}}{between}{{"
            )
            .unwrap();
            let start = std::time::Instant::now();
            while desk.events().len() < count {
                assert!(
                    start.elapsed().as_secs() < 20,
                    "held back: {:?}",
                    desk.events()
                );
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            write!(pipe, "\"event_type\":\"own\"}}{between}").unwrap();
        }
        pipe.write_all(end.as_bytes()).unwrap();
        drop(pipe);
        assert_eq!(child.wait().unwrap().code(), Some(1), "`own` is of no kind");
        assert_eq!(desk.events().len(), 3);
    }
}

#[test]
fn an_array_gives_an_event_each() {
    let call = |tool: &str| format!("{{\"event_type\":\"tool_call\",\"tool\":\"{tool}\"}}");
    let (a, b, c) = (call("a"), call("b"), call("c"));
    let check = |input: String, tools: &[&str], code: i32, words: &[&str]| {
        let desk = Desk::new();
        let said = desk.tacho_with(&["record"], input.as_bytes());
        said.fails(code, words);
        let found: Vec<_> = desk
            .events()
            .iter()
            .map(|event| event["tool"].clone())
            .collect();
        assert_eq!(found, tools, "{input}");
    };
    check(format!("[{a},{b}]"), &["a", "b"], 0, &[]);
    check(format!("[{a},{b}]\n{c}\n"), &["a", "b", "c"], 0, &[]);
    check(
        format!("\n [\n  {a},\n  7,\n  {b}\n]\n"),
        &["a", "b"],
        1,
        &["stdin:item 2: not a JSON object"],
    );
    check(format!("{a}\n[{b},{c}]\n"), &["a", "b", "c"], 0, &[]);
    check(
        format!("{a}\n[{b}] {c}\n"),
        &["a", "b"],
        1,
        &["stdin:2: more than an array in the line"],
    );
    check(
        format!("[{a},{{\"tool\""),
        &["a"],
        1,
        &["stdin:item 2: the array has no end"],
    );
    check(
        format!("{a}\n[{b},\n{c}\n"),
        &["a", "b", "c"],
        1,
        &["stdin:2: the array has no end"],
    );
    check("[]".to_owned(), &[], 0, &[]);
    check(
        "{\n\"event_type\":\"error\"\n}\n".to_owned(),
        &[],
        1,
        &["hint: ", "jq -c ."],
    );
}

#[test]
fn what_is_kept_keeps_its_letters() {
    let desk = Desk::new();
    let line = "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"deploy\",\"n\":1.10,\
        \"big\":123456789012345678901234567890,\"deep\":{\"x\": [1.50]},\"who\":\"me\"}\n";
    let tags = "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"metric\",\"name\":\"m\",\
        \"tags\":{\"a\":1.10,\"big\":123456789012345678901234567890,\"region\":\"eu\"}}\n";
    let said = desk.tacho_with(
        &["record", "--keep-text"],
        format!("{line}{tags}").as_bytes(),
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    // Numbers among tags need no leave.
    let said = desk.tacho_with(&["record"], tags.as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    desk.ok(&[
        "--as-of",
        "2025-11-20T11:00:00Z",
        "record",
        "metric",
        "--field",
        "name=m",
        "--tags",
        "{\"a\":1.10,\"big\":123456789012345678901234567890,\"region\":\"eu\"}",
    ]);
    // An array over several lines becomes lines.
    let spread = format!("[{}]", line.trim_end().replace(',', ",\n"));
    let said = desk.tacho_with(&["record", "--keep-text"], spread.as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    let log = std::fs::read_to_string(desk.home().join("events.jsonl")).unwrap();
    assert_eq!(log, format!("{line}{tags}{tags}{tags}{line}"));
}

#[test]
fn a_kind_of_one_s_own_needs_to_be_asked_for() {
    let desk = Desk::new();
    for name in ["deploy", "tool_cal"] {
        desk.tacho(&["record", name])
            .fails(2, &["--keep-text records events of any kind"]);
    }
    desk.ok(&["record", "deploy", "--keep-text", "--field", "to=prod"]);
    assert_eq!(desk.events()[0]["to"], "prod");
    desk.file("calls.jsonl", "");
    desk.tacho(&["record", "calls.jsonl"]).fails(
        2,
        &["hint: a file is read from stdin (tacho record < calls.jsonl)"],
    );
}

#[test]
fn a_disk_that_is_not_as_it_should_be_is_named_with_the_way_out() {
    let broken = |make: fn(&Desk), args: &[&str], code: i32, words: &[&str]| {
        let desk = Desk::new();
        make(&desk);
        let said = desk.tacho(args);
        said.fails(code, words);
        assert!(
            said.stderr.contains("\nhint: "),
            "{args:?}: {}",
            said.stderr
        );
    };
    let call = &["record", "tool_call", "--agent", "ann"][..];
    broken(
        |desk| std::fs::write(desk.home(), "").unwrap(),
        call,
        1,
        &["cannot create", "a file lies where a folder belongs"],
    );
    broken(
        |desk| std::fs::write(desk.home(), "").unwrap(),
        &["report"],
        2,
        &["is not a folder"],
    );
    let no_log = |desk: &Desk| std::fs::create_dir_all(desk.home().join("events.jsonl")).unwrap();
    broken(
        no_log,
        call,
        1,
        &["events.jsonl", "a folder lies where a file belongs"],
    );
    broken(no_log, &["report"], 0, &["events.jsonl is a folder"]);
    let no_config = |desk: &Desk| std::fs::create_dir_all(desk.home().join("config.yaml")).unwrap();
    broken(
        no_config,
        &["report"],
        2,
        &["config.yaml is a folder: not a settings file"],
    );
    let garbage = |desk: &Desk| {
        std::fs::create_dir(desk.home()).unwrap();
        std::fs::write(desk.home().join("config.yaml"), b"\xff\xfe\0").unwrap();
    };
    broken(garbage, &["report"], 2, &["config.yaml is not UTF-8"]);
    let short_salt = |desk: &Desk| {
        std::fs::create_dir(desk.home()).unwrap();
        std::fs::write(desk.home().join("salt"), "short").unwrap();
    };
    broken(
        short_salt,
        call,
        1,
        &["salt: holds 5 bytes", "from a backup; or remove it"],
    );
    let desk = Desk::new();
    short_salt(&desk);
    let line = b"{\"event_type\":\"tool_call\",\"tool\":\"a\"}\n{\"event_type\":\"tool_call\",\"agent\":\"ann\"}\n";
    desk.tacho_with(&["record"], line)
        .fails(1, &["salt: holds 5 bytes"]);
    assert_eq!(desk.events().len(), 1, "what came before is recorded");
}
