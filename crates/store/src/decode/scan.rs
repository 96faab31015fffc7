//! A log, or a stretch of one, as record batches.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use memchr::memchr;
use memchr::memmem::Finder;
use tachograph_log::FileId;
use tachograph_model::{Decoder, LineError, MAX_LINE_BYTES, Window};

use super::builder::BatchBuilder;
use crate::error::StoreError;
use crate::note::{BrokenLine, Note};

/// Rows in a batch.
pub const BATCH_ROWS: usize = 8_192;
/// Bytes read at once: what fits a processor's second-level cache.
const READ_BYTES: usize = 512 << 10;
/// Broken lines that are named; the rest is only counted.
const NAMED: usize = 3;
/// The end of a rejected line that has not come yet.
const OPEN: u64 = u64::MAX;

/// A stretch of a log: the lines that begin in it. The file is held open, so
/// it stays readable when it is rotated, sealed or deleted meanwhile.
#[derive(Clone, Debug)]
pub struct LogPart {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
    /// Which file it is, by whatever name.
    pub(crate) id: FileId,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Size of the file when the snapshot was taken: nothing behind is read.
    pub(crate) len: u64,
    /// The last line may still be being written.
    pub(crate) live: bool,
}

impl LogPart {
    /// Where the log lay when the snapshot was taken.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the stretch.
    pub fn bytes(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// Decodes the stretch: some columns (names as in [`crate::schema`]) of
    /// the events in `window`, in batches of at most `rows` ([`BATCH_ROWS`] is
    /// a good choice).
    ///
    /// Memory is one batch and half a megabyte.
    pub fn scan(&self, columns: &[&str], window: Window, rows: usize) -> LogScan {
        LogScan {
            part: self.clone(),
            decoder: Decoder::default(),
            builder: BatchBuilder::new(columns, window),
            batch_rows: rows.max(1),
            buffer: Vec::new(),
            at: 0,
            base: self.from.saturating_sub(1),
            state: if self.from == 0 {
                State::Lines
            } else {
                State::Skipping
            },
            broken: Broken::default(),
            rejected: None,
        }
    }

    /// Whether an event in it may have this text in a column: a text that is
    /// written as it is stands in it, byte by byte, and one that is not has
    /// signs that say so.
    pub(crate) fn may_hold(&self, text: &str) -> bool {
        let escaped = |byte: u8| matches!(byte, b'"' | b'\\' | b'/' | 0..b' ');
        if text.bytes().any(escaped) {
            return true;
        }
        let (text, sign) = (Finder::new(text), Finder::new("\\u"));
        // The last line begins in the stretch, and may end behind it.
        let keep = text.needle().len().max(2) - 1;
        let (mut buffer, mut at) = (Vec::new(), self.from);
        while at < self.len {
            let held = buffer.len();
            buffer.resize(held + READ_BYTES, 0);
            let Ok(read) = read_at(&self.file, &mut buffer[held..], at) else {
                // Whoever decodes it says what is wrong.
                return true;
            };
            buffer.truncate(held + read);
            let end = match at >= self.to {
                true => memchr(b'\n', &buffer[held..]).map(|end| held + end),
                false => None,
            };
            let piece = &buffer[..end.unwrap_or(buffer.len())];
            if text.find(piece).is_some() || sign.find(piece).is_some() {
                return true;
            }
            if end.is_some() || read == 0 {
                return false;
            }
            at += read as u64;
            buffer.drain(..buffer.len().saturating_sub(keep));
        }
        false
    }

    /// Cuts the stretch at every so many bytes from where it starts.
    pub(crate) fn split_every(&self, bytes: u64) -> Vec<Self> {
        let starts = (self.from..self.to).step_by(usize::try_from(bytes).unwrap_or(usize::MAX));
        let part = |from: u64| Self {
            from,
            to: (from + bytes).min(self.to),
            ..self.clone()
        };
        starts.map(part).collect()
    }

    /// Cuts the stretch into about `parts` of like size, none below 1 MiB.
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let size = (self.bytes() / parts.max(1) as u64).max(1 << 20);
        let mut list = Vec::new();
        let mut from = self.from;
        while from < self.to {
            let mut to = (from + size).min(self.to);
            if self.to - to < size / 2 {
                to = self.to;
            }
            list.push(Self {
                from,
                to,
                ..self.clone()
            });
            from = to;
        }
        list
    }
}

/// Lines that hold no event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken {
    pub(crate) count: u64,
    /// Offset of the line and what is wrong with it.
    pub(crate) first: Vec<(u64, LineError)>,
}

impl Broken {
    fn add(&mut self, offset: u64, why: LineError) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((offset, why));
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
        self.first.sort_by_key(|(offset, _)| *offset);
        self.first.truncate(NAMED);
    }

    /// Looks up the line numbers, which takes reading the log up to there.
    pub(crate) fn note(&self, path: &Path, file: &File) -> Option<Note> {
        if self.count == 0 {
            return None;
        }
        let (mut line, mut at) = (1, 0);
        let first = self
            .first
            .iter()
            .map(|(offset, why)| {
                line += newlines(file, at, *offset).unwrap_or(0);
                at = *offset;
                BrokenLine {
                    line,
                    why: why.clone(),
                }
            })
            .collect();
        Some(Note::BrokenLines {
            file: path.to_owned(),
            count: self.count,
            first,
        })
    }
}

