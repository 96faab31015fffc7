//! Following the log: what any process appends is read as it comes, across
//! rotations.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::files::{FileId, LogFile};
use crate::home::{Home, HomeError};

/// How much is read at once, bytes.
const READ_BYTES: usize = 1 << 20;
/// A line longer than this is passed over, as every reader of the log does.
const MAX_LINE_BYTES: usize = 16 << 20;

/// Reads the log on from where it stands.
///
/// ```
/// use tachograph_log::{Appender, Follower, Home};
/// # let dir = tempfile::tempdir()?;
/// let home = Home::create(dir.path().join("home"))?;
/// let mut follower = Follower::at_end(&home)?;
/// Appender::new(&home).append(b"{}\n")?;
/// let mut lines = Vec::new();
/// follower.poll(&mut |whole_lines| lines.extend_from_slice(whole_lines))?;
/// assert_eq!(lines, b"{}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Invariants
/// - Whole lines only: what a writer is in the midst of waits for its newline.
/// - A log that is rotated between two polls is read to its end first; a log
///   that is deleted while it is held open as well.
/// - A log that is cut (by a writer whose batch a full disk would not take, or by
///   hand) is read on from where it ends then.
/// - Polling costs two looks at the live log (`stat`) while nothing happens.
#[derive(Debug)]
pub struct Follower {
    home: Home,
    at: Option<Reading>,
    /// Files that have been read, of those that are still there: a log that is
    /// deleted must not bring back what was rotated before it.
    read: Vec<FileId>,
    buffer: Vec<u8>,
}

/// A file of the log, and how far it has been read.
#[derive(Debug)]
struct Reading {
    file: File,
    id: FileId,
    offset: u64,
    /// The start of a line whose end has not come yet.
    torn: Vec<u8>,
    /// The line is too long: it is passed over up to its end.
    passing: bool,
}

impl Follower {
    /// Starts at the end of the log: what is there already is not read.
    ///
    /// # Errors
    /// When the home cannot be listed or its log not be opened.
    pub fn at_end(home: &Home) -> Result<Self, HomeError> {
        // Listed first: a log that is rotated before it is opened is among the
        // files that have been read.
        let listed = home.files()?.files;
        let mut follower = Self::after(home, &listed, listed.len());
        let log = follower.open(&home.log())?;
        follower.read.extend(log.iter().map(|reading| reading.id));
        if let Some(mut reading) = log {
            reading.offset = whole_lines_end(&mut reading.file)
                .map_err(|source| failed("read", &home.log(), source))?;
            follower.at = Some(reading);
        }
        Ok(follower)
    }

    /// Starts at the first line of the first of `files` (as [`Home::files`] has
    /// listed them) that is not among the first `passed`.
    pub fn after(home: &Home, files: &[LogFile], passed: usize) -> Self {
        Self {
            read: files.iter().take(passed).map(|file| file.id).collect(),
            ..Self::at_start(home)
        }
    }

