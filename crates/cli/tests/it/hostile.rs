//! Names that want to command the terminal, files that want to fill memory,
//! questions that want too much, windows with nothing in them.

use crate::harness::Desk;

const OLD: &str = concat!(
    r#"{"timestamp":"2024-01-02T10:00:00+00:00","event_type":"tool_call","tool":"a","duration_ms":1,"success":true}"#,
    "\n",
    r#"{"timestamp":"2024-02-03T10:00:00+00:00","event_type":"tool_call","tool":"a","duration_ms":1,"success":true}"#,
    "\n",
);

#[test]
fn no_name_commands_the_terminal() {
    let desk = Desk::new();
    let name = "\u{1b}]0;x\u{7}\u{9b}31m\u{202e}name";
    let event = serde_json::json!({
        "event_type": "tool_call", "tool": name, "duration_ms": 1, "success": false, "error_type": name,
    });
    let said = desk.tacho_with(&["record"], format!("{event}\n").as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    let unknown = serde_json::json!({"event_type": name}).to_string();
    let file = desk.file(&format!("{name}.jsonl"), "no events");
    let file = file.to_str().unwrap();
    let mut all = vec![desk.tacho_with(&["record"], unknown.as_bytes())];
    for args in [
        &["report"][..],
        &["stats"],
        &["sql", "select name, error_type from events"],
        &["record", name],
        &["config", name],
        &["import", file],
        &["--events", name, "report"],
        &["run", "--", name],
        &["sql", "select \u{1b}[31m"],
    ] {
        all.push(desk.tacho(args));
    }
    for said in all {
        for text in [&said.stdout, &said.stderr] {
            let bad = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!text.contains(bad), "{said:?}");
        }
    }
}

#[test]
fn of_many_bad_lines_some_are_named() {
    let desk = Desk::new();
    let said = desk.tacho_with(&["record"], "no event\n".repeat(500).as_bytes());
    said.fails(1, &["stdin:20: ", "-v names", "500 of 500 lines"]);
    assert!(!said.stderr.contains("stdin:21: "), "{said:?}");
    let said = desk.tacho_with(&["record", "-v"], "no event\n".repeat(30).as_bytes());
    said.fails(1, &["stdin:30: "]);
}

#[test]
fn a_forgotten_quote_fills_no_memory() {
    let desk = Desk::new();
    let mut text = "timestamp,event_type,name\n2026-01-01T00:00:00Z,tool_call,\"".to_owned();
    text.push_str(&"x".repeat(16 * 1024 * 1024));
    text.push_str(&"\na".repeat(50_000));
    desk.file("open.csv", text);
    let summary = desk.ok(&["import", "open.csv", "--json"]).json();
    let why = &summary["files"][0]["skipped_because"];
    assert!(summary["skipped"].as_u64().unwrap() > 49_000, "{why}");
    for reason in why.as_array().unwrap() {
        assert!(reason["lines"].as_array().unwrap().len() <= 1_000);
    }
}

#[test]
fn events_beyond_the_window_are_pointed_out() {
    let desk = Desk::new();
    desk.file("old.jsonl", OLD);
    let said = desk.ok(&["import", "old.jsonl"]);
    let hint = "of 2024-01-02 to 2024-02-03";
    assert!(said.stderr.contains(hint), "{said:?}");
    for command in ["report", "health", "trends", "changes", "timeline"] {
        let said = desk.ok(&[command]);
        let words = [
            "no event in this window; there are 2 events",
            hint,
            "--since 2024-01-02",
        ];
        for word in words {
            assert!(said.stderr.contains(word), "{word}: {said:?}");
        }
        let said = desk.ok(&[command, "--since", "2024-01-02"]);
        assert!(!said.stderr.contains("no event in this window"), "{said:?}");
    }
    // Two calls on two days are something, if too little.
    let said = desk.ok(&["changes", "--since", "2024-01-02"]);
    assert!(said.stdout.contains("Not enough data"), "{said:?}");
    // Nothing at all is something else.
    let said = Desk::new().ok(&["report"]);
    assert!(!said.stderr.contains("in this window"), "{said:?}");
}

#[test]
fn a_query_that_wants_too_much_is_a_failure_and_no_mistake() {
    let desk = Desk::new();
    let wants = "select value from generate_series(1, 10000000000) order by 1 desc";
    desk.tacho(&["sql", wants])
        .fails(1, &["bytes of memory it may use", "hint: "]);
}

#[test]
fn a_demo_is_for_people() {
    let desk = Desk::new();
    for form in ["json", "csv", "markdown"] {
        desk.tacho(&["demo", "--format", form])
            .fails(2, &["does not fit", "it takes text"]);
    }
    assert!(!desk.cwd().join("tachograph-demo").exists());
}

#[test]
fn a_home_below_a_file_is_no_empty_home() {
    let desk = Desk::new();
    let home = desk.file("file", "x").join("home");
    let home = home.to_str().unwrap();
    for command in ["report", "doctor", "compact"] {
        desk.tacho(&[command, "--home", home])
            .fails(2, &["is not a folder"]);
    }
}
