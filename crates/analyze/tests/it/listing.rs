//! Sessions one by one, and the events of one.

use tachograph_analyze::{Engine, EngineConfig};
use tachograph_model::answer::{self, About, NoteKind};
use tachograph_model::question::{SessionList, Trace};
use tachograph_model::{Ask, Column, Event, Scope, UnixNanos};
use tachograph_store::{SealOptions, Store};

use crate::home::{TestHome, ago, days, now};

const HOSTILE: &str = "x' OR '1'='1'; DROP TABLE events; -- \u{202e}<script>";

/// Three sessions: one of an hour ago, one of a day ago with a nested trace,
/// one with a name that means something to SQL; and what is of none.
fn events() -> Vec<Event> {
    let of = |event: Event, session: &str| event.with(Column::SessionId, session.to_owned());
    vec![
        of(ago(3_600, "tool_call"), "late")
            .with(Column::Name, "grep")
            .with(Column::Success, true)
            .with(Column::DurationMs, 1_000.0),
        of(ago(86_410, "llm_call"), "early")
            .with(Column::Source, "p")
            .with(Column::Name, "m")
            .with(Column::Agent, "a")
            .with(Column::TraceId, "t")
            .with(Column::Id, "inner")
            .with(Column::ParentId, "outer")
            .with(Column::InputTokens, 10_i64)
            .with(Column::OutputTokens, 5_i64)
            .with(Column::CostUsd, 0.5)
            .with(Column::DurationMs, 20_000.0),
        // Recorded later, at its end, and begun before.
        of(ago(86_400, "span"), "early")
            .with(Column::Name, "turn")
            .with(Column::Agent, "a")
            .with(Column::TraceId, "t")
            .with(Column::Id, "outer")
            .with(Column::Success, false)
            .with(Column::ErrorType, "Timeout")
            .with(Column::DurationMs, 60_000.0),
        of(ago(2 * 86_400, "tool_call"), HOSTILE).with(Column::Agent, HOSTILE),
        of(ago(10, "tool_call"), ""),
        ago(5, "tool_call"),
    ]
}

fn list(home: &TestHome, scope: Scope, limit: u32) -> (answer::SessionList, About) {
    let question = SessionList {
        limit,
        ..SessionList::new(scope)
    };
    question.ask(&home.engine()).unwrap()
}

fn list_of(home: &TestHome, agent: &str, limit: u32) -> (answer::SessionList, About) {
    let question = SessionList {
        limit,
        agent: Some(agent.to_owned()),
        ..SessionList::new(days(7))
    };
    question.ask(&home.engine()).unwrap()
}

fn trace(home: &TestHome, session: Option<&str>, of: Option<&str>, limit: u32) -> answer::Trace {
    let question = Trace {
        scope: Scope::all(now()),
        session: session.map(str::to_owned),
        trace: of.map(str::to_owned),
        limit,
    };
    question.ask(&home.engine()).unwrap().0
}

fn names(found: &answer::SessionList) -> Vec<&str> {
    found.sessions.iter().map(|one| &*one.session).collect()
}

fn spans(found: &answer::Trace) -> Vec<&str> {
    let spans = found.events.iter();
    spans
        .map(|event| event.span_id.as_deref().unwrap_or("-"))
        .collect()
}

