//! Agents found and loaded, and what caches save.

use tachograph_model::answer::{Method, NoteKind};
use tachograph_model::question::{Baseline, CachePerformance, Caches, Discovery, TokenSavings};
use tachograph_model::{Ask, Column, Event};

use super::discovery;
use crate::home::{TestHome, ago, days};

#[test]
fn discovery_by_operation_in_the_order_first_seen() {
    let mut events = vec![
        discovery(50, "search", 2.0, false),
        discovery(40, "list_agents", 1.0, false),
        discovery(30, "get_agent", 3.0, true),
        discovery(20, "get_agent", 4.0, false),
        discovery(10, "get_agent", 5.0, false),
    ];
    // No duration: counted, not measured. No operation: unknown.
    events.push(ago(5, "agent_discovery"));
    let (found, about) = Discovery { scope: days(7) }
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    assert_eq!(about.method, Method::Exact);
    assert_eq!(about.events, 6);
    assert_eq!(found.total, 6);
    assert_eq!(found.duration_ms.unwrap().count, 5);
    assert_eq!(found.duration_ms.unwrap().p95, 4.8);
    let names: Vec<&str> = found.operations.iter().map(|op| op.name.as_str()).collect();
    assert_eq!(names, ["search", "list_agents", "get_agent", "unknown"]);
    let get = &found.operations[2];
    assert_eq!((get.count, get.hits), (3, 1));
    assert_eq!(get.hit_ratio, Some(1.0 / 3.0));
    assert_eq!(get.duration_ms.unwrap().mean, 4.0);
    assert_eq!(found.operations[0].hit_ratio, None);
    assert_eq!(found.operations[3].duration_ms, None);
}

#[test]
fn a_negative_duration_is_left_out_and_noted() {
    let events = [
        discovery(50, "search", -2.0, false),
        discovery(40, "search", 1.0, false),
    ];
    let (found, about) = Discovery { scope: days(7) }
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    assert_eq!(found.total, 2);
    assert_eq!(found.duration_ms.unwrap().min, 1.0);
    assert_eq!(about.notes[0].kind, NoteKind::ValuesSkipped);
}

#[test]
fn token_savings_count_agents_beside_loads_and_sessions() {
    let load = |seconds, agent: &str| {
        ago(seconds, "agent_load")
            .with(Column::Agent, agent)
            .with(Column::Tokens, 450_i64)
    };
    let mut events: Vec<Event> = (0..10).map(|n| load(100 - n, "f2f2cbc2")).collect();
    events.push(load(10, "aaaaaaaa"));
    let question = TokenSavings {
        scope: days(7),
        baseline: Baseline::default(),
    };
    let home = TestHome::of(&events);
    let (found, _) = question.clone().ask(&home.engine()).unwrap();
    assert_eq!((found.loads, found.agents, found.tokens), (11, 2, 4950));
    assert_eq!(found.mean_tokens, Some(450.0));
    let saving = found.against_one_session.unwrap();
    assert_eq!(
        (saving.baseline_tokens, saving.saved_tokens),
        (53_550, 48_600)
    );
    assert_eq!(found.against_sessions, None);
    for seconds in [200, 150] {
        home.write(&ago(seconds, "session_start").to_line());
    }
    let (found, _) = question.ask(&home.engine()).unwrap();
    assert_eq!(found.sessions, 2);
    assert_eq!(found.saving().unwrap().baseline_tokens, 107_100);
}

#[test]
fn more_loads_than_a_session_s_are_explained_not_shown_as_a_loss() {
    // The original prints a large negative saving here, and leaves it at that.
    let events: Vec<Event> = (0..200)
        .map(|n| {
            ago(1000 - n, "agent_load")
                .with(Column::Agent, "f2f2cbc2")
                .with(Column::Tokens, 1000_i64)
        })
        .collect();
    let question = TokenSavings {
        scope: days(7),
        baseline: Baseline::default(),
    };
    let (found, about) = question.ask(&TestHome::of(&events).engine()).unwrap();
    assert_eq!(found.saving().unwrap().saved_tokens, 53_550 - 200_000);
    assert_eq!(about.notes[0].kind, NoteKind::Baseline);
}

#[test]
fn cache_performance_has_a_speed_up_only_where_there_is_one() {
    let events = [
        discovery(50, "get_agent", 0.5, true),
        discovery(40, "get_agent", 4.0, false),
        discovery(30, "get_agent", 6.0, false),
        discovery(20, "list_agents", 100.0, true),
    ];
    let ask = |events: &[Event]| {
        let question = CachePerformance { scope: days(7) };
        question.ask(&TestHome::of(events).engine()).unwrap().0
    };
    let found = ask(&events);
    assert_eq!((found.lookups, found.hits, found.misses), (3, 1, 2));
    assert_eq!(found.speedup, Some(10.0));
    assert_eq!(ask(&events[1..3]).speedup, None);
    assert_eq!(ask(&events[1..3]).hit_ratio, Some(0.0));
}

#[test]
fn a_cache_that_has_only_evictions_exists() {
    let cache = |seconds, name: &str, operation: &str| {
        ago(seconds, "cache")
            .with(Column::Name, name)
            .with(Column::Status, operation)
    };
    let events = [
        cache(50, "lonely", "eviction"),
        cache(40, "files", "hit"),
        cache(30, "files", "miss"),
        cache(20, "files", "size_rejection"),
        ago(10, "cache")
            .with(Column::Name, "files")
            .with(Column::Hit, true),
        ago(5, "cache_operation")
            .with(Column::Name, "get")
            .with(Column::Count, 10_i64)
            .with(Column::Value, 80.0)
            .with(Column::Evictions, 2_i64),
    ];
    let (found, _) = Caches::new(days(1))
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    assert_eq!(
        (found.caches[0].name.as_str(), found.caches[0].evictions),
        ("lonely", 1)
    );
    assert_eq!(found.caches[0].hit_ratio, None);
    let files = &found.caches[1];
    assert_eq!((files.hits, files.misses, files.size_rejections), (2, 1, 1));
    let reports = found.reports.unwrap();
    assert_eq!((reports.reports, reports.evictions), (1, 2));
    assert_eq!(reports.mean_size, Some(10.0));
}
