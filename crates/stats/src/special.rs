//! Tail probabilities of the normal and of Student's distribution.

/// Both tails beyond ±z of the standard normal distribution.
///
/// Reference implementation: `2 * scipy.stats.norm.sf(abs(z))`.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2).min(1.0)
}

/// Both tails beyond ±t of Student's distribution; `degrees` above 0.
///
/// Reference implementation: `2 * scipy.stats.t.sf(abs(t), degrees)`.
pub(crate) fn student_two_sided(t: f64, degrees: f64) -> f64 {
    if t == 0.0 {
        return 1.0;
    }
    let square = t * t;
    if !square.is_finite() {
        return 0.0;
    }
    // Both arguments are computed apart, so that neither loses its last digits.
    let x = degrees / (degrees + square);
    let rest = square / (degrees + square);
    beta(degrees / 2.0, 0.5, x, rest).clamp(0.0, 1.0)
}

/// The regularised incomplete beta function at `x`, where `rest` is `1 - x`.
///
/// Continued fraction after Press et al., "Numerical Recipes" (2007), 6.4.
fn beta(a: f64, b: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 || rest <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // b is a half here; both log-gammas of a large `a` would cancel.
    let log_ratio = if a > 100.0 && b == 0.5 {
        0.5 * a.ln() - 1.0 / (8.0 * a) + 1.0 / (192.0 * a.powi(3)) - 1.0 / (640.0 * a.powi(5))
    } else {
        libm::lgamma(a + b) - libm::lgamma(a)
    };
    let log_front = log_ratio - libm::lgamma(b) + a * log_of(x, rest) + b * log_of(rest, x);
    let front = log_front.exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, rest) / b
    }
}

/// `ln(x)`, precise also where x is close to 1.
fn log_of(x: f64, rest: f64) -> f64 {
    if rest < 0.5 { (-rest).ln_1p() } else { x.ln() }
}

/// Lentz's method (1976), modified by Thompson & Barnett (1986).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    // Needs about √max(a, b) steps; the limit only ends what cannot converge.
    for step in 1..100_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let change = d * c;
        result *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::student_two_sided;

    #[test]
    fn many_degrees_of_freedom_lose_no_digits() {
        for (t, degrees, expected) in [
            (0.5, 1e9, 0.617_075_077_561_994_3),
            (3.0, 5.5, 0.026_723_480_661_845_905),
            (40.0, 30.0, 1.372_604_519_440_641_7e-27),
        ] {
            let p = student_two_sided(t, degrees);
            assert!((p / expected - 1.0).abs() < 1e-8, "{p} for {expected}");
        }
    }
}
