//! Sessions, one by one: what a list of them needs to know of the events of a
//! segment or of a piece of the log. Derived from the events, like rollups.
//!
//! ```text
//! RecordBatch ──► Folder ──finish──► Sessions ──► rollups/session/day=…/<segment>.parquet
//!                    ▲                  │
//!                    └── rows of another┘
//! ```

mod file;
mod fold;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::Arc;

use foldhash::fast::FixedState;
use tachograph_model::{UnixNanos, Window};

pub(crate) use file::{NAME, read, write_if_worth};
pub(crate) use fold::{Folder, columns};

/// So many agents of a session are told apart.
pub(crate) const MOST_AGENTS: usize = 64;

/// Whose a session's events are, as far as they name an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum By<A> {
    /// None is named.
    #[default]
    Nobody,
    /// All that name one name this one.
    One(A),
    /// They name these, two at least, in order.
    Several(Box<[A]>),
    /// They name more than are told apart, or it was not kept which.
    Many,
}

impl<A: Ord> By<A> {
    /// These, in whatever order.
    pub(crate) fn all(mut agents: Vec<A>) -> Self {
        agents.sort_unstable();
        agents.dedup();
        match agents.len() {
            0 | 1 => agents.pop().map_or(Self::Nobody, Self::One),
            2..=MOST_AGENTS => Self::Several(agents.into()),
            _ => Self::Many,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nobody, by) | (by, Self::Nobody) => by,
            (Self::Many, _) | (_, Self::Many) => Self::Many,
            (Self::One(a), Self::One(b)) => match a == b {
                true => Self::One(a),
                false => Self::all(vec![a, b]),
            },
            // Of every event of a session that has several: most name one of
            // them.
            (Self::Several(all), Self::One(one)) | (Self::One(one), Self::Several(all)) => {
                if all.binary_search(&one).is_ok() {
                    return Self::Several(all);
                }
                let mut all = all.into_vec();
                all.push(one);
                Self::all(all)
            }
            (Self::Several(some), Self::Several(others)) => {
                if some == others {
                    return Self::Several(some);
                }
                let mut all = some.into_vec();
                all.extend(others);
                Self::all(all)
            }
        }
    }

    pub(crate) fn map<B: Ord>(self, to: impl Fn(A) -> B) -> By<B> {
        match self {
            Self::Nobody => By::Nobody,
            Self::One(agent) => By::One(to(agent)),
            // What was in order need not be afterwards.
            Self::Several(agents) => By::all(agents.into_iter().map(to).collect()),
            Self::Many => By::Many,
        }
    }

    /// Whether events name this agent; `None` where that is not known.
    pub(crate) fn names(&self, agent: &A) -> Option<bool> {
        match self {
            Self::Nobody => Some(false),
            Self::One(one) => Some(one == agent),
            Self::Several(agents) => Some(agents.binary_search(agent).is_ok()),
            Self::Many => None,
        }
    }
}

/// Longer than this nothing takes.
const LONGEST_MS: f64 = 1e12;

/// When an event began that is recorded at its end: as long before as it took.
/// A duration that is negative, absurd or no number tells nothing: it began when
/// it was recorded.
pub fn began(at: UnixNanos, duration_ms: Option<f64>) -> UnixNanos {
    let took = duration_ms.filter(|ms| (0.0..=LONGEST_MS).contains(ms));
    let took = took.map_or(0, |ms| (ms * 1e6).round() as i64);
    UnixNanos(at.0.saturating_sub(took))
}

/// What is known of a session's events. Merging is exact and in any order: cost
/// is counted in whole [`COST_UNIT`]s.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figures<A> {
    pub(crate) by: By<A>,
    /// When it began: when the first of its events did. Which window an event
    /// lies in is said by its time, and not by this.
    pub(crate) began: i64,
    /// Time of its earliest event, which is that event's end.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) events: u64,
    pub(crate) tool_calls: u64,
    pub(crate) llm_calls: u64,
    pub(crate) failed: u64,
    pub(crate) tokens: Option<i64>,
    pub(crate) cost: Option<i128>,
}

/// So many parts of a dollar are told apart: a double knows no more of what a
/// token costs.
pub(crate) const COST_UNIT: f64 = 1e15;

impl<A> Default for Figures<A> {
    fn default() -> Self {
        Self {
            by: By::Nobody,
            began: i64::MAX,
            first: i64::MAX,
            last: i64::MIN,
            events: 0,
            tool_calls: 0,
            llm_calls: 0,
            failed: 0,
            tokens: None,
            cost: None,
        }
    }
}

impl<A: Ord> Figures<A> {
    pub(crate) fn merge(&mut self, other: Self) {
        self.by = std::mem::take(&mut self.by).and(other.by);
        self.began = self.began.min(other.began);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.events += other.events;
        self.tool_calls += other.tool_calls;
        self.llm_calls += other.llm_calls;
        self.failed += other.failed;
        self.tokens = both(self.tokens, other.tokens, i64::saturating_add);
        self.cost = both(self.cost, other.cost, i128::saturating_add);
    }
}

impl<A> Figures<A> {
    /// The same with the agent told otherwise.
    pub(crate) fn told_by<B>(&self, by: By<B>) -> Figures<B> {
        Figures {
            by,
            began: self.began,
            first: self.first,
            last: self.last,
            events: self.events,
            tool_calls: self.tool_calls,
            llm_calls: self.llm_calls,
            failed: self.failed,
            tokens: self.tokens,
            cost: self.cost,
        }
    }

