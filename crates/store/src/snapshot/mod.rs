//! A snapshot: what the store held at one moment. Later writes, rotations and
//! seals do not change what it answers.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tachograph_log::Home;
use tachograph_model::{Window, describe};

use crate::decode::{Broken, LogPart};
use crate::disk;
use crate::error::StoreError;
use crate::fold::{Cell, FirstNamed, FoldSpec};
use crate::manifest::Segment;
use crate::note::Note;

mod cells;
mod events;
mod kept;
mod lookup;
mod open;
mod sessions;

pub(crate) use events::times;
pub use events::{Events, event_of};
pub(crate) use kept::{Kept, Stretch};
pub use lookup::Whose;
pub(crate) use open::open_logs;
pub use sessions::Listed;

/// What a question was answered from.
#[derive(Debug, Default)]
pub struct Folded {
    /// Cells, ordered by series and start.
    pub cells: Vec<Cell>,
    /// Events in them.
    pub rows: u64,
    /// Events whose values are only known as sketches.
    pub sketched: u64,
    /// When each kind of entity was first named, as far as events were looked
    /// at: rollups do not tell.
    pub first_named: FirstNamed,
    /// What was left out, and why.
    pub notes: Vec<Note>,
}

/// The store at one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) home: Home,
    pub(crate) segments: Vec<Segment>,
    pub(crate) logs: Vec<LogPart>,
    pub(crate) notes: Vec<Note>,
    pub(crate) threads: usize,
    /// What earlier snapshots of the same store have folded.
    pub(crate) kept: Option<Arc<Kept>>,
    /// Files that were found to hold the bytes that were written.
    pub(crate) sound: Mutex<HashSet<PathBuf>>,
}

impl Snapshot {
    /// What was wrong with the store when the snapshot was taken. What is
    /// found broken while reading is in the answers' own notes.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Whether folded cells are kept ([`crate::Store::keeping`]).
    pub fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Live segments, in the order of their days.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Segments that hold events of `window`.
    pub fn segments_in(&self, window: Window) -> impl Iterator<Item = &Segment> {
        self.segments
            .iter()
            .filter(move |segment| segment.overlaps(window))
    }

    /// Where a segment's Parquet file lies.
    pub fn segment_path(&self, segment: &Segment) -> PathBuf {
        self.home.root().join(&segment.path)
    }

    /// The segments that hold events of `window` and whose files hold the
    /// bytes that were written ([`Self::check`], on all threads), and notes on
    /// the others.
    pub fn sound_segments(&self, window: Window) -> (Vec<&Segment>, Vec<Note>) {
        let segments: Vec<&Segment> = self.segments_in(window).collect();
        let checked = side_by_side(self.threads, &segments, |segment| self.check(segment));
        let (mut sound, mut notes) = (Vec::with_capacity(segments.len()), Vec::new());
        for (segment, checked) in segments.into_iter().zip(checked) {
            match checked {
                Ok(()) => sound.push(segment),
                Err(error) => notes.push(self.unreadable(segment, &error)),
            }
        }
        (sound, notes)
    }

    /// What is to be said of lines that hold no event, by log.
    pub(crate) fn notes_on(&self, mut broken: HashMap<PathBuf, Broken>) -> Vec<Note> {
        let of = |log: &LogPart| broken.remove(&log.path)?.note(&log.path, &log.file);
        self.logs.iter().filter_map(of).collect()
    }

    pub(crate) fn unreadable(&self, segment: &Segment, error: &StoreError) -> Note {
        Note::UnreadableSegment {
            file: self.segment_path(segment),
            rows: segment.rows,
            why: describe(error),
        }
    }

    /// Fails where a segment's file does not hold the bytes that were written.
    ///
    /// Parquet pages carry no checksum here (parquet-rs 59 checks them but
    /// cannot write them), and a flipped bit in a page may decompress to another
    /// figure. So whoever reads a segment asks this first. Reads the whole
    /// file, once a snapshot: 1.1 ms a million events where a report of them
    /// takes 100 ms. That a file was sound yesterday and has the same inode,
    /// size and time says nothing of its bits, so nothing is remembered longer.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], or when the file cannot be read.
    pub fn check(&self, segment: &Segment) -> Result<(), StoreError> {
        self.check_file(&self.segment_path(segment), &segment.checksum)
    }

    pub(crate) fn check_file(&self, path: &Path, checksum: &str) -> Result<(), StoreError> {
        let sound = || self.sound.lock().unwrap_or_else(PoisonError::into_inner);
        if !sound().contains(path) {
            disk::check(path, checksum)?;
            sound().insert(path.to_owned());
        }
        Ok(())
    }

    /// The folder that everything lies in.
    pub fn root(&self) -> &Path {
        self.home.root()
    }

    /// The unsealed log, cut into about `parts` stretches of like size that
    /// can be decoded at the same time.
    pub fn log_parts(&self, parts: usize) -> Vec<LogPart> {
        let bytes: u64 = self.logs.iter().map(LogPart::bytes).sum();
        let each = (bytes / parts.max(1) as u64).max(1);
        self.logs
            .iter()
            .flat_map(|log| log.split(usize::try_from(log.bytes().div_ceil(each)).unwrap_or(1)))
            .collect()
    }

    /// Bytes of unsealed log.
    pub fn log_bytes(&self) -> u64 {
        self.logs.iter().map(LogPart::bytes).sum()
    }

    /// About how many events lie in `window`: for deciding whether an exact
    /// answer is affordable. Reads nothing.
    pub fn estimated_rows(&self, window: Window) -> u64 {
        let sealed: u64 = self.segments.iter().map(|s| s.estimated_rows(window)).sum();
        // A line of the log is about this long.
        sealed + self.log_bytes().div_ceil(160)
    }

    /// Folds the events of `window`: from rollups where they fit (unless
    /// exact), else from the events themselves, and the unsealed log.
    ///
    /// # Errors
    /// When the operating system fails; broken data is in the notes.
    pub fn cells(&self, window: Window, spec: &FoldSpec) -> Result<Folded, StoreError> {
        cells::cells(self, window, spec)
    }

    /// The latest sessions of `window`, at most `limit`. More than a million
    /// are not told apart: then those of the newest files are, and a note says
    /// so.
    ///
    /// # Errors
    /// When the operating system fails; broken data is in the notes.
    pub fn sessions(&self, window: Window, limit: usize) -> Result<Listed, StoreError> {
        self.sessions_of(None, window, limit)
    }

    /// As [`Self::sessions`], of those sessions in which an agent did something
    /// within the window.
    ///
    /// # Errors
    /// As [`Self::sessions`].
    pub fn sessions_of(
        &self,
        agent: Option<&str>,
        window: Window,
        limit: usize,
    ) -> Result<Listed, StoreError> {
        let wanted = sessions::Wanted {
            window,
            agent,
            limit,
        };
        sessions::list(self, wanted, sessions::MOST)
    }
}

/// Does work on several threads; returns what came of it in the order of the
/// items.
pub(crate) fn side_by_side<'a, T: Sync, R: Send>(
    threads: usize,
    items: &'a [T],
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match items.get(at) {
                Some(item) => done.push((at, work(item))),
                None => return done,
            }
        }
    };
    let mut all = std::thread::scope(|scope| {
        let others = 1..threads.min(items.len());
        let others: Vec<_> = others.map(|_| scope.spawn(run)).collect();
        let mut all = run();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, done)| done).collect()
}
