//! Figures, ages, CSV, tables and SQL in every form.

use serde_json::Value;

use super::super::report::Selection;
use super::super::sheet::{Cell, Sheet, Table};
use super::super::*;
use super::{now, one_tool};
use crate::answer::*;

#[test]
fn rounding_is_pythons() {
    for (value, rounded) in [
        (2.675, 2.67),
        (0.125, 0.12),
        (0.135, 0.14),
        (-0.125, -0.12),
        (1e300, 1e300),
    ] {
        assert_eq!(human::round(value, 2), rounded);
    }
    assert!(human::round(f64::NAN, 2).is_nan());
}

#[test]
fn ages_reach_days() {
    let ago = |seconds: u64| {
        human::ago(
            now().saturating_sub(std::time::Duration::from_secs(seconds)),
            now(),
        )
    };
    assert_eq!(ago(59), "59 seconds ago");
    assert_eq!(ago(61), "1 minutes ago");
    assert_eq!(ago(3_600), "1 hours ago");
    assert_eq!(ago(86_400), "1 day ago");
    assert_eq!(ago(5 * 86_400), "5 days ago");
    assert_eq!(human::ago(now(), UnixNanos(0)), "in the future");
}

#[test]
fn text_cells_of_csv_are_guarded_and_numbers_never() {
    for (cell, written) in [
        ("search", "search"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "\"'\rx\""),
        ("a,b", "\"a,b\""),
        ("say \"x\"", "\"say \"\"x\"\"\""),
        ("a\nb", "\"a\nb\""),
        ("'quoted'", "'quoted'"),
        ("'=1", "''=1"),
        ("''-1", "'''-1"),
    ] {
        assert_eq!(csv::text(cell), written);
        assert_eq!(csv::unguarded(&csv::guarded(cell)), cell);
    }
    let row = [
        serde_json::Value::Null,
        "".into(),
        (-1).into(),
        "-1".into(),
        1.25.into(),
    ];
    assert_eq!(csv::row_of(&row), ",\"\",-1,'-1,1.25\n");
    let mut report = one_tool("=cmd|' /C calc'!A0");
    report.token_savings.loads = 1;
    report.token_savings.tokens = -5;
    let out = report::csv(&report, &Selection::All);
    assert!(out.contains("tools,'=cmd|' /C calc'!A0,calls,2\n"), "{out}");
    assert!(out.contains("token_savings,,tokens,-5\n"), "{out}");
    for line in out.lines() {
        assert!(!line.contains(",="), "{line}");
    }
}

#[test]
fn tables_drop_empty_columns_and_say_what_they_left_out() {
    let mut table = Table::new("things", "Thing", &[("Count", "count"), ("Never", "never")]);
    for at in 0..12_u64 {
        table.row(format!("t{at}"), vec![Cell::Count(at), Cell::Nothing]);
    }
    let mut sheet = Sheet::new("things", "Things", "");
    sheet.table(table);
    let mut out = String::new();
    text::write(&mut out, &sheet, Style::PLAIN, 10);
    assert!(
        out.starts_with("Things:\n  Thing  Count\n  t0         0\n"),
        "{out}"
    );
    assert!(out.ends_with("  t9         9\n  … and 2 more\n"), "{out}");
    sheet.tables[0].newest_last = true;
    out.clear();
    text::write(&mut out, &sheet, Style::PLAIN, 10);
    assert!(out.starts_with("Things:\n  Thing  Count\n  t2 "), "{out}");
    assert!(
        out.ends_with("  t11       11\n  … and 2 earlier\n"),
        "{out}"
    );
}

#[test]
fn a_query_in_sql_in_every_form() {
    let found = Sql {
        columns: vec![
            SqlColumn {
                name: "name".into(),
                r#type: "Utf8".into(),
                numeric: false,
            },
            SqlColumn {
                name: "n".into(),
                r#type: "Int64".into(),
                numeric: true,
            },
        ],
        rows: vec![
            vec!["=search".into(), 12.into()],
            vec![Value::Null, (-3).into()],
        ],
        truncated: false,
    };
    assert_eq!(
        sql::text(&found, Style::PLAIN),
        "name      n\n=search  12\nNULL     -3\n(2 rows)\n"
    );
    assert_eq!(sql::csv(&found), "name,n\n'=search,12\n,-3\n");
    assert_eq!(
        sql::jsonl(&found),
        "{\"name\":\"=search\",\"n\":12}\n{\"name\":null,\"n\":-3}\n"
    );
    assert_eq!(
        sql::markdown(&found),
        "| name | n |\n|---|---:|\n| =search | 12 |\n| NULL | -3 |\n"
    );
    // Columns that an object would put elsewhere, or leave out.
    let column = |name: &str| SqlColumn {
        name: name.into(),
        r#type: "Int64".into(),
        numeric: true,
    };
    let twice = Sql {
        columns: vec![column("id"), column("1"), column("id")],
        rows: vec![vec![1.into(), Value::Null, 3.into()]],
        truncated: true,
    };
    assert_eq!(
        sql::table(&twice),
        "{\"columns\":[{\"name\":\"id\",\"type\":\"Int64\",\"numeric\":true},\
         {\"name\":\"1\",\"type\":\"Int64\",\"numeric\":true},\
         {\"name\":\"id\",\"type\":\"Int64\",\"numeric\":true}],\
         \"rows\":[[1,null,3]],\"truncated\":true}"
    );
    let narrow = Style {
        width: Some(12),
        ..Style::PLAIN
    };
    let wide = Sql {
        rows: vec![vec!["a".repeat(40).into(), 1.into()]],
        ..found
    };
    let times = Sql {
        columns: vec![
            SqlColumn {
                name: "timestamp".into(),
                r#type: "Timestamp(Microsecond, Some(\"+00:00\"))".into(),
                numeric: false,
            },
            wide.columns[0].clone(),
            wide.columns[1].clone(),
        ],
        rows: vec![vec![
            "2025-11-20T12:00:00+00:00".into(),
            "b".repeat(40).into(),
            7.into(),
        ]],
        truncated: false,
    };
    let at = |columns| {
        let style = Style {
            width: Some(columns),
            ..Style::PLAIN
        };
        sql::text(&times, style)
    };
    assert!(
        at(60).contains("2025-11-20T12:00:00+00:00  bbbbbbbbbbbbbbbbbbbb"),
        "{}",
        at(60)
    );
    assert!(at(60).contains("…  7\n"), "{}", at(60));
    assert!(at(40).contains("… no room for: name, n\n"), "{}", at(40));
    let cut = sql::text(&wide, narrow);
    assert!(
        cut.lines().take(2).all(|line| width::width(line) <= 12),
        "{cut}"
    );
}
