//! What the recorder costs over time: tails, threads, the drain's share of a
//! processor, memory: `cargo bench -p tachograph --bench record`.
//!
//! Prints one table row per question: what, asked, measured, twin, ratio.
//! Processor time is the kernel's count for the process (user and system, drain
//! included) or for a thread; it does not depend on what else the machine does,
//! as wall time and the tails do.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use metrics_util::registry::Registry;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use rustix::time::{ClockId, clock_gettime};
use tachograph::Recorder;

const PATIENCE: Duration = Duration::from_secs(30);
/// Calls timed one by one.
const CALLS: usize = 400_000;
/// Calls between two flushes: half of a ring of the default size.
const BURST: usize = 2_000;

fn main() {
    println!("| what | asked | measured | twin | ratio |");
    println!("|---|---|---|---|---|");
    tails();
    threads();
    sustained();
}

/// p50 and p99 of single calls. The reading of the clock that each sample
/// contains is measured beside them and shown, not taken off.
fn tails() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    let tool = recorder.tool("search");
    let clock = samples(|| {}, |_| {});
    let ours = samples(
        || {
            recorder.flush(PATIENCE);
        },
        |n| tool.success(Duration::from_nanos(n)),
    );
    assert_eq!(recorder.losses(), [], "the bursts fit");

    let registry = Registry::<metrics::Key, _>::atomic();
    let key = metrics::Key::from_name("latency");
    let bucket = registry.get_or_create_histogram(&key, Arc::clone);
    let histogram = metrics::Histogram::from_arc(Arc::clone(&bucket));
    let metrics = samples(|| bucket.clear(), |n| histogram.record(n as f64));

    let provider = SdkMeterProvider::builder()
        .with_reader(ManualReader::default())
        .build();
    let histogram = provider.meter("bench").f64_histogram("latency").build();
    let attributes = [KeyValue::new("tool", "search")];
    let otel = samples(|| {}, |n| histogram.record(n as f64, &attributes));

    let naive = Mutex::new(HashMap::<String, Vec<f64>>::new());
    let vectors = samples(|| {}, |n| push(&naive, n));

    for (name, at, asked) in [("p50", 0.5, "≤ 60 ns"), ("p99", 0.99, "≤ 1 µs")] {
        let of = |all: &[u32]| f64::from(all[(all.len() as f64 * at) as usize]);
        let mine = of(&ours);
        let what = format!("a tool call, {name} of single calls, clock included; twin:");
        for (twin, all) in [
            ("`metrics` histogram", &metrics),
            ("`opentelemetry_sdk` histogram", &otel),
            ("map of vectors", &vectors),
            ("the clock alone", &clock),
        ] {
            row(
                &format!("{what} {twin}"),
                asked,
                nanos(mine),
                Some((nanos(of(all)), mine / of(all))),
            );
        }
    }
}

/// Processor time per event, 4 threads beside 1: that of the threads that
/// record alone, and that of the whole process, drain and flushes included;
/// and the former for the map of vectors behind a lock.
fn threads() {
    let ours = |threads: usize| {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::builder().home(folder.path()).build();
        let tool = recorder.tool("search");
        let each = per_event(threads, |n| {
            tool.success(Duration::from_nanos(n));
            if n as usize % BURST == BURST - 1 {
                pause(|| {
                    recorder.flush(PATIENCE);
                });
            }
        });
        assert_eq!(recorder.losses(), [], "the bursts fit");
        each
    };
    let naive = |threads: usize| {
        let map = Mutex::new(HashMap::<String, Vec<f64>>::new());
        per_event(threads, |n| push(&map, n))
    };
    let (one, four) = (ours(1), ours(4));
    let (one_naive, four_naive) = (naive(1), naive(4));
    let beside = |what: &str, asked: &str, four: f64, one: f64| {
        row(what, asked, nanos(four), Some((nanos(one), four / one)));
    };
    let what = "processor time of the recording threads per event, 4 threads, twin: 1 thread";
    beside(what, "≤ 1.3 ×", four.own, one.own);
    let what = "same of the whole process, drained to the log";
    beside(what, "≤ 1.3 ×", four.process, one.process);
    let what = "same of the recording threads for the map of vectors behind a lock";
    beside(what, "–", four_naive.own, one_naive.own);
}

