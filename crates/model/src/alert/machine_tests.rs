use proptest::prelude::*;

use super::*;

const START: i64 = 1_763_640_000 * SECOND;

fn rule(for_seconds: u64, cooldown_seconds: u64) -> Rule {
    let condition = Condition::parse("avg > 10").expect("a condition");
    Rule {
        for_seconds,
        cooldown_seconds,
        window_seconds: 30,
        ..Rule::new("r", "m", "s", condition)
    }
}

fn terms(for_seconds: u64, cooldown_seconds: u64) -> Terms {
    Terms::of(&rule(for_seconds, cooldown_seconds)).expect("a rule")
}

/// A look a second: `#` too much, `.` well, `?` nothing known. What state it
/// was in after each, by its first letter, and a capital where people were told.
fn run(terms: &Terms, looks: &str) -> String {
    let mut machine = Machine::default();
    let mut said = String::new();
    for (at, look) in looks.chars().enumerate() {
        let value = match look {
            '#' => Some(11.0),
            '.' => Some(10.0),
            '!' => Some(f64::NAN),
            _ => None,
        };
        let now = UnixNanos(START + at as i64 * SECOND);
        let transition = machine.step(now, terms, value);
        let letter = machine.state().name().chars().next().expect("a name");
        let told = transition.is_some_and(|transition| transition.notice.is_some());
        said.push(if told {
            letter.to_ascii_uppercase()
        } else {
            letter
        });
    }
    said
}

#[test]
fn states_follow_the_figures() {
    let check = |for_seconds, cooldown, looks: &str, said: &str| {
        assert_eq!(run(&terms(for_seconds, cooldown), looks), said, "{looks}");
    };
    check(0, 0, "..##..", "iiFffR");
    check(3, 0, "####..####..", "pppFffffffff");
    check(3, 0, "###.####", "pppipppF");
    check(3, 0, "####....", "pppFfffR");
    // A break while it is pending begins anew, known or not.
    check(3, 0, "##?####", "ppnpppF");
    check(3, 0, "##!####", "ppnpppF");
    // Flapping is one alert.
    check(0, 0, "#.#.#.#..", "FfffffffR");
    // No second notice within the cool-down, and none of its end.
    check(0, 100, "#..#..", "FfRffr");
    // What still fires when it ends is told of then.
    check(0, 6, "#..####..", "FfRfffFfR");
    // Silence while it fires: it still does, until a window has passed.
    check(0, 0, "#??#..", "FnnffR");
    let silent = format!("#{}", "?".repeat(32));
    let said = format!("F{}Nn", "n".repeat(30));
    check(0, 0, &silent, &said[..]);
    check(0, 0, "????", "nnnn");
    check(0, 0, "?.?", "nin");
}

/// After each look the state's first letter, in capitals where what fired is not
/// over: of `N` people are to know that it is open and that nothing comes.
#[test]
fn without_data_what_fired_is_open_until_a_window_has_passed() {
    let check = |for_seconds, looks: &str, said: &str| {
        let terms = terms(for_seconds, 0);
        let mut machine = Machine::default();
        for (at, (look, wanted)) in looks.chars().zip(said.chars()).enumerate() {
            let value = match look {
                '#' => Some(11.0),
                '.' => Some(10.0),
                _ => None,
            };
            machine.step(UnixNanos(START + at as i64 * SECOND), &terms, value);
            let letter = machine.state().name().chars().next().expect("a name");
            let found = match machine.is_open() {
                true => letter.to_ascii_uppercase(),
                false => letter,
            };
            assert_eq!(found, wanted, "look {at} of {looks}");
        }
        assert_eq!(looks.len(), said.len());
    };
    // It comes back: too much, well, or well for as long as it takes.
    check(0, "#??##", "FNNFF");
    check(0, "#??..", "FNNFr");
    check(3, "####?....", "pppFNFFFr");
    // Silence between two looks that are well begins anew.
    check(0, "#.?..", "FFNFr");
    // What only waited is not open, and waits anew.
    check(3, "##?####", "ppnpppF");
    check(0, ".?.", "ini");
    // The window is 30 s: so long nothing is known, and then it is over.
    let (silent, open) = ("?".repeat(33), "N".repeat(30));
    check(0, &format!("#{silent}"), &format!("F{open}nnn"));
    check(0, &format!("#{silent}."), &format!("F{open}nnni"));
    check(0, &format!("#{silent}#"), &format!("F{open}nnnF"));
    // Of a longer `for` that long.
    let (silent, open) = ("?".repeat(42), "N".repeat(40));
    let before = "p".repeat(40);
    let looks = format!("{}{silent}", "#".repeat(41));
    check(40, &looks, &format!("{before}F{open}nn"));
}

