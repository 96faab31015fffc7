//! What an import did: read, added, already there, skipped and why.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::json;

use tachograph_model::{Scope, UnixNanos};

use crate::args::Format;
use crate::context::Context;
use crate::exit::Result;
use crate::out;

/// Of each reason, so many lines are named in text.
const NAMED: usize = 3;
/// Of each reason, so many lines are named in JSON.
const KEPT_LINES: usize = 1_000;
/// So many reasons are told apart: what a file can make up must not fill memory.
const REASONS: usize = 100;
/// Stands for all others.
const OTHERS: &str = "for other reasons";

/// One file.
#[derive(Debug, Default)]
pub struct FileSummary {
    /// Its path.
    pub path: String,
    /// What it is.
    pub form: Option<&'static str>,
    /// Records found.
    pub read: u64,
    /// Events added.
    pub added: u64,
    /// Events that were there.
    pub already: u64,
    /// Timestamps without an offset.
    pub naive: u64,
    /// Texts that stayed out.
    pub texts_left_out: usize,
    /// When its first and its last event were.
    pub span: Option<(UnixNanos, UnixNanos)>,
    /// Why it could not be read (to its end).
    pub failure: Option<String>,
    /// What of it is no event.
    pub skipped: Skipped,
}

/// What was skipped, by reason; of a bounded size, whatever was skipped.
#[derive(Debug, Default)]
pub struct Skipped {
    by_reason: IndexMap<String, Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    count: u64,
    first: Vec<u64>,
}

impl Lines {
    fn append(&mut self, other: Self) {
        self.count += other.count;
        let room = KEPT_LINES.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }
}

impl Skipped {
    /// Counts a record that is no event.
    pub fn push(&mut self, line: u64, reason: impl Into<String>) {
        let one = Lines {
            count: 1,
            first: vec![line],
        };
        self.of(reason.into()).append(one);
    }

    /// Counts what `other` counted.
    pub fn append(&mut self, other: Self) {
        for (reason, lines) in other.by_reason {
            self.of(reason).append(lines);
        }
    }

    /// How much was skipped.
    pub fn count(&self) -> u64 {
        self.by_reason.values().map(|lines| lines.count).sum()
    }

    fn of(&mut self, reason: String) -> &mut Lines {
        let full = self.by_reason.len() >= REASONS && !self.by_reason.contains_key(&reason);
        let reason = if full { OTHERS.to_owned() } else { reason };
        self.by_reason.entry(reason).or_default()
    }
}

/// All files.
#[derive(Debug, Default)]
pub struct Summary {
    /// In the order given.
    pub files: Vec<FileSummary>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl FileSummary {
    /// Starts with nothing.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.display().to_string(),
            ..Self::default()
        }
    }

    /// Notes when an event was.
    pub fn saw(&mut self, time: UnixNanos) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }
}

impl Summary {
    /// Whether a file could not be read.
    pub fn failed(&self) -> bool {
        self.files.iter().any(|file| file.failure.is_some())
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&self, form: Format, ctx: &Context) -> Result<()> {
        match form {
            Format::Json => out::print(&self.json()?)?,
            _ => out::print(&self.table(ctx))?,
        }
        for file in &self.files {
            file.words(ctx);
        }
        self.say_when(ctx);
        Ok(())
    }

    /// Old events are not in the windows that are asked for by default.
    fn say_when(&self, ctx: &Context) {
        let added = self.files.iter().filter(|file| file.added > 0);
        let spans: Vec<_> = added.filter_map(|file| file.span).collect();
        let first = spans.iter().map(|span| span.0).min();
        let last = spans.iter().map(|span| span.1).max();
        if let (Some(first), Some(last)) = (first, last)
            && !self.dry_run
            && last < Scope::last_days(7, ctx.now).window.from
        {
            let (first, last) = (first.date(), last.date());
            ctx.say(format_args!(
                "hint: these events are of {first} to {last}: `tacho report --since {first}` shows them"
            ));
        }
    }

    fn table(&self, ctx: &Context) -> String {
        let added = if self.dry_run { "would add" } else { "added" };
        let heading = ["file", "form", "read", added, "already there", "skipped"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for file in &self.files {
            rows.push(vec![
                file.path.clone(),
                file.form.unwrap_or("-").to_owned(),
                file.read.to_string(),
                file.added.to_string(),
                file.already.to_string(),
                file.skipped.count().to_string(),
            ]);
        }
        out::table(&rows, &ctx.look)
    }

    fn json(&self) -> Result<String> {
        let files: Vec<_> = self
            .files
            .iter()
            .map(|file| {
                let skipped: Vec<_> = file
                    .skipped
                    .by_reason
                    .iter()
                    .map(|(reason, lines)| json!({"reason": reason, "count": lines.count, "lines": lines.first}))
                    .collect();
                json!({
                    "file": file.path,
                    "form": file.form,
                    "read": file.read,
                    "added": file.added,
                    "already_there": file.already,
                    "skipped": file.skipped.count(),
                    "skipped_because": skipped,
                    "naive_timestamps": file.naive,
                    "texts_left_out": file.texts_left_out,
                    "error": file.failure,
                })
            })
            .collect();
        let total = |count: fn(&FileSummary) -> u64| self.files.iter().map(count).sum::<u64>();
        let summary = json!({
            "dry_run": self.dry_run,
            "read": total(|file| file.read),
            "added": total(|file| file.added),
            "already_there": total(|file| file.already),
            "skipped": total(|file| file.skipped.count()),
            "files": files,
        });
        Ok(serde_json::to_string_pretty(&summary)? + "\n")
    }
}

impl FileSummary {
    fn words(&self, ctx: &Context) {
        if let Some(failure) = &self.failure {
            out::err(format_args!("error: {}: {failure}", self.path));
        }
        for (reason, lines) in &self.skipped.by_reason {
            let named = lines.first.iter().take(NAMED);
            let named: Vec<String> = named.map(u64::to_string).collect();
            let more = match lines.count.saturating_sub(NAMED as u64) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            ctx.say(format_args!(
                "skipped: {}:{}{more}: {reason}",
                self.path,
                named.join(",")
            ));
        }
        if self.naive > 0 {
            ctx.say(format_args!(
                "note: {}: {} without an offset taken for UTC",
                self.path,
                out::counted(self.naive, "timestamp", "timestamps")
            ));
        }
        if self.texts_left_out > 0 && self.added > 0 {
            ctx.say(format_args!(
                "note: {}: {} left out; --keep-text keeps them",
                self.path,
                out::counted(self.texts_left_out as u64, "text", "texts")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_counted_in_bounded_memory() {
        let mut skipped = Skipped::default();
        for line in 0..100_000 {
            skipped.push(line, format!("reason {}", line % 5_000));
        }
        let mut all = Skipped::default();
        all.push(7, "reason 0");
        all.append(skipped);
        assert_eq!(all.count(), 100_001);
        assert_eq!(all.by_reason.len(), REASONS + 1);
        assert!(
            all.by_reason
                .values()
                .all(|lines| lines.first.len() <= KEPT_LINES)
        );
        assert_eq!(all.by_reason["reason 0"].count, 21);
        assert_eq!(all.by_reason["reason 0"].first[..2], [7, 0]);
        assert_eq!(all.by_reason[OTHERS].count, 100_001 - 21 - 99 * 20);
    }
}
