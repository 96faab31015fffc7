//! Live state: what it says of what came, against the fourth seed's figures,
//! against a plain recomputation, and under whatever else may come.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value as Json;
use tachograph_log::{Appender, Home};
use tachograph_model::port::{Sealed, SealedLog};
use tachograph_model::{Answer, Answerer, AskError, Column, Event, Question, UnixNanos};
use tachograph_serve::config::Limits;
use tachograph_serve::live::{Family, Live, OTHER, Reading, State, Stats};

const HOUR: Duration = Duration::from_secs(3600);

fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text, true).expect("a time")
}

fn now() -> UnixNanos {
    at("2025-11-20T12:00:00")
}

fn seconds_ago(seconds: f64) -> UnixNanos {
    UnixNanos(now().0 - (seconds * 1e9) as i64)
}

fn metric(time: UnixNanos, name: &str, value: f64) -> Event {
    Event::new(time, "metric")
        .with(Column::Source, "agent")
        .with(Column::Name, name)
        .with(Column::Type, "gauge")
        .with(Column::Value, value)
}

fn tool(time: UnixNanos, name: &str, ms: f64) -> Event {
    Event::new(time, "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, ms)
        .with(Column::Success, true)
}

fn taken(events: &[Event]) -> State {
    let mut state = State::new(4096);
    for event in events {
        state.take(&event.to_line(), now());
    }
    state
}

fn reading(state: &State, name: &str, length: Duration) -> Option<Reading> {
    state.reading(Family::Metric, "agent", name, length, now())
}

fn window(state: &State, name: &str, length: Duration) -> Option<Stats> {
    reading(state, name, length)?.window
}

fn close(what: &str, found: f64, expected: f64, relative: f64) {
    let bound = relative * expected.abs() + 1e-9 * (1.0 + expected.abs());
    assert!(
        (found - expected).abs() <= bound,
        "{what}: {found} is not {expected}"
    );
}

fn same_as_seed(what: &str, found: &Stats, expected: &Json) {
    let number = |key: &str| expected[key].as_f64().expect("a number");
    assert_eq!(found.count as f64, number("count"), "{what}");
    assert_eq!(found.relative_error, 0.0, "{what}");
    for (key, value) in [
        ("sum", found.sum),
        ("min", found.min),
        ("max", found.max),
        ("avg", found.avg),
        ("std", found.std),
        ("p50", found.p50),
        ("p95", found.p95),
        ("p99", found.p99),
        ("latest", found.latest),
        ("rate", found.rate),
    ] {
        close(&format!("{what}.{key}"), value, number(key), 1e-9);
    }
}

#[test]
fn aggregates_are_the_fourth_seed_s() {
    let cases: Json = serde_json::from_str(include_str!("data/summary/aggregates.json")).unwrap();
    for (case, wanted) in cases.as_array().unwrap().iter().enumerate() {
        let values = wanted["values"].as_array().unwrap();
        let events: Vec<Event> = values
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let time = seconds_ago(299.0 - 299.0 * at as f64 / values.len() as f64);
                metric(time, "m", value.as_f64().unwrap())
            })
            .collect();
        let length = Duration::from_secs(wanted["window_seconds"].as_u64().unwrap());
        let found = window(&taken(&events), "m", length).expect("a window");
        same_as_seed(
            &format!("case {case}"),
            &found,
            &wanted["expected"]["stats"],
        );
    }
}

#[test]
fn summaries_are_the_fourth_seed_s() {
    let points: Json = serde_json::from_str(include_str!("data/summary/points.json")).unwrap();
    let mut state = State::new(4096);
    for (key, points) in points.as_object().unwrap() {
        let (source, name) = key.split_once('.').unwrap();
        for point in points.as_array().unwrap() {
            let event = Event::new(at(point[0].as_str().unwrap()), "metric")
                .with(Column::Source, source)
                .with(Column::Name, name)
                .with(Column::Type, point[2].as_str().unwrap())
                .with(Column::Value, point[1].as_f64().unwrap());
            state.take(&event.to_line(), now());
        }
    }
    for (seconds, text) in [
        (60, include_str!("data/summary/expected_summary_60.json")),
        (300, include_str!("data/summary/expected_summary_300.json")),
        (
            3600,
            include_str!("data/summary/expected_summary_3600.json"),
        ),
    ] {
        let summary: Json = serde_json::from_str(text).unwrap();
        let mut checked = 0;
        for (source, metrics) in summary["sources"].as_object().unwrap() {
            for metric in metrics.as_object().unwrap().values() {
                let name = metric["name"].as_str().unwrap();
                let length = Duration::from_secs(seconds);
                let found = state
                    .reading(Family::Metric, source, name, length, now())
                    .expect("a metric");
                assert_eq!(found.kind.as_deref(), metric["type"].as_str(), "{name}");
                same_as_seed(name, &found.window.expect("a window"), &metric["stats"]);
                checked += 1;
            }
        }
        assert_eq!(checked, 4);
    }
}

