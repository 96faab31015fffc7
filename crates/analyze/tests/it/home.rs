//! A home with a given log.

use std::io::Write;

use tachograph_analyze::{Engine, EngineConfig};
use tachograph_log::Home;
use tachograph_model::{Event, Scope, UnixNanos};
use tachograph_store::Store;

/// A folder that goes when it is dropped, and its home.
pub(crate) struct TestHome {
    dir: tempfile::TempDir,
}

impl TestHome {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn of(events: &[Event]) -> Self {
        let home = Self::new();
        for event in events {
            home.write(&event.to_line());
        }
        home
    }

    /// Appends to the log as it is.
    pub(crate) fn write(&self, bytes: &[u8]) {
        let path = self.home().log();
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create(true).append(true).open(path).unwrap();
        file.write_all(bytes).unwrap();
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.dir.path())
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_with(EngineConfig::default())
    }

    pub(crate) fn engine_with(&self, config: EngineConfig) -> Engine {
        Engine::open(Store::open(&self.home()), config)
    }
}

/// The present of every test.
pub(crate) fn now() -> UnixNanos {
    at("2025-11-20T12:00:00+00:00")
}

pub(crate) fn at(text: &str) -> UnixNanos {
    UnixNanos::parse(text, false).unwrap()
}

pub(crate) fn days(days: u32) -> Scope {
    Scope::last_days(days, now())
}

/// An event some seconds before the present.
pub(crate) fn ago(seconds: i64, event_type: &str) -> Event {
    Event::new(UnixNanos(now().0 - seconds * 1_000_000_000), event_type)
}
