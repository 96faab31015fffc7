//! Reports: which sections there are, in which words.

use serde_json::Value;

use super::super::report::{Section, Selection};
use super::super::*;
use super::{about, empty, one_tool};
use crate::answer::*;

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
