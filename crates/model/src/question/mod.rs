//! Questions: what can be asked of the events. One file a question, with the
//! same name here, among the answers, among the renderers and in `analyze`.

use crate::answer::{self, Found};
use crate::port::{Answerer, AskError};
use crate::time::{UnixNanos, Window};

mod agents;
pub mod asked;
mod backtest;
mod cache_performance;
mod caches;
mod changes;
mod discovery;
mod errors;
mod losses;
mod metrics;
mod models;
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

pub use agents::Agents;
pub use asked::{Asked, AskedError, With};
pub use backtest::Backtest;
pub use cache_performance::CachePerformance;
pub use caches::Caches;
pub use changes::Changes;
pub use discovery::Discovery;
pub use errors::Errors;
pub use losses::Losses;
pub use metrics::Metrics;
pub use models::Models;
pub use queries::{Queries, QueryLimits};
pub use report::{Part, Report};
pub use rule_values::RuleValues;
pub use session_list::SessionList;
pub use sessions::Sessions;
pub use sql::Sql;
pub use storage::Storage;
pub use suggest::Suggest;
pub use timeline::{Buckets, Timeline};
pub use token_savings::{Baseline, BaselineSource, TokenSavings};
pub use tools::Tools;
pub use trace::Trace;
pub use trends::Trends;
pub use usage::Usage;

/// Which events a question is about, and how it is to be answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scope {
    /// Events from `window.from` on and before `window.to`. The seeds' reports
    /// have no end ([`UnixNanos::MAX`]): events of the future count.
    pub window: Window,
    /// The present, for ages and for the date on the report.
    pub now: UnixNanos,
    /// How the user named the window, for titles.
    pub period: Option<Period>,
    /// Insists on exact figures, whatever it costs.
    pub exact: bool,
}

impl Scope {
    /// Returns the scope "the last so many days until `now`, and what comes
    /// after": the seeds' window. Days beyond what time can express reach back
    /// to the beginning.
    pub fn last_days(days: u32, now: UnixNanos) -> Self {
        Self::last(Period::Days(days), now)
    }

    /// Returns the scope "the last so many hours until `now`, and what comes
    /// after".
    pub fn last_hours(hours: u32, now: UnixNanos) -> Self {
        Self::last(Period::Hours(hours), now)
    }

    /// Returns the scope of all events.
    pub fn all(now: UnixNanos) -> Self {
        Self {
            window: Window::ALL,
            now,
            period: None,
            exact: false,
        }
    }

    fn last(period: Period, now: UnixNanos) -> Self {
        Self {
            window: Window {
                from: now.saturating_sub(period.length()),
                to: UnixNanos::MAX,
            },
            now,
            period: Some(period),
            exact: false,
        }
    }
}

/// A window as the user named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// The last so many days.
    Days(u32),
    /// The last so many hours.
    Hours(u32),
}

impl Period {
    /// Returns its length.
    pub fn length(self) -> std::time::Duration {
        let hours = match self {
            Self::Days(days) => u64::from(days) * 24,
            Self::Hours(hours) => u64::from(hours),
        };
        std::time::Duration::from_secs(hours * 3600)
    }
}

/// A question whose type says the type of its answer.
pub trait Ask: Into<Question> {
    /// What it is answered with.
    type Found;

    /// Takes the answer out, if it is of this question.
    fn take(found: Found) -> Option<Self::Found>;

    /// Asks, and returns what was found, with what is to be said about it.
    ///
    /// # Errors
    /// As [`Answerer::answer`].
    fn ask(self, answerer: &dyn Answerer) -> Result<(Self::Found, answer::About), AskError> {
        let question = self.into();
        let name = question.name();
        let answer = answerer.answer(&question)?;
        match Self::take(answer.found) {
            Some(found) => Ok((found, answer.about)),
            None => Err(AskError::Mismatch { question: name }),
        }
    }
}

/// One table for the enums of questions and answers, so that they cannot differ.
macro_rules! questions {
    ($(#[doc = $doc:literal] $name:ident $text:literal,)*) => {
        /// Everything that can be asked.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Question {
            $(#[doc = $doc] $name($name),)*
        }

        impl Question {
            /// Every question's name.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// What each is about, in the same order.
            pub const DOCS: &'static [&'static str] = &[$($doc.trim_ascii()),*];

            /// Returns its name, which is its file's.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $text,)*
                }
            }

            /// Makes the question of that name; `None` for SQL, which needs a
            /// statement, and for a name that no question has.
            pub fn named(name: &str, with: &With) -> Option<Self> {
                match name {
                    $($text => Some(<$name as asked::Make>::make(with)?.into()),)*
                    _ => None,
                }
            }
        }

        $(
            impl From<$name> for Question {
                fn from(question: $name) -> Self {
                    Self::$name(question)
                }
            }

            impl Ask for $name {
                type Found = answer::$name;

                fn take(found: Found) -> Option<Self::Found> {
                    match found {
                        Found::$name(found) => Some(*found),
                        _ => None,
                    }
                }
            }
        )*
    };
}

questions! {
    /// Usage per agent.
    Agents "agents",
    /// How well the agent cache serves `get_agent`.
    CachePerformance "cache_performance",
    /// Hits, misses and evictions per cache.
    Caches "caches",
    /// What got worse or better, and since when.
    Changes "changes",
    /// How long discovering agents takes.
    Discovery "discovery",
    /// What fails, by type and origin.
    Errors "errors",
    /// Events that could not be recorded.
    Losses "losses",
    /// Any series of measurements.
    Metrics "metrics",
    /// Model calls, tokens and cost.
    Models "models",
    /// Users' queries.
    Queries "queries",
    /// All of these at once.
    Report "report",
    /// Sessions one by one.
    SessionList "session_list",
    /// Sessions.
    Sessions "sessions",
    /// A query in SQL.
    Sql "sql",
    /// What lies on disk.
    Storage "storage",
    /// Figures over time.
    Timeline "timeline",
    /// Tokens that lazy loading saves.
    TokenSavings "token_savings",
    /// Calls, failures and latency per tool.
    Tools "tools",
    /// The events of one session or trace.
    Trace "trace",
    /// Discovery day by day, and where it is heading.
    Trends "trends",
    /// When work happens.
    Usage "usage",
}

impl Question {
    /// Returns the scope; none for questions about the store or in SQL.
    pub fn scope(&self) -> Option<&Scope> {
        Some(match self {
            Self::Agents(q) => &q.scope,
            Self::CachePerformance(q) => &q.scope,
            Self::Caches(q) => &q.scope,
            Self::Changes(q) => &q.scope,
            Self::Discovery(q) => &q.scope,
            Self::Errors(q) => &q.scope,
            Self::Losses(q) => &q.scope,
            Self::Metrics(q) => &q.scope,
            Self::Models(q) => &q.scope,
            Self::Queries(q) => &q.scope,
            Self::Report(q) => &q.scope,
            Self::SessionList(q) => &q.scope,
            Self::Sessions(q) => &q.scope,
            Self::Timeline(q) => &q.scope,
            Self::TokenSavings(q) => &q.scope,
            Self::Tools(q) => &q.scope,
            Self::Trace(q) => &q.scope,
            Self::Trends(q) => &q.scope,
            Self::Usage(q) => &q.scope,
            Self::Sql(_) | Self::Storage(_) => return None,
        })
    }
}
