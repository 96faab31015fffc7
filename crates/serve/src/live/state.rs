//! The state itself: which series there are, and what an event does to them.
//! Pure: time comes in with the calls.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tachograph_model::{Decoder, Event, UnixNanos};

use super::family::{Entry, Family, FamilyIndex};
use super::row::Row;
use super::series::REACH;
use super::sessions::Sessions;
use super::slot::Budget;
use super::totals::OTHER;
use super::{Overview, Reading};

/// Buckets of all sketches together, 8 bytes each: 48 MiB.
const MAX_CELLS: usize = 6 << 20;
/// Points of all series together, 16 bytes each: 32 MiB.
const MAX_POINTS: usize = 2 << 20;
/// Events of alerts that are kept.
const MOST_ALERTS: usize = 100;
/// Bytes of the line of one; no rule of ours makes as many.
const MOST_ALERT_BYTES: usize = 64 << 10;
/// Their type.
const ALERT: &str = "alert";
/// Of a longer name only the start is kept, bytes.
const MAX_NAME: usize = 256;

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
    /// Series that were silent for an hour and left their place to others.
    pub forgotten: u64,
}

/// Live state, without its thread.
#[derive(Debug)]
pub struct State {
    pub(super) entries: Vec<Entry>,
    families: [FamilyIndex; Family::ALL.len()],
    pub(super) sessions: Sessions,
    /// The newest events of alerts, in order of arrival.
    pub(super) alerts: VecDeque<Event>,
    pub(super) budget: Budget,
    pub(super) read: Read,
    /// [`Self::read`] when the log's past had been read; `None` while it is.
    pub(super) past: Option<Read>,
    decoder: Decoder,
    row: Row,
    key: String,
}

impl State {
    /// Empty, for `max_series` series.
    pub fn new(max_series: usize) -> Self {
        Self::within(max_series, MAX_CELLS, MAX_POINTS)
    }

    pub(super) fn within(max_series: usize, max_cells: usize, max_points: usize) -> Self {
        Self {
            entries: Vec::new(),
            families: Family::ALL.map(|family| FamilyIndex::new(max_series, family)),
            sessions: Sessions::default(),
            alerts: VecDeque::new(),
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
                Ok(()) => {
                    if self.row.event_type == ALERT {
                        self.remember_alert(line);
                    }
                    self.apply(now.0);
                }
                Err(_) => self.read.unreadable += 1,
            }
        }
    }

    /// They are few, and kept whole.
    fn remember_alert(&mut self, line: &[u8]) {
        if line.len() > MOST_ALERT_BYTES {
            return;
        }
        let Ok(event) = Event::from_line(line) else {
            return;
        };
        if self.alerts.len() == MOST_ALERTS {
            self.alerts.pop_front();
        }
        self.alerts.push_back(event);
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
        let (happened, window) = entry.series.window(length, now.0).unzip();
        Some(Reading {
            family,
            source: entry.source.clone(),
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            unit: entry.unit.clone(),
            happened,
            window: window.flatten(),
            heard: entry.series.heard(),
            latest: entry.series.last.map(|(at, value)| (UnixNanos(at), value)),
            totals: entry.totals.clone(),
            since_start,
        })
    }

    /// As [`super::Live::forgotten`].
    pub fn forgotten(&self, family: Family) -> u64 {
        self.families[family as usize].forgotten
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
            forgotten: self.read.forgotten,
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
            now,
            at,
        };
        event.apply();
        self.row = row;
    }

    /// The series of that name, made where there is none; past the limit in the
    /// place of a silent one, or else the one that all others share.
    fn entry(&mut self, family: Family, source: &str, name: &str, now: i64) -> usize {
        // Whoever recorded it did not tell it apart either.
        let source = match source.is_empty() && name == OTHER {
            true => OTHER,
            false => source,
        };
        write_key(&mut self.key, source, name);
        let index = &mut self.families[family as usize];
        if let Some(at) = index.by_key.get(self.key.as_str()) {
            return *at as usize;
        }
        if index.order.len() < index.most {
            return self.add(family, source, name);
        }
        if let Some(turn) = index.silent(&self.entries, now) {
            return self.replace(family, turn, source, name);
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
        self.entries.push(Entry::new(family, source, name));
        let index = &mut self.families[family as usize];
        let at = u32::try_from(place).unwrap_or(u32::MAX);
        index.order.push(at);
        index.by_key.insert(self.key.as_str().into(), at);
        place
    }

    /// Forgets a series for the one of the key.
    fn replace(&mut self, family: Family, turn: usize, source: &str, name: &str) -> usize {
        let index = &mut self.families[family as usize];
        let at = index.order[turn];
        let entry = &mut self.entries[at as usize];
        let old = std::mem::replace(entry, Entry::new(family, source, name));
        let mut key = String::new();
        write_key(&mut key, &old.source, &old.name);
        index.by_key.remove(key.as_str());
        index.by_key.insert(self.key.as_str().into(), at);
        index.forgotten += old.totals.events;
        old.series.give_back(&mut self.budget);
        self.read.forgotten += 1;
        at as usize
    }
}

