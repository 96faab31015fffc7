use serde::Serialize;

use super::RulePast;

/// Rules that the past suggests.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Suggest {
    /// Each with what it would have said.
    pub rules: Vec<Suggestion>,
}

/// One rule that the past suggests, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suggestion {
    /// The rule, what it would have said, and of what.
    pub past: RulePast,
    /// Windows that its figure was taken of.
    pub windows: u64,
    /// Of these, those that stand out, and were not taken for usual.
    pub outstanding: u64,
    /// What is usual: the median of the windows.
    pub usual: f64,
    /// The worst of the windows that do not stand out.
    pub worst_usual: f64,
    /// Days with events.
    pub days: u64,
    /// Days on which it would have fired.
    pub fired_days: u64,
}
