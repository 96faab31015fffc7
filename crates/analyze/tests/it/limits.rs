//! What a query in SQL may cost: time, memory, rows, its own length.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tachograph_analyze::EngineConfig;
use tachograph_model::answer::{About, NoteKind, Sql};
use tachograph_model::{Ask, AskError, Limit, question};

use crate::home::TestHome;

fn ask(config: EngineConfig, query: &str) -> Result<(Sql, About), AskError> {
    let question = question::Sql {
        query: query.to_owned(),
        row_limit: usize::MAX,
    };
    question.ask(&TestHome::new().engine_with(config))
}

fn limit_of(config: EngineConfig, query: &str) -> (Limit, String) {
    match ask(config, query) {
        Err(AskError::Limit { limit, what }) => (limit, what),
        other => panic!("{query:.200}: {}", short(&other)),
    }
}

/// Some of these results are megabytes.
fn short(result: &Result<(Sql, About), AskError>) -> String {
    format!("{result:?}").chars().take(300).collect()
}

/// Each of these would take hours, and most do so without an operator that
/// yields of its own accord.
#[test]
fn a_query_ends_when_its_time_is_over_and_so_does_its_work() {
    for query in [
        "select count(*) from generate_series(1,1000000) a cross join generate_series(1,1000000) b",
        "select max(a.value + b.value) from generate_series(1,1000000) a \
         join generate_series(1,1000000) b on a.value < b.value - 2000000",
        "select count(*) from generate_series(1,1000000) a join generate_series(1,1000000) b \
         on a.value % 1 = b.value % 1 and a.value > b.value + 10000000",
        "select count(*) from generate_series(1,1000000) a where exists \
         (select 1 from generate_series(1,1000000) b where b.value > a.value + 2000000)",
        "with recursive t as (select 1 as x union all select x + 1 from t) select count(*) from t",
        "select array_agg(value) from generate_series(1,1000000000000)",
        "select count(*) from generate_series(1,1000000000000)",
        "explain analyze select count(*) from generate_series(1,1000000000000)",
        "select sum(length(repeat('x', 30000 + value % 10))) from generate_series(1,1000000000)",
    ] {
        let config = EngineConfig {
            sql_time: Some(Duration::from_millis(300)),
            ..EngineConfig::default()
        };
        let start = Instant::now();
        let (limit, what) = limit_of(config, query);
        assert_eq!(limit, Limit::Time, "{query}: {what}");
        assert!(what.contains("0.3 s"), "{what}");
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{query}: {took:?}");
    }
    #[cfg(target_os = "linux")]
    assert!(workers_end(Duration::from_secs(60)), "threads go on");
}