/// Counts the newlines in a stretch of a file.
pub(crate) fn newlines(file: &File, from: u64, to: u64) -> io::Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let (mut at, mut count) = (from, 0);
    while at < to {
        let want = usize::try_from(to - at)
            .unwrap_or(usize::MAX)
            .min(READ_BYTES);
        let read = read_at(file, &mut buffer[..want], at)?;
        if read == 0 {
            break;
        }
        count += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        at += read as u64;
    }
    Ok(count)
}

/// Batches of a [`LogPart`].
pub struct LogScan {
    part: LogPart,
    decoder: Decoder,
    builder: BatchBuilder,
    batch_rows: usize,
    buffer: Vec<u8>,
    /// Place in `buffer` of what comes next.
    at: usize,
    /// Offset in the file of `buffer[0]`.
    base: u64,
    state: State,
    broken: Broken,
    /// Where lines that hold no event begin and end, for keeping them.
    rejected: Option<Vec<(u64, u64)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Lines,
    /// On the way to the next newline.
    Skipping,
    Done,
}

impl LogScan {
    /// The schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        self.builder.schema()
    }

    /// Notes the places of lines that hold no event.
    pub(crate) fn keep_rejected(&mut self) {
        self.rejected = Some(Vec::new());
    }

    /// What was broken, and where if that was kept.
    pub(crate) fn into_broken(self) -> (Broken, Vec<(u64, u64)>) {
        (self.broken, self.rejected.unwrap_or_default())
    }

    /// A note on lines that were skipped so far.
    pub fn note(&self) -> Option<Note> {
        self.broken.note(&self.part.path, &self.part.file)
    }

    fn fill_batch(&mut self) -> Result<(), StoreError> {
        while self.state != State::Done
            && self.builder.rows() < self.batch_rows
            && !self.builder.is_heavy()
        {
            let offset = self.base + self.at as u64;
            if self.state == State::Lines && offset >= self.part.to {
                self.state = State::Done;
                break;
            }
            let rest = &self.buffer[self.at..];
            match memchr(b'\n', rest) {
                Some(end) => {
                    let (from, to) = (self.at, self.at + end);
                    self.at = to + 1;
                    if self.state == State::Skipping {
                        self.end_long_line(offset + end as u64);
                        self.state = State::Lines;
                    } else {
                        self.line(from, to, offset, true);
                    }
                }
                None => self.refill()?,
            }
        }
        Ok(())
    }

    fn line(&mut self, from: usize, to: usize, offset: u64, ended: bool) {
        let line = &self.buffer[from..to];
        match self.decoder.decode(line, &mut self.builder) {
            Ok(()) => self.builder.end_line(),
            Err(_) if line.iter().all(u8::is_ascii_whitespace) => {}
            // Still being written.
            Err(_) if !ended && self.part.live => {}
            Err(why) => {
                self.broken.add(offset, why);
                if let Some(rejected) = &mut self.rejected {
                    rejected.push((offset, offset + line.len() as u64));
                }
            }
        }
    }

    fn end_long_line(&mut self, end: u64) {
        if let Some((_, to)) = self.rejected.as_mut().and_then(|list| list.last_mut())
            && *to == OPEN
        {
            *to = end;
        }
    }

    /// Reads on; deals with a line that has no newline.
    fn refill(&mut self) -> Result<(), StoreError> {
        let held = self.buffer.len() - self.at;
        let offset = self.base + self.at as u64;
        if self.state == State::Skipping {
            self.buffer.clear();
        } else if held > MAX_LINE_BYTES {
            self.broken.add(
                offset,
                LineError::TooLong {
                    limit: MAX_LINE_BYTES,
                },
            );
            if let Some(rejected) = &mut self.rejected {
                // Where it ends is not known yet.
                rejected.push((offset, OPEN));
            }
            self.state = State::Skipping;
            self.buffer.clear();
        } else {
            self.buffer.drain(..self.at);
        }
        self.base = offset + (held - self.buffer.len()) as u64;
        self.at = 0;
        let kept = self.buffer.len();
        let next = self.base + kept as u64;
        let left = usize::try_from(self.part.len.saturating_sub(next)).unwrap_or(usize::MAX);
        self.buffer.resize(kept + left.min(READ_BYTES), 0);
        let read = read_at(&self.part.file, &mut self.buffer[kept..], next)
            .map_err(StoreError::io("read", &self.part.path))?;
        self.buffer.truncate(kept + read);
        if read == 0 {
            if kept > 0 && self.state == State::Lines {
                self.line(0, kept, offset, false);
            }
            self.end_long_line(next);
            self.state = State::Done;
        }
        Ok(())
    }
}

impl Iterator for LogScan {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.fill_batch() {
            self.state = State::Done;
            return Some(Err(error));
        }
        (self.builder.rows() > 0).then(|| self.builder.finish())
    }
}

#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    loop {
        match file.read_at(buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
