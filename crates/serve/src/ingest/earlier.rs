//! What earlier processes stored, so that a request that is sent again after a
//! restart counts once.
//!
//! An event that says which span it is is known by its ids, which are stored,
//! whatever it came by. Any other (a log record, a point of a metric) is known by
//! a hash of all that came, of which most is not stored; of those the whole line
//! is remembered, and how often it stands there.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use tachograph_log::{Home, LogFile};
use tachograph_model::{Cell, Column, Decoder, Event, Kind, UnixNanos, Visitor, line};

use crate::normal::candidate::{Keys, is_span};
use crate::normal::seen::Seen;
use crate::normal::span::class_of;

/// How much of the log's end is read, bytes: about 100 000 spans.
const READ_BYTES: u64 = 32 << 20;
/// How long a line may be sent again; who retries for longer has been killed
/// as well, or counts twice.
const LINES_FOR: Duration = Duration::from_secs(600);

/// Lines that earlier processes stored of records without ids.
#[derive(Debug)]
pub(super) struct Earlier {
    lines: HashMap<u64, u32>,
    /// What was taken out of [`Self::lines`] since the last [`Self::settle`].
    taken: Vec<u64>,
    until: Instant,
    line: Vec<u8>,
}

impl Earlier {
    /// Reads the log's end, about a quarter of a microsecond a line. What cannot be
    /// read is passed over: it may count twice then, but nothing is lost.
    pub(super) fn read(home: &Home, seen: &mut Seen) -> Self {
        let mut earlier = Self {
            lines: HashMap::new(),
            taken: Vec::new(),
            until: Instant::now() + LINES_FOR,
            line: Vec::new(),
        };
        let files = home.files().map(|listing| listing.files);
        let mut ends = Vec::new();
        let mut left = READ_BYTES;
        for file in files.unwrap_or_default().iter().rev() {
            let len = file.len.min(left);
            left -= len;
            if len > 0 {
                ends.extend(end_of(file, len).ok());
            }
        }
        for end in ends.iter().rev() {
            earlier.remember(end, seen);
        }
        earlier
    }

    fn remember(&mut self, text: &[u8], seen: &mut Seen) {
        let key = Finder::new(b"\"span_id\"");
        let mut decoder = Decoder::default();
        let mut ids = Ids::default();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let named =
                key.find(line).is_some() && decoder.decode(line.trim_ascii_end(), &mut ids).is_ok();
            match ids.keys().filter(|_| named) {
                Some(keys) => seen.stored(&keys, &ids.name, ids.agent.as_deref()),
                None => *self.lines.entry(hash(line)).or_default() += 1,
            }
        }
    }

    /// Whether an event of a record without ids stands in the log since before
    /// we began. Each line that stands there is good for one.
    pub(super) fn has(&mut self, event: &Event) -> bool {
        if self.is_over() {
            return false;
        }
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        line::write_event(&mut line, event);
        let has = self.take(&line);
        self.line = line;
        has
    }

    /// Takes out of lines those that stand in the log since before we began;
    /// returns how many.
    pub(super) fn leave_out(&mut self, lines: &mut Vec<u8>) -> u64 {
        if lines.is_empty() || self.is_over() {
            return 0;
        }
        let mut rest = Vec::with_capacity(lines.len());
        let mut known = 0;
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            match self.take(line) {
                true => known += 1,
                false => rest.extend_from_slice(line),
            }
        }
        *lines = rest;
        known
    }

    /// What came was answered: what it repeated will not come again.
    pub(super) fn settle(&mut self) {
        self.taken.clear();
    }

    /// What came was refused, also what was known: it is known still when it
    /// comes again.
    pub(super) fn forget(&mut self) {
        for hash in self.taken.drain(..) {
            *self.lines.entry(hash).or_default() += 1;
        }
    }

    /// Whether nothing of before is known any more.
    fn is_over(&mut self) -> bool {
        if !self.lines.is_empty() && Instant::now() > self.until {
            self.lines = HashMap::new();
        }
        self.lines.is_empty()
    }

    fn take(&mut self, line: &[u8]) -> bool {
        let hash = hash(line);
        let Some(times) = self.lines.get_mut(&hash) else {
            return false;
        };
        *times -= 1;
        if *times == 0 {
            self.lines.remove(&hash);
        }
        self.taken.push(hash);
        true
    }
}

/// The last `len` bytes, but for a line that is cut in two.
fn end_of(file: &LogFile, len: u64) -> io::Result<Vec<u8>> {
    let mut from = OpenOptions::new()
        .read(true)
        .append(true)
        .open(&file.path)?;
    // Who was killed may not have waited for the disk.
    from.sync_data()?;
    from.seek(SeekFrom::Start(file.len - len))?;
    let mut text = Vec::new();
    from.take(len).read_to_end(&mut text)?;
    if len < file.len {
        let first = memchr::memchr(b'\n', &text).map_or(text.len(), |end| end + 1);
        text.drain(..first);
    }
    Ok(text)
}

