//! Which values stand apart, judged by measures that the outliers themselves
//! cannot move.

use crate::quantile::{quantile, quantiles_unsorted};
use crate::sample::{Fraction, Sample};

/// Centre and spread by medians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RobustScale {
    /// The median, in the unit of the values.
    pub median: f64,
    /// Median absolute deviation from the median, unscaled; above 0.
    pub mad: f64,
}

impl RobustScale {
    /// `None` when more than half of the values are equal: then there is no
    /// spread to measure by.
    ///
    /// Source: Iglewicz & Hoaglin, "How to Detect and Handle Outliers" (1993);
    /// reference implementation `scipy.stats.median_abs_deviation`.
    #[must_use]
    pub fn of(sample: &Sample) -> Option<Self> {
        let median = quantile(sample, Fraction::MEDIAN);
        let mut distances: Vec<f64> = sample
            .values()
            .iter()
            .map(|value| (value - median).abs())
            .collect();
        let mad = quantiles_unsorted(&mut distances, &[Fraction::MEDIAN])?[0];
        (mad > 0.0 && mad.is_finite()).then_some(Self { median, mad })
    }

    /// How many standard deviations from the centre, if the bulk is normal.
    /// Beyond ±3.5 is commonly called an outlier.
    #[must_use]
    pub fn z(&self, value: f64) -> f64 {
        // The third quartile of the standard normal distribution.
        0.674_489_750_196_081_7 * (value - self.median) / self.mad
    }
}

/// Tukey's fences around the middle half of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fences {
    /// First quartile.
    pub q1: f64,
    /// Third quartile.
    pub q3: f64,
    /// Below this a value is outside.
    pub low: f64,
    /// Above this a value is outside.
    pub high: f64,
}

impl Fences {
    /// Quartiles of type 7; the fences stand `reach` interquartile ranges
    /// beyond (1.5 for outliers, 3 for far ones). A reach that is negative or
    /// not finite counts as 0.
    ///
    /// Source: Tukey, "Exploratory Data Analysis" (1977).
    #[must_use]
    pub fn of(sample: &Sample, reach: f64) -> Self {
        let (q1, q3) = (
            quantile(sample, Fraction::P25),
            quantile(sample, Fraction::P75),
        );
        let reach = if reach.is_finite() {
            reach.max(0.0)
        } else {
            0.0
        };
        let margin = reach * (q3 - q1);
        Self {
            q1,
            q3,
            low: q1 - margin,
            high: q3 + margin,
        }
    }

    /// Tells whether a value is outside the fences.
    #[must_use]
    pub fn is_outside(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }
}

#[cfg(test)]
mod tests {
    use super::{Fences, RobustScale};
    use crate::Sample;

    #[test]
    fn without_spread_there_is_no_scale() {
        let sample = Sample::new(vec![1.0, 1.0, 1.0, 9.0]).0.expect("finite");
        assert_eq!(RobustScale::of(&sample), None);
    }

    #[test]
    fn the_far_value_stands_outside() {
        let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 100.0])
            .0
            .expect("finite");
        let fences = Fences::of(&sample, 1.5);
        assert_eq!((fences.low, fences.high), (-1.0, 7.0));
        assert!(fences.is_outside(100.0) && !fences.is_outside(7.0));
        let scale = RobustScale::of(&sample).expect("spread");
        assert_eq!((scale.median, scale.mad), (3.0, 1.0));
        assert!(scale.z(100.0) > 3.5 && scale.z(4.0) < 1.0);
    }
}
