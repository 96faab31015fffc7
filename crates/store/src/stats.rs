//! What the store holds, in numbers. Fast: counts newlines, parses times only.

use std::path::PathBuf;

use memchr::memchr_iter;
use tachograph_model::{Event, UnixNanos};

use crate::decode::{LogPart, newlines, read_at};
use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, unsealed};
use crate::note::Note;
use crate::snapshot::open_logs;
use crate::store::Store;

/// Storage in numbers. The first five are the first seed's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageStats {
    /// Files of the log and of segments.
    pub file_count: u64,
    /// Lines of the log, blank and broken ones included, and sealed events.
    pub total_events: u64,
    /// Bytes of the log and of segments.
    pub total_size_bytes: u64,
    /// Time of the latest event.
    pub latest_event_time: Option<UnixNanos>,
    /// The home.
    pub storage_dir: PathBuf,
    /// Files of the log.
    pub log_files: u64,
    /// Lines of the log that are not sealed.
    pub log_lines: u64,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Sealed events.
    pub segment_events: u64,
    /// Bytes of segments.
    pub segment_bytes: u64,
    /// Bytes of rollups.
    pub rollup_bytes: u64,
    /// Lines that hold no event, kept in `rejected.jsonl`.
    pub rejected_lines: u64,
    /// What is wrong with the store.
    pub notes: Vec<Note>,
}

impl Store {
    /// Counts what the store holds.
    ///
    /// Reads the unsealed log once; sealed events cost nothing.
    ///
    /// # Errors
    /// When the operating system fails.
    pub fn stats(&self) -> Result<StorageStats, StoreError> {
        let (logs, notes) = open_logs(&self.home)?;
        let (manifest, note) = Manifest::load(&self.home)?;
        let mut stats = StorageStats {
            storage_dir: self.home.root().to_owned(),
            log_files: logs.len() as u64,
            log_bytes: logs.iter().map(|(log, _)| log.len).sum(),
            segments: manifest.segments.len() as u64,
            segment_events: manifest.segments.iter().map(|s| s.rows).sum(),
            segment_bytes: manifest.segments.iter().map(|s| s.bytes).sum(),
            rejected_lines: self.rejected_lines(&manifest),
            notes,
            ..StorageStats::default()
        };
        stats.notes.extend(note);
        let mut latest = manifest.segments.iter().map(|s| s.max_time).max();
        for (log, _) in unsealed(&manifest, logs)? {
            let failed = || StoreError::io("read", &log.path);
            stats.log_lines += lines(&log).map_err(failed())?;
            latest = latest.max(latest_time(&log, latest).map_err(failed())?);
        }
        for derived in crate::rollup::DERIVED {
            for file in disk::files_below(&self.home.rollups().join(derived))? {
                stats.rollup_bytes += file.metadata().map_or(0, |metadata| metadata.len());
            }
        }
        stats.latest_event_time = latest.map(UnixNanos);
        stats.file_count = stats.log_files + stats.segments;
        stats.total_events = stats.log_lines + stats.segment_events;
        stats.total_size_bytes = stats.log_bytes + stats.segment_bytes;
        Ok(stats)
    }
}

/// Lines, a last one without newline included.
fn lines(log: &LogPart) -> std::io::Result<u64> {
    let mut last = [b'\n'];
    if log.len > log.from {
        read_at(&log.file, &mut last, log.len - 1)?;
    }
    let torn = u64::from(last[0] != b'\n');
    Ok(newlines(&log.file, log.from, log.len)? + torn)
}

const START: &[u8] = b"{\"timestamp\":\"";
const READ_BYTES: usize = 1 << 20;

/// The latest event of a log, if it is later than `than`. Looks at the start
/// of each line, and decodes only a line that seems to be the latest.
fn latest_time(log: &LogPart, than: Option<i64>) -> std::io::Result<Option<i64>> {
    let mut latest = than;
    let mut buffer = Vec::new();
    let mut at = log.from;
    loop {
        let kept = buffer.len();
        buffer.resize(kept + READ_BYTES, 0);
        let left = usize::try_from(log.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let want = left.min(READ_BYTES);
        let read = read_at(&log.file, &mut buffer[kept..kept + want], at)?;
        buffer.truncate(kept + read);
        at += read as u64;
        let end = if read == 0 {
            buffer.len()
        } else {
            memchr::memrchr(b'\n', &buffer).map_or(0, |end| end + 1)
        };
        look(&buffer[..end], &mut latest);
        buffer.drain(..end);
        // A line that long holds no event.
        if buffer.len() > tachograph_model::MAX_LINE_BYTES {
            buffer.clear();
        }
        if read == 0 {
            return Ok(latest);
        }
    }
}

/// From the end, because logs ascend: then one line is decoded, not all.
fn look(block: &[u8], latest: &mut Option<i64>) {
    let mut end = block.len();
    let ends: Vec<usize> = memchr_iter(b'\n', block).collect();
    for newline in ends.iter().rev() {
        visit(&block[newline + 1..end], latest);
        end = *newline;
    }
    visit(&block[..end], latest);
}

fn visit(line: &[u8], latest: &mut Option<i64>) {
    let time = line.strip_prefix(START).and_then(|rest| {
        let text = rest.get(..memchr::memchr(b'"', &rest[..rest.len().min(48)])?)?;
        UnixNanos::parse(std::str::from_utf8(text).ok()?, true).ok()
    });
    let may_be = time.is_none_or(|time| latest.is_none_or(|latest| time.0 > latest));
    if may_be
        && !line.is_empty()
        && let Ok(event) = Event::from_line(line)
    {
        *latest = (*latest).max(Some(event.time.0));
    }
}
