//! One batch into a file: the whole of it, or whole lines that are counted.

use std::fs::File;
use std::io::{self, Write};

/// What a log's file can do; a seam for files that fail in a test.
pub(crate) trait LogFile {
    /// Adds some of `bytes` at the end; returns how many.
    fn add(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Returns its size in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Cuts it to `size` bytes.
    fn cut(&mut self, size: u64) -> io::Result<()>;
}

impl LogFile for &File {
    fn add(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn cut(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }
}

/// A batch of which not all arrived.
#[derive(Debug)]
pub(crate) struct Short {
    /// Bytes of its first lines, each whole, that stand in the file for good.
    pub(crate) kept_bytes: u64,
    /// Why the rest does not.
    pub(crate) source: io::Error,
}

/// Adds `lines` to a file that ends at `offset`. If not all of them fit, the
/// file is cut back to where it ended; if that fails too, or somebody who takes
/// no lock has added something behind it, the lines that did arrive stay and
/// are counted; should they be all, that is no error. Whoever writes next has
/// to end a line that is torn.
///
/// # Errors
/// [`Short`].
pub(crate) fn write_batch(log: &mut impl LogFile, offset: u64, lines: &[u8]) -> Result<(), Short> {
    let Err((written, source)) = add_all(log, lines) else {
        return Ok(());
    };
    let end = offset + written as u64;
    let alone = log.size().is_ok_and(|size| size == end);
    let undone = written == 0
        || alone && log.cut(offset).is_ok()
        // It said no and did it all the same.
        || log.size().is_ok_and(|size| size == offset);
    // A line that lacks nothing but its end gets it from the next writer.
    let ended = written + usize::from(alone && lines[written..].starts_with(b"\n"));
    let whole = lines[..ended].iter().rposition(|byte| *byte == b'\n');
    let kept_bytes = match whole {
        Some(last) if !undone => last as u64 + 1,
        _ => 0,
    };
    if kept_bytes == lines.len() as u64 {
        return Ok(());
    }
    Err(Short { kept_bytes, source })
}

/// Cuts a batch that the disk would not keep off the end of a file; false when
/// somebody has added something behind it, or the file cannot be cut.
pub(crate) fn take_back(log: &mut impl LogFile, offset: u64, len: u64) -> bool {
    log.size().is_ok_and(|size| size == offset + len) && log.cut(offset).is_ok()
}

/// As `write_all`, but tells how much was written before the error.
fn add_all(log: &mut impl LogFile, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < bytes.len() {
        match log.add(&bytes[written..]) {
            Ok(0) => return Err((written, io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that is full after `room` bytes.
    struct Full {
        bytes: Vec<u8>,
        room: usize,
        may_cut: bool,
        /// Somebody else's bytes, which come as soon as the disk is full.
        foreign: &'static [u8],
    }

    impl LogFile for Full {
        fn add(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room - self.bytes.len());
            if count == 0 {
                self.bytes.extend_from_slice(self.foreign);
                return Err(io::ErrorKind::StorageFull.into());
            }
            // Piece by piece, as a kernel may.
            let count = count.min(7);
            self.bytes.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn size(&self) -> io::Result<u64> {
            Ok(self.bytes.len() as u64)
        }

        fn cut(&mut self, size: u64) -> io::Result<()> {
            if !self.may_cut {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            self.bytes.truncate(size as usize);
            Ok(())
        }
    }

    const BEFORE: &[u8] = b"before\n";
    const BATCH: &[u8] = b"one\ntwo and more\nthree\n";

    fn full(room: usize, may_cut: bool, foreign: &'static [u8]) -> (Full, u64) {
        let mut log = Full {
            bytes: BEFORE.to_vec(),
            room: BEFORE.len() + room,
            may_cut,
            foreign,
        };
        let kept = match write_batch(&mut log, BEFORE.len() as u64, BATCH) {
            Ok(()) => BATCH.len() as u64,
            Err(short) => {
                assert_eq!(short.source.kind(), io::ErrorKind::StorageFull);
                assert!(short.kept_bytes < BATCH.len() as u64);
                short.kept_bytes
            }
        };
        (log, kept)
    }

    /// What the caller writes again, once there is room, after what it was told
    /// is there, makes every line appear once.
    #[test]
    fn nothing_is_doubled_or_lost_by_writing_the_rest_again() {
        for room in 0..BATCH.len() {
            for (may_cut, foreign) in [(true, &b""[..]), (false, b""), (true, b"theirs\n")] {
                let (mut log, kept) = full(room, may_cut, foreign);
                if may_cut && foreign.is_empty() {
                    assert_eq!((log.bytes.as_slice(), kept), (BEFORE, 0));
                }
                log.room = usize::MAX;
                if log.bytes.last() != Some(&b'\n') {
                    log.bytes.push(b'\n'); // what `prepare` does
                }
                let offset = log.bytes.len() as u64;
                write_batch(&mut log, offset, &BATCH[kept as usize..]).expect("there is room");
                for line in BATCH.split_inclusive(|byte| *byte == b'\n') {
                    let lines = log.bytes.split_inclusive(|byte| *byte == b'\n');
                    let times = lines.filter(|found| *found == line).count();
                    assert_eq!(times, 1, "room {room}, may cut {may_cut}: {line:?}");
                }
            }
        }
    }

    #[test]
    fn what_the_disk_would_not_keep_is_taken_back_unless_others_came_after() {
        let check = |may_cut, foreign: &'static [u8], taken, left: &[u8]| {
            let mut log = Full {
                bytes: [BEFORE, BATCH, foreign].concat(),
                room: 0,
                may_cut,
                foreign: b"",
            };
            let found = take_back(&mut log, BEFORE.len() as u64, BATCH.len() as u64);
            assert_eq!((found, log.bytes.as_slice()), (taken, left));
        };
        check(true, b"", true, BEFORE);
        check(false, b"", false, &[BEFORE, BATCH].concat());
        check(
            true,
            b"theirs\n",
            false,
            &[BEFORE, BATCH, b"theirs\n"].concat(),
        );
    }

    #[test]
    fn lines_that_cannot_be_cut_off_are_counted() {
        assert_eq!(full(2, false, b"").1, 0);
        assert_eq!(full(3, false, b"").1, 4, "it lacks its end alone");
        assert_eq!(full(3, false, b"theirs\n").1, 0, "it is spoilt");
        assert_eq!(full(4, false, b"").1, 4);
        assert_eq!(full(15, false, b"").1, 4);
        assert_eq!(full(16, false, b"").1, 17, "as above");
        assert_eq!(full(20, false, b"").1, 17);
        assert_eq!(full(20, true, b"").1, 0);
        assert_eq!(full(20, true, b"theirs\n").1, 17);
        assert_eq!(full(22, true, b"").1, 0);
        assert_eq!(full(22, false, b"").1, 23, "all of it: no error");
    }
}
