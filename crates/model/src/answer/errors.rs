use serde::Serialize;

use super::Tally;
use crate::time::UnixNanos;

/// What failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Errors {
    /// Failures: `error` events and calls that did not succeed.
    pub total: u64,
    /// By class, in descending number; equal ones in the order first seen.
    pub types: Vec<Tally>,
    /// By class and origin, in descending number.
    pub groups: Vec<ErrorGroup>,
}

/// Failures of one class in one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorGroup {
    /// The class; `unknown` where events have none.
    pub error_type: String,
    /// What failed: `tool_call`, `llm_call`, `query`, `error`, …
    pub event_type: String,
    /// Which tool, model, operation or type of agent.
    pub name: Option<String>,
    /// Provider or component.
    pub source: Option<String>,
    /// How many.
    pub count: u64,
    /// The first.
    pub first: UnixNanos,
    /// The last.
    pub last: UnixNanos,
}

impl Errors {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}
