//! Series and sessions: which there are, how many, and how long.

use std::time::Duration;

use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::live::{Family, OTHER, State};

use super::{HOUR, metric, now, seconds_ago, taken, tool};

#[test]
fn each_kind_of_event_has_its_series() {
    let call = Event::new(now(), "llm_call")
        .with(Column::Source, "openai")
        .with(Column::Name, "gpt")
        .with(Column::DurationMs, 1200.0)
        .with(Column::Success, false)
        .with(Column::ErrorType, "http_429")
        .with(Column::InputTokens, 100_i64)
        .with(Column::OutputTokens, 20_i64)
        .with(Column::CacheReadTokens, 60_i64)
        .with(Column::CostUsd, 0.5);
    let tool = Event::new(now(), "tool_call")
        .with(Column::Name, "grep")
        .with(Column::Agent, "coder")
        .with(Column::DurationMs, 7.0)
        .with(Column::Success, true);
    let cache = |operation: &str| {
        Event::new(now(), "cache")
            .with(Column::Name, "files")
            .with(Column::Status, operation)
    };
    let query = Event::new(now(), "query")
        .with(Column::Agent, "planner")
        .with(Column::DurationMs, 5.0)
        .with(Column::Success, true);
    let state = taken(&[
        call.clone(),
        call.with(Column::Agent, "coder"),
        tool.clone().with(Column::Success, false),
        tool,
        cache("hit"),
        cache("miss"),
        cache("eviction"),
        query,
    ]);
    let read = |family, source: &str, name: &str| {
        let reading = state.reading(family, source, name, HOUR, now());
        reading.unwrap_or_else(|| panic!("{family:?} {source} {name}"))
    };
    let model = read(Family::Model, "openai", "gpt");
    let (counts, window) = (model.happened.expect("calls"), model.window.expect("calls"));
    assert_eq!((counts.count, counts.failed), (2, 2));
    assert_eq!((window.count, window.p50), (2, 1200.0));
    let totals = model.totals;
    assert_eq!((totals.tokens.input, totals.tokens.cache_read), (200, 120));
    assert_eq!(totals.cost_usd, 1.0);
    assert_eq!(totals.errors, [("http_429".into(), 2)]);
    for (family, value) in [(Family::ModelTokens, 120.0), (Family::ModelCost, 0.5)] {
        let window = read(family, "openai", "gpt").window.expect("values");
        assert_eq!((window.count, window.avg), (2, value), "{family:?}");
    }
    // By the agent that they name, and only those that name one.
    let tools = read(Family::AgentTool, "", "coder");
    let (counts, window) = (tools.happened.expect("calls"), tools.window.expect("calls"));
    assert_eq!((counts.count, counts.failed, window.p50), (2, 1, 7.0));
    let models = read(Family::AgentModel, "", "coder");
    assert_eq!(models.window.expect("a call").p50, 1200.0);
    assert_eq!((models.totals.events, models.totals.tokens.output), (1, 20));
    assert_eq!(models.totals.errors, [("http_429".into(), 1)]);
    let cost = read(Family::AgentCost, "", "coder");
    assert_eq!(cost.window.expect("a cost").sum, 0.5);
    for family in [Family::Agent, Family::AgentTool, Family::AgentModel] {
        assert_eq!(
            state.reading(family, "", "", HOUR, now()),
            None,
            "{family:?}"
        );
    }
    let cache = read(Family::Cache, "", "files");
    assert_eq!(cache.window.expect("look-ups").avg, 0.5);
    let lookups = cache.totals.lookups;
    assert_eq!((lookups.hits, lookups.misses, lookups.evictions), (1, 1, 1));
    assert_eq!(read(Family::Query, "", "planner").totals.events, 1);
    assert_eq!(read(Family::Error, "", "http_429").totals.events, 2);
    assert_eq!(read(Family::Event, "", "cache").totals.events, 3);
}

#[test]
fn a_session_is_active_until_it_ends_or_falls_silent() {
    let of = |kind: &str, id: &str, ago: f64| {
        Event::new(seconds_ago(ago), kind)
            .with(Column::SessionId, id)
            .with(Column::Name, "work")
    };
    for (what, events, active) in [
        ("none", vec![], 0),
        ("begun", vec![of("session_start", "a", 10.0)], 1),
        (
            "ended",
            vec![of("session_start", "a", 10.0), of("session_end", "a", 5.0)],
            0,
        ),
        (
            "told of in the wrong order",
            vec![of("session_end", "a", 5.0), of("tool_call", "a", 7.0)],
            0,
        ),
        (
            "begun again",
            vec![of("session_end", "a", 5.0), of("tool_call", "a", 3.0)],
            1,
        ),
        ("silent", vec![of("session_start", "a", 901.0)], 0),
        (
            "two",
            vec![of("tool_call", "a", 1.0), of("tool_call", "b", 899.0)],
            2,
        ),
    ] {
        assert_eq!(
            taken(&events).overview(now()).active_sessions,
            active,
            "{what}"
        );
    }
}

