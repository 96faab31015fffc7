use super::Scope;

/// Asks for sessions one by one, the latest first.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionList {
    /// Which events.
    pub scope: Scope,
    /// At most so many sessions.
    pub limit: u32,
    /// Only sessions in which this agent did something, as it is stored.
    pub agent: Option<String>,
}

impl SessionList {
    /// Sessions unless told otherwise.
    pub const LIMIT: u32 = 100;

    /// Asks for those of all agents.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            limit: Self::LIMIT,
            agent: None,
        }
    }
}
