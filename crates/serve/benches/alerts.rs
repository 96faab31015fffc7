//! What a look at alert rules costs: `cargo bench -p tachograph-serve --bench
//! alerts`. A thousand rules, each over a metric of its own, against live state
//! that followed a real log.
//!
//! Prints one table row per question: what, asked, measured.

use std::time::{Duration, Instant};

use tachograph_log::{Appender, Home};
use tachograph_model::alert::{Condition, Rule};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::alert::{Book, Origin, Owned};
use tachograph_serve::config::Limits;
use tachograph_serve::live::Live;

const RULES: usize = 1000;
const ROUNDS: usize = 50;

fn main() {
    println!("| what | asked | measured | twin | ratio |");
    println!("|---|---|---|---|---|");
    // As often as the machine is measured, and each second.
    for (points, stat) in [(60, "avg"), (60, "p95"), (300, "avg"), (300, "p95")] {
        look(points, stat);
    }
}

fn look(points: usize, stat: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::create(folder.path()).expect("a home");
    let appender = Appender::new(&home);
    let now = UnixNanos::now();
    for at in 0..points {
        let ago = Duration::from_secs(290) * (points - at) as u32 / points as u32;
        let time = now.saturating_sub(ago);
        let lines: Vec<u8> = (0..RULES)
            .flat_map(|metric| line(metric, at, time))
            .collect();
        appender.append(&lines).expect("appended");
    }
    let limits = Limits {
        live_series: 4096,
        ..Limits::default()
    };
    let live = Live::start(&home, &limits).expect("a thread");
    while live.overview().events < (points * RULES) as u64 || !live.overview().settled {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut book = Book::default();
    book.set_rules((0..RULES).map(|metric| owned(metric, stat)).collect());
    book.look(UnixNanos::now(), &*live);
    assert!(book.alerts().all(|alert| alert.machine.value().is_some()));
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            book.look(UnixNanos::now(), &*live);
            began.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "| {RULES} alert rules, {stat} over {points} values each: one look | ≤ 5 ms | {:.2} ms | – | – |",
        times[ROUNDS / 2].as_secs_f64() * 1e3
    );
}

fn owned(metric: usize, stat: &str) -> Owned {
    let condition = Condition::parse(&format!("{stat} > 1e9")).expect("a condition");
    let name = format!("m{metric}");
    Owned {
        rule: Rule::new(&name, &name, "s", condition),
        origin: Origin::Api,
    }
}

fn line(metric: usize, at: usize, time: UnixNanos) -> Vec<u8> {
    // As if drawn at random.
    let noise = (at * RULES + metric).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    Event::new(time, "metric")
        .with(Column::Source, "s")
        .with(Column::Name, format!("m{metric}"))
        .with(Column::Value, noise as f64)
        .to_line()
}