/// What the values of a window are, worked out plainly.
struct Plain {
    values: Vec<f64>,
    sorted: Vec<f64>,
}

impl Plain {
    fn of(events: &[(f64, f64)], from: f64) -> Self {
        let inside = events.iter().filter(|(ago, _)| *ago <= from);
        let values: Vec<f64> = inside.map(|(_, value)| *value).collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        Self { values, sorted }
    }

    fn quantile(&self, fraction: f64) -> (f64, f64) {
        let position = fraction * (self.sorted.len() - 1) as f64;
        let low = self.sorted[position.floor() as usize];
        let high = self.sorted[position.ceil() as usize];
        (low, high)
    }

    fn check(&self, what: &str, found: &Stats) {
        let count = self.values.len() as f64;
        assert_eq!(found.count as f64, count, "{what}");
        let sum: f64 = self.values.iter().sum();
        let mean = sum / count;
        let squares: f64 = self.values.iter().map(|v| (v - mean).powi(2)).sum();
        close(&format!("{what} sum"), found.sum, sum, 1e-9);
        close(&format!("{what} avg"), found.avg, mean, 1e-9);
        close(
            &format!("{what} std"),
            found.std,
            (squares / count).sqrt(),
            1e-6,
        );
        assert_eq!(found.min, self.sorted[0], "{what}");
        assert_eq!(found.max, self.sorted[self.sorted.len() - 1], "{what}");
        for (fraction, value) in [(0.5, found.p50), (0.95, found.p95), (0.99, found.p99)] {
            let (low, high) = self.quantile(fraction);
            let slack = |edge: f64| found.relative_error * edge.abs() + 1e-12;
            assert!(
                value >= low - slack(low) && value <= high + slack(high),
                "{what} p{fraction}: {value} is not in {low}..{high}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Windows of a minute to an hour, whatever order events come in. It is
    /// noon, so that slots of every length lie either in a window or before it.
    #[test]
    fn windows_equal_a_plain_recomputation(
        told in prop::collection::vec(event(), 1..4000),
        order in any::<u64>(),
    ) {
        let mut arrivals: Vec<usize> = (0..told.len()).collect();
        arrivals.sort_by_key(|at| match order % 3 {
            0 => -(told[*at].0 * 1e3) as i64,
            1 => (told[*at].0 * 1e3) as i64,
            _ => (*at as i64).wrapping_mul(order as i64 | 1) % 1009,
        });
        let mut state = State::new(64);
        for at in arrivals {
            let (ago, value) = told[at];
            state.take(&metric(seconds_ago(ago), "m", value).to_line(), now());
        }
        for minutes in [1_u32, 2, 5, 15, 30, 60] {
            let from = f64::from(minutes) * 60.0;
            let plain = Plain::of(&told, from);
            let found = window(&state, "m", Duration::from_secs_f64(from));
            prop_assert_eq!(found.is_some(), !plain.values.is_empty(), "{}", minutes);
            if let Some(found) = found {
                plain.check(&format!("{minutes} min"), &found);
            }
        }
        let totals = reading(&state, "m", HOUR).expect("is there").totals;
        prop_assert_eq!(totals.values, told.len() as u64);
    }
}

/// How many seconds ago, and what value.
fn event() -> impl Strategy<Value = (f64, f64)> {
    let value = (-6.0..9.0_f64, any::<bool>());
    let value = value.prop_map(|(log, below)| 10_f64.powf(log) * if below { -1.0 } else { 1.0 });
    // As many in the last minutes as before.
    let ago = prop_oneof![0.001..200.0_f64, 0.001..3600.0_f64];
    (ago, value)
}

/// Each line, what it does to the counts of events and of unreadable lines, and
/// the windows' count of it afterwards.
#[test]
fn what_cannot_be_in_a_window_is_counted_and_spoils_nothing() {
    let far = |seconds: f64| metric(seconds_ago(seconds), "m", 7.0).to_line();
    let with = |value: &str| {
        let line = String::from_utf8(metric(now(), "m", 7.0).to_line()).unwrap();
        line.replace("7.0", value).into_bytes()
    };
    for (what, line, in_window, out_of_reach, unreadable) in [
        ("in order", far(1.0), 1, 0, 0),
        ("late", far(3599.0), 1, 0, 0),
        ("later than that", far(3800.0), 0, 1, 0),
        ("of last year", far(4e7), 0, 1, 0),
        ("ahead, as of a skewed clock", far(-3000.0), 1, 0, 0),
        ("a day ahead", far(-86_400.0), 0, 1, 0),
        ("NaN", with("NaN"), 0, 0, 0),
        ("infinite", with("1e999"), 0, 0, 0),
        ("a text for a number", with("\"7\""), 0, 0, 0),
        ("no event", b"{\"a\":1}\n".to_vec(), 0, 0, 1),
        ("no JSON", b"\xff\x00{{{\n".to_vec(), 0, 0, 1),
        ("empty lines", b"\n\n \r\n".to_vec(), 0, 0, 0),
    ] {
        let mut state = State::new(64);
        // Something newer is there already, and something good follows.
        state.take(&metric(now(), "m", 1.0).to_line(), now());
        state.take(&line, now());
        state.take(&metric(now(), "m", 2.0).to_line(), now());
        let overview = state.overview(now());
        assert_eq!(overview.out_of_reach, out_of_reach, "{what}");
        assert_eq!(overview.unreadable, unreadable, "{what}");
        let found = window(&state, "m", HOUR).expect("a window");
        assert_eq!(found.count, 2 + in_window, "{what}");
        assert_eq!(found.latest, 2.0, "{what}");
        assert!(found.sum.is_finite(), "{what}");
    }
}

#[test]
fn values_at_the_ends_of_what_a_double_holds_stay_numbers() {
    let mut events = Vec::new();
    for at in 0..3000 {
        let value = [f64::MAX, f64::MIN, 5e-324, 0.0, -1.0][at % 5];
        events.push(metric(seconds_ago(at as f64), "m", value));
    }
    let state = taken(&events);
    for length in [60, 3600] {
        let found = window(&state, "m", Duration::from_secs(length)).expect("a window");
        let figures = [
            found.sum, found.avg, found.std, found.p50, found.p95, found.p99,
        ];
        assert!(figures.iter().all(|figure| figure.is_finite()), "{found:?}");
        assert_eq!((found.min, found.max), (f64::MIN, f64::MAX));
    }
}

#[test]
fn a_mean_of_many_counts_as_many() {
    let mut state = State::new(64);
    for (value, count) in [(10.0, 3_i64), (20.0, 1), (40.0, 0)] {
        let event = metric(now(), "m", value).with(Column::Count, count);
        state.take(&event.to_line(), now());
    }
    let found = window(&state, "m", HOUR).expect("a window");
    // A count of none is taken for one: the value was measured.
    assert_eq!((found.count, found.sum), (5, 90.0));
    assert_eq!((found.min, found.max), (10.0, 40.0));
}

#[test]
fn rates_and_changes_are_per_second() {
    let events: Vec<Event> = (0..60)
        .map(|at| {
            metric(
                seconds_ago(59.0 - f64::from(at)),
                "m",
                100.0 - 2.0 * f64::from(at),
            )
        })
        .collect();
    let state = taken(&events);
    let found = window(&state, "m", Duration::from_secs(60)).expect("a window");
    assert_eq!((found.rate, found.change_per_second), (1.0, Some(-2.0)));
    let one = taken(&events[..1]);
    let found = window(&one, "m", Duration::from_secs(60)).expect("a window");
    assert_eq!(found.change_per_second, None, "one point is no change");
}

#[test]
fn what_tells_no_value_happened_all_the_same() {
    let call = |ago: f64, ms: Option<f64>, success: bool| {
        let call = Event::new(seconds_ago(ago), "tool_call")
            .with(Column::Name, "t")
            .with(Column::Success, success);
        match ms {
            Some(ms) => call.with(Column::DurationMs, ms),
            None => call,
        }
    };
    let minute = Duration::from_secs(60);
    let check = |what: &str, calls: &[Event], wanted: Option<(u64, u64, u64)>| {
        let state = taken(calls);
        let found = state.reading(Family::Tool, "", "t", minute, now());
        let found = found.expect("it was called");
        let values = found.window.map_or(0, |window| window.count);
        let happened = found.happened.map(|it| (it.count, it.failed, values));
        assert_eq!(happened, wanted, "{what}");
    };
    check("one", &[call(5.0, None, false)], Some((1, 1, 0)));
    let two = [call(5.0, None, false), call(4.0, Some(3.0), true)];
    check("one of two", &two, Some((2, 1, 1)));
    check("long ago", &[call(61.0, None, true)], None);
    let gone = [call(61.0, Some(1.0), true), call(5.0, None, true)];
    check("the value is gone", &gone, Some((1, 0, 0)));
    let many: Vec<Event> = (0..3000)
        .map(|at| {
            call(
                f64::from(at) / 60.0,
                (at % 3 == 0).then_some(1.0),
                at % 2 == 0,
            )
        })
        .collect();
    check("many", &many, Some((3000, 1500, 1000)));
    // They grow old as all do.
    let old: Vec<Event> = (0..3500)
        .map(|at| call(f64::from(at), None, true))
        .collect();
    let state = taken(&old);
    for seconds in [10_u64, 60, 300, 1800] {
        let length = Duration::from_secs(seconds);
        let found = state.reading(Family::Tool, "", "t", length, now());
        let found = found.expect("it was called").happened.expect("it was");
        let wanted = seconds as f64 + 1.0;
        assert!(
            (found.count as f64 - wanted).abs() <= 30.0,
            "{seconds}: {found:?}"
        );
    }
    // What measures nothing is no measurement, and an eviction no look-up.
    let odd = [
        Event::new(now(), "metric")
            .with(Column::Source, "agent")
            .with(Column::Name, "m"),
        Event::new(now(), "cache")
            .with(Column::Name, "c")
            .with(Column::Status, "eviction"),
    ];
    let state = taken(&odd);
    for (family, source, name) in [(Family::Metric, "agent", "m"), (Family::Cache, "", "c")] {
        let found = state.reading(family, source, name, minute, now());
        let found = found.expect("it is known");
        assert_eq!((found.happened, found.window), (None, None), "{family:?}");
    }
}

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

/// A follower's home, and live state on it.
struct Followed {
    _folder: tempfile::TempDir,
    home: Home,
    log: Appender,
    live: std::sync::Arc<Live>,
}

impl Followed {
    /// With so many calls in the log before, rotated after each.
    fn after(past: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let log = Appender::new(&home);
        for _ in 0..past {
            log.append(&tool(UnixNanos::now(), "t", 1.0).to_line())
                .unwrap();
            log.lock().unwrap().rotate().unwrap();
        }
        let live = Live::start(&home, &Limits::default()).unwrap();
        Self {
            _folder: folder,
            home,
            log,
            live,
        }
    }

    fn append(&self) {
        let line = tool(UnixNanos::now(), "t", 1.0).to_line();
        self.log.append(&line).unwrap();
    }

    /// Waits until so many events have been read, and looks that they stay so
    /// many.
    #[track_caller]
    fn read(&self, events: u64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.live.overview().events < events && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(self.live.overview().events, events);
    }
}

#[test]
fn what_any_process_records_shows_up_across_rotation_sealing_and_deletion() {
    let at = Followed::after(0);
    at.append();
    at.read(1);
    // Rotated, and sealed away before it is read to its end.
    at.append();
    let rotated = at.log.lock().unwrap().rotate().unwrap().unwrap();
    at.append();
    at.read(3);
    std::fs::remove_file(rotated).unwrap();
    at.append();
    at.read(4);
    at.log.lock().unwrap().rotate().unwrap();
    std::fs::remove_file(at.home.log()).ok();
    at.append();
    at.read(5);
    // Deleted under the server; what was rotated before must not come again.
    std::fs::remove_file(at.home.log()).unwrap();
    at.append();
    at.read(6);
    let reading = at
        .live
        .reading(Family::Tool, "", "t", HOUR)
        .expect("a tool");
    assert_eq!(reading.window.expect("calls").count, 6);
    assert_eq!(reading.since_start.events, 6);
}

#[test]
fn the_past_is_read_in_but_no_counter_has_it() {
    let at = Followed::after(3);
    at.append();
    at.read(4);
    let overview = at.live.overview();
    assert!(overview.settled);
    assert_eq!(overview.events_since_start, 1);
    let reading = at
        .live
        .reading(Family::Tool, "", "t", HOUR)
        .expect("a tool");
    assert_eq!(reading.window.expect("calls").count, 4);
    assert_eq!((reading.totals.events, reading.since_start.events), (4, 1));
    assert_eq!(reading.since_start.buckets.iter().sum::<u64>(), 1);
}

#[test]
fn changes_are_told_and_the_thread_ends() {
    let at = Followed::after(0);
    let mut changes = at.live.changes();
    let before = *changes.borrow_and_update();
    at.append();
    at.live.wake();
    at.read(1);
    assert!(changes.has_changed().unwrap());
    assert!(*changes.borrow() > before);
    assert!(at.live.overview().lag < Duration::from_secs(5));
    let began = Instant::now();
    at.live.stop();
    assert!(began.elapsed() < Duration::from_secs(2));
    at.append();
    at.read(1);
}

/// Says what was sealed, whatever it is asked.
struct Sealing {
    lines: Vec<u8>,
    sealed: Sealed,
}

impl Answerer for Sealing {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        let question = question.name();
        Err(AskError::Mismatch { question })
    }

    fn sealed_since(
        &self,
        since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        let hour = UnixNanos::now().saturating_sub(HOUR);
        assert!(since.0.abs_diff(hour.0) < 5_000_000_000, "{since}");
        let mut slices = self.lines.split_inclusive(|byte| *byte == b'\n');
        assert!(slices.all(take));
        Ok(self.sealed.clone())
    }
}

/// Reads without end until nobody wants it any more.
struct Endless;

impl Answerer for Endless {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        let question = question.name();
        Err(AskError::Mismatch { question })
    }

    fn sealed_since(
        &self,
        _since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        while take(b"") {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Sealed::default())
    }
}

#[test]
fn who_leaves_does_not_wait_for_what_was_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let live = Live::start_after(&home, &Limits::default(), Arc::new(Endless)).unwrap();
    assert!(!live.overview().settled);
    let (done, stopped) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        live.stop();
        done.send(()).unwrap();
    });
    stopped.recv_timeout(Duration::from_secs(5)).unwrap();
}

