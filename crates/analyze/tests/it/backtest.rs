//! What alert rules would have said, held against looking every second.

use std::time::Duration;

use proptest::prelude::*;
use tachograph_analyze::question::backtest::{Point, Replay};
use tachograph_model::alert::{Condition, FAMILIES, Machine, Notice, Op, Rule, Stat, State, Terms};
use tachograph_model::answer::{NoteKind, RulePast, SeriesValue};
use tachograph_model::question::{Backtest, RuleValues, Suggest};
use tachograph_model::{Column, Event, Scope, UnixNanos, Window, answer};
use tachograph_store::SealOptions;

use crate::home::{TestHome, ago, days, now};

const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_763_640_000 * SECOND;
const STATS: [Stat; 10] = [
    Stat::Avg,
    Stat::Min,
    Stat::Max,
    Stat::P50,
    Stat::P95,
    Stat::P99,
    Stat::Rate,
    Stat::Count,
    Stat::Sum,
    Stat::Ratio,
];
const OPS: [Op; 6] = [
    Op::Above,
    Op::AtLeast,
    Op::Below,
    Op::AtMost,
    Op::Equals,
    Op::Differs,
];

fn rule(family: &str, name: &str, condition: &str) -> Rule {
    Rule {
        family: family.to_owned(),
        ..Rule::new("r", name, "", Condition::parse(condition).unwrap())
    }
}

fn replayed(rule: &Rule, points: &[Point], seconds: i64) -> RulePast {
    let until = UnixNanos(START + seconds * SECOND);
    let rules = std::slice::from_ref(rule);
    let mut replay = Replay::new(rules, UnixNanos(START), until).unwrap();
    let series = replay.series("tool", "", "t").unwrap();
    for point in points {
        replay.take(series, *point);
    }
    replay.answer().rules.remove(0)
}

/// Worked out anew at each look, of all values.
fn figure(stat: Stat, window: i64, now: i64, points: &[Point]) -> (u64, Option<f64>) {
    let inside = |point: &&Point| now - window * SECOND <= point.at.0 && point.at.0 <= now;
    let inside: Vec<&Point> = points.iter().filter(inside).collect();
    let count: u64 = inside.iter().map(|point| point.times).sum();
    let mut values = Vec::new();
    for point in &inside {
        let times = usize::try_from(point.times).unwrap();
        values.extend(point.value.into_iter().flat_map(|value| vec![value; times]));
    }
    values.sort_by(f64::total_cmp);
    let sum: f64 = values.iter().sum();
    let quantile = |fraction: f64| {
        let rank = fraction * values.len().checked_sub(1)? as f64;
        let low = values[rank as usize];
        let next = values.get(rank as usize + 1).copied().unwrap_or(low);
        let part = rank.fract();
        Some((low * (1.0 - part) + next * part).clamp(low, next))
    };
    let any = |figure: f64| (!values.is_empty()).then_some(figure);
    let failed = inside.iter().filter(|point| point.failed).count();
    let found = match stat {
        Stat::Avg => any(sum / values.len() as f64),
        Stat::Min => values.first().copied(),
        Stat::Max => values.last().copied(),
        Stat::P50 => quantile(0.5),
        Stat::P95 => quantile(0.95),
        Stat::P99 => quantile(0.99),
        Stat::Rate => Some(count as f64 / window as f64),
        Stat::Count => Some(count as f64),
        Stat::Sum => any(sum),
        Stat::Ratio => Some(failed as f64 / count as f64),
    };
    (count, found.filter(|_| count > 0))
}

/// Start and end of each firing, how often people were told, and the last state.
type Past = (Vec<(UnixNanos, Option<UnixNanos>)>, u64, State);

