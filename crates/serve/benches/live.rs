//! What live state costs: an event on its way in, a page of it out, and memory:
//! `cargo bench -p tachograph-serve --bench live`.
//!
//! Prints one table row per question: what, asked, measured, twin, ratio. The
//! twin of a window is what the fourth seed does: every value kept, and all of
//! them sorted when someone asks.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tachograph_log::{Appender, DurableLog, Home};
use tachograph_model::{Answer, Answerer, AskError, Column, Event, Question, UnixNanos};
use tachograph_serve::expose::page::Form;
use tachograph_serve::expose::prometheus::Scraped;
use tachograph_serve::live::{Family, State};
use tachograph_serve::{Config, Doors, Running, expose, start};
use tachograph_stats::{Fraction, Sample, quantile};

const EVENTS: usize = 1_000_000;

fn main() {
    println!("| what | asked | measured | twin | ratio |");
    println!("|---|---|---|---|---|");
    floods();
    ordinary();
    pages();
}

/// Nanoseconds since the epoch, spread over the last `seconds`.
fn spread(at: usize, of: usize, seconds: i64) -> UnixNanos {
    let ago = seconds * 1_000_000_000 / of as i64 * (of - at) as i64;
    UnixNanos(UnixNanos::now().0 - ago)
}

fn call(at: usize, time: UnixNanos) -> Event {
    // Latencies of 1 ms to 10 s, as if drawn at random.
    let noise = (at.wrapping_mul(2_654_435_761) >> 8) % 4000;
    let ms = 10_f64.powf(noise as f64 / 1000.0);
    let id = format!("{at:016x}");
    let event = match at % 5 {
        0 => Event::new(time, "llm_call")
            .with(Column::Source, "openai")
            .with(Column::Name, format!("model-{}", at / 5 % 10))
            .with(Column::InputTokens, 1234_i64)
            .with(Column::OutputTokens, 78_i64)
            .with(Column::CostUsd, 0.002),
        _ => Event::new(time, "tool_call").with(Column::Name, format!("tool_{}", at % 47)),
    };
    event
        .with(Column::DurationMs, ms)
        .with(Column::Success, !at.is_multiple_of(50))
        .with(Column::SessionId, format!("{:016x}", at / 1000))
        .with(Column::TraceId, format!("{id}{id}"))
        .with(Column::Id, id)
}

/// As the log has them, in pieces of about 32 KiB.
fn pieces(events: impl Iterator<Item = Event>) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    for event in events {
        if all[all.len() - 1].len() > 32 << 10 {
            all.push(Vec::new());
        }
        let last = all.len() - 1;
        all[last].extend(event.to_line());
    }
    all
}

/// A million spans of ordinary names over ten minutes.
fn ordinary() {
    let lines = pieces((0..EVENTS).map(|at| call(at, spread(at, EVENTS, 600))));
    let before = resident_kib();
    let (state, nanos) = taken(&lines);
    let now = UnixNanos::now();
    assert_eq!(state.overview(now).events, EVENTS as u64);
    row("live state: an event in", "", &format!("{nanos:.0} ns"), "");
    let more = resident_kib().saturating_sub(before) / 1024;
    let held = state.overview(now).bytes >> 20;
    let figure = format!("{more} MB resident, {held} MB of sketches and points");
    row(
        "live state: memory after 1 M spans of 57 names",
        "",
        &figure,
        "",
    );

    let values: Vec<f64> = (0..EVENTS / 47)
        .map(|at| (at * 7919 % 10_007) as f64)
        .collect();
    for seconds in [60, 300, 900, 3600] {
        let length = Duration::from_secs(seconds);
        let ours = each(|| {
            let reading = state.reading(Family::Tool, "", "tool_3", length, now);
            black_box(reading.expect("a tool").window.expect("calls"));
        });
        let twin = each(|| {
            let (sample, _) = Sample::new(values.clone());
            let sample = sample.expect("values");
            for fraction in [Fraction::MEDIAN, Fraction::P95, Fraction::P99] {
                black_box(quantile(&sample, fraction));
            }
        });
        let what = format!("live state: figures of a busy tool over {seconds} s");
        row(&what, "", &micros(ours), &micros(twin));
    }
}

/// The state that knows of all of them, and nanoseconds for each.
fn taken(lines: &[Vec<u8>]) -> (State, f64) {
    let began = processor();
    let mut state = State::new(4096);
    for piece in lines {
        state.take(piece, UnixNanos::now());
    }
    let taken = processor().saturating_sub(began);
    (state, taken.as_nanos() as f64 / EVENTS as f64)
}

