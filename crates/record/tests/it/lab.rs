//! What the tests share: a recorder with a home of its own, and its log.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tachograph::{Builder, Recorder};

/// Long enough for a busy machine; nothing waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A home, and a recorder that writes to it.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    pub(crate) recorder: Recorder,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let builder = Recorder::builder()
            .home(folder.path().join("home"))
            .on_notice(|notice| panic!("no notice was due: {notice}"));
        Self {
            recorder: settings(builder).build(),
            folder,
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Every event so far, in the order of the log.
    pub(crate) fn events(&self) -> Vec<Value> {
        assert!(self.recorder.flush(PATIENCE), "the drain is stuck");
        read(&self.home().join("events.jsonl"))
    }

    /// The events of one type.
    pub(crate) fn of(&self, kind: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["event_type"] == kind);
        events
    }

    /// The one event of a type, without its timestamp.
    pub(crate) fn one(&self, kind: &str) -> Value {
        let events = self.of(kind);
        assert_eq!(events.len(), 1, "{kind}: {events:?}");
        without_time(&events[0])
    }

    /// Ends recording, and returns everything that was recorded.
    pub(crate) fn close(self) -> Vec<Value> {
        let log = self.home().join("events.jsonl");
        drop(self.recorder);
        read(&log)
    }
}

pub(crate) fn without_time(event: &Value) -> Value {
    let mut event = event.clone();
    let fields = event.as_object_mut().expect("an object");
    assert!(fields.shift_remove("timestamp").is_some(), "has a time");
    event
}

fn read(log: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let parse = |line| serde_json::from_str(line).expect("a line of JSON");
    text.lines().map(parse).collect()
}
