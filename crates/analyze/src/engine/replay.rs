//! The past, value by value, in stretches of time that fit into memory.
//!
//! What a series is made of is said by live state (`serve`'s `live/state.rs`),
//! and by `values` here of columns: the same of each event.

mod log;

use std::time::Instant;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::StreamExt;
use tachograph_model::alert::{FAMILIES, Rule, RuleError};
use tachograph_model::answer::{About, Note, NoteKind, RulePast};
use tachograph_model::render::human;
use tachograph_model::{AskError, Column, Scope, UnixNanos, Window, answer, question};
use tachograph_store::{BATCH_ROWS, EVENT_TYPE, Snapshot, TIMESTAMP, schema};

use super::events::{Division, Events};
use super::{Engine, notes, scan};
use crate::question::backtest::{MOST_ALERTS, Point, Replay};
use crate::question::suggest;
use log::Log;

/// About so many events are held at once.
pub(super) const HELD: u64 = 1 << 20;
/// A stretch of time is not divided further, nanoseconds.
const SHORTEST: i64 = 1_000_000_000;
/// A log of up to so many bytes that is read in one go need not be looked through
/// before.
const SHORT_LOG: u64 = 64 << 20;
/// So far ahead of its last look an event counts as of then; live state does the
/// same with clocks that go ahead.
pub(super) const AHEAD: i64 = 3_600_000_000_000;

/// What is told of the work: the part that is done, 0 to 1.
pub type Progress<'a> = &'a mut dyn FnMut(f64);

impl Engine {
    /// What alert rules would have said.
    ///
    /// # Errors
    /// When the events cannot be read, or a rule cannot be watched.
    pub fn backtest(
        &self,
        asked: &question::Backtest,
        progress: Progress<'_>,
    ) -> Result<(answer::Backtest, About), AskError> {
        let scope = asked.scope;
        let (from, until) = (scope.window.from, asked.until());
        let mut replay = Replay::new(&asked.rules, from, until)
            .map_err(|(at, error)| no_rule(&asked.rules[at], &error))?;
        let reach = asked.rules.iter().map(|rule| rule.window_seconds).max();
        let walk = Asked {
            scope: &scope,
            reach: reach.unwrap_or(0),
            families: &families(asked.rules.iter()),
            deadline: None,
            held: HELD,
        };
        let mut about = self.walk(&walk, &mut replay, progress)?;
        let crowded = replay.crowded();
        let found = replay.answer();
        if crowded > 0 {
            let text = format!(
                "of the series that rules match {} left out: all rules together watch {} at most; \
                 have rules name what they watch instead of `*`, or turn some off",
                human::counted(crowded, "is", "are"),
                human::thousands(MOST_ALERTS as i128),
            );
            about.note(Note::on("backtest", NoteKind::Cardinality, text));
        }
        for past in &found.rules {
            let left_out = past.fired.saturating_sub(past.firings.len() as u64);
            if left_out > 0 {
                let text = format!(
                    "of {:?} the first {} of {} firings are listed",
                    past.rule.name,
                    RulePast::MOST_FIRINGS,
                    past.fired
                );
                about.note(Note::on("backtest", NoteKind::RowLimit, text));
            }
        }
        Ok((found, about))
    }

    /// Thresholds that the past suggests, each held against it.
    ///
    /// # Errors
    /// When the events cannot be read.
    pub fn suggest(
        &self,
        asked: &question::Suggest,
        progress: Progress<'_>,
    ) -> Result<(answer::Suggest, About), AskError> {
        let scope = asked.scope;
        let mut survey = suggest::Survey::new(scope.window.from, scope.until());
        let walk = Asked {
            scope: &scope,
            reach: suggest::REACH,
            families: &suggest::FAMILIES,
            deadline: None,
            held: HELD,
        };
        let mut half = |part: f64| progress(part / 2.0);
        let mut about = self.walk(&walk, &mut survey, &mut half)?;
        let (drafts, found_notes) = survey.drafts();
        let question = question::Backtest {
            scope,
            rules: drafts.iter().map(|draft| draft.rule.clone()).collect(),
        };
        let mut half = |part: f64| progress(0.5 + part / 2.0);
        let (past, _) = self.backtest(&question, &mut half)?;
        let rules = drafts.into_iter().zip(past.rules);
        let rules = rules.map(|(draft, past)| draft.with(past)).collect();
        for note in found_notes {
            about.note(note);
        }
        Ok((answer::Suggest { rules }, about))
    }

