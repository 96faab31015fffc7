//! Tables, views and values in SQL.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use tachograph_model::answer::{NoteKind, Sql, SqlColumn};
use tachograph_model::{Ask, Column, question};

use crate::home::{TestHome, ago};

fn home() -> TestHome {
    TestHome::of(&[
        ago(90_000, "tool_call")
            .with(Column::Name, "search")
            .with(Column::DurationMs, 12.5)
            .with(Column::Success, true),
        ago(60, "tool_call")
            .with(Column::Name, "read")
            .with(Column::DurationMs, 2.0)
            .with(Column::Success, false)
            .with(Column::ErrorType, "Timeout"),
        ago(50, "session_end")
            .with(Column::DurationMs, 90_000.0)
            .with(Column::Name, "lazy"),
        ago(40, "query").with(Column::Agent, "simple").with(
            Column::Entities,
            vec!["bills".to_owned(), "payments".to_owned()],
        ),
        ago(30, "cache")
            .with(Column::Name, "files")
            .with(Column::Hit, true),
        ago(20, "my_own_type").with(Column::Count, 3_i64),
    ])
}

fn ask(home: &TestHome, query: &str) -> Sql {
    let question = question::Sql {
        query: query.to_owned(),
        row_limit: 100,
    };
    question.ask(&home.engine()).unwrap().0
}

#[test]
fn the_readme_s_query() {
    let found = ask(
        &home(),
        "select event_type, count(*) from events group by 1 order by 2 desc, 1",
    );
    assert_eq!(found.rows[0], [json!("tool_call"), json!(2)]);
    assert_eq!(found.rows.len(), 5);
    assert!(!found.columns[0].numeric && found.columns[1].numeric);
}

#[test]
fn views_have_the_log_s_names_and_units() {
    let home = home();
    let found = ask(
        &home,
        "SELECT timestamp, tool, duration_ms, success, error_type FROM tool_calls ORDER BY 1",
    );
    assert_eq!(
        found.rows,
        [
            vec![
                json!("2025-11-19T11:00:00+00:00"),
                json!("search"),
                json!(12.5),
                json!(true),
                Value::Null
            ],
            vec![
                json!("2025-11-20T11:59:00+00:00"),
                json!("read"),
                json!(2.0),
                json!(false),
                json!("Timeout")
            ],
        ]
    );
    let found = ask(&home, "SELECT session_duration_seconds FROM session_ends");
    assert_eq!(found.rows, [[json!(90.0)]]);
    let found = ask(&home, "SELECT session_type, duration_ms FROM sessions");
    assert_eq!(found.rows, [[json!("lazy"), json!(90_000.0)]]);
    let found = ask(&home, "SELECT entities_detected FROM queries");
    assert_eq!(found.rows, [[json!(["bills", "payments"])]]);
    let found = ask(&home, "SELECT cache, hit FROM cache_events");
    assert_eq!(found.rows, [[json!("files"), json!(true)]]);
}

