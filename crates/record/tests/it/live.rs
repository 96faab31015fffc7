//! Live windows: the third seed's conformance cases, and its defects.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tachograph::Recorder;

const CASES: [&str; 3] = [
    "01_scripted_sequence",
    "05_single_and_empty",
    "07_test_success_and_hit_rates",
];

fn windows_only() -> Recorder {
    Recorder::builder().build()
}

fn ms(value: f64) -> Duration {
    Duration::from_nanos((value * 1e6).round() as u64)
}

/// Keys and their order, counts, rates and roundings are the seed's; the
/// percentiles are the `inclusive` ones (type 7), as in the whole product.
#[test]
fn all_metrics_is_the_third_seed_s_json() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/live_windows");
    for case in CASES {
        let read = |file: &str| -> Value {
            let text = std::fs::read(folder.join(case).join(file)).expect("the case's file");
            serde_json::from_slice(&text).expect("JSON")
        };
        let operations = read("ops.json");
        let operations = operations.as_array().expect("a list");
        let recorder = windows_only();
        for operation in operations {
            replay(&recorder, operation);
        }
        let mut expected = read("expected.json");
        with_inclusive_percentiles(&mut expected, operations);
        with_caches_that_only_evict(&mut expected, operations);
        same(case, &recorder.all_metrics(), &expected);
    }
}

fn replay(recorder: &Recorder, operation: &Value) {
    let text = |at: usize| operation[at].as_str();
    let number = |at: usize| operation[at].as_u64().expect("a number");
    let name = text(1).unwrap_or_default();
    match text(0).expect("a call") {
        "record_tool_call" => recorder.record_tool_call(
            name,
            operation[2].as_bool().expect("a verdict"),
            ms(operation[3].as_f64().expect("a latency")),
            text(4),
        ),
        "record_cache_hit" => recorder.record_cache_hit(name),
        "record_cache_miss" => recorder.record_cache_miss(name),
        "record_cache_eviction" => recorder.record_cache_eviction(name),
        "record_cache_size_rejection" => recorder.record_cache_size_rejection(name),
        "set_active_sessions" => recorder.set_active_sessions(number(1)),
        "set_concurrent_requests" => recorder.set_concurrent_requests(number(1)),
        other => panic!("unknown call {other}"),
    }
}

/// `statistics.quantiles(samples, n=100, method="inclusive")`, term by term.
fn with_inclusive_percentiles(expected: &mut Value, operations: &[Value]) {
    let tools = expected["tool_metrics"].as_object_mut().expect("tools");
    for (tool, stats) in tools {
        let calls = operations
            .iter()
            .filter(|op| op[0] == "record_tool_call" && op[1] == tool.as_str());
        let mut samples: Vec<f64> = calls.filter_map(|op| op[3].as_f64()).collect();
        samples.sort_by(f64::total_cmp);
        for (key, i) in [("p50", 50), ("p95", 95), ("p99", 99)] {
            let m = samples.len() - 1;
            let (j, delta) = (i * m / 100, i * m % 100);
            let next = samples.get(j + 1).unwrap_or(&samples[j]);
            let value = (samples[j] * (100 - delta) as f64 + next * delta as f64) / 100.0;
            stats[format!("{key}_latency_ms")] = json!(value);
        }
    }
}

/// The seed drops what a cache evicts before its first look-up. Ours is there.
fn with_caches_that_only_evict(expected: &mut Value, operations: &[Value]) {
    for operation in operations {
        let key = match operation[0].as_str() {
            Some("record_cache_eviction") => "evictions",
            Some("record_cache_size_rejection") => "size_rejections",
            _ => continue,
        };
        let name = operation[1].as_str().expect("a cache");
        let looked_up = operations.iter().any(|op| {
            op[1] == name && (op[0] == "record_cache_hit" || op[0] == "record_cache_miss")
        });
        if looked_up {
            continue;
        }
        let caches = expected["cache_metrics"].as_object_mut().expect("caches");
        let cache = caches.entry(name).or_insert_with(|| {
            json!({"cache_name": name, "hits": 0, "misses": 0, "total_requests": 0, "hit_rate": 0.0, "evictions": 0, "size_rejections": 0})
        });
        cache[key] = json!(cache[key].as_u64().expect("a count") + 1);
    }
}