#[test]
fn sessions_and_traces_from_the_log_and_from_segments() {
    let home = TestHome::of(&events());
    let check = || {
        let (found, about) = list(&home, days(7), 100);
        assert_eq!(names(&found), ["late", "early", HOSTILE]);
        assert_eq!((found.more, about.events, about.notes.len()), (0, 4, 0));
        let early = &found.sessions[1];
        assert_eq!(early.first, ago(86_460, "").time);
        assert_eq!(early.last, ago(86_400, "").time);
        assert_eq!(early.agent.as_deref(), Some("a"));
        assert_eq!((early.events, early.tool_calls), (2, 0));
        assert_eq!((early.llm_calls, early.failed), (1, 1));
        assert_eq!((early.tokens, early.cost_usd), (Some(15), Some(0.5)));
        let late = &found.sessions[0];
        assert_eq!((late.tool_calls, late.failed), (1, 0));
        assert_eq!(
            (&late.agent, late.tokens, late.cost_usd),
            (&None, None, None)
        );
        let (found, about) = list(&home, days(7), 1);
        assert_eq!((names(&found), found.more), (vec!["late"], 2));
        assert_eq!(about.notes[0].kind, NoteKind::RowLimit);
        for (agent, sessions) in [
            ("a", vec!["early"]),
            (HOSTILE, vec![HOSTILE]),
            ("b", vec![]),
        ] {
            let (found, about) = list_of(&home, agent, 1);
            assert_eq!((names(&found), found.more), (sessions, 0), "{agent}");
            assert_eq!(about.notes, []);
        }
        let hours = Scope::last_hours(2, now());
        assert_eq!(names(&list(&home, hours, 9).0), ["late"]);

        let found = trace(&home, Some("early"), None, 9);
        assert_eq!((spans(&found), found.more), (vec!["outer", "inner"], 0));
        let [outer, inner] = &found.events[..] else {
            panic!("two");
        };
        assert_eq!(outer.start, ago(86_460, "").time);
        assert_eq!(outer.timestamp, ago(86_400, "").time);
        assert_eq!(outer.status.as_deref(), Some("failed"));
        assert_eq!(outer.error_type.as_deref(), Some("Timeout"));
        assert_eq!(inner.start, ago(86_430, "").time);
        assert_eq!(inner.parent_id, outer.span_id);
        assert_eq!((inner.tokens, inner.cost_usd), (Some(15), Some(0.5)));
        assert_eq!(inner.duration_ms, Some(20_000.0));
        assert_eq!(trace(&home, None, Some("t"), 9), found);
        let both = trace(&home, Some("late"), Some("t"), 9);
        assert_eq!(both, answer::Trace::default());
        let first = trace(&home, Some("early"), None, 1);
        assert_eq!((spans(&first), first.more), (vec!["outer"], 1));
        // Without either: the session that was recorded of last.
        let latest = trace(&home, None, None, 9);
        assert_eq!(latest, trace(&home, Some("late"), None, 9));
        assert_eq!(latest.events[0].status.as_deref(), Some("ok"));
    };
    check();
    home.engine().store().seal(SealOptions::default()).unwrap();
    check();
}

/// Sessions of one day by what their events took, each in several events; and
/// enough of others that a segment of them keeps its sessions beside it.
fn long_events() -> Vec<Event> {
    let of = |event: Event, session: &str, took: Option<f64>| {
        let event = event.with(Column::SessionId, session.to_owned());
        match took {
            Some(took) => event.with(Column::DurationMs, took),
            None => event,
        }
    };
    let mut all: Vec<Event> = (0..10_000)
        .map(|at| {
            let took = (at % 5 != 0).then_some((at * 37 % 90_000) as f64 / 3.0);
            of(ago(1_000 + at, "span"), &format!("s{}", at / 2 % 12), took)
        })
        .collect();
    let epoch = |seconds: i64| Event::new(UnixNanos(seconds * 1_000_000_000), "span");
    all.extend([
        // Recorded last, begun first.
        of(ago(100, "tool_call"), "overlaps", Some(1_000.0)),
        of(ago(90, "tool_call"), "overlaps", Some(20_000.0)),
        of(ago(95, "tool_call"), "overlaps", Some(3_000.0)),
        of(ago(80, "tool_call"), "odd", Some(-5_000.0)),
        of(ago(81, "span"), "odd", Some(1e13)),
        of(ago(82, "span"), "odd", Some(f64::MAX)),
        of(ago(70, "span"), "one", Some(4_000.5)),
        of(epoch(50), "epoch", Some(60_000.0)),
        of(epoch(55), "epoch", None),
    ]);
    all
}

