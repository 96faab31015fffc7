//! One rule over one series.

use std::sync::Arc;

use tachograph_model::UnixNanos;
use tachograph_model::alert::{Condition, Machine, Notice, Op, Rule, Stat, Terms, Transition};
use tachograph_model::answer::{Firing, RulePast, Standing};

use super::Point;
use super::sliding::Sliding;

const SECOND: i64 = 1_000_000_000;

/// When is looked: each second, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looks {
    first: i64,
    count: i64,
}

impl Looks {
    pub(crate) fn between(from: UnixNanos, until: UnixNanos) -> Self {
        let between = until.0.saturating_sub(from.0).max(0) / SECOND;
        Self {
            first: until.0.saturating_sub(between.saturating_mul(SECOND)),
            count: between + 1,
        }
    }

    pub(crate) fn at(self, look: i64) -> UnixNanos {
        UnixNanos(self.first.saturating_add(look.saturating_mul(SECOND)))
    }

    pub(crate) fn last(self) -> UnixNanos {
        self.at(self.count - 1)
    }

    /// The last look that is not after an instant.
    fn until(self, at: i64) -> i64 {
        at.saturating_sub(self.first).div_euclid(SECOND)
    }

    /// The first look that is not before an instant.
    fn since(self, at: i64) -> i64 {
        self.until(at.saturating_sub(1)) + 1
    }
}

/// A window that moves over a series, up to some look.
#[derive(Debug)]
pub(crate) struct Slide {
    looks: Looks,
    length: i64,
    window: Sliding,
    /// The look that comes next; `None`: nothing was heard of the series.
    next: Option<i64>,
}

impl Slide {
    pub(crate) fn new(stat: Stat, window_seconds: u64, looks: Looks) -> Self {
        let length = i64::try_from(window_seconds).unwrap_or(i64::MAX);
        Self {
            looks,
            length: length.saturating_mul(SECOND),
            window: Sliding::new(stat, window_seconds),
            next: None,
        }
    }

    /// Takes a value, not older than those before; false: no look sees it.
    /// `each` gets the first of some looks, how many, and what all of them see.
    pub(crate) fn take(&mut self, point: &Point, each: impl FnMut(i64, i64, &Sliding)) -> bool {
        let out = self.looks.until(point.at.0.saturating_add(self.length));
        let from = self.looks.since(point.at.0).max(0);
        if out < from || from >= self.looks.count {
            return false;
        }
        self.look_until(from, each);
        self.next.get_or_insert(from);
        self.window
            .add(out, point.value, point.times.max(1), point.failed);
        true
    }

    /// Takes the looks to the end; false: nothing was heard of the series.
    pub(crate) fn end(&mut self, each: impl FnMut(i64, i64, &Sliding)) -> bool {
        self.look_until(self.looks.count, each);
        self.next.is_some()
    }

    fn look_until(&mut self, end: i64, mut each: impl FnMut(i64, i64, &Sliding)) {
        let Some(mut look) = self.next else { return };
        while look < end {
            self.window.pass(look);
            let change = self.window.changes().unwrap_or(end).clamp(look + 1, end);
            each(look, change - look, &self.window);
            look = change;
        }
        self.next = Some(look);
    }
}

/// A rule over a series.
#[derive(Debug)]
pub(super) struct Run {
    slide: Slide,
    judge: Judge,
}

impl Run {
    pub(super) fn new(rule: &Rule, terms: &Terms, looks: Looks) -> Self {
        // A hit is a 1, a miss a 0.
        let stat = match (terms.condition.stat, rule.family.as_str()) {
            (Stat::Ratio, "cache") => Stat::Avg,
            (stat, _) => stat,
        };
        Self {
            slide: Slide::new(stat, rule.window_seconds, looks),
            judge: Judge {
                looks,
                terms: *terms,
                machine: Machine::default(),
                open: None,
                closed: Vec::new(),
                fired: 0,
                told: 0,
                seconds: 0.0,
            },
        }
    }