/// Same keys in the same order, numbers within half a hundredth (what two
/// roundings may differ by), `<…>` anything.
fn same(at: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            let keys: Vec<_> = found.keys().collect();
            assert_eq!(keys, expected.keys().collect::<Vec<_>>(), "{at}");
            for (key, value) in expected {
                same(&format!("{at}.{key}"), &found[key], value);
            }
        }
        (_, Value::String(any)) if any.starts_with('<') => {
            assert!(found.is_number(), "{at}: {found}");
        }
        (Value::Number(a), Value::Number(b)) => {
            assert_eq!(a.is_f64(), b.is_f64(), "{at}: {a} {b}");
            let (a, b) = (a.as_f64().expect("f64"), b.as_f64().expect("f64"));
            assert!((a - b).abs() <= 0.005 + 1e-9, "{at}: {a} is not {b}");
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

/// 3.4.1: all three percentiles are the median.
#[test]
fn percentiles_differ() {
    let recorder = windows_only();
    let tool = recorder.tool("t");
    for n in 1..=100 {
        tool.success(ms(f64::from(n)));
    }
    let stats = recorder.tool_metrics("t");
    let of = |key: &str| {
        stats[format!("{key}_latency_ms")]
            .as_f64()
            .expect("a number")
    };
    assert_eq!([of("p50"), of("p95"), of("p99")], [50.5, 95.05, 99.01]);
    assert_eq!([of("min"), of("max"), of("avg")], [1.0, 100.0, 50.5]);
}

/// 3.4.4: evictions of a cache nobody looked anything up in are not counted.
#[test]
fn a_cache_with_only_evictions_exists() {
    let recorder = windows_only();
    recorder.cache("lru").eviction();
    recorder.record_cache_size_rejection("lru");
    assert_eq!(
        recorder.cache_metrics("lru"),
        json!({"cache_name": "lru", "hits": 0, "misses": 0, "total_requests": 0, "hit_rate": 0.0, "evictions": 1, "size_rejections": 1})
    );
}

/// 3.4.6: names of tools and errors take memory without end.
#[test]
fn tool_names_are_bounded() {
    const LIMIT: usize = 200;
    const NAMES: usize = 5_000;
    let recorder = Recorder::builder()
        .max_names(LIMIT)
        .ring_bytes(4 << 20)
        .build();
    for n in 0..NAMES {
        recorder.record_tool_call(&format!("tool {n}"), true, ms(1.0), None);
    }
    let metrics = recorder.all_metrics();
    let tools = metrics["tool_metrics"].as_object().expect("tools");
    assert!(tools.len() <= LIMIT + 1, "{}", tools.len());
    let calls = |stats: &Value| stats["total_calls"].as_u64().expect("a count");
    let all: u64 = tools.values().map(calls).sum();
    assert_eq!(all, NAMES as u64, "none is lost, only its name");
    assert_eq!(calls(&tools["_other"]), (NAMES - (tools.len() - 1)) as u64);
    let losses = recorder.losses();
    assert!(
        losses.iter().any(|loss| loss.reason == "cardinality"),
        "{losses:?}"
    );
}

#[test]
fn error_types_are_bounded() {
    let recorder = windows_only();
    for n in 0..1_000 {
        recorder.record_tool_call("t", false, ms(1.0), Some(&format!("Error{n}")));
    }
    let stats = recorder.tool_metrics("t");
    let errors = stats["error_types"].as_object().expect("errors");
    assert!(errors.len() <= 65, "{}", errors.len());
    assert_eq!(
        errors.values().filter_map(Value::as_u64).sum::<u64>(),
        1_000
    );
}

/// 3.4.3: everything is lost at a restart. Here the log has it.
#[test]
fn what_the_windows_show_is_in_the_log() {
    let lab = crate::lab::Lab::new();
    let tool = lab.recorder.tool("t");
    for _ in 0..50 {
        tool.success(ms(2.0));
    }
    assert_eq!(lab.recorder.tool_metrics("t")["total_calls"], 50);
    assert_eq!(lab.close().len(), 50);
}

#[test]
fn unknown_names_are_empty_objects() {
    let recorder = windows_only();
    assert_eq!(recorder.tool_metrics("nobody"), json!({}));
    assert_eq!(recorder.cache_metrics("nothing"), json!({}));
}

#[test]
fn a_window_holds_the_last_calls_and_totals_all() {
    let recorder = Recorder::builder().window(10).build();
    let tool = recorder.tool("t");
    for n in 1..=100 {
        tool.success(ms(f64::from(n)));
    }
    let stats = recorder.tool_metrics("t");
    assert_eq!(stats["min_latency_ms"], 91.0);
    assert_eq!(stats["max_latency_ms"], 100.0);
    assert_eq!(stats["avg_latency_ms"], 50.5);
    assert_eq!(stats["total_calls"], 100);
}

#[test]
fn resetting_empties_the_windows() {
    let recorder = windows_only();
    recorder.record_tool_call("t", true, ms(1.0), None);
    recorder.record_cache_hit("c");
    recorder.set_active_sessions(4);
    recorder.reset_metrics();
    let metrics = recorder.all_metrics();
    assert_eq!(metrics["tool_metrics"], json!({}));
    assert_eq!(metrics["cache_metrics"], json!({}));
    assert_eq!(metrics["system_metrics"]["active_sessions"], 0);
    assert_eq!(metrics["system_metrics"]["total_requests"], 0);
    recorder.record_tool_call("t", true, ms(1.0), None);
    assert_eq!(recorder.tool_metrics("t")["total_calls"], 1);
}

/// 3.4.5: a scrape stalls recorders under its one lock. Here recording goes on
/// while another thread asks without pause; bounds are for a busy machine.
#[test]
fn asking_and_recording_go_on_at_once() {
    let recorder = Recorder::builder().ring_bytes(4 << 20).build();
    let tools: Vec<_> = (0..100)
        .map(|n| recorder.tool(&format!("tool {n}")))
        .collect();
    for round in 0..1_000 {
        for tool in &tools {
            tool.success(Duration::from_micros(round));
        }
        if round % 50 == 0 {
            recorder.flush(Duration::from_secs(5));
        }
    }
    let done = std::sync::atomic::AtomicBool::new(false);
    let asked = std::thread::scope(|threads| {
        let asker = threads.spawn(|| {
            let mut asked = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let metrics = recorder.all_metrics();
                assert_eq!(
                    metrics["tool_metrics"].as_object().map(|t| t.len()),
                    Some(100)
                );
                asked += 1;
            }
            asked
        });
        for _ in 0..20_000 {
            tools[7].success(Duration::from_micros(5));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        asker.join().expect("no panic")
    });
    assert!(asked > 0);
}
