//! What lies on disk.

use tachograph_model::answer::{Note, Storage};
use tachograph_model::{AskError, UnixNanos};
use tachograph_store::{Snapshot, Store};

use super::notes;

/// Counts; reads the times of the unsealed log, and nothing of segments.
pub(super) fn of(store: &Store, snapshot: &Snapshot) -> Result<(Storage, Vec<Note>), AskError> {
    let stats = store.stats().map_err(notes::read_error)?;
    let sealed = snapshot.segments().iter().map(|segment| segment.min_time);
    let storage = Storage {
        log_files: stats.log_files,
        log_bytes: stats.log_bytes,
        log_events: Some(stats.log_lines),
        segments: stats.segments,
        segment_bytes: stats.segment_bytes,
        segment_events: stats.segment_events,
        rollup_bytes: stats.rollup_bytes,
        // The log's first line need not be its earliest.
        earliest: sealed.min().filter(|_| stats.log_lines == 0).map(UnixNanos),
        latest: stats.latest_event_time,
    };
    Ok((storage, notes::of_store(&stats.notes)))
}
