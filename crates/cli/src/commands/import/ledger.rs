//! Which records have been imported, so that none is twice.
//!
//! Each record has a fingerprint of 64 bits: of its query's id, or of all it
//! says but texts; of equal records in one file, the second has another than
//! the first. `imports/seen` holds the fingerprints, eight bytes each.
//!
//! A batch goes into the log and into `imports/seen`, and a kill may come
//! between the two. So `imports/pending` says beforehand where in the log the
//! batch will lie; whoever comes next looks there, and knows how much of it
//! arrived. `imports/lock` is held by an import while it lives, the lock on
//! `imports/pending` while it lives and has a batch on the way.
//!
//! Whoever comes next may be another import, a report or a seal, and several
//! at once; `imports/settle.lock` lets them settle one after the other. A seal
//! waits for it before it deletes the log that a batch of the dead may lie in.
//!
//! Space: 8 bytes a record. A million records share a fingerprint with a
//! chance of 1 in 37 million.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tachograph_log::{Appender, FileId, Home};
use tachograph_model::{Column, Event, Kind};

use super::present::Present;
use crate::exit::Result;

/// Lines are appended in batches of about this many bytes.
const BATCH_BYTES: usize = 1024 * 1024;

/// The list of imported records, open.
pub struct Ledger {
    seen: HashSet<u64>,
    /// How often a record's content came in this file so far.
    occurrences: HashMap<u64, u32>,
    /// How often it is in the home, of those that this file may hold.
    present: Present,
    lines: Vec<u8>,
    batch: Vec<Line>,
    /// None: a dry run.
    keep: Option<Keep>,
}

struct Keep {
    home: Home,
    log: Appender,
    seen: File,
    _lock: File,
}

/// A line of a batch.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Line {
    fingerprint: u64,
    /// Of the line's bytes.
    hash: u64,
    len: u64,
}

/// Where a batch is going to lie.
#[derive(Serialize, Deserialize)]
struct Pending {
    inode: u64,
    born: i64,
    offset: u64,
    lines: Vec<Line>,
}

/// Settles a batch that an import was killed over. Cheap when there is none;
/// to be called before the log is sealed.
///
/// # Errors
/// When the home cannot be written.
pub fn settle_interrupted(home: &Home) -> Result<()> {
    let folder = home.root().join("imports");
    if !folder.join("pending").exists() {
        return Ok(());
    }
    let one_by_one = open_private(
        &folder.join("settle.lock"),
        OpenOptions::new().append(true).create(true),
    )?;
    one_by_one
        .lock()
        .context("cannot lock imports/settle.lock")?;
    let mut pending = match File::open(folder.join("pending")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        pending => pending.context("cannot read imports/pending")?,
    };
    match pending.try_lock() {
        // One that is alive, and has begun its next batch meanwhile.
        Ok(()) if !is_in_place(&pending, &folder)? => Ok(()),
        Ok(()) => settle(home, &folder, &mut pending),
        // A live import settles its own.
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock imports/pending"),
    }
}

impl Ledger {
    /// Opens the list of `home`, and settles what an earlier import left.
    ///
    /// # Errors
    /// When it can neither be read nor made.
    pub fn open(home: &Home, dry_run: bool) -> Result<Self> {
        let folder = home.root().join("imports");
        let mut ledger = Self {
            seen: HashSet::new(),
            occurrences: HashMap::new(),
            present: Present::new(),
            lines: Vec::new(),
            batch: Vec::new(),
            keep: None,
        };
        if !dry_run {
            Home::create(&folder)?;
            let lock = lock(&folder)?;
            lock.lock().context("cannot lock imports")?;
            settle_interrupted(home)?;
            let seen = open_seen(&folder)?;
            ledger.keep = Some(Keep {
                home: home.clone(),
                log: Appender::new(home),
                seen,
                _lock: lock,
            });
        }
        ledger.seen = read_seen(&folder)?;
        Ok(ledger)
    }

    /// Begins a file, given what the home holds of what it may hold.
    pub fn begin_file(&mut self, present: Present) {
        self.present = present;
    }

