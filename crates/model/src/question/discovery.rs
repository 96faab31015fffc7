use super::Scope;

/// Asks how long listing, fetching and searching agents takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Discovery {
    /// Which events.
    pub scope: Scope,
}
