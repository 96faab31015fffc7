//! `alerts/state.json`: how alerts stand, and what is to be written to the log
//! about them. What is to be written is noted there first; so it is written
//! once, whenever the server is killed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tachograph_log::Home;

use super::book::Kept;
use super::file;

const VERSION: u32 = 1;
/// Bytes of the file; so many alerts do not fire at once.
const MOST_BYTES: u64 = 32 << 20;
/// How far back the log is looked at for a line that may have been written.
const LOOK_BACK: u64 = 8 << 20;

/// The file.
#[derive(Debug)]
pub(super) struct Keep {
    path: PathBuf,
}

/// What is in it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    pub(super) rules: Vec<Kept>,
    /// Lines for the log that may not be there yet.
    pub(super) unwritten: Vec<String>,
}

impl State {
    /// To be kept.
    pub(super) fn new(rules: Vec<Kept>, unwritten: Vec<String>) -> Self {
        Self {
            version: VERSION,
            rules,
            unwritten,
        }
    }
}

impl Keep {
    /// That of the home at `root`.
    pub(super) fn of(root: &Path) -> Self {
        Self {
            path: root.join("alerts").join("state.json"),
        }
    }

    /// Reads it; nothing where there is none.
    ///
    /// # Errors
    /// Why it cannot be gone on with: it is torn, or of another version.
    pub(super) fn read(&self) -> io::Result<State> {
        let Some(bytes) = file::read(&self.path, MOST_BYTES)? else {
            return Ok(State::new(Vec::new(), Vec::new()));
        };
        let state: State = serde_json::from_slice(&bytes)?;
        match state.version {
            VERSION => Ok(state),
            other => Err(io::Error::other(format!("it is of version {other}"))),
        }
    }

    /// Replaces it.
    ///
    /// # Errors
    /// What the disk says; then the old one is there.
    pub(super) fn write(&self, state: &State) -> io::Result<()> {
        file::replace(&self.path, &serde_json::to_vec(state)?)
    }
}

/// Of those lines, which are not at the log's end.
pub(super) fn not_written(home: &Home, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    // The log may have been rotated since.
    let files = home.files().map_or(Vec::new(), |listing| listing.files);
    let newest = files.iter().rev().take(2);
    let ends: Vec<Vec<u8>> = newest.map(|file| end_of(&file.path)).collect();
    let there = |line: &String| {
        let line = line.trim_end().as_bytes();
        ends.iter()
            .any(|end| memchr::memmem::find(end, line).is_some())
    };
    lines.into_iter().filter(|line| !there(line)).collect()
}

/// Nothing where it cannot be read.
fn end_of(path: &Path) -> Vec<u8> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOOK_BACK)))?;
        let mut bytes = Vec::new();
        file.take(LOOK_BACK).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().unwrap_or_default()
}
