//! Where events lie makes no difference: log, segments, some of each, damaged.

use std::ops::ControlFlow;

use serde_json::{Value, json};
use tachograph_analyze::{Engine, EngineConfig};
use tachograph_log::Home;
use tachograph_model::alert::{Condition, Rule};
use tachograph_model::answer::{self, About, Method, NoteKind};
use tachograph_model::question::{Agents, Backtest, Baseline, Part, Report, Sql, Storage, Tools};
use tachograph_model::{Ask, AskError, Column, Event, Scope, Window};
use tachograph_store::{SealOptions, Store};

use crate::home::{TestHome, ago, days};

/// Some of every sort, over six days, not in order.
fn events() -> Vec<Event> {
    (0..6000_i64)
        .map(|n| {
            let seconds = (n * 7919) % (6 * 86_400);
            let ms = ((n * 31) % 997) as f64 / 10.0;
            let agent = || format!("agent-{}", n / 5 % 7);
            let event = match n % 5 {
                0 => ago(seconds, "tool_call")
                    .with(Column::Name, ["a", "b"][n as usize % 2])
                    .with(Column::Agent, agent()),
                1 => ago(seconds, "agent_discovery")
                    .with(Column::Name, "get_agent")
                    .with(Column::Hit, n % 3 == 0),
                2 => ago(seconds, "query")
                    .with(Column::Agent, "simple")
                    .with(Column::Value, (n % 10) as f64 / 10.0)
                    .with(
                        Column::Entities,
                        vec![["x", "y", "z"][n as usize % 3].to_owned()],
                    ),
                3 => ago(seconds, "llm_call")
                    .with(Column::Source, "p")
                    .with(Column::Name, "m")
                    .with(Column::InputTokens, n)
                    .with(Column::CostUsd, ms / 100.0)
                    .with(Column::Agent, agent()),
                _ => ago(seconds, "error").with(Column::ErrorType, "E"),
            };
            event
                .with(Column::DurationMs, ms)
                .with(Column::Success, n % 11 != 0)
        })
        .collect()
}

fn seal(home: &TestHome) {
    let store = home.engine();
    store.store().seal(SealOptions::default()).unwrap();
}

fn report(engine: &Engine, scope: Scope) -> (answer::Report, About) {
    let question = Report {
        scope,
        baseline: Baseline::default(),
        limits: Default::default(),
        part: Part::Whole,
    };
    let (mut report, about) = question.ask(engine).unwrap();
    // What lies on disk does differ.
    report.storage = Default::default();
    (report, about)
}

#[test]
fn raw_sealed_and_half_sealed_answer_alike() {
    let events = events();
    let home = TestHome::of(&events[..4000]);
    let mut edges = days(7);
    edges.window = Window {
        from: ago(5 * 86_400 + 1234, "").time,
        to: ago(86_400 + 77, "").time,
    };
    let scopes = [days(7), days(2), edges];
    let raw = TestHome::of(&events);
    let raw: Vec<_> = scopes.map(|scope| report(&raw.engine(), scope)).into();
    seal(&home);
    for event in &events[4000..] {
        home.write(&event.to_line());
    }
    let check = |home: &TestHome| {
        for (scope, raw) in scopes.iter().zip(&raw) {
            let ours = report(&home.engine(), *scope);
            assert_eq!(&ours, raw);
            assert!(ours.1.events > 0 && ours.1.notes.is_empty(), "{:?}", ours.1);
        }
    };
    check(&home);
    seal(&home);
    check(&home);
    assert_eq!(
        std::fs::read_dir(home.home().segments()).unwrap().count(),
        7
    );
}

#[test]
fn one_question_alone_answers_as_in_the_report_when_sealed() {
    let home = TestHome::of(&events());
    seal(&home);
    let (all, _) = report(&home.engine(), days(7));
    let (tools, about) = Tools::new(days(7)).ask(&home.engine()).unwrap();
    assert_eq!(all.tools, tools);
    assert_eq!(about.events, 1200, "only its own types are looked at");
}

