//! A past that is held piece by piece says what it says as a whole.

use tachograph_log::Home;
use tachograph_model::Event;
use tachograph_model::alert::Condition;
use tachograph_store::{SealOptions, Store};

use super::*;
use crate::EngineConfig;

const SECOND: i64 = 1_000_000_000;
const NOW: i64 = 1_763_640_000 * SECOND;

fn call(second: i64, number: i64) -> Vec<u8> {
    Event::new(UnixNanos(NOW - second * SECOND), "tool_call")
        .with(Column::Name, if number % 3 == 0 { "grep" } else { "read" })
        .with(Column::DurationMs, (number % 100) as f64)
        .with(Column::Success, number % 9 > 0)
        .to_line()
}

struct Found {
    past: answer::Backtest,
    about: About,
    settled: usize,
}

/// As [`Replay`], and counts the stretches.
struct Counting(Replay, usize);

impl Taker for Counting {
    fn take(&mut self, family: &'static str, source: &str, name: &str, point: Point) {
        Taker::take(&mut self.0, family, source, name, point);
    }

    fn settle(&mut self) {
        self.0.settle();
        self.1 += 1;
    }
}

fn walked(engine: &Engine, held: u64) -> Found {
    let scope = Scope {
        window: Window {
            from: UnixNanos(NOW - 86_400 * SECOND),
            to: UnixNanos::MAX,
        },
        ..Scope::all(UnixNanos(NOW))
    };
    let rules: Vec<Rule> = ["p95 > 90", "ratio > 0.11", "count > 600", "sum > 1"]
        .into_iter()
        .map(|condition| Rule {
            family: "tool".to_owned(),
            window_seconds: 1_800,
            ..Rule::new(
                condition,
                "*",
                "",
                Condition::parse(condition).expect("a condition"),
            )
        })
        .collect();
    let replay = Replay::new(&rules, scope.window.from, UnixNanos(NOW)).expect("rules");
    let mut taker = Counting(replay, 0);
    let asked = Asked {
        scope: &scope,
        reach: 1_800,
        families: &["tool"],
        deadline: None,
        held,
    };
    let mut last = 0.0;
    let mut progress = |part: f64| {
        assert!(part >= last && part <= 1.0, "{part} after {last}");
        last = part;
    };
    let about = engine
        .walk(&asked, &mut taker, &mut progress)
        .expect("walked");
    Found {
        past: taker.0.answer(),
        about,
        settled: taker.1,
    }
}

#[test]
fn stretches_of_a_log_in_no_order_say_what_the_whole_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let engine = Engine::open(Store::open(&home), EngineConfig::default());
    let many = 3_000_i64;
    // Some hours that are sealed, and one that is not, each second of which lies
    // anywhere; far more in its last minute; and lines that are torn.
    let sealed: Vec<u8> = (0..many).flat_map(|at| call(3_600 + at * 5, at)).collect();
    std::fs::write(home.log(), sealed).expect("written");
    engine.store().seal(SealOptions::default()).expect("sealed");
    let mut log: Vec<u8> = (0..many)
        .flat_map(|at| call((at * 7_919) % 3_600, at))
        .collect();
    log.extend((0..many).flat_map(|at| call(at % 60, at)));
    log.extend(b"{\"event_type\": torn\n{\n");
    std::fs::write(home.log(), log).expect("written");

    let whole = walked(&engine, HELD);
    assert_eq!((whole.settled, whole.about.events), (1, 3 * many as u64));
    assert!(whole.past.rules.iter().all(|past| past.fired > 0));
    for held in [400, 2_000] {
        let found = walked(&engine, held);
        assert!(
            found.settled as u64 >= 9_000 / held,
            "{held}: {}",
            found.settled
        );
        assert_eq!(found.past, whole.past, "{held}");
        assert_eq!(found.about.events, whole.about.events);
        let torn = |found: &Found| -> Vec<Note> {
            let notes = found.about.notes.iter().cloned();
            notes
                .filter(|note| note.kind == NoteKind::LinesSkipped)
                .collect()
        };
        assert_eq!(torn(&found), torn(&whole));
        assert_eq!(torn(&found).len(), 1);
    }
}

#[test]
fn a_log_in_the_order_of_time_is_read_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    // Above the least size of a piece, several times.
    let many = 60_000_i64;
    let log: Vec<u8> = (0..many).rev().flat_map(|at| call(at, at)).collect();
    std::fs::write(home.log(), &log).expect("written");
    let snapshot = Store::open(&home).snapshot().expect("a snapshot");
    let window = Window {
        from: UnixNanos(NOW - many * SECOND),
        to: UnixNanos(NOW + 1),
    };
    let log = Log::look(&snapshot, window, None).expect("looked through");
    let all: Vec<_> = log.pieces_in(window).collect();
    assert!(all.len() > 2, "{}", all.len());
    assert_eq!(log.rows_in(window), many as u64);
    let stretch = |from: i64, to: i64| Window {
        from: UnixNanos(NOW - from * SECOND),
        to: UnixNanos(NOW - to * SECOND),
    };
    let read: usize = (0..60)
        .map(|at| {
            let stretch = stretch((at + 1) * 1_000, at * 1_000);
            assert!(log.rows_in(stretch) <= 1_001);
            log.pieces_in(stretch).count()
        })
        .sum();
    // Each stretch reads its own piece, and where one piece ends both.
    assert!(read <= 60 + all.len(), "{read} of {}", all.len());
}

#[test]
fn a_rule_that_takes_too_long_takes_no_other_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let mut lines = call(1, 1);
    for tokens in [5_i64, 9] {
        let event = Event::new(UnixNanos(NOW - SECOND), "llm_call")
            .with(Column::Name, "m")
            .with(Column::InputTokens, tokens);
        lines.extend(event.to_line());
    }
    std::fs::write(home.log(), lines).expect("written");
    let engine = Engine::open(Store::open(&home), EngineConfig::default());
    let rule = |name: &str, family: &str, condition: &str| Rule {
        family: family.to_owned(),
        window_seconds: 7_200,
        ..Rule::new(name, "*", "", Condition::parse(condition).expect("one"))
    };
    let asked = question::RuleValues {
        // Cells do not tell percentiles of tokens.
        rules: vec![
            rule("slow", "model_tokens", "p95 > 1"),
            rule("quick", "tool", "count > 0"),
        ],
        now: UnixNanos(NOW),
        within: std::time::Duration::from_secs(60),
    };
    let late = Some(std::time::Instant::now());
    let found = engine.rule_values_until(&asked, None, late).expect("some");
    assert_eq!(found.rules[0], None);
    let quick = found.rules[1].as_ref().expect("an answer");
    assert_eq!(quick[0].value, Some(1.0));
    let [note] = &found.notes[..] else {
        panic!("{:?}", found.notes);
    };
    assert!(
        note.text.contains("\"slow\"") && note.text.contains("longer than it may"),
        "{note:?}"
    );
}

#[test]
fn it_stops_when_it_is_too_late() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    std::fs::write(home.log(), call(1, 1)).expect("written");
    let engine = Engine::open(Store::open(&home), EngineConfig::default());
    let condition = Condition::parse("p95 > 1").expect("a condition");
    let asked = question::RuleValues {
        rules: vec![Rule {
            family: "tool".to_owned(),
            window_seconds: 7_200,
            ..Rule::new("r", "*", "", condition)
        }],
        now: UnixNanos(NOW),
        within: std::time::Duration::ZERO,
    };
    let error = engine.rule_values(&asked).expect_err("too late");
    let below = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        below.is_some_and(|it| it.contains("longer than it may")),
        "{error}"
    );
}
