//! Notes: what an answer leaves out, and why.

use std::fmt;
use std::path::PathBuf;

use tachograph_model::LineError;
use tachograph_model::answer::OTHER;

use crate::sessions::MOST_AGENTS;

/// A line that holds no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: LineError,
}

/// Something that the reader of an answer should know about its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Lines of a log that hold no event were skipped.
    BrokenLines {
        /// Which log.
        file: PathBuf,
        /// How many.
        count: u64,
        /// The first few of them.
        first: Vec<BrokenLine>,
    },
    /// A log could not be read (any further).
    UnreadableLog {
        /// Which log.
        file: PathBuf,
        /// What went wrong.
        why: String,
    },
    /// A sealed segment could not be read; the rest answers.
    UnreadableSegment {
        /// Which segment.
        file: PathBuf,
        /// Events it was said to hold.
        rows: u64,
        /// What went wrong.
        why: String,
    },
    /// The manifest was missing or damaged; segments were listed instead.
    ManifestRecovered {
        /// What was wrong with it.
        why: String,
        /// Segments that were found.
        segments: usize,
    },
    /// There are more series than are told apart; the others are summed as
    /// [`tachograph_model::answer::OTHER`].
    Crowded {
        /// The type of event, or `entities`.
        what: String,
        /// How many there are.
        series: u64,
        /// How many are told apart: those with most events.
        apart: u64,
        /// Whether there are more than `series`.
        at_least: bool,
    },
    /// There are more sessions than are told apart.
    SessionsNotCounted {
        /// How many are.
        counted: u64,
        /// Files, older than the others, whose sessions are not.
        files: usize,
    },
    /// Of sessions of very many agents it is not known whether one of them is the
    /// one that was asked for.
    AgentsNotKnown {
        /// How many sessions.
        sessions: u64,
    },
    /// Durations below zero were left out of every distribution.
    NegativeDurations {
        /// How many.
        count: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenLines { file, count, first } => {
                let s = if *count == 1 { "" } else { "s" };
                write!(f, "{count} line{s} of {} skipped", file.display())?;
                for (at, broken) in first.iter().enumerate() {
                    let comma = if at == 0 { ": " } else { ", " };
                    write!(f, "{comma}line {} ({})", broken.line, broken.why)?;
                }
                Ok(())
            }
            Self::UnreadableLog { file, why } => {
                write!(f, "{} could not be read: {why}", file.display())
            }
            Self::UnreadableSegment { file, rows, why } => write!(
                f,
                "{rows} sealed events in {} could not be read: {why}; \
                 `tacho doctor --repair` sets the file aside",
                file.display()
            ),
            Self::ManifestRecovered { why, segments } => write!(
                f,
                "the manifest is damaged ({why}); {segments} segments were found without it"
            ),
            Self::Crowded {
                what,
                series,
                apart,
                at_least,
            } => {
                let than = if *at_least { "more than " } else { "" };
                write!(
                    f,
                    "{what}: of {than}{series} series the {apart} with most events are told \
                     apart, the others are summed as {OTHER}"
                )
            }
            Self::SessionsNotCounted { counted, files } => write!(
                f,
                "there are more than the {counted} sessions that were counted: of {files} older \
                 files only the events of listed sessions are"
            ),
            Self::AgentsNotKnown { sessions } => write!(
                f,
                "of {sessions} more sessions it is not known whether this agent is in them: \
                 they have more than {MOST_AGENTS} agents, or were sealed before agents of a \
                 session were told apart"
            ),
            Self::NegativeDurations { count: 1 } => {
                write!(f, "1 duration below zero was left out")
            }
            Self::NegativeDurations { count } => {
                write!(f, "{count} durations below zero were left out")
            }
        }
    }
}
