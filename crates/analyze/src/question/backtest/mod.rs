//! What alert rules would have said of the past. Pure: values in, answer out.
//!
//! The machine is that of the server's loop, and so is what it sees: each second
//! the figure of the window that ends then. Between two values that come or
//! leave nothing changes, and those looks are taken at once.
//!
//! # Invariants
//! - The answer is that of looking every second.
//! - Memory does not depend on how many values there are, but on how many series
//!   and, up to a limit each, on how many values are in a window at once.

mod run;
mod sliding;

use std::collections::HashMap;
use std::sync::Arc;

use tachograph_model::UnixNanos;
use tachograph_model::alert::{EVERY, Rule, RuleError, SOURCED, Terms};
use tachograph_model::answer::{Backtest, Firing, RulePast};

use run::Run;
pub(crate) use run::{Looks, Slide};
pub(crate) use sliding::Sliding;

/// Alerts of all rules together, as many as a server watches.
pub(crate) const MOST_ALERTS: usize = 10_000;
/// Bytes of a name; live state keeps as many.
const MOST_NAME: usize = 256;

/// A series of values, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesAt(u32);

/// A value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub at: UnixNanos,
    /// What; finite. `None`: it only tells that something happened.
    pub value: Option<f64>,
    /// How many such values it stands for, at least 1.
    pub times: u64,
    /// Whether it is of something that failed.
    pub failed: bool,
}

/// Rules on their way through the past.
#[derive(Debug)]
pub struct Replay {
    rules: Vec<Watched>,
    looks: Looks,
    series: Vec<Series>,
    index: Index,
    alerts: usize,
    crowded: u64,
}

#[derive(Debug)]
struct Watched {
    rule: Rule,
    terms: Terms,
    values: u64,
}

#[derive(Debug)]
struct Series {
    source: Arc<str>,
    name: Arc<str>,
    /// Those since the last [`Replay::settle`].
    points: Vec<Point>,
    runs: Vec<(usize, Run)>,
}

/// By family, source and name; `None`: no rule watches it.
type Index = HashMap<&'static str, HashMap<Box<str>, HashMap<Box<str>, Option<SeriesAt>>>>;

impl Replay {
    /// Begins: a look each second, the last at `until`, the first not before
    /// `from`.
    ///
    /// # Errors
    /// The first rule that cannot be watched, and why.
    pub fn new(
        rules: &[Rule],
        from: UnixNanos,
        until: UnixNanos,
    ) -> Result<Self, (usize, RuleError)> {
        let watched = rules.iter().enumerate().map(|(at, rule)| {
            Ok(Watched {
                terms: Terms::of(rule).map_err(|error| (at, error))?,
                rule: rule.clone(),
                values: 0,
            })
        });
        Ok(Self {
            rules: watched.collect::<Result<_, _>>()?,
            looks: Looks::between(from, until),
            series: Vec::new(),
            index: HashMap::new(),
            alerts: 0,
            crowded: 0,
        })
    }

    /// The series of that name, if any rule watches it.
    pub fn series(&mut self, family: &'static str, source: &str, name: &str) -> Option<SeriesAt> {
        let known = self.index.get(family);
        let known = known.and_then(|sources| sources.get(source)?.get(name));
        if let Some(found) = known {
            return *found;
        }
        let found = self.add(family, source, name);
        let sources = self.index.entry(family).or_default();
        let names = sources.entry(source.into()).or_default();
        names.insert(name.into(), found);
        found
    }

    fn add(&mut self, family: &str, source: &str, name: &str) -> Option<SeriesAt> {
        let mut runs = Vec::new();
        for (at, Watched { rule, terms, .. }) in self.rules.iter().enumerate() {
            if !watches(rule, family, source, name) {
                continue;
            }
            if self.alerts == MOST_ALERTS {
                self.crowded += 1;
                continue;
            }
            self.alerts += 1;
            runs.push((at, Run::new(rule, terms, self.looks)));
        }
        if runs.is_empty() {
            return None;
        }
        let at = SeriesAt(u32::try_from(self.series.len()).ok()?);
        self.series.push(Series {
            source: clipped(source).into(),
            name: clipped(name).into(),
            points: Vec::new(),
            runs,
        });
        Some(at)
    }

    /// Takes a value; in any order up to the next [`Self::settle`]. What is
    /// after the last look is taken for of then: a clock that goes ahead hides
    /// nothing.
    pub fn take(&mut self, series: SeriesAt, point: Point) {
        let at = point.at.min(self.looks.last());
        let points = &mut self.series[series.0 as usize].points;
        points.push(Point { at, ..point });
    }

    /// All values up to some time have been taken: those to come are later.
    pub fn settle(&mut self) {
        for series in &mut self.series {
            let mut points = std::mem::take(&mut series.points);
            points.sort_by_key(|point| point.at);
            for (at, run) in &mut series.runs {
                for point in &points {
                    self.rules[*at].values += u64::from(run.take(point));
                }
            }
            points.clear();
            series.points = points;
        }
    }

    /// Alerts for which there was no room.
    pub fn crowded(&self) -> u64 {
        self.crowded
    }

    /// Looks to the end, and tells what came of it.
    pub fn answer(mut self) -> Backtest {
        self.settle();
        let empty = |Watched { rule, .. }: &Watched| RulePast {
            rule: rule.clone(),
            fired: 0,
            told: 0,
            firing_seconds: 0.0,
            firings: Vec::new(),
            series: 0,
            values: 0,
            alerts: Vec::new(),
        };
        let mut rules: Vec<RulePast> = self.rules.iter().map(empty).collect();
        for series in self.series {
            for (at, run) in series.runs {
                run.end(&mut rules[at], &series.source, &series.name);
            }
        }
        for (past, watched) in rules.iter_mut().zip(&self.rules) {
            past.values = watched.values;
            let order = |one: &Firing, other: &Firing| {
                let key = |it: &Firing| (it.start, it.source.clone(), it.name.clone());
                key(one).cmp(&key(other))
            };
            past.firings.sort_by(order);
            past.firings.truncate(RulePast::MOST_FIRINGS);
            past.alerts
                .sort_by(|one, other| (&one.source, &one.name).cmp(&(&other.source, &other.name)));
        }
        Backtest { rules }
    }
}

/// Whether a rule is of a series.
pub(crate) fn watches(rule: &Rule, family: &str, source: &str, name: &str) -> bool {
    let told_apart = SOURCED.contains(&family);
    let of_source = !told_apart || rule.source.is_empty() || rule.source == source;
    let named = rule.metric_name == EVERY || rule.metric_name == name;
    rule.family == family && of_source && named
}

/// As much of a name as is kept.
pub(crate) fn clipped(name: &str) -> &str {
    &name[..name.floor_char_boundary(MOST_NAME)]
}
