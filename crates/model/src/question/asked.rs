//! The stretch of time a question is about, as it is asked for on a command
//! line or in a URL, and what else a question may need to be asked.

use std::time::Duration;

use super::{Baseline, Period, QueryLimits, Question, Scope};
use crate::time::{TimeError, UnixNanos, Window};

/// Days that a report is about unless it is told otherwise.
pub const REPORT_DAYS: u32 = 7;
/// Days that changes are looked for in; a change needs six with events.
pub const CHANGES_DAYS: u32 = 14;
/// The longest window in days, a century.
pub const MOST_DAYS: u32 = 36_500;
/// The same in hours.
pub const MOST_HOURS: u32 = 24 * MOST_DAYS;

/// A window as it was asked for. Without any of these: the default of whoever
/// asks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Asked<'a> {
    /// The last so many days, 1 to [`MOST_DAYS`].
    pub days: Option<u32>,
    /// The last so many hours, 1 to [`MOST_HOURS`]; not together with days.
    pub hours: Option<u32>,
    /// From this instant or date on; not together with days or hours.
    pub since: Option<&'a str>,
    /// Before this instant or date.
    pub until: Option<&'a str>,
}

/// Why a window cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskedError {
    /// A text that is no instant.
    #[error("`{name}` {text:?}: {source}")]
    Instant {
        /// Of which parameter.
        name: &'static str,
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: TimeError,
    },
    /// Two parameters that say the same thing differently.
    #[error("`{0}` and `{1}` exclude each other")]
    Both(&'static str, &'static str),
    /// There is nothing between beginning and end.
    #[error("the window is empty: it begins at {} and ends at {}", .0.from, .0.to)]
    Empty(Window),
}

impl Asked<'_> {
    /// Returns the window that is meant: `[from, to)`. It ends at `until`, else
    /// just after `now`, and begins at `since`, else as long before its end as
    /// `days`, `hours` or `default` say.
    ///
    /// # Errors
    /// [`AskedError`].
    pub fn window(&self, now: UnixNanos, default: Duration) -> Result<Window, AskedError> {
        self.check()?;
        let to = match self.until {
            Some(text) => instant("until", text)?,
            // What is recorded in this very instant belongs to the answer.
            None => now.saturating_add(Duration::from_nanos(1)),
        };
        let from = match self.since {
            Some(text) => instant("since", text)?,
            None => {
                let end = if self.until.is_some() { to } else { now };
                end.saturating_sub(self.length().unwrap_or(default))
            }
        };
        let window = Window { from, to };
        if from >= to {
            return Err(AskedError::Empty(window));
        }
        Ok(window)
    }

    /// Returns the scope that is meant: `default` days when nothing was said,
    /// all events for `None`. Without `until` the window has no end, as the
    /// seeds'.
    ///
    /// # Errors
    /// [`AskedError`].
    pub fn scope(&self, now: UnixNanos, default: Option<u32>) -> Result<Scope, AskedError> {
        self.check()?;
        if self.since.is_none() && self.until.is_none() {
            return Ok(match (self.days, self.hours, default) {
                (Some(days), _, _) => Scope::last_days(days, now),
                (_, Some(hours), _) => Scope::last_hours(hours, now),
                (_, _, Some(days)) => Scope::last_days(days, now),
                _ => Scope::all(now),
            });
        }
        let length = Period::Days(default.unwrap_or(MOST_DAYS)).length();
        let mut window = self.window(now, length)?;
        if self.until.is_none() {
            window.to = UnixNanos::MAX;
        }
        if self.since.is_none() && self.length().is_none() && default.is_none() {
            window.from = UnixNanos::MIN;
        }
        Ok(Scope {
            window,
            ..Scope::all(now)
        })
    }

    /// Returns what `days` or `hours` say, if either was given.
    pub fn length(&self) -> Option<Duration> {
        let days = self.days.map(Period::Days);
        days.or(self.hours.map(Period::Hours)).map(Period::length)
    }

    fn check(&self) -> Result<(), AskedError> {
        let given = [
            ("days", self.days.is_some()),
            ("hours", self.hours.is_some()),
            ("since", self.since.is_some()),
        ];
        let mut given = given.iter().filter(|(_, given)| *given);
        match (given.next(), given.next()) {
            (Some((one, _)), Some((other, _))) => Err(AskedError::Both(one, other)),
            _ => Ok(()),
        }
    }
}

/// Reads an instant or a date (UTC unless it says otherwise) that was given as
/// `name`.
///
/// # Errors
/// [`AskedError::Instant`].
pub fn instant(name: &'static str, text: &str) -> Result<UnixNanos, AskedError> {
    UnixNanos::parse(text, true).map_err(|source| AskedError::Instant {
        name,
        text: text.to_owned(),
        source,
    })
}

/// What questions are asked with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct With {
    /// Which events.
    pub scope: Scope,
    /// What token savings are measured against.
    pub baseline: Baseline,
    /// What counts as a slow or complex query.
    pub limits: QueryLimits,
}

/// How a question is made from what it is asked with.
pub(super) trait Make: Into<Question> {
    /// Returns it; none for SQL, which needs a statement.
    fn make(with: &With) -> Option<Self>;
}

/// Questions about a scope and no more.
macro_rules! of_scope {
    ($($name:ident),*) => {
        $(impl Make for super::$name {
            fn make(with: &With) -> Option<Self> {
                Some(Self { scope: with.scope })
            }
        })*
    };
}

of_scope!(
    CachePerformance,
    Changes,
    Discovery,
    Errors,
    Losses,
    Metrics,
    Sessions,
    Trends,
    Usage
);

