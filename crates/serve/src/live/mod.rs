//! What is going on right now: state over sliding windows, fed by following the
//! log, so that whatever any process on the machine records shows up.
//!
//! ```text
//! events.jsonl ── Follower ─► Row ─► State: series by family, source and name
//!                 (feed)              each: slots of an hour, newest points, totals ─► Reading
//! ```
//!
//! # Invariants
//! - An event costs the same however much there is: a few look-ups and sums.
//! - An event goes to the slot of its own time if that lies within the last
//!   hour. Up to an hour ahead it counts as now; what is older or farther ahead
//!   is in the totals only, and counted ([`Overview::out_of_reach`]).
//! - Memory is bounded: `Limits::live_series` series, each family with a share
//!   of its own, so that a flood of one leaves room for the others (what is over
//!   it takes the place of a series that was silent for an hour; where there is
//!   none it shares [`OTHER`]; both are counted); names of at most 256 bytes;
//!   sketches and points within a budget of 80 MiB, over which they grow coarser
//!   and shorter; metrics take no more than half of the points. A series without values takes under 2 KB.
//! - What was in the log before (back to an hour, or its newest 64 MiB), and
//!   what was sealed of the last hour, is read in after the start;
//!   [`Reading::since_start`] leaves it out. Of more than the answerer hands on
//!   the newest part is, of all series alike, and [`Live::take_left_out`] tells
//!   where it begins.

mod bars;
mod family;
mod feed;
mod look;
mod points;
mod row;
mod series;
mod sessions;
mod slot;
mod state;
mod totals;
mod windows;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tachograph_log::Home;
use tachograph_model::{Answerer, Event, Sink, SinkError, UnixNanos};
use tokio::sync::watch;

use crate::config::Limits;
pub use family::{Family, HISTORY};
use feed::Feed;
pub use series::{Counts, EXACT, REACH, Stats};
pub use sessions::ACTIVE_SECONDS;
pub use state::{Read, State};
pub use totals::{BOUNDS_MS, Lookups, OTHER, Tokens, Totals};
pub use windows::{Pace, Windowed};

/// Series that are read under one hold of the lock: the feed never waits
/// longer than for these.
const AT_ONCE: usize = 32;

/// Live state, and the thread that feeds it.
#[derive(Debug)]
pub struct Live {
    state: Arc<Mutex<State>>,
    feed: Feed,
}

/// What a series says now.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub family: Family,
    /// See [`Family`]; empty where the family has none.
    pub source: Arc<str>,
    pub name: Arc<str>,
    /// Type of a metric: `counter`, `gauge`, `histogram`, `summary`, `rate`, or
    /// what its source calls it.
    pub kind: Option<Arc<str>>,
    /// Unit of a metric.
    pub unit: Option<Arc<str>>,
    /// How often something happened in the window, with a value or without;
    /// `None`: not once.
    pub happened: Option<Counts>,
    /// What the values were; `None`: there were none.
    pub window: Option<Stats>,
    /// When the latest event was, with a value or without.
    pub heard: Option<UnixNanos>,
    /// The value latest by time, whenever that was.
    pub latest: Option<(UnixNanos, f64)>,
    /// Everything since the start, with what was in the log before.
    pub totals: Totals,
    /// The part of it that came after the start: what a counter may show, whose
    /// reader takes a start for a zero.
    pub since_start: Totals,
}

/// State of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Events read, those in the log before the start among them.
    pub events: u64,
    /// Events read since the start.
    pub events_since_start: u64,
    /// Lines that hold no event.
    pub unreadable: u64,
    /// Events more than an hour old or ahead: in the totals only.
    pub out_of_reach: u64,
    /// Times that something counted under [`OTHER`], because there are too many
    /// series of its family.
    pub overflow: u64,
    /// Series that were silent for an hour and left their place to others.
    pub forgotten: u64,
    /// Series that are kept apart.
    pub series: usize,
    /// Bytes that sketches and points take.
    pub bytes: usize,
    /// Sessions that something was heard of within [`ACTIVE_SECONDS`], and that
    /// have not ended.
    pub active_sessions: u64,
    /// Whether what was in the log before has been read.
    pub settled: bool,
    /// Since when the log's end has not been reached.
    pub lag: Duration,
    /// Looks at the log that failed.
    pub failures: u64,
}

