//! Queries: the fifth seed's calls, and the defects of its recorder
//! (numbers refer to the list of them).

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tachograph::{QueryId, complexity_score, select_agent};

use crate::lab::{Lab, without_time};

#[test]
fn a_query_from_question_to_answer() {
    let lab = Lab::new();
    let query = lab.recorder.query("crewai");
    let text = "show customers and list their bills";
    query.text(text);
    let chosen = select_agent(text);
    query.selection(chosen.agent, complexity_score(text), chosen.reason);
    query.tool_call();
    query.tool_call_named("graphql");
    query.tool_call_named("graphql");
    query.tool_call_named("format");
    query.graphql_query();
    query.entities(&["customers", "bills"]);
    query.entities(&["bills"]);
    query.finish_ok(2_048);
    query.finish_err("TooLate"); // only the first ending counts
    let id = query.id();
    drop(query);

    let mut written = lab.one("query");
    let took = written["duration_ms"].take();
    assert!(
        took.as_f64()
            .is_some_and(|ms| (0.0..20_000.0).contains(&ms))
    );
    assert_eq!(
        written,
        json!({"event_type": "query", "query_id": id, "agent_type": "crewai", "duration_ms": null, "success": true, "status": "completed", "result_size_bytes": 2048, "tool_calls": 4, "graphql_queries": 1, "entities_detected": ["customers", "bills"], "complexity_score": complexity_score(text)})
    );
    assert_eq!(
        lab.one("agent_selection"),
        json!({"event_type": "agent_selection", "query_id": id, "selected_agent": "crewai", "complexity_score": complexity_score(text), "selection_reason": "and_list"})
    );
    let tools: Vec<_> = lab.of("tool_usage").iter().map(without_time).collect();
    assert_eq!(
        tools,
        [
            json!({"event_type": "tool_usage", "query_id": id, "tool_name": "graphql", "tool_calls_count": 2}),
            json!({"event_type": "tool_usage", "query_id": id, "tool_name": "format", "tool_calls_count": 1}),
        ]
    );
}

/// 5.5.2: one "current query" per process loses the outer one.
#[test]
fn nested_queries_keep_apart() {
    let lab = Lab::new();
    let outer = lab.recorder.query("selector");
    outer.tool_call();
    let inner = outer.query("crewai");
    inner.tool_call();
    inner.tool_call();
    inner.finish_err("TimeoutError");
    outer.tool_call();
    outer.finish_ok(10);
    let found = lab.of("query");
    let [first, second] = found.as_slice() else {
        panic!("two queries: {found:?}");
    };
    assert_eq!(first["agent_type"], "crewai");
    assert_eq!(first["parent_id"], outer.id());
    assert_eq!(first["tool_calls"], 2);
    assert_eq!(first["error_type"], "TimeoutError");
    assert_eq!(second["agent_type"], "selector");
    assert_eq!(second["query_id"], outer.id());
    assert_eq!(second["tool_calls"], 2);
    assert_eq!(second.get("parent_id"), None);
}

/// 5.5.2: four threads keep 200 of 800.
#[test]
fn four_threads_lose_no_query() {
    const EACH: usize = 200;
    let lab = Lab::new();
    let start = Barrier::new(4);
    std::thread::scope(|threads| {
        for thread in 0..4_usize {
            let (recorder, start) = (&lab.recorder, &start);
            threads.spawn(move || {
                start.wait();
                for number in 0..EACH {
                    let query = recorder.query("simple");
                    for _ in 0..thread {
                        query.tool_call();
                    }
                    query.finish_ok(number as u64);
                }
            });
        }
    });
    let found = lab.of("query");
    assert_eq!(found.len(), 4 * EACH);
    for thread in 0..4 {
        let of = found.iter().filter(|query| query["tool_calls"] == thread);
        let mut sizes: Vec<_> = of.map(|q| q["result_size_bytes"].as_u64()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, (0..EACH as u64).map(Some).collect::<Vec<_>>());
    }
    let ids: std::collections::HashSet<_> = found
        .iter()
        .map(|query| query["query_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 4 * EACH);
}

#[test]
fn a_query_may_be_shared_by_threads() {
    let lab = Lab::new();
    let query = Arc::new(lab.recorder.query("crewai"));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            let query = Arc::clone(&query);
            threads.spawn(move || {
                for _ in 0..1_000 {
                    query.tool_call_named("search");
                    query.graphql_query();
                }
            });
        }
    });
    query.finish_ok(0);
    let written = lab.one("query");
    assert_eq!(written["tool_calls"], 4_000);
    assert_eq!(written["graphql_queries"], 4_000);
    assert_eq!(lab.one("tool_usage")["tool_calls_count"], 4_000);
}

