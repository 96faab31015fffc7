use super::Scope;

/// Asks how much each agent (by its hash) is loaded and does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agents {
    /// Which events.
    pub scope: Scope,
}
