//! What a series did altogether.

use std::sync::Arc;

/// Upper ends of the classic buckets of durations, milliseconds; one more holds
/// what is above. From a cached look-up to a model that thinks for ten minutes.
pub const BOUNDS_MS: [f64; 18] = [
    1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1e3, 2.5e3, 5e3, 10e3, 30e3, 60e3, 120e3,
    300e3, 600e3,
];

/// Most error types that are kept apart for one series.
const MAX_ERROR_TYPES: usize = 64;
pub use tachograph_model::answer::OTHER;

/// Tokens of one call, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Cached ones included.
    pub input: u64,
    /// Reasoning included.
    pub output: u64,
    /// Of the input.
    pub cache_read: u64,
    /// Of the input.
    pub cache_write: u64,
    /// Of the output.
    pub reasoning: u64,
}

/// What happened to a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub size_rejections: u64,
}

/// Everything since counting began; only grows, but for `sum` of values below
/// zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Events, with a value or without.
    pub events: u64,
    /// Of those, how many tell of a failure.
    pub failed: u64,
    /// Of those, how many do not tell how it ended.
    pub unknown: u64,
    /// Values; one event may stand for several.
    pub values: u64,
    /// Of the values.
    pub sum: f64,
    /// Of the values above zero: never falls.
    pub grown: f64,
    /// Values by [`BOUNDS_MS`], and those above; empty for what is no duration.
    pub buckets: Vec<u64>,
    /// Failures by type, in the order in which the types first came.
    pub errors: Vec<(Arc<str>, u64)>,
    pub tokens: Tokens,
    /// US dollars, of the events that tell what they cost.
    pub cost_usd: f64,
    /// How many do.
    pub priced: u64,
    pub lookups: Lookups,
}

impl Totals {
    pub(super) fn new(duration: bool) -> Self {
        let count = if duration { BOUNDS_MS.len() + 1 } else { 0 };
        Self {
            buckets: vec![0; count],
            ..Self::default()
        }
    }

    /// Adds a finite value.
    pub(super) fn add(&mut self, value: f64, times: u64) {
        let all = value * times as f64;
        self.values = self.values.saturating_add(times);
        self.sum = (self.sum + all).clamp(f64::MIN, f64::MAX);
        self.grown = (self.grown + all.max(0.0)).min(f64::MAX);
        if !self.buckets.is_empty() {
            self.buckets[BOUNDS_MS.partition_point(|bound| *bound < value)] += times;
        }
    }

    /// Adds what a model call used, and cost where that is known.
    pub(super) fn spend(&mut self, more: Tokens, cost_usd: Option<f64>) {
        let held = &mut self.tokens;
        for (held, more) in [
            (&mut held.input, more.input),
            (&mut held.output, more.output),
            (&mut held.cache_read, more.cache_read),
            (&mut held.cache_write, more.cache_write),
            (&mut held.reasoning, more.reasoning),
        ] {
            *held = held.saturating_add(more);
        }
        self.cost_usd = (self.cost_usd + cost_usd.unwrap_or(0.0)).min(f64::MAX);
        self.priced += u64::from(cost_usd.is_some());
    }

    pub(super) fn add_error(&mut self, error: &str, known: impl FnOnce(&str) -> Arc<str>) {
        let place = |errors: &[(Arc<str>, u64)], name: &str| {
            errors.iter().position(|(held, _)| &**held == name)
        };
        if let Some(at) = place(&self.errors, error) {
            self.errors[at].1 += 1;
            return;
        }
        let name = match self.errors.len() < MAX_ERROR_TYPES {
            true => error,
            false => OTHER,
        };
        match place(&self.errors, name) {
            Some(at) => self.errors[at].1 += 1,
            None => self.errors.push((known(name), 1)),
        }
    }

    /// Of the events, how many tell of a success.
    pub fn succeeded(&self) -> u64 {
        self.events - self.failed - self.unknown
    }

    /// What was added since an earlier state of the same series.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let earlier = |at: usize| before.errors.get(at).map_or(0, |(_, count)| *count);
        let errors = self.errors.iter().enumerate();
        let buckets = self.buckets.iter().zip(&before.buckets);
        Self {
            events: self.events - before.events,
            failed: self.failed - before.failed,
            unknown: self.unknown - before.unknown,
            values: self.values - before.values,
            sum: self.sum - before.sum,
            grown: self.grown - before.grown,
            buckets: buckets.map(|(now, then)| now - then).collect(),
            errors: errors
                .map(|(at, (name, count))| (name.clone(), count - earlier(at)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            tokens: Tokens {
                input: self.tokens.input - before.tokens.input,
                output: self.tokens.output - before.tokens.output,
                cache_read: self.tokens.cache_read - before.tokens.cache_read,
                cache_write: self.tokens.cache_write - before.tokens.cache_write,
                reasoning: self.tokens.reasoning - before.tokens.reasoning,
            },
            cost_usd: self.cost_usd - before.cost_usd,
            priced: self.priced - before.priced,
            lookups: Lookups {
                hits: self.lookups.hits - before.lookups.hits,
                misses: self.lookups.misses - before.lookups.misses,
                evictions: self.lookups.evictions - before.lookups.evictions,
                size_rejections: self.lookups.size_rejections - before.lookups.size_rejections,
            },
        }
    }
}
