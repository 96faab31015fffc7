//! Changes: what got worse or better, and since when, from one figure a day.
//!
//! A day's figure is a median, a part or a sum, so that a busy day counts no
//! more than a quiet one. Level shifts are found by PELT (Killick et al. 2012)
//! and must pass a Mann–Whitney test of the days before against the days since;
//! over all shifts proposed the false discovery rate is kept at 10 % (Benjamini
//! and Hochberg 1995). The split is chosen to fit, so p is on the optimistic
//! side: a shift must also be a fifth of the level. An odd day must lie ten robust
//! standard deviations (median absolute deviation) above the other days and at
//! double their median.

use tachograph_model::answer::{Change, Changes, Figure, Finding, ratio};
use tachograph_model::time::date_of_day;
use tachograph_stats::{
    Fraction, RobustScale, Sample, level_shifts, mann_whitney, mean, noise_penalty, quantile,
};

use super::discovery::{LOOKUP, hits};
use crate::cells::{self, Cells, Row};

/// Events that a day needs for a median, and for a part of them that failed.
const MIN_EVENTS: u64 = 5;
const MIN_TRIALS: u64 = 20;
/// Days that a series needs, and each side of a shift.
const MIN_DAYS: usize = 6;
const MIN_SIDE: usize = 3;
/// A shift is at least this part of the level before.
const MIN_CHANGE: f64 = 0.2;
const FALSE_DISCOVERY_RATE: f64 = 0.1;
/// And each shift for itself must be no accident at this level.
const SIGNIFICANT: f64 = 0.02;
const OUTLIER_Z: f64 = 10.0;
const OUTLIER_FACTOR: f64 = 2.0;
/// Failure rates below this are noise on days of some hundred calls.
const MIN_FAILURE_RATIO: f64 = 0.02;

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Changes {
    let series = all_series(cells);
    let mut changes = Changes {
        series: series.len() as u64,
        ..Changes::default()
    };
    let mut shifts = Vec::new();
    for series in &series {
        if series.days.len() < MIN_DAYS {
            changes.too_short += 1;
            continue;
        }
        let Some(at) = series.outlier() else {
            shifts.extend(series.level_shift());
            continue;
        };
        // An odd day would bend the level around it; but the highest day of a
        // level that is higher anyway is no odd day.
        let shift = series.without(at).level_shift();
        if shift
            .as_ref()
            .is_some_and(|shift| series.belongs_to(at, shift))
        {
            shifts.extend(series.level_shift());
        } else {
            changes.changes.push(series.as_outlier(at));
            shifts.extend(shift);
        }
    }
    changes.changes.extend(discovered(shifts));
    changes.changes.sort_by(|a, b| {
        let size = |change: &Change| change.factor.map_or(f64::INFINITY, |f| f.ln().abs());
        (b.worse, size(b))
            .partial_cmp(&(a.worse, size(a)))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    changes
}

/// One figure a day, in order.
struct Series {
    event_type: &'static str,
    name: String,
    figure: Figure,
    days: Vec<(i64, f64)>,
}

fn all_series(cells: &Cells) -> Vec<Series> {
    let mut all = Vec::new();
    for event_type in [
        "tool_call",
        "llm_call",
        "query",
        "agent_discovery",
        "agent_load",
        "span",
    ] {
        for (name, rows) in
            cells::groups(cells.of(event_type), |row| Some(name_of(event_type, row)))
        {
            let mut add = |figure, of: fn(&[&Row]) -> Option<f64>| {
                let days = by_day(&rows, of);
                if !days.is_empty() {
                    all.push(Series {
                        event_type,
                        name: name.clone(),
                        figure,
                        days,
                    });
                }
            };
            add(Figure::MedianMs, median);
            add(Figure::FailureRatio, failures);
            if event_type == "llm_call" {
                add(Figure::CostUsd, |rows| {
                    let costs = cells::costs(rows.iter().copied());
                    (costs.count() > 0)
                        .then(|| costs.spread().map(|s| s.sum))
                        .flatten()
                });
            }
            if event_type == "agent_discovery" && name == LOOKUP {
                add(Figure::HitRatio, |rows| {
                    let asked = cells::count(rows.iter().copied());
                    enough(rows)
                        .then(|| ratio(hits(rows.iter().copied()), asked))
                        .flatten()
                });
            }
        }
    }
    for (name, rows) in cells::groups(cells.of("cache"), |row| Some(row.name().to_owned())) {
        let days = by_day(&rows, |rows| {
            let of = |hit| {
                cells::count(
                    rows.iter()
                        .copied()
                        .filter(|row| row.key().hit == Some(hit)),
                )
            };
            let (hits, misses) = (of(true), of(false));
            (hits + misses >= MIN_EVENTS)
                .then(|| ratio(hits, hits + misses))
                .flatten()
        });
        if !days.is_empty() {
            all.push(Series {
                event_type: "cache",
                name,
                figure: Figure::HitRatio,
                days,
            });
        }
    }
    all
}

/// What tells series of a type apart: queries by the agent that answered,
/// models with their provider, agents by their hash.
fn name_of(event_type: &str, row: &Row) -> String {
    let key = row.key();
    match (event_type, &key.source, &key.agent) {
        ("llm_call", Some(provider), _) => format!("{provider}/{}", row.name()),
        ("query", _, Some(agent)) => agent.to_string(),
        // One series for all: an agent is loaded too seldom for a day's figure.
        ("agent_load", _, _) => "all agents".to_owned(),
        _ => row.name().to_owned(),
    }
}

fn by_day(rows: &[&Row], figure: fn(&[&Row]) -> Option<f64>) -> Vec<(i64, f64)> {
    let mut days = cells::groups(rows.iter().copied(), |row| Some(row.cell.start.day()));
    days.sort_by_key(|(day, _)| *day);
    days.iter()
        .filter_map(|(day, rows)| Some((*day, figure(rows).filter(|figure| figure.is_finite())?)))
        .collect()
}

fn enough(rows: &[&Row]) -> bool {
    cells::count(rows.iter().copied()) >= MIN_EVENTS
}

fn median(rows: &[&Row]) -> Option<f64> {
    let durations = cells::durations(rows.iter().copied());
    (durations.count() >= MIN_EVENTS)
        .then(|| durations.spread().map(|s| s.p50))
        .flatten()
}

fn failures(rows: &[&Row]) -> Option<f64> {
    let outcomes = cells::outcomes(rows.iter().copied());
    let said = outcomes.succeeded + outcomes.failed;
    (said >= MIN_TRIALS)
        .then(|| ratio(outcomes.failed, said))
        .flatten()
}

impl Series {
    fn values(&self) -> Vec<f64> {
        self.days.iter().map(|(_, value)| *value).collect()
    }

    fn without(&self, day: usize) -> Self {
        let mut days = self.days.clone();
        days.remove(day);
        Self {
            days,
            name: self.name.clone(),
            ..*self
        }
    }

    /// The day that stands far above the others.
    fn outlier(&self) -> Option<usize> {
        if self.figure == Figure::HitRatio {
            return None;
        }
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
        let high = highest > OUTLIER_FACTOR * median && self.matters(highest);
        (far && high).then_some(at)
    }

    fn as_outlier(&self, at: usize) -> Change {
        let others = self.without(at).values();
        self.change(
            Finding::Outlier,
            self.days[at].0,
            &others,
            &[self.days[at].1],
            None,
        )
    }

    /// The last shift, if it is large enough to speak of.
    fn level_shift(&self) -> Option<Change> {
        let values = self.values();
        if values.len() < MIN_DAYS {
            return None;
        }
        let penalty = noise_penalty(&values)
            .unwrap_or(0.0)
            .max(least_penalty(&values));
        let shifts = level_shifts(&values, MIN_SIDE, penalty)?;
        let at = *shifts.last()?;
        let start = shifts.iter().rev().nth(1).copied().unwrap_or(0);
        let (before, after) = (&values[start..at], &values[at..]);
        let p = mann_whitney(before, after)?.p;
        if p > SIGNIFICANT {
            return None;
        }
        let change = self.change(Finding::LevelShift, self.days[at].0, before, after, Some(p));
        let size = (change.after - change.before).abs();
        (size >= MIN_CHANGE * change.before.abs() && self.matters(change.before.max(change.after)))
            .then_some(change)
    }

    /// Whether the day is within the level since the shift, and not far above.
    fn belongs_to(&self, day: usize, shift: &Change) -> bool {
        let (day, value) = self.days[day];
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
            factor: (old != 0.0).then(|| new / old),
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

/// Those of the shifts proposed that are no accident among so many.
fn discovered(mut shifts: Vec<Change>) -> Vec<Change> {
    let p = |change: &Change| change.p.unwrap_or(1.0);
    shifts.sort_by(|a, b| p(a).total_cmp(&p(b)));
    let proposed = shifts.len() as f64;
    let bound = |at: usize| FALSE_DISCOVERY_RATE * (at + 1) as f64 / proposed;
    let kept = (0..shifts.len())
        .rev()
        .find(|at| p(&shifts[*at]) <= bound(*at));
    shifts.truncate(kept.map_or(0, |last| last + 1));
    shifts
}
