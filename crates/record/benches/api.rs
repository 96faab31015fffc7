//! What recording costs through the public calls, with rivals and a naive twin
//! in the same run: `cargo bench -p tachograph --bench api`.
//!
//! Prints one table row per question: what, asked, measured, twin, ratio.
//! Batches of calls are timed; between them, untimed, the drain catches up (and
//! the rivals' buffers are emptied), so that a batch meets a ring with room, as
//! in a program that does something else between its calls. A figure is the
//! median over the batches of nanoseconds per call.

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use metrics_util::registry::Registry;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use tachograph::__benches::{now, success_at};
use tachograph::{Recorder, error_type_of};

/// Calls in a batch: well within a ring of the default size.
const BATCH: u32 = 500;
const BATCHES: usize = 400;
const PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    // First, while the process is small.
    memory();
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    println!("| what | asked | measured | twin | ratio |");
    println!("|---|---|---|---|---|");
    recording(&recorder);
    recorder.flush(PATIENCE);
    queries(&recorder);
    live();
    assert_eq!(recorder.losses(), [], "the batches fit");
    let queries = lines(folder.path(), r#""event_type":"query""#);
    assert_eq!(
        queries,
        1_000_000 + BATCHES as u64 * u64::from(BATCH),
        "all are in the log"
    );
}

/// Lines of all the files of the log that contain a text.
fn lines(home: &std::path::Path, text: &str) -> u64 {
    let files = fs::read_dir(home).expect("a home").flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().ends_with(".jsonl"));
    logs.map(|file| {
        let log = fs::read_to_string(file.path()).expect("a log");
        log.lines().filter(|line| line.contains(text)).count() as u64
    })
    .sum()
}

fn recording(recorder: &Recorder) {
    let flush = || {
        recorder.flush(PATIENCE);
    };
    let search = recorder.tool("search");
    let ours = per_call(flush, |n| search.success(Duration::from_nanos(n.into())));

    let naive = Mutex::new(HashMap::<String, Vec<f64>>::new());
    let twin = per_call(
        || naive.lock().expect("not poisoned").clear(),
        |n| {
            let mut tools = naive.lock().expect("not poisoned");
            let samples = tools.entry("search".to_owned()).or_default();
            samples.push(f64::from(n));
        },
    );
    row(
        "tool call through a handle, twin: map of vectors, not durable",
        "≤ 60 ns",
        ours,
        twin,
    );

    let registry = Registry::<metrics::Key, _>::atomic();
    let key = metrics::Key::from_name("latency");
    let bucket = registry.get_or_create_histogram(&key, Arc::clone);
    let histogram = metrics::Histogram::from_arc(Arc::clone(&bucket));
    let twin = per_call(|| bucket.clear(), |n| histogram.record(f64::from(n)));
    row(
        "same, twin: `metrics` 0.24 histogram",
        "no slower",
        ours,
        twin,
    );

    // A `metrics` histogram keeps no time; this is what ours costs without.
    let timeless = per_call(flush, |n| {
        success_at(&search, Duration::from_nanos(n.into()), i64::from(n));
    });
    row(
        "same at a given time, twin: `metrics` 0.24 histogram",
        "-",
        timeless,
        twin,
    );
    let stamp = per_call(
        || {},
        |_| {
            black_box(now());
        },
    );
    row(
        "same, twin: its reading of the clock alone",
        "-",
        ours,
        stamp,
    );

    let provider = SdkMeterProvider::builder()
        .with_reader(ManualReader::default())
        .build();
    let histogram = provider.meter("bench").f64_histogram("latency").build();
    let attributes = [KeyValue::new("tool", "search")];
    let twin = per_call(|| {}, |n| histogram.record(f64::from(n), &attributes));
    row(
        "same, twin: `opentelemetry_sdk` histogram",
        "no slower",
        ours,
        twin,
    );
    let bound = histogram.bind(&attributes);
    let twin = per_call(|| {}, |n| bound.record(f64::from(n)));
    row(
        "same, twin: `opentelemetry_sdk` bound histogram",
        "no slower",
        ours,
        twin,
    );

    let disabled = Recorder::disabled().tool("search");
    let none = per_call(
        || {},
        |n| black_box(&disabled).success(Duration::from_nanos(n.into())),
    );
    row("disabled", "≤ 2 ns", none, 0.0);

    let timed = per_call(flush, |n| {
        let timer = search.start();
        black_box(n);
        timer.ok();
    });
    let clocks = per_call(
        || {},
        |_| {
            let start = Instant::now();
            black_box(start.elapsed());
        },
    );
    row(
        "timer, twin: the two readings of `Instant` alone",
        "-",
        timed,
        clocks,
    );

    let one_shot = per_call(flush, |n| {
        recorder.record_tool_call("search", true, Duration::from_nanos(n.into()), None);
    });
    row(
        "tool call by name, twin: through a handle",
        "-",
        one_shot,
        ours,
    );
    let failed = per_call(flush, |n| {
        let error = error_type_of::<std::num::ParseIntError>();
        search.failure(Duration::from_nanos(n.into()), &error);
    });
    row(
        "failure named after its type, twin: a success",
        "-",
        failed,
        ours,
    );
    let cache = recorder.cache("pages");
    let hit = per_call(flush, |_| cache.hit());
    row("cache hit through a handle", "≤ 60 ns", hit, 0.0);
    let metric = recorder
        .metric("bench", "m", tachograph::MetricType::Gauge)
        .tag("k", "v");
    let gauge = per_call(flush, |n| metric.record(n.into()));
    row("metric with tags through a handle", "≤ 60 ns", gauge, 0.0);
    let span = per_call(flush, |_| recorder.span("step").ok());
    row("span from start to end", "-", span, 0.0);
}

