//! What happened to one series in one stretch of time: counts, sums, ends, and
//! a small mergeable sketch of the distribution.
//!
//! The sketch counts values in the buckets of [`Histogram`] (within
//! [`RELATIVE_ERROR`]), as a list of those that hold something: 8 bytes each. A
//! slot that would hold too many joins its buckets two by two, which doubles
//! the error; "UDDSketch" (Epicoco et al., 2020) does the same.

use tachograph_stats::{Histogram, RELATIVE_ERROR};

/// How far buckets are joined at most: 2^7 of them, one for each doubling.
const MAX_LEVEL: u32 = 7;

/// Memory that all series share.
#[derive(Debug)]
pub(super) struct Budget {
    /// Buckets that the slots have room for, now.
    cells: usize,
    /// Recent points that there is room for, now, by pool.
    points: [usize; 2],
    max_cells: usize,
    max_points: usize,
}

impl Budget {
    pub(super) fn new(max_cells: usize, max_points: usize) -> Self {
        Self {
            cells: 0,
            points: [0; 2],
            max_cells,
            max_points,
        }
    }

    /// How many buckets one slot may hold: the fewer, the more all hold.
    fn cells_each(&self) -> usize {
        match self.cells * 4 / self.max_cells.max(1) {
            0 | 1 => 1024,
            2 => 256,
            3 => 64,
            _ => 16,
        }
    }

    /// Asks for room for more points; false when there is none left.
    pub(super) fn take_points(&mut self, pool: Pool, more: usize) -> bool {
        let points = &mut self.points[pool as usize];
        let fits = *points + more <= self.max_points / 2;
        *points += if fits { more } else { 0 };
        fits
    }

    pub(super) fn give_back_points(&mut self, pool: Pool, fewer: usize) {
        self.points[pool as usize] -= fewer;
    }

    /// Bytes that sketches and points take.
    pub(super) fn bytes(&self) -> usize {
        self.cells * size_of::<(i32, u32)>()
            + self.points.iter().sum::<usize>() * size_of::<(i64, f64)>()
    }
}

/// Which half of the points' memory is used: metrics are many and their histories
/// long, and must not take the last latencies of tools away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    Metrics,
    Others,
}

/// A value and when it was measured, Unix nanoseconds.
pub(super) type At = (i64, f64);

/// One stretch of one series.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Its first second since the epoch.
    pub(super) start: u32,
    /// How often buckets were joined two by two.
    level: u32,
    pub(super) count: u64,
    /// Events without a value.
    pub(super) bare: u64,
    /// Of all events.
    pub(super) failed: u64,
    pub(super) sum: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) first: At,
    pub(super) last: At,
    /// Joined bucket and count, ascending.
    cells: Vec<(i32, u32)>,
}

impl Slot {
    pub(super) fn new(start: u32) -> Self {
        Self {
            start,
            level: 0,
            count: 0,
            bare: 0,
            failed: 0,
            sum: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            first: (i64::MAX, 0.0),
            last: (i64::MIN, 0.0),
            cells: Vec::new(),
        }
    }

    /// Adds a finite value `times` times (at least once). Cost: a search in at
    /// most 1024 buckets.
    pub(super) fn add(&mut self, (at, value): At, times: u64, failed: bool, budget: &mut Budget) {
        let before = self.mean();
        self.count = self.count.saturating_add(times);
        self.failed += u64::from(failed);
        self.sum = (self.sum + value * times as f64).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Welford, "Note on a Method for Calculating Corrected Sums of Squares
        // and Products" (1962).
        self.squares += times as f64 * (value - before) * (value - self.mean());
        if at < self.first.0 {
            self.first = (at, value);
        }
        if at >= self.last.0 {
            self.last = (at, value);
        }
        let group = joined(Histogram::bucket_of(value), self.level);
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        self.count_in(group, times, budget);
    }

    /// Adds an event without a value.
    pub(super) fn add_bare(&mut self, failed: bool) {
        self.bare += 1;
        self.failed += u64::from(failed);
    }

