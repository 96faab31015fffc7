//! `cargo xtask bench`: what is asked of speed and size, beside what is measured.
//!
//! ```text
//! crate benches (`cargo bench`) ──► rows they print ─┐
//! scenes (the release binary as a process) ──► rows ─┴─► table, docs/benchmarks.md
//! ```
//! A crate's bench is found by its `[[bench]]` entry. The medians of one that uses
//! divan become rows; asked.rs says which case has a target or a twin. Any other
//! prints its rows itself, as `| what | asked | measured | twin | ratio |`.
//! Whole-process scenes stand in [`SCENES`].

mod asked;
mod browser;
mod crates;
mod divan;
mod generate;
mod lab;
mod machine;
mod page;
mod peered;
mod process;
mod scenes;
mod served;
mod steady;
mod viewed;

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use lab::Lab;

#[derive(Args)]
pub(crate) struct Options {
    /// Run only those whose name begins so (see --list); all without
    names: Vec<String>,
    /// How long steady load lasts
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// Print the names and stop
    #[arg(long)]
    list: bool,
    /// Put the tables and the machine's description into docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// One line of the table; every cell is text because units differ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    what: String,
    asked: String,
    measured: String,
    /// The naive or rival implementation, measured in the same run; `–` without one.
    twin: String,
    ratio: String,
}

impl Row {
    fn new(what: &str, asked: &str, measured: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            asked: asked.to_owned(),
            measured: measured.into(),
            twin: "–".to_owned(),
            ratio: "–".to_owned(),
        }
    }

    fn beside(mut self, twin: impl Into<String>, ratio: f64) -> Self {
        self.twin = twin.into();
        self.ratio = format!("{ratio:.2}");
        self
    }
}

/// A whole-process measurement: its name and what it does.
type Scene = (&'static str, fn(&Lab) -> Result<Vec<Row>>);

const SCENES: &[Scene] = &[
    ("process/empty", scenes::empty),
    ("process/record", scenes::record),
    ("process/raw", scenes::raw),
    ("process/sealed", scenes::sealed),
    ("process/big", scenes::big),
    ("process/growth", scenes::growth),
    ("server/start", served::start),
    ("server/visible", served::visible),
    ("server/spans", served::spans),
    ("server/questions", served::questions),
    ("server/views", viewed::views),
    ("server/steady", steady::steady),
    ("server/peers", peered::peered),
    ("page/first-paint", browser::first_paint),
    ("page/weight", browser::weight),
    ("page/visible", browser::visible),
    ("page/live", browser::live),
    ("page/month", browser::month),
];

/// Measures; gives false if something could not be measured.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let crates = crates::list()?;
    let wanted = |name: &str| {
        options.names.is_empty() || options.names.iter().any(|begin| name.starts_with(begin))
    };
    if options.list {
        crates.iter().for_each(|bench| println!("{}", bench.name));
        SCENES.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(true);
    }
    let mut tables: Vec<(String, Vec<Row>)> = Vec::new();
    for bench in crates.iter().filter(|bench| wanted(&bench.name)) {
        println!("── {}", bench.name);
        tables.push((bench.name.clone(), rows(&bench.name, bench.run())));
    }
    let scenes: Vec<&Scene> = SCENES.iter().filter(|(name, _)| wanted(name)).collect();
    if !scenes.is_empty() {
        let lab = Lab::open(Duration::from_secs(options.minutes * 60))?;
        for (name, scene) in scenes {
            println!("── {name}");
            tables.push(((*name).to_owned(), rows(name, scene(&lab))));
        }
    }
    if tables.is_empty() {
        bail!("nothing is named like that; see `cargo xtask bench --list`");
    }
    println!("\n{}\n", machine::describe());
    for (name, rows) in &tables {
        println!("{name}\n\n{}", page::table(rows));
    }
    if options.write {
        page::write(&tables)?;
    }
    Ok(!tables.iter().any(|(_, rows)| rows.iter().any(failed)))
}

/// The rows of one measurement, or one that says why there are none.
fn rows(name: &str, measured: Result<Vec<Row>>) -> Vec<Row> {
    measured.unwrap_or_else(|error| {
        println!("failed: {error:#}");
        vec![Row::new(name, "–", format!("failed: {error:#}"))]
    })
}

fn failed(row: &Row) -> bool {
    row.measured.starts_with("failed")
}