    /// Hands over every value of some families, from `reach` seconds before the
    /// scope's beginning on.
    pub(super) fn walk(
        &self,
        asked: &Asked<'_>,
        taker: &mut dyn Taker,
        progress: Progress<'_>,
    ) -> Result<About, AskError> {
        let Asked { scope, .. } = asked;
        let snapshot = self.snapshot()?;
        let mut about = About::new(scope);
        about.to = Some(scope.until());
        about.notes = notes::of_store(snapshot.notes());
        let reach = i64::try_from(asked.reach).unwrap_or(i64::MAX);
        let reach = reach.saturating_mul(1_000_000_000);
        let window = Window {
            from: UnixNanos(scope.window.from.0.saturating_sub(reach)),
            to: UnixNanos(scope.until().0.saturating_add(AHEAD)),
        };
        let mut walk = Walk {
            snapshot: &snapshot,
            asked,
            types: types_of(asked.families),
            threads: self.config.threads,
            log: log_of(&snapshot, window, asked).map_err(unread)?,
            taker,
            events: 0,
        };
        for note in notes::of_store(&walk.log.notes) {
            about.note(note);
        }
        let whole = walk.rows_in(window).max(1);
        let mut done = 0;
        for slice in walk.slices(window) {
            let expected = walk.rows_in(slice);
            let mut seen = 0_u64;
            let rows = |rows: u64| {
                seen += rows;
                let part = done + seen.min(expected);
                progress((part as f64 / whole as f64).min(1.0));
            };
            let found = walk.slice(slice, rows).map_err(unread)?;
            done += expected;
            for note in notes::of_store(&found) {
                about.note(note);
            }
            walk.taker.settle();
        }
        about.events = walk.events;
        Ok(about)
    }
}

/// Which values are walked over.
pub(super) struct Asked<'a> {
    pub(super) scope: &'a Scope,
    /// So many seconds before it, too.
    pub(super) reach: u64,
    pub(super) families: &'a [&'static str],
    /// When it is too late.
    pub(super) deadline: Option<Instant>,
    /// See [`HELD`].
    pub(super) held: u64,
}

/// Fails when it is too late.
pub(super) fn in_time(deadline: Option<Instant>) -> Result<()> {
    match deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        true => Err(DataFusionError::Execution(
            "it takes longer than it may".to_owned(),
        )),
        false => Ok(()),
    }
}

pub(super) fn unread(error: DataFusionError) -> AskError {
    AskError::Read {
        what: "the events could not be read".to_owned(),
        source: Some(Box::new(error)),
    }
}

/// What is wrong with a rule.
pub(super) fn no_rule(rule: &Rule, error: &RuleError) -> AskError {
    AskError::Query {
        what: format!("the rule {:?}: {error}", rule.name),
    }
}

/// Who takes values.
pub(crate) trait Taker {
    /// One value; in any order up to the next [`Self::settle`].
    fn take(&mut self, family: &'static str, source: &str, name: &str, point: Point);
    /// Those to come are later.
    fn settle(&mut self);
}

impl Taker for Replay {
    fn take(&mut self, family: &'static str, source: &str, name: &str, point: Point) {
        if let Some(series) = self.series(family, source, name) {
            Self::take(self, series, point);
        }
    }

    fn settle(&mut self) {
        Self::settle(self);
    }
}

pub(super) fn families<'a>(rules: impl Iterator<Item = &'a Rule> + Clone) -> Vec<&'static str> {
    let watched = |family: &&str| rules.clone().any(|rule| rule.family == *family);
    FAMILIES.into_iter().filter(watched).collect()
}

/// Types of event that values of those families are made of; `None`: all.
pub(super) fn types_of(families: &[&str]) -> Option<Vec<&'static str>> {
    let mut types = Vec::new();
    for family in families {
        types.extend_from_slice(match *family {
            "metric" => &["metric", "performance"],
            "tool" | "agent_tool" => &["tool_call"],
            "model" | "model_tokens" | "model_cost" | "agent_model" | "agent_cost" => &["llm_call"],
            "cache" => &["cache"],
            "agent" => &["agent_usage"],
            "query" => &["query"],
            "selection" => &["agent_selection"],
            "error" => &["tool_call", "llm_call", "agent_usage", "query", "error"],
            "discovery" => &["agent_discovery"],
            "profile" => &["profile"],
            "loss" => &["loss"],
            _ => return None,
        });
    }
    types.sort_unstable();
    types.dedup();
    Some(types)
}

/// The log as it is to be read: of one that is read in several stretches the
/// times are to be known.
fn log_of(snapshot: &Snapshot, window: Window, asked: &Asked<'_>) -> Result<Log> {
    let whole = Log::whole(snapshot);
    let rows = sealed_in(snapshot, window) + whole.rows_in(window);
    match snapshot.log_bytes() <= SHORT_LOG && rows <= asked.held {
        true => Ok(whole),
        false => Log::look(snapshot, window, asked.deadline),
    }
}