#[test]
fn every_kind_has_a_view() {
    let found = ask(&home(), "SHOW TABLES");
    let names: Vec<&str> = found
        .rows
        .iter()
        .filter_map(|row| row[2].as_str())
        .collect();
    for name in [
        "events",
        "rollups",
        "tool_calls",
        "llm_calls",
        "spans",
        "losses",
        "errors",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(names.len() >= tachograph_model::KINDS.len() + 3);
}

#[test]
fn time_filters_are_right_at_the_edge() {
    let home = home();
    let count = |from: &str, to: &str| {
        let query = format!(
            "SELECT count(*) FROM events WHERE timestamp >= '{from}' AND timestamp < '{to}'"
        );
        ask(&home, &query).rows[0][0].clone()
    };
    assert_eq!(
        count("2025-11-19T11:00:00Z", "2025-11-20T11:59:00Z"),
        json!(1)
    );
    assert_eq!(
        count("2025-11-19T11:00:00Z", "2025-11-20T11:59:01Z"),
        json!(2)
    );
}

#[test]
fn rollups_have_three_tiers_that_agree() {
    let home = home();
    let found = ask(
        &home,
        "SELECT tier, sum(events), sum(duration_ms_sum) FROM rollups GROUP BY 1 ORDER BY 1",
    );
    let row = |tier: &str| vec![json!(tier), json!(6), json!(90_014.5)];
    assert_eq!(found.rows, [row("day"), row("hour"), row("minute")]);
    let found = ask(
        &home,
        "SELECT start, name, duration_ms_p95 FROM rollups \
         WHERE tier = 'minute' AND event_type = 'tool_call' ORDER BY 1",
    );
    assert_eq!(found.rows.len(), 2);
    assert_eq!(found.rows[0][0], json!("2025-11-19T11:00:00+00:00"));
    assert_eq!(found.rows[0][2], json!(12.5));
}

#[test]
fn more_rows_than_asked_for_are_cut_and_noted() {
    let question = question::Sql {
        query: "SELECT * FROM generate_series(1, 100000)".to_owned(),
        row_limit: 5,
    };
    let (found, about) = question.ask(&home().engine()).unwrap();
    assert!(found.truncated);
    assert_eq!(found.rows.len(), 5);
    assert_eq!(about.notes[0].kind, NoteKind::RowLimit);
}

#[test]
fn no_rows_still_have_columns() {
    let found = ask(&TestHome::new(), "SELECT tool, duration_ms FROM tool_calls");
    assert_eq!(found.columns[0].name, "tool");
    assert!(found.rows.is_empty() && !found.truncated);
}

#[test]
fn odd_numbers_and_types_become_json() {
    let found = ask(
        &TestHome::new(),
        "SELECT 'NaN'::double, 18446744073709551615, DATE '2025-11-20', NULL, 1.5::decimal(4,2), \
         TIMESTAMP '2025-11-20T11:00:00'",
    );
    assert_eq!(
        found.rows[0],
        [
            Value::Null,
            json!(18_446_744_073_709_551_615_u64),
            json!("2025-11-20"),
            Value::Null,
            json!("1.50"),
            json!("2025-11-20T11:00:00+00:00")
        ]
    );
}

#[test]
fn a_broken_line_is_noted() {
    let home = home();
    home.write(b"{\"broken\n");
    home.write(&ago(10, "tool_call").to_line());
    let query = "SELECT count(*) FROM events".to_owned();
    let question = question::Sql {
        query,
        row_limit: 1,
    };
    let (found, about) = question.ask(&home.engine()).unwrap();
    assert_eq!(found.rows, [[json!(7)]]);
    assert_eq!(about.notes[0].kind, NoteKind::LinesSkipped);
}

#[test]
fn rows_stream_and_can_be_broken_off() {
    let home = home();
    let mut seen = 0;
    home.engine()
        .sql_each(
            "SELECT * FROM generate_series(1, 1000000)",
            |columns, rows| {
                assert_eq!(columns.len(), 1);
                seen += rows.len();
                if seen > 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .unwrap();
    assert!(seen > 0 && seen < 1_000_000, "{seen}");
}

#[test]
fn a_query_too_big_for_its_memory_fails_instead_of_the_process() {
    let home = home();
    let config = tachograph_analyze::EngineConfig {
        sql_memory_bytes: 1 << 20,
        ..Default::default()
    };
    let query = "SELECT value, count(*) FROM generate_series(1, 2000000) GROUP BY 1 ORDER BY 2";
    let question = question::Sql {
        query: query.to_owned(),
        row_limit: 10,
    };
    let error = question.ask(&home.engine_with(config)).unwrap_err();
    assert!(error.to_string().contains("emory"), "{error}");
}

#[test]
fn a_result_becomes_a_parquet_file_and_rows_again() {
    let home = home();
    let path = home.home().root().join("out.parquet");
    let query = "SELECT * FROM events ORDER BY timestamp";
    let file = std::fs::File::create(&path).unwrap();
    let queries = [query.to_owned()];
    let (rows, _) = home.engine().write_parquet(&queries, file, &path).unwrap();
    assert_eq!(rows, 6);
    let names = |columns: &[SqlColumn]| -> Vec<String> {
        columns.iter().map(|column| column.name.clone()).collect()
    };
    let mut asked = Vec::new();
    home.engine()
        .sql_each(query, |columns, rows| {
            asked.extend(rows.into_iter().map(|row| (names(columns), row)));
            ControlFlow::Continue(())
        })
        .unwrap();
    let mut read = Vec::new();
    tachograph_analyze::read_parquet(&path, |columns, rows| {
        read.extend(rows.into_iter().map(|row| (names(columns), row)));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(read, asked);
    let error =
        home.engine()
            .write_parquet(&["SELECT x FROM events".to_owned()], Vec::new(), &path);
    assert!(error.is_err());
    std::fs::write(&path, "PAR1, but not really").unwrap();
    let error = tachograph_analyze::read_parquet(&path, |_, _| ControlFlow::Continue(()));
    assert!(error.unwrap_err().to_string().contains("out.parquet"));
}

/// Wherever its bytes are damaged, that is an error or another figure.
#[test]
fn a_damaged_parquet_file_is_no_panic() {
    let home = home();
    let path = home.home().root().join("out.parquet");
    let queries = ["SELECT timestamp, event_type, duration_ms FROM events".to_owned()];
    let mut whole = Vec::new();
    let engine = home.engine();
    engine.write_parquet(&queries, &mut whole, &path).unwrap();
    let mut refused = 0;
    for at in 4..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] = damaged[at].wrapping_add(77);
        std::fs::write(&path, &damaged).unwrap();
        let read = tachograph_analyze::read_parquet(&path, |_, _| ControlFlow::Continue(()));
        refused += usize::from(read.is_err());
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn texts_patterns_and_lists_have_functions() {
    let home = home();
    let check = |query: &str, row: Value| {
        let found = ask(&home, query);
        assert_eq!(Value::from(found.rows[0].clone()), row, "{query}");
    };
    check(
        "SELECT substr('search', 2, 3), character_length('söa'), upper(left('read', 2)), strpos('grep', 'e')",
        json!(["ear", 3, "RE", 3]),
    );
    check(
        "SELECT count(*) FROM tool_calls WHERE regexp_like(tool, '^s.*ch$')",
        json!([1]),
    );
    check(
        "SELECT regexp_replace('a1b22', '[0-9]+', '#', 'g'), 'read' ~ '^r', tool ~* 'SEARCH' FROM tool_calls ORDER BY timestamp LIMIT 1",
        json!(["a#b#", true, true]),
    );
    check(
        "SELECT array_length(entities), entities[1], array_has(entities, 'payments'), array_to_string(entities, '+') \
         FROM events WHERE entities IS NOT NULL",
        json!([2, "bills", true, "bills+payments"]),
    );
    check(
        "SELECT entity, count(*) FROM (SELECT unnest(entities) AS entity FROM events) GROUP BY 1 ORDER BY 1 LIMIT 1",
        json!(["bills", 1]),
    );
}
