//! The JSON of every answer, pinned: what programs read must not change by
//! accident. After a change that is meant, `PIN_ANSWERS=1 cargo test -p
//! tachograph-analyze pins` writes the files anew; look at the difference.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tachograph_analyze::EngineConfig;
use tachograph_model::question::{
    Agents, Baseline, CachePerformance, Caches, Changes, Discovery, Errors, Losses, Metrics,
    Models, Part, Queries, Report, SessionList, Sessions, Sql, Storage, Timeline, TokenSavings,
    Tools, Trace, Trends, Usage,
};
use tachograph_model::{Answerer, Column, Event, Question, Scope};
use tachograph_store::SealOptions;

use crate::home::{TestHome, ago, days, now};

const DAY: i64 = 86_400;

/// Some of every kind on each of nine days, durations in `ms`; a tool that is
/// three times as slow on the last four, and fails often on one.
fn events(ms: f64) -> Vec<Event> {
    let mut events = Vec::new();
    for day in 0..9_i64 {
        for number in 0..24_i64 {
            let at = (8 - day) * DAY + number * 60;
            let slow = if day > 4 { 3.0 } else { 1.0 };
            let share = (1.0 + number as f64 / 100.0) / 4.0;
            let failed = if day == 2 {
                number % 2 == 0
            } else {
                number == 7
            };
            events.push(
                ago(at, "tool_call")
                    .with(Column::Name, ["grep", "fetch"][number as usize % 2])
                    .with(Column::DurationMs, ms * share * slow / 3.0)
                    .with(Column::Success, !failed),
            );
        }
        let at = |seconds: i64, kind: &str| ago((8 - day) * DAY + 3600 + seconds, kind);
        events.extend([
            at(0, "agent_discovery")
                .with(Column::Name, "list_agents")
                .with(Column::DurationMs, ms * 0.5)
                .with(Column::Hit, false)
                .with(Column::Count, 119_i64),
            at(1, "agent_discovery")
                .with(Column::Name, "get_agent")
                .with(Column::DurationMs, ms)
                .with(Column::Hit, day % 3 != 0),
            at(2, "agent_load")
                .with(Column::Agent, "0011223344556677")
                .with(Column::DurationMs, ms)
                .with(Column::SizeBytes, 6_424_i64)
                .with(Column::Tokens, 1_606_i64),
            at(3, "session_start")
                .with(Column::Name, "lazy")
                .with(Column::Tokens, 1_200_i64),
            at(4, "session_end")
                .with(Column::Name, "lazy")
                .with(Column::DurationMs, ms)
                .with(Column::Tokens, 3_000_i64)
                .with(Column::Count, 2_i64),
            at(5, "cache_operation")
                .with(Column::Name, "get")
                .with(Column::Count, 40_i64)
                .with(Column::Value, 87.5)
                .with(Column::Evictions, day),
            at(6, "cache")
                .with(Column::Name, "results")
                .with(Column::Status, "hit")
                .with(Column::Hit, true)
                .with(Column::DurationMs, ms),
            at(7, "cache")
                .with(Column::Name, "results")
                .with(Column::Status, "eviction"),
            at(8, "llm_call")
                .with(Column::Source, "anthropic")
                .with(Column::Name, "claude")
                .with(Column::DurationMs, ms)
                .with(Column::Success, true)
                .with(Column::InputTokens, 1_000_i64)
                .with(Column::OutputTokens, 100_i64)
                .with(Column::CostUsd, 0.25),
            at(9, "query")
                .with(Column::Agent, "complex")
                .with(Column::DurationMs, ms)
                .with(Column::Success, day != 3)
                .with(Column::Status, "completed")
                .with(Column::ToolCalls, day)
                .with(Column::Value, 0.8)
                .with(Column::Entities, vec!["disease".to_owned()]),
            at(10, "error")
                .with(Column::ErrorType, "Timeout")
                .with(Column::Source, "cli"),
            at(11, "metric")
                .with(Column::Source, "host")
                .with(Column::Name, "rss")
                .with(Column::Type, "gauge")
                .with(Column::Value, day as f64)
                .with(Column::Unit, "MB"),
            at(12, "loss")
                .with(Column::Name, "tool_call")
                .with(Column::Status, "overload")
                .with(Column::Count, 5_i64),
            at(13, "brand_new"),
        ]);
    }
    events
}

