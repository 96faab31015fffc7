//! The manifest: which segments are live, and what of the log they hold.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tachograph_model::{UnixNanos, Window};

/// A sealed segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Names it among all segments of the home.
    pub id: String,
    /// Its Parquet file, relative to the home.
    pub path: PathBuf,
    /// Its day, counted from 1970-01-01 in UTC; all its events are of it.
    pub day: i64,
    /// Events in it.
    pub rows: u64,
    /// Time of its earliest event, nanoseconds since the epoch.
    pub min_time: i64,
    /// Time of its latest event, nanoseconds since the epoch.
    pub max_time: i64,
    /// Size of the Parquet file.
    pub bytes: u64,
    /// Rollups there are, finest first: `minute`, `hour`, `day`.
    pub tiers: Vec<String>,
}

impl Segment {
    /// Whether it may hold events of `window`.
    pub fn overlaps(&self, window: Window) -> bool {
        self.min_time < window.to.0 && window.from.0 <= self.max_time
    }

    /// Whether all its events lie in `window`.
    pub fn lies_in(&self, window: Window) -> bool {
        window.contains(UnixNanos(self.min_time)) && window.contains(UnixNanos(self.max_time))
    }

    /// About how many of its events lie in `window`.
    pub fn estimated_rows(&self, window: Window) -> u64 {
        if self.lies_in(window) {
            return self.rows;
        }
        if !self.overlaps(window) {
            return 0;
        }
        let from = self.min_time.max(window.from.0);
        let to = self.max_time.min(window.to.0);
        let whole = (i128::from(self.max_time) - i128::from(self.min_time)).max(1);
        let part = (i128::from(to) - i128::from(from)).max(0);
        u64::try_from(i128::from(self.rows) * part / whole).unwrap_or(self.rows)
    }
}
