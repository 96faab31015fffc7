//! Changes: what got worse or better, and since when, from one figure a day.

mod detect;

use std::rc::Rc;

use detect::{Calls, Day, LEAST_PART, Series};
use tachograph_model::answer::{Changes, Figure};
use tachograph_model::time::NANOS_PER_DAY;
use tachograph_model::{Scope, UnixNanos};
use tachograph_stats::Part;

use super::caches::{self, What};
use super::discovery::{LOOKUP, hits};
use crate::cells::{self, Cells, Row};
use crate::digest::Digest;

/// Events that a day needs for any figure, for a median (the middle of fewer is
/// chance), and for a part of them that failed.
const MIN_EVENTS: u64 = 5;
const MIN_MEDIAN: u64 = 10;
const MIN_TRIALS: u64 = 20;

/// Answers from the cells.
pub fn answer(cells: &Cells, scope: &Scope) -> Changes {
    detect::find(&all_series(cells, &Cut::of(scope)))
}

/// The days that a window does not hold all of.
struct Cut {
    first: Option<i64>,
    last: i64,
}

impl Cut {
    fn of(scope: &Scope) -> Self {
        let from = scope.window.from;
        let begins_within = from != UnixNanos::MIN && from.0.rem_euclid(NANOS_PER_DAY) != 0;
        // What has not been yet is in no window.
        let end = scope.window.to.min(scope.now);
        Self {
            first: begins_within.then(|| from.day()),
            last: end.day(),
        }
    }

    fn is_whole(&self, day: i64) -> bool {
        self.first != Some(day) && self.last != day
    }
}

fn all_series<'a>(cells: &'a Cells, cut: &Cut) -> Vec<Series<'a>> {
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
            let mut add = |figure, (days, calls): (Vec<Day>, Option<Rc<dyn Calls + 'a>>)| {
                if !days.is_empty() {
                    all.push(Series {
                        event_type,
                        name: name.clone(),
                        figure,
                        days,
                        calls,
                    });
                }
            };
            let (days, calls) = medians(&rows, cut);
            let calls: Rc<dyn Calls + 'a> = Rc::new(calls);
            add(Figure::MedianMs, (days, Some(calls)));
            add(Figure::FailureRatio, (by_day(&rows, cut, failures), None));
            if event_type == "llm_call" {
                let costs = by_day(&rows, cut, |rows| {
                    let costs = cells::costs(rows.iter().copied());
                    (costs.count() > 0)
                        .then(|| costs.spread().map(|s| Value::Plain(s.sum)))
                        .flatten()
                });
                add(Figure::CostUsd, (costs, None));
            }
            if event_type == "agent_discovery" && name == LOOKUP {
                let looked_up = by_day(&rows, cut, |rows| {
                    let asked = cells::count(rows.iter().copied());
                    let of_them = Part::new(hits(rows.iter().copied()), asked);
                    of_them.filter(|_| enough(rows)).map(Value::Part)
                });
                add(Figure::HitRatio, (looked_up, None));
            }
        }
    }
    for (name, rows) in cells::groups(cells.of("cache"), |row| Some(row.name().to_owned())) {
        let days = by_day(&rows, cut, |rows| {
            let of = |what| {
                let rows = rows.iter().copied();
                cells::count(rows.filter(|row| caches::what_of(row.key()) == what))
            };
            let (hits, misses) = (of(What::Hit), of(What::Miss));
            let asked = hits + misses;
            Part::new(hits, asked)
                .filter(|_| asked >= MIN_EVENTS)
                .map(Value::Part)
        });
        if !days.is_empty() {
            all.push(Series {
                event_type: "cache",
                name,
                figure: Figure::HitRatio,
                days,
                calls: None,
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

/// A day's figure: a part knows of how many.
enum Value {
    Plain(f64),
    Part(Part),
}

fn by_day(rows: &[&Row], cut: &Cut, figure: fn(&[&Row]) -> Option<Value>) -> Vec<Day> {
    let day = |(day, rows): &(i64, Vec<&Row>)| {
        let (value, part) = match figure(rows)? {
            Value::Plain(value) => (value, None),
            Value::Part(part) => (part.hits() as f64 / part.trials() as f64, Some(part)),
        };
        let day = *day;
        let whole = cut.is_whole(day);
        value.is_finite().then_some(Day {
            day,
            value,
            part,
            whole,
        })
    };
    days(rows).iter().filter_map(day).collect()
}

fn days<'a>(rows: &[&'a Row]) -> Vec<(i64, Vec<&'a Row>)> {
    let mut days = cells::groups(rows.iter().copied(), |row| Some(row.cell.start.day()));
    days.sort_by_key(|(day, _)| *day);
    days
}

/// The durations of each day, in order.
struct Durations<'a>(Vec<(i64, Digest<'a>)>);

impl<'a> Durations<'a> {
    fn of(&self, day: i64) -> Option<&Digest<'a>> {
        let at = self.0.binary_search_by_key(&day, |(day, _)| *day).ok()?;
        Some(&self.0[at].1)
    }
}

impl Calls for Durations<'_> {
    fn median(&self, days: &[Day]) -> Option<f64> {
        let mut all = Digest::default();
        for day in days {
            all.join(self.of(day.day)?);
        }
        all.spread().map(|spread| spread.p50)
    }

    fn above(&self, day: &Day, threshold: f64) -> Option<Part> {
        let calls = self.of(day.day)?;
        let count = calls.count();
        // Of a sketch: those in buckets above the threshold's.
        Part::new(calls.count_above(threshold).at_least.min(count), count)
    }
}

/// The median of each day that has one, and the calls that they are of.
fn medians<'a>(rows: &[&'a Row], cut: &Cut) -> (Vec<Day>, Durations<'a>) {
    let of_day = |(day, rows): (i64, Vec<&'a Row>)| (day, cells::durations(rows));
    let mut calls: Vec<(i64, Digest<'a>)> = days(rows).into_iter().map(of_day).collect();
    calls.retain(|(_, calls)| calls.count() >= MIN_MEDIAN);
    let whole = calls.iter().filter(|(day, _)| cut.is_whole(*day));
    let mut usual: Vec<u64> = whole.map(|(_, calls)| calls.count()).collect();
    usual.sort_unstable();
    let usual = usual.get(usual.len() / 2).copied().unwrap_or(0) as f64;
    calls.retain(|(day, calls)| cut.is_whole(*day) || calls.count() as f64 >= LEAST_PART * usual);
    let day = |(day, calls): &(i64, Digest<'a>)| {
        let (day, value) = (*day, calls.spread()?.p50);
        let whole = cut.is_whole(day);
        value.is_finite().then_some(Day {
            day,
            value,
            part: None,
            whole,
        })
    };
    (calls.iter().filter_map(day).collect(), Durations(calls))
}

fn enough(rows: &[&Row]) -> bool {
    cells::count(rows.iter().copied()) >= MIN_EVENTS
}

fn failures(rows: &[&Row]) -> Option<Value> {
    let outcomes = cells::outcomes(rows.iter().copied());
    let said = outcomes.succeeded + outcomes.failed;
    let failed = Part::new(outcomes.failed, said);
    failed.filter(|_| said >= MIN_TRIALS).map(Value::Part)
}
