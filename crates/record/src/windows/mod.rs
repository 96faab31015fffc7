//! Live windows: the last latencies of every tool and the counts of every
//! cache, kept by the drain thread from the records that pass through it.
//!
//! Recorders never see the lock in here: only the drain and whoever asks do.

mod tool;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use tachograph_model::render::all_metrics as json;
use tachograph_model::{Column, UnixNanos};

use crate::core::{Core, NameId, RecordView};
use crate::layout::{field, kind};
use tool::{ToolStats, ToolWindow};

/// Most tools, and most caches, that are kept apart; more share `_other`.
const MAX_SERIES: usize = 1024;

/// The live state of one recorder.
pub(crate) struct Windows {
    state: Mutex<State>,
    /// Samples kept for each tool.
    length: usize,
    words: CacheWords,
    active_sessions: AtomicU64,
    concurrent_requests: AtomicU64,
}

struct State {
    tools: Series<ToolWindow>,
    caches: Series<CacheCounts>,
    calls: u64,
    started: UnixNanos,
}

/// What happened to one cache.
#[derive(Clone, Copy, Default)]
struct CacheCounts {
    hits: u64,
    misses: u64,
    evictions: u64,
    size_rejections: u64,
}

/// The four names of what can happen to a cache, as this core knows them.
#[derive(Clone, Copy)]
pub(crate) struct CacheWords {
    pub(crate) hit: NameId,
    pub(crate) miss: NameId,
    pub(crate) eviction: NameId,
    pub(crate) size_rejection: NameId,
}

impl CacheWords {
    pub(crate) fn of(core: &Core) -> Self {
        Self {
            hit: core.name("hit"),
            miss: core.name("miss"),
            eviction: core.name("eviction"),
            size_rejection: core.name("size_rejection"),
        }
    }
}

impl Windows {
    /// Makes empty windows and has `core` fill them from now on.
    pub(crate) fn observing(core: &Core, length: usize) -> Arc<Self> {
        let windows = Arc::new(Self {
            state: Mutex::new(State::empty()),
            length: length.max(1),
            words: CacheWords::of(core),
            active_sessions: AtomicU64::new(0),
            concurrent_requests: AtomicU64::new(0),
        });
        let observed = Arc::clone(&windows);
        core.set_observer(Box::new(move |record| observed.observe(record)));
        windows
    }

    /// Takes note of one record; runs on the drain thread.
    fn observe(&self, record: RecordView<'_>) {
        match record.kind {
            kind::TOOL_CALL => self.observe_call(record),
            kind::CACHE => self.observe_cache(record),
            _ => {}
        }
    }

    fn observe_call(&self, record: RecordView<'_>) {
        let word = |column| word(record, field(kind::TOOL_CALL, column));
        let (Some(name), Some(nanos)) = (word(Column::Name), word(Column::DurationMs)) else {
            return;
        };
        let success = word(Column::Success) != Some(0);
        let error = match success {
            true => None,
            false => word(Column::ErrorType).map(name_of),
        };
        let mut state = self.state();
        state.calls += 1;
        state
            .tools
            .entry(name_of(name))
            .add(nanos, success, error, self.length);
    }

    fn observe_cache(&self, record: RecordView<'_>) {
        let word = |column| word(record, field(kind::CACHE, column));
        let (Some(name), Some(what)) = (word(Column::Name), word(Column::Status)) else {
            return;
        };
        let mut state = self.state();
        let counts = state.caches.entry(name_of(name));
        let what = name_of(what);
        if what == self.words.hit {
            counts.hits += 1;
        } else if what == self.words.miss {
            counts.misses += 1;
        } else if what == self.words.eviction {
            counts.evictions += 1;
        } else if what == self.words.size_rejection {
            counts.size_rejections += 1;
        }
    }

    pub(crate) fn set_active_sessions(&self, sessions: u64) {
        self.active_sessions.store(sessions, Ordering::Relaxed);
    }

    pub(crate) fn set_concurrent_requests(&self, requests: u64) {
        self.concurrent_requests.store(requests, Ordering::Relaxed);
    }

    /// Everything, in the third seed's form.
    ///
    /// Goes from tool to tool, so that the drain never waits longer than it
    /// takes to copy one window.
    pub(crate) fn all(&self, core: &Core) -> Value {
        let now = UnixNanos::now();
        let mut tools = Map::new();
        let mut scratch = Vec::with_capacity(self.length);
        let count = self.state().tools.len();
        for at in 0..count {
            let Some((name, stats)) = self.tool_at(at, &mut scratch) else {
                break;
            };
            let name = core.name_text(name);
            tools.insert(name.to_string(), tool_json(&name, &stats, core));
        }
        let state = self.state();
        let caches = state.caches.iter().map(|(id, counts)| {
            let name = core.name_text(id);
            (name.to_string(), cache_json(&name, counts))
        });
        let system = json::System {
            active_sessions: self.active_sessions.load(Ordering::Relaxed),
            concurrent_requests: self.concurrent_requests.load(Ordering::Relaxed),
            total_requests: state.calls,
            started: state.started,
            now,
        };
        json::all(true, tools, caches.collect(), &system)
    }

    /// One tool; an empty object when it is unknown.
    pub(crate) fn tool(&self, core: &Core, name: &str) -> Value {
        let at = {
            let state = self.state();
            state.tools.find(|id| &*core.name_text(id) == name)
        };
        at.and_then(|at| self.tool_at(at, &mut Vec::new()))
            .map_or_else(json::unknown, |(_, stats)| tool_json(name, &stats, core))
    }