fn second_by_second(rule: &Rule, points: &[Point], seconds: i64) -> Past {
    let terms = Terms::of(rule).unwrap();
    let mut machine = Machine::default();
    let (mut firings, mut told): (Vec<(UnixNanos, Option<UnixNanos>)>, u64) = (Vec::new(), 0);
    for look in 0..=seconds {
        let at = START + look * SECOND;
        let window = i64::try_from(rule.window_seconds).unwrap();
        let (count, figure) = figure(terms.condition.stat, window, at, points);
        let figure = figure.filter(|_| count >= rule.min_count);
        let transition = machine.step(UnixNanos(at), &terms, figure);
        let notice = transition.and_then(|it| it.notice);
        told += u64::from(notice == Some(Notice::Firing));
        let Some(fired) = machine.fired_at() else {
            continue;
        };
        match firings.last_mut() {
            Some(last) if last.0 == fired => last.1 = machine.resolved_at(),
            _ => firings.push((fired, machine.resolved_at())),
        }
    }
    (firings, told, machine.state())
}

fn point() -> impl Strategy<Value = Point> {
    // Sums of these are exact in any order.
    let value = proptest::option::weighted(0.9, (-40..400_i32).prop_map(|it| f64::from(it) / 4.0));
    let at = prop_oneof![
        (-900..2400_i64).prop_map(|second| second * SECOND),
        -900 * SECOND..2400 * SECOND,
        (300..360_i64).prop_map(|second| second * SECOND),
    ];
    let times = prop_oneof![8 => Just(1), 1 => 1..5_u64];
    (at, value, times, any::<bool>()).prop_map(|(at, value, times, failed)| Point {
        at: UnixNanos(START + at),
        value,
        times: if value.is_some() { times } else { 1 },
        failed,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn it_is_as_looking_every_second(
        mut points in proptest::collection::vec(point(), 0..120),
        (stat, op) in (0..STATS.len(), 0..OPS.len()),
        number in (0..200_i32).prop_map(|it| f64::from(it) / 8.0),
        (window, for_seconds, cooldown) in (1..900_u64, 0..120_u64, 0..900_u64),
        min_count in 1..4_u64,
    ) {
        let condition = Condition { stat: STATS[stat], op: OPS[op], number };
        // Ratios and rates are small.
        let number = if matches!(condition.stat, Stat::Ratio | Stat::Rate) {
            number / 25.0
        } else {
            number
        };
        let rule = Rule {
            window_seconds: window,
            for_seconds,
            cooldown_seconds: cooldown,
            min_count,
            threshold: number,
            ..rule("tool", "t", &condition.to_string())
        };
        let seconds = 2000;
        let found = replayed(&rule, &points, seconds);
        // A clock that goes ahead counts as of then.
        let last = UnixNanos(START + seconds * SECOND);
        points.iter_mut().for_each(|point| point.at = point.at.min(last));
        points.sort_by_key(|point| point.at);
        let (firings, told, state) = second_by_second(&rule, &points, seconds);
        let listed: Vec<_> = found.firings.iter().map(|it| (it.start, it.end)).collect();
        prop_assert_eq!(&listed, &firings);
        prop_assert_eq!((found.fired, found.told), (firings.len() as u64, told));
        let total: f64 = firings
            .iter()
            .map(|(start, end)| (end.unwrap_or(last).0 - start.0) as f64 / SECOND as f64)
            .sum();
        prop_assert_eq!(found.firing_seconds, total);
        if let Some(standing) = found.alerts.first() {
            prop_assert_eq!(standing.state, state);
        }
    }
}

/// More values than are put in order one by one, and more than are held.
#[test]
fn of_many_values_percentiles_are_within_the_error_of_sketches() {
    for (count, window) in [(10_000_i64, 600_u64), (200_000, 86_400)] {
        let seconds = 86_400;
        let points: Vec<Point> = (0..count)
            .map(|at| {
                let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                let value = 10_f64.powf(noise as f64 / (1 << 24) as f64 * 4.0);
                let at = seconds * SECOND - (count - at) * (SECOND / 20);
                Point {
                    at: UnixNanos(START + at),
                    value: Some(value),
                    times: 1,
                    failed: false,
                }
            })
            .collect();
        for stat in [
            Stat::P50,
            Stat::P95,
            Stat::Sum,
            Stat::Max,
            Stat::Count,
            Stat::Avg,
        ] {
            let rule = Rule {
                window_seconds: window,
                ..rule("tool", "t", &format!("{} > 0", stat.name()))
            };
            let found = replayed(&rule, &points, seconds)
                .alerts
                .remove(0)
                .value
                .unwrap();
            let now = START + seconds * SECOND;
            let wanted = figure(stat, window as i64, now, &points).1.unwrap();
            let error = if count > 65_536 {
                0.01
            } else {
                1.0 / 256.0 + 1e-12
            };
            let off = (found / wanted - 1.0).abs();
            assert!(off <= error, "{count} {}: {found} {wanted}", stat.name());
        }
    }
}

/// More than are held one by one: the first of a second does not stand for all.
#[test]
fn of_very_many_values_the_mean_is_that_of_all() {
    let point = |value: f64| Point {
        at: UnixNanos(START),
        value: Some(value),
        times: 1,
        failed: false,
    };
    let mut points = vec![point(100.0); (1 << 16) + 1];
    points[0] = point(0.0);
    let found = replayed(&rule("tool", "t", "avg > 99"), &points, 10);
    assert_eq!(found.fired, 1, "{:?}", found.alerts);
}

fn asked(home: &TestHome, scope: Scope, rules: Vec<Rule>) -> (answer::Backtest, answer::About) {
    let mut last = 0.0;
    let mut progress = |part: f64| {
        assert!(part >= last && part <= 1.0, "{part} after {last}");
        last = part;
    };
    let question = Backtest { scope, rules };
    home.engine().backtest(&question, &mut progress).unwrap()
}

fn call(seconds: i64, ms: f64, success: bool) -> Event {
    ago(seconds, "tool_call")
        .with(Column::Name, "grep")
        .with(Column::DurationMs, ms)
        .with(Column::Success, success)
}

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

fn suggested(home: &TestHome) -> (answer::Suggest, answer::About) {
    let scope = Scope {
        window: Window {
            from: UnixNanos(now().0 - 14 * 86_400 * SECOND),
            to: now(),
        },
        ..days(14)
    };
    home.engine()
        .suggest(&Suggest { scope }, &mut |_| {})
        .unwrap()
}

/// Two failures of ten calls are none where one of thirty fails.
#[test]
fn chance_is_no_incident() {
    for seed in 0..10_u64 {
        // Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
        let noise = |at: i64| {
            let mixed = (at.unsigned_abs() + 7_919 * seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ mixed >> 31
        };
        let calls = (0..14 * 24 * 12).map(|at| call(at * 300, 10.0, noise(at) % 30 > 0));
        let (found, _) = suggested(&TestHome::of(&calls.collect::<Vec<_>>()));
        let failing = found.rules.first().expect("a rule");
        assert_eq!(failing.past.rule.name, "Failing tool: grep");
        assert_eq!((failing.past.fired, failing.outstanding), (0, 0), "{seed}");
    }
}

#[test]
fn a_dear_day_is_one_alert() {
    let spent = |at: i64, usd: f64| {
        ago(at, "llm_call")
            .with(Column::Name, "m")
            .with(Column::Source, "p")
            .with(Column::CostUsd, usd)
    };
    let usual = (0..14 * 24 * 12).map(|at| spent(at * 300, 0.1));
    let mut events: Vec<Event> = usual.collect();
    // Each is forgotten by the window some minutes before the next comes.
    events.extend((0..8).map(|at| spent(3 * 86_400 + at * 3_900, 50.0)));
    let (found, _) = suggested(&TestHome::of(&events));
    let dear = &found.rules[0];
    assert_eq!(dear.past.rule.name, "Dear model: p/m");
    assert_eq!(
        (dear.past.fired, dear.fired_days),
        (1, 1),
        "{:?}",
        dear.past
    );
}

#[test]
fn a_threshold_lies_between_what_is_usual_and_what_stands_out() {
    // Fourteen days of 100 to 200 ms, and an hour of 5 s.
    let usual = (0..14 * 24 * 30).map(|at| call(at * 120, 100.0 + (at * 37 % 100) as f64, true));
    let mut events: Vec<Event> = usual.collect();
    events.extend((0..120).map(|at| call(3 * 86_400 + at * 30, 5_000.0, false)));
    let (found, about) = suggested(&TestHome::of(&events));
    let titles: Vec<&str> = found
        .rules
        .iter()
        .map(|it| it.past.rule.name.as_str())
        .collect();
    assert_eq!(titles, ["Failing tool: grep", "Slow tool: grep"]);
    for suggestion in &found.rules {
        let past = &suggestion.past;
        assert_eq!((past.fired, suggestion.fired_days), (1, 1), "{past:?}");
        assert!(suggestion.outstanding > 0 && suggestion.days >= 14);
    }
    let slow = found.rules[1].past.rule.threshold;
    assert!((200.0..400.0).contains(&slow), "{slow}");
    // Caches and models are not there.
    let poor = about
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::NotEnoughData);
    assert_eq!(poor.count(), 2, "{:?}", about.notes);
}

#[test]
fn too_little_is_told_and_not_guessed() {
    let check = |events: &[Event], said: &str| {
        let (found, about) = suggested(&TestHome::of(events));
        assert_eq!(found.rules, [], "{said}");
        let told = about.notes.iter().any(|note| note.text.contains(said));
        assert!(told, "{said}: {:?}", about.notes);
    };
    check(&[], "there is no data");
    check(&[call(10, 5.0, true)], "too little is known");
    let an_hour: Vec<Event> = (0..600).map(|at| call(at * 6, 5.0, true)).collect();
    check(&an_hour, "too little is known");
}

fn values(home: &TestHome, rules: &[Rule], now: UnixNanos) -> answer::RuleValues {
    let asked = RuleValues {
        rules: rules.to_vec(),
        now,
        within: Duration::from_secs(600),
    };
    home.engine().rule_values(&asked).unwrap()
}

/// What the replay has at its last look.
fn last_look(home: &TestHome, rules: &[Rule]) -> Vec<Vec<SeriesValue>> {
    let scope = Scope {
        window: Window {
            from: now(),
            to: UnixNanos::MAX,
        },
        ..Scope::all(now())
    };
    let (found, _) = asked(home, scope, rules.to_vec());
    let value = |it: answer::Standing| SeriesValue {
        source: it.source,
        name: it.name,
        value: it.value,
    };
    let of = |past: RulePast| past.alerts.into_iter().map(value).collect();
    found.rules.into_iter().map(of).collect()
}

/// Of windows that live state does not hold: from cells, and where these do not
/// tell it, value by value.
#[test]
fn values_of_long_windows_are_those_of_the_replay() {
    let noise = |at: i64| (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let event = |at: i64| {
        let ms = (noise(at) % 5_000) as f64;
        let tokens = (noise(at) % 900) as i64;
        let named = |event: Event| event.with(Column::Name, format!("n{}", at % 2));
        let event = match at % 10 {
            0 | 4 => call(at * 60, ms, at % 5 > 0),
            1 => ago(at * 60, "llm_call")
                .with(Column::Name, "m")
                .with(Column::Source, if at % 3 == 0 { "p" } else { "q" })
                .with(Column::InputTokens, tokens)
                .with(Column::CostUsd, ms / 1e4),
            2 => ago(at * 60, "metric")
                .with(Column::Name, "load")
                .with(Column::Source, "s")
                .with(Column::Value, ms)
                .with(Column::Count, 1 + at % 3),
            3 => ago(at * 60, "cache")
                .with(Column::Name, "c")
                .with(Column::Hit, at % 7 > 1),
            // The operation counts more than the flag.
            5 => ago(at * 60, "cache")
                .with(Column::Name, "d")
                .with(
                    Column::Status,
                    ["hit", "miss", "eviction", ""][(at.unsigned_abs() / 10) as usize % 4],
                )
                .with(Column::Hit, true),
            6 => named(ago(at * 60, "profile"))
                .with(Column::Source, "s")
                .with(Column::DurationMs, ms),
            7 => named(ago(at * 60, "loss"))
                .with(Column::Status, "overload")
                .with(Column::Count, tokens),
            8 => named(ago(at * 60, "agent_discovery")).with(Column::DurationMs, ms),
            _ => {
                let kind = ["agent_usage", "query", "agent_selection"]
                    [(at.unsigned_abs() / 10) as usize % 3];
                ago(at * 60, kind)
                    .with(Column::DurationMs, ms)
                    .with(Column::Value, ms / 5e3)
                    .with(Column::Success, at % 7 > 1)
            }
        };
        // Some name who they are for.
        match noise(at) % 3 {
            0 => event,
            1 => event.with(Column::Agent, "planner"),
            _ => event.with(Column::Agent, "coder"),
        }
    };
    // Some ahead of the present: a clock that goes ahead.
    let events: Vec<Event> = (-3..6_000).map(event).collect();
    let home = TestHome::of(&events);
    let mut rules = Vec::new();
    for family in FAMILIES {
        for (stat, seconds) in STATS
            .into_iter()
            .zip([3_601, 7_211, 86_400, 90_017, 259_200].repeat(2))
        {
            let source = if family == "metric" { "s" } else { "" };
            rules.push(Rule {
                window_seconds: seconds,
                min_count: 3,
                ..Rule::new(
                    &format!("{family} {}", stat.name()),
                    "*",
                    source,
                    Condition::parse(&format!("{} > 1", stat.name())).unwrap(),
                )
            });
            rules.last_mut().unwrap().family = family.to_owned();
        }
    }
    // One of a name, one of a source, one of nothing.
    let named = |family: &str, name: &str, source: &str| Rule {
        window_seconds: 86_400,
        source: source.to_owned(),
        ..rule(family, name, "count > 0")
    };
    rules.extend([
        named("tool", "grep", ""),
        named("model", "m", "q"),
        named("tool", "none", ""),
    ]);
    let check = || {
        let found = values(&home, &rules, now());
        assert_eq!(found.notes, []);
        let wanted = last_look(&home, &rules);
        assert!(wanted.iter().filter(|of| !of.is_empty()).count() == rules.len() - 1);
        for ((rule, found), wanted) in rules.iter().zip(&found.rules).zip(&wanted) {
            let found = found.as_ref().expect("found out");
            assert_eq!(found.len(), wanted.len(), "{}", rule.name);
            for (found, wanted) in found.iter().zip(wanted) {
                let near = match (found.value, wanted.value) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                    (a, b) => a == b,
                };
                let same = (&found.source, &found.name) == (&wanted.source, &wanted.name);
                assert!(near && same, "{}: {found:?} {wanted:?}", rule.name);
            }
        }
    };
    check();
    home.engine().store().seal(SealOptions::default()).unwrap();
    check();
    // Half of it sealed, half of it not.
    for at in 0..500 {
        home.write(&call(at * 7, 123.0, true).to_line());
    }
    check();
}

/// More than are looked at one by one.
#[test]
fn values_of_many_events_are_within_the_error_of_sketches() {
    let events: Vec<Event> = (0..110_000_i64)
        .map(|at| {
            let noise = (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            call(at, 10.0 + (noise % 10_000) as f64, at % 10 > 0)
        })
        .collect();
    let home = TestHome::new();
    let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
    home.write(&lines);
    home.engine().store().seal(SealOptions::default()).unwrap();
    let rules: Vec<Rule> = STATS
        .into_iter()
        .map(|stat| Rule {
            window_seconds: 100_003,
            ..rule("tool", "grep", &format!("{} > 1", stat.name()))
        })
        .collect();
    let found = values(&home, &rules, now());
    let inside: Vec<f64> = events[..100_004]
        .iter()
        .filter_map(|event| event.f64(Column::DurationMs))
        .collect();
    let points: Vec<Point> = inside
        .iter()
        .zip(0..)
        .map(|(value, at): (&f64, i64)| Point {
            at: UnixNanos(now().0 - at * SECOND),
            value: Some(*value),
            times: 1,
            failed: at % 10 == 0,
        })
        .collect();
    for (rule, found) in rules.iter().zip(found.rules) {
        let stat = Terms::of(rule).unwrap().condition.stat;
        let wanted = figure(stat, 100_003, now().0, &points).1.unwrap();
        let found = found.unwrap()[0].value.unwrap();
        let error = match stat {
            Stat::P50 | Stat::P95 | Stat::P99 => 0.004,
            _ => 1e-9,
        };
        assert!(
            (found / wanted - 1.0).abs() <= error,
            "{}: {found} {wanted}",
            stat.name()
        );
    }
}
