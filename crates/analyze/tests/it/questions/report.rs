//! What a report says as a whole: nothing, its parts, its window, what broke, how many.

use tachograph_analyze::{Engine, EngineConfig};
use tachograph_model::answer::NoteKind;
use tachograph_model::question::{
    Baseline, CachePerformance, Discovery, Losses, Part, Report, Storage, Tools, Usage,
};
use tachograph_model::{Ask, Column, Event, Window};

use super::discovery;
use crate::home::{TestHome, ago, days, now};

#[test]
fn an_empty_home_has_empty_answers_not_zeros() {
    let home = TestHome::new();
    let question = Report {
        scope: days(7),
        baseline: Baseline::default(),
        limits: Default::default(),
        part: Part::Whole,
    };
    let (report, about) = question.ask(&home.engine()).unwrap();
    assert_eq!(about.events, 0);
    assert!(about.notes.is_empty());
    assert_eq!(report.discovery.duration_ms, None);
    assert_eq!(report.cache_performance.hit_ratio, None);
    assert_eq!(report.cache_performance.speedup, None);
    assert_eq!(report.token_savings.saving(), None);
    assert_eq!(report.trends.direction, None);
    assert_eq!(report.queries.success_ratio, None);
    assert_eq!(report.models.cost_usd, None);
    assert!(report.tools.is_empty() && report.errors.is_empty() && report.usage.is_empty());
    assert_eq!(report.storage.files(), 0);
}

#[test]
fn a_part_of_a_report_is_the_same_as_in_the_whole() {
    let mut events: Vec<Event> = (0..40)
        .map(|day| discovery(1 + day * 15_000, "search", 2.0 + day as f64, day % 2 == 0))
        .collect();
    events.extend([
        ago(70, "session_start"),
        ago(60, "agent_load").with(Column::Tokens, 800i64),
        ago(50, "tool_call").with(Column::DurationMs, 4.0),
        ago(40, "query").with(Column::DurationMs, 700.0),
        ago(30, "agent_selection").with(Column::Agent, "0123456789abcdef"),
    ]);
    let home = TestHome::of(&events);
    let of = |part, engine: &Engine| {
        let question = Report {
            scope: days(30),
            baseline: Baseline::default(),
            limits: Default::default(),
            part,
        };
        question.ask(engine).unwrap()
    };
    let rough = EngineConfig {
        exact_limit: 0,
        ..EngineConfig::default()
    };
    for engine in [home.engine(), home.engine_with(rough)] {
        let (whole, about) = of(Part::Whole, &engine);
        assert_eq!((about.events, whole.usage.events), (45, 45));
        let (health, about) = of(Part::Health, &engine);
        assert_eq!((about.events, health.usage.events), (42, 42));
        assert!(whole.discovery.duration_ms.is_some() && whole.token_savings.saving().is_some());
        assert_eq!(health.discovery, whole.discovery);
        assert_eq!(health.cache_performance, whole.cache_performance);
        assert_eq!(health.token_savings, whole.token_savings);
        assert_eq!(health.trends, whole.trends);
        assert_eq!(health.storage, whole.storage);
        assert!(health.tools.is_empty() && !whole.tools.is_empty());
        let (trends, about) = of(Part::Trends, &engine);
        assert_eq!(about.events, 42);
        assert_eq!(
            (trends.trends, trends.queries),
            (whole.trends, whole.queries)
        );
    }
    // What has no targets is no news of health, and yet it is there.
    let home = TestHome::of(&[ago(50, "tool_call"), ago(40, "tool_call")]);
    let (health, about) = of(Part::Health, &home.engine());
    assert_eq!((about.events, health.usage.events), (2, 2));
    let (nothing, about) = of(Part::Health, &TestHome::new().engine());
    assert_eq!(about.events, 0);
    assert!(nothing.usage.is_empty());
}

