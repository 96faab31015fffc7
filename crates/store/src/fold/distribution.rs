//! What is known of a series' values: all of them, or a sketch.

use tachograph_stats::{
    CountBounds, Fraction, Histogram, RELATIVE_ERROR, fsum, mean, quantiles_unsorted,
};

/// The finite values of one numeric column in one cell.
#[derive(Clone, Debug)]
pub enum Distribution {
    /// Every value, in no particular order: 8 bytes each, quantiles exact.
    Exact(Vec<f64>),
    /// A histogram: count, sum, minimum and maximum exact, quantiles within
    /// [`RELATIVE_ERROR`].
    Sketch(Histogram),
}

impl Default for Distribution {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Distribution {
    /// An empty one.
    pub fn new(exact: bool) -> Self {
        if exact {
            Self::Exact(Vec::new())
        } else {
            Self::Sketch(Histogram::new())
        }
    }

    /// How many values. Cost: constant if exact, else the number of buckets.
    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(values) => values.len() as u64,
            Self::Sketch(histogram) => histogram.count(),
        }
    }

    /// Whether there are none. Cost: constant.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Exact(values) => values.is_empty(),
            Self::Sketch(histogram) => histogram.is_empty(),
        }
    }

    /// The exact sum, rounded once; 0 when empty.
    pub fn sum(&self) -> f64 {
        match self {
            Self::Exact(values) => fsum(values),
            Self::Sketch(histogram) => histogram.sum(),
        }
    }

    /// The exact mean, rounded once; `None` when empty.
    pub fn mean(&self) -> Option<f64> {
        match self {
            Self::Exact(values) => mean(values),
            Self::Sketch(histogram) => histogram.mean(),
        }
    }

    /// The smallest value.
    pub fn min(&self) -> Option<f64> {
        match self {
            Self::Exact(values) => values.iter().copied().min_by(f64::total_cmp),
            Self::Sketch(histogram) => histogram.min(),
        }
    }

    /// The largest value.
    pub fn max(&self) -> Option<f64> {
        match self {
            Self::Exact(values) => values.iter().copied().max_by(f64::total_cmp),
            Self::Sketch(histogram) => histogram.max(),
        }
    }

    /// Type 7 quantiles, in the order given, each within
    /// [`relative_error`](Self::relative_error); `None` when empty. Reorders
    /// exact values; linear in their number.
    pub fn quantiles(&mut self, fractions: &[Fraction]) -> Option<Vec<f64>> {
        match self {
            Self::Exact(values) => quantiles_unsorted(values, fractions),
            Self::Sketch(histogram) => histogram.quantiles(fractions),
        }
    }

    /// How many values lie strictly above `threshold`.
    pub fn count_above(&self, threshold: f64) -> CountBounds {
        match self {
            Self::Exact(values) => {
                let above = values.iter().filter(|value| **value > threshold).count() as u64;
                CountBounds {
                    at_least: above,
                    at_most: above,
                }
            }
            Self::Sketch(histogram) => histogram.count_above(threshold),
        }
    }

    /// How far a quantile may lie off, as a part of it: 0 if exact.
    pub fn relative_error(&self) -> f64 {
        match self {
            Self::Exact(_) => 0.0,
            Self::Sketch(_) => RELATIVE_ERROR,
        }
    }

    /// Adds a finite value.
    pub fn insert(&mut self, value: f64) {
        match self {
            Self::Exact(values) => values.push(value),
            Self::Sketch(histogram) => histogram.insert(value),
        }
    }

    /// Takes in another; exact and sketched together are a sketch.
    pub fn merge(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Exact(mine), Self::Exact(theirs)) => {
                if mine.is_empty() {
                    *mine = theirs;
                } else {
                    mine.extend_from_slice(&theirs);
                }
            }
            (Self::Sketch(mine), Self::Sketch(theirs)) if mine.is_blank() => *mine = theirs,
            (Self::Sketch(mine), Self::Sketch(theirs)) => mine.merge(&theirs),
            (Self::Sketch(mine), Self::Exact(theirs)) => mine.extend(theirs),
            (Self::Exact(mine), Self::Sketch(mut theirs)) => {
                theirs.extend(mine.drain(..));
                *self = Self::Sketch(theirs);
            }
        }
    }

    /// As [`Self::merge`], but leaves the other as it is.
    pub(crate) fn merge_ref(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Exact(mine), Self::Exact(theirs)) => mine.extend_from_slice(theirs),
            (Self::Sketch(mine), Self::Sketch(theirs)) => mine.merge(theirs),
            (_, other) => self.merge(other.clone()),
        }
    }

    /// Takes as little memory as it can, to be kept.
    pub(crate) fn pack(&mut self) {
        match self {
            Self::Exact(values) => values.shrink_to_fit(),
            Self::Sketch(histogram) => histogram.pack(),
        }
    }

    /// About how much memory its values take.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Exact(values) => values.capacity() * std::mem::size_of::<f64>(),
            Self::Sketch(histogram) => histogram.memory_bytes(),
        }
    }

    /// The same as a histogram.
    pub fn to_histogram(&self) -> Histogram {
        match self {
            Self::Exact(values) => values.iter().copied().collect(),
            Self::Sketch(histogram) => histogram.clone(),
        }
    }
}
