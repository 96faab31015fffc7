//! The state itself: which series there are, and what an event does to them.
//! Pure: time comes in with the calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tachograph_model::{Decoder, UnixNanos};

use super::points::Points;
use super::row::Row;
use super::series::{EXACT, REACH, Series};
use super::sessions::Sessions;
use super::slot::Budget;
use super::totals::{OTHER, Totals};
use super::{Overview, Reading};

/// Points of one metric's history, at most.
pub const HISTORY: usize = 10_000;
/// Buckets of all sketches together, 8 bytes each: 48 MiB.
const MAX_CELLS: usize = 6 << 20;
/// Points of all series together, 16 bytes each: 32 MiB.
const MAX_POINTS: usize = 2 << 20;
/// Of a longer name only the start is kept, bytes.
const MAX_NAME: usize = 256;

/// What a series is of; in brackets what stands for its source, its name and
/// its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Measurements (source, metric; the metric's own unit).
    Metric,
    /// Tool calls (–, tool; milliseconds).
    Tool,
    /// Model calls (provider, model; milliseconds).
    Model,
    /// Tokens of model calls (provider, model; input and output of a call).
    ModelTokens,
    /// Cost of model calls (provider, model; US dollars of a call).
    ModelCost,
    /// Cache look-ups (–, cache; 1 for a hit, 0 for a miss).
    Cache,
    /// Agents at work (–, agent; milliseconds).
    Agent,
    /// Queries (–, type of agent that answered; milliseconds).
    Query,
    /// Agents chosen (–, type of agent; complexity 0..=1).
    Selection,
    /// Failures (–, class of the failure; 1 each).
    Error,
    /// Look-ups of agents (–, operation; milliseconds).
    Discovery,
    /// Profiled operations (component, operation; milliseconds).
    Profile,
    /// Events that a recorder lost (reason, type of event; how many).
    Loss,
    /// All events (–, type; 1 each).
    Event,
}

impl Family {
    pub const ALL: [Self; 14] = [
        Self::Metric,
        Self::Tool,
        Self::Model,
        Self::ModelTokens,
        Self::ModelCost,
        Self::Cache,
        Self::Agent,
        Self::Query,
        Self::Selection,
        Self::Error,
        Self::Discovery,
        Self::Profile,
        Self::Loss,
        Self::Event,
    ];

    /// As a label's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Tool => "tool",
            Self::Model => "model",
            Self::ModelTokens => "model_tokens",
            Self::ModelCost => "model_cost",
            Self::Cache => "cache",
            Self::Agent => "agent",
            Self::Query => "query",
            Self::Selection => "selection",
            Self::Error => "error",
            Self::Discovery => "discovery",
            Self::Profile => "profile",
            Self::Loss => "loss",
            Self::Event => "event",
        }
    }

    /// How many of 64 parts of the series it may take.
    fn share(self) -> usize {
        match self {
            Self::Metric => 28,
            Self::Tool => 16,
            Self::Model | Self::ModelTokens | Self::ModelCost | Self::Cache | Self::Agent => 2,
            Self::Query | Self::Selection | Self::Error | Self::Profile => 2,
            Self::Discovery | Self::Event => 1,
            Self::Loss => 0,
        }
    }

    /// Whether its values are durations, in milliseconds.
    pub fn is_duration(self) -> bool {
        matches!(
            self,
            Self::Tool | Self::Model | Self::Agent | Self::Query | Self::Discovery | Self::Profile
        )
    }

    fn points(self) -> Points {
        const HOUR: i64 = REACH.as_nanos() as i64 + 60_000_000_000;
        match self {
            Self::Metric => Points::new(HISTORY, HOUR),
            // The last latencies, however old.
            Self::Tool => Points::new(EXACT, i64::MAX),
            // Every value is the same: the slots know all.
            Self::Event | Self::Error => Points::new(1, HOUR),
            _ => Points::new(EXACT, HOUR),
        }
    }
}

/// One series and what is known of it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) source: Arc<str>,
    pub(super) name: Arc<str>,
    /// Type of a metric, in its source's words.
    pub(super) kind: Option<Arc<str>>,
    pub(super) unit: Option<Arc<str>>,
    pub(super) series: Series,
    pub(super) totals: Totals,
    /// The totals when the log's past had been read.
    pub(super) before: Option<Box<Totals>>,
}

