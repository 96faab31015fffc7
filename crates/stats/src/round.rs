//! Rounding and adding that agree with Python to the last bit, so that reports
//! equal the seeds'.

use crate::exact::ExactSum;

/// `value` to `digits` places after the point, as Python's `round(value,
/// digits)`: decided on the exact binary value, ties to even (2.675 → 2.67,
/// 0.125 → 0.12). NaN and infinities stay what they are.
///
/// Rust formats the exact value with ties to even, and reading back gives the
/// nearest `f64`: the same two steps as CPython's `double_round`.
#[must_use]
pub fn round_half_even_decimal(value: f64, digits: u8) -> f64 {
    // From here on there is nothing after the point to round.
    let whole = value.abs() >= 4_503_599_627_370_496.0;
    if !value.is_finite() || whole {
        return value;
    }
    let text = format!("{value:.*}", usize::from(digits));
    text.parse().unwrap_or(value)
}

/// The sum, rounded once: Python's `math.fsum`. 0.0 for nothing; infinities and
/// NaN give what adding them gives. Cost: a few nanoseconds a value.
#[must_use]
pub fn fsum(values: &[f64]) -> f64 {
    exact(values).map_or_else(|other| other, |sum| sum.value())
}

/// The arithmetic mean, rounded once: Python's `statistics.mean`, which divides
/// fractions. `None` for nothing; infinities and NaN give what adding them gives.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    exact(values).map_or_else(Some, |sum| sum.mean(values.len() as u64))
}

/// The exact sum, or what is left when something is not finite.
fn exact(values: &[f64]) -> Result<ExactSum, f64> {
    let mut sum = ExactSum::new();
    let mut others = None;
    for &value in values {
        if !sum.add(value) {
            others = Some(others.unwrap_or(0.0) + value);
        }
    }
    others.map_or(Ok(sum), Err)
}

#[cfg(test)]
mod tests {
    use super::{fsum, mean, round_half_even_decimal};

    #[test]
    fn rounding_looks_at_the_binary_value() {
        for (value, rounded) in [
            (2.675, 2.67),
            (0.125, 0.12),
            (0.135, 0.14),
            (0.005, 0.01),
            (0.375, 0.38),
        ] {
            assert_eq!(round_half_even_decimal(value, 2), rounded, "{value}");
        }
        assert_eq!(round_half_even_decimal(2.5, 0), 2.0);
        assert_eq!(round_half_even_decimal(1e300, 2), 1e300);
        assert!(round_half_even_decimal(-0.001, 2).is_sign_negative());
        assert!(round_half_even_decimal(f64::NAN, 2).is_nan());
        assert_eq!(round_half_even_decimal(f64::INFINITY, 2), f64::INFINITY);
    }

    #[test]
    fn adding_does_not_round_on_the_way() {
        assert_eq!(fsum(&[0.1; 10]), 1.0);
        assert_eq!(fsum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(fsum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(fsum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(fsum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(fsum(&[]), 0.0);
        assert_eq!(fsum(&[1.0, f64::INFINITY]), f64::INFINITY);
        assert!(fsum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn a_mean_is_rounded_once() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[f64::MAX, f64::MAX]), Some(f64::MAX));
        assert_eq!(mean(&[5e-324, 0.0]), Some(0.0));
        assert_eq!(mean(&[5e-324, 5e-324, 0.0]), Some(5e-324));
        assert_eq!(mean(&[-1.0, -2.0]), Some(-1.5));
    }
}
