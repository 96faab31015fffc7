//! Caches: look-ups and what they throw out.

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::Column;

use crate::core::NameId;
use crate::layout::{Words, field, kind};
use crate::recorder::{Inner, Recorder};

const CACHE: u32 = field(kind::CACHE, Column::Name);
const WHAT: u32 = field(kind::CACHE, Column::Status);
const HIT: u32 = field(kind::CACHE, Column::Hit);
const DURATION: u32 = field(kind::CACHE, Column::DurationMs);
const SIZE: u32 = field(kind::CACHE, Column::SizeBytes);
const SOURCE: u32 = field(kind::CACHE, Column::Source);

/// A cache, resolved once; each call costs at most 60 ns.
///
/// ```
/// let recorder = tachograph::Recorder::builder().build();
/// let pages = recorder.cache("pages");
/// pages.hit();
/// pages.miss();
/// pages.eviction();
/// assert_eq!(recorder.cache_metrics("pages")["hit_rate"], 50.0);
/// ```
#[derive(Clone)]
pub struct Cache {
    inner: Option<Arc<Inner>>,
    name: NameId,
    source: Option<NameId>,
}

/// What happened to a cache.
#[derive(Clone, Copy)]
enum What {
    Hit,
    Miss,
    Eviction,
    SizeRejection,
}

impl Recorder {
    /// Resolves a cache. Cost: a look-up under a lock; once per cache.
    pub fn cache(&self, name: &str) -> Cache {
        let inner = self.for_tools().cloned();
        Cache {
            name: inner.as_ref().map_or(NameId::OTHER, |i| i.core.name(name)),
            inner,
            source: None,
        }
    }

    /// Records a look-up that was answered. Cost: about 70 ns.
    pub fn record_cache_hit(&self, cache: &str) {
        self.record_cache(cache, What::Hit);
    }

    /// Records a look-up that was not answered. Cost: about 70 ns.
    pub fn record_cache_miss(&self, cache: &str) {
        self.record_cache(cache, What::Miss);
    }

    /// Records that an entry was thrown out. Cost: about 70 ns.
    pub fn record_cache_eviction(&self, cache: &str) {
        self.record_cache(cache, What::Eviction);
    }

    /// Records that an entry was too large to be taken. Cost: about 70 ns.
    pub fn record_cache_size_rejection(&self, cache: &str) {
        self.record_cache(cache, What::SizeRejection);
    }

    fn record_cache(&self, cache: &str, what: What) {
        if let Some(inner) = self.for_tools() {
            put(inner, inner.name(cache), None, what, None, None);
        }
    }
}

impl Cache {
    /// The same, of a provider or layer: `anthropic`, `disk`.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        if let Some(inner) = &self.inner {
            self.source = Some(inner.core.name(source));
        }
        self
    }

    /// Records a look-up that was answered.
    #[inline]
    pub fn hit(&self) {
        self.put(What::Hit, None, None);
    }

    /// Records a look-up that was answered, and how long it took.
    #[inline]
    pub fn hit_in(&self, duration: Duration) {
        self.put(What::Hit, Some(duration), None);
    }

    /// Records a look-up that was not answered.
    #[inline]
    pub fn miss(&self) {
        self.put(What::Miss, None, None);
    }

    /// Records a look-up that was not answered, and how long it took, fetching
    /// the entry from elsewhere included.
    #[inline]
    pub fn miss_in(&self, duration: Duration) {
        self.put(What::Miss, Some(duration), None);
    }

    /// Records that an entry was thrown out.
    #[inline]
    pub fn eviction(&self) {
        self.put(What::Eviction, None, None);
    }

    /// Records that an entry of this many bytes was thrown out.
    #[inline]
    pub fn eviction_of(&self, size_bytes: u64) {
        self.put(What::Eviction, None, Some(size_bytes));
    }

    /// Records that an entry was too large to be taken.
    #[inline]
    pub fn size_rejection(&self) {
        self.put(What::SizeRejection, None, None);
    }

    /// Records that an entry of this many bytes was too large to be taken.
    #[inline]
    pub fn size_rejection_of(&self, size_bytes: u64) {
        self.put(What::SizeRejection, None, Some(size_bytes));
    }

    #[inline]
    fn put(&self, what: What, duration: Option<Duration>, size_bytes: Option<u64>) {
        if let Some(inner) = &self.inner {
            put(inner, self.name, self.source, what, duration, size_bytes);
        }
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.inner.as_ref().map(|i| i.core.name_text(self.name));
        f.debug_tuple("Cache").field(&name).finish()
    }
}

#[inline]
fn put(
    inner: &Inner,
    cache: NameId,
    source: Option<NameId>,
    what: What,
    duration: Option<Duration>,
    size_bytes: Option<u64>,
) {
    let known = &inner.cache_words;
    let (name, hit) = match what {
        What::Hit => (known.hit, Some(1)),
        What::Miss => (known.miss, Some(0)),
        What::Eviction => (known.eviction, None),
        What::SizeRejection => (known.size_rejection, None),
    };
    let mut words = Words::<6>::of(kind::CACHE);
    words.name(CACHE, cache);
    words.name(WHAT, name);
    if let Some(hit) = hit {
        words.put(HIT, hit);
    }
    if let Some(duration) = duration {
        words.duration(DURATION, duration);
    }
    if let Some(size) = size_bytes {
        words.count(SIZE, size);
    }
    words.maybe_name(SOURCE, source);
    words.push(&inner.core);
}
