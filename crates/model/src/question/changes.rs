use super::Scope;

/// Asks what changed day by day: level shifts and odd days of latency, failure,
/// cost and hit rate, per tool, model, agent, operation and cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Changes {
    /// Which events.
    pub scope: Scope,
}
