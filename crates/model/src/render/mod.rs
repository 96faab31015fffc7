//! Renderers: answers as text, Markdown, CSV and JSON. Pure: an answer and a
//! style in, text out.
//!
//! ```text
//!  answer ──► x.rs: Sheet (titles, figures, tables) ──► text | markdown | csv
//!         └─► x.rs: the seeds' own words and keys    ──► text | json
//! ```
//!
//! A [`Sheet`] says once what there is to show; the three general forms are
//! made from it. Beside it stand the reports of the seed systems, word for
//! word and key for key, for those who come from there.
//!
//! # Invariants
//! - Figures are rounded here and nowhere else, as Python rounds: on the exact
//!   binary value, ties to even.
//! - CSV and JSON hold plain units (ms, bytes, ratios 0..=1); text and Markdown
//!   are scaled for people.
//! - No text taken from an event can start a formula in CSV, break out of a
//!   Markdown table or send a control character to a terminal.

mod agents;
pub mod all_metrics;
mod amount;
pub mod backtest;
mod cache_performance;
mod caches;
pub mod changes;
pub mod csv;
mod discovery;
mod errors;
mod glyphs;
pub mod grid;
pub mod health;
pub mod human;
mod losses;
mod markdown;
mod metrics;
mod models;
pub mod page_of;
pub mod queries;
pub mod report;
pub mod session_list;
mod sessions;
pub mod sheet;
pub mod sql;
pub mod stats;
pub mod storage;
pub mod suggest;
mod text;
pub mod timeline;
mod token_savings;
mod tools;
pub mod trace;
pub mod trends;
mod usage;
pub mod width;

pub use amount::{amount, threshold};
pub use glyphs::Glyphs;
pub use sheet::{Cell, Sheet, Table};

#[cfg(test)]
mod tests;

use crate::answer::{About, Note};
use crate::question::Period;
use crate::time::UnixNanos;

/// How text may look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Headings begin with an emoji.
    pub emoji: bool,
    /// Headings are bold, states are coloured (ANSI escape codes).
    pub color: bool,
    /// Columns of the terminal; `None`: as wide as it gets.
    pub width: Option<usize>,
    /// What the output can show.
    pub glyphs: Glyphs,
}

impl Style {
    /// For files and pipes.
    pub const PLAIN: Self = Self {
        emoji: false,
        color: false,
        width: None,
        glyphs: Glyphs::All,
    };

    /// Folds a line of prose into the terminal, further lines indented.
    pub(crate) fn folded(self, line: &str, indent: usize) -> String {
        match self.width {
            Some(columns) => width::fold(line, columns, indent).join("\n"),
            None => line.to_owned(),
        }
    }

    /// Paints what is good or bad.
    pub(crate) fn state(self, good: bool, text: &str) -> String {
        match (self.color, good) {
            (false, _) => text.to_owned(),
            (true, true) => format!("\u{1b}[32m{text}\u{1b}[0m"),
            (true, false) => format!("\u{1b}[31m{text}\u{1b}[0m"),
        }
    }

    /// Paints a heading.
    pub fn heading(self, emoji: &str, title: &str) -> String {
        let title = if self.emoji && !emoji.is_empty() {
            format!("{emoji} {title}")
        } else {
            title.to_owned()
        };
        if self.color {
            format!("\u{1b}[1m{title}\u{1b}[0m")
        } else {
            title
        }
    }
}

/// Returns the window in words: `7 days`, `24 hours`, `2025-11-01 to
/// 2025-12-01`, `all time`.
pub fn period(about: &About) -> String {
    match about.period {
        Some(Period::Days(days)) => format!("{days} days"),
        Some(Period::Hours(hours)) => format!("{hours} hours"),
        None => match (about.from, about.to) {
            (UnixNanos::MIN, None) => "all time".to_owned(),
            (UnixNanos::MIN, Some(to)) => format!("until {}", edge(to)),
            (from, None) => format!("since {}", edge(from)),
            (from, Some(to)) => format!("{} to {}", edge(from), edge(to)),
        },
    }
}

/// An edge of a window: its date when it is midnight.
fn edge(at: UnixNanos) -> String {
    let text = iso(at);
    match text.strip_suffix("T00:00:00+00:00") {
        Some(date) => date.to_owned(),
        None => text,
    }
}

/// An instant as the log writes it.
pub fn iso(at: UnixNanos) -> String {
    let mut out = Vec::with_capacity(32);
    at.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// An instant for people: `2025-11-20 11:00:00`, UTC.
pub fn stamp(at: UnixNanos) -> String {
    iso(at)
        .chars()
        .take(19)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect()
}

/// Notes as lines of text, one each: `note: …`.
pub fn notes(notes: &[Note]) -> String {
    notes
        .iter()
        .map(|note| match note.question {
            Some(question) => format!("note: {}: {}\n", question.replace('_', " "), note.text),
            None => format!("note: {}\n", note.text),
        })
        .collect()
}
