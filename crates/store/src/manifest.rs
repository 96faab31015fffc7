//! The manifest: which segments are live, and how much of which log they hold.
//! Replaced in one step; whatever it does not name does not exist for readers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tachograph_log::{FileId, Home};
use tachograph_model::{UnixNanos, Window};

use crate::decode::LogPart;
use crate::disk;
use crate::error::StoreError;
use crate::note::Note;
use crate::recover;

/// Version of the manifest's form.
const VERSION: u32 = 1;
/// So many logs that are gone are remembered: one that was sealed and is put
/// back, from a copy of the home, is known again by its start.
const REMEMBERED: usize = 512;
/// A log is told from others by so much of its start.
const HEAD_BYTES: u64 = 4_096;

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Names it among all segments of the home.
    pub id: String,
    /// Its Parquet file, relative to the home.
    pub path: PathBuf,
    /// Its day, counted from 1970-01-01 in UTC; all its events are of it.
    pub day: i64,
    /// Events in it.
    pub rows: u64,
    /// Time of its earliest event, nanoseconds since the epoch.
    pub min_time: i64,
    /// Time of its latest event, nanoseconds since the epoch.
    pub max_time: i64,
    /// Size of the Parquet file.
    pub bytes: u64,
    /// XXH64 of the Parquet file, in hex; empty if unknown.
    #[serde(default)]
    pub checksum: String,
    /// Rollups there are, finest first: `minute`, `hour`, `day`; `chart` and `session`.
    #[serde(default)]
    pub tiers: Vec<String>,
    /// XXH64 of each rollup's file, in hex, in the order of `tiers`; empty if
    /// unknown.
    #[serde(default)]
    pub tier_checksums: Vec<String>,
}

impl Segment {
    /// Notes which rollups there are.
    pub(crate) fn set_tiers(&mut self, tiers: Vec<(String, String)>) {
        (self.tiers, self.tier_checksums) = tiers.into_iter().unzip();
    }

    /// Whether a file of this name was derived from it.
    pub(crate) fn has(&self, derived: &str) -> bool {
        self.tiers.iter().any(|name| name == derived)
    }

    /// Checksum of a file that was derived from it; empty if unknown.
    pub(crate) fn tier_checksum(&self, derived: &str) -> &str {
        let at = self.tiers.iter().position(|name| name == derived);
        at.and_then(|at| self.tier_checksums.get(at))
            .map_or("", String::as_str)
    }

    /// Whether it may hold events of `window`.
    pub fn overlaps(&self, window: Window) -> bool {
        self.min_time < window.to.0 && window.from.0 <= self.max_time
    }

    /// Whether all its events lie in `window`.
    pub fn lies_in(&self, window: Window) -> bool {
        window.contains(UnixNanos(self.min_time)) && window.contains(UnixNanos(self.max_time))
    }

    /// About how many of its events lie in `window`.
    pub fn estimated_rows(&self, window: Window) -> u64 {
        if self.lies_in(window) {
            return self.rows;
        }
        if !self.overlaps(window) {
            return 0;
        }
        let from = self.min_time.max(window.from.0);
        let to = self.max_time.min(window.to.0);
        let whole = (i128::from(self.max_time) - i128::from(self.min_time)).max(1);
        let part = (i128::from(to) - i128::from(from)).max(0);
        u64::try_from(i128::from(self.rows) * part / whole).unwrap_or(self.rows)
    }
}

/// How much of a log is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its file name in the home.
    pub name: String,
    /// Its inode number, 0 if unknown.
    pub inode: u64,
    /// When it was made, nanoseconds since the epoch, 0 if unknown.
    pub born: i64,
    /// XXH64 of its first 4 KiB (or of all, if it is shorter).
    pub head: u64,
    /// Its first so many bytes are sealed.
    pub sealed: u64,
}

impl Source {
    /// Looks at a log.
    pub(crate) fn of(log: &LogPart, id: FileId) -> io::Result<Self> {
        Ok(Self {
            name: name_of(&log.path),
            inode: id.inode,
            born: id.born,
            head: disk::checksum(&log.file, HEAD_BYTES.min(log.len))?,
            sealed: 0,
        })
    }