    pub(crate) fn lies_in(&self, window: Window) -> bool {
        window.contains(UnixNanos(self.first)) && window.contains(UnixNanos(self.last))
    }

    pub(crate) fn overlaps(&self, window: Window) -> bool {
        self.first < window.to.0 && window.from.0 <= self.last
    }
}

fn both<T>(a: Option<T>, b: Option<T>, sum: impl FnOnce(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(sum(a, b)),
        (one, None) | (None, one) => one,
    }
}

/// The sessions of a stretch of events.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// All ids, one after the other.
    ids: String,
    rows: Vec<Row>,
    /// Agents, as rows name them by their place.
    agents: Vec<Arc<str>>,
    /// Places of `rows`, in the order of their hashes.
    order: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Row {
    hash: u64,
    /// Where its id begins and ends in [`Sessions::ids`].
    id: (u32, u32),
    figures: Figures<u32>,
}

impl Sessions {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn id(&self, row: usize) -> &str {
        let (from, to) = self.rows[row].id;
        self.ids.get(from as usize..to as usize).unwrap_or_default()
    }

    pub(crate) fn hash(&self, row: usize) -> u64 {
        self.rows[row].hash
    }

    /// The agent is told by its place among [`Self::agents`].
    pub(crate) fn figures(&self, row: usize) -> &Figures<u32> {
        &self.rows[row].figures
    }

    /// What a row says, in its own words.
    pub(crate) fn told(&self, row: usize) -> Figures<Arc<str>> {
        let figures = self.figures(row);
        let by = figures
            .by
            .clone()
            .map(|agent| self.agents[agent as usize].clone());
        figures.told_by(by)
    }

    /// The place of an agent among [`Self::agents`].
    pub(crate) fn agent(&self, name: &str) -> Option<u32> {
        let place = self.agents.iter().position(|agent| **agent == *name);
        place.map(|place| place as u32)
    }

    /// The row of a session.
    pub(crate) fn find(&self, hash: u64, id: &str) -> Option<usize> {
        let hash_at = |place: &u32| self.rows[*place as usize].hash;
        let from = self.order.partition_point(|place| hash_at(place) < hash);
        let same = self.order[from..].iter();
        let mut same = same.take_while(|place| hash_at(place) == hash);
        let row = same.find(|place| self.id(**place as usize) == id);
        row.map(|place| *place as usize)
    }

    /// Whether all events lie in `window`.
    pub(crate) fn lies_in(&self, window: Window) -> bool {
        self.rows.iter().all(|row| row.figures.lies_in(window))
    }

    /// About how much memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let several = self.rows.iter().map(|row| match &row.figures.by {
            By::Several(agents) => size_of_val::<[u32]>(agents),
            _ => 0,
        });
        let agents = self.agents.iter().map(|agent| 64 + agent.len());
        self.ids.len()
            + self.rows.len() * (size_of::<Row>() + size_of::<u32>())
            + several.sum::<usize>()
            + agents.sum::<usize>()
    }
}

/// The hash that a session is found by.
pub(crate) fn hash_of(id: &str) -> u64 {
    FixedState::default().hash_one(id)
}

/// Places by hash; what has the same hash is told apart by whoever looks.
#[derive(Debug, Default)]
pub(crate) struct Places(HashMap<u64, u32, BuildHasherDefault<AsItIs>>);

impl Places {
    /// The place of what has this hash and is the `same`; `next` where it is
    /// new, and takes that.
    pub(crate) fn of(&mut self, hash: u64, next: u32, same: impl Fn(u32) -> bool) -> u32 {
        let mut hash = hash;
        loop {
            let place = *self.0.entry(hash).or_insert(next);
            if place == next || same(place) {
                return place;
            }
            // Taken by another; the next is free, or it is there.
            hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
        }
    }
}

/// What is a hash already.
#[derive(Debug, Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_began_as_long_before_as_it_took_if_that_can_be() {
        const SECOND: i64 = 1_000_000_000;
        for (at, duration_ms, wanted) in [
            (9 * SECOND, None, 9 * SECOND),
            (9 * SECOND, Some(0.0), 9 * SECOND),
            (9 * SECOND, Some(1_500.0), 7_500_000_000),
            (9 * SECOND, Some(0.000_000_6), 9 * SECOND - 1),
            // Longer than there has been time since the epoch.
            (9 * SECOND, Some(10_000.0), -SECOND),
            (0, Some(LONGEST_MS), -1_000_000_000 * SECOND),
            (i64::MIN + 1, Some(LONGEST_MS), i64::MIN),
            (9 * SECOND, Some(LONGEST_MS * 1.001), 9 * SECOND),
            (9 * SECOND, Some(-1.0), 9 * SECOND),
            (9 * SECOND, Some(f64::MAX), 9 * SECOND),
            (9 * SECOND, Some(f64::INFINITY), 9 * SECOND),
            (9 * SECOND, Some(f64::NEG_INFINITY), 9 * SECOND),
            (9 * SECOND, Some(f64::NAN), 9 * SECOND),
        ] {
            let found = began(UnixNanos(at), duration_ms);
            assert_eq!(found.0, wanted, "{at} {duration_ms:?}");
        }
    }
}