#[test]
fn a_rule_that_ends_resolves_what_fires_and_only_that() {
    let terms = terms(0, 60);
    let mut machine = Machine::default();
    assert_eq!(machine.end(UnixNanos(START)), None);
    machine.step(UnixNanos(START), &terms, Some(11.0));
    let ended = machine.end(UnixNanos(START + 1)).expect("resolved");
    assert_eq!(
        (ended.to, ended.notice),
        (State::Resolved, Some(Notice::Resolved))
    );
    assert_eq!(machine.resolved_at(), Some(UnixNanos(START + 1)));
    assert_eq!(
        machine
            .end(UnixNanos(START + 2))
            .and_then(|ended| ended.notice),
        None
    );
}

#[test]
fn what_is_resolved_is_shown_for_a_while() {
    let terms = terms(0, 0);
    let mut machine = Machine::default();
    for (second, value, state) in [
        (0, 11.0, State::Firing),
        (1, 1.0, State::Firing),
        (2, 1.0, State::Resolved),
        (800, 1.0, State::Resolved),
        (902, 1.0, State::Inactive),
    ] {
        machine.step(UnixNanos(START + second * SECOND), &terms, Some(value));
        assert_eq!(machine.state(), state, "{second}");
    }
    assert!(machine.is_idle());
}

#[test]
fn a_clock_that_goes_back_stands_still_and_a_gap_counts_little() {
    let terms = terms(300, 0);
    let mut machine = Machine::default();
    let mut at = |second: i64| {
        machine.step(UnixNanos(START + second * SECOND), &terms, Some(11.0));
        machine.state()
    };
    assert_eq!(at(0), State::Pending);
    // A night with the lid closed.
    assert_eq!(at(30_000), State::Pending);
    assert_eq!(at(-90_000), State::Pending);
    for second in 1..4 {
        assert_eq!(at(-90_000 + 60 * second), State::Pending);
    }
    assert_eq!(at(-90_000 + 240), State::Firing);
}