    /// Whether both are the same log: same start, and same file or name.
    /// Only for logs that are not appended to any more.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let same_file = self.inode != 0 && (self.inode, self.born) == (other.inode, other.born);
        self.head == other.head && (same_file || self.name == other.name)
    }
}

pub(crate) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A file that is no longer live but may still be being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The segment's name.
    pub id: String,
    /// Its Parquet file, relative to the home.
    pub path: PathBuf,
    /// Since when, nanoseconds since the epoch; it is deleted a minute later.
    pub at: i64,
}

/// What is live.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub version: u32,
    /// Live segments, ordered by day.
    pub segments: Vec<Segment>,
    /// Logs that are sealed, wholly or in part.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// Files to delete.
    #[serde(default)]
    pub retired: Vec<Retired>,
    /// The first so many bytes of `rejected.jsonl` are settled.
    #[serde(default)]
    pub rejected_bytes: u64,
    /// Lines in them.
    #[serde(default)]
    pub rejected_lines: u64,
}

impl Manifest {
    /// Reads a home's manifest; lists its segments where that is damaged.
    ///
    /// # Errors
    /// When the operating system fails.
    pub fn load(home: &Home) -> Result<(Self, Option<Note>), StoreError> {
        let path = home.manifest();
        let why = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Self>(&bytes) {
                Ok(manifest) if manifest.version == VERSION => return Ok((manifest, None)),
                Ok(manifest) => format!("version {} is unknown", manifest.version),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => "it is missing".to_owned(),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        let manifest = recover::manifest(home)?;
        // A home that was never sealed has no manifest, and needs none.
        let note =
            (path.exists() || !manifest.segments.is_empty()).then_some(Note::ManifestRecovered {
                why,
                segments: manifest.segments.len(),
            });
        Ok((manifest, note))
    }

    /// Puts it in place of the old one.
    pub(crate) fn save(&mut self, home: &Home) -> Result<(), StoreError> {
        self.version = VERSION;
        self.segments
            .sort_by(|a, b| (a.day, &a.id).cmp(&(b.day, &b.id)));
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| StoreError::Io {
            what: "write",
            path: home.manifest(),
            source: error.into(),
        })?;
        disk::replace(&home.manifest(), &bytes)
    }

    pub(crate) fn source(&self, log: &Source) -> Option<&Source> {
        self.sources.iter().rev().find(|source| source.is(log))
    }

    /// Notes how far a log is sealed.
    pub(crate) fn set_source(&mut self, log: Source) {
        match self.sources.iter_mut().rev().find(|held| held.is(&log)) {
            Some(held) => held.sealed = held.sealed.max(log.sealed),
            None => self.sources.push(log),
        }
    }

    /// Forgets the oldest of the logs that are gone.
    pub(crate) fn forget_sources(&mut self, home: &Home) {
        let excess = self.sources.len().saturating_sub(REMEMBERED);
        let mut left = excess;
        self.sources.retain(|source| {
            let forget = left > 0 && !home.root().join(&source.name).exists();
            left -= usize::from(forget);
            !forget
        });
    }
}

/// Cuts what is sealed off the logs; drops those that are sealed wholly.
pub(crate) fn unsealed(
    manifest: &Manifest,
    logs: Vec<(LogPart, FileId)>,
) -> Result<Vec<(LogPart, Source)>, StoreError> {
    let mut rest = Vec::with_capacity(logs.len());
    for (mut log, id) in logs {
        // The live log is rotated before it is sealed, and its start changes
        // while it is shorter than a head.
        let mut source = if log.live {
            Source {
                name: name_of(&log.path),
                inode: id.inode,
                born: id.born,
                head: 0,
                sealed: 0,
            }
        } else {
            Source::of(&log, id).map_err(StoreError::io("read", &log.path))?
        };
        if !log.live
            && let Some(held) = manifest.source(&source)
        {
            source.sealed = held.sealed;
            log.from = held.sealed.min(log.len);
        }
        if log.from < log.to || log.len == 0 {
            rest.push((log, source));
        }
    }
    Ok(rest)
}
