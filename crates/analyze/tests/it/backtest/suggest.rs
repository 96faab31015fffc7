//! Rules that the past suggests.

use tachograph_model::answer::NoteKind;
use tachograph_model::question::Suggest;
use tachograph_model::{Column, Event, Scope, UnixNanos, Window, answer};

use super::{SECOND, call};
use crate::home::{TestHome, ago, days, now};

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
