//! Count, sum, mean, spread and ends of a set of values.

use crate::exact::ExactSum;

/// What describes a set of values; all figures are in the values' own unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Finite values, at least 1.
    pub count: u64,
    /// Exact, rounded once.
    pub sum: f64,
    /// Exact, rounded once.
    pub mean: f64,
    /// Of the population: divided by the count, not by one less. 0 for one value.
    pub std: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Summary {
    /// Leaves out what is not finite; `None` when nothing remains.
    ///
    /// Two passes. The spread is the corrected two-pass algorithm of Chan, Golub
    /// & LeVeque, "Algorithms for Computing the Sample Variance" (1983);
    /// reference implementation `numpy.std(ddof=0)`.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut exact = ExactSum::new();
        let mut count = 0_u64;
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for &value in values {
            if exact.add(value) {
                count += 1;
                min = min.min(value);
                max = max.max(value);
            }
        }
        let mean = exact.mean(count)?;
        let std = deviation(values, mean, count);
        Some(Self {
            count,
            sum: exact.value(),
            mean,
            std,
            min,
            max,
        })
    }
}

/// The root of the mean squared distance from the mean.
fn deviation(values: &[f64], mean: f64, count: u64) -> f64 {
    let count = count as f64;
    // Squares that overflow are taken of smaller values, in powers of two.
    [1.0, f64::from_bits(TINY)]
        .into_iter()
        .find_map(|scale| {
            let (mut squares, mut rest) = (0.0, 0.0);
            for value in values.iter().filter(|value| value.is_finite()) {
                let distance = value * scale - mean * scale;
                squares += distance * distance;
                rest += distance;
            }
            let mean_square = (squares - rest * rest / count) / count;
            let finite = mean_square.is_finite();
            finite.then(|| (mean_square.max(0.0).sqrt() / scale).min(f64::MAX))
        })
        .unwrap_or(f64::MAX)
}

/// The bits of 2^-600: of any values squares, and sums of as many as there may
/// be, are then in range.
const TINY: u64 = (1023 - 600) << 52;

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn leaves_out_what_is_not_finite() {
        let summary = Summary::of(&[2.0, f64::NAN, 4.0, f64::NEG_INFINITY]);
        let expected = Summary {
            count: 2,
            sum: 6.0,
            mean: 3.0,
            std: 1.0,
            min: 2.0,
            max: 4.0,
        };
        assert_eq!(summary, Some(expected));
        assert_eq!(Summary::of(&[f64::NAN]), None);
    }

    #[test]
    fn the_spread_of_huge_values_is_finite() {
        let of = |values: &[f64]| Summary::of(values).map(|summary| summary.std);
        assert_eq!(of(&[-1e308, 1e308, -1e308, 1e308]), Some(1e308));
        assert_eq!(of(&[f64::MIN, f64::MAX]), Some(f64::MAX));
        assert_eq!(of(&[1e300, 1e300]), Some(0.0));
    }

    #[test]
    fn a_large_offset_does_not_swallow_the_spread() {
        let values: Vec<f64> = [4.0, 7.0, 13.0, 16.0].map(|v| v + 1e9).to_vec();
        assert_eq!(Summary::of(&values).map(|s| s.std), Some(22.5_f64.sqrt()));
    }
}
