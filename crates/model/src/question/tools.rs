use super::Scope;

/// Asks for calls, failures, latency and error types per tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Tools {
    /// Which events.
    pub scope: Scope,
    /// Only the tool of exactly this name; `unknown`: calls that name none.
    pub name: Option<String>,
}

impl Tools {
    /// Asks for all.
    pub fn new(scope: Scope) -> Self {
        Self { scope, name: None }
    }
}