#[test]
fn a_state_of_an_older_version_is_read() {
    let text = r#"{"state":"firing","since":"2025-11-20T12:00:00","seen":"2025-11-20T12:00:00"}"#;
    let machine: Machine = serde_json::from_str(text).expect("a state");
    assert_eq!(machine.state(), State::Firing);
    assert!(serde_json::from_str::<Machine>(r#"{"state":"on"}"#).is_err());
}

/// Looks with what passed since the one before, seconds: mostly as a loop has
/// them, at times a gap, at times back.
fn looks() -> impl Strategy<Value = Vec<(i64, Option<f64>)>> {
    let passed = prop_oneof![8 => 1..3_i64, 1 => 0..90_i64, 1 => -5000..5000_i64];
    let value = prop_oneof![
        4 => Just(Some(11.0)),
        4 => Just(Some(9.0)),
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
    ];
    // Runs, for else nothing would ever hold for long.
    let run = (value, 1..12_usize, proptest::collection::vec(passed, 12));
    let runs = proptest::collection::vec(run, 1..20);
    runs.prop_map(|runs| {
        let looks = runs.into_iter().flat_map(|(value, length, passed)| {
            passed
                .into_iter()
                .take(length)
                .map(move |passed| (passed, value))
        });
        looks.collect()
    })
}

proptest! {
    #[test]
    fn it_fires_only_of_what_held_for_so_long(looks in looks(), for_seconds in 0..20_u64) {
        let terms = terms(for_seconds, 0);
        let mut machine = Machine::default();
        let (mut now, mut held) = (START, None);
        for (passed, value) in looks {
            now += passed * SECOND;
            let fresh = passed.max(0);
            held = match value {
                Some(value) if value > 10.0 => Some(held.map_or(0, |held: i64| held + fresh)),
                _ => None,
            };
            let transition = machine.step(UnixNanos(now), &terms, value);
            let began = transition.is_some_and(|to| {
                to.notice == Some(Notice::Firing)
                    || (to.to == State::Firing && to.from != State::NoData)
            });
            if began {
                prop_assert!(held.is_some_and(|held| held >= for_seconds as i64), "{held:?}");
            }
        }
    }

    #[test]
    fn people_are_told_in_turns_and_not_within_the_cool_down(
        looks in looks(),
        for_seconds in 0..5_u64,
        cooldown in 0..60_u64,
    ) {
        let terms = terms(for_seconds, cooldown);
        let mut machine = Machine::default();
        let (mut now, mut clock, mut open, mut last) = (START, 0, false, None);
        for (passed, value) in looks {
            now += passed * SECOND;
            clock += passed.max(0);
            let transition = machine.step(UnixNanos(now), &terms, value);
            match transition.and_then(|transition| transition.notice) {
                Some(Notice::Firing) => {
                    prop_assert!(!open);
                    prop_assert!(last.is_none_or(|last| clock - last >= cooldown as i64));
                    (open, last) = (true, Some(clock));
                }
                Some(Notice::Resolved) => {
                    prop_assert!(open);
                    open = false;
                }
                None => {}
            }
        }
        let told = machine.end(UnixNanos(now)).and_then(|transition| transition.notice);
        prop_assert_eq!(told == Some(Notice::Resolved), open);
    }

    #[test]
    fn a_restart_is_as_none(looks in looks(), cut in 0..200_usize, for_seconds in 0..9_u64) {
        let terms = terms(for_seconds, 30);
        let (mut one, mut other) = (Machine::default(), Machine::default());
        let mut now = START;
        for (at, (passed, value)) in looks.into_iter().enumerate() {
            now += passed * SECOND;
            if at == cut {
                let text = serde_json::to_string(&other).expect("JSON");
                other = serde_json::from_str(&text).expect("a state");
            }
            let transitions = [&mut one, &mut other].map(|machine| {
                machine.step(UnixNanos(now), &terms, value)
            });
            prop_assert_eq!(transitions[0], transitions[1]);
            prop_assert_eq!(&one, &other);
        }
    }

    #[test]
    fn looks_at_once_are_as_one_by_one(
        runs in proptest::collection::vec(
            (proptest::option::of(0.0..20.0_f64), 1..2000_u64),
            1..20,
        ),
        for_seconds in 0..200_u64,
        cooldown in 0..900_u64,
    ) {
        let terms = terms(for_seconds, cooldown);
        let (mut one, mut other) = (Machine::default(), Machine::default());
        let mut now = START;
        for (value, looks) in runs {
            let mut wanted = Vec::new();
            let mut found = Vec::new();
            for look in 0..looks {
                let at = UnixNanos(now + look as i64 * SECOND);
                wanted.extend(one.step(at, &terms, value).map(|it| (at, it)));
            }
            found.extend(other.step(UnixNanos(now), &terms, value).map(|it| (UnixNanos(now), it)));
            let mut done = 1;
            while done < looks {
                let (more, transition) = other.repeat(looks - done, &terms);
                prop_assert!(more > 0);
                done += more;
                let at = UnixNanos(now + (done as i64 - 1) * SECOND);
                found.extend(transition.map(|it| (at, it)));
            }
            now += looks as i64 * SECOND;
            prop_assert_eq!(found, wanted);
            prop_assert_eq!(&one, &other);
        }
    }
}