/// A million distinct names.
fn floods() {
    let lines = pieces((0..EVENTS).map(|at| {
        let event = call(at, spread(at, EVENTS, 600));
        event.with(Column::Name, format!("name_{at}"))
    }));
    let before = resident_kib();
    let (state, nanos) = taken(&lines);
    let overview = state.overview(UnixNanos::now());
    let more = resident_kib().saturating_sub(before) / 1024;
    let figure = format!(
        "{more} MB resident, {} series, {nanos:.0} ns each",
        overview.series
    );
    row(
        "live state: memory after 1 M distinct names",
        "",
        &figure,
        "",
    );
}

/// A hundred tools of a thousand samples each, from a server.
fn pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path());
    let live = &server.hub().live;
    let calls = (0..100_000).map(|at| {
        Event::new(spread(at, 100_000, 600), "tool_call")
            .with(Column::Name, format!("tool_{}", at % 100))
            .with(Column::DurationMs, (at * 7919 % 10_007) as f64)
            .with(Column::Success, true)
    });
    let log = Appender::new(&server.hub().home);
    for piece in pieces(calls) {
        log.append(&piece).expect("a log");
    }
    while live.overview().events < 100_000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let started = server.hub().started.0;
    let json = each(|| {
        let all = expose::json::all(live, started);
        black_box(serde_json::to_string_pretty(&all).expect("text"));
    });
    let what = "JSON of 100 tools x 1000 samples";
    row(what, "<= 1 ms", &micros(json), "");
    let scraped = Scraped::new(server.hub());
    let text = each(|| {
        black_box(scraped.text(Form::OpenMetrics));
    });
    let what = "Prometheus' text of 100 tools x 1000 samples";
    row(what, "<= 1 ms", &micros(text), "");
    visible(&log, &server);
    server.stop();
}

/// From written to the log until it shows up.
fn visible(log: &Appender, server: &Running) {
    let live = &server.hub().live;
    let mut waits: Vec<Duration> = (0..200_u64)
        .map(|at| {
            // At any point between two looks, and after calm as well.
            std::thread::sleep(Duration::from_millis(at * 7 % 61));
            let before = live.overview().events;
            let line = call(0, UnixNanos::now()).to_line();
            log.append(&line).expect("a log");
            let began = Instant::now();
            while live.overview().events == before {
                std::thread::sleep(Duration::from_micros(200));
            }
            began.elapsed()
        })
        .collect();
    waits.sort();
    let figure = format!(
        "p50 {:.0} ms, p99 {:.0} ms",
        waits[100].as_secs_f64() * 1e3,
        waits[198].as_secs_f64() * 1e3
    );
    row(
        "written to the log until live state shows it",
        "p99 <= 150 ms",
        &figure,
        "",
    );
}

struct NoEngine;

impl Answerer for NoEngine {
    fn answer(&self, question: &Question) -> Result<Answer, AskError> {
        let question = question.name();
        Err(AskError::Mismatch { question })
    }
}

fn server(folder: &std::path::Path) -> Running {
    let home = Home::create(folder).expect("a home");
    let config = Config {
        dashboard: None,
        otlp_grpc: None,
        otlp_http: None,
        json: Some(0),
        prometheus: Some(0),
        ..Config::default()
    };
    let doors = Doors {
        sink: Arc::new(DurableLog::new(&home)),
        answerer: Arc::new(NoEngine),
        salt: home.salt().expect("a salt"),
        home,
    };
    start(config, doors).expect("the doors open")
}

/// Processor time of one run, of the mean of many: what else goes on on the
/// machine is not in it.
fn each(mut run: impl FnMut()) -> Duration {
    const RUNS: u32 = 1000;
    let began = processor();
    for _ in 0..RUNS {
        run();
    }
    processor().saturating_sub(began) / RUNS
}

/// Processor time of this thread; the time of day where it cannot be told.
fn processor() -> Duration {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = times.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_else(|| UnixNanos::now().0.unsigned_abs()))
}

fn micros(time: Duration) -> String {
    format!("{:.0} µs", time.as_secs_f64() * 1e6)
}

fn row(what: &str, asked: &str, measured: &str, twin: &str) {
    println!("| {what} | {asked} | {measured} | {twin} | |");
}

/// 0 where it cannot be told.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
    kib.unwrap_or(0)
}
