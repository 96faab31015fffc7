//! One series: its last hour, in slots that are the longer the older they are.
//!
//! ```text
//!  now ◄── 64 slots of 1 s ── of 5 s up to 320 s ── of 20 s up to 1280 s ── of 60 s up to an hour
//! ```
//!
//! A value goes to the one slot of its time; slots that grow old are merged
//! into longer ones. Both cost the same however many values there were. A
//! window is the merger of the slots whose middle lies in it: its start is
//! exact to half a slot of that age, 0.5 to 30 s. When the window holds no more
//! than [`EXACT`] values and they are still here one by one, it is worked out of
//! those instead, to the last digit.

use std::collections::VecDeque;
use std::time::Duration;

use tachograph_model::UnixNanos;
use tachograph_stats::{Fraction, Histogram, Sample, Summary, quantile};

use super::points::Points;
use super::slot::{At, Budget, Slot};

/// The longest window there is.
pub const REACH: Duration = Duration::from_secs(3600);

/// So many values at most are looked at one by one.
pub const EXACT: usize = 1000;

const SECOND: i64 = 1_000_000_000;
/// Lengths of slots, and up to which age they are kept, seconds.
pub(super) const TIERS: [(u32, u32); 4] = [(1, 64), (5, 320), (20, 1280), (60, 3660)];

/// How often something happened in a window, told with a value or without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    /// At least 1.
    pub count: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Per second of the window.
    pub rate: f64,
}

/// What the values of a series were in a window. All figures are in the series'
/// own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// At least 1.
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub avg: f64,
    /// Of the population.
    pub std: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    /// The value latest by time.
    pub latest: f64,
    pub latest_at: UnixNanos,
    /// Values per second of the window.
    pub rate: f64,
    /// By how much the value changed per second, from the first to the latest;
    /// `None` when they are of one instant.
    pub change_per_second: Option<f64>,
    /// By what part of it a percentile may be off: 0 when it is exact.
    pub relative_error: f64,
}

/// The last hour of one series.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) tiers: [VecDeque<Slot>; TIERS.len()],
    pub(super) points: Points,
    /// The newest second that something came of.
    newest: u32,
    /// Latest by time; the later to come of two of the same time.
    pub(super) last: Option<At>,
    /// See [`Series::heard`].
    heard: i64,
    /// Whether some values stand for several: those cannot be told one by one.
    weighted: bool,
}

impl Series {
    pub(super) fn new(points: Points) -> Self {
        Self {
            tiers: std::array::from_fn(|_| VecDeque::new()),
            points,
            newest: 0,
            last: None,
            heard: i64::MIN,
            weighted: false,
        }
    }

    /// Adds a finite value, `times` times. What is older than an hour by the
    /// newest is only the last value, if it is that, and where points are held
    /// whatever their age one of them; false then.
    pub(super) fn add(
        &mut self,
        at: i64,
        value: f64,
        times: u64,
        failed: bool,
        budget: &mut Budget,
    ) -> bool {
        if times == 0 {
            return false;
        }
        if self.last.is_none_or(|last| at >= last.0) {
            self.last = Some((at, value));
        }
        self.weighted |= times > 1;
        let second = self.hear(at, budget);
        let Some(slot) = self.slot_of(second) else {
            if self.points.holds_old() {
                self.points.push((at, value), budget);
            }
            return false;
        };
        slot.add((at, value), times, failed, budget);
        self.points.push((at, value), budget);
        true
    }

    /// Adds an event without a value; false when it is older than an hour by the
    /// newest.
    pub(super) fn add_bare(&mut self, at: i64, failed: bool, budget: &mut Budget) -> bool {
        let second = self.hear(at, budget);
        let slot = self.slot_of(second).map(|slot| slot.add_bare(failed));
        slot.is_some()
    }

    /// Something came of that time; returns its second.
    fn hear(&mut self, at: i64, budget: &mut Budget) -> u32 {
        self.heard = self.heard.max(at);
        let second = u32::try_from(at / SECOND).unwrap_or(0);
        if second > self.newest {
            self.newest = second;
            self.age(budget);
        }
        second
    }

    /// When the latest event was, with a value or without.
    pub(super) fn heard(&self) -> Option<UnixNanos> {
        (self.heard > i64::MIN).then_some(UnixNanos(self.heard))
    }

    /// Events since then, without a value and failed.
    pub(super) fn bare_and_failed(&self, from: i64) -> (u64, u64) {
        self.slots(from).fold((0, 0), |(bare, failed), slot| {
            (bare + slot.bare, failed + slot.failed)
        })
    }

    /// Whether some values stand for several.
    pub(super) fn is_weighted(&self) -> bool {
        self.weighted
    }

    /// Gives back what memory it holds, before it is dropped.
    pub(super) fn give_back(self, budget: &mut Budget) {
        for slot in self.tiers.into_iter().flatten() {
            slot.give_back(budget);
        }
        self.points.give_back(budget);
    }

    /// What happened from `now - length` to `now`, both included, and what the
    /// values were where there are some; `None` when nothing did. `length`
    /// beyond [`REACH`] is taken for that.
    pub(super) fn window(&self, length: Duration, now: i64) -> Option<(Counts, Option<Stats>)> {
        let length = length.min(REACH);
        let nanos = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        let from = now.saturating_sub(nanos);
        let total = self.total(from)?;
        let seconds = length.as_secs_f64();
        let values = self.values(from, &total, seconds);
        let count = total
            .bare
            .saturating_add(values.map_or(0, |values| values.count));
        let counts = Counts {
            count,
            // At the window's start slots are less exact than values.
            failed: total.failed.min(count),
            rate: count as f64 / seconds,
        };
        (count > 0).then_some((counts, values))
    }

