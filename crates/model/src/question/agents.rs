use super::Scope;

/// Asks how much each agent (by its hash) is loaded and does.
#[derive(Clone, Debug, PartialEq)]
pub struct Agents {
    /// Which events.
    pub scope: Scope,
    /// Only the agent that is stored as exactly this.
    pub name: Option<String>,
}

impl Agents {
    /// Asks for all.
    pub fn new(scope: Scope) -> Self {
        Self { scope, name: None }
    }
}
