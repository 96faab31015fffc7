use super::Scope;

/// Asks how discovery went day by day, and where it is heading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trends {
    /// Which events.
    pub scope: Scope,
}
