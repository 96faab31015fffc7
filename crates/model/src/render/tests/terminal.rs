//! What a terminal shows: widths, glyphs, colors, and names that would break it.

use super::super::health::Targets;
use super::super::report::Selection;
use super::super::*;
use super::{about, empty, one_tool, spread};
use crate::answer::*;

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