#[test]
fn sketches_of_rollups_count_exactly_and_say_their_error() {
    let home = TestHome::of(&events());
    let (exact, _) = report(&home.engine(), days(7));
    seal(&home);
    let config = EngineConfig {
        exact_limit: 0,
        ..Default::default()
    };
    let engine = home.engine_with(config);
    let (sketch, about) = report(&engine, days(7));
    assert!(matches!(about.method, Method::Sketch { relative_error } if relative_error < 0.004));
    assert_eq!(about.notes[0].kind, NoteKind::SketchError);
    assert_eq!(about.events, 6000);
    assert_eq!(sketch.usage, exact.usage);
    assert_eq!(sketch.errors, exact.errors);
    assert_eq!(exact.agents.agents.len(), 7);
    for (a, b) in sketch.agents.agents.iter().zip(&exact.agents.agents) {
        assert_eq!((&a.agent, a.events), (&b.agent, b.events));
        assert_eq!((a.tool_calls, a.llm_calls), (b.tool_calls, b.llm_calls));
        assert_eq!((a.first, a.last), (b.first, b.last));
    }
    let (agents, _) = Agents::new(days(7)).ask(&engine).unwrap();
    assert_eq!(agents, sketch.agents, "alone as in the report");
    assert_eq!(sketch.queries.entities.len(), 3);
    let (a, b) = (
        sketch.tools.duration_ms.unwrap(),
        exact.tools.duration_ms.unwrap(),
    );
    assert_eq!(
        (a.count, a.sum, a.mean, a.min, a.max),
        (b.count, b.sum, b.mean, b.min, b.max)
    );
    assert!((a.p95 / b.p95 - 1.0).abs() < 0.004, "{a:?} {b:?}");
    // Insisting on it helps.
    let mut scope = days(7);
    scope.exact = true;
    let (insisted, about) = report(&engine, scope);
    assert_eq!(about.method, Method::Exact);
    assert_eq!(insisted.tools, exact.tools);
}

#[test]
fn a_broken_segment_is_named_and_the_rest_answers() {
    let home = TestHome::of(&events());
    seal(&home);
    let day = home.home().segments().join("day=2025-11-18");
    let file = std::fs::read_dir(day)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let (report, about) = report(&home.engine(), days(7));
    assert!(
        about.events > 4000 && about.events < 6000,
        "{}",
        about.events
    );
    assert_eq!(report.usage.days.len(), 6);
    assert_eq!(about.notes[0].kind, NoteKind::SegmentSkipped);
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(about.notes[0].text.contains(&name), "{:?}", about.notes);
}

#[test]
fn sql_sees_log_and_segments_as_one_table() {
    let events = events();
    let home = TestHome::of(&events[..5000]);
    seal(&home);
    for event in &events[5000..] {
        home.write(&event.to_line());
    }
    let ask = |query: &str| -> Vec<Vec<Value>> {
        let query = query.to_owned();
        let question = Sql {
            query,
            row_limit: 100,
        };
        question.ask(&home.engine()).unwrap().0.rows
    };
    assert_eq!(ask("SELECT count(*) FROM events"), [[json!(6000)]]);
    assert_eq!(
        ask("SELECT event_type, count(*) FROM events GROUP BY 1 ORDER BY 1")[0],
        [json!("agent_discovery"), json!(1200)]
    );
    let some = "SELECT count(*), sum(input_tokens) FROM llm_calls WHERE provider = 'p'";
    let sum: i64 = (0..6000).filter(|n| n % 5 == 3).sum();
    assert_eq!(ask(some), [[json!(1200), json!(sum)]]);
    assert_eq!(
        ask("SELECT sum(events) FROM rollups WHERE tier = 'hour'"),
        [[json!(6000)]]
    );
}

