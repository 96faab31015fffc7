//! The log as a sink that answers when a batch is on the disk.

use std::collections::HashMap;
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
        let left_out = kept.leave_out(&mut lines);
        if let Err(error) = self.appender.append_synced(&lines) {
            // The whole batch is refused, so that all of it comes again: what
            // stood before as well as what stands now.
            kept.remember(&left_out);
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
    /// How often each stands.
    lines: HashMap<Box<[u8]>, u32>,
    bytes: usize,
}

impl Kept {
    fn remember(&mut self, lines: &[u8]) {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            if self.bytes + line.len() <= MAX_KEPT_BYTES {
                *self.lines.entry(line.into()).or_default() += 1;
                self.bytes += line.len();
            }
        }
    }

    /// Takes out of `lines` those that stand, and gives them back: they are
    /// remembered no more.
    fn leave_out(&mut self, lines: &mut Vec<u8>) -> Vec<u8> {
        let mut left_out = Vec::new();
        if self.lines.is_empty() {
            return left_out;
        }
        let mut rest = Vec::with_capacity(lines.len());
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            match self.take(line) {
                true => left_out.extend_from_slice(line),
                false => rest.extend_from_slice(line),
            }
        }
        *lines = rest;
        left_out
    }

    fn take(&mut self, line: &[u8]) -> bool {
        let Some(times) = self.lines.get_mut(line) else {
            return false;
        };
        *times -= 1;
        if *times == 0 {
            self.lines.remove(line);
        }
        self.bytes -= line.len();
        true
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
    fn what_stands_is_left_out_as_often_as_it_stands() {
        let mut kept = Kept::default();
        kept.remember(b"one\ntwo\ntwo\n");
        let mut check = |lines: &[u8], rest: &[u8], left_out: &[u8]| {
            let mut found = lines.to_vec();
            assert_eq!(kept.leave_out(&mut found), left_out);
            assert_eq!(found, rest);
        };
        check(b"zero\none\nthree\n", b"zero\nthree\n", b"one\n");
        check(b"one\ntwo\ntwo\n", b"one\n", b"two\ntwo\n");
        check(b"two\n", b"two\n", b"");
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn a_retry_that_is_refused_as_well_leaves_them_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::create(folder.path().join("home")).expect("a home");
        let log = DurableLog::new(&home);
        let event = Event::new(tachograph_model::UnixNanos(1), "tool_call");
        log.put(std::slice::from_ref(&event)).expect("stored");
        // It was refused and stands all the same.
        let mut kept = log.kept.lock().expect("known");
        kept.remember(&event.to_line());
        drop(kept);
        let away = folder.path().join("away");
        std::fs::rename(home.root(), &away).expect("away");
        log.put(std::slice::from_ref(&event)).expect_err("no home");
        std::fs::rename(&away, home.root()).expect("back");
        log.put(std::slice::from_ref(&event)).expect("known");
        assert_eq!(home.count_lines().expect("read"), 1);
    }
}
