//! What an alert does as figures come: pure, and the same after a restart.
//!
//! ```text
//!            holds           held for `for_seconds`
//! inactive ────────► pending ───────────────────────► firing ──┐ clear as long, and
//!    ▲                 │ clear                                 │ at least twice
//!    └──── 15 min ── resolved ◄────────────────────────────────┘
//! no figure: no_data, from wherever. What fired stays open: it goes on, or is
//! resolved, when there is a figure again, and is resolved when there was none
//! for a window (or `for_seconds`, if that is longer)
//! ```
//!
//! # Invariants
//! - It fires only when the condition held at every look of `for_seconds`.
//! - It is told of at most once within `cooldown_seconds`; what still fires then
//!   is told of then. Each firing that was told of is told to be resolved, once.
//! - Time is what passed between two looks: a clock that goes back stands still,
//!   and of a gap (sleep, a server that was down) nobody knows what was in it, so
//!   that it counts for [`MOST_BETWEEN`] at most.

mod repeat;

use serde::{Deserialize, Serialize};

use super::Rule;
use super::condition::Condition;
use crate::time::UnixNanos;

/// So much of the time between two looks counts for how long a condition held,
/// or was gone.
pub const MOST_BETWEEN: i64 = 60 * SECOND;
/// What is resolved is shown for so long; Prometheus does the same.
const SHOWN: i64 = 15 * 60 * SECOND;
const SECOND: i64 = 1_000_000_000;

/// What state an alert is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// All is well.
    #[default]
    Inactive,
    /// The condition holds, but not for long enough yet.
    Pending,
    /// It is too much.
    Firing,
    /// It was too much, and is not any more.
    Resolved,
    /// There is no figure to judge by.
    NoData,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Inactive,
        Self::Pending,
        Self::Firing,
        Self::Resolved,
        Self::NoData,
    ];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::NoData => "no_data",
        }
    }
}

/// What people are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// It fires.
    Firing,
    /// It fires no more.
    Resolved,
}

impl Notice {
    /// As an event's `status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Firing => State::Firing.name(),
            Self::Resolved => State::Resolved.name(),
        }
    }
}

/// That an alert changed its state, or is told of only now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// Before.
    pub from: State,
    /// After; the same where what fires is told of when its cool-down ends.
    pub to: State,
    /// Whether people are to be told, and what.
    pub notice: Option<Notice>,
    /// The value that decided.
    pub value: Option<f64>,
}

/// What a rule says of time and figures, made once of many looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// When it is too much.
    pub condition: Condition,
    min_count: u64,
    for_nanos: i64,
    cooldown: i64,
    /// So long without a figure resolves.
    missing: i64,
}

impl Terms {
    /// Those of a rule.
    ///
    /// # Errors
    /// As [`Rule::check`].
    pub fn of(rule: &Rule) -> Result<Self, super::RuleError> {
        let condition = rule.check()?;
        let nanos = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX) * SECOND;
        Ok(Self {
            condition,
            min_count: rule.min_count,
            for_nanos: nanos(rule.for_seconds),
            cooldown: nanos(rule.cooldown_seconds),
            missing: nanos(rule.for_seconds.max(rule.window_seconds)),
        })
    }
}

impl Terms {
    /// The figure of so many values; `None` where these are too few to tell.
    pub fn enough(&self, count: u64, figure: Option<f64>) -> Option<f64> {
        figure.filter(|_| count >= self.min_count)
    }

    /// The value that decides; `None`: there is none, or it is of too few.
    pub fn value(&self, reading: &super::Reading) -> Option<f64> {
        self.enough(reading.count, self.condition.value(reading))
    }
}

/// One alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    state: State,
    /// When it came to its state.
    since: UnixNanos,
    /// When it fired last.
    #[serde(default)]
    fired_at: Option<UnixNanos>,
    /// When that was over.
    #[serde(default)]
    resolved_at: Option<UnixNanos>,
    /// The value that was looked at last, if there was one.
    #[serde(default)]
    value: Option<f64>,
    /// When that was.
    seen: UnixNanos,
    /// For how long, now without a break, the condition held, it was gone, or
    /// nothing was known; nanoseconds.
    #[serde(default)]
    held: i64,
    #[serde(default)]
    clear: i64,
    #[serde(default)]
    missing: i64,
    /// Looks at which it was gone, now without a break.
    #[serde(default)]
    clear_looks: u32,
    /// It is firing, whether or not there is a figure now.
    #[serde(default)]
    open: bool,
    /// That was told.
    #[serde(default)]
    told: bool,
    /// How much of the cool-down is left, nanoseconds.
    #[serde(default)]
    cooling: i64,
}

