//! One side of the histogram: counts and residual sums by bucket index.

use super::{Bucket, Ends};
use crate::exact::ExactSum;

/// Mantissa bits that choose the bucket.
const MANTISSA: u32 = 7;
/// Mantissa bits left over: the residual.
const SHIFT: u32 = 52 - MANTISSA;
const RESIDUAL: u64 = (1 << SHIFT) - 1;
/// Buckets in a doubling.
const OCTAVE: u32 = 1 << MANTISSA;
/// Indices of normal positive values.
pub(super) const FIRST: u32 = OCTAVE;
pub(super) const END: u32 = 2047 * OCTAVE;

/// In a cell the count begins here; below it the residual sum: 45 bits a value
/// and 40 bits for how many.
const COUNT_AT: u32 = 85;
const ONE: u128 = 1 << COUNT_AT;
const RESIDUALS: u128 = ONE - 1;
/// What fits a cell beside its residuals.
pub(super) const MAX_CELL: u64 = super::MAX_COUNT;

/// So many distinct buckets are kept as a list.
const LIST: usize = 64;
/// As many at most, where nothing is to come but reading and merging.
const LONG_LIST: usize = 4_096;

/// Either a sorted list of cells or, beyond [`LIST`] of them or the room that a
/// list was made with, a dense range.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    /// Index of `dense[0]`.
    start: u32,
    dense: Vec<u128>,
    /// Ascending by index; empty when `dense` is not.
    list: Vec<(u32, u128)>,
}

impl Buckets {
    pub(super) fn memory_bytes(&self) -> usize {
        self.dense.capacity() * size_of::<u128>() + self.list.capacity() * size_of::<(u32, u128)>()
    }

    /// The same in less room, if there is such: for what is read and merged from
    /// here on. A value that is added to it makes it a range again.
    pub(super) fn packed(&self) -> Self {
        let some = self.cells().count();
        let list = some * size_of::<(u32, u128)>();
        if !self.dense.is_empty() && list >= self.dense.len() * size_of::<u128>() {
            return self.clone();
        }
        let mut packed = Self::default();
        packed.list.reserve_exact(some);
        packed.list.extend(self.cells());
        packed
    }

    /// Makes room for buckets that are about to come, ascending: how many, the
    /// first and the last.
    pub(super) fn expect(&mut self, some: usize, (first, last): (u32, u32)) {
        if self.is_empty() && some <= LONG_LIST {
            self.list.reserve_exact(some);
        } else if self.list.len() + some > LIST {
            self.spread();
            self.cover(first, last);
        }
    }

    fn is_empty(&self) -> bool {
        self.dense.is_empty() && self.list.is_empty()
    }

    /// Adds one value if its bucket lies in the dense range. Whatever is not a
    /// positive normal number never does: its upper bits point outside.
    #[inline]
    pub(super) fn add_fast(&mut self, value: f64) -> bool {
        let bits = value.to_bits();
        let index = (bits >> SHIFT) as u32;
        let Some(cell) = self.dense.get_mut(index.wrapping_sub(self.start) as usize) else {
            return false;
        };
        // Wraps after 2^43 values in one bucket: a lifetime of inserting at the
        // fastest rate; merging, which gets there sooner, saturates instead.
        *cell = cell.wrapping_add(ONE | u128::from(bits & RESIDUAL));
        true
    }

    /// Adds values, given as bits, as long as they fall in the dense range;
    /// returns the first that does not. `ends` widen to what was added.
    #[inline]
    pub(super) fn add_run(
        &mut self,
        values: &mut impl Iterator<Item = u64>,
        ends: &mut Ends,
    ) -> Option<u64> {
        let start = self.start;
        let dense = self.dense.as_mut_slice();
        let mut span = Span { low: 1, width: 0 };
        let missed = loop {
            let Some(bits) = values.next() else {
                break None;
            };
            let index = (bits >> SHIFT) as u32;
            let Some(cell) = dense.get_mut(index.wrapping_sub(start) as usize) else {
                break Some(bits);
            };
            *cell = cell.wrapping_add(ONE | u128::from(bits & RESIDUAL));
            if bits.wrapping_sub(span.low) > span.width {
                span = span.with(bits);
            }
        };
        if span.low > 1 {
            ends.widen(Ends {
                min: f64::from_bits(span.low),
                max: f64::from_bits(span.low + span.width),
            });
        }
        missed
    }