/// Events per second into the log, as fast as it takes them, and the
/// processor time of the drain for one.
fn sustained() {
    const EVENTS: u64 = 3_000_000;
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::builder().home(folder.path()).build();
    let tool = recorder.tool("search");
    recorder.flush(PATIENCE);
    let (start, process, thread) = (Instant::now(), processor(), own_processor());
    for n in 0..EVENTS {
        tool.success(Duration::from_nanos(12_345_678 + n));
        if (n as usize).is_multiple_of(BURST) {
            recorder.flush(PATIENCE);
        }
    }
    assert!(recorder.flush(PATIENCE), "it is in the log");
    let wall = start.elapsed().as_secs_f64();
    let all = processor() - process;
    let drain = all - (own_processor() - thread);
    let lost: u64 = recorder.losses().iter().map(|loss| loss.count).sum();
    let lines = lines(folder.path());
    assert_eq!(lines, EVENTS - lost, "every event is in the log, once");
    let events = EVENTS as f64;
    let million = |rate: f64| format!("{:.2} M/s", rate / 1e6);
    row(
        &format!("drained to the log, {EVENTS} events, {lost} lost, wall"),
        "≥ 1 M/s",
        million(events / wall),
        None,
    );
    row(
        "drained to the log, events per second of the drain's processor time",
        "≥ 1 M/s",
        million(events / drain),
        None,
    );
    row(
        "processors busy meanwhile, host and drain",
        "≤ 1 for the drain",
        format!("{:.2}", all / wall),
        Some((format!("{:.2} (drain)", drain / wall), all / drain)),
    );
}

/// Lines of all the files of the log.
fn lines(home: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(home).expect("a home").flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().ends_with(".jsonl"));
    logs.map(|file| {
        let bytes = std::fs::read(file.path()).expect("a log");
        bytes.iter().filter(|byte| **byte == b'\n').count() as u64
    })
    .sum()
}

fn push(map: &Mutex<HashMap<String, Vec<f64>>>, n: u64) {
    let mut tools = map.lock().expect("not poisoned");
    let samples = tools.entry("search".to_owned()).or_default();
    samples.push(n as f64);
}

/// Nanoseconds of single calls, sorted; `between` bursts, untimed.
fn samples(between: impl Fn(), mut call: impl FnMut(u64)) -> Vec<u32> {
    let mut all = Vec::with_capacity(CALLS);
    for n in 0..CALLS {
        if n % BURST == 0 {
            between();
        }
        let start = Instant::now();
        call(black_box(n as u64));
        all.push(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    all.sort_unstable();
    all
}

thread_local! {
    /// Processor seconds of this thread that are not the calls'.
    static PAUSED: std::cell::Cell<f64> = const { std::cell::Cell::new(0.0) };
}

/// Does something that is not counted.
fn pause(work: impl FnOnce()) {
    let start = own_processor();
    work();
    PAUSED.with(|paused| paused.set(paused.get() + own_processor() - start));
}

/// Nanoseconds of processor time per event.
struct PerEvent {
    /// Of the threads that record, without what they [`pause`]d for.
    own: f64,
    /// Of the whole process.
    process: f64,
}

/// Calls from so many threads: the least of five runs, as noise only adds.
fn per_event(threads: usize, call: impl Fn(u64) + Sync) -> PerEvent {
    const EACH: u64 = 400_000;
    let events = (EACH * threads as u64) as f64;
    let run = || {
        let total = AtomicU64::new(0);
        let before = processor();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let start = own_processor();
                    (0..EACH).for_each(|n| call(black_box(n)));
                    let paused = PAUSED.with(std::cell::Cell::get);
                    let spent = own_processor() - start - paused;
                    total.fetch_add((spent * 1e9) as u64, Ordering::Relaxed);
                });
            }
        });
        let process = (processor() - before) * 1e9;
        (total.into_inner() as f64 / events, process / events)
    };
    let runs: Vec<(f64, f64)> = (0..5).map(|_| run()).collect();
    let least = |of: fn(&(f64, f64)) -> f64| runs.iter().map(of).fold(f64::INFINITY, f64::min);
    PerEvent {
        own: least(|run| run.0),
        process: least(|run| run.1),
    }
}

/// Processor seconds of the whole process so far.
fn processor() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

/// Processor seconds of this thread so far.
fn own_processor() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn row(what: &str, asked: &str, measured: String, twin: Option<(String, f64)>) {
    let (twin, ratio) = match twin {
        Some((twin, ratio)) => (twin, format!("{ratio:.2}")),
        None => ("–".to_owned(), "–".to_owned()),
    };
    println!("| {what} | {asked} | {measured} | {twin} | {ratio} |");
}

fn nanos(value: f64) -> String {
    format!("{value:.1} ns")
}
