//! Incidents in what a home holds, and rules that cannot be watched.

use tachograph_model::alert::Rule;
use tachograph_model::question::Backtest;
use tachograph_model::{Column, Event};
use tachograph_store::SealOptions;

use super::{SECOND, asked, call, rule};
use crate::home::{TestHome, ago, days, now};

#[test]
fn an_incident_is_found_in_the_log_and_when_it_is_sealed() {
    let mut events: Vec<Event> = (1..500).map(|at| call(at * 600, 10.0, true)).collect();
    // Ten minutes, half of what is called fails, slowly.
    events.extend((0..60).map(|at| call(7 * 3_600 - at * 10, 5_000.0, at % 2 == 0)));
    let home = TestHome::of(&events);
    let check = || {
        let slow = Rule {
            for_seconds: 60,
            ..rule("tool", "*", "p95 > 1000")
        };
        let failing = Rule {
            min_count: 10,
            ..rule("tool", "grep", "ratio > 0.3")
        };
        let long = Rule {
            window_seconds: 2 * 86_400,
            ..rule("tool", "grep", "count > 1000")
        };
        let other = rule("cache", "*", "ratio < 0.5");
        let (found, about) = asked(&home, days(7), vec![slow, failing, long, other]);
        let fired: Vec<u64> = found.rules.iter().map(|past| past.fired).collect();
        assert_eq!(fired, [1, 1, 0, 0]);
        let slow = &found.rules[0].firings[0];
        assert_eq!((slow.name.as_str(), slow.worst), ("grep", Some(5_000.0)));
        let began = now().0 - 7 * 3_600 * SECOND;
        let late = slow.start.0 - began;
        assert!((60 * SECOND..120 * SECOND).contains(&late), "{late}");
        assert_eq!(slow.end.unwrap().0 % SECOND, now().0 % SECOND);
        assert_eq!(found.rules[3].series, 0);
        assert_eq!(about.events, 559);
    };
    check();
    home.engine().store().seal(SealOptions::default()).unwrap();
    check();
}

#[test]
fn what_is_odd_is_no_reason_to_fail() {
    let check = |events: &[Event], condition: &str, fired: u64, value: Option<f64>| {
        let home = TestHome::of(events);
        let (found, _) = asked(&home, days(1), vec![rule("tool", "*", condition)]);
        let past = &found.rules[0];
        assert_eq!(past.fired, fired, "{condition}");
        let last = past.alerts.first().and_then(|standing| standing.value);
        assert_eq!(last, value, "{condition}");
    };
    check(&[], "count > 0", 0, None);
    let one = call(10, 5.0, true);
    check(std::slice::from_ref(&one), "p99 >= 5", 1, Some(5.0));
    // It does not tell how long it took: it is a call all the same.
    let bare = ago(10, "tool_call").with(Column::Name, "grep");
    check(std::slice::from_ref(&bare), "count >= 1", 1, Some(1.0));
    check(&[bare], "p95 >= 0", 0, None);
    // A clock that is ahead counts as now, one far ahead does not.
    check(&[call(-600, 5.0, true)], "count > 0", 1, Some(1.0));
    check(&[call(-7200, 5.0, true)], "count > 0", 0, None);
    check(&[call(10, -5.0, true)], "min < 0", 0, None);
    // It flaps: one firing.
    let flapping: Vec<Event> = (0..600)
        .map(|at| call(at * 2, if at % 3 == 0 { 9.0 } else { 1.0 }, true))
        .collect();
    let home = TestHome::of(&flapping);
    let flaps = Rule {
        window_seconds: 1,
        for_seconds: 0,
        ..rule("tool", "*", "max > 5")
    };
    let calm = Rule {
        for_seconds: 10,
        ..flaps.clone()
    };
    let (found, _) = asked(&home, days(1), vec![flaps, calm]);
    assert!(
        found.rules[0].fired > 10 && found.rules[0].told == 1,
        "{:?}",
        found.rules[0]
    );
    assert_eq!(found.rules[1].fired, 0);
    let hostile = call(10, 5.0, true).with(Column::Name, "x'; --\u{202e}\u{1b}[2J".repeat(900));
    let home = TestHome::of(&[hostile]);
    let (found, _) = asked(&home, days(1), vec![rule("tool", "*", "count > 0")]);
    assert_eq!(found.rules[0].fired, 1);
    assert!(found.rules[0].firings[0].name.len() <= 256);
}

#[test]
fn a_rule_that_cannot_be_watched_is_named() {
    let home = TestHome::new();
    let bad = Rule {
        condition: "p75 > 1".to_owned(),
        ..rule("tool", "*", "p95 > 1")
    };
    let question = Backtest {
        scope: days(1),
        rules: vec![rule("tool", "*", "p95 > 1"), bad],
    };
    let error = home.engine().backtest(&question, &mut |_| {}).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("\"r\"") && error.contains("column 1"),
        "{error}"
    );
}
