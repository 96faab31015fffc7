use super::Scope;

/// Asks how users' queries are answered: summary, per type of agent, per day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queries {
    /// Which events.
    pub scope: Scope,
    /// What counts as slow, and as complex.
    pub limits: QueryLimits,
}

/// What counts as slow, and as complex. A query is beyond a limit when it is
/// strictly above it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct QueryLimits {
    /// Slow above this, ms.
    pub slow_ms: f64,
    /// Very slow above this, ms; such a query is slow, too.
    pub very_slow_ms: f64,
    /// Highly complex above this score, 0..=1.
    pub high_complexity: f64,
}

impl Default for QueryLimits {
    /// The fifth seed's: 5 s, 30 s, 0.7.
    fn default() -> Self {
        Self {
            slow_ms: 5_000.0,
            very_slow_ms: 30_000.0,
            high_complexity: 0.7,
        }
    }
}