    /// Starts at the first line of the oldest file of the log.
    pub fn at_start(home: &Home) -> Self {
        Self {
            home: home.clone(),
            at: None,
            read: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Hands on the whole lines that have come since the last call, in pieces
    /// that end with a newline; returns how many bytes.
    ///
    /// # Errors
    /// [`HomeError`] when the log cannot be read; the next call goes on where
    /// this one stopped.
    pub fn poll(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<u64, HomeError> {
        let mut bytes = 0;
        loop {
            if let Some(reading) = &mut self.at {
                bytes += reading
                    .read(&mut self.buffer, take)
                    .map_err(|source| failed("read", &self.home.log(), source))?;
                // The live log is still the file we read: all is read.
                if is_at(&self.home.log(), reading.id) {
                    return Ok(bytes);
                }
            }
            // Rotated, deleted or not begun: read what was written between the
            // last read and the rename, then go on to the next file.
            let Some(next) = self.next()? else {
                return Ok(bytes);
            };
            if let Some(mut old) = self.at.take() {
                bytes += old
                    .read(&mut self.buffer, take)
                    .map_err(|source| failed("read", &self.home.log(), source))?;
            }
            self.read.push(next.id);
            self.at = Some(next);
        }
    }

    /// The oldest file that has not been read; `None` when there is none yet.
    fn next(&mut self) -> Result<Option<Reading>, HomeError> {
        loop {
            let files = self.home.files()?.files;
            self.read
                .retain(|read| files.iter().any(|file| file.id == *read));
            let Some(file) = files.iter().find(|file| !self.read.contains(&file.id)) else {
                return Ok(None);
            };
            let opened = self.open(&file.path)?;
            // Renamed or removed since it was listed: look again.
            if let Some(reading) = opened.filter(|reading| reading.id == file.id) {
                return Ok(Some(reading));
            }
        }
    }

    fn open(&self, path: &Path) -> Result<Option<Reading>, HomeError> {
        let opened = File::open(path).and_then(|file| {
            let metadata = file.metadata()?;
            Ok((file, FileId::of(&metadata)))
        });
        match opened {
            Ok((file, id)) => Ok(Some(Reading {
                file,
                id,
                offset: 0,
                torn: Vec::new(),
                passing: false,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("open", path, source)),
        }
    }
}

impl Reading {
    /// Reads to the end of the file.
    fn read(&mut self, buffer: &mut Vec<u8>, take: &mut dyn FnMut(&[u8])) -> io::Result<u64> {
        let mut bytes = 0;
        let len = self.file.metadata()?.len();
        if len < self.offset {
            self.offset = len;
            self.torn.clear();
            self.passing = false;
        }
        // Looked at ten times a second and more, and mostly in vain.
        if len == self.offset {
            return Ok(0);
        }
        buffer.resize(READ_BYTES, 0);
        self.file.seek(SeekFrom::Start(self.offset))?;
        loop {
            let count = match self.file.read(buffer) {
                Ok(0) => return Ok(bytes),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.offset += count as u64;
            bytes += self.hand_on(&buffer[..count], take);
        }
    }

    fn hand_on(&mut self, mut piece: &[u8], take: &mut dyn FnMut(&[u8])) -> u64 {
        let mut bytes = 0;
        if self.passing || !self.torn.is_empty() {
            let Some(end) = memchr::memchr(b'\n', piece) else {
                self.keep_torn(piece);
                return 0;
            };
            if !self.passing {
                self.torn.extend_from_slice(&piece[..=end]);
                bytes += self.torn.len() as u64;
                take(&self.torn);
            }
            self.torn.clear();
            self.passing = false;
            piece = &piece[end + 1..];
        }
        let whole = memchr::memrchr(b'\n', piece).map_or(0, |end| end + 1);
        let (whole, rest) = piece.split_at(whole);
        if !whole.is_empty() {
            bytes += whole.len() as u64;
            take(whole);
        }
        self.keep_torn(rest);
        bytes
    }

    fn keep_torn(&mut self, piece: &[u8]) {
        if self.torn.len() + piece.len() > MAX_LINE_BYTES {
            self.torn = Vec::new();
            self.passing = true;
        } else if !self.passing {
            self.torn.extend_from_slice(piece);
        }
    }
}

/// Whether a path names this file now.
fn is_at(path: &Path, id: FileId) -> bool {
    fs::metadata(path).is_ok_and(|metadata| FileId::of(&metadata) == id)
}

/// Where the last whole line ends.
fn whole_lines_end(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut piece = vec![0; 64 * 1024];
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        let len = usize::try_from(end - start).unwrap_or(piece.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut piece[..len])?;
        if let Some(at) = memchr::memrchr(b'\n', &piece[..len]) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> HomeError {
    HomeError {
        what,
        path: path.to_owned(),
        source,
    }
}
