//! How much memory what is held together takes: each key and text once.

use std::collections::HashSet;
use std::sync::Arc;

use super::SeriesKey;

/// What stands before the value in an [`Arc`].
const COUNTERS: usize = 2 * size_of::<usize>();

/// Counts the bytes of keys and texts that several cells hold.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    seen: HashSet<*const u8>,
    bytes: usize,
}

impl Shared {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn key(&mut self, key: &Arc<SeriesKey>) {
        if !self.seen.insert(Arc::as_ptr(key).cast()) {
            return;
        }
        self.bytes += COUNTERS + size_of::<SeriesKey>();
        let SeriesKey {
            event_type,
            name,
            agent,
            source,
            r#type,
            status,
            error_type,
            success: _,
            hit: _,
        } = &**key;
        let texts = [name, agent, source, r#type, status, error_type];
        for text in texts.into_iter().flatten().chain([event_type]) {
            self.text(text);
        }
    }

    pub(crate) fn text(&mut self, text: &Arc<str>) {
        if self.seen.insert(text.as_ptr()) {
            self.bytes += COUNTERS + text.len();
        }
    }
}
