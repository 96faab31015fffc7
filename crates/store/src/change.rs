//! What everyone who changes segments does first, and what they share: the
//! lock, the manifest, what a killed one left behind, names for new segments.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tachograph_log::Home;
use tachograph_model::UnixNanos;

use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, Segment, Source, name_of};
use crate::note::Note;
use crate::rollup::{DERIVED, write_derived};
use crate::seal::SealOptions;
use crate::segment::{Batch, Sorted, write_segment};
use crate::store::Store;

/// Readers of a retired segment have so long to finish.
const GRACE: Duration = Duration::from_secs(60);

/// A change under way. Nobody else changes segments until it is dropped.
pub(crate) struct Change {
    pub(crate) manifest: Manifest,
    /// Said when the manifest had to be made again.
    pub(crate) note: Option<Note>,
    _lock: File,
}

impl Store {
    /// Writes a step's segments and their rollups, a day each; none of them
    /// counts before the manifest names it.
    pub(crate) fn write_parts(
        &self,
        days: &[Sorted],
        id: String,
        sources: Vec<Source>,
        replaces: Vec<String>,
        options: &mut SealOptions<'_>,
    ) -> Result<Vec<Segment>, StoreError> {
        let mut batch = Batch {
            id,
            part: 0,
            of: days.len(),
            sources,
            replaces,
        };
        let mut written = Vec::with_capacity(days.len());
        for (part, sorted) in days.iter().enumerate() {
            options.at("segment")?;
            batch.part = part;
            let mut segment = write_segment(&self.home, sorted, &batch)?;
            options.at("rollup")?;
            segment.set_tiers(write_derived(&self.home, sorted, &segment.id)?);
            written.push(segment);
        }
        Ok(written)
    }

    /// Takes the lock, loads the manifest (makes it again where it is damaged)
    /// and clears away what a killed change left. `None` where there is no
    /// home, and nothing to change: none is made.
    pub(crate) fn begin(
        &self,
        options: &mut SealOptions<'_>,
    ) -> Result<Option<Change>, StoreError> {
        if self.read_only {
            return Err(StoreError::ReadOnly {
                home: self.home.root().to_owned(),
            });
        }
        if !self.home.root().exists() {
            return Ok(None);
        }
        let lock = self.lock(options.wait)?;
        let (mut manifest, note) = Manifest::load(&self.home)?;
        if note.is_some() {
            manifest.save(&self.home)?;
        }
        options.at("clean")?;
        self.clean(&mut manifest)?;
        Ok(Some(Change {
            manifest,
            note,
            _lock: lock,
        }))
    }

    /// Takes the lock of those who change segments; it is let go when dropped.
    fn lock(&self, wait: Duration) -> Result<File, StoreError> {
        let path = self.home.lock();
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let file =
            disk::open_private(&path, &mut options).map_err(StoreError::io("open", &path))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if start.elapsed() < wait => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Busy {
                        home: self.home.root().to_owned(),
                    });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(StoreError::io("lock", &path)(error));
                }
            }
        }
    }

    /// Removes what a killed seal left: temporary files, segments of steps
    /// that never came to count (their logs are still there), rollups of
    /// segments that are gone, and what was retired long enough ago.
    pub(crate) fn clean(&self, manifest: &mut Manifest) -> Result<(), StoreError> {
        let root = self.home.root();
        let now = UnixNanos::now();
        let grace = i64::try_from(GRACE.as_nanos()).unwrap_or(i64::MAX);
        let due = |at: i64| now.0.saturating_sub(at) >= grace || at > now.0;
        let (gone, kept): (Vec<_>, Vec<_>) =
            manifest.retired.drain(..).partition(|old| due(old.at));
        manifest.retired = kept;
        for old in &gone {
            disk::remove(&root.join(&old.path))?;
        }
        if !gone.is_empty() {
            manifest.save(&self.home)?;
        }
        let live: HashSet<&str> = manifest
            .segments
            .iter()
            .map(|segment| segment.id.as_str())
            .chain(manifest.retired.iter().map(|old| old.id.as_str()))
            .collect();
        let stem = |path: &PathBuf| {
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let kind = |path: &PathBuf| path.extension().map(|kind| kind.to_owned());
        for file in disk::files_below(&self.home.segments())? {
            let is = |wanted: &str| kind(&file).is_some_and(|kind| kind == wanted);
            let leftover = is("tmp")
                || is("parquet")
                    && !live.contains(stem(&file).as_str())
                    && self.is_leftover(&file, manifest);
            if leftover {
                disk::remove(&file)?;
            }
        }
        for derived in DERIVED {
            for file in disk::files_below(&self.home.rollups().join(derived))? {
                if !live.contains(stem(&file).as_str()) {
                    disk::remove(&file)?;
                }
            }
        }
        disk::remove(&self.home.manifest().with_extension("tmp"))
    }

    /// Whether a segment that the manifest does not name holds nothing that is
    /// not also in a log or in live segments.
    pub(crate) fn is_leftover(&self, file: &Path, manifest: &Manifest) -> bool {
        let Ok((batch, _)) = crate::segment::batch_of(file) else {
            return false;
        };
        if batch.id.is_empty() {
            return false;
        }
        let in_logs = batch
            .sources
            .iter()
            .any(|source| self.home.root().join(&source.name).exists());
        let in_segments = !batch.replaces.is_empty()
            && batch
                .replaces
                .iter()
                .all(|id| manifest.segments.iter().any(|segment| segment.id == *id));
        in_logs || in_segments
    }
}

/// A name that no segment has: the time in nanoseconds, in hex.
pub(crate) fn new_id(home: &Home, manifest: &Manifest) -> String {
    let mut now = UnixNanos::now().0;
    let taken = |id: &str| {
        let held = |other: &str| other.starts_with(id);
        manifest.segments.iter().any(|segment| held(&segment.id))
            || manifest.retired.iter().any(|old| held(&old.id))
            || disk::files_below(&home.segments())
                .is_ok_and(|files| files.iter().any(|file| held(&name_of(file))))
    };
    loop {
        let id = format!("{now:016x}");
        if !taken(&id) {
            return id;
        }
        now += 1;
    }
}