/// Finishing a query, with none and with a million stored before.
fn queries(recorder: &Recorder) {
    let mut open = Vec::with_capacity(BATCH as usize);
    let finish = |open: &mut Vec<tachograph::Query>| {
        let mut batches = Vec::with_capacity(BATCHES);
        for _ in 0..BATCHES {
            open.extend((0..BATCH).map(|_| recorder.query("simple")));
            let start = Instant::now();
            for query in open.iter() {
                query.finish_ok(1_024);
            }
            batches.push(start.elapsed().as_nanos() as f64 / f64::from(BATCH));
            open.clear();
            recorder.flush(PATIENCE);
        }
        median(batches)
    };
    let empty = finish(&mut open);
    let stored = 1_000_000 - BATCHES as u32 * BATCH;
    for number in 0..stored {
        recorder.query("simple").finish_ok(u64::from(number));
        if number % 1_000 == 0 {
            recorder.flush(PATIENCE);
        }
    }
    let full = finish(&mut open);
    row(
        "finish a query, 1 M stored, twin: none stored",
        "≤ 200 ns, flat",
        full,
        empty,
    );
}

/// Asking for all figures of 100 tools of 1000 samples.
fn live() {
    let recorder = filled();
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let start = Instant::now();
            black_box(recorder.all_metrics());
            start.elapsed().as_nanos() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let twin = naive_metrics();
    row(
        "all metrics, 100 × 1000, twin: sort every window",
        "≤ 1 ms",
        times[times.len() / 2],
        twin,
    );
    println!(
        "all metrics, slowest of {}: {}",
        times.len(),
        show(times[times.len() - 1])
    );
}

/// A recorder of 100 tools with 1000 samples each, as windows in memory.
fn filled() -> Recorder {
    let recorder = Recorder::builder().build();
    let tools: Vec<_> = (0..100)
        .map(|n| recorder.tool(&format!("tool {n}")))
        .collect();
    let mut state = 7_u64;
    for round in 0..1_000 {
        for tool in &tools {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            tool.success(Duration::from_nanos(state >> 36));
        }
        if round % 10 == 9 {
            recorder.flush(PATIENCE);
        }
    }
    assert_eq!(recorder.losses(), [], "the batches fit");
    recorder
}

fn naive_metrics() -> f64 {
    let mut state = 7_u64;
    let mut value = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 36) as f64
    };
    let tools: Vec<Vec<f64>> = (0..100)
        .map(|_| (0..1_000).map(|_| value()).collect())
        .collect();
    let times = (0..20).map(|_| {
        let start = Instant::now();
        for samples in &tools {
            let mut sorted = samples.clone();
            sorted.sort_by(f64::total_cmp);
            black_box((sorted[500], sorted[950], sorted[990]));
        }
        start.elapsed().as_nanos() as f64
    });
    median(times.collect())
}

/// How much larger the process is with a filled recorder.
fn memory() {
    let before = resident();
    let recorder = filled();
    let after = resident();
    black_box(&recorder);
    println!("| what | asked | measured | twin | ratio |");
    println!("|---|---|---|---|---|");
    let windows = 100.0 * 1_000.0 * 8.0;
    println!(
        "| memory of a recorder, 100 × 1000, rings included, twin: the samples alone | ≤ 1.5 MB | {:.2} MB | {:.2} MB | {:.2} |",
        (after - before) / 1e6,
        windows / 1e6,
        (after - before) / windows
    );
}

/// Resident memory in bytes: private and shared pages, not files.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number.and_then(|text| text.parse().ok()).unwrap_or(0.0) * 1024.0
    };
    of("RssAnon:") + of("RssShmem:")
}

/// Nanoseconds per call: the median over batches; `between` is not timed.
fn per_call(between: impl Fn(), mut call: impl FnMut(u32)) -> f64 {
    let batches = (0..BATCHES).map(|_| {
        between();
        let start = Instant::now();
        for n in 0..BATCH {
            call(black_box(n));
        }
        start.elapsed().as_nanos() as f64 / f64::from(BATCH)
    });
    median(batches.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(what: &str, asked: &str, ours: f64, twin: f64) {
    let (twin, ratio) = match twin > 0.0 {
        true => (show(twin), format!("{:.2}", ours / twin)),
        false => ("-".to_owned(), "-".to_owned()),
    };
    println!("| {what} | {asked} | {} | {twin} | {ratio} |", show(ours));
}

fn show(nanos: f64) -> String {
    match nanos {
        1e6.. => format!("{:.2} ms", nanos / 1e6),
        1e4.. => format!("{:.1} µs", nanos / 1e3),
        _ => format!("{nanos:.1} ns"),
    }
}
