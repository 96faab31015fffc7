//! The past, value by value, in stretches of time that fit into memory.
//!
//! What a series is made of is said by live state (`serve`'s `live/state.rs`),
//! and by `values` here of columns: the same of each event.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::StreamExt;
use tachograph_model::alert::{FAMILIES, Rule};
use tachograph_model::answer::{About, Note, NoteKind, RulePast};
use tachograph_model::{AskError, Column, Scope, UnixNanos, Window, answer, question};
use tachograph_store::{EVENT_TYPE, Snapshot, TIMESTAMP, schema};

use super::events::{Division, Events};
use super::{Engine, notes, scan};
use crate::question::backtest::{Point, Replay};
use crate::question::suggest;

/// About so many events are held at once.
const HELD: u64 = 1 << 20;
/// A stretch of time is not divided further, nanoseconds.
const SHORTEST: i64 = 3_600_000_000_000;
/// So far ahead of its last look an event counts as of then; live state does the
/// same with clocks that go ahead.
const AHEAD: i64 = 3_600_000_000_000;

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
        let mut replay = Replay::new(&asked.rules, from, until).map_err(|(at, error)| {
            let name = &asked.rules[at].name;
            AskError::Query {
                what: format!("the rule {name:?}: {error}"),
            }
        })?;
        let reach = asked.rules.iter().map(|rule| rule.window_seconds).max();
        let families = families(&asked.rules);
        let mut about = self.walk(&scope, reach.unwrap_or(0), &families, &mut replay, progress)?;
        let crowded = replay.crowded();
        let found = replay.answer();
        if crowded > 0 {
            let text = format!("{crowded} alerts more than a server watches at once are left out");
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
        let reach = suggest::REACH;
        let mut half = |part: f64| progress(part / 2.0);
        let mut about = self.walk(&scope, reach, &suggest::FAMILIES, &mut survey, &mut half)?;
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
    fn walk(
        &self,
        scope: &Scope,
        reach: u64,
        families: &[&'static str],
        taker: &mut dyn Taker,
        progress: Progress<'_>,
    ) -> Result<About, AskError> {
        let snapshot = self.snapshot()?;
        let mut about = About::new(scope);
        about.to = Some(scope.until());
        about.notes = notes::of_store(snapshot.notes());
        let reach = i64::try_from(reach).unwrap_or(i64::MAX);
        let reach = reach.saturating_mul(1_000_000_000);
        let window = Window {
            from: UnixNanos(scope.window.from.0.saturating_sub(reach)),
            to: UnixNanos(scope.until().0.saturating_add(AHEAD)),
        };
        let types = types_of(families);
        let failed = |error: DataFusionError| AskError::Read {
            what: "the events could not be read".to_owned(),
            source: Some(Box::new(error)),
        };
        let whole = rows_in(&snapshot, window, window).max(1);
        let mut done = 0;
        let mut walk = Walk {
            families,
            taker,
            events: 0,
        };
        for slice in slices(&snapshot, window) {
            let expected = rows_in(&snapshot, slice, window);
            let mut seen = 0;
            let found = walk
                .slice(
                    &snapshot,
                    slice,
                    types.as_deref(),
                    self.config.threads,
                    |rows| {
                        seen += rows;
                        let part = done + seen.min(expected);
                        progress(part as f64 / whole as f64);
                    },
                )
                .map_err(failed)?;
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

fn families(rules: &[Rule]) -> Vec<&'static str> {
    let watched = |family: &&str| rules.iter().any(|rule| rule.family == *family);
    FAMILIES.into_iter().filter(watched).collect()
}

/// Types of event that values of those families are made of; `None`: all.
fn types_of(families: &[&str]) -> Option<Vec<&'static str>> {
    let mut types = Vec::new();
    for family in families {
        types.extend_from_slice(match *family {
            "metric" => &["metric", "performance"],
            "tool" => &["tool_call"],
            "model" | "model_tokens" | "model_cost" => &["llm_call"],
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

/// About how many events lie in a part of a window.
fn rows_in(snapshot: &Snapshot, part: Window, window: Window) -> u64 {
    let sealed = snapshot.segments_in(part);
    let sealed: u64 = sealed.map(|segment| segment.estimated_rows(part)).sum();
    // A line of the log is about this long.
    let unsealed = (snapshot.log_bytes() / 160) as f64;
    let length = |window: Window| window.to.0.saturating_sub(window.from.0) as f64;
    sealed + (unsealed * length(part) / length(window).max(1.0)) as u64
}

/// The window in stretches of about [`HELD`] events.
fn slices(snapshot: &Snapshot, window: Window) -> Vec<Window> {
    let mut slices = Vec::new();
    let mut left = vec![window];
    while let Some(part) = left.pop() {
        let length = part.to.0.saturating_sub(part.from.0);
        if length <= SHORTEST || rows_in(snapshot, part, window) <= HELD {
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

struct Walk<'a> {
    families: &'a [&'static str],
    taker: &'a mut dyn Taker,
    events: u64,
}

impl Walk<'_> {
    fn slice(
        &mut self,
        snapshot: &Snapshot,
        window: Window,
        types: Option<&[&str]>,
        threads: usize,
        mut rows: impl FnMut(u64),
    ) -> Result<Vec<tachograph_store::Note>> {
        if snapshot.log_bytes() == 0 && snapshot.segments_in(window).next().is_none() {
            return Ok(Vec::new());
        }
        let events = Events::of(snapshot, window, threads)?;
        let projection: Vec<usize> = columns()
            .iter()
            .map(|name| schema().index_of(name))
            .collect::<Result<_, _>>()?;
        let predicate = scan::predicate(snapshot, window, types)?;
        let plan = events.plan(&projection, predicate, window, Division::Pieces)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let context = Arc::new(TaskContext::default());
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
        Ok(events.notes())
    }

    fn batch(&mut self, batch: &RecordBatch, window: Window) -> Result<()> {
        let columns = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            let at = UnixNanos(columns.time(row));
            if window.contains(at) {
                let mut any = false;
                columns.values(row, |family, source, name, value, times| {
                    let family = self.families.iter().find(|it| **it == family);
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
            "tool_call" => each("tool", "", name, duration(), 1),
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
