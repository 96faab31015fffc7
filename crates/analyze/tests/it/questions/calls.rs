//! Tools and models, sessions and agents, metrics, errors and usage.

use tachograph_analyze::{Engine, EngineConfig};
use tachograph_model::answer::Outcomes;
use tachograph_model::question::{Agents, Caches, Errors, Metrics, Models, Sessions, Tools, Usage};
use tachograph_model::{Ask, Column, Event};
use tachograph_store::Store;

use super::tally;
use crate::home::{TestHome, ago, at, days};

#[test]
fn tools_by_outcome_with_their_errors() {
    let call = |seconds, tool: &str, ms: f64, error: Option<&str>| {
        let mut event = ago(seconds, "tool_call")
            .with(Column::Name, tool)
            .with(Column::DurationMs, ms)
            .with(Column::Success, error.is_none());
        event.set(Column::ErrorType, error.map(Into::into));
        event
    };
    let mut events = vec![
        call(60, "read", 1.0, None),
        call(50, "search", 10.0, None),
        call(40, "search", 20.0, Some("TimeoutError")),
        call(30, "search", 30.0, Some("ValueError")),
        call(20, "search", 40.0, Some("TimeoutError")),
    ];
    events.push(ago(10, "tool_call").with(Column::Name, "search"));
    let (found, _) = Tools::new(days(1))
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    assert_eq!(found.tools[0].name, "read");
    let search = &found.tools[1];
    let outcomes = Outcomes {
        succeeded: 1,
        failed: 3,
        unknown: 1,
    };
    assert_eq!(search.calls, outcomes);
    assert_eq!(search.success_ratio, Some(0.25));
    assert_eq!(
        search.errors,
        [tally("TimeoutError", 2), tally("ValueError", 1)]
    );
    assert_eq!(search.duration_ms.unwrap().p50, 25.0);
    assert_eq!(search.first, ago(50, "").time);
    assert_eq!(search.last, ago(10, "").time);
    assert_eq!(found.calls.total(), 6);
}

/// Names that mean something elsewhere, that are nearly alike, or none.
const NAMES: [Option<&str>; 12] = [
    Some("read"),
    Some("Read"),
    Some("read "),
    Some("_other"),
    Some("' OR '1'='1' --"),
    Some("%"),
    Some("*"),
    Some("a/b"),
    Some("<script>"),
    Some("\u{202e}daer"),
    Some("\u{1f551}"),
    None,
];

#[test]
fn one_is_picked_by_its_exact_name_and_counts_alone() {
    let mut events = Vec::new();
    for (at, name) in NAMES.iter().enumerate() {
        for kind in ["tool_call", "cache", "llm_call"] {
            let of = |source: &str| {
                let mut event = ago(at as i64, kind);
                event.set(Column::Name, name.map(Into::into));
                event.set(Column::Status, (kind == "cache").then(|| "hit".into()));
                event.set(Column::Source, (kind == "llm_call").then(|| source.into()));
                event
            };
            // So many of each that sums tell which.
            events.extend((0..=at).map(|_| of("one")));
            events.push(of("two"));
        }
        let mut load = ago(1, "agent_load");
        load.set(Column::Agent, name.map(Into::into));
        events.push(load);
    }
    events.push(ago(5, "cache_operation").with(Column::Name, "read"));
    let home = TestHome::of(&events);
    let engine = home.engine();
    for sealed in [false, true] {
        for (at, name) in NAMES.iter().enumerate() {
            let name = name.unwrap_or("unknown");
            let (asked, scope) = (Some(name.to_owned()), days(1));
            let many = at as u64 + 2;
            let tools = Tools {
                scope,
                name: asked.clone(),
            }
            .ask(&engine)
            .unwrap()
            .0;
            assert_eq!(tools.calls.total(), many, "{name} {sealed}");
            assert_eq!((tools.tools.len(), &*tools.tools[0].name), (1, name));
            let caches = Caches {
                scope,
                name: asked.clone(),
            }
            .ask(&engine)
            .unwrap()
            .0;
            assert_eq!((caches.caches.len(), &*caches.caches[0].name), (1, name));
            assert_eq!((caches.caches[0].hits, caches.reports), (many, None));
            for (source, providers, calls) in [
                (None, vec!["one", "two"], many),
                (Some("one"), vec!["one"], many - 1),
                (Some("two"), vec!["two"], 1),
                (Some("unknown"), vec![], 0),
            ] {
                let source = source.map(str::to_owned);
                let question = Models {
                    scope,
                    name: asked.clone(),
                    source,
                };
                let models = question.ask(&engine).unwrap().0;
                let of = models.models.iter();
                let mut of: Vec<&str> = of.filter_map(|m| m.provider.as_deref()).collect();
                of.sort_unstable();
                assert_eq!((of, models.calls.total()), (providers, calls), "{name}");
            }
            let agents = Agents { scope, name: asked }.ask(&engine).unwrap().0;
            let agents: Vec<&str> = agents.agents.iter().map(|one| &*one.agent).collect();
            let is_named = NAMES[at].is_some();
            assert_eq!(agents, if is_named { vec![name] } else { vec![] });
        }
        engine.store().seal(Default::default()).unwrap();
    }
}

