use super::Scope;

/// Asks what could not be recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// Which events.
    pub scope: Scope,
}
