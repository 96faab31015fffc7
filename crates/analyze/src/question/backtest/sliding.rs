//! The values of a window that moves on, and one figure of them.
//!
//! Up to [`FINE`] values a percentile is exact (type 7, as everywhere); of more
//! it is told by the buckets of [`Histogram`], within its relative error, as
//! live state does. Of more than [`MOST`] values, those of one stretch and
//! bucket are joined: memory is bounded, and the window's start is exact to a
//! stretch.

use std::collections::VecDeque;

use tachograph_model::alert::Stat;
use tachograph_stats::{ExactSum, Histogram};

/// Up to so many values are put in order one by one.
const FINE: usize = 4096;
/// With so few they are again: what live state knows exactly, too.
const FEW: u64 = 1000;
/// Values, or joined ones, that are held.
const MOST: usize = 1 << 16;

/// A window.
#[derive(Debug)]
pub(crate) struct Sliding {
    stat: Stat,
    seconds: u64,
    held: VecDeque<Held>,
    /// All that happened, with a value or without.
    count: u64,
    /// Values.
    values: u64,
    failed: u64,
    sum: ExactSum,
    /// Looks in a stretch of which values are joined; 0: none are.
    stretch: i64,
    least: Ends,
    most: Ends,
    ranked: Ranked,
}

/// A value, or several.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// The last look at which it is in the window.
    out: i64,
    /// NaN where there is none.
    value: f64,
    sum: f64,
    times: u64,
    failed: u64,
}

impl Sliding {
    pub(super) fn new(stat: Stat, seconds: u64) -> Self {
        Self {
            stat,
            seconds,
            held: VecDeque::new(),
            count: 0,
            values: 0,
            failed: 0,
            sum: ExactSum::new(),
            stretch: 0,
            least: Ends::default(),
            most: Ends::default(),
            ranked: Ranked::default(),
        }
    }

    fn sums(&self) -> bool {
        matches!(self.stat, Stat::Avg | Stat::Sum)
    }

    fn ends(&self) -> bool {
        matches!(self.stat, Stat::Avg | Stat::Min | Stat::Max)
    }

    fn ranks(&self) -> bool {
        matches!(self.stat, Stat::P50 | Stat::P95 | Stat::P99)
    }

    /// Adds a finite value, or that something happened without one; it is in the
    /// window up to the look `out`, which is not before those of what is there.
    pub(super) fn add(&mut self, out: i64, value: Option<f64>, times: u64, failed: bool) {
        let value = value.unwrap_or(f64::NAN);
        let held = Held {
            out,
            value,
            sum: value * times as f64,
            times,
            failed: u64::from(failed),
        };
        self.held.push_back(held);
        self.count = self.count.saturating_add(times);
        self.failed += held.failed;
        if !value.is_nan() {
            self.values = self.values.saturating_add(times);
            if self.sums() {
                self.sum.add(held.sum);
            }
            self.order(held);
        }
        if self.held.len() > MOST {
            self.join();
        }
    }

    fn order(&mut self, held: Held) {
        if self.ends() {
            self.least.push(held.out, held.value, |new, old| new <= old);
            self.most.push(held.out, held.value, |new, old| new >= old);
        }
        if self.ranks() {
            self.ranked.add(held.value, held.times);
        }
    }

    /// Drops what is not in the window any more at that look.
    pub(super) fn pass(&mut self, look: i64) {
        while let Some(old) = self.held.pop_front_if(|held| held.out < look) {
            self.count = self.count.saturating_sub(old.times);
            self.failed -= old.failed;
            if old.value.is_nan() {
                continue;
            }
            self.values = self.values.saturating_sub(old.times);
            if self.sums() {
                self.sum.add(-old.sum);
            }
            if self.ranks() {
                self.ranked.remove(old.value, old.times);
            }
        }
        self.least.pass(look);
        self.most.pass(look);
        if self.held.is_empty() {
            // What was rounded is forgotten with what it was of.
            *self = Self {
                held: std::mem::take(&mut self.held),
                ..Self::new(self.stat, self.seconds)
            };
        } else if self.ranked.coarse && self.stretch == 0 && self.values <= FEW {
            self.rank_anew(false);
        }
    }