/// About how many sealed events lie in a window.
fn sealed_in(snapshot: &Snapshot, window: Window) -> u64 {
    let sealed = snapshot.segments_in(window);
    sealed.map(|segment| segment.estimated_rows(window)).sum()
}

struct Walk<'a> {
    snapshot: &'a Snapshot,
    asked: &'a Asked<'a>,
    /// Types of event; `None`: all.
    types: Option<Vec<&'static str>>,
    threads: usize,
    log: Log,
    taker: &'a mut dyn Taker,
    events: u64,
}

impl Walk<'_> {
    /// About how many events lie in a window.
    fn rows_in(&self, window: Window) -> u64 {
        sealed_in(self.snapshot, window) + self.log.rows_in(window)
    }

    /// The window in stretches of about as many events as may be held.
    fn slices(&self, window: Window) -> Vec<Window> {
        let mut slices = Vec::new();
        let mut left = vec![window];
        while let Some(part) = left.pop() {
            let length = part.to.0.saturating_sub(part.from.0);
            if length <= SHORTEST || self.rows_in(part) <= self.asked.held {
                slices.push(part);
                continue;
            }
            let middle = UnixNanos(part.from.0.saturating_add(length / 2));
            // The earlier comes first.
            left.push(Window {
                from: middle,
                ..part
            });
            left.push(Window { to: middle, ..part });
        }
        slices
    }

    fn slice(
        &mut self,
        window: Window,
        mut rows: impl FnMut(u64),
    ) -> Result<Vec<tachograph_store::Note>> {
        let mut notes = Vec::new();
        let parts: Vec<_> = self.log.pieces_in(window).cloned().collect();
        for part in parts {
            let mut scan = part.scan(&columns(), window, BATCH_ROWS);
            for batch in scan.by_ref() {
                let batch = batch.map_err(log::unread)?;
                rows(batch.num_rows() as u64);
                self.batch(&batch, window)?;
            }
            if !self.log.is_known() {
                notes.extend(scan.note());
            }
        }
        if self.snapshot.segments_in(window).next().is_none() {
            return Ok(notes);
        }
        let events = Events::sealed(self.snapshot, window, self.threads)?;
        let projection: Vec<usize> = columns()
            .iter()
            .map(|name| schema().index_of(name))
            .collect::<Result<_, _>>()?;
        let predicate = scan::predicate(self.snapshot, window, self.types.as_deref())?;
        let plan = events.plan(&projection, predicate, window, Division::Pieces)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let context = events.context()?;
        for piece in 0..plan.output_partitioning().partition_count() {
            let mut stream = plan.execute(piece, context.clone())?;
            runtime.block_on(async {
                while let Some(batch) = stream.next().await {
                    let batch = batch?;
                    rows(batch.num_rows() as u64);
                    self.batch(&batch, window)?;
                }
                Ok::<_, DataFusionError>(())
            })?;
        }
        notes.extend(events.notes());
        Ok(notes)
    }

    fn batch(&mut self, batch: &RecordBatch, window: Window) -> Result<()> {
        in_time(self.asked.deadline)?;
        let columns = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            let at = UnixNanos(columns.time(row));
            if window.contains(at) {
                let mut any = false;
                columns.values(row, |family, source, name, value, times| {
                    let family = self.asked.families.iter().find(|it| **it == family);
                    let value = value.filter(|value| value.is_finite());
                    let Some(family) = family.filter(|it| value.is_some() || counts_bare(it))
                    else {
                        return;
                    };
                    any = true;
                    let point = Point {
                        at,
                        value,
                        times: if value.is_some() { times } else { 1 },
                        failed: columns.failed(row),
                    };
                    self.taker.take(family, source, name, point);
                });
                self.events += u64::from(any);
            }
        }
        Ok(())
    }
}

/// Whether an event without a value is one all the same, as live state has it.
fn counts_bare(family: &str) -> bool {
    !matches!(family, "metric" | "cache")
}

/// What values are made of.
fn columns() -> [&'static str; 15] {
    [
        TIMESTAMP,
        EVENT_TYPE,
        Column::Name.name(),
        Column::Source.name(),
        Column::Agent.name(),
        Column::Status.name(),
        Column::ErrorType.name(),
        Column::Success.name(),
        Column::Hit.name(),
        Column::DurationMs.name(),
        Column::Value.name(),
        Column::CostUsd.name(),
        Column::Count.name(),
        Column::InputTokens.name(),
        Column::OutputTokens.name(),
    ]
}