/// One event on its way into the state.
struct Of<'a> {
    state: &'a mut State,
    row: &'a Row,
    /// When it came.
    now: i64,
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
                self.on_behalf(Family::AgentTool, duration);
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
        let place = self.state.entry(family, source, name, self.now);
        let entry = &mut self.state.entries[place];
        entry.heard = self.now;
        entry.totals.events += 1;
        entry.totals.failed += u64::from(failed);
        entry.totals.unknown += u64::from(self.row.is_open());
        let budget = &mut self.state.budget;
        let Some(value) = value.filter(|value| value.is_finite()) else {
            let at = self.at.filter(|_| family.counts_bare());
            let within = at.is_some_and(|at| entry.series.add_bare(at, failed, budget));
            return (place, within);
        };
        entry.totals.add(value, times);
        let at = self.at;
        let within = at.is_some_and(|at| entry.series.add(at, value, times, failed, budget));
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
        let cost = row.cost_usd.filter(|cost| *cost >= 0.0);
        let (place, _) = self.add(Family::Model, &row.source, &row.name, duration, 1);
        self.state.entries[place].totals.spend(row.tokens, cost);
        self.failure(Some(place));
        if let Some(place) = self.on_behalf(Family::AgentModel, duration) {
            self.state.entries[place].totals.spend(row.tokens, cost);
            if cost.is_some() {
                self.add(Family::AgentCost, "", &row.agent, cost, 1);
            }
        }
        let tokens = row.tokens.input.saturating_add(row.tokens.output);
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

    /// A call by the agent that it names; `None`: it names none.
    fn on_behalf(&mut self, family: Family, duration: Option<f64>) -> Option<usize> {
        let row = self.row;
        if row.agent.is_empty() {
            return None;
        }
        let (place, _) = self.add(family, "", &row.agent, duration, 1);
        self.failure_of(place);
        Some(place)
    }

    /// Counts a failure by its type, for its series and altogether.
    fn failure(&mut self, place: Option<usize>) {
        let row = self.row;
        if row.event_type != "error" && !row.failed() {
            return;
        }
        if let Some(place) = place {
            self.failure_of(place);
        }
        let error = match row.error.as_str() {
            "" => "unknown",
            error => error,
        };
        self.add(Family::Error, "", error, Some(1.0), 1);
    }

    /// Counts a failure by its type, where it has one, for one series.
    fn failure_of(&mut self, place: usize) {
        let row = self.row;
        if row.failed() && !row.error.is_empty() {
            let totals = &mut self.state.entries[place].totals;
            totals.add_error(&row.error, |error| clipped(error).into());
        }
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

pub(super) fn clipped(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_NAME)]
}

#[cfg(test)]
mod tests {
    use tachograph_model::{Column, Event};

    use super::*;

    const NOW: i64 = 1_763_640_000_000_000_000;
    const HOUR: i64 = 3_600_000_000_000;

    fn tool(at: i64, ms: f64) -> Vec<u8> {
        Event::new(UnixNanos(at), "tool_call")
            .with(Column::Name, "t")
            .with(Column::DurationMs, ms)
            .to_line()
    }

    fn latencies(state: &State) -> Vec<f64> {
        let place = state.find(Family::Tool, "", "t").expect("it was called");
        state.entries[place].series.points.values().collect()
    }

    #[test]
    fn alerts_are_remembered_unless_somebody_sends_what_no_rule_can_say() {
        let mut state = State::new(64);
        let alert = |name: &str, words: usize| {
            let alert = Event::new(UnixNanos(NOW), "alert").with(Column::Name, name);
            let mut tags = serde_json::Map::new();
            tags.insert("condition".to_owned(), "x".repeat(words).into());
            alert.with(Column::Tags, tags).to_line()
        };
        state.take(&alert("ours", 8 << 10), UnixNanos(NOW));
        state.take(&alert("huge", 1 << 20), UnixNanos(NOW));
        let held = state.alerts.iter().map(|it| it.str(Column::Name));
        assert_eq!(held.collect::<Vec<_>>(), [Some("ours")]);
    }

    #[test]
    fn histories_of_metrics_leave_room_for_the_latencies_of_tools() {
        let mut state = State::within(64, 1 << 20, 400);
        for at in 0..1000 {
            let metric = Event::new(UnixNanos(NOW + at), "metric")
                .with(Column::Name, format!("m{}", at % 3))
                .with(Column::Value, at as f64);
            state.take(&metric.to_line(), UnixNanos(NOW + at));
        }
        for ms in 0..100 {
            state.take(&tool(NOW + ms, ms as f64), UnixNanos(NOW + 1000));
        }
        assert_eq!(latencies(&state).len(), 100);
        let metrics = state.of(Family::Metric).iter();
        let points = metrics.map(|at| state.entries[*at as usize].series.points.values().count());
        let points: usize = points.sum();
        assert!((100..=200).contains(&points), "{points}");
    }

    #[test]
    fn the_last_latencies_are_the_last_to_come_however_late() {
        let mut state = State::new(64);
        for (at, ms) in [(NOW, 5.0), (NOW - 30 * HOUR, 7.0), (NOW - 1, 9.0)] {
            state.take(&tool(at, ms), UnixNanos(NOW));
        }
        assert_eq!(latencies(&state), [5.0, 7.0, 9.0]);
        let hour = Duration::from_secs(3600);
        let reading = state.reading(Family::Tool, "", "t", hour, UnixNanos(NOW));
        let reading = reading.expect("it was called");
        assert_eq!(reading.window.expect("within the hour").count, 2);
        assert_eq!(reading.totals.events, 3);
    }
}
