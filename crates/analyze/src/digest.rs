//! Several cells' values as one set: count, sum, mean, ends and quantiles.
//!
//! Sketches are merged. Exact values are not: for large sets a histogram says
//! in which bucket a rank lies, and only the values of that bucket are looked
//! at one by one, so that a quantile costs one pass over the values wherever
//! they lie, without a copy and without sorting. (Selection by buckets; the
//! idea is that of radix selection, e.g. Alabi et al., "Fast k-selection
//! algorithms for graphics processing units", 2012.)

use tachograph_model::answer::{CountRange, Spread};
use tachograph_stats::{Bucket, ExactSum, Fraction, Histogram, quantiles_unsorted};
use tachograph_store::Distribution;

/// Up to so many values are copied and selected from.
const SMALL: usize = 4096;

/// One cell's values of one column, with their histogram where it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) values: &'a Distribution,
    /// Of exact values; the same values.
    pub(crate) histogram: Option<&'a Histogram>,
}

/// Values of several cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Digest<'a> {
    pub(crate) fn add(&mut self, part: Part<'a>) {
        if !part.values.is_empty() {
            self.parts.push(part);
        }
    }

    /// Takes in what another holds.
    pub(crate) fn join(&mut self, other: &Self) {
        self.parts.extend_from_slice(&other.parts);
    }

    /// The mean, rounded once; `None` without values.
    pub(crate) fn mean(&self) -> Option<f64> {
        let (sum, count) = self.exact_sum();
        sum.mean(count)
    }

    /// The sum, rounded once; `None` without values.
    pub(crate) fn sum(&self) -> Option<f64> {
        let (sum, count) = self.exact_sum();
        (count > 0).then(|| in_range(sum.value()))
    }

    pub(crate) fn count(&self) -> u64 {
        self.parts.iter().map(|part| part.values.count()).sum()
    }

    /// How many values lie strictly above `threshold`.
    pub(crate) fn count_above(&self, threshold: f64) -> CountRange {
        let mut range = CountRange::default();
        for part in &self.parts {
            let bounds = part.values.count_above(threshold);
            range += CountRange {
                at_least: bounds.at_least,
                at_most: bounds.at_most,
            };
        }
        range
    }

    /// Everything; `None` without values.
    pub(crate) fn spread(&self) -> Option<Spread> {
        const WANTED: [Fraction; 3] = [Fraction::MEDIAN, Fraction::P95, Fraction::P99];
        match self.exact_slices() {
            Some(slices) if self.count() <= SMALL as u64 => small(&slices, &WANTED),
            Some(slices) => {
                let histogram = self.histogram();
                let quantiles = select_by_bucket(&histogram, &slices, &WANTED)?;
                spread_of(&histogram, &quantiles)
            }
            None => {
                let histogram = self.histogram();
                let quantiles = histogram.quantiles(&WANTED)?;
                spread_of(&histogram, &quantiles)
            }
        }
    }

    fn exact_slices(&self) -> Option<Vec<&'a [f64]>> {
        self.parts
            .iter()
            .map(|part| match part.values {
                Distribution::Exact(values) => Some(values.as_slice()),
                Distribution::Sketch(_) => None,
            })
            .collect()
    }

    fn histogram(&self) -> Histogram {
        let mut all = Histogram::new();
        for part in &self.parts {
            match (part.histogram, part.values) {
                (Some(histogram), _) | (None, Distribution::Sketch(histogram)) => {
                    all.merge(histogram);
                }
                (None, Distribution::Exact(values)) => all.extend(values.iter().copied()),
            }
        }
        all
    }

    fn exact_sum(&self) -> (ExactSum, u64) {
        let (mut sum, mut count) = (ExactSum::new(), 0);
        for part in &self.parts {
            match (part.histogram, part.values) {
                (Some(histogram), _) | (None, Distribution::Sketch(histogram)) => {
                    sum.merge(&histogram.exact_sum());
                    count += histogram.count();
                }
                (None, Distribution::Exact(values)) => {
                    count += values.iter().filter(|value| sum.add(**value)).count() as u64;
                }
            }
        }
        (sum, count)
    }
}