/// What is counted of the reading itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Events that were read.
    pub events: u64,
    /// Lines that are none.
    pub unreadable: u64,
    /// Events more than an hour old or ahead: they are only in the totals.
    pub out_of_reach: u64,
    /// Times that a series was not kept apart, because there are too many.
    pub overflow: u64,
}

/// Live state, without its thread.
#[derive(Debug)]
pub struct State {
    pub(super) entries: Vec<Entry>,
    families: [FamilyIndex; Family::ALL.len()],
    pub(super) sessions: Sessions,
    pub(super) budget: Budget,
    pub(super) read: Read,
    /// [`Self::read`] when the log's past had been read; `None` while it is.
    pub(super) past: Option<Read>,
    decoder: Decoder,
    row: Row,
    key: String,
}

#[derive(Debug, Default)]
struct FamilyIndex {
    by_key: HashMap<Box<str>, u32>,
    /// In the order in which they first came.
    order: Vec<u32>,
    most: usize,
}

impl State {
    /// Empty, for `max_series` series.
    pub fn new(max_series: usize) -> Self {
        Self::within(max_series, MAX_CELLS, MAX_POINTS)
    }

    pub(super) fn within(max_series: usize, max_cells: usize, max_points: usize) -> Self {
        Self {
            entries: Vec::new(),
            families: Family::ALL.map(|family| FamilyIndex {
                most: (max_series * family.share() / 64).max(16),
                ..FamilyIndex::default()
            }),
            sessions: Sessions::default(),
            budget: Budget::new(max_cells, max_points),
            read: Read::default(),
            past: None,
            decoder: Decoder::default(),
            row: Row::default(),
            key: String::new(),
        }
    }