/// What tells an event of the log apart.
#[derive(Debug, Default)]
struct Ids {
    event_type: String,
    is_span: bool,
    name: String,
    id: String,
    trace: Option<String>,
    parent: Option<String>,
    agent: Option<String>,
}

impl Ids {
    /// As they were when it came; `None` when it does not say which span it is.
    fn keys(&self) -> Option<Keys> {
        if !self.is_span || self.id.is_empty() {
            return None;
        }
        let keys = Keys::of_span(&self.id, self.trace.as_deref(), self.parent.as_deref());
        // Without a trace there is no call above or below.
        let traced = keys.trace != [0; 16];
        let class = class_of(&self.event_type, &self.name).filter(|_| traced);
        Some(Keys { class, ..keys })
    }
}

impl Visitor for Ids {
    fn begin(&mut self, _: UnixNanos, event_type: &str, kind: Option<&'static Kind>) {
        for text in [&mut self.event_type, &mut self.name, &mut self.id] {
            text.clear();
        }
        self.event_type.push_str(event_type);
        self.is_span = kind.is_some_and(is_span);
        (self.trace, self.parent, self.agent) = (None, None, None);
    }

    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        match (column, cell) {
            (Column::Name, Cell::Str(text)) => self.name.push_str(text),
            (Column::Id, Cell::Str(text)) => self.id.push_str(text),
            (Column::TraceId, Cell::Str(text)) => self.trace = Some(text.to_owned()),
            (Column::Agent, Cell::Str(text)) => self.agent = Some(text.to_owned()),
            (Column::ParentId, Cell::Str(text)) => self.parent = Some(text.to_owned()),
            _ => {}
        }
    }

    fn extra(&mut self, _key: &str, _json: &str) {}
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use tachograph_log::Appender;
    use tachograph_model::{Column, UnixNanos};

    use super::*;
    use crate::normal::candidate::{Candidate, Keys};

    fn span(id: u8) -> Candidate {
        let (trace, span) = ([id; 16], [id; 8]);
        let hex = |id: &[u8]| crate::normal::names::hex(id).expect("an id");
        Candidate {
            event: Event::new(UnixNanos(1), "tool_call")
                .with(Column::TraceId, hex(&trace))
                .with(Column::Id, hex(&span)),
            keys: Keys {
                trace,
                span,
                ..Keys::default()
            },
        }
    }

    #[test]
    fn spans_and_lines_of_all_files_are_known_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::create(dir.path()).expect("a home");
        // Rotated before every batch.
        let log = Appender::with_rotation(&home, 1);
        let told = Event::new(UnixNanos(2), "llm_call").with(Column::Name, "m");
        for batch in [
            span(1).event.to_line(),
            [told.to_line(), told.to_line()].concat(),
            [span(2).event.to_line(), b"torn".to_vec()].concat(),
        ] {
            log.append(&batch).expect("appended");
        }
        let mut seen = Seen::default();
        let mut earlier = Earlier::read(&home, &mut seen);
        let (kept, tally) = seen.admit(vec![span(1), span(2), span(3)], &[], 0);
        assert_eq!((kept.len(), tally.duplicates), (1, 2));
        assert_eq!([0, 1, 2].map(|_| earlier.has(&told)), [true, true, false]);
        assert!(!earlier.has(&span(3).event));

        let mut earlier = Earlier::read(&home, &mut Seen::default());
        let mut lines = [span(3).event.to_line(), told.to_line(), told.to_line()].concat();
        let sent = lines.clone();
        assert_eq!(earlier.leave_out(&mut lines), 2);
        assert_eq!(lines, span(3).event.to_line());
        // Refused, and sent again.
        earlier.forget();
        assert_eq!(earlier.leave_out(&mut sent.clone()), 2);
        earlier.settle();
        earlier.forget();
        assert_eq!(earlier.leave_out(&mut sent.clone()), 0);
    }

    #[test]
    fn of_a_long_file_the_end_is_read_from_a_line_s_start() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::create(dir.path()).expect("a home");
        Appender::new(&home)
            .append(b"one\ntwo\nthree\n")
            .expect("appended");
        let file = &home.files().expect("files").files[0];
        let check = |len, text: &[u8]| assert_eq!(end_of(file, len).expect("read"), text);
        check(14, b"one\ntwo\nthree\n");
        check(13, b"two\nthree\n");
        check(8, b"three\n");
        check(3, b"");
    }
}
