//! Measures the store on a home: decode, fold, seal, report.
//!
//! `cargo run --release -p tachograph-store --example measure -- HOME decode|fold|exact|sketch|seal|stats|events [threads]`

use std::time::Instant;

use tachograph_log::Home;
use tachograph_model::Window;
use tachograph_store::{BATCH_ROWS, FoldSpec, Folder, Grain, SealOptions, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let home = Home::at(args.next().ok_or("a home, please")?);
    let what = args.next().ok_or("what to measure, please")?;
    let threads = args.next().map_or(Ok(2), |text| text.parse())?;
    let store = Store::open(&home).with_threads(threads);
    let start = Instant::now();
    match what.as_str() {
        "decode" | "fold" => {
            let snapshot = store.snapshot()?;
            let mut folder = Folder::new(FoldSpec::new(Grain::Window).exact(), Window::ALL);
            let mut rows = 0;
            for part in snapshot.log_parts(1) {
                for batch in part.scan(Folder::columns(), Window::ALL, BATCH_ROWS) {
                    let batch = batch?;
                    rows += batch.num_rows();
                    if what == "fold" {
                        folder.push(&batch)?;
                    }
                }
            }
            println!("{rows} rows, {} cells", folder.finish().len());
        }
        "exact" | "sketch" | "day" | "edges" => {
            let mut spec = FoldSpec::new(if what == "day" {
                Grain::Day
            } else {
                Grain::Window
            });
            spec.exact = what == "exact";
            let mut window = Window::ALL;
            if what == "edges" {
                let (from, to) = ("2025-11-14T03:17:31.5Z", "2025-11-19T21:43:11.25Z");
                window.from = tachograph_model::UnixNanos::parse(from, false)?;
                window.to = tachograph_model::UnixNanos::parse(to, false)?;
            }
            let snapshot = store.snapshot()?;
            let taken = start.elapsed();
            let folded = snapshot.cells(window, &spec)?;
            println!(
                "{} rows ({} sketched), {} cells, {:?}, snapshot {taken:?}",
                folded.rows,
                folded.sketched,
                folded.cells.len(),
                folded.notes
            );
        }
        "seal" => println!("{:#?}", store.seal(SealOptions::default())?),
        "compact" => println!("{:#?}", store.compact(std::time::Duration::ZERO)?),
        "stats" => println!("{:#?}", store.stats()?),
        "doctor" => println!("{:#?}", store.doctor()?),
        "events" => println!("{} events", store.snapshot()?.events(Window::ALL)?.count()),
        other => return Err(format!("cannot measure {other}").into()),
    }
    println!("{what}: {:?}", start.elapsed());
    Ok(())
}
