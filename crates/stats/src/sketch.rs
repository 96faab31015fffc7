//! A mergeable histogram with a guaranteed relative error: the rollups' memory
//! of a distribution.
//!
//! ```text
//! bits of a positive f64:  0 eeeeeeeeeee mmmmmmm mmmmm…mmmmm
//!                          └── bucket index ───┘ └ 45 bits: residual ┘
//! bucket (128 bits):       count in the upper 43, sum of residuals in the lower 85
//! ```
//!
//! The bucket index is the upper 19 bits of the value: no logarithm, no division.
//! One range check finds the bucket and at the same time sets aside zero,
//! subnormal, negative, infinite and NaN values; one 128-bit addition then
//! records the count *and* the exact sum.
//!
//! Source: the log-linear layout of HdrHistogram (Gil Tene) and of Circonus'
//! `circllhist` ("Circllhist", Hartmann & Schlossnagle, 2020); the error
//! guarantee as in DDSketch (Masson, Rim & Lee, VLDB 2019). Reference
//! implementation: `sketches-ddsketch`.

use crate::exact::ExactSum;
use crate::quantile::{Rank, interpolate};
use crate::sample::Fraction;

mod buckets;
mod codec;

use buckets::Buckets;
pub use codec::DecodeError;

/// A quantile differs from the exact one by at most this part of it.
///
/// Buckets are `2^exponent / 128` wide and answer with the value whose relative
/// error is smallest at both ends, so the worst is 1/257 = 0.389 %; the rest
/// covers rounding.
pub const RELATIVE_ERROR: f64 = 1.0 / 256.0;

/// The most values a histogram counts exactly: 2^40, a million million.
pub const MAX_COUNT: u64 = 1 << 40;

/// Counts in log-linear buckets; count, sum, minimum and maximum are exact.
///
/// - Negative values have mirrored buckets and the same relative error.
/// - Zero is exact. Subnormals (below 2.3e-308) are taken as zero.
/// - NaN and infinities are only counted ([`Histogram::non_finite`]).
/// - Merging is associative and commutative to the last bit, sums included:
///   a histogram depends on which values it saw, not on how they came.
///
/// Memory: 32 bytes a distinct bucket up to 64 of them, then 16 bytes a bucket
/// over the touched range (128 a doubling: about 40 KB for 1 µs to 1 s), 4 MB a
/// side if values span everything an `f64` can hold. Above [`MAX_COUNT`] values
/// counts stand still at their largest; nothing panics.
///
/// ```
/// use tachograph_stats::{Fraction, Histogram};
///
/// let mut histogram = Histogram::new();
/// histogram.extend((1..=1000).map(f64::from));
/// let p95 = histogram.quantile(Fraction::P95).expect("not empty");
/// assert!((p95 / 950.05 - 1.0).abs() <= tachograph_stats::RELATIVE_ERROR);
/// assert_eq!(histogram.sum(), 500_500.0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    positive: Buckets,
    /// By magnitude.
    negative: Buckets,
    zero: u64,
    non_finite: u64,
    ends: Ends,
    /// Residuals of histograms that were decoded: theirs are known in sum only.
    carried: Option<Box<ExactSum>>,
}

/// Minimum and maximum; the wrong way round while there is no value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ends {
    min: f64,
    max: f64,
}

impl Ends {
    fn widen(&mut self, other: Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Histogram {
    /// Starts empty; allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cost: about a nanosecond when the value's bucket exists already.
    #[inline]
    pub fn insert(&mut self, value: f64) {
        if !self.positive.add_fast(value) {
            self.insert_bits(value.to_bits());
        } else if value < self.ends.min || value > self.ends.max {
            self.widen(Ends {
                min: value,
                max: value,
            });
        }
    }

    /// The same value `times` times.
    pub fn insert_n(&mut self, value: f64, times: u64) {
        if times == 0 {
            return;
        }
        if !value.is_finite() {
            self.non_finite = self.non_finite.saturating_add(times);
            return;
        }
        let value = if value.is_normal() { value } else { 0.0 };
        if value > 0.0 {
            self.positive.add(value, times);
        } else if value < 0.0 {
            self.negative.add(-value, times);
        } else {
            self.zero = self.zero.saturating_add(times);
        }
        self.widen(Ends {
            min: value,
            max: value,
        });
    }

    /// Everything the other saw, too. Cost: the number of the other's buckets.
    pub fn merge(&mut self, other: &Self) {
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
        self.zero = self.zero.saturating_add(other.zero);
        self.non_finite = self.non_finite.saturating_add(other.non_finite);
        self.widen(other.ends);
        if let Some(carried) = &other.carried {
            self.carry(carried);
        }
    }

    /// Takes as little memory as it can, for one that is read and merged from
    /// here on. Inserting still works; the first value takes as long as many.
    pub fn pack(&mut self) {
        self.positive = self.positive.packed();
        self.negative = self.negative.packed();
    }

    /// About how much memory the buckets take, beside the value itself.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.positive.memory_bytes() + self.negative.memory_bytes()
    }

    /// How many finite values. Cost: the number of buckets.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.positive
            .count()
            .saturating_add(self.negative.count())
            .saturating_add(self.zero)
    }

