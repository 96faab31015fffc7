use super::Scope;

/// Asks for hits, misses, evictions and rejections per cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caches {
    /// Which events.
    pub scope: Scope,
}
