//! Finds what is no accident in series of daily figures.
//!
//! A day's figure is a median, a part or a sum, so that a busy day counts no
//! more than a quiet one. Level shifts are found by PELT (Killick et al. 2012)
//! and must be no accident by the days: as the split is chosen to fit, p is
//! multiplied by the number of splits there were (Bonferroni). A shift must also
//! be a fifth of the level. An odd day must lie ten robust standard deviations
//! (median absolute deviation) above the other days and at double their median.
//!
//! A part of some hundred events varies by chance alone, and so does the median
//! of some dozen calls, and how much follows from their number. So both are
//! judged by the events, too:
//!
//! - parts with Fisher's exact test, at a false discovery rate of 5 % over all
//!   series (Benjamini and Hochberg 1995);
//! - medians with Mood's median test (1950): what part of the calls lies above
//!   the median of all, before and since, or on that day and on the others? It is
//!   Fisher's exact test again, and exact for whatever threshold follows from all
//!   calls together, so that sketches do. But calls of one day have much in
//!   common, and so the days must tell, too: by Student's t test of the
//!   logarithms, and nearly all of them apart in rank. The larger p counts, at a
//!   false discovery rate of 5 % over all series;
//! - sums have nothing but the days: a Mann–Whitney test, at a false discovery
//!   rate of 10 % over all shifts proposed.
//!
//! An odd day of parts and of medians is judged over all days of all series with
//! at most 1 % chance of a single false one (Holm 1979).
//!
//! Days that the window cuts, today above all, are told from others: a sum of
//! part of a day is no day's sum. It is in no level, but may be too much already.

use std::rc::Rc;

use tachograph_model::answer::{Change, Changes, Figure, Finding};
use tachograph_model::time::date_of_day;
use tachograph_stats::{
    Fisher, Fraction, Part, RobustScale, Sample, benjamini_hochberg, fisher, holm, level_shifts,
    mann_whitney, mean, noise_penalty, quantile, student,
};

/// Days that a series needs, and each side of a shift.
const MIN_DAYS: usize = 6;
const MIN_SIDE: usize = 3;
/// A shift is at least this part of the level before.
const MIN_CHANGE: f64 = 0.2;
const FALSE_DISCOVERY_RATE: f64 = 0.05;
/// Of sums.
const FALSE_DISCOVERY_RATE_BY_DAYS: f64 = 0.1;
/// In medians days stand for themselves from this part of a usual day's calls on.
pub(super) const LEAST_PART: f64 = 0.25;
/// And each shift of sums and parts must rank the days at this level, before any
/// correction.
const SIGNIFICANT: f64 = 0.02;
/// Of medians so many of the pairs of days, one before and one since, more than
/// not are in order.
const APART: f64 = 0.8;
/// Robust standard deviations that a day lies away from a level that it is not of
/// (Iglewicz and Hoaglin 1993).
const ONSET_Z: f64 = 3.5;
const OUTLIER_Z: f64 = 10.0;
const OUTLIER_FACTOR: f64 = 2.0;
/// The chance of a single odd day where there is none, over all.
const FALSE_ODD_DAY: f64 = 0.01;
/// Failure rates below this trouble nobody.
const MIN_FAILURE_RATIO: f64 = 0.02;

/// One figure a day, in order.
#[derive(Clone)]
pub(super) struct Series<'a> {
    pub(super) event_type: &'static str,
    pub(super) name: String,
    pub(super) figure: Figure,
    pub(super) days: Vec<Day>,
    /// What medians are of.
    pub(super) calls: Option<Rc<dyn Calls + 'a>>,
}

/// A day's figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    /// Counted from 1970-01-01.
    pub(super) day: i64,
    pub(super) value: f64,
    /// What it is a part of, where it is one.
    pub(super) part: Option<Part>,
    /// Whether the window holds all of it.
    pub(super) whole: bool,
}

