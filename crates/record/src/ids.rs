//! Identifiers of queries, spans and sessions: 64 bits, shown as 16 hex digits.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tachograph_model::Salt;

/// A new identifier, never 0. Cost: a few nanoseconds.
///
/// Processes start from random numbers of the operating system; `now` keeps a
/// forked child, which shares its parent's, from repeating its identifiers.
pub(crate) fn next(now: i64) -> u64 {
    static BASE: OnceLock<u64> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let base = *BASE.get_or_init(random);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    mix(base ^ mix(now as u64).wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15))).max(1)
}

/// A part of 0..1 that `id` falls on by chance, independent of other uses.
pub(crate) fn chance(id: u64) -> f64 {
    (mix(id) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A salt that dies with the process, for when there is no home to keep one.
pub(crate) fn salt_of_process() -> Salt {
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random().to_le_bytes()[..chunk.len()]);
    }
    Salt::new(bytes)
}

/// The standard library keys its hash maps from the operating system's
/// generator; each `RandomState` has a key of its own.
fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// SplitMix64's finaliser (Steele, Lea & Flood 2014): one to one, so distinct
/// inputs stay distinct.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_differ_also_at_the_same_instant() {
        let ids: HashSet<u64> = (0..100_000).map(|_| next(7)).collect();
        assert_eq!(ids.len(), 100_000);
        assert!(!ids.contains(&0));
    }

    #[test]
    fn chance_is_even() {
        let below = (0..100_000).filter(|_| chance(next(7)) < 0.25).count();
        assert!((24_000..26_000).contains(&below), "{below}");
    }
}
