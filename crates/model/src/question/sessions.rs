use super::Scope;

/// Asks for sessions: how many, how long, how many tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sessions {
    /// Which events.
    pub scope: Scope,
}
