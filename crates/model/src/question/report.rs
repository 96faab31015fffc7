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
    /// How much of it is wanted; the rest of the answer stays empty.
    pub part: Part,
}

/// How much of a report is wanted. Of the others than the whole only events of
/// a few types are counted, which costs a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// What the health check shows: agent discovery, its cache, token savings,
    /// trends and storage. Usage is of these events, unless there are none: then it
    /// is of all that there are.
    Health,
    /// What the page of trends shows: trends and queries.
    Trends,
}
