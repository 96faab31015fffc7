//! Where the level of a series shifts.

use crate::quantile::quantiles_unsorted;
use crate::sample::Fraction;

/// The indices at which a new level begins, ascending; empty when there is one
/// level throughout. `None` when a value is not finite or when there are fewer
/// than two segments' worth.
///
/// Finds the segmentation with the least sum of squared distances from the
/// segments' means plus `penalty` per shift ([`noise_penalty`] is a good one;
/// the larger, the fewer shifts; below 0 or NaN counts as 0). Every segment
/// holds at least `min_segment` values (0 counts as 1). Cost: O(n) where shifts
/// are frequent, O(n²) at worst.
///
/// Source: Killick, Fearnhead & Eckley, "Optimal Detection of Changepoints With
/// a Linear Computational Cost" (PELT, 2012); reference implementation
/// `ruptures.Pelt(model="l2", jump=1)`. Unlike there, a candidate is dropped
/// only `min_segment` steps after it was beaten, which keeps the result optimal.
#[must_use]
pub fn level_shifts(values: &[f64], min_segment: usize, penalty: f64) -> Option<Vec<usize>> {
    let min_segment = min_segment.max(1);
    let count = values.len();
    if count / 2 < min_segment || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let penalty = penalty.max(0.0);
    let costs = Costs::new(values)?;
    // best[end] = (cost of the best segmentation of ..end, its last shift).
    let mut best = vec![(f64::INFINITY, 0); count + 1];
    best[0] = (-penalty, 0);
    let mut candidates: Vec<Candidate> = Vec::new();
    for end in min_segment..=count {
        let start = end - min_segment;
        if best[start].0.is_finite() {
            candidates.push(Candidate {
                start,
                until: usize::MAX,
            });
        }
        candidates.retain(|candidate| candidate.until > end);
        for candidate in &candidates {
            let cost = best[candidate.start].0 + costs.of(candidate.start, end) + penalty;
            if cost < best[end].0 {
                best[end] = (cost, candidate.start);
            }
        }
        for candidate in &mut candidates {
            let cost = best[candidate.start].0 + costs.of(candidate.start, end);
            if cost > best[end].0 && candidate.until == usize::MAX {
                candidate.until = end + min_segment;
            }
        }
    }
    let mut shifts = Vec::new();
    let mut end = count;
    while best[end].1 > 0 {
        end = best[end].1;
        shifts.push(end);
    }
    shifts.reverse();
    Some(shifts)
}

/// A penalty that noise alone rarely exceeds: `3 σ² ln n`.
///
/// σ comes from the median absolute difference of neighbours, so that the
/// shifts themselves do not widen it. `None` below two values, when one is not
/// finite, or when more than half of the neighbours are equal.
#[must_use]
pub fn noise_penalty(values: &[f64]) -> Option<f64> {
    let mut steps: Vec<f64> = values
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .collect();
    if steps.iter().any(|step| !step.is_finite()) {
        return None;
    }
    let step = quantiles_unsorted(&mut steps, &[Fraction::MEDIAN])?[0];
    // A difference of two normal values is √2 times as wide; the median of its
    // absolute value is 0.6745 of that.
    let sigma = step / (std::f64::consts::SQRT_2 * 0.674_489_750_196_081_7);
    (sigma > 0.0).then(|| 3.0 * sigma * sigma * (values.len() as f64).ln())
}

struct Candidate {
    start: usize,
    /// The first end it is no longer considered for.
    until: usize,
}

/// Running sums, from which the cost of any segment follows.
struct Costs {
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Costs {
    /// `None` when the squares overflow.
    fn new(values: &[f64]) -> Option<Self> {
        // Around the median: a common offset would swallow the differences.
        let centre = quantiles_unsorted(&mut values.to_vec(), &[Fraction::MEDIAN])?[0];
        let (mut sum, mut square) = (0.0, 0.0);
        let mut costs = Self {
            sums: vec![0.0],
            squares: vec![0.0],
        };
        for value in values {
            let value = value - centre;
            sum += value;
            square += value * value;
            costs.sums.push(sum);
            costs.squares.push(square);
        }
        square.is_finite().then_some(costs)
    }

    /// Squared distances from the mean of `start..end`, in sum.
    fn of(&self, start: usize, end: usize) -> f64 {
        let sum = self.sums[end] - self.sums[start];
        let square = self.squares[end] - self.squares[start];
        (square - sum * sum / (end - start) as f64).max(0.0)
    }
}