    /// Takes an event unless it is there already; tells whether it was taken.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn offer(&mut self, event: &Event) -> Result<bool> {
        let content = content(event);
        let occurrence = self.occurrences.entry(content).or_default();
        let fingerprint = if *occurrence == 0 {
            content
        } else {
            hash(&[&content.to_le_bytes()[..], &occurrence.to_le_bytes()].concat())
        };
        let recorded = self.present.get(&content).copied().unwrap_or(0);
        let is_present = *occurrence < recorded;
        *occurrence += 1;
        if is_present || !self.seen.insert(fingerprint) {
            return Ok(false);
        }
        if self.keep.is_some() {
            let line = event.to_line();
            self.batch.push(Line {
                fingerprint,
                hash: hash(&line),
                len: line.len() as u64,
            });
            self.lines.extend_from_slice(&line);
            if self.lines.len() >= BATCH_BYTES {
                self.commit()?;
            }
        }
        Ok(true)
    }

    /// Ends a file: its batch is committed, the next one's records count anew.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn end_of_file(&mut self) -> Result<()> {
        self.occurrences.clear();
        self.present.clear();
        self.commit()
    }

    /// Ends the import.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn close(mut self) -> Result<()> {
        self.commit()
    }

    fn commit(&mut self) -> Result<()> {
        let Some(keep) = &mut self.keep else {
            return Ok(());
        };
        if self.batch.is_empty() {
            return Ok(());
        }
        let folder = keep.home.root().join("imports");
        let mut locked = keep.log.lock()?;
        let place = locked.prepare()?;
        let _alive = write_pending(
            &folder,
            &Pending {
                inode: place.file.inode,
                born: place.file.born,
                offset: place.offset,
                lines: self.batch.clone(),
            },
        )?;
        crash_here("pending");
        if let Err(error) = locked.write(&self.lines) {
            // Nobody need look for what did not arrive.
            if error.kept_bytes > 0 {
                let kept = whole_lines(&self.batch, error.kept_bytes);
                tick_off(&mut keep.seen, &self.batch[..kept])?;
            }
            remove_pending(&folder)?;
            return Err(error.into());
        }
        drop(locked);
        // Written is written: should a later step fail, nobody may write it
        // again; the note of it tells the next import what to tick off.
        self.lines.clear();
        let batch = std::mem::take(&mut self.batch);
        crash_here("written");
        // On disk before it is ticked off: what is ticked off never comes again.
        keep.log.sync()?;
        tick_off(&mut keep.seen, &batch)?;
        crash_here("seen");
        remove_pending(&folder)
    }
}

/// Tests kill an import at these points.
fn crash_here(point: &str) {
    if cfg!(debug_assertions) && std::env::var_os("TACHO_TEST_CRASH").is_some_and(|at| at == point)
    {
        std::process::abort();
    }
}

/// What makes two records the same.
pub fn content(event: &Event) -> u64 {
    if let Some(id) = event.str(Column::Id).filter(|id| !id.is_empty())
        && matches!(
            event.event_type.as_str(),
            "query" | "agent_selection" | "tool_usage"
        )
    {
        let tool = match event.event_type.as_str() {
            "tool_usage" => event.str(Column::Name).unwrap_or_default(),
            _ => "",
        };
        return hash([event.event_type.as_str(), id, tool].join("\0").as_bytes());
    }
    let mut bare = event.clone();
    bare.set(Column::Text, None);
    let kind = Kind::by_name(&event.event_type);
    bare.extra.retain(|key, json| {
        let field = kind.and_then(|kind| kind.fields.iter().find(|field| field.key == *key));
        // `3` where the column holds 3.0: `record` keeps the number only.
        let spelt = field.is_some_and(|field| event.f64(field.column).is_some());
        !spelt && !json.starts_with(['"', '{', '['])
    });
    hash(&bare.to_line())
}

fn hash(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}

fn lock(folder: &Path) -> Result<File> {
    open_private(
        &folder.join("lock"),
        OpenOptions::new().append(true).create(true),
    )
}

fn open_seen(folder: &Path) -> Result<File> {
    let path = folder.join("seen");
    let file = open_private(
        &path,
        OpenOptions::new().append(true).read(true).create(true),
    )?;
    // A torn last number, of a kill while it was written.
    let len = file.metadata()?.len();
    if len % 8 != 0 {
        file.set_len(len - len % 8)?;
    }
    Ok(file)
}

