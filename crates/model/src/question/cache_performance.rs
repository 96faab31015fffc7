use super::Scope;

/// Asks how often and how much faster the agent cache answers `get_agent`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CachePerformance {
    /// Which events.
    pub scope: Scope,
}
