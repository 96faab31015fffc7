//! Answers: figures as they are, unrounded, in the unit their name says, and
//! `None` where there is not enough data. Renderers round.

use serde::{Serialize, Serializer};

use crate::question::{Period, Scope};
use crate::time::UnixNanos;

mod agents;
mod backtest;
mod cache_performance;
mod caches;
mod changes;
mod discovery;
mod errors;
mod limit;
mod losses;
mod metrics;
mod models;
mod note;
mod queries;
mod report;
mod rule_values;
mod session_list;
mod sessions;
mod sql;
mod storage;
mod suggest;
mod timeline;
mod token_savings;
mod tools;
mod trace;
mod trends;
mod usage;

pub use agents::{AgentUse, Agents};
pub use backtest::{Backtest, Firing, RulePast, Standing};
pub use cache_performance::CachePerformance;
pub use caches::{CacheReports, CacheUse, Caches};
pub use changes::{Change, Changes, Figure, Finding};
pub use discovery::{Discovery, Operation};
pub use errors::{ErrorGroup, Errors};
pub use limit::{MOST_ROWS, ROWS};
pub use losses::{Loss, Losses};
pub use metrics::{Metrics, Series};
pub use models::{ModelUse, Models, TokenCounts};
pub use note::{Note, NoteKind};
pub use queries::{AgentCount, Complexity, Queries, QueryAgent, QueryDay};
pub use report::Report;
pub use rule_values::{RuleValues, SeriesValue};
pub use session_list::{OneSession, SessionList};
pub use sessions::{SessionType, Sessions};
pub use sql::{Sql, SqlColumn};
pub use storage::Storage;
pub use suggest::{Suggest, Suggestion};
pub use timeline::{Measure, Timeline, TimelineBucket};
pub use token_savings::{Saving, TokenSavings};
pub use tools::{Tool, Tools};
pub use trace::{Trace, TraceEvent};
pub use trends::{Direction, SecondOpinion, TrendDay, Trends};
pub use usage::{Usage, UsageDay};

/// What is beyond a limit counts under this name, in answers and in live state.
pub const OTHER: &str = "_other";

/// An answer: what was found, and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Window, method and notes.
    #[serde(flatten)]
    pub about: About,
    /// The figures.
    pub found: Found,
}

/// How an answer came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct About {
    /// The first instant of the window.
    pub from: UnixNanos,
    /// The first instant after it; `None` when it has no end.
    pub to: Option<UnixNanos>,
    /// When it was asked.
    pub at: UnixNanos,
    /// How the user named the window.
    pub period: Option<Period>,
    /// How the figures were made.
    pub method: Method,
    /// How many events were looked at.
    pub events: u64,
    /// What one should know to judge the figures.
    pub notes: Vec<Note>,
}

impl About {
    /// Starts from a scope: exact, nothing seen, nothing to note.
    pub fn new(scope: &Scope) -> Self {
        Self {
            from: scope.window.from,
            to: (scope.window.to != UnixNanos::MAX).then_some(scope.window.to),
            at: scope.now,
            period: scope.period,
            method: Method::Exact,
            events: 0,
            notes: Vec::new(),
        }
    }

    /// Notes something, once.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// How figures were made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// From every event's exact value.
    Exact,
    /// From sketches: counts, sums, means, minima and maxima are exact,
    /// quantiles are within the relative error.
    Sketch {
        /// 0.004 is 0.4 %.
        relative_error: f64,
    },
}

/// What was found: one variant a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each is the answer to the question of its name"
)]
pub enum Found {
    Agents(Box<Agents>),
    CachePerformance(Box<CachePerformance>),
    Caches(Box<Caches>),
    Changes(Box<Changes>),
    Discovery(Box<Discovery>),
    Errors(Box<Errors>),
    Losses(Box<Losses>),
    Metrics(Box<Metrics>),
    Models(Box<Models>),
    Queries(Box<Queries>),
    Report(Box<Report>),
    SessionList(Box<SessionList>),
    Sessions(Box<Sessions>),
    Sql(Box<Sql>),
    Storage(Box<Storage>),
    Timeline(Box<Timeline>),
    TokenSavings(Box<TokenSavings>),
    Tools(Box<Tools>),
    Trace(Box<Trace>),
    Trends(Box<Trends>),
    Usage(Box<Usage>),
}

/// What describes a set of values, in the unit of the field it stands in.
/// There is none of no values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many values, at least 1.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The median.
    pub p50: f64,
    /// 95 % are at most this.
    pub p95: f64,
    /// 99 % are at most this.
    pub p99: f64,
}

/// How many of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A count that a sketch knows within bounds; exact when they are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CountRange {
    /// Not fewer.
    pub at_least: u64,
    /// Not more.
    pub at_most: u64,
}

impl CountRange {
    /// Returns the count, if it is exact.
    pub fn exact(self) -> Option<u64> {
        (self.at_least == self.at_most).then_some(self.at_least)
    }

    /// Returns the count, or the middle of the bounds.
    pub fn estimate(self) -> u64 {
        self.at_least + (self.at_most.saturating_sub(self.at_least)) / 2
    }
}

impl std::ops::AddAssign for CountRange {
    fn add_assign(&mut self, other: Self) {
        self.at_least += other.at_least;
        self.at_most += other.at_most;
    }
}

/// Calls by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Outcomes {
    /// Succeeded.
    pub succeeded: u64,
    /// Failed.
    pub failed: u64,
    /// Did not say.
    pub unknown: u64,
}

impl Outcomes {
    /// Returns how many there were.
    pub fn total(self) -> u64 {
        self.succeeded + self.failed + self.unknown
    }

    /// Returns the part, 0..=1, that succeeded, of those that say; `None` when
    /// none does.
    pub fn success_ratio(self) -> Option<f64> {
        ratio(self.succeeded, self.succeeded + self.failed)
    }
}

/// Returns `part / whole`; `None` when there is no whole.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Serialize for UnixNanos {
    /// As the log writes it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = Vec::with_capacity(32);
        self.write(&mut out);
        serializer.serialize_str(&String::from_utf8_lossy(&out))
    }
}