    /// Takes whole lines, as they stand in the log. `now` is when they come.
    pub fn take(&mut self, lines: &[u8], now: UnixNanos) {
        let mut rest = lines;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (line, after) = match end {
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, &rest[rest.len()..]),
            };
            rest = after;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match self.decoder.decode(line, &mut self.row) {
                Ok(()) => self.apply(now.0),
                Err(_) => self.read.unreadable += 1,
            }
        }
    }

    /// What came so far was the log's past; what comes from now on is new.
    pub fn settle(&mut self) {
        if self.past.is_some() {
            return;
        }
        self.past = Some(self.read);
        for entry in &mut self.entries {
            entry.before = Some(Box::new(entry.totals.clone()));
        }
    }

    /// The series of a family, in the order in which they first came.
    pub(super) fn of(&self, family: Family) -> &[u32] {
        &self.families[family as usize].order
    }

    /// The place of a series.
    pub(super) fn find(&self, family: Family, source: &str, name: &str) -> Option<usize> {
        let mut key = String::new();
        write_key(&mut key, source, name);
        let at = self.families[family as usize].by_key.get(key.as_str())?;
        Some(*at as usize)
    }

    /// As [`super::Live::reading`], at a time of one's choice.
    pub fn reading(
        &self,
        family: Family,
        source: &str,
        name: &str,
        length: Duration,
        now: UnixNanos,
    ) -> Option<Reading> {
        self.reading_at(family, self.find(family, source, name)?, length, now)
    }

    /// What the series at that place says of the window that ends now.
    pub(super) fn reading_at(
        &self,
        family: Family,
        place: usize,
        length: Duration,
        now: UnixNanos,
    ) -> Option<Reading> {
        let entry = self.entries.get(place)?;
        let since_start = match (&entry.before, self.past) {
            (Some(before), _) => entry.totals.since(before),
            (None, Some(_)) => entry.totals.clone(),
            // All there is so far was in the log before.
            (None, None) => entry.totals.since(&entry.totals),
        };
        Some(Reading {
            family,
            source: entry.source.clone(),
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            unit: entry.unit.clone(),
            window: entry.series.window(length, now.0),
            latest: entry.series.last.map(|(at, value)| (UnixNanos(at), value)),
            totals: entry.totals.clone(),
            since_start,
        })
    }

    /// As [`super::Live::history`], at a time of one's choice.
    pub fn history(
        &self,
        source: &str,
        name: &str,
        length: Duration,
        now: UnixNanos,
    ) -> Option<Vec<(UnixNanos, f64)>> {
        let place = self.find(Family::Metric, source, name)?;
        let from = now.saturating_sub(length.min(REACH));
        let points = self.entries[place].series.points.ordered(from.0);
        let points = points.into_iter();
        Some(points.map(|(at, value)| (UnixNanos(at), value)).collect())
    }

    /// As [`super::Live::overview`], but for what only the feed knows.
    pub fn overview(&self, now: UnixNanos) -> Overview {
        let past = self.past.unwrap_or(self.read);
        Overview {
            events: self.read.events,
            events_since_start: self.read.events - past.events,
            unreadable: self.read.unreadable,
            out_of_reach: self.read.out_of_reach,
            overflow: self.read.overflow + self.sessions.overflow,
            series: self.entries.len(),
            bytes: self.budget.bytes(),
            active_sessions: self.sessions.active(now.0),
            settled: self.past.is_some(),
            ..Overview::default()
        }
    }

    fn apply(&mut self, now: i64) {
        let row = std::mem::take(&mut self.row);
        self.read.events += 1;
        // A clock that goes ahead must not hide its source: up to an hour it
        // counts as now.
        let reach = i64::try_from(REACH.as_nanos()).unwrap_or(i64::MAX);
        let at = (row.time.saturating_sub(now) <= reach).then(|| row.time.min(now));
        let mut event = Of {
            state: self,
            row: &row,
            at,
        };
        event.apply();
        self.row = row;
    }

    /// The series of that name, made where there is none; past the limit the
    /// one that all others share.
    fn entry(&mut self, family: Family, source: &str, name: &str) -> usize {
        write_key(&mut self.key, source, name);
        let index = &self.families[family as usize];
        if let Some(at) = index.by_key.get(self.key.as_str()) {
            return *at as usize;
        }
        if index.order.len() < index.most {
            return self.add(family, source, name);
        }
        self.read.overflow += 1;
        write_key(&mut self.key, OTHER, OTHER);
        match index.by_key.get(self.key.as_str()) {
            Some(at) => *at as usize,
            None => self.add(family, OTHER, OTHER),
        }
    }

    fn add(&mut self, family: Family, source: &str, name: &str) -> usize {
        let place = self.entries.len();
        self.entries.push(Entry {
            source: clipped(source).into(),
            name: clipped(name).into(),
            kind: None,
            unit: None,
            series: Series::new(family.points()),
            totals: Totals::new(family.is_duration()),
            before: None,
        });
        let index = &mut self.families[family as usize];
        let at = u32::try_from(place).unwrap_or(u32::MAX);
        index.order.push(at);
        index.by_key.insert(self.key.as_str().into(), at);
        place
    }
}

/// One event on its way into the state.
struct Of<'a> {
    state: &'a mut State,
    row: &'a Row,
    /// When, at most now; `None`: too far ahead to be in any window.
    at: Option<i64>,
}

