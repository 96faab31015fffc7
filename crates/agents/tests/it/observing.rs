//! What observers are told, counters, and the benchmark.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tachograph_agents::{Benchmark, BenchmarkError, Filter, Observation, Shelf, ShelfOptions};

use crate::support::{data, folder, open, real_index};

#[test]
fn every_operation_is_observed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let observer = move |o: &Observation<'_>| {
        let load = o
            .load
            .map(|load| (load.agent_id.to_owned(), load.bytes, load.tokens));
        sink.lock()
            .unwrap()
            .push((o.operation.as_str(), o.cache_hit, o.agent_count, load));
        assert!(o.duration > Duration::ZERO && o.duration < Duration::from_secs(5));
    };
    let options = ShelfOptions {
        observer: Some(Arc::new(observer)),
        ..ShelfOptions::default()
    };
    let shelf = Shelf::open(&data("agents/index.json"), options).unwrap();
    let id = "01-core-api-designer";
    let _ = shelf.list(&Filter {
        category: "core",
        ..Filter::default()
    });
    shelf.get(id).unwrap();
    shelf.get(id).unwrap();
    shelf.get("nope").unwrap_err();
    let _ = shelf.search("api");
    let _ = shelf.search_substring("python api");
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("list_agents", None, 11, None),
            (
                "get_agent",
                Some(false),
                1,
                Some((id.to_owned(), 6444, 1611))
            ),
            ("get_agent", Some(true), 1, None),
            ("get_agent", Some(false), 0, None),
            ("search", None, 19, None),
            ("search", None, 0, None),
        ]
    );
}

#[test]
fn the_observers_time_is_its_own() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let observer = move |o: &Observation<'_>| {
        std::thread::sleep(Duration::from_millis(80));
        sink.lock().unwrap().push(o.duration);
    };
    let options = ShelfOptions {
        observer: Some(Arc::new(observer)),
        ..ShelfOptions::default()
    };
    let shelf = Shelf::open(&data("agents/index.json"), options).unwrap();
    let _ = shelf.list(&Filter::default());
    assert!(seen.lock().unwrap()[0] < Duration::from_millis(80));
}

#[test]
fn counters_follow_the_look_ups() {
    let shelf = real_index();
    let all = shelf.list(&Filter::default());
    for agent in &all[..60] {
        shelf.get(&agent.id).unwrap();
    }
    shelf.get(&all[59].id).unwrap();
    shelf.get("nope").unwrap_err();
    let stats = shelf.stats();
    assert_eq!(stats.cache.size, 50);
    assert_eq!((stats.cache.evictions, stats.cache.puts), (10, 60));
    assert_eq!((stats.cache.hits, stats.cache.misses), (1, 61));
    assert_eq!((stats.file_reads, stats.total_lookups), (60, 62));
    assert!((stats.cache_hit_rate - 100.0 / 62.0).abs() < 1e-9);
    shelf.clear_cache();
    let stats = shelf.stats();
    assert_eq!(
        (stats.cache.hits, stats.cache.size, stats.cache.evictions),
        (0, 0, 10)
    );
    assert!(stats.cache_hit_rate.abs() < f64::EPSILON);
}

#[test]
fn cached_agents_are_shared() {
    let shelf = real_index();
    let first = shelf.get("01-core-api-designer").unwrap();
    let second = shelf.get("01-core-api-designer").unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn many_threads_share_one_shelf() {
    let shelf = real_index();
    let all = shelf.list(&Filter::default());
    std::thread::scope(|threads| {
        for shift in 0..4 {
            let (shelf, all) = (&shelf, &all);
            threads.spawn(move || {
                for place in 0..all.len() {
                    let id = &all[(place + shift * 30) % all.len()].id;
                    assert_eq!(shelf.get(id).unwrap().entry.id, *id);
                }
            });
        }
    });
    let stats = shelf.stats();
    assert_eq!(stats.total_lookups, 480);
    assert_eq!(stats.cache.hits + stats.cache.misses, 480);
    assert_eq!(stats.cache.size, 50);
}

#[test]
fn the_benchmark_prints_the_originals_shape() {
    let measured = Benchmark {
        agent_count: 120,
        list_all: Duration::from_micros(1234),
        get_first: Duration::from_millis(5),
        get_cached: Duration::from_micros(6),
        search: Duration::from_micros(50),
        search_results: 19,
        filter_category: Duration::from_micros(44),
        filter_results: 11,
        cache_hit_rate: 50.0,
        file_reads: 1,
    };
    assert!(!measured.passed());
    assert_eq!(
        measured.render(),
        "=== Agent Discovery Performance Benchmarks ===

Agent count:         120

Performance:
  List all agents:   1.23ms
  Get agent (first): 5.00ms
  Get agent (cached):0.01ms
  Search 'api':      0.05ms (19 results)
  Filter category:   0.04ms (11 agents)

Cache statistics:
  Cache hit rate:    50.0%
  File reads:        1

=== Target Validation ===

list_all_agents_ms       :   1.23ms < 20ms  ✅ PASS
get_agent_first_ms       :   5.00ms < 5ms  ❌ FAIL
get_agent_cached_ms      :   0.01ms < 1ms  ✅ PASS
search_ms                :   0.05ms < 10ms  ✅ PASS
filter_category_ms       :   0.04ms < 5ms  ✅ PASS

Some targets missed. Optimization needed.
"
    );
    let quick = Benchmark {
        get_first: Duration::from_millis(4),
        ..measured
    };
    assert!(
        quick
            .render()
            .ends_with("\n\nAll performance targets met! 🎉\n")
    );
}

#[test]
fn the_benchmark_measures_a_real_shelf() {
    let shelf = real_index();
    shelf.get("01-core-api-designer").unwrap();
    let measured = Benchmark::run(&shelf).unwrap();
    assert_eq!(
        (
            measured.agent_count,
            measured.search_results,
            measured.filter_results
        ),
        (120, 19, 11)
    );
    assert_eq!(measured.file_reads, 1);
    assert!((measured.cache_hit_rate - 50.0).abs() < 1e-9);

    let empty = folder(&[("index.json", "{\"agents\": []}")]);
    assert!(matches!(
        Benchmark::run(&open(empty.path())),
        Err(BenchmarkError::NoAgents)
    ));
}