#[test]
fn the_window_is_half_open_and_has_the_future_only_without_an_end() {
    let events = [
        discovery(100, "search", 1.0, false),
        discovery(50, "search", 2.0, false),
        discovery(-3600, "search", 4.0, false),
    ];
    let home = TestHome::of(&events);
    let mut scope = days(7);
    let count = |scope| {
        let (found, _) = Discovery { scope }.ask(&home.engine()).unwrap();
        found.total
    };
    assert_eq!(count(scope), 3);
    scope.window = Window {
        from: ago(100, "").time,
        to: ago(50, "").time,
    };
    assert_eq!(count(scope), 1);
    scope.window.to = now();
    assert_eq!(count(scope), 2);
}

#[test]
fn losses_are_in_every_answer_over_their_window() {
    let loss = |seconds, count: i64| {
        ago(seconds, "loss")
            .with(Column::Name, "tool_call")
            .with(Column::Status, "overload")
            .with(Column::Count, count)
    };
    let home = TestHome::of(&[loss(50, 3), loss(40, 4)]);
    let (found, _) = Losses { scope: days(1) }.ask(&home.engine()).unwrap();
    assert_eq!((found.total, found.losses.len()), (7, 1));
    let (_, about) = Tools::new(days(1)).ask(&home.engine()).unwrap();
    assert_eq!(about.notes[0].kind, NoteKind::LossyRecording);
    assert!(about.notes[0].text.starts_with("7 events"));
}

#[test]
fn broken_lines_are_skipped_counted_and_named() {
    let home = TestHome::of(&[discovery(50, "search", 2.0, false)]);
    home.write(b"not json\n\xff\xfe\n{\"timestamp\":null,\"event_type\":\"x\"}\n[1]\n");
    home.write(&discovery(40, "search", 4.0, false).to_line());
    let (found, about) = Discovery { scope: days(1) }.ask(&home.engine()).unwrap();
    assert_eq!(found.total, 2);
    assert_eq!(about.notes[0].kind, NoteKind::LinesSkipped);
    assert!(
        about.notes[0].text.starts_with("4 lines"),
        "{:?}",
        about.notes
    );
}

#[test]
fn storage_counts_files_and_bytes() {
    let home = TestHome::of(&[discovery(50, "search", 2.0, false)]);
    let (found, _) = Storage.ask(&home.engine()).unwrap();
    assert_eq!(found.log_files, 1);
    assert!(found.log_bytes > 50);
}

#[test]
fn the_report_is_the_same_as_its_questions() {
    let events: Vec<Event> = (0..300)
        .map(|n| discovery(n * 1000, "get_agent", n as f64, n % 3 == 0))
        .collect();
    let home = TestHome::of(&events);
    let question = Report {
        scope: days(7),
        baseline: Baseline::default(),
        limits: Default::default(),
        part: Part::Whole,
    };
    let (report, about) = question.ask(&home.engine()).unwrap();
    assert_eq!(about.events, 300);
    let (discovery, _) = Discovery { scope: days(7) }.ask(&home.engine()).unwrap();
    let (cache, _) = CachePerformance { scope: days(7) }
        .ask(&home.engine())
        .unwrap();
    let (usage, _) = Usage { scope: days(7) }.ask(&home.engine()).unwrap();
    assert_eq!(report.discovery, discovery);
    assert_eq!(report.cache_performance, cache);
    assert_eq!(report.usage, usage);
    assert_eq!(cache.lookups, 300);
}

#[test]
fn a_hundred_thousand_and_one_events_are_all_counted() {
    // The original reads the oldest 100 000 and says nothing.
    let home = TestHome::new();
    let mut log = Vec::new();
    for n in 0..100_001 {
        log.extend(discovery(200_000 - n, "search", 1.0, false).to_line());
    }
    home.write(&log);
    let (found, _) = Discovery { scope: days(7) }.ask(&home.engine()).unwrap();
    assert_eq!(found.total, 100_001);
}
