//! The shelf's operations over the 120 real agents. `naive_…` is the first
//! seed's way of doing the same: lower-casing and looking through every text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use divan::{Bencher, black_box};
use tachograph_agents::{
    Definition, Entry, Filter, Index, Observation, Reach, Shelf, ShelfOptions, scan,
};

const ID: &str = "05-data-ml-engineer";
const QUERIES: [&str; 6] = [
    "api",
    "kubernetes",
    "a",
    "zzzz",
    "python api",
    "machine learning engineer",
];

fn main() {
    divan::main();
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn shelf(name: &str, options: ShelfOptions) -> Shelf {
    Shelf::open(&data(name), options).expect("the test data")
}

#[divan::bench]
fn open_folder(bencher: Bencher) {
    bencher.bench(|| shelf("agents", ShelfOptions::default()));
}

#[divan::bench]
fn scan_folder(bencher: Bencher) {
    bencher.bench(|| scan(&data("agents"), 1 << 20));
}

#[divan::bench]
fn parse_definition(bencher: Bencher) {
    let text =
        std::fs::read_to_string(data("agents").join(format!("{ID}.md"))).expect("the test data");
    bencher.bench(|| Definition::parse(ID, black_box(&text)));
}

#[divan::bench]
fn load_index(bencher: Bencher) {
    bencher.bench(|| Index::load(&data("agents/index.json")));
}

#[divan::bench]
fn open_index(bencher: Bencher) {
    bencher.bench(|| shelf("agents/index.json", ShelfOptions::default()));
}

#[divan::bench]
fn get_cached(bencher: Bencher) {
    let shelf = shelf("agents", ShelfOptions::default());
    shelf.get(ID).expect("an agent");
    bencher.bench(|| shelf.get(black_box(ID)));
}

#[divan::bench]
fn get_cached_observed(bencher: Bencher) {
    let observer = |seen: &Observation<'_>| {
        black_box(seen.duration);
    };
    let options = ShelfOptions {
        observer: Some(Arc::new(observer)),
        ..ShelfOptions::default()
    };
    let shelf = shelf("agents", options);
    shelf.get(ID).expect("an agent");
    bencher.bench(|| shelf.get(black_box(ID)));
}

#[divan::bench]
fn get_from_file(bencher: Bencher) {
    let shelf = shelf("agents", ShelfOptions::default());
    bencher.bench(|| {
        shelf.clear_cache();
        shelf.get(black_box(ID))
    });
}

#[divan::bench]
fn list_all(bencher: Bencher) {
    let shelf = shelf("agents", ShelfOptions::default());
    bencher.bench(|| shelf.list(&Filter::default()));
}

#[divan::bench(args = ["Core Development", "core-development"])]
fn list_category(bencher: Bencher, category: &str) {
    let shelf = shelf("agents", ShelfOptions::default());
    bencher.bench(|| {
        shelf.list(&Filter {
            category: black_box(category),
            ..Filter::default()
        })
    });
}

#[divan::bench(args = QUERIES)]
fn search_index(bencher: Bencher, query: &str) {
    let options = ShelfOptions {
        reach: Some(Reach::Index),
        ..ShelfOptions::default()
    };
    let shelf = shelf("agents/index.json", options);
    bencher.bench(|| shelf.search(black_box(query)));
}

#[divan::bench(args = QUERIES)]
fn search_files(bencher: Bencher, query: &str) {
    let shelf = shelf("agents", ShelfOptions::default());
    bencher.bench(|| shelf.search(black_box(query)));
}

#[divan::bench(args = QUERIES)]
fn naive_search(bencher: Bencher, query: &str) {
    let all = shelf("agents/index.json", ShelfOptions::default()).list(&Filter::default());
    bencher.bench(|| naive(&all, black_box(query)));
}

fn naive(all: &[Arc<Entry>], query: &str) -> Vec<Arc<Entry>> {
    let query = query.to_lowercase();
    let has = |text: &String| text.to_lowercase().contains(&query);
    all.iter()
        .filter(|agent| {
            has(&agent.name) || has(&agent.description) || agent.keywords.iter().any(has)
        })
        .cloned()
        .collect()
}
