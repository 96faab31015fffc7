//! What changed, and since when: found where it is, and nowhere else.

use tachograph_model::answer::{Changes, Figure, Finding};
use tachograph_model::{Ask, Column, Event, question};

use crate::home::{TestHome, ago, days};

const DAY: i64 = 86_400;
const CALLS: i64 = 24;

/// A fortnight of calls of a tool: `latency` and `fails` say how each went, by
/// day (0 is the first) and number.
fn fortnight(
    tool: &str,
    latency: impl Fn(i64, i64) -> f64,
    fails: impl Fn(i64, i64) -> bool,
) -> Vec<Event> {
    let call = |day, number| {
        // Noon of today is the present: calls of a day lie within its UTC date.
        ago((13 - day) * DAY + number * 60, "tool_call")
            .with(Column::Name, tool)
            .with(Column::DurationMs, latency(day, number))
            .with(Column::Success, !fails(day, number))
    };
    (0..14)
        .flat_map(|day| (0..CALLS).map(move |number| (day, number)))
        .map(|(day, number)| call(day, number))
        .collect()
}

/// Some noise without chance, a few per cent.
fn noise(day: i64, number: i64) -> f64 {
    1.0 + 0.03 * ((day * 7 + number * 5) % 11 - 5) as f64 / 5.0
}

fn changes(events: &[Event]) -> Changes {
    let home = TestHome::of(events);
    question::Changes { scope: days(30) }
        .ask(&home.engine())
        .unwrap()
        .0
}

#[test]
fn a_tool_that_gets_slower_is_found_with_the_day() {
    let slow = |day, number| if day >= 9 { 30.0 } else { 20.0 } * noise(day, number);
    let found = changes(&fortnight("grep", slow, |_, _| false));
    let [change] = found.changes.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (change.name.as_str(), change.figure, change.finding),
        ("grep", Figure::MedianMs, Finding::LevelShift)
    );
    // Day 13 is 2025-11-20.
    assert_eq!(change.since, "2025-11-16");
    assert!(change.worse);
    assert_eq!((change.days_before, change.days_after), (9, 5));
    assert!((change.factor.unwrap() - 1.5).abs() < 0.05, "{change:?}");
    assert!(change.p.unwrap() < 0.01);
}

#[test]
fn a_cache_that_misses_more_is_found_however_it_says_so() {
    let check = |say: fn(Event, bool) -> Event| {
        let look_up = |day: i64, number: i64| {
            let hit = number % 10 < if day >= 9 { 3 } else { 9 };
            let event = ago((13 - day) * DAY + number * 60, "cache").with(Column::Name, "c");
            say(event, hit)
        };
        let days = (0..14).flat_map(|day| (0..100).map(move |number| (day, number)));
        let events: Vec<Event> = days.map(|(day, number)| look_up(day, number)).collect();
        let found = changes(&events);
        let [change] = found.changes.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            (change.name.as_str(), change.figure),
            ("c", Figure::HitRatio)
        );
        assert_eq!(change.since, "2025-11-16");
    };
    check(|event, hit| event.with(Column::Hit, hit));
    check(|event, hit| event.with(Column::Status, if hit { "hit" } else { "miss" }));
    // The operation counts more than the flag.
    check(|event, hit| {
        let operation = if hit { "hit" } else { "miss" };
        event
            .with(Column::Status, operation)
            .with(Column::Hit, true)
    });
}

#[test]
fn one_that_gets_faster_is_for_the_better() {
    let fast = |day, number| if day >= 7 { 10.0 } else { 20.0 } * noise(day, number);
    let found = changes(&fortnight("grep", fast, |_, _| false));
    let [change] = found.changes.as_slice() else {
        panic!("{found:?}");
    };
    assert!(!change.worse);
    assert_eq!(change.since, "2025-11-14");
}

#[test]
fn a_bad_day_is_an_outlier_and_not_a_shift() {
    let found = changes(&fortnight(
        "fetch",
        |day, number| 20.0 * noise(day, number),
        |day, number| {
            if day == 6 {
                number % 2 == 0
            } else {
                number == day % 3
            }
        },
    ));
    let [change] = found.changes.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (change.figure, change.finding, change.since.as_str()),
        (Figure::FailureRatio, Finding::Outlier, "2025-11-13")
    );
    assert!(change.worse);
    assert!(change.p.unwrap() < 1e-6);
    assert!((change.after - 0.5).abs() < 1e-9);
}

#[test]
fn noise_is_no_finding() {
    let mut events = Vec::new();
    for tool in 0..20 {
        let name = format!("tool{tool}");
        events.extend(fortnight(
            &name,
            |day, number| 20.0 * noise(day * (tool + 1), number + tool),
            |_, _| false,
        ));
    }
    let found = changes(&events);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((found.series, found.too_short), (40, 0));
}

#[test]
fn five_days_are_too_few_to_tell() {
    let events: Vec<Event> = fortnight(
        "grep",
        |day, _| if day > 11 { 90.0 } else { 9.0 },
        |_, _| false,
    )
    .into_iter()
    .filter(|event| event.time >= crate::home::at("2025-11-16T00:00:00+00:00"))
    .collect();
    let found = changes(&events);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!((found.series, found.too_short), (2, 2));
}

/// Calls of a tool over a fortnight: so many each whole day, and so many today.
fn until_today(calls: i64, today: i64, latency: impl Fn(i64) -> f64) -> Vec<Event> {
    let days = (0..14).flat_map(|day| {
        let many = if day == 13 { today } else { calls };
        (0..many).map(move |number| (day, number))
    });
    let call = |(day, number)| {
        ago((13 - day) * DAY + number * 60, "tool_call")
            .with(Column::Name, "grep")
            .with(Column::DurationMs, latency(day) * noise(day, number))
            .with(Column::Success, true)
    };
    days.map(call).collect()
}

#[test]
fn a_day_that_has_hardly_begun_stands_for_no_day() {
    let slow_today = |day| if day == 13 { 90.0 } else { 20.0 };
    for (today, found) in [(12, 0), (29, 0), (31, 1), (120, 1)] {
        let found_now = changes(&until_today(120, today, slow_today));
        assert_eq!(found_now.changes.len(), found, "{today}: {found_now:?}");
        assert_eq!((found_now.series, found_now.too_short), (2, 0));
    }
    // And hides nothing: since Sunday it is slower, and today of all slowest.
    let slow = |day| match day {
        0..=9 => 20.0,
        10..=12 => 40.0,
        _ => 90.0,
    };
    for today in [12, 60] {
        let found = changes(&until_today(120, today, slow));
        let shift = found
            .changes
            .iter()
            .find(|c| c.finding == Finding::LevelShift);
        let shift = shift.unwrap_or_else(|| panic!("{today}: {found:?}"));
        assert_eq!(shift.since, "2025-11-17", "{today}");
    }
}
