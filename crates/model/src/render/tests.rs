//! Forms of figures, guards, and reports of answers made by hand.

use serde_json::Value;

use super::health::{Status, Targets, format_duration};
use super::report::{Section, Selection};
use super::sheet::{Cell, Sheet, Table};
use super::*;
use crate::answer::*;
use crate::question::Scope;

fn now() -> UnixNanos {
    UnixNanos::parse("2025-11-20T12:00:00Z", false).expect("an instant")
}

fn about() -> About {
    About::new(&Scope::last_days(7, now()))
}

fn empty() -> Report {
    Report {
        discovery: Discovery::default(),
        token_savings: TokenSavings::default(),
        cache_performance: CachePerformance::default(),
        trends: Trends::default(),
        queries: Queries::default(),
        tools: Tools::default(),
        caches: Caches::default(),
        models: Models::default(),
        sessions: Sessions::default(),
        agents: Agents::default(),
        errors: Errors::default(),
        usage: Usage::default(),
        metrics: Metrics::default(),
        losses: Losses::default(),
        storage: Storage::default(),
    }
}

fn spread(value: f64) -> Option<Spread> {
    Some(Spread {
        count: 1,
        sum: value,
        mean: value,
        min: value,
        max: value,
        p50: value,
        p95: value,
        p99: value,
    })
}

/// A home with one tool, named so as to break every form.
fn one_tool(name: &str) -> Report {
    let calls = Outcomes {
        succeeded: 1,
        failed: 1,
        unknown: 0,
    };
    let mut report = empty();
    report.tools = Tools {
        tools: vec![Tool {
            name: name.to_owned(),
            calls,
            success_ratio: calls.success_ratio(),
            duration_ms: spread(1.25),
            errors: vec![Tally {
                name: "TimeoutError".to_owned(),
                count: 1,
            }],
            first: now(),
            last: now(),
        }],
        calls,
        duration_ms: spread(1.25),
    };
    report.usage.events = 2;
    report.usage.kinds = vec![Tally {
        name: "tool_call".to_owned(),
        count: 2,
    }];
    report
}

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
fn helpers_of_the_health_check_agree_with_the_first_seed() {
    let cases: Vec<(f64, String)> = vectors(include_str!(
        "../../tests/data/health_helpers/format_duration.json"
    ));
    assert!(cases.len() > 10);
    for (ms, text) in cases {
        assert_eq!(format_duration(ms), text, "{ms}");
    }
    let cases: Vec<(f64, f64, bool, String)> = vectors(include_str!(
        "../../tests/data/health_helpers/status_icon.json"
    ));
    assert!(cases.len() > 10);
    for (value, target, lower_is_better, icon) in cases {
        let status = if lower_is_better {
            Status::below(value, target)
        } else {
            Status::above(value, target)
        };
        assert_eq!(status.icon(), icon, "{value} {target}");
    }
}

