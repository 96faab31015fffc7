//! A least-recently-used map from text to values.
//!
//! A hash map to slots, and the slots in a doubly linked list by use, newest
//! first; every operation is O(1) and a full cache allocates no more than the
//! key it takes in.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use serde::Serialize;

/// End of the list.
const NONE: usize = usize::MAX;

/// Counters of a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheStats {
    /// Look-ups that found their key.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Values dropped to make room. Survives [`Lru::clear`].
    pub evictions: u64,
    /// Values put, new or replaced.
    pub puts: u64,
    /// Values held now.
    pub size: usize,
}

/// The cache. Not shared by itself: put it behind a lock.
///
/// ```
/// use std::num::NonZeroUsize;
/// use tachograph_agents::Lru;
///
/// let mut cache = Lru::new(NonZeroUsize::MIN);
/// cache.put("a", 1);
/// cache.put("b", 2);
/// assert_eq!(cache.get("a"), None);
/// assert_eq!(cache.get("b"), Some(&2));
/// assert_eq!(cache.stats().evictions, 1);
/// ```
#[derive(Debug)]
pub struct Lru<V> {
    capacity: NonZeroUsize,
    slots: Vec<Slot<V>>,
    by_key: HashMap<Arc<str>, usize>,
    newest: usize,
    oldest: usize,
    stats: CacheStats,
}

#[derive(Debug)]
struct Slot<V> {
    key: Arc<str>,
    value: V,
    newer: usize,
    older: usize,
}

impl<V> Lru<V> {
    /// An empty cache for at most `capacity` values.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            slots: Vec::new(),
            by_key: HashMap::new(),
            newest: NONE,
            oldest: NONE,
            stats: CacheStats::default(),
        }
    }

    /// The value of `key`, which is now the newest. Counts a hit or a miss.
    pub fn get(&mut self, key: &str) -> Option<&V> {
        let Some(&slot) = self.by_key.get(key) else {
            self.stats.misses += 1;
            return None;
        };
        self.stats.hits += 1;
        self.refresh(slot);
        Some(&self.slots[slot].value)
    }

    /// Puts or replaces; either way `key` is now the newest. Evicts the oldest
    /// from a full cache.
    pub fn put(&mut self, key: &str, value: V) {
        self.stats.puts += 1;
        if let Some(&slot) = self.by_key.get(key) {
            self.slots[slot].value = value;
            self.refresh(slot);
            return;
        }
        let key: Arc<str> = Arc::from(key);
        let slot = if self.slots.len() < self.capacity.get() {
            self.slots.push(Slot {
                key: Arc::clone(&key),
                value,
                newer: NONE,
                older: NONE,
            });
            self.slots.len() - 1
        } else {
            self.stats.evictions += 1;
            let slot = self.oldest;
            self.unlink(slot);
            self.by_key.remove(&self.slots[slot].key);
            self.slots[slot].key = Arc::clone(&key);
            self.slots[slot].value = value;
            slot
        };
        self.by_key.insert(key, slot);
        self.link_newest(slot);
    }

    /// Drops all values and zeroes the counters, all but the evictions.
    pub fn clear(&mut self) {
        *self = Self {
            stats: CacheStats {
                evictions: self.stats.evictions,
                ..CacheStats::default()
            },
            ..Self::new(self.capacity)
        };
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            size: self.slots.len(),
            ..self.stats
        }
    }

    fn refresh(&mut self, slot: usize) {
        if self.newest != slot {
            self.unlink(slot);
            self.link_newest(slot);
        }
    }

    fn unlink(&mut self, slot: usize) {
        let Slot { newer, older, .. } = self.slots[slot];
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older].newer = newer,
        }
    }

    fn link_newest(&mut self, slot: usize) {
        self.slots[slot].newer = NONE;
        self.slots[slot].older = self.newest;
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.slots[newest].newer = slot,
        }
        self.newest = slot;
    }
}
