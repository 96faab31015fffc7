use serde::Serialize;

use crate::time::UnixNanos;

/// What lies on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Storage {
    /// Files of the log.
    pub log_files: u64,
    /// Their size.
    pub log_bytes: u64,
    /// Events in the log; `None` when counting would have to read it.
    pub log_events: Option<u64>,
    /// Live segments.
    pub segments: u64,
    /// Their size.
    pub segment_bytes: u64,
    /// Events in them.
    pub segment_events: u64,
    /// Size of the rollups.
    pub rollup_bytes: u64,
    /// The earliest event's time.
    pub earliest: Option<UnixNanos>,
    /// The latest event's time.
    pub latest: Option<UnixNanos>,
}

impl Storage {
    /// Returns the size of everything.
    pub fn bytes(&self) -> u64 {
        self.log_bytes + self.segment_bytes + self.rollup_bytes
    }

    /// Returns the number of log files and segments.
    pub fn files(&self) -> u64 {
        self.log_files + self.segments
    }

    /// Returns the number of events, if known.
    pub fn events(&self) -> Option<u64> {
        Some(self.log_events? + self.segment_events)
    }
}