/// After `tacho compact`, say: the last hour is in no log any more.
#[test]
fn what_was_sealed_of_the_last_hour_is_past_and_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let log = Appender::new(&home);
    let call = |name: &str| tool(UnixNanos::now().saturating_sub(HOUR / 2), name, 4.0).to_line();
    // Sealed, but not deleted yet; one by its name, one as the file that it is.
    let mut logs = Vec::new();
    for _ in 0..2 {
        log.append(&call("sealed")).unwrap();
        let rotated = log.lock().unwrap().rotate().unwrap().unwrap();
        let name = rotated.file_name().unwrap().to_string_lossy().into_owned();
        let files = home.files().unwrap().files;
        let file = files.iter().find(|file| file.path == rotated).unwrap();
        let (inode, born) = (file.id.inode, file.id.born);
        logs.push(SealedLog { name, inode, born });
    }
    logs[1].inode = 0;
    if logs[0].born != 0 {
        logs[0].name = "renamed.jsonl".to_owned();
    }
    log.append(&call("rotated")).unwrap();
    log.lock().unwrap().rotate().unwrap();
    log.append(&call("live")).unwrap();
    let cut_at = UnixNanos::now();
    let sealing = Sealing {
        lines: [call("sealed"), call("sealed")].concat(),
        sealed: Sealed {
            logs,
            cut_at: Some(cut_at),
            left_out: vec!["a segment".to_owned()],
        },
    };
    let live = Live::start_after(&home, &Limits::default(), Arc::new(sealing)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !live.overview().settled && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    log.append(&call("sealed")).unwrap();
    while live.overview().events < 5 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(60));
    let overview = live.overview();
    assert_eq!((overview.events, overview.events_since_start), (5, 1));
    assert_eq!(overview.failures, 1, "what could not be read is counted");
    let [segment, cut] = &*live.take_left_out() else {
        panic!("what is not read in is told, each once");
    };
    assert_eq!(segment, "a segment");
    assert!(cut.contains(&format!("before {cut_at}")), "{cut}");
    assert_eq!(live.take_left_out(), [""; 0]);
    for (name, calls) in [("sealed", 3), ("rotated", 1), ("live", 1)] {
        let reading = live.reading(Family::Tool, "", name, HOUR).expect(name);
        assert_eq!(reading.window.expect("calls").count, calls, "{name}");
        let new = u64::from(name == "sealed");
        assert_eq!(reading.since_start.events, new, "{name}");
    }
    live.stop();
}
