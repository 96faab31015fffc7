use serde::Serialize;

use super::Spread;

/// Caches, from `cache` and `cache_operation` events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Caches {
    /// Per cache, in the order they were first seen.
    pub caches: Vec<CacheUse>,
    /// What `cache_operation` events reported of the agent cache.
    pub reports: Option<CacheReports>,
}

/// One cache.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CacheUse {
    /// Its name.
    pub name: String,
    /// Hits.
    pub hits: u64,
    /// Misses.
    pub misses: u64,
    /// Part of the look-ups, 0..=1, that hit; `None` without any.
    pub hit_ratio: Option<f64>,
    /// Entries evicted.
    pub evictions: u64,
    /// Entries rejected for their size.
    pub size_rejections: u64,
    /// How long hits took, ms.
    pub hit_ms: Option<Spread>,
    /// How long misses took, ms.
    pub miss_ms: Option<Spread>,
}

/// What `cache_operation` events reported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CacheReports {
    /// How many reports.
    pub reports: u64,
    /// Reported hit rate, percent, 0..=100.
    pub hit_percent: Option<Spread>,
    /// Mean of the entries held, where reported.
    pub mean_size: Option<f64>,
    /// Sum of the evictions reported.
    pub evictions: i64,
}

impl Caches {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.caches.is_empty() && self.reports.is_none()
    }
}
