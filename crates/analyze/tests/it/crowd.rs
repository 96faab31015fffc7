//! More series than a question may tell apart.

use std::collections::{BTreeMap, BTreeSet};

use tachograph_analyze::{Bound, Engine, EngineConfig};
use tachograph_model::answer::{About, NoteKind, OTHER, Report};
use tachograph_model::{Ask, Column, Event, Scope, question};
use tachograph_store::{SealOptions, Store};

use crate::home::{TestHome, ago, days, now};

const BOUND: Bound = Bound {
    series: 40,
    cells: 10_000,
};
/// Tools that are called once, and as many series of measurements.
const RARE: u64 = 3_000;

/// A crowd, and a few in it who are often called, by three agents.
fn crowd() -> Vec<Event> {
    let mut events = Vec::new();
    for at in 0..RARE {
        let agent = ["a", "b", "c"][at as usize % 3];
        let call = |name: &str, success: bool| {
            let call = ago(at as i64, "tool_call")
                .with(Column::Name, name)
                .with(Column::Agent, agent)
                .with(Column::DurationMs, 2.0)
                .with(Column::Success, success);
            match success {
                true => call,
                false => call.with(Column::ErrorType, "Timeout"),
            }
        };
        events.push(call(&format!("tool {at}"), at % 10 != 0));
        events.push(
            ago(at as i64, "metric")
                .with(Column::Name, format!("metric {at}").as_str())
                .with(Column::Source, "host")
                .with(Column::Value, at as f64),
        );
        if at % 100 == 99 {
            events.push(call("search", at % 200 == 99));
        }
    }
    events
}

fn report(engine: &Engine) -> (Report, About) {
    let question = question::Report {
        scope: Scope::all(now()),
        baseline: question::Baseline::default(),
        limits: question::QueryLimits::default(),
        part: question::Part::Whole,
    };
    question.ask(engine).expect("an answer")
}

fn check(how: &str, engine: &Engine) {
    let (found, about) = report(engine);
    let often = RARE / 100;
    assert_eq!(about.events, 2 * RARE + often, "{how}");
    // The whole is exact, and so is whoever stays apart.
    let calls = found.tools.calls;
    assert_eq!(calls.total(), RARE + often, "{how}");
    assert_eq!(calls.failed, RARE / 10 + often / 2, "{how}");
    assert_eq!(found.errors.total, RARE / 10 + often / 2, "{how}");
    assert_eq!(found.errors.types[0].name, "Timeout", "{how}");
    let of = |name: &str| {
        let mut tools = found.tools.tools.iter();
        tools.find(|tool| tool.name == name).expect(name)
    };
    assert_eq!(of("search").calls.total(), often, "{how}");
    assert_eq!(of("search").calls.failed, often / 2, "{how}");
    assert!(found.tools.tools.len() <= BOUND.series + 1, "{how}");
    let told: u64 = found
        .tools
        .tools
        .iter()
        .map(|tool| tool.calls.total())
        .sum();
    assert_eq!(told, RARE + often, "{how}");
    assert!(
        of(OTHER).calls.total() >= RARE - BOUND.series as u64,
        "{how}"
    );
    // Who called stays known of those whose name does not.
    let agents: Vec<u64> = found.agents.agents.iter().map(|one| one.events).collect();
    assert_eq!(agents.len(), 3, "{how}");
    assert_eq!(agents.iter().sum::<u64>(), RARE + often, "{how}");
    let values: f64 = found
        .metrics
        .series
        .iter()
        .filter_map(|one| one.value)
        .map(|v| v.sum)
        .sum();
    assert_eq!(values, (RARE * (RARE - 1) / 2) as f64, "{how}");
    assert!(found.metrics.series.len() <= BOUND.series + 1, "{how}");
    assert!(
        found
            .metrics
            .series
            .iter()
            .all(|one| one.source.as_deref() == Some("host"))
    );
    let notes = about.notes.iter();
    let notes: Vec<_> = notes
        .filter(|note| note.kind == NoteKind::Cardinality)
        .collect();
    assert_eq!(notes.len(), 2, "{how}: {notes:?}");
    assert_eq!(
        notes[0].text,
        format!(
            "metric: of {RARE} series the 40 with most events are told apart, the others are \
             summed as _other"
        )
    );
}