/// The list says of each session what its events do; returns when it began and
/// how long it lasted, seconds.
#[track_caller]
fn begins(engine: &Engine, after: &str) -> Vec<(String, f64, f64)> {
    let scope = Scope::all(now());
    let (listed, _) = SessionList::new(scope).ask(engine).unwrap();
    let each = listed.sessions.into_iter().map(|one| {
        let asked = Trace {
            scope,
            session: Some(one.session.clone()),
            trace: None,
            limit: 10_000,
        };
        let (found, _) = asked.ask(engine).unwrap();
        let began = found.events.iter().map(|event| event.start).min();
        let ended = found.events.iter().map(|event| event.timestamp).max();
        let said = (Some(one.first), Some(one.last), one.events as usize);
        let told = (began, ended, found.events.len());
        assert_eq!(said, told, "{after}: {}", one.session);
        let seconds = |nanos: i64| nanos as f64 / 1e9;
        let before = seconds(now().0 - one.first.0);
        (one.session, before, seconds(one.last.0 - one.first.0))
    });
    each.collect()
}

#[test]
fn a_session_begins_and_lasts_in_the_list_as_in_its_trace() {
    let home = TestHome::new();
    let keeping = Store::open(&home.home()).keeping(64 << 20);
    let keeping = Engine::open(keeping, EngineConfig::default());
    let check = |after: &str| {
        let found = begins(&home.engine(), after);
        for asked in ["kept", "asked again"] {
            let again = begins(&keeping, &format!("{after}, {asked}"));
            assert_eq!(again, found, "{after}, {asked}");
        }
        found
    };
    let write = |odd: usize| {
        let events = long_events();
        let half = events.iter().skip(odd).step_by(2);
        home.write(&half.flat_map(Event::to_line).collect::<Vec<u8>>());
    };
    let seal = || home.engine().store().seal(SealOptions::default()).unwrap();
    write(0);
    check("half in the log");
    seal();
    check("half of them sealed");
    write(1);
    let all = check("half sealed, half in the log");
    assert_eq!(all.len(), 16);
    let epoch = now().0 as f64 / 1e9;
    for (session, before, lasted) in [
        ("overlaps", 110.0, 20.0),
        ("odd", 82.0, 2.0),
        ("one", 74.0005, 4.0005),
        ("epoch", epoch + 10.0, 65.0),
    ] {
        let found = all.iter().find(|(id, ..)| id == session).unwrap();
        assert_eq!((found.1, found.2), (before, lasted), "{session}");
    }
    seal();
    assert_eq!(check("sealed"), all);
    let store = home.engine().store().clone();
    assert!(home.home().rollups().join("session").is_dir());
    let joined = store.compact(std::time::Duration::ZERO).unwrap().joined;
    assert!(joined >= 2, "{joined}");
    assert_eq!(check("joined"), all);
}

#[test]
fn an_id_is_text_whatever_it_holds() {
    let home = TestHome::of(&events());
    assert_eq!(trace(&home, Some(HOSTILE), None, 9).events.len(), 1);
    let ids = [
        "'",
        "''",
        "' OR true --",
        "\\'",
        "\\",
        "%",
        "_",
        "\"",
        "$1",
        "{}",
        "\u{1f551}",
    ];
    for id in ids {
        let nothing = answer::Trace::default();
        assert_eq!(trace(&home, Some(id), None, 9), nothing, "{id:?}");
        assert_eq!(trace(&home, None, Some(id), 9), nothing, "{id:?}");
    }
}

#[test]
fn of_nothing_there_is_nothing() {
    for home in [TestHome::new(), TestHome::of(&[ago(5, "tool_call")])] {
        assert_eq!(list(&home, days(7), 9).0, answer::SessionList::default());
        assert_eq!(trace(&home, None, None, 9), answer::Trace::default());
        let late = trace(&home, Some("late"), None, 9);
        assert_eq!(late, answer::Trace::default());
    }
}
