use serde::Serialize;

use super::{Spread, ratio};

/// How well the agent cache serves `get_agent`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CachePerformance {
    /// Look-ups.
    pub lookups: u64,
    /// Answered by the cache.
    pub hits: u64,
    /// Not answered by it, or not saying so.
    pub misses: u64,
    /// Part of the look-ups, 0..=1, that hit.
    pub hit_ratio: Option<f64>,
    /// How long hits took, ms.
    pub hit_ms: Option<Spread>,
    /// How long misses took, ms.
    pub miss_ms: Option<Spread>,
    /// Mean miss over mean hit; `None` without both, or if hits take no time to
    /// speak of.
    pub speedup: Option<f64>,
}

impl CachePerformance {
    /// Puts the figures together.
    pub fn new(hits: u64, misses: u64, hit_ms: Option<Spread>, miss_ms: Option<Spread>) -> Self {
        let speedup = match (hit_ms, miss_ms) {
            (Some(hit), Some(miss)) => Some(miss.mean / hit.mean).filter(|by| by.is_finite()),
            _ => None,
        };
        Self {
            lookups: hits + misses,
            hits,
            misses,
            hit_ratio: ratio(hits, hits + misses),
            hit_ms,
            miss_ms,
            speedup,
        }
    }

    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.lookups == 0
    }
}
