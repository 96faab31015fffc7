//! Does a series rise or fall: the first seed's rule, and two opinions that
//! outliers cannot sway.

use crate::quantile::quantiles_unsorted;
use crate::sample::Fraction;
use crate::special::normal_two_sided;

/// Where latency is heading; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The second half is more than a tenth lower.
    Improving,
    /// Neither.
    Stable,
    /// The second half is more than a tenth higher.
    Degrading,
}

/// The first seed's rule: the later half of the days against the earlier.
///
/// `daily` is `(mean, weight)` per day in order of time, the weight being how
/// many values the mean stands for. The first half is the first `n / 2` days;
/// each half's mean is weighted. Improving below 0.9 times the first, degrading
/// above 1.1 times, stable between. Days of weight 0 or with a mean that is not
/// finite are left out. Stable, too, below two days: callers that must tell
/// "not enough data" look at how many days they have.
#[must_use]
pub fn halves(daily: &[(f64, u64)]) -> Direction {
    let days: Vec<(f64, u64)> = daily
        .iter()
        .copied()
        .filter(|(mean, weight)| mean.is_finite() && *weight > 0)
        .collect();
    if days.len() < 2 {
        return Direction::Stable;
    }
    let (earlier, later) = days.split_at(days.len() / 2);
    let (first, second) = (weighted_mean(earlier), weighted_mean(later));
    if second < first * 0.9 {
        Direction::Improving
    } else if second > first * 1.1 {
        Direction::Degrading
    } else {
        Direction::Stable
    }
}

/// A straight line through most of the points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Units of y per unit of x.
    pub slope: f64,
    /// y at x = 0.
    pub intercept: f64,
    /// The 95 % confidence interval of the slope.
    pub slope_low: f64,
    /// Upper end of the 95 % interval of the slope.
    pub slope_high: f64,
}

/// Up to so many points every pair is looked at.
pub const THEIL_SEN_EXACT: usize = 2000;

/// The median of the slopes between pairs of points; up to 29 % of the points
/// may be arbitrary. `None` when fewer than two points differ in x.
///
/// Points that are not finite are left out; the longer of the slices is cut.
/// Cost: n² / 2 slopes up to [`THEIL_SEN_EXACT`] points; beyond, Theil's
/// incomplete method (each point of the lower half of x with its partner in the
/// upper half), whose interval comes from those n / 2 independent slopes.
///
/// Source: Theil (1950), Sen (1968); reference implementation
/// `scipy.stats.theilslopes(method="separate")`.
#[must_use]
pub fn theil_sen(x: &[f64], y: &[f64]) -> Option<Line> {
    let mut points: Vec<(f64, f64)> = x
        .iter()
        .copied()
        .zip(y.iter().copied())
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let every_pair = points.len() <= THEIL_SEN_EXACT;
    let mut slopes = if every_pair {
        slopes_of_all(&points)
    } else {
        slopes_of_halves(&points)
    };
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let slope = median(&mut slopes.clone())?;
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    let variance = if every_pair {
        kendall_variance(&[ties(&mut xs), ties(&mut ys)], ys.len())
    } else {
        // As many signs as slopes: a sign test.
        slopes.len() as f64
    };
    let (slope_low, slope_high) = interval(&slopes, variance);
    let intercept = median(&mut ys)? - slope * median(&mut xs)?;
    Some(Line {
        slope,
        intercept,
        slope_low,
        slope_high,
    })
}

/// Whether a series rises or falls steadily.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Pairs that rise less pairs that fall.
    pub s: i64,
    /// `s` of all pairs: -1 falls always, 1 rises always.
    pub tau: f64,
    /// The chance, if there were no trend, of an `s` at least so far from 0.
    pub p: f64,
}