    /// The next look at which something has left the window.
    pub(super) fn changes(&self) -> Option<i64> {
        Some(self.held.front()?.out.saturating_add(1))
    }

    /// How often something happened.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The figure; `None`: there is nothing to make it of, or it is not finite.
    pub(crate) fn figure(&self) -> Option<f64> {
        let count = self.count as f64;
        let figure = match self.stat {
            Stat::Avg => self.mean()?,
            Stat::Min => self.least.first()?,
            Stat::Max => self.most.first()?,
            Stat::P50 => self.ranked.quantile(0.5)?,
            Stat::P95 => self.ranked.quantile(0.95)?,
            Stat::P99 => self.ranked.quantile(0.99)?,
            Stat::Rate => count / self.seconds as f64,
            Stat::Count => count,
            Stat::Sum if self.values == 0 => return None,
            Stat::Sum => self.sum.value(),
            Stat::Ratio => self.failed as f64 / count,
        };
        (self.count > 0 && figure.is_finite()).then_some(figure)
    }

    fn mean(&self) -> Option<f64> {
        let mean = self.sum.mean(self.values)?;
        if self.stretch > 0 {
            // Of joined values one is known, and not how far the others reach.
            return Some(mean);
        }
        Some(mean.clamp(self.least.first()?, self.most.first()?))
    }

    /// Joins values of one stretch and bucket, with stretches twice as long
    /// until they are few.
    fn join(&mut self) {
        let length = i64::try_from(self.seconds).unwrap_or(i64::MAX);
        while self.held.len() > MOST / 2 && self.stretch < length {
            self.stretch = (self.stretch * 2).max(length / 8192).max(1);
            let ranks = self.ranks();
            let key = |held: &Held| match ranks {
                _ if held.value.is_nan() => i32::MIN,
                true => Histogram::bucket_of(held.value),
                false => 0,
            };
            let stretch = self.stretch;
            let held = self.held.make_contiguous();
            held.sort_by_key(|held| (held.out.div_euclid(stretch), key(held)));
            let mut joined: VecDeque<Held> = VecDeque::new();
            for one in held {
                match joined.back_mut() {
                    Some(last)
                        if last.out.div_euclid(stretch) == one.out.div_euclid(stretch)
                            && key(last) == key(one) =>
                    {
                        last.take(one, self.stat);
                    }
                    _ => joined.push_back(*one),
                }
            }
            // All of a stretch leave together, with the last of them.
            let mut end = i64::MIN;
            for one in joined.iter_mut().rev() {
                if one.out.div_euclid(stretch) != end.div_euclid(stretch) || end == i64::MIN {
                    end = one.out.div_euclid(stretch) * stretch + (stretch - 1);
                }
                one.out = end;
            }
            self.held = joined;
        }
        (self.least, self.most) = Default::default();
        self.rank_anew(true);
        if self.ends() {
            for held in self.held.iter().filter(|held| !held.value.is_nan()) {
                self.least.push(held.out, held.value, |new, old| new <= old);
                self.most.push(held.out, held.value, |new, old| new >= old);
            }
        }
    }

    fn rank_anew(&mut self, coarse: bool) {
        if !self.ranks() {
            return;
        }
        self.ranked = Ranked {
            coarse,
            ..Ranked::default()
        };
        for held in self.held.iter().filter(|held| !held.value.is_nan()) {
            self.ranked.add(held.value, held.times);
        }
    }
}

impl Held {
    fn take(&mut self, other: &Self, stat: Stat) {
        self.out = self.out.max(other.out);
        self.times = self.times.saturating_add(other.times);
        self.failed += other.failed;
        self.sum += other.sum;
        self.value = match stat {
            Stat::Min => self.value.min(other.value),
            Stat::Max => self.value.max(other.value),
            _ => self.value,
        };
    }
}