    /// Tells whether there is no value in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.min > self.ends.max
    }

    /// Tells whether nothing was ever put in, not even what is no number.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.is_empty() && self.non_finite == 0
    }

    /// NaN and infinite values; they are in no other figure.
    #[must_use]
    pub fn non_finite(&self) -> u64 {
        self.non_finite
    }

    /// Zero and subnormal values.
    #[must_use]
    pub fn zeros(&self) -> u64 {
        self.zero
    }

    /// Values below zero.
    #[must_use]
    pub fn negatives(&self) -> u64 {
        self.negative.count()
    }

    /// The exact sum, rounded once. Cost: the number of buckets.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.exact_sum().value()
    }

    /// The exact sum, for adding up further without rounding.
    #[must_use]
    pub fn exact_sum(&self) -> ExactSum {
        let mut sum = self.residuals();
        self.positive.sum_floors(&mut sum, false);
        self.negative.sum_floors(&mut sum, true);
        sum
    }

    /// The exact mean, rounded once; `None` when empty.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.exact_sum().mean(self.count())
    }

    /// Returns the smallest value, exactly.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.ends.min)
    }

    /// Returns the largest value, exactly.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.ends.max)
    }

    /// The type 7 quantile, within [`RELATIVE_ERROR`] of the exact one and never
    /// outside the minimum and maximum; `None` when empty.
    ///
    /// Where the two closest ranks have different signs, the bound holds for
    /// each of them rather than for the value between. Cost: the number of
    /// buckets.
    #[must_use]
    pub fn quantile(&self, fraction: Fraction) -> Option<f64> {
        self.quantiles(&[fraction]).map(|values| values[0])
    }

    /// Several quantiles in one pass, in the order given; `None` when empty.
    #[must_use]
    pub fn quantiles(&self, fractions: &[Fraction]) -> Option<Vec<f64>> {
        if self.is_empty() {
            return None;
        }
        let ends = self.ends;
        let count = usize::try_from(self.count()).unwrap_or(usize::MAX);
        let ranks: Vec<Rank> = fractions.iter().map(|f| Rank::of(*f, count)).collect();
        let mut wanted: Vec<usize> = ranks.iter().flat_map(|r| [r.low, r.high]).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let values = self.values_at(&wanted, count, ends);
        let at = |rank: usize| match wanted.binary_search(&rank) {
            Ok(index) => values[index],
            Err(_) => ends.max,
        };
        Some(
            ranks
                .iter()
                .map(|rank| interpolate(at(rank.low), at(rank.high), rank.part))
                .collect(),
        )
    }

    /// How many values are strictly above the threshold: bounds, because the
    /// threshold's own bucket is only known as a whole.
    #[must_use]
    pub fn count_above(&self, threshold: f64) -> CountBounds {
        let mut bounds = CountBounds {
            at_least: 0,
            at_most: 0,
        };
        let ends = self.ends;
        if self.is_empty() || threshold.is_nan() || threshold >= ends.max {
            return bounds;
        }
        let all = self.count();
        if threshold < ends.min {
            return CountBounds {
                at_least: all,
                at_most: all,
            };
        }
        for bucket in self.ascending() {
            if bucket.low > threshold {
                bounds.at_least = bounds.at_least.saturating_add(bucket.count);
            }
            if bucket.high > threshold {
                bounds.at_most = bounds.at_most.saturating_add(bucket.count);
            }
        }
        // The maximum is above, the minimum is not.
        bounds.at_least = bounds.at_least.max(1);
        bounds.at_most = bounds.at_most.min(all - 1);
        bounds
    }

    /// The bucket that a finite value falls in, as one number that rises with
    /// the value: 0 for zero and subnormals, mirrored below. For counting in a
    /// smaller form; what comes back of it is [`Histogram::middle_of`].
    #[must_use]
    pub fn bucket_of(value: f64) -> i32 {
        if !value.is_normal() {
            return 0;
        }
        let index = buckets::index_of(value.abs()).cast_signed();
        if value < 0.0 { -index } else { index }
    }

    /// What stands, with the least relative error, for the buckets
    /// `group << level` up to the next group's: with a level of 0 for one
    /// bucket, with each level more for twice as many, to within twice the
    /// error. Groups below zero are those of the magnitude.
    #[must_use]
    pub fn middle_of(group: i32, level: u32) -> f64 {
        let edge = |group: u32| buckets::floor_of(group << level);
        let magnitude = group.unsigned_abs();
        if magnitude == 0 {
            return 0.0;
        }
        let (low, high) = (edge(magnitude), edge(magnitude + 1));
        // 2 low high / (low + high), without a product or sum that overflows.
        let middle = low * (2.0 / (1.0 + low / high));
        if group < 0 { -middle } else { middle }
    }

    /// Every bucket that holds something, in ascending order of value.
    pub fn ascending(&self) -> impl Iterator<Item = Bucket> {
        let zero = Bucket {
            low: 0.0,
            high: 0.0,
            middle: 0.0,
            count: self.zero,
        };
        let below = self.negative.descending().map(|bucket| Bucket {
            low: -bucket.high,
            high: -bucket.low,
            middle: -bucket.middle,
            count: bucket.count,
        });
        below
            .chain((self.zero > 0).then_some(zero))
            .chain(self.positive.ascending())
    }

    /// The representatives of the ranks `wanted` (ascending, below `count`).
    fn values_at(&self, wanted: &[usize], count: usize, ends: Ends) -> Vec<f64> {
        let mut values = Vec::with_capacity(wanted.len());
        let mut seen = 0_u64;
        let mut buckets = self.ascending();
        let mut middle = ends.min;
        for &rank in wanted {
            while seen <= rank as u64 {
                let Some(bucket) = buckets.next() else { break };
                seen = seen.saturating_add(bucket.count);
                middle = bucket.middle;
            }
            values.push(match rank {
                0 => ends.min,
                last if last + 1 == count => ends.max,
                _ => middle.clamp(ends.min, ends.max),
            });
        }
        values
    }

    /// Takes bits so that the loop around it never needs the value as a float,
    /// which would cost it a store each time.
    #[cold]
    #[inline(never)]
    fn insert_bits(&mut self, bits: u64) {
        self.insert_n(f64::from_bits(bits), 1);
    }

    /// What the values exceed their buckets' lower ends by, signed, in sum.
    fn residuals(&self) -> ExactSum {
        let mut sum = self.carried.as_deref().cloned().unwrap_or_default();
        self.positive.sum_residuals(&mut sum, false);
        self.negative.sum_residuals(&mut sum, true);
        sum
    }

    fn widen(&mut self, other: Ends) {
        self.ends.widen(other);
    }

    fn carry(&mut self, residuals: &ExactSum) {
        self.carried.get_or_insert_default().merge(residuals);
    }
}

/// Equal when count, buckets, minimum, maximum, sum and what was set aside are.
impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        (self.zero, self.non_finite, self.ends) == (other.zero, other.non_finite, other.ends)
            && self.positive.ascending().eq(other.positive.ascending())
            && self.negative.ascending().eq(other.negative.ascending())
            && self.residuals() == other.residuals()
    }
}

/// The fastest way in: everything that does not change stays in registers.
impl Extend<f64> for Histogram {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        let mut bits = values.into_iter().map(f64::to_bits);
        while let Some(missed) = self.positive.add_run(&mut bits, &mut self.ends) {
            self.insert_bits(missed);
        }
    }
}

impl FromIterator<f64> for Histogram {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut histogram = Self::new();
        histogram.extend(values);
        histogram
    }
}

/// Some values between `low` and `high`, both possible.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Lower edge.
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// What stands for all of them, with the least relative error.
    pub middle: f64,
    /// Values in it.
    pub count: u64,
}

/// A count known to lie between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountBounds {
    /// Not fewer.
    pub at_least: u64,
    /// Not more.
    pub at_most: u64,
}

#[cfg(test)]
mod tests;