/// The calls of each day.
pub(super) trait Calls {
    /// The median of all calls of some days, or what is near it.
    fn median(&self, days: &[Day]) -> Option<f64>;
    /// How many of a day's calls lie above.
    fn above(&self, day: &Day, threshold: f64) -> Option<Part>;
}

/// A day that stands out, by its place in the series.
#[derive(Clone, Copy)]
struct Odd {
    at: usize,
    p: Option<f64>,
}

/// Finds what changed.
pub(super) fn find(all: &[Series<'_>]) -> Changes {
    let is_long = |series: &&Series<'_>| series.of_levels().len() >= MIN_DAYS;
    let (long, short): (Vec<&Series<'_>>, Vec<_>) = all.iter().partition(is_long);
    let mut changes = Changes {
        series: all.len() as u64,
        too_short: short.len() as u64,
        ..Changes::default()
    };
    let mut shifts = Vec::new();
    for (series, odd) in long.iter().zip(odd_days(&long)) {
        let all = series.level_shift();
        let Some(odd) = odd else {
            shifts.extend(all);
            continue;
        };
        // An odd day would bend the level around it; but the highest day of a
        // level that is higher anyway is no odd day.
        let rest = series.without(odd.at).level_shift();
        let level = all.as_ref().or(rest.as_ref());
        if level.is_some_and(|shift| series.belongs_to(odd.at, shift)) {
            shifts.extend(all.or(rest));
        } else {
            changes.changes.push(series.as_outlier(odd));
            shifts.extend(rest);
        }
    }
    let kinds: [fn(Figure) -> bool; 3] = [is_part, is_median, is_sum];
    for is_of in kinds {
        let proposed = shifts.iter().filter(|shift| is_of(shift.figure));
        let proposed: Vec<Change> = proposed.cloned().collect();
        let (looked, rate) = match is_of(Figure::CostUsd) {
            true => (proposed.len(), FALSE_DISCOVERY_RATE_BY_DAYS),
            false => {
                let looked = long.iter().filter(|series| is_of(series.figure));
                (looked.count(), FALSE_DISCOVERY_RATE)
            }
        };
        changes.changes.extend(discovered(proposed, looked, rate));
    }
    changes.changes.sort_by(|a, b| {
        let size = |change: &Change| change.factor.map_or(f64::INFINITY, |f| f.ln().abs());
        (b.worse, size(b))
            .partial_cmp(&(a.worse, size(a)))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    changes
}

fn is_part(figure: Figure) -> bool {
    matches!(figure, Figure::FailureRatio | Figure::HitRatio)
}

fn is_median(figure: Figure) -> bool {
    figure == Figure::MedianMs
}

fn is_sum(figure: Figure) -> bool {
    figure == Figure::CostUsd
}

/// The odd day of each series, if it has one.
fn odd_days(all: &[&Series<'_>]) -> Vec<Option<Odd>> {
    let mut found: Vec<Option<Odd>> = all.iter().map(|series| series.odd_day()).collect();
    // Each series names its likeliest day; all of its days were looked at.
    let by_events = [Figure::FailureRatio, Figure::MedianMs];
    let by_events = all.iter().filter(|s| by_events.contains(&s.figure));
    let looked = by_events.map(|series| series.days.len()).sum();
    let chances: Vec<f64> = found.iter().filter_map(|odd| odd.as_ref()?.p).collect();
    let mut corrected = holm(&chances, looked).into_iter();
    for odd in &mut found {
        if let Some(Odd { p: Some(p), .. }) = odd {
            *p = corrected.next().unwrap_or(1.0);
        }
        *odd = odd.filter(|odd| odd.p.is_none_or(|p| p <= FALSE_ODD_DAY));
    }
    found
}

impl Series<'_> {
    fn without(&self, at: usize) -> Self {
        let mut others = self.clone();
        others.days.remove(at);
        others
    }

    /// The days whose figures make a level: of sums only whole ones.
    fn of_levels(&self) -> Vec<Day> {
        let days = self.days.iter();
        let days = days.filter(|day| day.whole || !is_sum(self.figure));
        days.copied().collect()
    }

    /// The day that may stand far above the others. Of a part and of a median
    /// with the chance of it, not yet corrected for how many days were looked at.
    fn odd_day(&self) -> Option<Odd> {
        match self.figure {
            Figure::HitRatio => None,
            Figure::FailureRatio => self.unlikely_day(),
            Figure::MedianMs | Figure::CostUsd => self.far_day(),
        }
    }

    fn unlikely_day(&self) -> Option<Odd> {
        let all = together(&self.days)?;
        let chances = self.days.iter().enumerate().filter_map(|(at, day)| {
            let part = day.part?;
            let rest = Part::new(all.hits() - part.hits(), all.trials() - part.trials())?;
            Some((at, fisher(rest, part)?.greater))
        });
        let (at, p) = chances.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let others = mean(&values(&self.without(at).days))?;
        let value = self.days[at].value;
        (value > OUTLIER_FACTOR * others && self.matters(value)).then_some(Odd { at, p: Some(p) })
    }

    fn far_day(&self) -> Option<Odd> {
        let days = self.days.iter().enumerate();
        let (at, day) = days.max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
        let days = self.without(at).of_levels();
        let (others, _) = Sample::new(values(&days));
        let others = others?;
        // Days that are alike have no deviation: anything is far from them.
        let far = RobustScale::of(&others).is_none_or(|scale| scale.z(day.value) >= OUTLIER_Z);
        let median = quantile(&others, Fraction::MEDIAN);
        if !far || day.value <= OUTLIER_FACTOR * median {
            return None;
        }
        let p = match is_median(self.figure) {
            true => Some(self.by_calls(&days, &[*day])?.greater),
            false => None,
        };
        Some(Odd { at, p })
    }

    fn as_outlier(&self, odd: Odd) -> Change {
        let others = values(&self.without(odd.at).of_levels());
        let Day { day, value, .. } = self.days[odd.at];
        self.change(Finding::Outlier, day, &others, &[value], odd.p)
    }

    /// The last shift that is large enough to speak of. What was proposed after
    /// it and is not belongs to the level since.
    fn level_shift(&self) -> Option<Change> {
        let days = self.of_levels();
        if days.len() < MIN_DAYS {
            return None;
        }
        let values = values(&days);
        let penalty = noise_penalty(&values)
            .unwrap_or(0.0)
            .max(least_penalty(&values));
        let mut shifts = level_shifts(&values, MIN_SIDE, penalty)?;
        while let Some(last) = shifts.pop() {
            let (start, splits) = match is_median(self.figure) {
                true => slope(&values, &mut shifts, last),
                false => (shifts.last().copied().unwrap_or(0), last..=last),
            };
            let proposed = splits.filter_map(|at| {
                let shift = self.shift_at(&days[start..at], &days[at..], days.len())?;
                Some((at, shift))
            });
            // Of several steps none may be one by itself.
            let is_one = |shift: &Change| shift.p.is_some_and(|p| p <= FALSE_DISCOVERY_RATE);
            let proposed = proposed.filter(|(_, it)| !is_median(it.figure) || is_one(it));
            let apart = |at: usize| scatter(&values[start..at]) + scatter(&values[at..]);
            let best = proposed.min_by(|a, b| apart(a.0).total_cmp(&apart(b.0)));
            let Some((at, shift)) = best else {
                continue;
            };
            let onset = start + onset(&values[start..], at - start);
            if onset == at {
                return Some(shift);
            }
            let (before, after) = (&values[start..onset], &values[onset..]);
            let since = days[onset].day;
            return Some(self.change(Finding::LevelShift, since, before, after, shift.p));
        }
        None
    }

    /// `days` there were to split.
    fn shift_at(&self, before: &[Day], after: &[Day], days: usize) -> Option<Change> {
        let by_days = self.by_days(before, after)?;
        let p = match self.figure {
            Figure::FailureRatio | Figure::HitRatio => {
                fisher(together(before)?, together(after)?)?.two_sided()
            }
            Figure::MedianMs => by_days.max(self.by_calls(before, after)?.two_sided()),
            Figure::CostUsd => by_days,
        };
        // The split was chosen to fit, among so many.
        let splits = (days - 2 * MIN_SIDE + 1) as f64;
        let p = Some((p * splits).min(1.0));
        let since = after.first()?.day;
        let (before, after) = (values(before), values(after));
        let change = self.change(Finding::LevelShift, since, &before, &after, p);
        let size = (change.after - change.before).abs();
        let large = size >= MIN_CHANGE * change.before.abs();
        (large && self.matters(change.before.max(change.after))).then_some(change)
    }

    /// The chance of days so far apart; `None` where they are not.
    fn by_days(&self, before: &[Day], after: &[Day]) -> Option<f64> {
        let least = LEAST_PART * self.usual(&[before, after].concat());
        let (before, after) = (self.busy(before, least), self.busy(after, least));
        let ranks = mann_whitney(&before, &after)?;
        if !is_median(self.figure) {
            return (ranks.p <= SIGNIFICANT).then_some(ranks.p);
        }
        if ranks.cliffs_delta.abs() < APART {
            return None;
        }
        // Ranks of a few days say little: that 3 of 9 are the highest has a
        // chance of 2 %, whether by a hair or by far.
        let by_far = student(&logs(&before), &logs(&after));
        Some(by_far.map_or(ranks.p, |by_far| by_far.p))
    }

    /// How many calls a day has as a rule; 0 where that does not matter.
    fn usual(&self, days: &[Day]) -> f64 {
        let mut calls: Vec<u64> = days.iter().map(|day| self.count(day)).collect();
        calls.sort_unstable();
        calls[calls.len() / 2] as f64
    }

    /// The figures of days with so many calls: the middle of a few calls is far off
    /// by chance. All, where else too few days would be left.
    fn busy(&self, days: &[Day], least: f64) -> Vec<f64> {
        let busy = days.iter().filter(|day| self.count(day) as f64 >= least);
        let busy: Vec<Day> = busy.copied().collect();
        match busy.len() < MIN_SIDE {
            true => values(days),
            false => values(&busy),
        }
    }

    fn count(&self, day: &Day) -> u64 {
        let calls = self.calls.as_ref();
        let calls = calls.and_then(|calls| calls.above(day, f64::MAX));
        calls.map_or(0, Part::trials)
    }

    /// The chance that calls are so unequally above and below the median of all.
    fn by_calls(&self, before: &[Day], after: &[Day]) -> Option<Fisher> {
        let calls = self.calls.as_ref()?;
        let median = calls.median(&[before, after].concat())?;
        let above = |days: &[Day]| {
            let each = days.iter().map(|day| calls.above(day, median));
            each.collect::<Option<Vec<Part>>>()?
                .into_iter()
                .reduce(Part::with)
        };
        fisher(above(before)?, above(after)?)
    }

    /// Whether the day is within the level since the shift, and not far above.
    fn belongs_to(&self, at: usize, shift: &Change) -> bool {
        let Day { day, value, .. } = self.days[at];
        let others = self.without(at).of_levels();
        let since = others
            .into_iter()
            .filter(|day| date_of_day(day.day) >= shift.since);
        let level = mean(&values(&since.collect::<Vec<_>>()));
        let level = level.unwrap_or(shift.after);
        shift.worse && date_of_day(day) >= shift.since && value < OUTLIER_FACTOR * level
    }

    fn matters(&self, level: f64) -> bool {
        self.figure != Figure::FailureRatio || level >= MIN_FAILURE_RATIO
    }

    fn change(
        &self,
        finding: Finding,
        day: i64,
        before: &[f64],
        after: &[f64],
        p: Option<f64>,
    ) -> Change {
        let (old, new) = (mean(before).unwrap_or(0.0), mean(after).unwrap_or(0.0));
        Change {
            event_type: self.event_type.to_owned(),
            name: self.name.clone(),
            figure: self.figure,
            finding,
            since: date_of_day(day),
            before: old,
            after: new,
            factor: Some(new / old).filter(|factor| factor.is_finite()),
            days_before: before.len() as u64,
            days_after: after.len() as u64,
            p,
            worse: (new > old) != (self.figure == Figure::HitRatio),
        }
    }
}

/// Squared distances from the mean, in sum.
fn scatter(values: &[f64]) -> f64 {
    let mean = mean(values).unwrap_or(0.0);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

fn values(days: &[Day]) -> Vec<f64> {
    days.iter().map(|day| day.value).collect()
}

/// Of values above zero; what has no logarithm is left out by whoever takes them.
fn logs(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.ln()).collect()
}

/// The penalty for a noise of two per cent, for days that are nearly alike.
fn least_penalty(values: &[f64]) -> f64 {
    let noise = 0.02 * mean(values).unwrap_or(0.0);
    (3.0 * noise * noise * (values.len() as f64).ln()).max(f64::MIN_POSITIVE)
}

/// Where a shift may lie, and where the level before it begins: around the last
/// that was proposed, and those before it that go the same way within days, which
/// are the steps that a slope is cut into. Those are taken from `shifts`.
fn slope(
    values: &[f64],
    shifts: &mut Vec<usize>,
    last: usize,
) -> (usize, std::ops::RangeInclusive<usize>) {
    let before = |shifts: &[usize]| shifts.last().copied().unwrap_or(0);
    let up = |from: usize, at: usize, to: usize| mean(&values[at..to]) > mean(&values[from..at]);
    let (mut first, mut to) = (last, values.len());
    while let Some(step) = shifts.last().copied()
        && first - step < 2 * MIN_SIDE
        && up(before(&shifts[..shifts.len() - 1]), step, first) == up(step, first, to)
    {
        shifts.pop();
        (first, to) = (step, first);
    }
    let start = before(shifts);
    let from = (start + MIN_SIDE).max((first + 1).saturating_sub(MIN_SIDE));
    let to = (last + MIN_SIDE - 1).min(values.len() - MIN_SIDE);
    (start, from..=to)
}

/// Where a level began to be left that was left for good at `at`: a shift is put
/// where the days on both sides are most alike, and of what gets worse day by day
/// the first days are more like those before. They belong to the shift if they lie
/// apart from all before, in its direction, and by as much as matters.
fn onset(values: &[f64], at: usize) -> usize {
    let up = mean(&values[at..]) > mean(&values[..at]);
    let mut onset = at;
    while onset > MIN_SIDE {
        let (base, day) = (&values[..onset - 1], values[onset - 1]);
        let (Some(base), _) = Sample::new(base.to_vec()) else {
            break;
        };
        let Some(scale) = RobustScale::of(&base) else {
            break;
        };
        let level = scale.median;
        let (away, z) = match up {
            true => (day - level, scale.z(day)),
            false => (level - day, -scale.z(day)),
        };
        if z < ONSET_Z || away < MIN_CHANGE / 2.0 * level.abs() {
            break;
        }
        onset -= 1;
    }
    onset
}

/// All days' events together; `None` when the figure is no part.
fn together(days: &[Day]) -> Option<Part> {
    let parts: Option<Vec<Part>> = days.iter().map(|day| day.part).collect();
    parts?.into_iter().reduce(Part::with)
}

/// Those of the shifts that are no accident among so many series.
fn discovered(shifts: Vec<Change>, looked: usize, rate: f64) -> Vec<Change> {
    let chances: Vec<f64> = shifts.iter().map(|shift| shift.p.unwrap_or(1.0)).collect();
    let corrected = benjamini_hochberg(&chances, looked);
    let kept = shifts.into_iter().zip(corrected);
    kept.filter(|(_, p)| *p <= rate)
        .map(|(shift, _)| shift)
        .collect()
}