/// 5.5.8: queries in flight are lost at exit.
#[test]
fn unfinished_query_is_recorded_as_abandoned() {
    let lab = Lab::new();
    drop(lab.recorder.query("dropped"));
    let panicked = std::thread::scope(|threads| {
        let worker = threads.spawn(|| {
            let _query = lab.recorder.query("panicked");
            panic!("on purpose");
        });
        worker.join()
    });
    assert!(panicked.is_err());
    let kept = lab.recorder.start_query("text", "kept");
    lab.recorder.record_query_tool_call(kept);

    let found = lab.close();
    let of = |agent: &str| {
        let mut all = found.iter().filter(|query| query["agent_type"] == agent);
        let one = all
            .next()
            .unwrap_or_else(|| panic!("{agent} is there: {found:?}"));
        assert_eq!(one["status"], "abandoned");
        one
    };
    assert_eq!(of("dropped").get("success"), None);
    assert_eq!(
        (&of("panicked")["success"], &of("panicked")["error_type"]),
        (&json!(false), &json!("panic"))
    );
    assert_eq!(of("kept")["tool_calls"], 1);
    assert_eq!(found.len(), 3);
}

#[test]
fn a_query_may_be_kept_by_its_identifier() {
    let lab = Lab::new();
    let r = &lab.recorder;
    let id = r.start_query("compare payments versus bills", "crewai");
    let again: QueryId = id.to_string().parse().expect("its own text");
    assert_eq!(again, id);
    r.record_agent_selection(id, "crewai", 0.45, "comparison");
    r.record_query_tool_call(id);
    r.record_graphql_query(id);
    r.record_entities_detected(id, &["payments"]);
    assert!(r.finish_query(id, false, Some("TimeoutError"), 0));
    assert!(!r.finish_query(id, true, None, 0), "it is finished");
    let written = lab.one("query");
    assert_eq!(written["query_id"], id.to_string());
    assert_eq!(written["error_type"], "TimeoutError");
    assert_eq!(
        (&written["tool_calls"], &written["graphql_queries"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(written["entities_detected"], json!(["payments"]));
    assert_eq!(written["complexity_score"], 0.45);
    assert_eq!(written.get("query_text"), None);
}

/// 5.5.7: the decorator samples twice, and unsampled nested calls vanish.
#[test]
fn sampling_is_applied_once() {
    const QUERIES: usize = 4_000;
    let lab = Lab::with(|builder| builder.sampling_rate(0.5).ring_bytes(4 << 20));
    for _ in 0..QUERIES {
        let outer = lab.recorder.query("outer");
        let by_hand = outer.query("inner");
        assert_eq!(by_hand.is_recorded(), outer.is_recorded());
        by_hand.finish_ok(0);
        let entered = outer.enter();
        let by_thread = lab.recorder.query("inner");
        assert_eq!(by_thread.is_recorded(), outer.is_recorded());
        by_thread.finish_ok(0);
        drop(entered);
        outer.finish_ok(0);
    }
    let found = lab.of("query");
    let outer = found.iter().filter(|q| q["agent_type"] == "outer").count();
    let inner = found.iter().filter(|q| q["agent_type"] == "inner").count();
    assert_eq!(inner, 2 * outer);
    // Half, not a quarter: 5 standard deviations are 158.
    assert!(outer.abs_diff(QUERIES / 2) < 160, "{outer} of {QUERIES}");
}

#[test]
fn none_or_all_are_sampled_at_the_ends() {
    for (rate, expected) in [(0.0, 0), (1.0, 100)] {
        let lab = Lab::with(|builder| builder.sampling_rate(rate));
        for _ in 0..100 {
            lab.recorder.query("simple").finish_ok(0);
        }
        assert_eq!(lab.of("query").len(), expected);
    }
}

/// 5.5.1: finishing takes time in proportion to what is stored. Here: 100 000
/// are stored between two measurements of the same work.
#[test]
fn finishing_does_not_slow_down() {
    let lab = Lab::with(|builder| builder.ring_bytes(4 << 20));
    let round = || {
        let start = Instant::now();
        for _ in 0..1_000 {
            lab.recorder.query("simple").finish_ok(1);
        }
        start.elapsed()
    };
    let best = |rounds: usize| (0..rounds).map(|_| round()).min().expect("some");
    let before = best(5);
    for _ in 0..100 {
        round();
        lab.recorder.flush(Duration::from_secs(5));
    }
    let after = best(5);
    // Linear cost would be a hundred times as much; noise is not fifty.
    assert!(after < before * 50, "{before:?} before, {after:?} after");
}

/// 5.5.4: text and messages are stored raw.
#[test]
fn no_text_of_a_query_is_stored() {
    let lab = Lab::new();
    let query = lab.recorder.query("simple");
    query.text("show the bills of Ada Lovelace");
    query.finish(&"Ada's data".parse::<u8>(), 0);
    let id = lab.recorder.start_query("bills of Ada", "simple");
    lab.recorder.finish_query(id, true, None, 1);
    let found = lab.of("query");
    assert_eq!(found[0]["error_type"], "ParseIntError");
    for query in found {
        assert!(!query.to_string().contains("Ada"), "{query}");
        assert_ne!(query["complexity_score"], Value::Null);
    }
}
