//! Homes to test on.

use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event, UnixNanos, Value, Window};
use tachograph_store::{Folded, SealOptions, Snapshot, Store};
use tempfile::TempDir;

pub(crate) const BASE: i64 = 1_763_600_000_000_000_000;
pub(crate) const SECOND: i64 = 1_000_000_000;

/// A home that vanishes with the test.
pub(crate) struct Place {
    pub(crate) home: Home,
    _dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            home: Home::create(dir.path().join("home")).unwrap(),
            _dir: dir,
        }
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.home).with_threads(2)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.store().snapshot().unwrap()
    }

    pub(crate) fn append(&self, events: &[Event]) {
        let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
        Appender::new(&self.home).append(&lines).unwrap();
    }

    pub(crate) fn seal(&self) -> tachograph_store::SealReport {
        self.store().seal(SealOptions::default()).unwrap()
    }

    /// Every event, as sorted lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        lines_of(self.snapshot().events(Window::ALL).unwrap())
    }
}

pub(crate) fn lines_of(events: impl Iterator<Item = Event>) -> Vec<String> {
    let mut lines: Vec<String> = events
        .map(|event| String::from_utf8(event.to_line()).unwrap())
        .collect();
    lines.sort();
    lines
}

pub(crate) fn count(folded: &Folded) -> u64 {
    folded.cells.iter().map(|cell| cell.count).sum()
}

/// A tool call, a second after the one before.
pub(crate) fn tool_call(number: i64) -> Event {
    Event::new(UnixNanos(BASE + number * SECOND), "tool_call")
        .with(
            Column::Name,
            ["search", "read", "write"][number as usize % 3],
        )
        .with(Column::DurationMs, 1.0 + number as f64 / 7.0)
        .with(Column::Success, number % 11 != 0)
        .with(Column::ParentId, format!("call-{number}"))
}

/// One event with something in every kind of column.
pub(crate) fn rich(number: i64) -> Event {
    let line = format!(
        r#"{{"timestamp":"2025-11-{:02}T23:59:59.{:06}+00:00","event_type":"query","query_id":"q{number}","agent_type":"a\"b","duration_ms":{},"success":true,"tool_calls":3,"entities_detected":["file","função"],"complexity_score":1,"odd":{{"deep":[1,2,{{"x":null}}]}},"result_size_bytes":1.5,"tab\t":"v"}}"#,
        1 + number % 28,
        number % 1_000_000,
        number as f64 * 0.125,
    );
    let mut event = Event::from_line(line.as_bytes()).unwrap();
    if number % 3 == 0 {
        event.set(Column::Entities, None::<Value>);
    }
    event
}
