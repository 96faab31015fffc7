//! What an import did: read, added, already there, skipped and why.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::json;

use crate::args::Format;
use crate::context::Context;
use crate::exit::Result;
use crate::out;

/// Of each reason, so many lines are named in text; JSON names them all.
const NAMED: usize = 3;

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
    /// Why it could not be read (to its end).
    pub failure: Option<String>,
    skipped: IndexMap<String, Vec<u64>>,
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

    /// Counts a record that is no event.
    pub fn skip(&mut self, line: u64, reason: String) {
        self.skipped.entry(reason).or_default().push(line);
    }

    fn skipped(&self) -> usize {
        self.skipped.values().map(Vec::len).sum()
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
        Ok(())
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
                file.skipped().to_string(),
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
                    .iter()
                    .map(|(reason, lines)| json!({"reason": reason, "count": lines.len(), "lines": lines}))
                    .collect();
                json!({
                    "file": file.path,
                    "form": file.form,
                    "read": file.read,
                    "added": file.added,
                    "already_there": file.already,
                    "skipped": file.skipped(),
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
            "skipped": total(|file| file.skipped() as u64),
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
        for (reason, lines) in &self.skipped {
            let named: Vec<String> = lines.iter().take(NAMED).map(u64::to_string).collect();
            let more = match lines.len().saturating_sub(NAMED) {
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
                "note: {}: {} timestamps without an offset were taken for UTC",
                self.path, self.naive
            ));
        }
        if self.texts_left_out > 0 && self.added > 0 {
            ctx.say(format_args!(
                "note: {}: {} texts left out; --keep-text keeps them",
                self.path, self.texts_left_out
            ));
        }
    }
}
