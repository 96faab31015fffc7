//! Preconditions as types: what the rest of the room may take for granted.

/// A non-empty set of finite values in ascending order.
///
/// Cost of building: one sort. Everything that takes a `Sample` therefore has
/// no "empty", no "not a number" and no "unsorted" case.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Keeps the finite values and sorts them; the second part is how many
    /// (NaN, infinities) were dropped. `None` when nothing is left.
    #[must_use]
    pub fn new(mut values: Vec<f64>) -> (Option<Self>, usize) {
        let given = values.len();
        values.retain(|value| value.is_finite());
        let dropped = given - values.len();
        if values.is_empty() {
            return (None, dropped);
        }
        values.sort_unstable_by(f64::total_cmp);
        (Some(Self(values)), dropped)
    }

    /// The values, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// How many values; at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the smallest value.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.0[0]
    }

    /// Returns the largest value.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// Gives the values back, ascending.
    #[must_use]
    pub fn into_values(self) -> Vec<f64> {
        self.0
    }
}

/// A number in 0..=1: which part of an ordered set lies below.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f64);

impl Fraction {
    /// 0: the minimum.
    pub const ZERO: Self = Self(0.0);
    /// The first quartile.
    pub const P25: Self = Self(0.25);
    /// The median.
    pub const MEDIAN: Self = Self(0.5);
    /// The third quartile.
    pub const P75: Self = Self(0.75);
    /// 90 per cent.
    pub const P90: Self = Self(0.90);
    /// 95 per cent.
    pub const P95: Self = Self(0.95);
    /// 99 per cent.
    pub const P99: Self = Self(0.99);
    /// 1: the maximum.
    pub const ONE: Self = Self(1.0);

    /// `None` outside 0..=1 and for NaN.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// `percent` in 0..=100, divided as `percent / 100`, the first seed's
    /// arithmetic; `None` outside that range and for NaN.
    #[must_use]
    pub fn percent(percent: f64) -> Option<Self> {
        Self::new(percent / 100.0)
    }

    /// Returns the fraction, 0..=1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Fraction, Sample};

    #[test]
    fn drops_what_is_not_finite_and_says_how_many() {
        let (sample, dropped) = Sample::new(vec![3.0, f64::NAN, -1.0, f64::INFINITY, 2.0]);
        assert_eq!(dropped, 2);
        let sample = sample.expect("three values are finite");
        assert_eq!(sample.values(), [-1.0, 2.0, 3.0]);
        assert_eq!((sample.len(), sample.min(), sample.max()), (3, -1.0, 3.0));
    }

    #[test]
    fn nothing_finite_is_no_sample() {
        assert_eq!(Sample::new(vec![]), (None, 0));
        assert_eq!(Sample::new(vec![f64::NAN]), (None, 1));
    }

    #[test]
    fn a_fraction_stays_between_zero_and_one() {
        assert_eq!(Fraction::new(1.0), Some(Fraction::ONE));
        assert_eq!(Fraction::new(1.000_000_1), None);
        assert_eq!(Fraction::new(-0.1), None);
        assert_eq!(Fraction::new(f64::NAN), None);
        assert_eq!(Fraction::percent(95.0), Some(Fraction::P95));
        assert_eq!(Fraction::percent(101.0), None);
    }
}
