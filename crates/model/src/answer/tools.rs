use serde::Serialize;

use super::{Outcomes, Spread, Tally};
use crate::time::UnixNanos;

/// Tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tools {
    /// In the order first seen.
    pub tools: Vec<Tool>,
    /// Calls of all.
    pub calls: Outcomes,
    /// How long all calls took, ms.
    pub duration_ms: Option<Spread>,
}

/// One tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// Its name; `unknown` where calls have none.
    pub name: String,
    /// Calls by outcome.
    pub calls: Outcomes,
    /// Part, 0..=1, that succeeded, of those that say.
    pub success_ratio: Option<f64>,
    /// How long a call took, ms.
    pub duration_ms: Option<Spread>,
    /// Classes of failure, in the order first seen; failures that name none are
    /// not among them.
    pub errors: Vec<Tally>,
    /// The first call.
    pub first: UnixNanos,
    /// The last call.
    pub last: UnixNanos,
}

impl Tools {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }
}
