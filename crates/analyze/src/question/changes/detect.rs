//! Finds what is no accident in series of daily figures.
//!
//! A day's figure is a median, a part or a sum, so that a busy day counts no
//! more than a quiet one. Level shifts are found by PELT (Killick et al. 2012)
//! and must pass a Mann–Whitney test of the days before against the days since;
//! as the split is chosen to fit, p is multiplied by the number of splits there
//! were (Bonferroni), and over all shifts proposed the false discovery rate is
//! kept at 10 % (Benjamini and Hochberg 1995). A shift must also be a fifth of
//! the level. An odd day must lie ten robust standard deviations (median absolute
//! deviation) above the other days and at double their median.
//!
//! A part of some hundred events varies by chance alone, and how much follows
//! from their number. So parts are judged by the events, with Fisher's exact
//! test: an odd day against all other days, over all days of all series with at
//! most 1 % chance of a single false one (Holm 1979); a shift by the events
//! before against those since, at a false discovery rate of 5 % over all series.

use tachograph_model::answer::{Change, Changes, Figure, Finding};
use tachograph_model::time::date_of_day;
use tachograph_stats::{
    Fraction, Part, RobustScale, Sample, benjamini_hochberg, fisher, holm, level_shifts,
    mann_whitney, mean, noise_penalty, quantile,
};

/// Days that a series needs, and each side of a shift.
const MIN_DAYS: usize = 6;
const MIN_SIDE: usize = 3;
/// A shift is at least this part of the level before.
const MIN_CHANGE: f64 = 0.2;
const FALSE_DISCOVERY_RATE: f64 = 0.1;
const FALSE_DISCOVERY_RATE_OF_PARTS: f64 = 0.05;
/// And each shift must rank the days at this level, before any correction.
const SIGNIFICANT: f64 = 0.02;
const OUTLIER_Z: f64 = 10.0;
const OUTLIER_FACTOR: f64 = 2.0;
/// The chance of a single odd day in a part where there is none, over all.
const FALSE_ODD_DAY: f64 = 0.01;
/// Failure rates below this trouble nobody.
const MIN_FAILURE_RATIO: f64 = 0.02;

/// One figure a day, in order.
pub(super) struct Series {
    pub(super) event_type: &'static str,
    pub(super) name: String,
    pub(super) figure: Figure,
    pub(super) days: Vec<Day>,
}

/// A day's figure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    /// Counted from 1970-01-01.
    pub(super) day: i64,
    pub(super) value: f64,
    /// What it is a part of, where it is one.
    pub(super) part: Option<Part>,
}

/// A day that stands out, by its place in the series.
#[derive(Clone, Copy)]
struct Odd {
    at: usize,
    p: Option<f64>,
}

