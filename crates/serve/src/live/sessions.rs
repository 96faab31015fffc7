//! Which sessions are active: those that something was heard of within
//! [`ACTIVE_SECONDS`], and that have not ended.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// So long a silent session counts as active.
pub const ACTIVE_SECONDS: i64 = 900;
/// Sessions that are kept apart, at most.
const MAX_SESSIONS: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Sessions {
    hasher: RandomState,
    /// By the hash of the session's id: when it was last heard of.
    seen: HashMap<u64, Heard>,
    /// How often a session was not kept apart.
    pub(super) overflow: u64,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    at: i64,
    ended: bool,
}

impl Sessions {
    /// Takes note of an event of a session. One that speaks after its end has
    /// begun again.
    pub(super) fn saw(&mut self, id: &str, at: i64, ended: bool) {
        let id = self.hasher.hash_one(id);
        if let Some(heard) = self.seen.get_mut(&id) {
            if at >= heard.at {
                *heard = Heard { at, ended };
            }
            return;
        }
        // A look at all of them now and then, not for each of a flood.
        if self.seen.len() >= MAX_SESSIONS && self.overflow.is_multiple_of(4096) {
            self.seen.retain(|_, heard| is_active(*heard, at));
        }
        if self.seen.len() >= MAX_SESSIONS {
            self.overflow += 1;
            return;
        }
        self.seen.insert(id, Heard { at, ended });
    }

    pub(super) fn active(&self, now: i64) -> u64 {
        self.seen
            .values()
            .filter(|heard| is_active(**heard, now))
            .count() as u64
    }
}

fn is_active(heard: Heard, now: i64) -> bool {
    !heard.ended && now.saturating_sub(heard.at) <= ACTIVE_SECONDS * 1_000_000_000
}
