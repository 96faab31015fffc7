use super::Scope;

/// Asks for every series of `metric` and `performance` events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Which events.
    pub scope: Scope,
}
