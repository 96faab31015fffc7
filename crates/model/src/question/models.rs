use super::Scope;

/// Asks for calls, tokens, cost and latency per provider and model.
#[derive(Clone, Debug, PartialEq)]
pub struct Models {
    /// Which events.
    pub scope: Scope,
    /// Only models of exactly this name; `unknown`: calls that name none.
    pub name: Option<String>,
    /// Only those of this provider; `unknown`: calls that name none.
    pub source: Option<String>,
}

impl Models {
    /// Asks for all.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            name: None,
            source: None,
        }
    }
}