fn questions() -> Vec<Question> {
    let scope: Scope = days(30);
    let baseline = Baseline::default();
    let limits = Default::default();
    vec![
        Agents::new(scope).into(),
        CachePerformance { scope }.into(),
        Caches::new(scope).into(),
        Changes { scope }.into(),
        Discovery { scope }.into(),
        Errors { scope }.into(),
        Losses { scope }.into(),
        Metrics { scope }.into(),
        Models::new(scope).into(),
        Queries { scope, limits }.into(),
        Report {
            scope,
            baseline,
            limits,
            part: Part::Whole,
        }
        .into(),
        SessionList {
            limit: 9,
            ..SessionList::new(scope)
        }
        .into(),
        Sessions { scope }.into(),
        Sql {
            query: "SELECT event_type, count(*) AS events, max(timestamp) AS last FROM events \
                    GROUP BY 1 ORDER BY 1"
                .to_owned(),
            row_limit: 3,
        }
        .into(),
        Storage.into(),
        Timeline {
            buckets: 12,
            kind: Some("llm_call".to_owned()),
            ..Timeline::new(scope)
        }
        .into(),
        TokenSavings { scope, baseline }.into(),
        Tools::new(scope).into(),
        Trace {
            scope,
            session: None,
            trace: None,
            limit: 9,
        }
        .into(),
        Trends { scope }.into(),
        Usage { scope }.into(),
    ]
}

fn answer(home: &TestHome, question: &Question) -> Value {
    let engine = home.engine_with(EngineConfig {
        now: Some(now()),
        ..EngineConfig::default()
    });
    serde_json::to_value(engine.answer(question).unwrap()).unwrap()
}

#[test]
fn every_answer_is_as_it_was() {
    let home = TestHome::of(&events(8.0));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data/answers");
    let questions = questions();
    let asked: BTreeSet<_> = questions.iter().map(Question::name).collect();
    let all: BTreeSet<_> = Question::NAMES.iter().copied().collect();
    assert_eq!(asked, all, "each question has its pin");
    for question in &questions {
        let path = folder.join(format!("{}.json", question.name()));
        let found = answer(&home, question);
        if std::env::var_os("PIN_ANSWERS").is_some() {
            let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
            std::fs::write(&path, text).unwrap();
        }
        let pinned = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let pinned: Value = serde_json::from_slice(&pinned).unwrap();
        assert_eq!(
            serde_json::to_string_pretty(&found).unwrap(),
            serde_json::to_string_pretty(&pinned).unwrap(),
            "{}",
            path.display()
        );
    }
}

/// Where the JSON says null; what is not finite becomes that.
fn nulls(json: &Value, path: &str, out: &mut BTreeSet<String>) {
    match json {
        Value::Null => {
            out.insert(path.to_owned());
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                nulls(item, &format!("{path}/{at}"), out);
            }
        }
        Value::Object(members) => {
            for (key, item) in members {
                nulls(item, &format!("{path}/{key}"), out);
            }
        }
        _ => {}
    }
}

#[test]
fn durations_at_the_end_of_the_range_leave_every_figure_finite() {
    let (plain, huge) = (TestHome::of(&events(8.0)), TestHome::of(&events(1.7e308)));
    let raw = |home: &TestHome| -> Vec<BTreeSet<String>> {
        // Two levels of a huge size have no distance that could be squared:
        // whether they differ is all that is not said of them.
        let questions = questions();
        let asked = questions
            .iter()
            .filter(|q| !matches!(q, Question::Changes(_)));
        asked
            .map(|question| {
                let mut out = BTreeSet::new();
                nulls(&answer(home, question), question.name(), &mut out);
                out
            })
            .collect()
    };
    let expected = raw(&plain);
    assert_eq!(raw(&huge), expected, "from the log");
    let changes = answer(&huge, &Changes { scope: days(30) }.into());
    for change in changes["found"]["changes"]["changes"].as_array().unwrap() {
        assert!(
            change["before"].is_number() && change["after"].is_number(),
            "{change}"
        );
    }
    huge.engine().store().seal(SealOptions::default()).unwrap();
    let report = Report {
        scope: days(30),
        baseline: Baseline::default(),
        limits: Default::default(),
        part: Part::Whole,
    };
    let config = EngineConfig {
        exact_limit: 0,
        now: Some(now()),
        ..EngineConfig::default()
    };
    let sketched = huge.engine_with(config).answer(&report.into()).unwrap();
    let json = serde_json::to_value(&sketched).unwrap();
    let spread = &json["found"]["report"]["tools"]["duration_ms"];
    for figure in ["sum", "mean", "min", "max", "p50", "p95", "p99"] {
        assert!(
            spread[figure].as_f64().is_some_and(|v| v > 1e307),
            "{figure}: {spread}"
        );
    }
}
