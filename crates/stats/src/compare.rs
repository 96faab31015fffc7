//! Are two sets of values different, and by how much.

use crate::special::{normal_two_sided, student_two_sided};
use crate::summary::Summary;

/// Difference of two means, by [`welch`] or [`student`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Mean of the second less mean of the first.
    pub difference: f64,
    /// The difference, in standard errors.
    pub t: f64,
    /// Degrees of freedom (Welch's are Satterthwaite's).
    pub degrees: f64,
    /// The chance, if the means were equal, of a t at least so far from 0.
    pub p: f64,
}

/// Welch's t test, two-sided, without assuming equal variances. Values that are
/// not finite are left out. `None` when a side has fewer than two, or when
/// neither varies.
///
/// Source: Welch (1947); reference implementation
/// `scipy.stats.ttest_ind(second, first, equal_var=False)`.
#[must_use]
pub fn welch(first: &[f64], second: &[f64]) -> Option<Difference> {
    let (first, second) = (Summary::of(first)?, Summary::of(second)?);
    if first.count < 2 || second.count < 2 {
        return None;
    }
    // Population variance over n - 1 is sample variance over n.
    let part = |side: Summary| side.std * side.std / (side.count - 1) as f64;
    let (a, b) = (part(first), part(second));
    let error = a + b;
    if error <= 0.0 || !error.is_finite() {
        return None;
    }
    let difference = second.mean - first.mean;
    let t = difference / error.sqrt();
    let (share_a, share_b) = (a / error, b / error);
    let degrees = 1.0
        / (share_a * share_a / (first.count - 1) as f64
            + share_b * share_b / (second.count - 1) as f64);
    Some(Difference {
        difference,
        t,
        degrees,
        p: student_two_sided(t, degrees),
    })
}

/// Student's t test of two means, two-sided, for sides that vary alike: for
/// "is there any difference at all", where nothing else is to be expected. Values
/// that are not finite are left out. `None` when a side has none, when there are
/// fewer than three, or when neither varies.
///
/// With few values on a side it tells more than [`welch`], which has to learn
/// from them how much they vary.
///
/// Source: Student (1908), Fisher (1925); reference implementation
/// `scipy.stats.ttest_ind(second, first)`.
#[must_use]
pub fn student(first: &[f64], second: &[f64]) -> Option<Difference> {
    let (first, second) = (Summary::of(first)?, Summary::of(second)?);
    let (a, b) = (first.count as f64, second.count as f64);
    let degrees = a + b - 2.0;
    if degrees < 1.0 {
        return None;
    }
    let squares = a * first.std * first.std + b * second.std * second.std;
    let error = squares / degrees * (1.0 / a + 1.0 / b);
    if error <= 0.0 || !error.is_finite() {
        return None;
    }
    let difference = second.mean - first.mean;
    let t = difference / error.sqrt();
    Some(Difference {
        difference,
        t,
        degrees,
        p: student_two_sided(t, degrees),
    })
}

/// Difference of two sets of values by rank, whatever their distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the second's value is larger, ties counting half.
    pub u: f64,
    /// The chance, if both were alike, of a u at least so far from the middle.
    pub p: f64,
    /// Cliff's delta, the effect size: -1 the second is always smaller, 0 alike,
    /// 1 always larger. Below 0.147 negligible, 0.33 small, 0.474 medium (Romano
    /// et al. 2006).
    pub cliffs_delta: f64,
}

/// Up to so many values a side, without ties, p is exact.
const EXACT: usize = 20;

/// Mann–Whitney U test, two-sided. Values that are not finite are left out;
/// `None` when a side is empty or all values are equal. Cost: one sort.
///
/// p is exact up to 20 values a side without ties; otherwise the normal
/// approximation with tie and continuity correction.
///
/// Source: Mann & Whitney (1947); reference implementation
/// `scipy.stats.mannwhitneyu(second, first)`.
#[must_use]
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<MannWhitney> {
    let finite = |values: &[f64], is_second: bool| -> Vec<(f64, bool)> {
        let kept = values.iter().filter(|value| value.is_finite());
        kept.map(|value| (value + 0.0, is_second)).collect()
    };
    let mut all = finite(first, false);
    let first_count = all.len();
    all.extend(finite(second, true));
    let second_count = all.len() - first_count;
    if first_count == 0 || second_count == 0 {
        return None;
    }
    all.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));

    let (a, b, n) = (first_count as f64, second_count as f64, all.len() as f64);
    let mut rank_sum = 0.0;
    let mut ties = 0.0;
    let mut before = 0.0;
    for group in all.chunk_by(|one, other| one.0 == other.0) {
        let size = group.len() as f64;
        let members = group.iter().filter(|(_, is_second)| *is_second).count() as f64;
        rank_sum += members * (before + (size + 1.0) / 2.0);
        ties += size * size * size - size;
        before += size;
    }
    let u = rank_sum - b * (b + 1.0) / 2.0;
    let variance = a * b / 12.0 * ((n + 1.0) - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return None;
    }
    let farther = u.max(a * b - u);
    let p = if ties == 0.0 && first_count.max(second_count) <= EXACT {
        exact_p(first_count, second_count, farther as usize)
    } else {
        let z = (farther - a * b / 2.0 - 0.5) / variance.sqrt();
        normal_two_sided(z.max(0.0))
    };
    Some(MannWhitney {
        u,
        p,
        cliffs_delta: 2.0 * u / (a * b) - 1.0,
    })
}

/// Twice the share of all orders whose U is at least `u`.
///
/// U counts like the partitions in a box: the coefficients of the Gaussian
/// binomial, multiplied out factor by factor.
fn exact_p(first: usize, second: usize, u: usize) -> f64 {
    let largest = first * second;
    let mut ways = vec![0.0; largest + 1];
    ways[0] = 1.0;
    for step in 1..=first {
        // Times (1 - q^(second + step)), divided by (1 - q^step).
        let up = second + step;
        for at in (up..=largest).rev() {
            ways[at] -= ways[at - up];
        }
        for at in step..=largest {
            ways[at] += ways[at - step];
        }
    }
    let all: f64 = ways.iter().sum();
    let tail: f64 = ways[u.min(largest)..].iter().sum();
    (2.0 * tail / all).min(1.0)
}
