//! What is exported can be imported: every kind, every form, to the byte.

use std::fmt::Write as _;

use serde_json::Value as Json;
use tachograph_model::{Column, Event, KINDS, Type, UnixNanos, Value};

use crate::harness::Desk;

const FORMS: [&str; 4] = ["jsonl", "json", "csv", "parquet"];

/// Every kind with every field, and what is hard to carry.
fn log() -> String {
    let mut log = String::new();
    for (at, kind) in KINDS.iter().enumerate() {
        let time = UnixNanos(1_763_640_000_000_000_000 + at as i64 * 1_234_567_000);
        let mut event = Event::new(time, kind.name);
        for field in kind.fields {
            event.set(field.column, value(field.column, at));
        }
        log += &String::from_utf8(event.to_line()).unwrap();
        // And one without any.
        log += &String::from_utf8(Event::new(time, kind.name).to_line()).unwrap();
    }
    let odd = [
        "\"event_type\":\"tool_call\",\"tool\":\"\",\"duration_ms\":3,\"success\":false",
        "\"event_type\":\"tool_call\",\"tool\":\"=1+1\",\"duration_ms\":0.1",
        "\"event_type\":\"tool_call\",\"tool\":\"'=1+1\",\"duration_ms\":1e-09",
        "\"event_type\":\"tool_call\",\"tool\":\"'it''s, \\\"so\\\"\\r\\nnext\\t\",\"duration_ms\":123456789.123456",
        "\"event_type\":\"tool_call\",\"tool\":\"söarch 🔍\",\"duration_ms\":2.0,\"n\":1.10",
        "\"event_type\":\"metric\",\"name\":\"m\",\"value\":-0.0,\"tags\":{\"a\": 1.10,\"big\":123456789012345678901234567890,\"region\":\"eu\"}",
        "\"event_type\":\"metric\",\"name\":\"m\",\"value\":7,\"tags\":{}",
        "\"event_type\":\"query\",\"query_id\":\"q\",\"entities_detected\":[\"a,b\",\"\",\"it's\"]",
        "\"event_type\":\"llm_call\",\"input_tokens\":9223372036854775807,\"cost_usd\":0.30000000000000004",
        "\"event_type\":\"their own\",\"n\":1.10,\"big\":123456789012345678901234567890,\"flag\":true,\"nothing\":null",
        "\"event_type\":\"\",\"n\":1",
    ];
    for (at, members) in (1..).zip(odd) {
        writeln!(
            log,
            "{{\"timestamp\":\"2025-11-21T10:00:00.{at:06}+00:00\",{members}}}"
        )
        .unwrap();
    }
    // Equal events, and several of one instant.
    for tool in ["b", "a", "b"] {
        writeln!(log, "{{\"timestamp\":\"2025-11-22T10:00:00+00:00\",\"event_type\":\"tool_call\",\"tool\":\"{tool}\",\"duration_ms\":1.5}}").unwrap();
    }
    log
}

fn value(column: Column, at: usize) -> Option<Value> {
    let hash = || Value::from(format!("{:016x}", at * 7919));
    Some(match column.def().ty {
        // Texts are another test's.
        Type::Str if column == Column::Text => return None,
        Type::Str if column.def().privacy == tachograph_model::Privacy::Hashed => hash(),
        Type::Str => Value::from(format!("{}-{at}", column.name())),
        Type::I64 => Value::I64(1_000 + at as i64),
        Type::F64 => Value::F64(0.125 + at as f64),
        Type::Bool => Value::Bool(at.is_multiple_of(2)),
        Type::List => Value::List(vec!["bills".to_owned(), "payments".to_owned()]),
        Type::Json => Value::from(serde_json::Map::from_iter([(
            "retry_count".to_owned(),
            Json::from(2),
        )])),
    })
}

