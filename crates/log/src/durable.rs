//! The log as a sink that answers when a batch is on the disk.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use tachograph_model::{Event, Sink, SinkError, line};

use crate::append::{AppendError, Appender};
use crate::home::Home;

/// Bytes of lines remembered because they stand in the log though their batch
/// was refused.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// Appends each batch and waits for the disk (`fdatasync`).
///
/// A batch that it refuses is not in the log; whoever sends it again finds it
/// there once. Where a full disk would not even have it cut off again, the
/// lines that stand are remembered, and left out when they come again.
#[derive(Debug)]
pub struct DurableLog {
    appender: Appender,
    kept: Mutex<Kept>,
}

impl DurableLog {
    /// Makes a sink; touches no file until the first batch.
    pub fn new(home: &Home) -> Self {
        Self {
            appender: Appender::new(home),
            kept: Mutex::default(),
        }
    }
}

impl Sink for DurableLog {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        self.put_lines(events, &[])
    }

    fn put_lines(&self, events: &[Event], written: &[u8]) -> Result<(), SinkError> {
        let mut lines = Vec::with_capacity(events.len() * 384 + written.len());
        for event in events {
            line::write_event(&mut lines, event);
        }
        lines.extend_from_slice(written);
        // Held to the end: a batch must not pass another that it may be a
        // retry of.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.leave_out(&mut lines);
        if let Err(error) = self.appender.append_synced(&lines) {
            let stand = usize::try_from(error.kept_bytes).unwrap_or(usize::MAX);
            kept.remember(&lines[..stand.min(lines.len())]);
            return Err(failed(error));
        }
        Ok(())
    }
}

/// Lines that stand in the log and whose batch was refused.
#[derive(Debug, Default)]
struct Kept {
    lines: HashSet<Box<[u8]>>,
    bytes: usize,
}

impl Kept {
    fn remember(&mut self, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if self.bytes + line.len() <= MAX_KEPT_BYTES && self.lines.insert(line.into()) {
                self.bytes += line.len();
            }
        }
    }

    fn leave_out(&mut self, lines: &mut Vec<u8>) {
        if self.lines.is_empty() {
            return;
        }
        let mut rest = Vec::with_capacity(lines.len());
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if self.lines.remove(line) {
                self.bytes -= line.len();
            } else {
                rest.extend_from_slice(line);
            }
        }
        *lines = rest;
    }
}

fn failed(error: AppendError) -> SinkError {
    SinkError {
        what: error.to_string(),
        source: Some(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_is_left_out_once() {
        let mut kept = Kept::default();
        kept.remember(b"one\ntwo\n");
        let mut check = |lines: &[u8], rest: &[u8]| {
            let mut found = lines.to_vec();
            kept.leave_out(&mut found);
            assert_eq!(found, rest);
        };
        check(b"zero\none\nthree\n", b"zero\nthree\n");
        check(b"one\ntwo\n", b"one\n");
        check(b"two\n", b"two\n");
        assert_eq!(kept.bytes, 0);
    }
}
