//! `alerts/told.jsonl`: what channels were told of since `alerts/state.json` was
//! written. That is written as a whole and onto the disk, and so once a second at
//! most; a line here takes microseconds, and a kill does not take it back.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tachograph_model::UnixNanos;

use super::item::Key;
use super::outbox::Known;
use crate::alert::file;

/// Bytes of the file. It has more only while the state cannot be written.
const MOST_BYTES: u64 = 16 << 20;
/// With more, lines that are kept elsewhere go although others stay.
const LONG: u64 = 1 << 20;

/// The file, and what is known of it.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    bytes: u64,
    /// The number of the last line that there ever was.
    last: u64,
}

/// What a channel was told of at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    /// One more than that of the line before, also of those that are gone.
    pub(super) number: u64,
    pub(super) channel: String,
    pub(super) at: UnixNanos,
    pub(super) told: Vec<(Key, Known)>,
}

impl Ledger {
    /// That of the home at `root`; touches nothing.
    pub(super) fn of(root: &Path) -> Self {
        Self {
            path: root.join("alerts").join("told.jsonl"),
            bytes: 0,
            last: 0,
        }
    }

    /// The number of the last line.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Reads the lines after that number. One that a kill has torn is cut off.
    ///
    /// # Errors
    /// What the disk says; then there are none.
    pub(super) fn resume(&mut self, kept: u64) -> io::Result<Vec<Line>> {
        self.last = kept;
        let Some(text) = file::read(&self.path, MOST_BYTES)? else {
            return Ok(Vec::new());
        };
        let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
        if whole < text.len() {
            file::open_private(&self.path)?.set_len(whole as u64)?;
        }
        self.bytes = whole as u64;
        let lines = text[..whole].split(|byte| *byte == b'\n');
        let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        let lines: Vec<Line> = lines.filter(|line| line.number > kept).collect();
        let last = lines.iter().map(|line| line.number).max();
        self.last = self.last.max(last.unwrap_or(0));
        Ok(lines)
    }

    /// Notes what a channel was told of.
    ///
    /// # Errors
    /// What the disk says; then nothing is noted.
    pub(super) fn add(
        &mut self,
        channel: &str,
        at: UnixNanos,
        told: Vec<(Key, Known)>,
    ) -> io::Result<()> {
        if told.is_empty() {
            return Ok(());
        }
        let line = Line {
            number: self.last + 1,
            channel: channel.to_owned(),
            at,
            told,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        if self.bytes + text.len() as u64 > MOST_BYTES {
            let what = format!("it would have more than {MOST_BYTES} bytes");
            return Err(io::Error::other(what));
        }
        let mut file = file::open_private(&self.path)?;
        if let Err(error) = file.write_all(&text) {
            // Half a line would spoil the next one.
            file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += text.len() as u64;
        self.last = line.number;
        Ok(())
    }

    /// Forgets the lines up to that number: what they say is kept.
    ///
    /// # Errors
    /// What the disk says; then they stay, and do no harm.
    pub(super) fn forget(&mut self, kept: u64) -> io::Result<()> {
        if self.bytes == 0 || kept < self.last && self.bytes < LONG {
            return Ok(());
        }
        let mut rest = Vec::new();
        if kept < self.last {
            for line in self.resume(kept)? {
                serde_json::to_writer(&mut rest, &line)?;
                rest.push(b'\n');
            }
            file::replace(&self.path, &rest)?;
        } else {
            file::open_private(&self.path)?.set_len(0)?;
        }
        self.bytes = rest.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tachograph_model::alert::Notice;

    use super::*;

    fn told(name: &str) -> Vec<(Key, Known)> {
        let key = ("r".to_owned(), String::new(), name.to_owned());
        vec![(key, (Notice::Firing, UnixNanos(7)))]
    }

    /// The names of what a new server reads after that number.
    fn read(root: &Path, kept: u64) -> Vec<String> {
        let lines = Ledger::of(root).resume(kept).expect("lines");
        let told = lines.into_iter().flat_map(|line| line.told);
        told.map(|((_, _, name), _)| name).collect()
    }

    #[test]
    fn lines_stay_until_they_are_kept_elsewhere() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path();
        let mut ledger = Ledger::of(root);
        assert_eq!(ledger.resume(0).expect("none"), []);
        ledger.forget(0).expect("nothing");
        assert!(!ledger.path.exists(), "nothing is written for nothing");
        for name in ["a", "b\n\"", "c"] {
            ledger.add("chat", UnixNanos(9), told(name)).expect("added");
        }
        assert_eq!((ledger.last(), read(root, 0).len()), (3, 3));
        assert_eq!(read(root, 1), ["b\n\"", "c"]);
        // Some that are not kept yet hold all of them.
        ledger.forget(2).expect("nothing");
        assert_eq!(read(root, 0).len(), 3);
        ledger.forget(3).expect("all");
        assert_eq!(read(root, 0).len(), 0);
        ledger.add("chat", UnixNanos(9), told("d")).expect("added");
        assert_eq!((ledger.last(), read(root, 3)), (4, vec!["d".to_owned()]));
        // The next server counts on.
        let mut next = Ledger::of(root);
        next.resume(3).expect("one");
        assert_eq!(next.last(), 4);
    }

    #[test]
    fn a_torn_line_is_cut_off_and_what_is_none_is_passed_over() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path();
        let mut ledger = Ledger::of(root);
        for name in ["a", "b"] {
            ledger.add("chat", UnixNanos(9), told(name)).expect("added");
        }
        let whole = std::fs::read(&ledger.path).expect("there");
        let first = memchr::memchr(b'\n', &whole).expect("a line") + 1;
        for length in first..whole.len() {
            std::fs::write(&ledger.path, &whole[..length]).expect("torn");
            let mut next = Ledger::of(root);
            assert_eq!(next.resume(0).expect("lines").len(), 1, "{length}");
            next.add("chat", UnixNanos(9), told("c")).expect("added");
            assert_eq!(read(root, 0), ["a", "c"], "{length}");
        }
        let odd = [b"{}\n\xff\n\n".as_slice(), &whole].concat();
        std::fs::write(&ledger.path, odd).expect("written");
        assert_eq!(read(root, 0), ["a", "b"]);
    }

    #[test]
    fn it_ends_somewhere() {
        let home = tempfile::tempdir().expect("a folder");
        let mut ledger = Ledger::of(home.path());
        let long = "x".repeat(LONG as usize);
        for _ in 0..3 {
            ledger
                .add("chat", UnixNanos(9), told(&long))
                .expect("added");
        }
        ledger
            .add("chat", UnixNanos(9), told("last"))
            .expect("added");
        ledger.forget(3).expect("shortened");
        assert_eq!(read(home.path(), 0), ["last"]);
        let size = std::fs::metadata(&ledger.path).expect("there").len();
        assert_eq!(size, ledger.bytes);
        let far = "x".repeat(MOST_BYTES as usize);
        assert!(ledger.add("chat", UnixNanos(9), told(&far)).is_err());
        assert_eq!((read(home.path(), 0).len(), ledger.last()), (1, 4));
    }
}