#[test]
fn models_sum_tokens_and_only_known_costs() {
    let call = |seconds, model: &str, cost: Option<f64>| {
        let mut event = ago(seconds, "llm_call")
            .with(Column::Source, "anthropic")
            .with(Column::Name, model)
            .with(Column::InputTokens, 100_i64)
            .with(Column::OutputTokens, 10_i64)
            .with(Column::Success, true);
        event.set(Column::CostUsd, cost.map(Into::into));
        event
    };
    let events = [
        call(50, "small", None),
        call(40, "large", Some(0.25)),
        call(30, "large", Some(0.5)),
        call(20, "large", None),
    ];
    let (found, _) = Models::new(days(1))
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    let large = &found.models[0];
    assert_eq!((large.model.as_str(), large.calls.total()), ("large", 3));
    assert_eq!((large.cost_usd, large.priced_calls), (Some(0.75), 2));
    assert_eq!(found.models[1].cost_usd, None);
    assert_eq!((found.tokens.input, found.tokens.output), (400, 40));
    assert_eq!(found.cost_usd, Some(0.75));
}

#[test]
fn a_metric_has_the_unit_that_its_measurements_say() {
    let mut events = Vec::new();
    for at in 0..5_000 {
        let metric = |name: &str, unit: Option<&str>| {
            let mut event = ago(at, "metric")
                .with(Column::Source, "a")
                .with(Column::Name, name)
                .with(Column::Type, "histogram")
                .with(Column::Value, at as f64 / 1e3);
            event.set(Column::Unit, unit.map(Into::into));
            event
        };
        events.push(metric("bare", None));
        events.push(metric("both", Some(if at == 4_000 { "ms" } else { "s" })));
        events.push(metric("some", (at % 2 == 0).then_some("By")));
        events.push(metric("timer", Some("s")));
    }
    let home = TestHome::of(&events);
    let sketches = EngineConfig {
        exact_limit: 0,
        ..EngineConfig::default()
    };
    let kept = Engine::open(
        Store::open(&home.home()).keeping(64 << 20),
        sketches.clone(),
    );
    for sealed in ["in the log", "sealed"] {
        for (how, engine) in [
            ("exact", &home.engine()),
            ("sketches", &home.engine_with(sketches.clone())),
            ("kept", &kept),
            ("kept, again", &kept),
        ] {
            let (found, _) = Metrics { scope: days(1) }.ask(engine).unwrap();
            let units = found
                .series
                .iter()
                .map(|one| (&*one.name, one.unit.as_deref()));
            let units: Vec<_> = units.collect();
            let expected = [
                ("bare", None),
                ("both", None),
                ("some", Some("By")),
                ("timer", Some("s")),
            ];
            assert_eq!(units, expected, "{sealed}, {how}");
        }
        home.engine().store().seal(Default::default()).unwrap();
    }
}

#[test]
fn sessions_agents_and_metrics() {
    let events = [
        ago(90, "session_start")
            .with(Column::Name, "lazy")
            .with(Column::Tokens, 1000_i64),
        ago(80, "agent_load")
            .with(Column::Agent, "f2f2cbc2")
            .with(Column::Tokens, 450_i64)
            .with(Column::DurationMs, 1.5),
        ago(70, "tool_call")
            .with(Column::Agent, "f2f2cbc2")
            .with(Column::Name, "search")
            .with(Column::Success, true),
        ago(60, "query").with(Column::Agent, "simple"),
        ago(50, "metric")
            .with(Column::Source, "database")
            .with(Column::Name, "latency")
            .with(Column::Type, "gauge")
            .with(Column::Value, 10.0),
        ago(40, "performance")
            .with(Column::Name, "startup")
            .with(Column::Value, 3.0),
        ago(30, "session_end")
            .with(Column::Name, "lazy")
            .with(Column::DurationMs, 60_000.0)
            .with(Column::Tokens, 2000_i64)
            .with(Column::Count, 4_i64),
    ];
    let home = TestHome::of(&events);
    let (sessions, _) = Sessions { scope: days(1) }.ask(&home.engine()).unwrap();
    assert_eq!((sessions.started, sessions.ended), (1, 1));
    assert_eq!(sessions.duration_ms.unwrap().mean, 60_000.0);
    assert_eq!(sessions.mean_initial_tokens, Some(1000.0));
    assert_eq!(
        (sessions.mean_tokens, sessions.mean_agents),
        (Some(2000.0), Some(4.0))
    );
    assert_eq!(sessions.types.len(), 1);
    let (agents, _) = Agents::new(days(1)).ask(&home.engine()).unwrap();
    assert_eq!(agents.agents.len(), 1, "a query names a type, not an agent");
    let agent = &agents.agents[0];
    assert_eq!(
        (agent.loads, agent.loaded_tokens, agent.tool_calls.succeeded),
        (1, 450, 1)
    );
    let (metrics, _) = Metrics { scope: days(1) }.ask(&home.engine()).unwrap();
    let names: Vec<&str> = metrics
        .series
        .iter()
        .map(|series| series.name.as_str())
        .collect();
    assert_eq!(names, ["startup", "latency"]);
    assert_eq!(metrics.series[1].value.unwrap().p99, 10.0);
}