    /// All since then, but for the distribution; `None`: nothing came.
    pub(super) fn total(&self, from: i64) -> Option<Slot> {
        let mut total = Slot::new(0);
        if self.heard < from {
            return None;
        }
        for slot in self.slots(from) {
            total.merge_figures(slot);
        }
        Some(total)
    }

    /// The figures of the values since then, whose slots make `total`.
    fn values(&self, from: i64, total: &Slot, seconds: f64) -> Option<Stats> {
        // A slot more or less at the edge does not matter to how many are few.
        let few = total.count <= 2 * EXACT as u64 && !self.weighted;
        if let Some(points) = few.then(|| self.points.since(from, EXACT)).flatten() {
            return exact(&points, seconds);
        }
        if total.count == 0 {
            return None;
        }
        let mut histogram = Histogram::new();
        let parts = self.slots(from);
        let error = parts.fold(0.0, |error: f64, slot| error.max(slot.pour(&mut histogram)));
        let fractions = [Fraction::MEDIAN, Fraction::P95, Fraction::P99];
        let quantiles = histogram.quantiles(&fractions)?;
        let between = |value: f64| value.clamp(total.min, total.max);
        Some(Stats {
            count: total.count,
            sum: total.sum,
            min: total.min,
            max: total.max,
            avg: total.mean(),
            std: total.deviation(),
            p50: between(quantiles[0]),
            p95: between(quantiles[1]),
            p99: between(quantiles[2]),
            latest: total.last.1,
            latest_at: UnixNanos(total.last.0),
            rate: total.count as f64 / seconds,
            change_per_second: change(total.first, total.last),
            relative_error: error,
        })
    }

    /// The slots of which most lies after `from`.
    fn slots(&self, from: i64) -> impl Iterator<Item = &Slot> + Clone {
        let tiers = self.tiers.iter().zip(TIERS);
        tiers.flat_map(move |(slots, (length, _))| {
            let half = i64::from(length) * SECOND / 2;
            let first = slots.partition_point(|slot| i64::from(slot.start) * SECOND + half < from);
            slots.range(first..)
        })
    }

    /// The slot of a second, made where there is none.
    fn slot_of(&mut self, second: u32) -> Option<&mut Slot> {
        let (tier, start) = (0..TIERS.len()).find_map(|tier| {
            let start = second / TIERS[tier].0 * TIERS[tier].0;
            (start >= self.horizon(tier)).then_some((tier, start))
        })?;
        Some(place(&mut self.tiers[tier], start))
    }

    /// The start of the oldest slot that a tier may hold.
    fn horizon(&self, tier: usize) -> u32 {
        let (length, kept) = TIERS[tier];
        let next = TIERS.get(tier + 1).map_or(length, |(next, _)| *next);
        // Up to where the next tier's slot is whole.
        self.newest.saturating_sub(kept) / next * next
    }

    /// Moves what has grown old on to longer slots, and drops what is too old.
    fn age(&mut self, budget: &mut Budget) {
        for tier in 0..TIERS.len() {
            let horizon = self.horizon(tier);
            while let Some(old) = self.tiers[tier].pop_front_if(|slot| slot.start < horizon) {
                let Some((length, _)) = TIERS.get(tier + 1) else {
                    old.give_back(budget);
                    continue;
                };
                let start = old.start / length * length;
                place(&mut self.tiers[tier + 1], start).merge(old, budget);
            }
        }
    }
}

/// The slot that starts then; there are few, and it is nearly always the last.
fn place(slots: &mut VecDeque<Slot>, start: u32) -> &mut Slot {
    let at = match slots.back() {
        Some(back) if back.start == start => slots.len() - 1,
        Some(back) if back.start > start => {
            let at = slots.partition_point(|slot| slot.start < start);
            if slots[at].start != start {
                slots.insert(at, Slot::new(start));
            }
            at
        }
        _ => {
            slots.push_back(Slot::new(start));
            slots.len() - 1
        }
    };
    &mut slots[at]
}

fn change(first: At, last: At) -> Option<f64> {
    let seconds = last.0.saturating_sub(first.0) as f64 / SECOND as f64;
    let change = (last.1 - first.1) / seconds;
    (seconds > 0.0).then(|| change.clamp(f64::MIN, f64::MAX))
}

/// Worked out of the values one by one.
fn exact(points: &[At], seconds: f64) -> Option<Stats> {
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let summary = Summary::of(&values)?;
    let (sample, _) = Sample::new(values);
    let sample = sample?;
    let first = points.iter().copied().min_by_key(|point| point.0)?;
    // The last of several maxima, which is the later to come.
    let last = points.iter().copied().max_by_key(|point| point.0)?;
    Some(Stats {
        count: summary.count,
        sum: summary.sum,
        min: summary.min,
        max: summary.max,
        avg: summary.mean,
        std: summary.std,
        p50: quantile(&sample, Fraction::MEDIAN),
        p95: quantile(&sample, Fraction::P95),
        p99: quantile(&sample, Fraction::P99),
        latest: last.1,
        latest_at: UnixNanos(last.0),
        rate: summary.count as f64 / seconds,
        change_per_second: change(first, last),
        relative_error: 0.0,
    })
}
