//! Retention: old events go, a whole segment at a time. Off unless asked for.

use std::path::PathBuf;
use std::time::Duration;

use tachograph_model::UnixNanos;

use crate::disk;
use crate::error::StoreError;
use crate::manifest::Segment;
use crate::rollup::{DERIVED, file_of};
use crate::seal::SealOptions;
use crate::store::Store;

/// What to keep. Nothing is ever removed with both unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Keep events that are younger. Counted in whole days (UTC): a segment
    /// goes when its whole day is older.
    pub max_age: Option<Duration>,
    /// Keep segments up to so many bytes in all; the oldest go first, also of
    /// today; the newest stays. The log is not counted: seal it first.
    pub max_bytes: Option<u64>,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetainReport {
    /// Files of the segments that were removed.
    pub segments: Vec<PathBuf>,
    /// Events in them.
    pub events: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Everything before this is gone, if anything is.
    pub kept_from: Option<UnixNanos>,
}

impl Store {
    /// Removes segments that `retention` does not keep at `now`. Removes them
    /// from the manifest first: readers see all of a segment or nothing.
    ///
    /// # Errors
    /// As [`Store::seal`].
    pub fn retain(
        &self,
        retention: Retention,
        now: UnixNanos,
        wait: Duration,
    ) -> Result<RetainReport, StoreError> {
        let mut report = RetainReport::default();
        if retention == Retention::default() {
            return Ok(report);
        }
        let mut options = SealOptions {
            wait,
            ..SealOptions::default()
        };
        let Some(mut change) = self.begin(&mut options)? else {
            return Ok(report);
        };
        let manifest = &mut change.manifest;
        let going = chosen(&manifest.segments, retention, now);
        if going.is_empty() {
            return Ok(report);
        }
        manifest
            .segments
            .retain(|segment| !going.iter().any(|old| old.id == segment.id));
        report.kept_from = manifest
            .segments
            .iter()
            .map(|segment| UnixNanos(segment.min_time))
            .min();
        // Named as retired until it is gone, so that a kill in between leaves
        // no file that nobody knows.
        manifest
            .retired
            .extend(going.iter().map(|segment| crate::manifest::Retired {
                id: segment.id.clone(),
                path: segment.path.clone(),
                at: 0,
            }));
        manifest.save(&self.home)?;
        for segment in &going {
            let root = self.home.root();
            disk::remove(&root.join(&segment.path))?;
            for derived in DERIVED {
                disk::remove(&root.join(file_of(derived, segment.day, &segment.id)))?;
            }
            report.events += segment.rows;
            report.bytes += segment.bytes;
            report.segments.push(root.join(&segment.path));
        }
        manifest
            .retired
            .retain(|old| !going.iter().any(|segment| segment.id == old.id));
        manifest.save(&self.home)?;
        Ok(report)
    }
}

fn chosen(segments: &[Segment], retention: Retention, now: UnixNanos) -> Vec<Segment> {
    let mut by_age: Vec<&Segment> = segments.iter().collect();
    by_age.sort_by_key(|segment| (segment.day, segment.max_time));
    let mut total: u64 = by_age.iter().map(|segment| segment.bytes).sum();
    let oldest = retention.max_age.map(|age| now.saturating_sub(age).day());
    let mut going = Vec::new();
    let newest = by_age.len().saturating_sub(1);
    for (at, segment) in by_age.into_iter().enumerate() {
        let old = segment.day < now.day() && oldest.is_some_and(|oldest| segment.day < oldest);
        // A busy day is no reason to fill the disk, but the newest stays.
        let over = at < newest && retention.max_bytes.is_some_and(|bytes| total > bytes);
        if old || over {
            total -= segment.bytes;
            going.push(segment.clone());
        }
    }
    going
}