#[test]
fn agents_have_the_latency_and_the_tokens_of_their_calls() {
    let of = |seconds, event_type: &str, agent: &str, ms: f64| {
        ago(seconds, event_type)
            .with(Column::Agent, agent)
            .with(Column::DurationMs, ms)
    };
    let mut events: Vec<Event> = (1..=100)
        .map(|ms| of(10 + ms, "tool_call", "busy", ms as f64))
        .collect();
    events.extend([
        of(9, "llm_call", "busy", 9_000.0)
            .with(Column::InputTokens, 70_i64)
            .with(Column::OutputTokens, 7_i64)
            .with(Column::CacheReadTokens, 5_i64),
        of(8, "llm_call", "busy", 9_000.0).with(Column::InputTokens, 30_i64),
        of(7, "agent_usage", "idle", 9_000.0),
    ]);
    let home = TestHome::of(&events);
    let rough = EngineConfig {
        exact_limit: 0,
        ..EngineConfig::default()
    };
    for engine in [home.engine(), home.engine_with(rough)] {
        let (found, _) = Agents::new(days(1)).ask(&engine).unwrap();
        let [busy, idle] = &found.agents[..] else {
            panic!("{found:?}");
        };
        let p95 = busy.tool_call_ms.unwrap().p95;
        assert!((p95 / 95.5 - 1.0).abs() < 0.02, "{p95}");
        let tokens = busy.tokens.unwrap();
        assert_eq!((tokens.input, tokens.output, tokens.total()), (100, 7, 107));
        assert_eq!(tokens.cache_read, 5);
        assert_eq!((idle.tool_call_ms, idle.tokens), (None, None));
    }
}

#[test]
fn errors_by_class_and_origin() {
    let failed = |seconds, event_type: &str, name: &str, error: &str| {
        ago(seconds, event_type)
            .with(Column::Name, name)
            .with(Column::Success, false)
            .with(Column::ErrorType, error)
    };
    let events = [
        failed(50, "tool_call", "search", "Timeout"),
        failed(40, "llm_call", "large", "Timeout"),
        failed(30, "tool_call", "search", "Timeout"),
        ago(20, "error").with(Column::ErrorType, "Crash"),
        ago(10, "tool_call").with(Column::Success, true),
    ];
    let (found, _) = Errors { scope: days(1) }
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    assert_eq!(found.total, 4);
    assert_eq!(found.types, [tally("Timeout", 3), tally("Crash", 1)]);
    let first = &found.groups[0];
    assert_eq!((first.event_type.as_str(), first.count), ("tool_call", 2));
    assert_eq!(first.name.as_deref(), Some("search"));
}

#[test]
fn usage_by_hour_weekday_and_day_in_utc() {
    let event = |time: &str| Event::new(at(time), "tool_call");
    let events = [
        // A Wednesday, and a Thursday that is still Wednesday in New York.
        event("2025-11-19T23:30:00+00:00"),
        event("2025-11-19T20:30:00-05:00"),
        event("2025-11-20T01:45:00+00:00"),
    ];
    let (found, _) = Usage { scope: days(7) }
        .ask(&TestHome::of(&events).engine())
        .unwrap();
    assert_eq!((found.hours[23], found.hours[1]), (1, 2));
    assert_eq!((found.weekdays[2], found.weekdays[3]), (1, 2));
    assert_eq!(found.grid[3][1], 2);
    assert_eq!(found.days.len(), 2);
    assert_eq!(found.kinds, [tally("tool_call", 3)]);
}

#[test]
fn who_is_called_nothing_is_not_known() {
    let of = |seconds, event_type: &str| ago(seconds, event_type).with(Column::DurationMs, 5.0);
    let events = [
        of(50, "tool_call"),
        of(40, "tool_call").with(Column::Name, ""),
        of(30, "llm_call")
            .with(Column::Name, "")
            .with(Column::Source, ""),
        of(20, "llm_call"),
        of(10, "agent_usage").with(Column::Agent, ""),
    ];
    let home = TestHome::of(&events);
    let engine = home.engine();
    let (tools, _) = Tools::new(days(1)).ask(&engine).unwrap();
    let named: Vec<_> = tools.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(named, ["unknown"]);
    let asked = Tools {
        name: Some("unknown".to_owned()),
        ..Tools::new(days(1))
    };
    assert_eq!(asked.ask(&engine).unwrap().0.calls.total(), 2);
    let (models, _) = Models::new(days(1)).ask(&engine).unwrap();
    let one = &models.models[0];
    assert_eq!((one.provider.as_deref(), &*one.model), (None, "unknown"));
    assert_eq!((models.models.len(), one.calls.total()), (1, 2));
    assert!(Agents::new(days(1)).ask(&engine).unwrap().0.is_empty());
}