impl Machine {
    /// One of which only this is known: that it fired, and that people were told.
    pub fn told_at(fired_at: UnixNanos, now: UnixNanos, terms: &Terms) -> Self {
        let passed = now.0.saturating_sub(fired_at.0).max(0);
        Self {
            state: State::Firing,
            since: fired_at,
            fired_at: Some(fired_at),
            seen: now,
            held: terms.for_nanos,
            open: true,
            told: true,
            cooling: terms.cooldown.saturating_sub(passed).max(0),
            ..Self::default()
        }
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when it is in that.
    pub fn since(&self) -> UnixNanos {
        self.since
    }

    /// When it fired last.
    pub fn fired_at(&self) -> Option<UnixNanos> {
        self.fired_at
    }

    /// When what fired last was over; `None` while it fires.
    pub fn resolved_at(&self) -> Option<UnixNanos> {
        self.resolved_at
    }

    /// The value that was looked at last, if there was one.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// Whether it fired and that is not over: it fires, or nothing has been known
    /// since ([`State::NoData`]).
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether there is something to remember: without, one made anew is the
    /// same.
    pub fn is_idle(&self) -> bool {
        !self.open && self.cooling == 0 && matches!(self.state, State::Inactive | State::NoData)
    }

    /// Takes the value of now; `None`, or what is not finite: there is none.
    pub fn step(
        &mut self,
        now: UnixNanos,
        terms: &Terms,
        value: Option<f64>,
    ) -> Option<Transition> {
        let value = value.filter(|value| value.is_finite());
        let passed = match self.seen {
            UnixNanos(0) => {
                self.since = now;
                0
            }
            seen => now.0.saturating_sub(seen.0).max(0),
        };
        let counted = passed.min(MOST_BETWEEN);
        self.seen = now;
        self.cooling = self.cooling.saturating_sub(passed).max(0);
        self.value = value;
        let was = self.state;
        let condition = &terms.condition;
        let notice = match value.map(|value| condition.op.holds(value, condition.number)) {
            Some(true) => self.holds(now, terms, counted),
            Some(false) => self.is_clear(now, terms, counted),
            None => self.is_missing(now, terms, counted),
        };
        (was != self.state || notice.is_some()).then_some(Transition {
            from: was,
            to: self.state,
            notice,
            value,
        })
    }

    /// Nobody watches any more: the rule is gone or off.
    pub fn end(&mut self, now: UnixNanos) -> Option<Transition> {
        let was = self.state;
        let open = self.open;
        let notice = self.close(now);
        let to = if open {
            State::Resolved
        } else {
            State::Inactive
        };
        self.enter(to, now);
        let value = self.value;
        (was != to || notice.is_some()).then_some(Transition {
            from: was,
            to,
            notice,
            value,
        })
    }

    fn holds(&mut self, now: UnixNanos, terms: &Terms, counted: i64) -> Option<Notice> {
        // The time before the first look at which it holds is not its own.
        let first = self.held == 0 && !matches!(self.state, State::Pending | State::Firing);
        let broken = self.clear_looks > 0 || self.missing > 0;
        (self.clear, self.clear_looks, self.missing) = (0, 0, 0);
        if !first && !broken {
            self.held = self.held.saturating_add(counted);
        }
        if !self.open && self.held < terms.for_nanos {
            self.enter(State::Pending, now);
            return None;
        }
        if !self.open {
            self.open = true;
            self.fired_at = Some(now);
            self.resolved_at = None;
        }
        self.enter(State::Firing, now);
        if self.told || self.cooling > 0 {
            return None;
        }
        self.told = true;
        self.cooling = terms.cooldown;
        Some(Notice::Firing)
    }

    fn is_clear(&mut self, now: UnixNanos, terms: &Terms, counted: i64) -> Option<Notice> {
        (self.held, self.missing) = (0, 0);
        if self.clear_looks > 0 {
            self.clear = self.clear.saturating_add(counted);
        }
        self.clear_looks = self.clear_looks.saturating_add(1);
        if self.open {
            if self.clear_looks < 2 || self.clear < terms.for_nanos {
                // It may only flap.
                self.enter(State::Firing, now);
                return None;
            }
            let notice = self.close(now);
            self.enter(State::Resolved, now);
            return notice;
        }
        let shown = now.0.saturating_sub(self.since.0) < SHOWN;
        if self.state != State::Resolved || !shown {
            self.enter(State::Inactive, now);
        }
        None
    }

    fn is_missing(&mut self, now: UnixNanos, terms: &Terms, counted: i64) -> Option<Notice> {
        (self.held, self.clear, self.clear_looks) = (0, 0, 0);
        // At least 1, so that the first look is known to have been.
        self.missing = match self.missing {
            0 => 1,
            missing => missing.saturating_add(counted),
        };
        let notice = match self.open && self.missing > terms.missing {
            true => self.close(now),
            false => None,
        };
        self.enter(State::NoData, now);
        notice
    }

    /// It fires no more.
    fn close(&mut self, now: UnixNanos) -> Option<Notice> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        (self.held, self.clear, self.clear_looks) = (0, 0, 0);
        self.resolved_at = Some(now);
        std::mem::take(&mut self.told).then_some(Notice::Resolved)
    }

    fn enter(&mut self, state: State, now: UnixNanos) {
        if self.state != state {
            self.state = state;
            self.since = now;
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
