//! The calls that were told of lately, by an id that a provider or an agent gave
//! them.

use std::collections::VecDeque;

use crate::normal::candidate::{Keys, Side};
use crate::normal::mix::MixMap;

/// How long an id is one call's, and how long an agent's way of telling lasts
/// after the last record of it, seconds.
pub(super) const CALL_SECONDS: u64 = 600;
/// Calls that are remembered at the most, about 70 bytes each.
const MAX_CALLS: usize = 1 << 18;

#[derive(Debug, Default)]
pub(super) struct Calls {
    held: MixMap<u64, Told>,
    /// When which was told of, oldest first.
    order: VecDeque<(u64, u64)>,
}

/// Who told of a call.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// In the seconds of the caller's clock.
    at: u64,
    provider: Option<u64>,
    side: Option<Side>,
    instance: u64,
    place: u64,
    lasted: (i64, i64),
}

impl Calls {
    /// Whether a record of this id is of a call that was told of.
    ///
    /// An id alone does not say so: Ollama's run from 0 to 999, others begin anew
    /// with each process. Records of one call are of one time, or, where a clock
    /// is off, of two instrumentations of one process; and never of two providers.
    pub(super) fn know(&self, id: Option<u64>, keys: &Keys) -> bool {
        let Some(held) = id.and_then(|id| self.held.get(&id)) else {
            return false;
        };
        if held.provider.is_some() && keys.provider.is_some() && held.provider != keys.provider {
            return false;
        }
        if held.side.is_some() && held.side == keys.side {
            return false;
        }
        let beside = held.instance == keys.instance && held.place != keys.place;
        let (began, ended) = keys.lasted;
        beside || (began <= held.lasted.1 && held.lasted.0 <= ended)
    }

    /// Remembers a record of this id; `first`: of a call not told of before.
    /// Returns what was remembered anew.
    pub(super) fn remember(
        &mut self,
        id: Option<u64>,
        keys: &Keys,
        first: bool,
        now: u64,
    ) -> Option<u64> {
        let hash = id?;
        if !first && self.held.contains_key(&hash) {
            return None;
        }
        let told = Told {
            at: now,
            provider: keys.provider,
            side: keys.side,
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