fn vectors<T: serde::de::DeserializeOwned>(json: &str) -> Vec<T> {
    serde_json::from_str(json).expect("vectors")
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
fn an_empty_home_is_answered_in_the_first_seeds_words() {
    let text = report::text(&empty(), &about(), &Selection::Auto, Style::PLAIN);
    assert_eq!(
        text,
        "\n=== Mycelium Performance Analytics (7 days) ===\n\n\
         Agent Discovery Performance:\n  Total operations: 0\n\n\
         Token Consumption:\n  Agents loaded: 0\n  Tokens loaded: 0\n\n\
         Cache Performance:\n  No cache lookups recorded\n\n\
         Performance Trend: stable\n\n"
    );
}

#[test]
fn sections_appear_for_data_that_exists_only() {
    let text = report::text(
        &one_tool("search"),
        &about(),
        &Selection::Auto,
        Style::PLAIN,
    );
    assert!(
        text.contains("Tools:\n  Calls: 2\n  Success rate: 50.0%\n"),
        "{text}"
    );
    assert!(
        text.contains("\n  Tool    Calls  Failed  Success     Avg"),
        "{text}"
    );
    assert!(
        text.contains("\n  search      2       1    50.0%  1.2 ms"),
        "{text}"
    );
    for absent in ["Agent Discovery", "Token", "Models", "Sessions", "Queries"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
    let json = report::json(&one_tool("search"), &about(), &Selection::Auto);
    assert_eq!(json["tools"]["tools"][0]["name"], "search");
    assert_eq!(json["discovery_stats"]["total_operations"], 0);
    let keys: Vec<&str> = json
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys[..6],
        [
            "report_period_days",
            "generated_at",
            "discovery_stats",
            "token_savings",
            "cache_performance",
            "trends"
        ]
    );
}

#[test]
fn events_of_the_first_seed_alone_give_its_keys_alone() {
    let mut report = empty();
    report.sessions.started = 3;
    report.usage.events = 4;
    for kind in ["session_start", "somebody_elses"] {
        report.usage.kinds.push(Tally {
            name: kind.to_owned(),
            count: 2,
        });
    }
    let json = report::json(&report, &about(), &Selection::Auto);
    assert_eq!(json.as_object().map(|object| object.len()), Some(6));
    assert!(!report::text(&report, &about(), &Selection::Auto, Style::PLAIN).contains("Sessions"));
    assert!(
        report::text(&report, &about(), &Selection::All, Style::PLAIN)
            .contains("Sessions:\n  Started: 3\n")
    );
    let asked = Selection::Only(vec![Section::Tools]);
    let text = report::text(&report, &about(), &asked, Style::PLAIN);
    assert!(
        text.contains("Tools:\n  Nothing in this window\n"),
        "{text}"
    );
    let only = Selection::Only(vec![Section::Sessions]);
    assert_eq!(
        report::json(&report, &about(), &only)["sessions"]["started"],
        3
    );
}

#[test]
fn names_from_events_break_no_form() {
    let name = "a|b`*\u{1b}[31mred\nline";
    let report = one_tool(name);
    let text = report::text(&report, &about(), &Selection::All, Style::PLAIN);
    assert!(!text.contains('\u{1b}'), "{text}");
    let page = report::markdown(&report, &about(), &Selection::All);
    let row = page
        .lines()
        .find(|line| line.contains("a\\|b"))
        .expect("the row");
    assert!(
        row.contains("a\\|b\\`\\*\\\\u{1b}\\[31mred\\\\nline"),
        "{row}"
    );
}

#[test]
fn a_narrow_terminal_cuts_names_first() {
    let report = one_tool("a_tool_with_quite_a_long_name_indeed");
    let wide = report::text(&report, &about(), &Selection::All, Style::PLAIN);
    let longest = |text: &str| text.lines().map(width::width).max().unwrap_or(0);
    let columns = longest(&wide) - 10;
    let style = Style {
        width: Some(columns),
        ..Style::PLAIN
    };
    let text = report::text(&report, &about(), &Selection::All, style);
    assert!(text.contains("  a_tool_with_quite_a_long_…"), "{text}");
    assert_eq!(longest(&text), columns);
    assert_eq!(width::cut("söarch", 4), "söa…");
    assert_eq!(width::width("日本"), 4);
}

#[test]
fn every_page_fits_the_terminal() {
    let mut report = one_tool("a_tool_with_quite_a_long_name_indeed_and_then_some");
    report.tools.tools[0].errors[0].name = "AnErrorWithAVeryLongName".repeat(9);
    report.queries.total = 3;
    report.queries.outcomes.succeeded = 3;
    report.queries.entities = ["customers", "bills", "contracts", "invoices", "meters"]
        .map(|name| Tally {
            name: name.to_owned(),
            count: 1_234_567,
        })
        .into();
    report.discovery.total = 1;
    report.discovery.operations = vec![Operation {
        name: "an_operation_with_a_long_name".to_owned(),
        count: 1,
        duration_ms: spread(1e308),
        hits: 0,
        hit_ratio: None,
    }];
    let change = Change {
        event_type: "tool_call".to_owned(),
        name: "web_fetch_of_something".to_owned(),
        figure: Figure::MedianMs,
        finding: Finding::LevelShift,
        since: "2025-11-18".to_owned(),
        before: 12.0,
        after: 120.0,
        factor: Some(10.0),
        p: Some(0.001),
        days_before: 7,
        days_after: 7,
        worse: true,
    };
    let changes = Changes {
        changes: vec![change],
        ..Changes::default()
    };
    for columns in [60, 80, 120, 200] {
        let style = Style {
            width: Some(columns),
            ..Style::PLAIN
        };
        let hint = "tacho report";
        for text in [
            report::text(&report, &about(), &Selection::All, style),
            stats::text(&report, &about(), style),
            changes::page(&changes, &about(), style),
            health::text(&report, &about(), &Targets::default(), hint, style),
        ] {
            for line in text.lines() {
                assert!(width::width(line) <= columns, "{columns}: {line}\n{text}");
            }
        }
    }
    // Off a terminal nothing is cut.
    let whole = report::text(&report, &about(), &Selection::All, Style::PLAIN);
    assert!(!whole.contains('…'), "{whole}");
}

#[test]
fn ascii_and_colors_are_kept_apart() {
    let report = one_tool("söarch");
    let style = Style {
        glyphs: Glyphs::Ascii,
        ..Style::PLAIN
    };
    let hint = "tacho report";
    for text in [
        report::text(&report, &about(), &Selection::All, style),
        stats::text(&report, &about(), style),
        health::text(&report, &about(), &Targets::default(), hint, style),
        changes::page(&Changes::default(), &about(), style),
        trends::page(&report.trends, &report.queries, &about(), style),
    ] {
        assert!(text.is_ascii(), "{text}");
    }
    let no_emoji = Style {
        glyphs: Glyphs::NoEmoji,
        ..Style::PLAIN
    };
    let text = health::text(&empty(), &about(), &Targets::default(), hint, no_emoji);
    let widths: Vec<usize> = text.lines().take(4).map(width::width).collect();
    assert_eq!(widths, [61; 4], "{text}");
    assert!(
        text.contains("\nSTORAGE HEALTH\n") && text.contains("[!]"),
        "{text}"
    );
}

#[test]
fn queries_of_unknown_outcome_are_no_failures() {
    let mut report = empty();
    let outcomes = Outcomes {
        succeeded: 6,
        failed: 2,
        unknown: 4,
    };
    report.queries.total = 12;
    report.queries.outcomes = outcomes;
    report.queries.success_ratio = outcomes.success_ratio();
    report.queries.abandoned = 3;
    report.usage.events = 12;
    let text = report::text(&report, &about(), &Selection::All, Style::PLAIN);
    for line in [
        "  Success rate: 75.0%\n",
        "  Failed: 2\n",
        "  Unknown outcome: 4\n",
        "  Never finished: 3\n",
        "  The success rate is that of 8 queries with a known outcome\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    // In the seed's words, too.
    let only = Selection::Only(vec![Section::Queries]);
    let text = report::text(&report, &about(), &only, Style::PLAIN);
    for line in [
        "  • Success Rate: 75.0%\n",
        "  • Failed Queries: 2\n",
        "  • Unknown Outcome: 4 (3 abandoned), not in the rate\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let json = report::json(&report, &about(), &only);
    assert_eq!(json["success_rate"], 0.75);
    assert_eq!(json["failed_queries"], 2);
    assert_eq!(json["unknown_outcome_queries"], 4);
    // Where all is known nothing is added to the seed's keys.
    report.queries.outcomes.unknown = 0;
    let json = report::json(&report, &about(), &only);
    assert!(json.get("unknown_outcome_queries").is_none(), "{json}");
    report.queries.outcomes = Outcomes {
        unknown: 12,
        ..Outcomes::default()
    };
    let text = report::text(&report, &about(), &only, Style::PLAIN);
    assert!(text.contains("  • Success Rate: unknown\n"), "{text}");
}

#[test]
fn the_verdict_is_true_for_the_data_at_hand() {
    let page = |report: &Report| {
        health::text(
            report,
            &about(),
            &Targets::default(),
            "tacho report",
            Style::PLAIN,
        )
    };
    let verdict = |report: &Report| {
        health::json(report, &about(), &Targets::default())["verdict"]
            .as_str()
            .map(str::to_owned)
            .expect("a verdict")
    };
    let text = page(&empty());
    assert!(
        text.contains("No Data Yet") && !text.contains("Below Target"),
        "{text}"
    );
    assert!(text.contains("Tips:\n  • Nothing was recorded"), "{text}");
    assert_eq!(verdict(&empty()), "no_data");
    let mut report = one_tool("search");
    let text = page(&report);
    assert!(text.contains("No Verdict"), "{text}");
    assert!(text.contains("Tips:\n  • Targets are for"), "{text}");
    assert_eq!(verdict(&report), "no_targets");
    report.cache_performance.hit_ratio = Some(0.9);
    report.cache_performance.lookups = 10;
    assert_eq!(verdict(&report), "good_so_far");
    assert!(page(&report).contains("Speedup:        unknown ("));
    report.cache_performance.hit_ratio = Some(0.1);
    report.cache_performance.speedup = Some(0.04);
    assert_eq!(verdict(&report), "missed");
    assert!(page(&report).contains("Speedup:        0.040x (cache hits are slower)"));
}

#[test]
fn a_terminal_gets_emoji_and_bold_headings() {
    let style = Style {
        emoji: true,
        ..Style::PLAIN
    };
    let text = report::text(&empty(), &about(), &Selection::Auto, style);
    for heading in [
        "📊 Agent Discovery Performance:",
        "💾 Token Consumption:",
        "⚡ Cache Performance:",
        "📈 Performance Trend: stable",
    ] {
        assert!(text.contains(heading), "{text}");
    }
    let style = Style {
        color: true,
        ..Style::PLAIN
    };
    let text = report::text(&empty(), &about(), &Selection::Auto, style);
    assert!(
        text.contains("\u{1b}[1mToken Consumption:\u{1b}[0m\n"),
        "{text}"
    );
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
fn the_box_is_straight_and_tips_are_true() {
    let text = health::text(
        &empty(),
        &about(),
        &Targets::default(),
        "tacho report",
        Style::PLAIN,
    );
    let widths: Vec<usize> = text.lines().take(4).map(width::width).collect();
    assert_eq!(widths, [61; 4], "{text}");
    assert!(!text.contains("All operations meeting"), "{text}");
    assert!(!health::is_missed(&health::checks(
        &empty(),
        &Targets::default()
    )));

    let mut report = empty();
    report.usage.events = 2;
    report.discovery.total = 2;
    report.discovery.duration_ms = spread(7.0);
    report.discovery.operations = vec![Operation {
        name: "get_agent".to_owned(),
        count: 2,
        duration_ms: spread(7.0),
        hits: 1,
        hit_ratio: Some(0.5),
    }];
    let checks = health::checks(&report, &Targets::default());
    assert!(health::is_missed(&checks), "get_agent is above 5 ms");
    let text = health::text(
        &report,
        &about(),
        &Targets::default(),
        "tacho report",
        Style::PLAIN,
    );
    assert!(
        text.contains("get_agent            2      7.0ms     7.0ms     7.0ms  <5ms      ⚠️"),
        "{text}"
    );
    assert!(
        text.contains("  • get_agent p95 is 7.0ms, its target is below 5ms\n"),
        "{text}"
    );
    assert!(!text.contains("All operations meeting"), "{text}");
    let lenient = Targets {
        get_agent_ms: 7.5,
        ..Targets::default()
    };
    assert!(!health::is_missed(&health::checks(&report, &lenient)));
}

#[test]
fn windows_in_words() {
    let at = |text| UnixNanos::parse(text, true).expect("an instant");
    let mut about = about();
    assert_eq!(period(&about), "7 days");
    about.period = None;
    about.from = at("2025-11-01");
    assert_eq!(period(&about), "since 2025-11-01");
    about.to = Some(at("2025-12-01T06:00:00Z"));
    assert_eq!(period(&about), "2025-11-01 to 2025-12-01T06:00:00+00:00");
    about.to = Some(at("2025-12-01"));
    assert_eq!(
        report::json(&empty(), &about, &Selection::Auto)["report_period_days"],
        30
    );
    about.from = UnixNanos::MIN;
    about.to = None;
    assert_eq!(period(&about), "all time");
    assert_eq!(
        report::json(&empty(), &about, &Selection::Auto)["report_period_days"],
        Value::Null
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