fn read_seen(folder: &Path) -> Result<HashSet<u64>> {
    let path = folder.join("seen");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        bytes => bytes.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let numbers = bytes
        .chunks_exact(8)
        .filter_map(|chunk| chunk.try_into().ok());
    Ok(numbers.map(u64::from_le_bytes).collect())
}

fn tick_off(seen: &mut File, lines: &[Line]) -> Result<()> {
    let bytes: Vec<u8> = lines
        .iter()
        .flat_map(|line| line.fingerprint.to_le_bytes())
        .collect();
    seen.write_all(&bytes)
        .context("cannot write imports/seen")?;
    seen.sync_data().context("cannot write imports/seen")?;
    Ok(())
}

/// Returns the file, locked for as long as it is held.
fn write_pending(folder: &Path, pending: &Pending) -> Result<File> {
    let beside = folder.join("pending.tmp");
    let mut file = open_private(
        &beside,
        OpenOptions::new().write(true).create(true).truncate(true),
    )?;
    file.lock().context("cannot lock imports/pending")?;
    file.write_all(&serde_json::to_vec(pending)?)?;
    file.sync_data()?;
    fs::rename(&beside, folder.join("pending")).context("cannot write imports/pending")?;
    Ok(file)
}

fn remove_pending(folder: &Path) -> Result<()> {
    match fs::remove_file(folder.join("pending")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).context("cannot remove imports/pending")
        }
        _ => Ok(()),
    }
}

fn is_in_place(pending: &File, folder: &Path) -> Result<bool> {
    let opened = FileId::of(&pending.metadata()?);
    match fs::metadata(folder.join("pending")) {
        Ok(meta) => Ok(FileId::of(&meta) == opened),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).context("cannot read imports/pending"),
    }
}

fn settle(home: &Home, folder: &Path, pending: &mut File) -> Result<()> {
    let mut bytes = Vec::new();
    pending
        .read_to_end(&mut bytes)
        .context("cannot read imports/pending")?;
    if let Ok(pending) = serde_json::from_slice::<Pending>(&bytes) {
        let seen = read_seen(folder)?;
        let arrived = arrived(home, &pending)?;
        let fresh: Vec<Line> = pending.lines[..arrived]
            .iter()
            .copied()
            .filter(|line| !seen.contains(&line.fingerprint))
            .collect();
        tick_off(&mut open_seen(folder)?, &fresh)?;
    }
    remove_pending(folder)
}

/// How many lines of a batch its first `bytes` hold.
fn whole_lines(batch: &[Line], bytes: u64) -> usize {
    let ends = batch.iter().scan(0, |end, line| {
        *end += line.len;
        Some(*end)
    });
    ends.take_while(|end| *end <= bytes).count()
}

/// How many lines of a batch are in the log. The file is found by what it is,
/// whatever it is called by now.
fn arrived(home: &Home, pending: &Pending) -> Result<usize> {
    let id = FileId {
        inode: pending.inode,
        born: pending.born,
    };
    let files = home.files()?.files;
    let Some(file) = files.into_iter().find(|file| file.id == id) else {
        // Sealed and deleted. Whoever seals first rotates the log and then
        // settles; it leaves a batch only to an import that is alive, and one
        // that is alive after the rotation has written it, because it holds
        // the log's lock from its note to its write.
        return Ok(pending.lines.len());
    };
    let mut log = File::open(&file.path)
        .with_context(|| format!("cannot read {}", PathBuf::from(&file.path).display()))?;
    log.seek(SeekFrom::Start(pending.offset))?;
    let mut line = Vec::new();
    for (at, expected) in pending.lines.iter().enumerate() {
        line.clear();
        (&log).take(expected.len).read_to_end(&mut line)?;
        if line.len() as u64 + 1 == expected.len {
            // The next writer ends a line that lacks its end alone.
            line.push(b'\n');
        }
        if hash(&line) != expected.hash {
            return Ok(at);
        }
    }
    Ok(pending.lines.len())
}

fn open_private(path: &Path, options: &mut OpenOptions) -> Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_whole_are_counted() {
        let lines = [10, 20, 1].map(|len| Line {
            fingerprint: 0,
            hash: 0,
            len,
        });
        for (bytes, whole) in [(0, 0), (9, 0), (10, 1), (29, 1), (30, 2), (31, 3), (99, 3)] {
            assert_eq!(whole_lines(&lines, bytes), whole, "{bytes}");
        }
    }
}
