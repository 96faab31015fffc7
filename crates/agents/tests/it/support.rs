//! Where the data lies, and folders made on the spot.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tachograph_agents::{Entry, Hit, Shelf, ShelfOptions};
use tempfile::TempDir;

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(data(name)).unwrap()).unwrap()
}

pub(crate) fn open(path: &Path) -> Shelf {
    Shelf::open(path, ShelfOptions::default()).unwrap()
}

/// The 120 real agents by their shipped index.
pub(crate) fn real_index() -> Shelf {
    open(&data("agents/index.json"))
}

/// The 120 real agents by their files.
pub(crate) fn real_files() -> Shelf {
    open(&data("agents"))
}

pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

pub(crate) fn markdown(name: &str, description: &str, body: &str) -> String {
    format!("---\nname: {name}\ndescription: {description}\ntools: Read\n---\n{body}\n")
}

pub(crate) fn ids(entries: &[Arc<Entry>]) -> Vec<String> {
    entries.iter().map(|entry| entry.id.clone()).collect()
}

pub(crate) fn hit_ids(hits: &[Hit]) -> Vec<String> {
    hits.iter().map(|hit| hit.entry.id.clone()).collect()
}

pub(crate) fn strings(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}