    /// Takes in an earlier or later stretch of the same series, and gives back
    /// what memory it held.
    pub(super) fn merge(&mut self, other: Self, budget: &mut Budget) {
        self.merge_figures(&other);
        while self.level < other.level {
            self.join();
        }
        for &(group, times) in &other.cells {
            // Joining may go on while they are counted.
            self.count_in(joined(group, self.level - other.level), times, budget);
        }
        other.give_back(budget);
    }

    /// As [`Slot::merge`], but for the distribution: all that a window needs
    /// beside [`Slot::pour`].
    pub(super) fn merge_figures(&mut self, other: &Self) {
        self.bare += other.bare;
        self.failed += other.failed;
        if other.count == 0 {
            return;
        }
        let (mine, theirs) = (self.count as f64, other.count as f64);
        let apart = other.mean() - self.mean();
        self.squares += other.squares;
        if self.count > 0 {
            // Chan, Golub & LeVeque, "Algorithms for Computing the Sample
            // Variance" (1983).
            self.squares += apart * apart * (mine * theirs / (mine + theirs));
        }
        self.count = self.count.saturating_add(other.count);
        self.sum = (self.sum + other.sum).clamp(f64::MIN, f64::MAX);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if other.first.0 < self.first.0 {
            self.first = other.first;
        }
        if other.last.0 >= self.last.0 {
            self.last = other.last;
        }
    }

    /// Adds the distribution to a histogram; returns the error of its values.
    pub(super) fn pour(&self, into: &mut Histogram) -> f64 {
        for &(group, times) in &self.cells {
            let middle = Histogram::middle_of(group, self.level);
            into.insert_n(middle.clamp(self.min, self.max), u64::from(times));
        }
        // What stands for joined buckets falls in one bucket of the histogram,
        // which has an error of its own.
        let buckets = (1_u32 << self.level) + u32::from(self.level > 0);
        RELATIVE_ERROR * f64::from(buckets)
    }

    /// The mean; 0 while there is none.
    pub(super) fn mean(&self) -> f64 {
        match self.count {
            0 => 0.0,
            count => (self.sum / count as f64).clamp(self.min, self.max),
        }
    }

    /// Of the population; never NaN.
    pub(super) fn deviation(&self) -> f64 {
        let variance = self.squares / (self.count.max(1)) as f64;
        if variance.is_finite() {
            variance.max(0.0).sqrt()
        } else {
            f64::MAX
        }
    }

    /// Gives back what memory it holds, before it is dropped.
    pub(super) fn give_back(self, budget: &mut Budget) {
        budget.cells -= self.cells.capacity();
    }

    fn count_in(&mut self, group: i32, times: u32, budget: &mut Budget) {
        match self.cells.binary_search_by_key(&group, |(held, _)| *held) {
            Ok(at) => {
                let cell = &mut self.cells[at].1;
                *cell = cell.saturating_add(times);
            }
            Err(_) if self.cells.len() >= budget.cells_each() => {
                if self.level < MAX_LEVEL {
                    self.join();
                    return self.count_in(joined(group, 1), times, budget);
                }
                // Values all over the range of a double: to the nearest.
                let at = self.cells.partition_point(|(held, _)| *held < group);
                let cell = &mut self.cells[at.saturating_sub(1)].1;
                *cell = cell.saturating_add(times);
            }
            Err(at) => {
                if self.cells.len() == self.cells.capacity() {
                    let more = (self.cells.len() / 2).max(8);
                    budget.cells -= self.cells.capacity();
                    self.cells.reserve_exact(more);
                    budget.cells += self.cells.capacity();
                }
                self.cells.insert(at, (group, times));
            }
        }
    }

    /// Joins buckets two by two.
    fn join(&mut self) {
        self.level += 1;
        for cell in &mut self.cells {
            cell.0 = joined(cell.0, 1);
        }
        self.cells.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
    }
}

/// The group that a bucket, or a group, is in after so many joinings.
fn joined(group: i32, level: u32) -> i32 {
    group.signum() * (group.abs() >> level)
}

