//! Lines that hold no event: kept word for word, each with its reason and
//! where it came from, in `rejected.jsonl` (for the owner alone, like the log).
//!
//! ```text
//! {"file":"events_20251120_110000_000000.jsonl","line":7,"reason":"no timestamp","content":"{…}"}
//! {"file":"events_20251120_110000_000000.jsonl","line":9,"reason":"not UTF-8","content_hex":"ff0a"}
//! ```
//!
//! The reason never quotes the line: the text of a line is in `content` alone.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::ops::Range;

use serde_json::json;
use tachograph_model::{Event, LineError, MAX_LINE_BYTES};

use crate::decode::{LogPart, newlines, read_at};
use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, Source, name_of};
use crate::store::Store;

/// The file they are kept in.
pub(crate) const REJECTED: &str = "rejected.jsonl";

/// Bytes of a line that are copied at once.
const CHUNK_BYTES: usize = 64 << 10;

impl Store {
    /// How many lines the file holds, which its owner may have deleted.
    pub(crate) fn rejected_lines(&self, manifest: &Manifest) -> u64 {
        match self.home.root().join(REJECTED).exists() {
            true => manifest.rejected_lines,
            false => 0,
        }
    }

    /// Moves the lines of a step that hold no event to a file of their own:
    /// `rejected` names the log by its number, and where the line begins and
    /// ends. What a killed seal added behind the settled part is overwritten.
    pub(super) fn keep_rejected(
        &self,
        rejected: &[(usize, (u64, u64))],
        step: &[(usize, LogPart, Source)],
        manifest: &mut Manifest,
    ) -> Result<(), StoreError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let path = self.home.root().join(REJECTED);
        let mut options = OpenOptions::new();
        options.append(true).read(true).create(true);
        let file =
            disk::open_private(&path, &mut options).map_err(StoreError::io("open", &path))?;
        let failed = || StoreError::io("write", &path);
        let held = file.metadata().map_err(failed())?.len();
        if held > manifest.rejected_bytes {
            file.set_len(manifest.rejected_bytes).map_err(failed())?;
        } else if held < manifest.rejected_bytes {
            // Its owner has deleted it, or some of it.
            manifest.rejected_lines = newlines(&file, 0, held).map_err(failed())?;
        }
        let mut out = BufWriter::new(&file);
        for (at, log, _) in step {
            let lines = rejected.iter().filter(|(of, _)| of == at);
            // Counted from one rejected line to the next.
            let (mut number, mut counted) = (1, 0);
            for (_, (from, to)) in lines {
                let read = StoreError::io("read", &log.path);
                number += newlines(&log.file, counted, *from).map_err(read)?;
                counted = *from;
                keep(log, number, *from..*to, &mut out).map_err(failed())?;
            }
        }
        out.flush().map_err(failed())?;
        drop(out);
        file.sync_all().map_err(failed())?;
        manifest.rejected_bytes = file.metadata().map_err(failed())?.len();
        manifest.rejected_lines += rejected.len() as u64;
        Ok(())
    }
}

fn keep(log: &LogPart, number: u64, bytes: Range<u64>, out: &mut impl Write) -> io::Result<()> {
    let reason = reason(&log.file, bytes.clone())?;
    let head = json!({"file": name_of(&log.path), "line": number, "reason": reason.to_string()});
    let head = head.to_string();
    write!(out, "{},", head.trim_end_matches('}'))?;
    let text = is_text(&log.file, bytes.clone())?;
    out.write_all(if text {
        b"\"content\":\""
    } else {
        b"\"content_hex\":\""
    })?;
    chunks(&log.file, bytes, |chunk, last| {
        if !text {
            for byte in chunk {
                write!(out, "{byte:02x}")?;
            }
            return Ok(chunk.len());
        }
        let (whole, _) = split(chunk, last);
        let quoted = serde_json::to_string(whole)?;
        out.write_all(&quoted.as_bytes()[1..quoted.len() - 1])?;
        Ok(whole.len())
    })?;
    out.write_all(b"\"}\n")
}

/// Reads the line once more for what is wrong with it: it need not be held in
/// mind for every line until then.
fn reason(file: &File, bytes: Range<u64>) -> io::Result<LineError> {
    const TOO_LONG: LineError = LineError::TooLong {
        limit: MAX_LINE_BYTES,
    };
    let mut line = match usize::try_from(bytes.end - bytes.start) {
        Ok(length) if length <= MAX_LINE_BYTES => Vec::with_capacity(length),
        _ => return Ok(TOO_LONG),
    };
    chunks(file, bytes, |chunk, _| {
        line.extend_from_slice(chunk);
        Ok(chunk.len())
    })?;
    match Event::from_line(&line) {
        Err(why) => Ok(why),
        Ok(_) => Err(io::Error::other("a rejected line changed meanwhile")),
    }
}

fn is_text(file: &File, bytes: Range<u64>) -> io::Result<bool> {
    let mut text = true;
    chunks(file, bytes, |chunk, last| {
        let (whole, sound) = split(chunk, last);
        text &= sound;
        Ok(if sound { whole.len() } else { chunk.len() })
    })?;
    Ok(text)
}

/// The part of a chunk that is text, and whether the rest may yet become some.
fn split(chunk: &[u8], last: bool) -> (&str, bool) {
    match std::str::from_utf8(chunk) {
        Ok(text) => (text, true),
        Err(error) => {
            let whole = &chunk[..error.valid_up_to()];
            let sound = error.error_len().is_none() && !last;
            (std::str::from_utf8(whole).unwrap_or_default(), sound)
        }
    }
}

/// Gives a stretch of a file to `take`, piece by piece, with whether it is the
/// last piece; what `take` leaves of one comes again at the start of the next.
fn chunks(
    file: &File,
    bytes: Range<u64>,
    mut take: impl FnMut(&[u8], bool) -> io::Result<usize>,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK_BYTES);
    let mut at = bytes.start;
    while at < bytes.end {
        let kept = buffer.len();
        let want = usize::try_from(bytes.end - at)
            .unwrap_or(usize::MAX)
            .min(CHUNK_BYTES);
        buffer.resize(kept + want, 0);
        let read = read_at(file, &mut buffer[kept..], at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.truncate(kept + read);
        at += read as u64;
        let taken = take(&buffer, at == bytes.end)?;
        buffer.drain(..taken);
    }
    Ok(())
}
