//! `alerts/state.json`: how alerts stand, and what is to be written to the log
//! about them. What is to be written is noted there first; so it is written
//! once, whenever the server is killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tachograph_log::Home;
use tachograph_model::alert::Notice;
use tachograph_model::{Column, Event, UnixNanos, Value};

use super::book::{Kept, Series};
use super::file;
use super::totals::Quiet;
use crate::notify::KeptPost;

const VERSION: u32 = 1;
/// Bytes of the file; so many alerts do not fire at once.
const MOST_BYTES: u64 = 512 << 20;
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
    /// What each channel was told of.
    #[serde(default)]
    pub(super) post: KeptPost,
    /// What is not kept one by one, for whoever does not watch.
    #[serde(default)]
    quiet: BTreeMap<String, Quiet>,
}

impl State {
    /// To be kept.
    pub(super) fn new(rules: Vec<Kept>, unwritten: Vec<String>, post: KeptPost) -> Self {
        Self {
            version: VERSION,
            rules,
            unwritten,
            post,
            quiet: BTreeMap::new(),
        }
    }

    /// The same, with what there is nothing to tell of.
    pub(super) fn with_quiet(self, quiet: BTreeMap<String, Quiet>) -> Self {
        Self { quiet, ..self }
    }
}

impl State {
    /// Nothing to go on with.
    pub(super) fn empty() -> Self {
        Self::new(Vec::new(), Vec::new(), KeptPost::default())
    }
}

impl Keep {
    /// That of the home at `root`.
    pub(super) fn of(root: &Path) -> Self {
        Self {
            path: root.join("alerts").join("state.json"),
        }
    }

    /// Whether there is one.
    pub(super) fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Reads it; nothing where there is none.
    ///
    /// # Errors
    /// Why it cannot be gone on with: it is torn, or of another version.
    pub(super) fn read(&self) -> io::Result<State> {
        let Some(bytes) = file::read(&self.path, MOST_BYTES)? else {
            return Ok(State::empty());
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

/// How alerts stood when it was kept last, for whoever does not watch.
///
/// # Errors
/// When the file cannot be read, is torn, or of another version.
pub fn standing(root: &Path) -> io::Result<Vec<Kept>> {
    Ok(Keep::of(root).read()?.rules)
}

/// When that was; `None`: nobody has kept it yet.
pub fn kept_at(root: &Path) -> Option<UnixNanos> {
    let meta = std::fs::metadata(Keep::of(root).path).ok()?;
    let since = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH);
    Some(UnixNanos(i64::try_from(since.ok()?.as_nanos()).ok()?))
}

/// Of each rule that was looked at, by name, the series of which there was
/// nothing to tell when it was kept last.
///
/// # Errors
/// As [`standing`].
pub fn quiet(root: &Path) -> io::Result<BTreeMap<String, Quiet>> {
    Ok(Keep::of(root).read()?.quiet)
}

/// Of those lines, which are not at the log's end.
pub(super) fn not_written(home: &Home, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    let ends = ends(home);
    let there = |line: &String| {
        let line = line.trim_end().as_bytes();
        ends.iter()
            .any(|end| memchr::memmem::find(end, line).is_some())
    };
    lines.into_iter().filter(|line| !there(line)).collect()
}

/// What fires, as far as the log's end tells: rule, series, and since when. For
/// when how alerts stood is lost.
pub(super) fn firing(home: &Home) -> Vec<(String, Series, UnixNanos)> {
    let mut last = BTreeMap::new();
    // The oldest first.
    for end in ends(home).iter().rev() {
        for line in end.split(|byte| *byte == b'\n') {
            if memchr::memmem::find(line, b"\"alert\"").is_none() {
                continue;
            }
            if let Some((rule, series, fires)) = Event::from_line(line).ok().and_then(told) {
                last.insert((rule, series), fires);
            }
        }
    }
    let firing = last.into_iter();
    let firing = firing.filter_map(|((rule, series), fires)| Some((rule, series, fires?)));
    firing.collect()
}

/// Of an event of ours: rule, series, and since when it fires if it does.
fn told(event: Event) -> Option<(String, Series, Option<UnixNanos>)> {
    if event.event_type != "alert" {
        return None;
    }
    let text = |column| event.str(column).map(str::to_owned);
    let Some(Value::Json(tags)) = event.get(Column::Tags) else {
        return None;
    };
    let name = tags.get("metric")?.as_str()?;
    let source = text(Column::Source).unwrap_or_default();
    let fires = text(Column::Status)? == Notice::Firing.name();
    let series = (source.as_str().into(), name.into());
    Some((text(Column::Name)?, series, fires.then_some(event.time)))
}

/// The ends of the newest files of the log, the newest first: it may have been
/// rotated since.
fn ends(home: &Home) -> Vec<Vec<u8>> {
    let files = home.files().map_or(Vec::new(), |listing| listing.files);
    let newest = files.iter().rev().take(2);
    newest.map(|file| end_of(&file.path)).collect()
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
