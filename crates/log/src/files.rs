//! Which files make up the log.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tachograph_model::UnixNanos;
use tachograph_model::time::{NANOS_PER_DAY, NANOS_PER_SECOND, calendar_of_day};

use crate::home::HomeError;

/// Tells a file from every other in the same folder, whatever it is called.
///
/// Inode numbers are used again after a file is deleted, so the time of birth
/// stands beside them where the file system knows it (ext4, xfs, btrfs, tmpfs;
/// 0 elsewhere).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileId {
    /// Inode number; 0 where there is none.
    pub inode: u64,
    /// Nanoseconds since the epoch at which the file was made; 0 if unknown.
    pub born: i64,
}

impl FileId {
    /// Reads it off a file's metadata.
    pub fn of(metadata: &Metadata) -> Self {
        let born = metadata
            .created()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_nanos()).ok())
            .unwrap_or(0);
        Self {
            inode: inode(metadata),
            born,
        }
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// One file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Which file it is, even after a rename.
    pub id: FileId,
    /// Its size in bytes when it was listed.
    pub len: u64,
    /// Whether it is the one that is appended to.
    pub live: bool,
}

/// What a home's log is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Regular files: rotated ones by name, which is by time, the live one last.
    pub files: Vec<LogFile>,
    /// What is called like a file of the log and is none (a directory, a
    /// dangling link): to be named in notes.
    pub skipped: Vec<PathBuf>,
}

pub(crate) fn list(root: &Path) -> Result<Listing, HomeError> {
    let failed = |source| HomeError {
        what: "list",
        path: root.to_owned(),
        source,
    };
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
        entries => entries.map_err(failed)?,
    };
    let mut listing = Listing::default();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !(name.starts_with("events") && name.ends_with(".jsonl")) {
            continue;
        }
        let path = entry.path();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => listing.files.push(LogFile {
                id: FileId::of(&metadata),
                len: metadata.len(),
                live: name == "events.jsonl",
                path,
            }),
            _ => listing.skipped.push(path),
        }
    }
    listing
        .files
        .sort_by(|a, b| (a.live, &a.path).cmp(&(b.live, &b.path)));
    listing.skipped.sort();
    Ok(listing)
}

/// Counts the lines of a file, an open one at its end, too. A file that is
/// gone since it was listed has been sealed: it has none.
pub(crate) fn count_lines(path: &Path) -> Result<u64, HomeError> {
    let failed = |source| HomeError {
        what: "read",
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file.map_err(failed)?,
    };
    let mut file = BufReader::with_capacity(1 << 20, file);
    let (mut lines, mut open) = (0_u64, false);
    loop {
        let chunk = file.fill_buf().map_err(failed)?;
        let Some(last) = chunk.last() else {
            return Ok(lines + u64::from(open));
        };
        open = *last != b'\n';
        lines += memchr::memchr_iter(b'\n', chunk).count() as u64;
        let taken = chunk.len();
        file.consume(taken);
    }
}

/// Returns the name that the log is given when it is rotated at `now`:
/// `events_%Y%m%d_%H%M%S_%f.jsonl`, in UTC.
pub(crate) fn rotated_name(now: UnixNanos) -> String {
    let (year, month, dom) = calendar_of_day(now.day());
    let nanos = now.0.rem_euclid(NANOS_PER_DAY);
    let seconds = nanos / NANOS_PER_SECOND;
    let micros = nanos % NANOS_PER_SECOND / 1_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("events_{year:04}{month:02}{dom:02}_{hour:02}{minute:02}{second:02}_{micros:06}.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events.jsonl");
        let check = |text: &str, lines: u64| {
            fs::write(&path, text).expect("written");
            assert_eq!(count_lines(&path).expect("read"), lines, "{text:?}");
        };
        check("", 0);
        check("a\n", 1);
        check("a\n\nb", 3);
        check(&"x\n".repeat(1 << 20), 1 << 20);
        fs::remove_file(&path).expect("removed");
        assert_eq!(count_lines(&path).expect("none"), 0);
    }

    #[test]
    fn a_rotated_log_is_called_as_the_first_seed_calls_it() {
        let now = UnixNanos::parse("2025-11-20T11:02:03.000456+00:00", false).expect("a time");
        assert_eq!(rotated_name(now), "events_20251120_110203_000456.jsonl");
    }
}
