//! Exact quantiles: type 7, linear between the closest ranks.
//!
//! Source: Hyndman & Fan, "Sample Quantiles in Statistical Packages" (1996),
//! type 7; reference implementations `numpy.quantile(method="linear")` and
//! Python's `statistics.quantiles(method="inclusive")`. Never outside the
//! minimum and maximum.

use crate::sample::{Fraction, Sample};

/// The quantile of an ordered sample. Cost: constant.
#[must_use]
pub fn quantile(sample: &Sample, fraction: Fraction) -> f64 {
    let values = sample.values();
    let rank = Rank::of(fraction, values.len());
    interpolate(values[rank.low], values[rank.high], rank.part)
}

/// Several quantiles at once, in the order of `fractions`; `None` when there
/// are no values. Reorders `values`.
///
/// Same results as sorting and calling [`quantile`], but by selection on
/// shrinking ranges: O(n log k) for k fractions, O(n) in practice. Values must
/// be free of NaN; if they are not, nothing panics, but NaN takes a rank.
pub fn quantiles_unsorted<T: Measure>(
    values: &mut [T],
    fractions: &[Fraction],
) -> Option<Vec<f64>> {
    if values.is_empty() {
        return None;
    }
    let ranks: Vec<Rank> = fractions
        .iter()
        .map(|fraction| Rank::of(*fraction, values.len()))
        .collect();
    let mut wanted: Vec<usize> = ranks.iter().flat_map(|r| [r.low, r.high]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    select(values, 0, &wanted);
    let at = |rank: usize| values[rank].to_f64();
    Some(
        ranks
            .iter()
            .map(|rank| interpolate(at(rank.low), at(rank.high), rank.part))
            .collect(),
    )
}

/// A number with a total order that reads as `f64`: milliseconds as floats, or
/// nanoseconds as integers (rounded to the nearest `f64` above 2^53).
pub trait Measure: Copy {
    /// Orders any two values.
    fn total_order(&self, other: &Self) -> std::cmp::Ordering;
    /// The value as a float; exact up to 2^53.
    fn to_f64(self) -> f64;
}

impl Measure for f64 {
    fn total_order(&self, other: &Self) -> std::cmp::Ordering {
        self.total_cmp(other)
    }

    fn to_f64(self) -> f64 {
        self
    }
}

macro_rules! integer_measure {
    ($($integer:ty),*) => {$(
        impl Measure for $integer {
            fn total_order(&self, other: &Self) -> std::cmp::Ordering {
                self.cmp(other)
            }

            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

integer_measure!(u32, u64, i64);

/// The two closest ranks (0-based) of a fraction and how far between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rank {
    pub(crate) low: usize,
    pub(crate) high: usize,
    /// 0..1 of the way from `low` to `high`.
    pub(crate) part: f64,
}

impl Rank {
    /// `count` is at least 1.
    pub(crate) fn of(fraction: Fraction, count: usize) -> Self {
        let last = count - 1;
        let position = fraction.get() * last as f64;
        let low = (position.floor() as usize).min(last);
        let part = position - low as f64;
        if part > 0.0 && low < last {
            Self {
                low,
                high: low + 1,
                part,
            }
        } else {
            Self {
                low,
                high: low,
                part: 0.0,
            }
        }
    }
}

/// Between `low` and `high`, never beyond either, rising with `part`.
pub(crate) fn interpolate(low: f64, high: f64, part: f64) -> f64 {
    if part == 0.0 || low == high {
        return low;
    }
    let step = high - low;
    let value = if step.is_finite() {
        low + step * part
    } else {
        // The distance overflows: weigh the ends instead.
        low * (1.0 - part) + high * part
    };
    value.min(high).max(low)
}

/// Puts every rank of `wanted` (ascending, relative to the whole; `start` is
/// where `values` begins) in its place, splitting near the middle first.
fn select<T: Measure>(values: &mut [T], start: usize, wanted: &[usize]) {
    if wanted.is_empty() || values.len() < 2 {
        return;
    }
    let middle = start + values.len() / 2;
    let after = wanted.partition_point(|rank| *rank < middle);
    let nearest = match (after.checked_sub(1), wanted.get(after)) {
        (Some(before), Some(&right)) if middle - wanted[before] < right - middle => before,
        (Some(before), None) => before,
        _ => after,
    };
    let pivot = wanted[nearest];
    let (left, _, right) = values.select_nth_unstable_by(pivot - start, T::total_order);
    select(left, start, &wanted[..nearest]);
    select(right, pivot + 1, &wanted[nearest + 1..]);
}
