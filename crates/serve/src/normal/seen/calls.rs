//! The calls that were told of lately, by an id that a provider or an agent gave
//! them.

use std::collections::{HashMap, VecDeque};

use crate::normal::candidate::{CallId, Keys};

/// How long an id is one call's, and how long an agent's way of telling lasts
/// after the last record of it, seconds.
pub(super) const CALL_SECONDS: u64 = 600;
/// Calls that are remembered at the most, about 70 bytes each.
const MAX_CALLS: usize = 1 << 18;

#[derive(Debug, Default)]
pub(super) struct Calls {
    held: HashMap<u64, Told>,
    /// When which was told of, oldest first.
    order: VecDeque<(u64, u64)>,
}

/// Who told of a call.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// In the seconds of the caller's clock.
    at: u64,
    instance: u64,
    place: u64,
    lasted: (i64, i64),
}

impl Calls {
    /// Whether a record of this id is of a call that was told of.
    pub(super) fn know(&self, id: Option<CallId>, keys: &Keys) -> bool {
        let Some(id) = id else { return false };
        let Some(held) = self.held.get(&id.hash) else {
            return false;
        };
        // One instrumentation tells of a call once: a short id that comes from it
        // again is of another call, if that is not of the same time.
        let beside = held.instance == keys.instance && held.place != keys.place;
        let (began, ended) = keys.lasted;
        let overlaps = began <= held.lasted.1 && held.lasted.0 <= ended;
        !id.weak || beside || overlaps
    }

    /// Remembers a record of this id; `first`: of a call not told of before.
    /// Returns what was remembered anew.
    pub(super) fn remember(
        &mut self,
        id: Option<CallId>,
        keys: &Keys,
        first: bool,
        now: u64,
    ) -> Option<u64> {
        let hash = id?.hash;
        if !first && self.held.contains_key(&hash) {
            return None;
        }
        let told = Told {
            at: now,
            instance: keys.instance,
            place: keys.place,
            lasted: keys.lasted,
        };
        self.held.insert(hash, told);
        self.order.push_back((now, hash));
        Some(hash)
    }

    pub(super) fn remove(&mut self, hash: u64) {
        self.held.remove(&hash);
    }

    /// Forgets what is too old, or too much.
    pub(super) fn expire(&mut self, now: u64) {
        while let Some((at, hash)) = self.order.front().copied()
            && (now.saturating_sub(at) > CALL_SECONDS || self.order.len() > MAX_CALLS)
        {
            self.order.pop_front();
            // It may have been forgotten, and have come again since.
            if self.held.get(&hash).is_some_and(|told| told.at == at) {
                self.held.remove(&hash);
            }
        }
    }
}