    /// As [`Slide::take`].
    pub(super) fn take(&mut self, point: &Point) -> bool {
        let judge = &mut self.judge;
        self.slide
            .take(point, |look, count, window| judge.look(look, count, window))
    }

    /// Looks to the end, and adds what came of it.
    pub(super) fn end(mut self, past: &mut RulePast, source: &Arc<str>, name: &Arc<str>) {
        let judge = &mut self.judge;
        if self
            .slide
            .end(|look, count, window| judge.look(look, count, window))
        {
            self.judge.tell(past, source, name);
        }
    }
}

/// What the machine makes of it.
#[derive(Debug)]
struct Judge {
    looks: Looks,
    terms: Terms,
    machine: Machine,
    open: Option<Firing>,
    closed: Vec<Firing>,
    fired: u64,
    told: u64,
    seconds: f64,
}

impl Judge {
    fn look(&mut self, first: i64, count: i64, window: &Sliding) {
        let value = self.terms.enough(window.count(), window.figure());
        let transition = self.machine.step(self.looks.at(first), &self.terms, value);
        self.note(transition, value);
        let mut left = u64::try_from(count - 1).unwrap_or(0);
        while left > 0 {
            let (done, transition) = self.machine.repeat(left, &self.terms);
            self.note(transition, value);
            left = left.saturating_sub(done.max(1));
        }
    }

    fn note(&mut self, transition: Option<Transition>, value: Option<f64>) {
        let fired_at = self.machine.fired_at();
        let firing = fired_at.filter(|_| self.machine.resolved_at().is_none());
        match (firing, &mut self.open) {
            (Some(start), None) => {
                self.fired += 1;
                self.open = Some(Firing {
                    source: String::new(),
                    name: String::new(),
                    start,
                    end: None,
                    seconds: 0.0,
                    worst: value,
                    told: false,
                });
            }
            (Some(_), Some(open)) => {
                open.worst = worse(&self.terms.condition, open.worst, value);
            }
            (None, _) => self.close(self.machine.resolved_at()),
        }
        let notice = transition.and_then(|transition| transition.notice);
        if notice == Some(Notice::Firing)
            && let Some(open) = &mut self.open
        {
            self.told += 1;
            open.told = true;
        }
    }

    fn close(&mut self, end: Option<UnixNanos>) {
        let Some(mut firing) = self.open.take() else {
            return;
        };
        let until = end.unwrap_or(self.looks.last());
        firing.end = end;
        firing.seconds = until.0.saturating_sub(firing.start.0) as f64 / SECOND as f64;
        self.seconds += firing.seconds;
        if self.closed.len() < RulePast::MOST_FIRINGS {
            self.closed.push(firing);
        }
    }

    fn tell(mut self, past: &mut RulePast, source: &Arc<str>, name: &Arc<str>) {
        let fires_since = self.open.as_ref().map(|open| open.start);
        self.close(None);
        past.series += 1;
        past.fired += self.fired;
        past.told += self.told;
        past.firing_seconds += self.seconds;
        past.firings
            .extend(self.closed.into_iter().map(|firing| Firing {
                source: source.to_string(),
                name: name.to_string(),
                ..firing
            }));
        past.alerts.push(Standing {
            source: source.to_string(),
            name: name.to_string(),
            state: self.machine.state(),
            since: self.machine.since(),
            fires_since,
            value: self.machine.value(),
        });
    }
}

/// Of two values the one that is farther beyond the threshold.
fn worse(condition: &Condition, one: Option<f64>, other: Option<f64>) -> Option<f64> {
    let (Some(a), Some(b)) = (one, other) else {
        return one.or(other);
    };
    let apart = |value: f64| (value - condition.number).abs();
    Some(match condition.op {
        Op::Above | Op::AtLeast => a.max(b),
        Op::Below | Op::AtMost => a.min(b),
        Op::Equals if apart(b) < apart(a) => b,
        Op::Differs if apart(b) > apart(a) => b,
        Op::Equals | Op::Differs => a,
    })
}
