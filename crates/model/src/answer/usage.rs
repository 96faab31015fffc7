use serde::Serialize;

use super::Tally;

/// When work happens, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    /// Events in the window.
    pub events: u64,
    /// By hour of the day; 24 of them.
    pub hours: [u64; 24],
    /// By day of the week, Monday first; 7 of them.
    pub weekdays: [u64; 7],
    /// By day of the week (Monday first), then hour of the day.
    pub grid: [[u64; 24]; 7],
    /// By UTC day that has any, in order.
    pub days: Vec<UsageDay>,
    /// By type of event, most first; equal ones in the order first seen.
    pub kinds: Vec<Tally>,
}

/// One UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageDay {
    /// `2025-11-20`.
    pub date: String,
    /// Events.
    pub events: u64,
}

impl Usage {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }
}