#[test]
fn floods_of_names_stay_bounded_and_leave_the_others_alone() {
    let mut state = State::new(1024);
    state.take(&tool(now(), "search", 5.0).to_line(), now());
    let mut lines = Vec::new();
    for at in 0..50_000 {
        lines.extend(metric(now(), &format!("m{at}"), f64::from(at)).to_line());
        let session = tool(now(), &format!("t{at}"), f64::from(at));
        let session = session.with(Column::SessionId, format!("s{at}"));
        lines.extend(session.to_line());
    }
    lines.extend(metric(now(), &"x".repeat(100_000), 1.0).to_line());
    state.take(&lines, now());
    state.take(&tool(now(), "search", 7.0).to_line(), now());
    let overview = state.overview(now());
    assert!(overview.series <= 1024 + 64, "{overview:?}");
    assert!(overview.bytes < 1 << 20, "{overview:?}");
    assert!(overview.overflow > 90_000, "{overview:?}");
    let read = |family, source: &str, name: &str| {
        let reading = state.reading(family, source, name, HOUR, now());
        reading.expect("a series").totals.events
    };
    assert_eq!(read(Family::Tool, "", "search"), 2, "was there before");
    let kept = 1024 * 28 / 70;
    assert_eq!(read(Family::Metric, OTHER, OTHER), 50_001 - kept);
    assert_eq!(
        read(Family::Event, "", "metric"),
        50_001,
        "of another family"
    );
}

#[test]
fn silent_series_leave_their_place_to_others() {
    let mut state = State::new(64);
    let kept = 25;
    let later = |hours: f64| UnixNanos(now().0 + (hours * 3.6e12) as i64);
    let mut hear = |time: UnixNanos, name: &str| {
        state.take(&metric(time, name, 1.0).to_line(), time);
        state.overview(time)
    };
    for at in 0..40 {
        hear(now(), &format!("flood{at}"));
    }
    let full = hear(later(0.9), "flood0");
    assert_eq!((full.overflow, full.forgotten), (15, 0));
    // Within the hour nobody has to leave.
    assert_eq!(hear(later(0.95), "early").overflow, 16);
    let fresh = hear(later(1.5), "fresh");
    assert_eq!((fresh.overflow, fresh.forgotten), (16, 1));
    for at in 0..200 {
        hear(later(1.5), &format!("more{at}"));
    }
    let again = hear(later(1.5), "fresh");
    // All but those of the last hour: one of the flood, and this.
    assert_eq!(again.forgotten, kept - 1);
    assert_eq!(again.series, full.series);
    // What they held is given back, again and again.
    let bytes: Vec<usize> = (2..20)
        .map(|round| {
            let time = later(2.0 * f64::from(round));
            for at in 0..kept {
                hear(time, &format!("round{round}-{at}"));
            }
            hear(time, &format!("round{round}-0")).bytes
        })
        .collect();
    assert!(bytes.iter().all(|all| *all == bytes[0]), "{bytes:?}");
    let time = later(38.0);
    let events = |name: &str| {
        let reading = state.reading(Family::Metric, "agent", name, HOUR, time);
        reading.map(|reading| reading.totals.events)
    };
    assert_eq!(events("round19-1"), Some(1));
    assert_eq!(events("round18-1"), None);
    assert_eq!(events("fresh"), None);
    let other = state.reading(Family::Metric, OTHER, OTHER, HOUR, time);
    let other = other.expect("never forgotten").totals.events;
    let shown: u64 = (0..kept)
        .filter_map(|at| events(&format!("round19-{at}")))
        .sum();
    // Nothing is lost from the count of all.
    let all = state.reading(Family::Event, "", "metric", HOUR, time);
    let all = all.expect("events").totals.events;
    assert_eq!(shown + other + state.forgotten(Family::Metric), all);
}

#[test]
fn history_is_in_order_of_time_and_bounded() {
    let mut events: Vec<Event> = (0..12_000)
        .map(|at| {
            metric(
                seconds_ago(3600.0 - f64::from(at) * 0.3),
                "m",
                f64::from(at),
            )
        })
        .collect();
    events.swap(11_000, 11_999);
    let state = taken(&events);
    let history = |seconds| {
        let length = Duration::from_secs(seconds);
        let found = state.history("agent", "m", length, now());
        found.expect("a history")
    };
    let all = history(3600);
    assert_eq!(all.len(), 10_000);
    assert!(all.is_sorted_by_key(|point| point.0));
    assert_eq!(all[0].1, 2000.0);
    // From 60 to 0.3 s ago, the one at the very start included.
    assert_eq!(history(60).len(), 200);
    assert_eq!(state.history("agent", "other", HOUR, now()), None);
}
