use super::Scope;

/// Asks for sessions one by one, the latest first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SessionList {
    /// Which events.
    pub scope: Scope,
    /// At most so many sessions.
    pub limit: u32,
}

impl SessionList {
    /// Sessions unless told otherwise.
    pub const LIMIT: u32 = 100;
}