    /// Adds a positive normal value.
    pub(super) fn add(&mut self, value: f64, times: u64) {
        let bits = value.to_bits();
        let times = u128::from(times.min(MAX_CELL));
        let cell = (times << COUNT_AT) | (times * u128::from(bits & RESIDUAL));
        self.add_cell((bits >> SHIFT) as u32, cell);
    }

    /// Adds `count` values whose residuals are accounted for elsewhere.
    pub(super) fn add_count(&mut self, index: u32, count: u64) {
        self.add_cell(index, u128::from(count.min(MAX_CELL)) << COUNT_AT);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.is_empty() {
            *self = other.packed();
            return;
        }
        if let (Some((first, _)), Some((last, _))) =
            (other.cells().next(), other.cells().next_back())
        {
            let some = other.list.len() + other.dense.len();
            self.expect(some, (first, last));
        }
        for (index, cell) in other.cells() {
            self.add_cell(index, cell);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.counts()
            .fold(0_u64, |sum, (_, count)| sum.saturating_add(count))
    }

    /// Index and count of every bucket that holds something, ascending.
    pub(super) fn counts(&self) -> impl DoubleEndedIterator<Item = (u32, u64)> {
        self.cells().map(|(index, cell)| (index, count_of(cell)))
    }

    pub(super) fn ascending(&self) -> impl Iterator<Item = Bucket> {
        self.counts().map(bucket)
    }

    pub(super) fn descending(&self) -> impl Iterator<Item = Bucket> {
        self.counts().rev().map(bucket)
    }

    /// Adds what the values exceed their buckets' lower ends by.
    pub(super) fn sum_residuals(&self, sum: &mut ExactSum, negative: bool) {
        for (index, cell) in self.cells() {
            sum.add_scaled(cell & RESIDUALS, scale(index), negative);
        }
    }

    /// Adds the lower end of its bucket for every value.
    pub(super) fn sum_floors(&self, sum: &mut ExactSum, negative: bool) {
        for (index, count) in self.counts() {
            let mantissa = u128::from(index % OCTAVE + OCTAVE) << SHIFT;
            sum.add_scaled(mantissa * u128::from(count), scale(index), negative);
        }
    }

    fn cells(&self) -> impl DoubleEndedIterator<Item = (u32, u128)> {
        let start = self.start;
        let dense = self
            .dense
            .iter()
            .enumerate()
            .filter(|(_, cell)| **cell != 0)
            .map(move |(at, cell)| (start + at as u32, *cell));
        self.list.iter().copied().chain(dense)
    }

    fn add_cell(&mut self, index: u32, cell: u128) {
        if let Some(mine) = self.dense.get_mut(index.wrapping_sub(self.start) as usize) {
            *mine = joined(*mine, cell);
            return;
        }
        if self.dense.is_empty() {
            return self.add_to_list(index, cell);
        }
        self.cover(index, index);
        let mine = &mut self.dense[(index - self.start) as usize];
        *mine = joined(*mine, cell);
    }

    fn add_to_list(&mut self, index: u32, cell: u128) {
        let room = self.list.len() < LIST || self.list.len() < self.list.capacity();
        if room && self.list.last().is_none_or(|(last, _)| *last < index) {
            return self.list.push((index, cell));
        }
        match self.list.binary_search_by_key(&index, |(at, _)| *at) {
            Ok(at) => self.list[at].1 = joined(self.list[at].1, cell),
            Err(at) if room => self.list.insert(at, (index, cell)),
            Err(_) => {
                self.spread();
                self.add_cell(index, cell);
            }
        }
    }

    /// From the list to the dense range.
    fn spread(&mut self) {
        let list = std::mem::take(&mut self.list);
        let (Some((first, _)), Some((last, _))) = (list.first(), list.last()) else {
            return;
        };
        self.cover(*first, *last);
        for (index, cell) in list {
            self.dense[(index - self.start) as usize] = cell;
        }
    }

    /// Makes the dense range hold both indices, in whole octaves.
    fn cover(&mut self, first: u32, last: u32) {
        let mut start = first / OCTAVE * OCTAVE;
        let mut end = (last / OCTAVE + 1) * OCTAVE;
        let mine = self.start + self.dense.len() as u32;
        if !self.dense.is_empty() {
            start = start.min(self.start);
            end = end.max(mine);
        }
        if (start, end) == (self.start, mine) {
            return;
        }
        // A wide range grows by half, lest growing costs its square.
        let slack = match self.dense.len() as u32 / OCTAVE {
            0..32 => 0,
            octaves => octaves / 2 * OCTAVE,
        };
        if start < self.start {
            start = start.saturating_sub(slack).max(FIRST);
        }
        if end > mine {
            end = (end + slack).min(END);
        }
        let mut dense = vec![0; (end - start) as usize];
        if !self.dense.is_empty() {
            let at = (self.start - start) as usize;
            dense[at..at + self.dense.len()].copy_from_slice(&self.dense);
        }
        self.start = start;
        self.dense = dense;
    }
}

/// The bits of the least and the largest value of a run. Positive floats are
/// ordered like their bits, and one subtraction tells whether a value lies
/// between; keeping a minimum and a maximum would cost half as much again.
#[derive(Clone, Copy)]
struct Span {
    /// 1, which no normal value has, while there is none.
    low: u64,
    width: u64,
}

impl Span {
    #[cold]
    #[inline(never)]
    fn with(self, bits: u64) -> Self {
        let high = bits.max(self.low + self.width);
        let low = if self.low == 1 {
            bits
        } else {
            bits.min(self.low)
        };
        Self {
            low,
            width: high - low,
        }
    }
}

/// The bucket of a positive normal value.
pub(super) fn index_of(value: f64) -> u32 {
    (value.to_bits() >> SHIFT) as u32
}

/// The lower end of a bucket; the largest number for those beyond the last.
pub(super) fn floor_of(index: u32) -> f64 {
    if index >= END {
        return f64::MAX;
    }
    f64::from_bits(u64::from(index) << SHIFT)
}

fn count_of(cell: u128) -> u64 {
    ((cell >> COUNT_AT) as u64).min(MAX_CELL)
}

/// Both cells in one; stands still at [`MAX_CELL`] values.
fn joined(one: u128, other: u128) -> u128 {
    let count = count_of(one).saturating_add(count_of(other)).min(MAX_CELL);
    let residuals = ((one & RESIDUALS) + (other & RESIDUALS)).min(RESIDUALS);
    (u128::from(count) << COUNT_AT) | residuals
}

/// The power of two of a residual's lowest bit, above 2^-1074.
fn scale(index: u32) -> u32 {
    index / OCTAVE - 1
}

fn bucket((index, count): (u32, u64)) -> Bucket {
    let octave = f64::from_bits(u64::from(index / OCTAVE) << 52);
    let low = 1.0 + f64::from(index % OCTAVE) / f64::from(OCTAVE);
    let high = low + 1.0 / f64::from(OCTAVE);
    Bucket {
        low: octave * low,
        // The last value of the bucket: the next bucket's first is not in it.
        high: f64::from_bits((u64::from(index + 1) << SHIFT) - 1),
        // (m - low) / low = (high - m) / high at this point.
        middle: octave * (2.0 * low * high / (low + high)),
        count,
    }
}
