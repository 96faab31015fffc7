//! The door: a home, opened.

use std::sync::{Arc, Mutex};

use tachograph_log::Home;

use crate::error::StoreError;
use crate::manifest::{Manifest, unsealed};
use crate::snapshot::{Kept, Snapshot, open_logs};

/// A home's memory: its log, segments and rollups.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) home: Home,
    pub(crate) read_only: bool,
    pub(crate) threads: usize,
    pub(crate) kept: Option<Arc<Kept>>,
}

impl Store {
    /// Opens a home; it need not exist yet. Touches nothing on disk.
    pub fn open(home: &Home) -> Self {
        Self {
            home: home.clone(),
            read_only: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            kept: None,
        }
    }

    /// Opens a home that will never be changed through this value: for reading
    /// the folder of another program in place.
    pub fn open_readonly(home: &Home) -> Self {
        Self {
            read_only: true,
            ..Self::open(home)
        }
    }

    /// Reads with so many threads (from 1); all processors unless set.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Keeps folded cells in memory, up to about `bytes`, so that a question
    /// asked again costs only what has come since: for a process that stays
    /// and is asked often. Clones share them.
    #[must_use]
    pub fn keeping(mut self, bytes: usize) -> Self {
        self.kept = Some(Arc::new(Kept::new(bytes)));
        self
    }

    /// Whether it keeps cells between snapshots.
    pub fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// The home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Takes a snapshot. A missing home is an empty one.
    ///
    /// # Errors
    /// When the operating system fails; damage is in the snapshot's notes.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        // First the logs, then the manifest: a log that is sealed in between
        // is named by the manifest, one that is sealed later stays open here.
        let (logs, mut notes) = open_logs(&self.home)?;
        let (manifest, note) = Manifest::load(&self.home)?;
        notes.extend(note);
        let logs = unsealed(&manifest, logs)?;
        Ok(Snapshot {
            home: self.home.clone(),
            segments: manifest.segments,
            logs: logs.into_iter().map(|(log, _)| log).collect(),
            notes,
            threads: self.threads,
            kept: self.kept.clone(),
            sound: Mutex::default(),
        })
    }
}