#[test]
fn sql_leaves_out_a_segment_with_a_flipped_byte_and_names_it() {
    let home = TestHome::of(&events());
    seal(&home);
    let day = home.home().segments().join("day=2025-11-18");
    let mut files = std::fs::read_dir(day).unwrap();
    let file = files.next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() / 3;
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let question = Sql {
        query: "SELECT count(*) FROM events".to_owned(),
        row_limit: 1,
    };
    let (found, about) = question.ask(&home.engine()).unwrap();
    let count = found.rows[0][0].as_i64().unwrap();
    assert!((4000..6000).contains(&count), "{count}");
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(about.notes[0].kind, NoteKind::SegmentSkipped);
    assert!(about.notes[0].text.contains(&name), "{:?}", about.notes);
}

#[test]
fn sql_over_a_file_that_goes_away_is_no_mistake_in_the_statement() {
    let home = TestHome::of(&events());
    seal(&home);
    let engine = home.engine_with(EngineConfig {
        threads: 1,
        ..Default::default()
    });
    let segments = home.home().segments();
    let broken = engine.sql_each("SELECT * FROM events", |_, _| {
        // The columns are known, no file has been opened yet.
        if segments.exists() {
            std::fs::remove_dir_all(&segments).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(broken, Err(AskError::Read { .. })), "{broken:?}");
    for wrong in ["SELECT duration_ms + 'a' FROM events", "SELECT 1/0"] {
        let error = engine.sql_each(wrong, |_, _| ControlFlow::Continue(()));
        assert!(matches!(error, Err(AskError::Query { .. })), "{error:?}");
    }
}

#[test]
fn sql_and_storage_are_asked_at_the_time_that_was_settled() {
    let home = TestHome::of(&events());
    let engine = home.engine_with(EngineConfig {
        now: Some(crate::home::now()),
        ..Default::default()
    });
    let question = Sql {
        query: "SELECT 1".to_owned(),
        row_limit: 1,
    };
    assert_eq!(question.ask(&engine).unwrap().1.at, crate::home::now());
    assert_eq!(Storage.ask(&engine).unwrap().1.at, crate::home::now());
}

/// Whatever a home is called, and however it is named.
#[test]
fn a_home_of_any_name_is_read_once_it_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: std::path::PathBuf| {
        let home = Home::create(&path).unwrap();
        let lines: Vec<u8> = events().iter().flat_map(Event::to_line).collect();
        std::fs::write(home.log(), lines).unwrap();
        let config = EngineConfig::default();
        let engine = Engine::open(Store::open(&home), config);
        engine.store().seal(SealOptions::default()).unwrap();
        let sql = Sql {
            query: "select count(*) from events where name = 'a'".to_owned(),
            row_limit: 10,
        };
        let (answer, about) = sql.ask(&engine).unwrap();
        assert_eq!(answer.rows, [[json!(600)]], "{path:?}");
        assert_eq!(about.notes, [], "{path:?}");
        // Exact figures come from the events themselves, and so do replays.
        let (tools, about) = Tools::new(days(7)).ask(&engine).unwrap();
        assert_eq!(tools.tools.len(), 2, "{path:?}");
        assert!(
            about
                .notes
                .iter()
                .all(|it| it.kind != NoteKind::SegmentSkipped),
            "{about:?}"
        );
        let rule = Rule {
            family: "tool".to_owned(),
            ..Rule::new("r", "*", "", Condition::parse("p95 > 1").unwrap())
        };
        let backtest = Backtest {
            scope: days(7),
            rules: vec![rule],
        };
        let (past, _) = engine.backtest(&backtest, &mut |_| {}).unwrap();
        assert_eq!(past.rules[0].series, 2, "{path:?}");
    };
    for name in ["zoë", "a%20b", "~x", "a b", "#?*[]{}\"", "日本"] {
        check(folder.path().join(name));
    }
    std::fs::create_dir(folder.path().join("q")).unwrap();
    check(folder.path().join("q/../beside"));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"new\nline \\ \xff");
        check(folder.path().join(name));
    }
}
