use super::Scope;

/// Asks for calls, tokens, cost and latency per provider and model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Models {
    /// Which events.
    pub scope: Scope,
}
