use super::Scope;

/// Asks for hits, misses, evictions and rejections per cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Caches {
    /// Which events.
    pub scope: Scope,
    /// Only the cache of exactly this name, and no reports of the agent cache,
    /// which has none; `unknown`: operations that name none.
    pub name: Option<String>,
}

impl Caches {
    /// Asks for all.
    pub fn new(scope: Scope) -> Self {
        Self { scope, name: None }
    }
}
