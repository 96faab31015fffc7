//! What lies on disk.

use std::collections::BTreeSet;

use tachograph_model::UnixNanos;
use tachograph_model::answer::Storage;
use tachograph_store::Snapshot;

pub(super) fn of(snapshot: &Snapshot) -> Storage {
    let logs = snapshot.log_parts(1);
    let files: BTreeSet<_> = logs.iter().map(|log| log.path()).collect();
    let segments = snapshot.segments();
    let times = || segments.iter().flat_map(|s| [s.min_time, s.max_time]);
    Storage {
        log_files: files.len() as u64,
        log_bytes: snapshot.log_bytes(),
        log_events: (snapshot.log_bytes() == 0).then_some(0),
        segments: segments.len() as u64,
        segment_bytes: segments.iter().map(|s| s.bytes).sum(),
        segment_events: segments.iter().map(|s| s.rows).sum(),
        rollup_bytes: 0,
        earliest: times().min().map(UnixNanos),
        latest: times().max().map(UnixNanos),
    }
}