/// Finds what changed.
pub(super) fn find(all: &[Series]) -> Changes {
    let (long, short): (Vec<&Series>, Vec<_>) =
        all.iter().partition(|series| series.days.len() >= MIN_DAYS);
    let mut changes = Changes {
        series: all.len() as u64,
        too_short: short.len() as u64,
        ..Changes::default()
    };
    let mut shifts = Vec::new();
    for (series, odd) in long.iter().zip(odd_days(&long)) {
        let Some(odd) = odd else {
            shifts.extend(series.level_shift());
            continue;
        };
        // An odd day would bend the level around it; but the highest day of a
        // level that is higher anyway is no odd day.
        let shift = series.without(odd.at).level_shift();
        if shift
            .as_ref()
            .is_some_and(|shift| series.belongs_to(odd.at, shift))
        {
            shifts.extend(series.level_shift());
        } else {
            changes.changes.push(series.as_outlier(odd));
            shifts.extend(shift);
        }
    }
    let (of_parts, others) = shifts.into_iter().partition(|shift| is_part(shift.figure));
    let parts = long.iter().filter(|series| is_part(series.figure)).count();
    let mut of_parts = discovered(of_parts, parts, FALSE_DISCOVERY_RATE_OF_PARTS);
    let proposed = others.len();
    changes.changes.append(&mut of_parts);
    changes
        .changes
        .append(&mut discovered(others, proposed, FALSE_DISCOVERY_RATE));
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

/// The odd day of each series, if it has one.
fn odd_days(all: &[&Series]) -> Vec<Option<Odd>> {
    let mut found: Vec<Option<Odd>> = all.iter().map(|series| series.odd_day()).collect();
    // Each series names its likeliest day; all of its days were looked at.
    let parts = all.iter().filter(|s| s.figure == Figure::FailureRatio);
    let looked = parts.map(|series| series.days.len()).sum();
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

impl Series {
    fn values(&self) -> Vec<f64> {
        self.days.iter().map(|day| day.value).collect()
    }

    fn without(&self, at: usize) -> Self {
        let mut days = self.days.clone();
        days.remove(at);
        Self {
            days,
            name: self.name.clone(),
            ..*self
        }
    }

    /// The day that may stand far above the others. Of a part with the chance
    /// of it, not yet corrected for how many days were looked at.
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
        let others = mean(&self.without(at).values())?;
        let value = self.days[at].value;
        (value > OUTLIER_FACTOR * others && self.matters(value)).then_some(Odd { at, p: Some(p) })
    }

    fn far_day(&self) -> Option<Odd> {
        let values = self.values();
        let (at, highest) = values
            .iter()
            .copied()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        let (others, _) = Sample::new(self.without(at).values());
        let others = others?;
        // Days that are alike have no deviation: anything is far from them.
        let far = RobustScale::of(&others).is_none_or(|scale| scale.z(highest) >= OUTLIER_Z);
        let median = quantile(&others, Fraction::MEDIAN);
        (far && highest > OUTLIER_FACTOR * median).then_some(Odd { at, p: None })
    }

    fn as_outlier(&self, odd: Odd) -> Change {
        let others = self.without(odd.at).values();
        let Day { day, value, .. } = self.days[odd.at];
        self.change(Finding::Outlier, day, &others, &[value], odd.p)
    }

    /// The last shift that is large enough to speak of. What was proposed after
    /// it and is not belongs to the level since.
    fn level_shift(&self) -> Option<Change> {
        let values = self.values();
        if values.len() < MIN_DAYS {
            return None;
        }
        let penalty = noise_penalty(&values)
            .unwrap_or(0.0)
            .max(least_penalty(&values));
        let mut shifts = level_shifts(&values, MIN_SIDE, penalty)?;
        while let Some(at) = shifts.pop() {
            let start = shifts.last().copied().unwrap_or(0);
            if let Some(shift) = self.shift_at(&values, start, at) {
                return Some(shift);
            }
        }
        None
    }

    fn shift_at(&self, values: &[f64], start: usize, at: usize) -> Option<Change> {
        let (before, after) = (&values[start..at], &values[at..]);
        let mut p = mann_whitney(before, after)?.p;
        if p > SIGNIFICANT {
            return None;
        }
        if is_part(self.figure) {
            let (before, after) = (&self.days[start..at], &self.days[at..]);
            p = fisher(together(before)?, together(after)?)?.two_sided();
        }
        // The split was chosen to fit, among so many.
        let splits = (values.len() - 2 * MIN_SIDE + 1) as f64;
        let p = Some((p * splits).min(1.0));
        let since = self.days[at].day;
        let change = self.change(Finding::LevelShift, since, before, after, p);
        let size = (change.after - change.before).abs();
        let large = size >= MIN_CHANGE * change.before.abs();
        (large && self.matters(change.before.max(change.after))).then_some(change)
    }

    /// Whether the day is within the level since the shift, and not far above.
    fn belongs_to(&self, at: usize, shift: &Change) -> bool {
        let Day { day, value, .. } = self.days[at];
        shift.worse && date_of_day(day) >= shift.since && value < OUTLIER_FACTOR * shift.after
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

/// The penalty for a noise of two per cent, for days that are nearly alike.
fn least_penalty(values: &[f64]) -> f64 {
    let noise = 0.02 * mean(values).unwrap_or(0.0);
    (3.0 * noise * noise * (values.len() as f64).ln()).max(f64::MIN_POSITIVE)
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
