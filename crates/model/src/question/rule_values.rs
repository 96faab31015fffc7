use std::time::Duration;

use crate::alert::Rule;
use crate::time::UnixNanos;

/// Asks by which values alert rules judge now, of windows that are longer than
/// live state reaches.
///
/// It carries rules, so that it is asked of an answerer itself and not by name.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleValues {
    /// The rules. Whether they are enabled does not matter.
    pub rules: Vec<Rule>,
    /// The end of their windows.
    pub now: UnixNanos,
    /// An answer that takes longer is of no use.
    pub within: Duration,
}