fn export(desk: &Desk, form: &str) -> Vec<u8> {
    let output = desk
        .command(&["export", "--format", form, "-o", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[track_caller]
fn import(desk: &Desk, args: &[&str]) -> [u64; 4] {
    let all = [&["import", "--json"], args].concat();
    let summary = desk.ok(&all).json();
    ["read", "added", "already_there", "skipped"].map(|key| summary[key].as_u64().unwrap())
}

#[test]
fn every_form_gives_the_same_events_again() {
    let log = log();
    let count = log.lines().count() as u64;
    for sealed in [false, true] {
        let from = Desk::new();
        std::fs::create_dir(from.home()).unwrap();
        std::fs::write(from.home().join("events.jsonl"), &log).unwrap();
        if sealed {
            from.ok(&["compact"]);
        }
        let originals = FORMS.map(|form| export(&from, form));
        let lines = String::from_utf8(originals[0].clone()).unwrap();
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        for (line, own) in sorted(&lines).iter().zip(sorted(&log)) {
            assert_eq!(*line, own, "the log's own line");
        }
        assert_eq!(lines.len(), log.len());
        for (form, original) in FORMS.iter().zip(&originals) {
            let to = Desk::new();
            // The content tells what it is, not the name.
            to.file("exported", original);
            assert_eq!(import(&to, &["exported"]), [count, count, 0, 0], "{form}");
            assert_eq!(import(&to, &["exported"]), [count, 0, count, 0], "{form}");
            for (again, first) in FORMS.iter().zip(&originals) {
                let second = export(&to, again);
                assert!(
                    second == *first,
                    "{form}, then {again}:\n{}\n{}",
                    String::from_utf8_lossy(first),
                    String::from_utf8_lossy(&second)
                );
            }
            // Where it came from, it is there already; whatever was recorded
            // since stays one event.
            from.file("exported", original);
            assert_eq!(
                import(&from, &["--dry-run", "exported"]),
                [count, 0, count, 0]
            );
            assert_eq!(import(&from, &["exported"]), [count, 0, count, 0], "{form}");
        }
    }
}

#[test]
fn texts_come_back_where_they_are_asked_for() {
    let from = Desk::new();
    let line = "{\"event_type\":\"query\",\"timestamp\":\"2025-11-20T11:00:00Z\",\"query_id\":\"q\",\
        \"query_text\":\"=who, \\\"am\\\" I\\n?\",\"mine\":{\"a\": 1.10}}\n\
        {\"event_type\":\"own\",\"timestamp\":\"2025-11-20T11:00:01Z\",\"text\":\"-x\"}\n";
    let said = from.tacho_with(&["record", "--keep-text"], line.as_bytes());
    assert_eq!(said.code, Some(0), "{said:?}");
    let original = export(&from, "jsonl");
    let text = String::from_utf8_lossy(&original);
    assert!(text.contains("\"mine\":{\"a\": 1.10}"), "{text}");
    for form in FORMS {
        let exported = export(&from, form);
        let to = Desk::new();
        to.file("exported", &exported);
        import(&to, &["--keep-text", "exported"]);
        assert_eq!(export(&to, "jsonl"), original, "{form}");
        let strict = Desk::new();
        strict.file("exported", &exported);
        let said = strict.ok(&["import", "exported"]);
        assert!(said.stderr.contains("--keep-text keeps them"), "{said:?}");
        let kept = String::from_utf8(export(&strict, "jsonl")).unwrap();
        assert!(
            !kept.contains("who") && !kept.contains("-x"),
            "{form}: {kept}"
        );
        // Without its texts it is the same event.
        from.file("exported", &exported);
        assert_eq!(import(&from, &["exported"])[1], 0, "{form}");
    }
}

#[test]
fn compressed_files_are_unpacked() {
    let desk = Desk::new();
    let log = log();
    let count = log.lines().count() as u64;
    let path = desk.file("events.jsonl", &log);
    for (program, args, name) in [
        ("gzip", &["-k"][..], "events.jsonl.gz"),
        ("zstd", &["-q"][..], "events.jsonl.zst"),
    ] {
        let packed = std::process::Command::new(program)
            .args(args)
            .arg(&path)
            .status();
        if !packed.is_ok_and(|status| status.success()) {
            assert_ne!(program, "gzip", "every system has it");
            continue;
        }
        let to = Desk::new();
        std::fs::rename(desk.cwd().join(name), to.cwd().join("packed")).unwrap();
        assert_eq!(import(&to, &["packed"]), [count, count, 0, 0], "{program}");
    }
    // Torn, it gives what stands before the tear.
    let torn = desk.file("whole.jsonl", log.repeat(50));
    let packed = std::process::Command::new("gzip").arg(&torn).status();
    assert!(packed.unwrap().success());
    let torn = desk.cwd().join("whole.jsonl.gz");
    let bytes = std::fs::read(&torn).unwrap();
    std::fs::write(&torn, &bytes[..bytes.len() * 9 / 10]).unwrap();
    let said = desk.tacho(&["import", "--json", "whole.jsonl.gz"]);
    said.fails(1, &["whole.jsonl.gz", "incomplete"]);
    assert!(said.json()["added"].as_u64().unwrap() > 0, "{said:?}");
}

#[test]
fn other_tables_are_named_and_the_good_rows_of_ours_count() {
    let desk = Desk::new();
    desk.file("fake.parquet", "PAR1 but not really PAR1");
    desk.tacho(&["import", "fake.parquet"])
        .fails(1, &["fake.parquet: a damaged Parquet file"]);
    desk.file(
        "some.csv",
        "timestamp,event_type,name,duration_ms,success\n\
         2025-11-20T11:00:00Z,tool_call,grep,1.5,true\n\
         soon,tool_call,grep,1.5,true\n\
         2025-11-20T11:00:02Z,tool_call,grep,fast,true\n\
         2025-11-20T11:00:03Z,,grep,1,true\n\
         2025-11-20T11:00:04Z,tool_call\n",
    );
    let said = desk.ok(&["import", "some.csv"]);
    for words in [
        "some.csv:3: timestamp",
        "some.csv:4: duration_ms: fast does not fit the column",
        "some.csv:5: no event_type",
        "some.csv:6: 2 cells instead of 5",
    ] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    assert_eq!(desk.events().len(), 1);
    for (name, head, words) in [
        (
            "a.zip",
            &b"PK\x03\x04...."[..],
            "a zip archive; unpack it first",
        ),
        ("a.xz", b"\xfd7zXZ\0..", "compressed with xz"),
        ("a.bz2", b"BZh91AY", "compressed with bzip2"),
        ("a.db", b"SQLite format 3\0", "an SQLite database"),
    ] {
        desk.file(name, head);
        desk.tacho(&["import", name]).fails(1, &[name, words]);
    }
}
