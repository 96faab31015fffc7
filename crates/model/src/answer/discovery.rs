use serde::Serialize;

use super::Spread;

/// How long discovering agents takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Discovery {
    /// Operations, including those without a duration.
    pub total: u64,
    /// Per operation, in the order they were first seen.
    pub operations: Vec<Operation>,
    /// How long all of them took, ms.
    pub duration_ms: Option<Spread>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// Its name; `unknown` where events have none.
    pub name: String,
    /// How often.
    pub count: u64,
    /// How long it took, ms; counts only those that say.
    pub duration_ms: Option<Spread>,
    /// How many the cache answered.
    pub hits: u64,
    /// `hits / count`, 0..=1, for `get_agent`, the one operation with a cache.
    pub hit_ratio: Option<f64>,
}

impl Discovery {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}
