use serde::Serialize;

use crate::time::UnixNanos;

/// Events that could not be recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Losses {
    /// How many in all.
    pub total: u64,
    /// By kind and reason, most first.
    pub losses: Vec<Loss>,
}

/// Losses of one kind for one reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Loss {
    /// Type of the lost events.
    pub kind: String,
    /// Why: overload, cardinality, `write_failed`, `too_long`, `damaged`.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// When first noticed.
    pub first: UnixNanos,
    /// When last noticed.
    pub last: UnixNanos,
}

impl Losses {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}
