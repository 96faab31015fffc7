//! The health check: its verdict, its box, its tips.

use super::super::health::{Status, Targets, format_duration};
use super::super::*;
use super::{about, empty, one_tool, spread};
use crate::answer::*;

#[test]
fn helpers_of_the_health_check_agree_with_the_first_seed() {
    let cases: Vec<(f64, String)> = vectors(include_str!(
        "../../../tests/data/health_helpers/format_duration.json"
    ));
    assert!(cases.len() > 10);
    for (ms, text) in cases {
        assert_eq!(format_duration(ms), text, "{ms}");
    }
    let cases: Vec<(f64, f64, bool, String)> = vectors(include_str!(
        "../../../tests/data/health_helpers/status_icon.json"
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