/// The smallest, or largest, of a window: those that may still become it.
#[derive(Debug, Default)]
struct Ends(VecDeque<(i64, f64)>);

impl Ends {
    fn push(&mut self, out: i64, value: f64, beats: fn(f64, f64) -> bool) {
        while self.0.pop_back_if(|(_, old)| beats(value, *old)).is_some() {}
        self.0.push_back((out, value));
    }

    fn pass(&mut self, look: i64) {
        while self.0.pop_front_if(|(out, _)| *out < look).is_some() {}
    }

    fn first(&self) -> Option<f64> {
        self.0.front().map(|(_, value)| *value)
    }
}

/// Values in order.
#[derive(Debug, Default)]
struct Ranked {
    /// Each value and how often; with `coarse`, buckets.
    held: Vec<(f64, u64)>,
    total: u64,
    /// How many of them stand for several.
    weighted: usize,
    coarse: bool,
}

impl Ranked {
    fn place(&self, value: f64, times: u64) -> Result<usize, usize> {
        let times = if self.coarse { 0 } else { times };
        let coarse = self.coarse;
        self.held.binary_search_by(|(held, count)| {
            let count = if coarse { 0 } else { *count };
            held.total_cmp(&value).then(count.cmp(&times))
        })
    }

    fn shown(&self, value: f64) -> f64 {
        match self.coarse {
            true => Histogram::middle_of(Histogram::bucket_of(value), 0),
            false => value,
        }
    }

    fn add(&mut self, value: f64, times: u64) {
        let value = self.shown(value);
        self.total = self.total.saturating_add(times);
        match self.place(value, times) {
            // A hostile log may count more than there is room for.
            Ok(at) if self.coarse => {
                self.held[at].1 = self.held[at].1.saturating_add(times);
            }
            Ok(at) | Err(at) => {
                self.held.insert(at, (value, times));
                self.weighted += usize::from(times != 1);
            }
        }
        if !self.coarse && self.held.len() > FINE {
            let fine = std::mem::replace(
                self,
                Self {
                    coarse: true,
                    ..Self::default()
                },
            );
            fine.held
                .into_iter()
                .for_each(|(value, times)| self.add(value, times));
        }
    }

    fn remove(&mut self, value: f64, times: u64) {
        let value = self.shown(value);
        let Ok(at) = self.place(value, times) else {
            return;
        };
        self.total = self.total.saturating_sub(times);
        if self.coarse && self.held[at].1 > times {
            self.held[at].1 -= times;
            return;
        }
        self.held.remove(at);
        self.weighted -= usize::from(!self.coarse && times != 1);
    }

    /// Type 7 (Hyndman & Fan, "Sample Quantiles in Statistical Packages", 1996).
    fn quantile(&self, fraction: f64) -> Option<f64> {
        let rank = fraction * self.total.checked_sub(1)? as f64;
        let at = rank as u64;
        let (low, next) = match self.coarse || self.weighted > 0 {
            false => {
                let at = usize::try_from(at).ok()?;
                let low = self.held.get(at)?.0;
                (low, self.held.get(at + 1).map_or(low, |next| next.0))
            }
            true => self.walk(at)?,
        };
        let part = rank.fract();
        Some((low * (1.0 - part) + next * part).clamp(low, next))
    }

    /// The value of that rank and the next, from the end that is nearer.
    fn walk(&self, rank: u64) -> Option<(f64, f64)> {
        let mut at;
        // How many are before the value at hand.
        let mut before;
        if rank < self.total / 2 {
            (at, before) = (0, 0);
            while before + self.held.get(at)?.1 <= rank {
                before += self.held[at].1;
                at += 1;
            }
        } else {
            (at, before) = (self.held.len(), self.total);
            while before > rank {
                at = at.checked_sub(1)?;
                before -= self.held[at].1;
            }
        }
        let (low, times) = *self.held.get(at)?;
        let next = match rank + 1 < before + times {
            true => low,
            false => self.held.get(at + 1).map_or(low, |next| next.0),
        };
        Some((low, next))
    }
}