#[cfg(test)]
mod tests {
    use tachograph_stats::Fraction;

    use super::*;

    /// Latencies over four powers of ten, as if drawn at random.
    fn values(count: u64, seed: u64) -> impl Iterator<Item = f64> {
        (0..count).map(move |at| {
            let noise = (at + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            10_f64.powf(noise as f64 / (1 << 24) as f64 * 4.0)
        })
    }

    fn slot_of(values: impl Iterator<Item = f64>, budget: &mut Budget) -> Slot {
        let mut slot = Slot::new(0);
        for value in values {
            slot.add((1, value), 1, false, budget);
        }
        slot
    }

    /// Quantiles are within the error that is stated.
    fn check(slot: &Slot, mut values: Vec<f64>) {
        values.sort_by(f64::total_cmp);
        let mut histogram = Histogram::new();
        let error = slot.pour(&mut histogram);
        for percent in [1.0, 25.0, 50.0, 95.0, 99.0] {
            let fraction = Fraction::percent(percent).expect("a fraction");
            let found = histogram.quantile(fraction).expect("a value");
            let rank = percent / 100.0 * (values.len() - 1) as f64;
            let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            let within = low * (1.0 - error) <= found && found <= high * (1.0 + error);
            assert!(
                within,
                "p{percent}: {found} is not {low}..{high} within {error}"
            );
        }
    }

    #[test]
    fn the_fuller_the_budget_the_coarser_and_never_past_it() {
        // A slot on its own knows some 900 buckets of these values.
        for (max_cells, level) in [(1 << 20, 0), (2048, 1), (512, 3), (64, 5)] {
            let mut budget = Budget::new(max_cells, 0);
            let all: Vec<f64> = values(20_000, 0).collect();
            let slot = slot_of(all.iter().copied(), &mut budget);
            assert!(slot.level >= level, "{max_cells}: {}", slot.level);
            assert!(budget.cells <= max_cells + max_cells / 2, "{budget:?}");
            assert_eq!(
                slot.cells.iter().map(|cell| u64::from(cell.1)).sum::<u64>(),
                20_000
            );
            check(&slot, all);
            slot.give_back(&mut budget);
            assert_eq!(budget.cells, 0);
        }
    }

    #[test]
    fn slots_of_any_coarseness_merge_both_ways() {
        for (first, second) in [(1 << 20, 64), (64, 1 << 20), (512, 600)] {
            let mut tight = Budget::new(first, 0);
            let one = slot_of(values(5000, 0), &mut tight);
            let mut other_budget = Budget::new(second, 0);
            let other = slot_of(values(3000, 9999), &mut other_budget);
            let mut budget = Budget::new(1 << 20, 0);
            budget.cells = one.cells.capacity() + other.cells.capacity();
            let mut merged = one;
            merged.merge(other, &mut budget);
            assert_eq!(budget.cells, merged.cells.capacity());
            assert!(merged.cells.is_sorted_by(|a, b| a.0 < b.0));
            let all: Vec<f64> = values(5000, 0).chain(values(3000, 9999)).collect();
            assert_eq!(merged.count, 8000);
            let summary = tachograph_stats::Summary::of(&all).expect("values");
            assert!((merged.deviation() / summary.std - 1.0).abs() < 1e-9);
            assert!((merged.mean() / summary.mean - 1.0).abs() < 1e-12);
            check(&merged, all);
        }
    }

    #[test]
    fn values_over_the_whole_range_of_a_double_are_all_counted() {
        let mut budget = Budget::new(16, 0);
        let spread = (-300..300).map(|power| 10_f64.powi(power) * f64::from(power.signum()));
        let slot = slot_of(spread, &mut budget);
        assert!(slot.cells.len() <= 1024, "{}", slot.cells.len());
        assert_eq!(slot.cells.iter().map(|cell| cell.1).sum::<u32>(), 600);
        assert!(slot.cells.is_sorted_by(|a, b| a.0 < b.0));
        let mut histogram = Histogram::new();
        slot.pour(&mut histogram);
        assert_eq!(histogram.count(), 600);
    }
}
