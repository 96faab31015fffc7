use serde::Serialize;

use crate::time::UnixNanos;

/// Figures over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timeline {
    /// The type of event that was asked for.
    pub kind: Option<String>,
    /// The name that was asked for.
    pub name: Option<String>,
    /// The source that was asked for.
    pub source: Option<String>,
    /// What the means, sums and quantiles are of; `None` for all types
    /// together.
    pub measure: Option<Measure>,
    /// How long each stretch is, seconds.
    pub bucket_seconds: u64,
    /// The stretches, in order, those without an event, too.
    pub buckets: Vec<TimelineBucket>,
    /// Events after the last stretch, which is in the future.
    pub later: u64,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How long it took, ms.
    DurationMs,
    /// The figure that the event states, in the unit it states.
    Value,
}

/// One stretch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TimelineBucket {
    /// Where it begins.
    pub from: UnixNanos,
    /// Events.
    pub count: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Of these, those that do not say whether they succeeded.
    pub unknown: u64,
    /// The median.
    pub p50: Option<f64>,
    /// 95 % are at most this.
    pub p95: Option<f64>,
    /// 99 % are at most this.
    pub p99: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The sum.
    pub sum: Option<f64>,
    /// Tokens into models.
    pub input_tokens: Option<i64>,
    /// Tokens out of models.
    pub output_tokens: Option<i64>,
    /// What models cost, as far as they say, US dollars.
    pub cost_usd: Option<f64>,
    /// Look-ups that a cache answered; `None` where there were no look-ups.
    pub hits: Option<u64>,
    /// Look-ups that none answered.
    pub misses: Option<u64>,
}

impl Timeline {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.events() == 0 && self.later == 0
    }

    /// Events in all stretches.
    pub fn events(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }
}
