use super::Scope;

/// Asks for calls, failures, latency and error types per tool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tools {
    /// Which events.
    pub scope: Scope,
}
