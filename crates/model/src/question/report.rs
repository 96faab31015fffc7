use super::{Baseline, QueryLimits, Scope};

/// Asks every question about events and storage at once: one scan for all.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Which events.
    pub scope: Scope,
    /// What token savings are measured against.
    pub baseline: Baseline,
    /// What counts as a slow or complex query.
    pub limits: QueryLimits,
}