impl Of<'_> {
    fn apply(&mut self) {
        let row = self.row;
        let duration = row.duration_ms.filter(|ms| *ms >= 0.0);
        let within = self.add(Family::Event, "", &row.event_type, Some(1.0), 1);
        if !within.1 {
            self.state.read.out_of_reach += 1;
        }
        if !row.session.is_empty() {
            self.session();
        }
        match row.event_type.as_str() {
            "metric" => self.metric(&row.source),
            "performance" => self.metric("performance"),
            "tool_call" => {
                let (place, _) = self.add(Family::Tool, "", &row.name, duration, 1);
                self.failure(Some(place));
            }
            "llm_call" => self.model(duration),
            "cache" => self.cache(),
            "agent_usage" => {
                let (place, _) = self.add(Family::Agent, "", &row.agent, duration, 1);
                self.failure(Some(place));
            }
            "query" => {
                let (place, _) = self.add(Family::Query, "", &row.agent, duration, 1);
                self.failure(Some(place));
            }
            "agent_selection" => {
                self.add(Family::Selection, "", &row.agent, row.value, 1);
            }
            "error" => self.failure(None),
            "agent_discovery" => {
                self.add(Family::Discovery, "", &row.name, duration, 1);
            }
            "profile" => {
                self.add(Family::Profile, &row.source, &row.name, duration, 1);
            }
            "loss" => {
                let lost = row.count.unwrap_or(1).max(0) as f64;
                self.add(Family::Loss, &row.status, &row.name, Some(lost), 1);
            }
            _ => {}
        }
    }

    /// Adds to a series; returns its place, and whether the windows have it.
    fn add(
        &mut self,
        family: Family,
        source: &str,
        name: &str,
        value: Option<f64>,
        times: u64,
    ) -> (usize, bool) {
        let failed = self.row.failed();
        let place = self.state.entry(family, source, name);
        let entry = &mut self.state.entries[place];
        entry.totals.events += 1;
        entry.totals.failed += u64::from(failed);
        let Some(value) = value.filter(|value| value.is_finite()) else {
            return (place, false);
        };
        entry.totals.add(value, times);
        let within = self.at.is_some_and(|at| {
            let budget = &mut self.state.budget;
            entry.series.add(at, value, times, failed, budget)
        });
        (place, within)
    }

    fn metric(&mut self, source: &str) {
        let row = self.row;
        let times = row.count.map_or(1, |count| count.max(1).unsigned_abs());
        let (place, _) = self.add(Family::Metric, source, &row.name, row.value, times);
        let entry = &mut self.state.entries[place];
        remember(&mut entry.kind, &row.kind);
        remember(&mut entry.unit, &row.unit);
    }

    fn model(&mut self, duration: Option<f64>) {
        let row = self.row;
        let (place, _) = self.add(Family::Model, &row.source, &row.name, duration, 1);
        let totals = &mut self.state.entries[place].totals;
        let (held, more) = (&mut totals.tokens, row.tokens);
        for (held, more) in [
            (&mut held.input, more.input),
            (&mut held.output, more.output),
            (&mut held.cache_read, more.cache_read),
            (&mut held.cache_write, more.cache_write),
            (&mut held.reasoning, more.reasoning),
        ] {
            *held = held.saturating_add(more);
        }
        let cost = row.cost_usd.filter(|cost| *cost >= 0.0);
        totals.cost_usd = (totals.cost_usd + cost.unwrap_or(0.0)).min(f64::MAX);
        self.failure(Some(place));
        let tokens = more.input.saturating_add(more.output);
        if tokens > 0 {
            let tokens = Some(tokens as f64);
            self.add(Family::ModelTokens, &row.source, &row.name, tokens, 1);
        }
        if cost.is_some() {
            self.add(Family::ModelCost, &row.source, &row.name, cost, 1);
        }
    }

    fn cache(&mut self) {
        let row = self.row;
        let hit = match (row.status.as_str(), row.hit) {
            ("hit", _) | ("", Some(true)) => Some(1.0),
            ("miss", _) | ("", Some(false)) => Some(0.0),
            _ => None,
        };
        let (place, _) = self.add(Family::Cache, "", &row.name, hit, 1);
        let lookups = &mut self.state.entries[place].totals.lookups;
        match (hit, row.status.as_str()) {
            (Some(1.0), _) => lookups.hits += 1,
            (Some(_), _) => lookups.misses += 1,
            (None, "eviction") => lookups.evictions += 1,
            (None, "size_rejection") => lookups.size_rejections += 1,
            _ => {}
        }
    }

    /// Counts a failure by its type, for its series and altogether.
    fn failure(&mut self, place: Option<usize>) {
        let row = self.row;
        if row.event_type != "error" && !row.failed() {
            return;
        }
        let named = !row.error.is_empty();
        if let Some(place) = place.filter(|_| named) {
            let totals = &mut self.state.entries[place].totals;
            totals.add_error(&row.error, |error| clipped(error).into());
        }
        let error = if named { &row.error } else { "unknown" };
        self.add(Family::Error, "", error, Some(1.0), 1);
    }

    fn session(&mut self) {
        let Some(at) = self.at else { return };
        let ended = self.row.event_type == "session_end";
        self.state.sessions.saw(&self.row.session, at, ended);
    }
}

fn remember(held: &mut Option<Arc<str>>, text: &str) {
    if !text.is_empty() && held.as_deref() != Some(text) {
        *held = Some(clipped(text).into());
    }
}

fn write_key(key: &mut String, source: &str, name: &str) {
    key.clear();
    key.push_str(clipped(source));
    key.push('\0');
    key.push_str(clipped(name));
}

fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME)]
}
