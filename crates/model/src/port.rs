//! The two ports: events go in through a [`Sink`], answers come out of an
//! [`Answerer`]. Rooms meet here and nowhere else.

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, RuleValues};
use crate::event::Event;
use crate::line::LineError;
use crate::question::{self, Question};
use crate::time::UnixNanos;

/// Takes events. Called with whole batches, never on a host's hot path.
pub trait Sink: Send + Sync {
    /// Takes a batch; returns when it is as safe as this sink makes it.
    ///
    /// # Errors
    /// [`SinkError`]; then none of the batch counts as taken.
    fn put(&self, events: &[Event]) -> Result<(), SinkError>;

    /// As [`Self::put`], with events that are lines of the log already, each
    /// with its newline: what writes the same members again and again is spared
    /// an event for each. A sink that is no log reads them.
    ///
    /// # Errors
    /// As [`Self::put`]; also when a line is none.
    fn put_lines(&self, events: &[Event], lines: &[u8]) -> Result<(), SinkError> {
        let mut all = events.to_vec();
        for line in lines.split(|byte| *byte == b'\n') {
            if !line.is_empty() {
                all.push(Event::from_line(line).map_err(no_line)?);
            }
        }
        self.put(&all)
    }
}

fn no_line(error: LineError) -> SinkError {
    SinkError {
        what: "a line holds no event".to_owned(),
        source: Some(Box::new(error)),
    }
}

/// Why a sink took nothing.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep events: {what}")]
pub struct SinkError {
    /// What it was doing, and where.
    pub what: String,
    /// What went wrong below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Answers questions.
pub trait Answerer: Send + Sync {
    /// Answers; what spoils part of an answer is named in its notes.
    ///
    /// # Errors
    /// [`AskError`] when there is no answer at all.
    fn answer(&self, question: &Question) -> Result<Answer, AskError>;

    /// Hands on what was sealed of the events since then: whoever follows the
    /// log finds them in it no more. Who seals nothing has nothing.
    ///
    /// `take` is given lines of the log, whole ones, a slice at a time and in
    /// the order of their times; of all events but alerts without what tells of
    /// one alone (ids, lists, texts, tags, unknown members). It says whether to
    /// go on, and is asked so now and then with no lines at all.
    ///
    /// # Errors
    /// [`AskError`] when it cannot be told; then no line was handed on.
    fn sealed_since(
        &self,
        _since: UnixNanos,
        _take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, AskError> {
        Ok(Sealed::default())
    }

    /// By which values alert rules judge now. Who looks at no events has none.
    ///
    /// # Errors
    /// [`AskError`] when there is no answer at all.
    fn rule_values(&self, asked: &question::RuleValues) -> Result<RuleValues, AskError> {
        let rules = asked.rules.len();
        Err(AskError::Read {
            what: format!("nothing is known of the past of {rules} alert rules"),
            source: None,
        })
    }
}

/// What there is to say of what was sealed of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// Files of the log that are sealed to their end; some still lie there.
    pub logs: Vec<SealedLog>,
    /// Since when all events were handed on, if that is later than was asked
    /// for: there are too many.
    pub cut_at: Option<UnixNanos>,
    /// What could not be read.
    pub left_out: Vec<String>,
}

/// A file of the log that is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedLog {
    /// Its name in the home.
    pub name: String,
    /// Its inode number, 0 if unknown.
    pub inode: u64,
    /// When it was made, nanoseconds since the epoch, 0 if unknown.
    pub born: i64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The statement does what asking must not do.
    #[error("not allowed: {what}; only one SELECT, EXPLAIN, DESCRIBE or SHOW is")]
    Forbidden {
        /// What it does.
        what: String,
    },
    /// The statement may be right, but was too much.
    #[error("the query was stopped: {what} (setting `{}`)", limit.setting())]
    Limit {
        /// Which limit it came upon.
        limit: Limit,
        /// What it did, and how much it may.
        what: String,
    },
    /// The statement is wrong.
    #[error("cannot run the query: {what}")]
    Query {
        /// What is wrong, and where.
        what: String,
    },
    /// The events could not be read.
    #[error("cannot read the events: {what}")]
    Read {
        /// What it was doing, and where.
        what: String,
        /// What went wrong below.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The result could not be written.
    #[error("cannot write {path}")]
    Write {
        /// Where to.
        path: std::path::PathBuf,
        /// What went wrong below.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answerer answered another question; a defect of it.
    #[error("the answer to \"{question}\" is of another kind")]
    Mismatch {
        /// What was asked.
        question: &'static str,
    },
}

/// What limits a query in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// How long it may run.
    Time,
    /// How much memory it may use.
    Memory,
    /// How large a single row of its result may be.
    Result,
}

impl Limit {
    /// The name of the setting that raises it.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Time => "sql_time_limit_seconds",
            Self::Memory => "sql_memory_bytes",
            Self::Result => "sql_result_bytes",
        }
    }
}