/// Waits for the threads of all queries, those of other tests too, to end.
#[cfg(target_os = "linux")]
fn workers_end(within: Duration) -> bool {
    let works = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm"));
        name.is_ok_and(|name| name.trim() == "tacho-sql")
    };
    let start = Instant::now();
    while start.elapsed() < within {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        if !tasks.flatten().any(works) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn what_would_need_too_much_memory_is_refused_before_it_is_made() {
    for (query, by) in [
        ("select repeat('x', 1000000000)", "repeat()"),
        (
            "select repeat('x', value * 10000000) from generate_series(1, 3)",
            "repeat()",
        ),
        ("select lpad('x', 1000000000)", "lpad()"),
        ("select rpad('x', 1000000000, 'ab')", "rpad()"),
        (
            "select replace(repeat('x', 1000000), '', repeat('y', 1000))",
            "replace()",
        ),
        (
            "select replace(repeat('x', 100000), 'x', repeat('y', 1000))",
            "replace()",
        ),
        (
            "select regexp_replace(repeat('a', 1000000), 'a', repeat('y', 1000), 'g')",
            "regexp_replace()",
        ),
        (
            "select concat(repeat('a', 5000000), repeat('b', 5000000))",
            "concat()",
        ),
        (
            "select concat_ws(repeat('-', 5000000), 'a', 'b', 'c')",
            "concat_ws()",
        ),
        ("select array_repeat('x', 1000000000)", "array_repeat()"),
        ("select array_resize([1], 1000000000, 5)", "array_resize()"),
        (
            "select array_to_string(range(0, 100000), repeat('-', 1000))",
            "array_to_string()",
        ),
        ("select unnest(range(0, 1000000000))", "range()"),
        ("select generate_series(0, 1000000000)", "generate_series()"),
        (
            "select range(timestamp '2020-01-01', timestamp '2021-01-01', interval '1 millisecond')",
            "range()",
        ),
        // No value is too large, all of them are.
        (
            "select min(repeat('x', 4000000 + value)) from generate_series(1, 1000)",
            "repeat()",
        ),
        // What operators hold.
        (
            "select array_agg(value) from generate_series(1, 1000000000)",
            "bytes of memory",
        ),
    ] {
        let config = EngineConfig {
            sql_memory_bytes: 128 << 20,
            sql_time: Some(Duration::from_secs(60)),
            ..EngineConfig::default()
        };
        let (limit, what) = limit_of(config, query);
        assert_eq!(limit, Limit::Memory, "{query}: {what}");
        assert!(what.contains(by), "{query}: {what}");
    }
}

/// Functions under bounds return what they return without, however their
/// rows are divided.
#[test]
fn bounds_change_no_result() {
    let check = |query: &str, row: Value| {
        let (found, _) = ask(EngineConfig::default(), query).unwrap();
        assert_eq!(Value::from(found.rows[0].clone()), row, "{query}");
    };
    // 8192 rows of 20 000 bytes each are five slices.
    let length = 20_000_i64 * 8192 + (1..=8192).sum::<i64>();
    check(
        "select count(*), sum(length(repeat('x', 20000 + value))), max(length(repeat('xy', value))) \
         from generate_series(1, 8192)",
        json!([8192, length, 2 * 8192]),
    );
    check(
        "select length(replace(repeat('ab', 1000), 'b', 'cde')), replace('aXbX', 'X', '--'), \
         concat('a', NULL, 1), concat_ws('-', 'a', 'b'), lpad('a', 3, '*'), rpad('a', 3), \
         regexp_replace('tool-17', '([a-z]+)-([0-9]+)', '\\2 \\1'), repeat(NULL, 3), \
         overlay('Txxxxas' placing 'hom' from 2 for 4), repeat('x', -1)",
        json!([
            4000, "a--b--", "a1", "a-b", "**a", "a  ", "17 tool", null, "Thomas", ""
        ]),
    );
    check(
        "select range(0, 10, 3), generate_series(3, 1, -1), array_repeat('a', 2), \
         array_resize([1], 3, 7), array_to_string([1, 2, 3], '+'), array_concat([1], [2]), \
         array_append(['a'], 'b'), array_length(range(date '2025-01-01', date '2025-02-01', interval '1 day'))",
        json!([
            [0, 3, 6, 9],
            [3, 2, 1],
            ["a", "a"],
            [1, 7, 7],
            "1+2+3",
            [1, 2],
            ["a", "b"],
            31
        ]),
    );
}

#[test]
fn a_result_holds_what_it_may_and_says_so() {
    let config = || EngineConfig {
        sql_result_bytes: Some(100_000),
        ..EngineConfig::default()
    };
    let (found, about) = ask(
        config(),
        "select repeat('x', 999) from generate_series(1, 1000)",
    )
    .unwrap();
    let rows = found.rows.len();
    assert!(found.truncated && (90..=100).contains(&rows), "{rows}");
    let note = about
        .notes
        .iter()
        .find(|note| note.kind == NoteKind::RowLimit)
        .unwrap();
    assert!(
        note.text.contains("100000 bytes") && note.text.contains("sql_result_bytes"),
        "{}",
        note.text
    );
    let (limit, what) = limit_of(config(), "select repeat('x', 200000)");
    assert_eq!(limit, Limit::Result, "{what}");
    let (found, _) = ask(config(), "select value from generate_series(1, 1000)").unwrap();
    assert!(!found.truncated && found.rows.len() == 1000);
}

#[test]
fn a_statement_is_no_longer_than_can_be_planned() {
    let long = |part: &str, times: usize| format!("select {}", vec!["1"; times].join(part));
    for (query, word) in [
        (long("+", 3_000), "words and operators"),
        (long(" or ", 3_000), "words and operators"),
        (
            vec!["select 1"; 3_000].join(" union all "),
            "words and operators",
        ),
        (long(",", 200_000), "bytes"),
        // The parser's own limit.
        (
            format!("select {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
            "nested",
        ),
    ] {
        match ask(EngineConfig::default(), &query) {
            Err(AskError::Query { what }) => {
                assert!(what.to_lowercase().contains(word), "{what}");
            }
            other => panic!("{word}: {}", short(&other)),
        }
    }
    let many = vec!["1"; 20_000].join(",");
    let (found, _) = ask(EngineConfig::default(), &format!("select 2 in ({many})")).unwrap();
    assert_eq!(found.rows[0], [json!(false)]);
    // Deep, and within what may be: neither planning nor working overflows a stack.
    let deep = vec!["value = 1"; 650].join(" or ");
    let query = format!("select count(*) from generate_series(1, 9) where {deep}");
    let (found, _) = ask(EngineConfig::default(), &query).unwrap();
    assert_eq!(found.rows[0], [json!(1)]);
}