impl Live {
    /// Starts to follow a home's log, on a thread of its own.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(home: &Home, limits: &Limits) -> std::io::Result<Arc<Self>> {
        Self::start_with(home, limits, None)
    }

    /// The same, after what was sealed of the last hour and lies in no log any
    /// more, as the answerer tells it.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_after(
        home: &Home,
        limits: &Limits,
        answerer: Arc<dyn Answerer>,
    ) -> std::io::Result<Arc<Self>> {
        Self::start_with(home, limits, Some(answerer))
    }

    fn start_with(
        home: &Home,
        limits: &Limits,
        answerer: Option<Arc<dyn Answerer>>,
    ) -> std::io::Result<Arc<Self>> {
        let state = Arc::new(Mutex::new(State::new(limits.live_series)));
        let feed = Feed::start(home, &state, answerer)?;
        Ok(Arc::new(Self { state, feed }))
    }

    /// Ends the thread.
    pub fn stop(&self) {
        self.feed.stop();
    }

    /// The same sink, which has the log looked at as soon as it has written.
    pub fn waking(self: &Arc<Self>, sink: Arc<dyn Sink>) -> Arc<dyn Sink> {
        Arc::new(Waking {
            sink,
            live: Arc::clone(self),
        })
    }

    /// Has the log looked at now rather than in a moment: for whoever has just
    /// written to it.
    pub fn wake(&self) {
        self.feed.wake();
    }

    /// A number that changes when something has been read; for pushing deltas.
    /// It changes up to 50 times a second.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.feed.changes()
    }

    /// The series of a family, in the order in which they first came; those of
    /// one `source` alone when it is given. The window is the last `length`,
    /// any up to [`REACH`].
    ///
    /// Costs about 1 µs a series, and up to 100 µs for one that is busy all
    /// through a long window. The feed waits for 32 of them at most.
    pub fn readings(&self, family: Family, source: Option<&str>, length: Duration) -> Vec<Reading> {
        let now = UnixNanos::now();
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let state = self.state();
            let places = state.of(family);
            let to = places.len().min(from + AT_ONCE);
            for &place in &places[from..to] {
                let reading = state.reading_at(family, place as usize, length, now);
                found.extend(reading.filter(|it| source.is_none_or(|s| *it.source == *s)));
            }
            if to == places.len() {
                return found;
            }
            from = to;
        }
    }

    /// The sources of metrics, in the order in which they first came.
    pub fn sources(&self) -> Vec<Arc<str>> {
        let state = self.state();
        let places = state.of(Family::Metric).iter();
        let sources = places.map(|&place| &state.entries[place as usize].source);
        let mut seen = HashSet::new();
        sources
            .filter(|source| seen.insert(*source))
            .cloned()
            .collect()
    }

    /// One series.
    pub fn reading(
        &self,
        family: Family,
        source: &str,
        name: &str,
        length: Duration,
    ) -> Option<Reading> {
        self.state()
            .reading(family, source, name, length, UnixNanos::now())
    }

    /// The points of a metric of the last `length`, in order of time: at most
    /// the newest [`HISTORY`]. `None`: there is no such metric.
    pub fn history(
        &self,
        source: &str,
        name: &str,
        length: Duration,
    ) -> Option<Vec<(UnixNanos, f64)>> {
        self.state().history(source, name, length, UnixNanos::now())
    }

    /// The last [`EXACT`] latencies of a tool, milliseconds, in order of
    /// arrival, into `out`.
    pub fn latencies(&self, tool: &str, out: &mut Vec<f64>) {
        out.clear();
        let state = self.state();
        if let Some(place) = state.find(Family::Tool, "", tool) {
            out.extend(state.entries[place].series.points.values());
        }
    }

    /// The newest 100 events of alerts of what was read, in order of arrival.
    pub fn alerts(&self) -> Vec<Event> {
        self.state().alerts.iter().cloned().collect()
    }

    /// How many events the series of a family had that were forgotten.
    pub fn forgotten(&self, family: Family) -> u64 {
        self.state().forgotten(family)
    }

    /// What was sealed before the start and could not be read in, or was too
    /// much: each is told once, to whoever asks first.
    pub fn take_left_out(&self) -> Vec<String> {
        self.feed.take_left_out()
    }

    /// State of the whole.
    pub fn overview(&self) -> Overview {
        let overview = self.state().overview(UnixNanos::now());
        Overview {
            lag: self.feed.lag(),
            failures: self.feed.failures(),
            ..overview
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waking {
    sink: Arc<dyn Sink>,
    live: Arc<Live>,
}

impl Sink for Waking {
    fn put(&self, events: &[Event]) -> Result<(), SinkError> {
        self.sink.put(events)?;
        self.live.wake();
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
    }
}