/// Questions that ask for everything of a scope unless told otherwise.
macro_rules! of_all {
    ($($name:ident),*) => {
        $(impl Make for super::$name {
            fn make(with: &With) -> Option<Self> {
                Some(Self::new(with.scope))
            }
        })*
    };
}

of_all!(Agents, Caches, Models, SessionList, Timeline, Tools);

impl Make for super::Queries {
    fn make(with: &With) -> Option<Self> {
        Some(Self {
            scope: with.scope,
            limits: with.limits,
        })
    }
}

impl Make for super::Report {
    fn make(with: &With) -> Option<Self> {
        Some(Self {
            scope: with.scope,
            baseline: with.baseline,
            limits: with.limits,
            part: super::Part::Whole,
        })
    }
}

impl Make for super::Trace {
    fn make(with: &With) -> Option<Self> {
        Some(Self {
            scope: with.scope,
            session: None,
            trace: None,
            limit: Self::LIMIT,
        })
    }
}

impl Make for super::TokenSavings {
    fn make(with: &With) -> Option<Self> {
        Some(Self {
            scope: with.scope,
            baseline: with.baseline,
        })
    }
}

impl Make for super::Storage {
    fn make(_: &With) -> Option<Self> {
        Some(Self)
    }
}

impl Make for super::Sql {
    fn make(_: &With) -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2025-11-20T12:00:00Z";

    fn at(text: &str) -> UnixNanos {
        UnixNanos::parse(text, true).expect("an instant")
    }

    const NONE: Asked = Asked {
        days: None,
        hours: None,
        since: None,
        until: None,
    };

    #[test]
    fn windows_are_settled() {
        let week = Duration::from_secs(7 * 86_400);
        let check = |asked: Asked, from: &str, to: &str| {
            let window = asked.window(at(NOW), week).expect("a window");
            assert_eq!((window.from, window.to), (at(from), at(to)), "{asked:?}");
        };
        let just_after = "2025-11-20T12:00:00.000000001Z";
        check(NONE, "2025-11-13T12:00:00Z", just_after);
        let hours = Some(1);
        check(Asked { hours, ..NONE }, "2025-11-20T11:00:00Z", just_after);
        let (days, until) = (Some(1), Some("2025-11-02"));
        check(
            Asked {
                days,
                until,
                ..NONE
            },
            "2025-11-01",
            "2025-11-02",
        );
        let since = Some("2025-11-01T01:00:00+01:00");
        check(
            Asked {
                since,
                until,
                ..NONE
            },
            "2025-11-01",
            "2025-11-02",
        );
    }

    #[test]
    fn scopes_have_no_end_unless_they_are_given_one() {
        let check = |asked: Asked, default, from: UnixNanos, to: UnixNanos, period| {
            let scope = asked.scope(at(NOW), default).expect("a scope");
            assert_eq!(
                (scope.window.from, scope.window.to),
                (from, to),
                "{asked:?}"
            );
            assert_eq!(scope.period, period, "{asked:?}");
        };
        let (since, until) = (Some("2025-11-01"), Some("2025-11-02"));
        let week = Some(Period::Days(7));
        check(
            NONE,
            Some(7),
            at("2025-11-13T12:00:00Z"),
            UnixNanos::MAX,
            week,
        );
        check(NONE, None, UnixNanos::MIN, UnixNanos::MAX, None);
        check(
            Asked { since, ..NONE },
            Some(7),
            at("2025-11-01"),
            UnixNanos::MAX,
            None,
        );
        check(
            Asked { until, ..NONE },
            Some(7),
            at("2025-10-26"),
            at("2025-11-02"),
            None,
        );
        check(
            Asked { until, ..NONE },
            None,
            UnixNanos::MIN,
            at("2025-11-02"),
            None,
        );
    }

    #[test]
    fn what_cannot_be_a_window_says_why() {
        let check = |asked: Asked, said: &str| {
            let error = asked.scope(at(NOW), Some(7)).expect_err("an error");
            assert!(error.to_string().contains(said), "{error}");
        };
        let (days, hours) = (Some(1), Some(1));
        let since = Some("2026-01-01");
        let (yesterday, until) = (Some("yesterday"), Some("2025-11-02"));
        check(
            Asked {
                days,
                hours,
                ..NONE
            },
            "`days` and `hours` exclude",
        );
        check(
            Asked {
                hours,
                since,
                ..NONE
            },
            "`hours` and `since` exclude",
        );
        check(Asked { since, ..NONE }, "the window is empty");
        check(
            Asked {
                since,
                until,
                ..NONE
            },
            "the window is empty",
        );
        check(
            Asked {
                since: yesterday,
                ..NONE
            },
            "`since` \"yesterday\": not an ISO 8601",
        );
        check(
            Asked {
                until: Some("2025-13-01"),
                ..NONE
            },
            "`until`",
        );
    }

    #[test]
    fn every_question_is_made_by_its_name() {
        let with = With {
            scope: Scope::last_days(3, at(NOW)),
            baseline: Baseline::default(),
            limits: QueryLimits::default(),
        };
        for name in Question::NAMES {
            let made = Question::named(name, &with);
            assert_eq!(made.is_none(), *name == "sql", "{name}");
            let Some(made) = made else { continue };
            assert_eq!(made.name(), *name);
            assert!(made.scope().is_none_or(|scope| *scope == with.scope));
        }
        assert_eq!(Question::named("tool", &with), None);
        for (name, doc) in Question::NAMES.iter().zip(Question::DOCS) {
            assert!(doc.ends_with('.'), "{name}: {doc}");
        }
    }
}