/// The columns of a batch, by their places in [`columns`].
struct Columns(Vec<ArrayRef>);

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self> {
        let column = |name: &&str| {
            let array = batch
                .column_by_name(name)
                .ok_or_else(|| DataFusionError::Internal(format!("no column {name}")))?;
            Ok(match array.data_type() {
                DataType::Dictionary(..) | DataType::Utf8 => cast(array, &DataType::Utf8)?,
                _ => array.clone(),
            })
        };
        columns()
            .iter()
            .map(column)
            .collect::<Result<_>>()
            .map(Self)
    }

    fn time(&self, row: usize) -> i64 {
        self.0[0]
            .as_primitive::<TimestampNanosecondType>()
            .value(row)
    }

    /// Empty where there is none.
    fn text(&self, at: usize, row: usize) -> &str {
        let array = &self.0[at];
        if array.is_valid(row) {
            array.as_string::<i32>().value(row)
        } else {
            ""
        }
    }

    fn truth(&self, at: usize, row: usize) -> Option<bool> {
        let array = &self.0[at];
        array.is_valid(row).then(|| array.as_boolean().value(row))
    }

    fn number(&self, at: usize, row: usize) -> Option<f64> {
        let array = &self.0[at];
        array
            .is_valid(row)
            .then(|| array.as_primitive::<Float64Type>().value(row))
    }

    fn whole(&self, at: usize, row: usize) -> Option<i64> {
        let array = &self.0[at];
        array
            .is_valid(row)
            .then(|| array.as_primitive::<Int64Type>().value(row))
    }

    fn failed(&self, row: usize) -> bool {
        match self.truth(7, row) {
            Some(success) => !success,
            None => !self.text(6, row).is_empty(),
        }
    }

    /// Family, source, name, value, and how many such values it stands for.
    fn values(&self, row: usize, mut each: impl FnMut(&str, &str, &str, Option<f64>, u64)) {
        let event_type = self.text(1, row);
        let (name, source) = (self.text(2, row), self.text(3, row));
        let agent = || self.text(4, row);
        let duration = || self.number(9, row).filter(|ms| *ms >= 0.0);
        let tokens = |at| u64::try_from(self.whole(at, row).unwrap_or(0)).unwrap_or(0);
        each("event", "", event_type, Some(1.0), 1);
        let mut may_fail = true;
        match event_type {
            "tool_call" => {
                each("tool", "", name, duration(), 1);
                if !agent().is_empty() {
                    each("agent_tool", "", agent(), duration(), 1);
                }
            }
            "llm_call" => {
                each("model", source, name, duration(), 1);
                let tokens = tokens(13).saturating_add(tokens(14));
                if tokens > 0 {
                    each("model_tokens", source, name, Some(tokens as f64), 1);
                }
                let cost = self.number(11, row).filter(|cost| *cost >= 0.0);
                if cost.is_some() {
                    each("model_cost", source, name, cost, 1);
                }
                if !agent().is_empty() {
                    each("agent_model", "", agent(), duration(), 1);
                    if cost.is_some() {
                        each("agent_cost", "", agent(), cost, 1);
                    }
                }
            }
            "agent_usage" => each("agent", "", agent(), duration(), 1),
            "query" => each("query", "", agent(), duration(), 1),
            "error" => {}
            _ => may_fail = false,
        }
        if may_fail && (event_type == "error" || self.failed(row)) {
            let error = self.text(6, row);
            let error = if error.is_empty() { "unknown" } else { error };
            each("error", "", error, Some(1.0), 1);
        }
        match event_type {
            "metric" | "performance" => {
                let times = self.whole(12, row);
                let times = times.map_or(1, |count| count.max(1).unsigned_abs());
                let source = if event_type == "metric" {
                    source
                } else {
                    event_type
                };
                each("metric", source, name, self.number(10, row), times);
            }
            "cache" => {
                let hit = match (self.text(5, row), self.truth(8, row)) {
                    ("hit", _) | ("", Some(true)) => Some(1.0),
                    ("miss", _) | ("", Some(false)) => Some(0.0),
                    _ => None,
                };
                each("cache", "", name, hit, 1);
            }
            "agent_selection" => each("selection", "", agent(), self.number(10, row), 1),
            "agent_discovery" => each("discovery", "", name, duration(), 1),
            "profile" => each("profile", source, name, duration(), 1),
            "loss" => {
                let lost = self.whole(12, row).unwrap_or(1).max(0) as f64;
                each("loss", self.text(5, row), name, Some(lost), 1);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