/// A sum as far as a double goes: an infinite one could be said in no form.
pub(crate) fn in_range(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

fn small(slices: &[&[f64]], wanted: &[Fraction]) -> Option<Spread> {
    let mut values = slices.concat();
    let summary = tachograph_stats::Summary::of(&values)?;
    let quantiles = quantiles_unsorted(&mut values, wanted)?;
    Some(Spread {
        count: summary.count,
        sum: in_range(summary.sum),
        mean: summary.mean,
        min: summary.min,
        max: summary.max,
        p50: quantiles[0],
        p95: quantiles[1],
        p99: quantiles[2],
    })
}

fn spread_of(histogram: &Histogram, quantiles: &[f64]) -> Option<Spread> {
    Some(Spread {
        count: histogram.count(),
        sum: in_range(histogram.sum()),
        mean: histogram.mean()?,
        min: histogram.min()?,
        max: histogram.max()?,
        p50: quantiles[0],
        p95: quantiles[1],
        p99: quantiles[2],
    })
}

/// Type 7 quantiles of the values in `slices`, which `histogram` saw, too.
fn select_by_bucket(
    histogram: &Histogram,
    slices: &[&[f64]],
    wanted: &[Fraction],
) -> Option<Vec<f64>> {
    let count = histogram.count();
    let last = count.checked_sub(1)?;
    let positions: Vec<f64> = wanted.iter().map(|f| f.get() * last as f64).collect();
    let mut ranks: Vec<u64> = positions
        .iter()
        .flat_map(|position| {
            let low = (position.floor() as u64).min(last);
            [low, (low + 1).min(last)]
        })
        .collect();
    ranks.sort_unstable();
    ranks.dedup();
    let values = values_at(histogram, slices, &ranks);
    let at = |rank: u64| match ranks.binary_search(&rank) {
        Ok(index) => values[index],
        Err(_) => f64::NAN,
    };
    positions
        .iter()
        .map(|position| {
            let low = (position.floor() as u64).min(last);
            // Between two values, the quantile is type 7's at the part.
            let part = Fraction::new(position - low as f64)?;
            let mut pair = [at(low), at((low + 1).min(last))];
            Some(quantiles_unsorted(&mut pair, &[part])?[0])
        })
        .collect()
}

/// The values of the ranks `wanted`, which ascend.
fn values_at(histogram: &Histogram, slices: &[&[f64]], wanted: &[u64]) -> Vec<f64> {
    struct Held {
        bucket: Bucket,
        before: u64,
        values: Vec<f64>,
    }
    let mut held: Vec<Held> = Vec::new();
    let (mut before, mut next) = (0, 0);
    for bucket in histogram.ascending() {
        let end = before + bucket.count;
        if next < wanted.len() && wanted[next] < end {
            held.push(Held {
                bucket,
                before,
                values: Vec::with_capacity(bucket.count as usize),
            });
            while next < wanted.len() && wanted[next] < end {
                next += 1;
            }
        }
        before = end;
    }
    for slice in slices {
        // Most chunks are of interest to no bucket: comparisons without a branch
        // between them settle that for several values at once.
        for chunk in slice.chunks(16) {
            for one in &mut held {
                let (low, high) = (one.bucket.low, one.bucket.high);
                // The bucket of zero holds what is too small to have one.
                let zero = low <= 0.0 && 0.0 <= high;
                let inside =
                    |value: f64| (low <= value) & (value <= high) | (zero & !value.is_normal());
                if chunk.iter().fold(false, |any, value| any | inside(*value)) {
                    let found = chunk.iter().copied().filter(|value| inside(*value));
                    one.values.extend(found);
                }
            }
        }
    }
    let mut found = Vec::with_capacity(wanted.len());
    let mut sorted = 0;
    for &rank in wanted {
        let Some(at) = held.iter().rposition(|one| one.before <= rank) else {
            found.push(f64::NAN);
            continue;
        };
        if at >= sorted {
            held[at].values.sort_unstable_by(f64::total_cmp);
            sorted = at + 1;
        }
        let index = (rank - held[at].before) as usize;
        found.push(held[at].values.get(index).copied().unwrap_or(f64::NAN));
    }
    found
}