/// One that is asked for by name stays apart from any crowd.
fn check_one(how: &str, engine: &Engine) {
    let scope = Scope::all(now());
    // Called once, so that no bound leaves it apart; and one without a name.
    for (name, calls, failed) in [
        ("tool 77", 1, 0),
        ("tool 80", 1, 1),
        ("search", 30, 15),
        ("tool 7", 1, 0),
    ] {
        let asked = question::Tools {
            name: Some(name.to_owned()),
            ..question::Tools::new(scope)
        };
        let (found, about) = asked.ask(engine).expect("an answer");
        let names: Vec<&str> = found.tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, [name], "{how}");
        assert_eq!(found.calls, found.tools[0].calls, "{how}: {name}");
        assert_eq!(
            (found.calls.total(), found.calls.failed),
            (calls, failed),
            "{how}: {name}"
        );
        let crowded = about.notes.iter().any(|n| n.kind == NoteKind::Cardinality);
        assert!(!crowded, "{how}: {name}: {about:?}");
        let chart = question::Timeline {
            kind: Some("tool_call".to_owned()),
            name: Some(name.to_owned()),
            ..question::Timeline::new(days(1))
        };
        let (chart, _) = chart.ask(engine).expect("an answer");
        assert_eq!(chart.events(), calls, "{how}: {name}");
    }
    for name in [OTHER, "unknown", "tool", "TOOL 77", ""] {
        let asked = question::Tools {
            name: Some(name.to_owned()),
            ..question::Tools::new(scope)
        };
        let (found, _) = asked.ask(engine).expect("an answer");
        assert!(found.tools.is_empty(), "{how}: {name}: {found:?}");
    }
    let asked = question::Agents {
        name: Some("b".to_owned()),
        ..question::Agents::new(scope)
    };
    let (found, about) = asked.ask(engine).expect("an answer");
    let events: Vec<_> = found
        .agents
        .iter()
        .map(|one| (&*one.agent, one.events))
        .collect();
    let all = RARE / 3 + RARE / 300;
    assert_eq!(events, [("b", all)], "{how}");
    assert_eq!(about.events, all, "{how}");
}

#[test]
fn a_crowd_is_summed_and_the_frequent_stay_apart_wherever_the_events_lie() {
    let home = TestHome::of(&crowd());
    let exact = EngineConfig {
        bound: BOUND,
        ..EngineConfig::default()
    };
    let sketch = EngineConfig {
        exact_limit: 0,
        ..exact.clone()
    };
    let store = || Store::open(&home.home());
    let of = |store: Store, config: &EngineConfig| Engine::open(store, config.clone());
    let kept = of(store().keeping(64 << 20), &exact);
    let small = of(store().keeping(64 << 10), &exact);
    let mut stay: BTreeMap<bool, BTreeSet<BTreeSet<String>>> = BTreeMap::new();
    for sealed in ["a log", "segments"] {
        for (how, engine) in [
            ("exact", &of(store(), &exact)),
            ("sketches", &of(store(), &sketch)),
            ("kept", &kept),
            ("kept, again", &kept),
            ("hardly kept", &small),
            ("hardly kept, again", &small),
            ("one thread", &of(store().with_threads(1), &exact)),
        ] {
            check(&format!("{sealed}, {how}"), engine);
            check_one(&format!("{sealed}, {how}"), engine);
            let names = report(engine).0.tools.tools.into_iter();
            let names: BTreeSet<String> = names.map(|tool| tool.name).collect();
            stay.entry(how == "sketches").or_default().insert(names);
        }
        store().seal(SealOptions::default()).expect("sealed");
    }
    // The same ones stay, whoever asks. Sketches of tools do not tell agents apart:
    // among equally frequent ones others may stay there.
    for of_one_kind in stay.values() {
        assert_eq!(of_one_kind.len(), 1, "{stay:?}");
    }
    assert_eq!(stay.len(), 2);
}

#[test]
fn many_days_make_fewer_series_stay_apart() {
    let days = 200;
    let mut home = Vec::new();
    for day in 0..days {
        for tool in 0..30 {
            let call =
                ago(day * 86_400, "tool_call").with(Column::Name, format!("t{tool}").as_str());
            home.push(call);
        }
        home.push(ago(day * 86_400, "tool_call").with(Column::Name, "search"));
        home.push(ago(day * 86_400, "tool_call").with(Column::Name, "search"));
    }
    let bound = Bound {
        series: 100,
        cells: 3_000,
    };
    let config = EngineConfig {
        bound,
        ..EngineConfig::default()
    };
    let (found, about) = report(&TestHome::of(&home).engine_with(config));
    assert_eq!(found.tools.calls.total(), 32 * days as u64);
    assert!((2..15).contains(&found.tools.tools.len()));
    let search = found.tools.tools.iter().find(|tool| tool.name == "search");
    assert_eq!(search.expect("search").calls.total(), 2 * days as u64);
    assert_eq!(found.usage.days.len(), days as usize);
    assert!(
        about
            .notes
            .iter()
            .any(|note| note.kind == NoteKind::Cardinality)
    );
}

#[test]
fn a_crowd_of_entities_is_summed_too() {
    let mut events = Vec::new();
    for at in 0..500 {
        let entities = vec![format!("kind {at}"), "customer".to_owned()];
        events.push(
            ago(at, "query")
                .with(Column::Agent, "crewai")
                .with(Column::Entities, entities),
        );
    }
    let config = EngineConfig {
        bound: BOUND,
        ..EngineConfig::default()
    };
    let (found, about) = report(&TestHome::of(&events).engine_with(config));
    let entities = found.queries.entities;
    assert!(entities.len() <= BOUND.series + 1);
    assert_eq!(entities.iter().map(|one| one.count).sum::<u64>(), 1_000);
    let customer = entities.iter().find(|one| one.name == "customer");
    assert_eq!(customer.expect("customer").count, 500);
    assert!(
        about
            .notes
            .iter()
            .any(|note| note.text.starts_with("entities: of 501 series"))
    );
}