/// Mann–Kendall test, two-sided, with tie and continuity correction. Values in
/// order of time; those that are not finite are left out. `None` below three
/// values. Cost: O(n log n) (Knight 1966).
///
/// The normal approximation of p is good from about eight values.
///
/// Source: Mann (1945), Kendall (1975); reference implementation
/// `pymannkendall.original_test`.
#[must_use]
pub fn mann_kendall(values: &[f64]) -> Option<MannKendall> {
    let mut values: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let count = values.len();
    if count < 3 {
        return None;
    }
    // -0.0 equals 0.0 here, too.
    values.iter_mut().for_each(|value| *value += 0.0);
    let falling = inversions(&mut values);
    let tied = ties(&mut values);
    let level: u64 = tied.iter().map(|t| t * (t - 1) / 2).sum();
    let pairs = count as u64 * (count as u64 - 1) / 2;
    let s = (pairs - level - falling) as i64 - falling as i64;
    let variance = kendall_variance(&[tied], count);
    let z = if s == 0 || variance <= 0.0 {
        0.0
    } else {
        (s - s.signum()) as f64 / variance.sqrt()
    };
    Some(MannKendall {
        s,
        tau: s as f64 / pairs as f64,
        p: normal_two_sided(z),
    })
}

fn weighted_mean(days: &[(f64, u64)]) -> f64 {
    let weight: f64 = days.iter().map(|(_, weight)| *weight as f64).sum();
    // Weighing first keeps equal weights as exact as an unweighted mean.
    let weighed = |(mean, weight): &(f64, u64)| mean * *weight as f64;
    let sum: f64 = days.iter().map(weighed).sum();
    if sum.is_finite() {
        return sum / weight;
    }
    days.iter()
        .map(|(mean, share)| mean * (*share as f64 / weight))
        .sum()
}

fn slopes_of_all(points: &[(f64, f64)]) -> Vec<f64> {
    let mut slopes = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    for (index, from) in points.iter().enumerate() {
        slopes.extend(
            points[index + 1..]
                .iter()
                .filter_map(|to| slope(*from, *to)),
        );
    }
    slopes
}

fn slopes_of_halves(points: &[(f64, f64)]) -> Vec<f64> {
    let half = points.len() / 2;
    let upper = &points[points.len() - half..];
    points
        .iter()
        .zip(upper)
        .filter_map(|(from, to)| slope(*from, *to))
        .collect()
}

fn slope(from: (f64, f64), to: (f64, f64)) -> Option<f64> {
    let run = to.0 - from.0;
    let slope = (to.1 - from.1) / run;
    (run > 0.0 && slope.is_finite()).then_some(slope)
}

fn median(values: &mut [f64]) -> Option<f64> {
    quantiles_unsorted(values, &[Fraction::MEDIAN]).map(|found| found[0])
}

/// Ascending slopes, and the variance of Kendall's S over them.
fn interval(slopes: &[f64], variance: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let count = slopes.len() as f64;
    let reach = Z * variance.max(0.0).sqrt();
    let last = slopes.len() - 1;
    let low = ((count - reach) / 2.0).round_ties_even().max(1.0) as usize - 1;
    let high = ((count + reach) / 2.0).round_ties_even().max(0.0) as usize;
    (slopes[low.min(last)], slopes[high.min(last)])
}

/// The variance of S given how often equal values occur in each coordinate.
fn kendall_variance(tied: &[Vec<u64>], count: usize) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = tied.iter().flatten().map(|t| term(*t as f64)).sum();
    (term(count as f64) - ties) / 18.0
}

/// Sorts the values and returns the sizes of the groups of equals, above 1.
fn ties(values: &mut [f64]) -> Vec<u64> {
    values.sort_unstable_by(f64::total_cmp);
    values
        .chunk_by(|one, other| one == other)
        .map(|group| group.len() as u64)
        .filter(|size| *size > 1)
        .collect()
}

/// Pairs in falling order, counted by merge sort.
fn inversions(values: &mut [f64]) -> u64 {
    let mut spare = values.to_vec();
    sort_counting(values, &mut spare)
}

fn sort_counting(values: &mut [f64], spare: &mut [f64]) -> u64 {
    let count = values.len();
    if count < 2 {
        return 0;
    }
    let middle = count / 2;
    let (left, right) = values.split_at_mut(middle);
    let (spare_left, spare_right) = spare.split_at_mut(middle);
    let mut falling = sort_counting(left, spare_left) + sort_counting(right, spare_right);
    let (mut l, mut r) = (0, 0);
    for slot in spare.iter_mut() {
        if r == right.len() || (l < left.len() && left[l] <= right[r]) {
            *slot = left[l];
            l += 1;
        } else {
            falling += (left.len() - l) as u64;
            *slot = right[r];
            r += 1;
        }
    }
    values.copy_from_slice(spare);
    falling
}
