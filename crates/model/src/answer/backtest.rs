use serde::Serialize;

use crate::alert::{Rule, State};
use crate::time::UnixNanos;

/// What alert rules would have said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Backtest {
    /// In the order in which they were asked about.
    pub rules: Vec<RulePast>,
}

/// What one rule would have said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RulePast {
    /// The rule.
    pub rule: Rule,
    /// How many times it would have fired, all series together.
    pub fired: u64,
    /// How many of these people would have been told of; the others fell into a
    /// cool-down.
    pub told: u64,
    /// For how long, seconds; of two series that fired at once both count.
    pub firing_seconds: f64,
    /// Each time, the earliest first; at most [`Self::MOST_FIRINGS`].
    pub firings: Vec<Firing>,
    /// Series with a value in the time.
    pub series: u64,
    /// Values of them.
    pub values: u64,
    /// How its alerts stand at the end; those without a word to say are left out.
    pub alerts: Vec<Standing>,
}

impl RulePast {
    /// More are counted, not listed.
    pub const MOST_FIRINGS: usize = 1000;
}

/// One time that a rule fired.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Firing {
    /// Of which source; empty where there is none.
    pub source: String,
    /// Of which metric, tool, model, …
    pub name: String,
    /// When it began to fire: after its `for`.
    pub start: UnixNanos,
    /// When it was resolved; `None`: it still fires.
    pub end: Option<UnixNanos>,
    /// How long, seconds; until the end of the time where it still fires.
    pub seconds: f64,
    /// The value that was farthest beyond the threshold.
    pub worst: Option<f64>,
    /// Whether people would have been told.
    pub told: bool,
}

/// How one alert stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Of which source; empty where there is none.
    pub source: String,
    /// Of which metric, tool, model, …
    pub name: String,
    /// Its state.
    pub state: State,
    /// Since when.
    pub since: UnixNanos,
    /// Since when it fires, if it does.
    pub fires_since: Option<UnixNanos>,
    /// The value that decides; `None`: there is none.
    pub value: Option<f64>,
}
