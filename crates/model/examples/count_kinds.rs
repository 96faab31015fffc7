//! Counts the events of a log by type, and sums their durations: the decoder
//! alone, without the store. Also what to run under a profiler.
//!
//! `cargo run --release -p tachograph-model --example count_kinds -- events.jsonl`

use std::collections::BTreeMap;

use tachograph_model::{Cell, Column, Decoder, Kind, UnixNanos, Visitor};

/// Takes only what it counts; nothing is copied.
#[derive(Default)]
struct Tally {
    known: BTreeMap<&'static str, u64>,
    unknown: u64,
    cells: u64,
    extras: u64,
    duration_ms: f64,
}

impl Visitor for Tally {
    fn begin(&mut self, _: UnixNanos, _: &str, kind: Option<&'static Kind>) {
        match kind {
            Some(kind) => *self.known.entry(kind.name).or_default() += 1,
            None => self.unknown += 1,
        }
    }

    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        self.cells += 1;
        if let (Column::DurationMs, Cell::F64(ms)) = (column, cell) {
            self.duration_ms += ms;
        }
    }

    fn extra(&mut self, _: &str, _: &str) {
        self.extras += 1;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("give the path of a log")?;
    let bytes = std::fs::read(path)?;
    let (mut decoder, mut tally, mut broken) = (Decoder::default(), Tally::default(), 0_u64);
    let started = std::time::Instant::now();
    let mut from = 0;
    for to in memchr::memchr_iter(b'\n', &bytes) {
        broken += u64::from(decoder.decode(&bytes[from..to], &mut tally).is_err());
        from = to + 1;
    }
    let elapsed = started.elapsed();
    for (kind, count) in &tally.known {
        println!("{count:>10}  {kind}");
    }
    println!(
        "{:>10}  of other types, {broken} lines broken; {} cells, {} extras, {:.0} ms in all",
        tally.unknown, tally.cells, tally.extras, tally.duration_ms
    );
    println!(
        "{:.1} ms for {} bytes",
        elapsed.as_secs_f64() * 1e3,
        bytes.len()
    );
    Ok(())
}