    /// One cache; an empty object when it is unknown.
    pub(crate) fn cache(&self, core: &Core, name: &str) -> Value {
        let state = self.state();
        state
            .caches
            .find(|id| &*core.name_text(id) == name)
            .and_then(|at| state.caches.get(at))
            .map_or_else(json::unknown, |(_, counts)| cache_json(name, counts))
    }

    pub(crate) fn reset(&self) {
        self.set_active_sessions(0);
        self.set_concurrent_requests(0);
        *self.state() = State::empty();
    }

    /// Copies a tool's window under the lock; sorts and sums without it.
    fn tool_at(&self, at: usize, scratch: &mut Vec<u64>) -> Option<(NameId, ToolStats)> {
        let (name, totals) = {
            let state = self.state();
            let (name, window) = state.tools.get(at)?;
            scratch.clear();
            scratch.extend_from_slice(window.samples());
            (name, window.totals().clone())
        };
        Some((name, ToolStats::of(totals, scratch)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tool_json(name: &str, stats: &ToolStats, core: &Core) -> Value {
    let totals = &stats.totals;
    let errors = totals.errors.iter();
    let errors: Vec<_> = errors
        .map(|(error, count)| (core.name_text(*error), *count))
        .collect();
    let average = match totals.calls {
        0 => 0.0,
        calls => totals.nanos as f64 / 1e6 / calls as f64,
    };
    json::tool(&json::Tool {
        name,
        calls: totals.calls,
        successes: totals.successes,
        failures: totals.calls.saturating_sub(totals.successes),
        average_ms: average,
        p50_ms: stats.p50 / 1e6,
        p95_ms: stats.p95 / 1e6,
        p99_ms: stats.p99 / 1e6,
        min_ms: stats.min as f64 / 1e6,
        max_ms: stats.max as f64 / 1e6,
        errors: errors
            .iter()
            .map(|(name, count)| (&**name, *count))
            .collect(),
    })
}

fn cache_json(name: &str, counts: &CacheCounts) -> Value {
    json::cache(&json::Cache {
        name,
        hits: counts.hits,
        misses: counts.misses,
        evictions: counts.evictions,
        size_rejections: counts.size_rejections,
    })
}

/// What a recorder that keeps no windows answers.
pub(crate) fn nothing() -> Value {
    let now = UnixNanos::now();
    let system = json::System {
        active_sessions: 0,
        concurrent_requests: 0,
        total_requests: 0,
        started: now,
        now,
    };
    json::all(false, Map::new(), Map::new(), &system)
}

/// `{}`.
pub(crate) fn unknown() -> Value {
    json::unknown()
}

impl State {
    fn empty() -> Self {
        Self {
            tools: Series::default(),
            caches: Series::default(),
            calls: 0,
            started: UnixNanos::now(),
        }
    }
}

/// Entries by name, in the order in which they came, found in constant time.
struct Series<T> {
    entries: Vec<(NameId, T)>,
    /// By name: place among the entries, plus one.
    places: Vec<u32>,
}

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            places: Vec::new(),
        }
    }
}

impl<T: Default> Series<T> {
    fn entry(&mut self, name: NameId) -> &mut T {
        let place = match self.place(name) {
            Some(place) => place,
            None if self.entries.len() < MAX_SERIES => self.add(name),
            None => match self.place(NameId::OTHER) {
                Some(place) => place,
                None => self.add(NameId::OTHER),
            },
        };
        &mut self.entries[place].1
    }

    fn place(&self, name: NameId) -> Option<usize> {
        let place = *self.places.get(name.0 as usize)?;
        (place as usize).checked_sub(1)
    }

    fn add(&mut self, name: NameId) -> usize {
        let slot = name.0 as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, 0);
        }
        self.entries.push((name, T::default()));
        self.places[slot] = self.entries.len() as u32;
        self.entries.len() - 1
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    fn get(&self, at: usize) -> Option<(NameId, &T)> {
        self.entries.get(at).map(|(name, entry)| (*name, entry))
    }

    fn find(&self, wanted: impl Fn(NameId) -> bool) -> Option<usize> {
        self.entries.iter().position(|(name, _)| wanted(*name))
    }

    fn iter(&self) -> impl Iterator<Item = (NameId, &T)> {
        self.entries.iter().map(|(name, entry)| (*name, entry))
    }
}

/// The word of a field, in a kind without lists.
fn word(record: RecordView<'_>, field: u32) -> Option<u64> {
    if record.presence >> field & 1 == 0 {
        return None;
    }
    let before = (record.presence & ((1 << field) - 1)).count_ones();
    record.words.get(before as usize).copied()
}

fn name_of(word: u64) -> NameId {
    u32::try_from(word).map_or(NameId::OTHER, NameId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_limit_share_one_entry() {
        let mut series = Series::<u64>::default();
        for name in 1..=2 * MAX_SERIES as u32 {
            *series.entry(NameId(name)) += 1;
        }
        assert_eq!(series.len(), MAX_SERIES + 1);
        let other = series.find(|id| id == NameId::OTHER).expect("is there");
        assert_eq!(
            series.get(other).map(|(_, n)| *n),
            Some(MAX_SERIES as u64),
            "the later half"
        );
    }

    #[test]
    fn words_are_found_behind_missing_fields() {
        let record = RecordView {
            kind: kind::TOOL_CALL,
            presence: 0b1101,
            words: &[5, 0, 9],
        };
        assert_eq!(word(record, 0), Some(5));
        assert_eq!(word(record, 1), None);
        assert_eq!(word(record, 2), Some(0));
        assert_eq!(word(record, 3), Some(9));
        assert_eq!(word(record, 4), None);
    }
}
