//! Compacting: many small segments of a day become one.

use std::time::Duration;

use tachograph_model::{UnixNanos, Window, describe};

use crate::change::new_id;
use crate::disk;
use crate::error::StoreError;
use crate::manifest::{Manifest, Retired, Segment};
use crate::note::Note;
use crate::schema::schema;
use crate::seal::SealOptions;
use crate::segment::{Scan, sort_by_day};
use crate::store::Store;

/// A segment with fewer events is small.
const SMALL_ROWS: u64 = 256 << 10;
/// Small segments are joined up to about so many events.
const JOINED_ROWS: u64 = 2 << 20;

/// What was compacted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Segments that were joined.
    pub joined: usize,
    /// Segments they became.
    pub written: usize,
    /// Their size in bytes before and after.
    pub bytes: (u64, u64),
    /// What was wrong with the store.
    pub notes: Vec<Note>,
}

impl Store {
    /// Joins the small segments of each day. The old ones are deleted a minute
    /// later, so that whoever reads them can finish.
    ///
    /// # Errors
    /// As [`Store::seal`].
    pub fn compact(&self, wait: Duration) -> Result<CompactReport, StoreError> {
        self.compact_with(SealOptions {
            wait,
            ..SealOptions::default()
        })
    }

    /// As [`Store::compact`], with [`SealOptions::fault`] and
    /// [`SealOptions::join_rows`].
    ///
    /// # Errors
    /// As [`Store::seal`].
    pub fn compact_with(&self, mut options: SealOptions<'_>) -> Result<CompactReport, StoreError> {
        let mut report = CompactReport::default();
        let Some(mut change) = self.begin(&mut options)? else {
            return Ok(report);
        };
        report.notes.extend(change.note.take());
        let most = match options.join_rows {
            0 => JOINED_ROWS,
            rows => rows,
        };
        for group in groups(&change.manifest.segments, most) {
            self.join(&group, &mut change.manifest, &mut report, &mut options)?;
        }
        Ok(report)
    }

    fn join(
        &self,
        group: &[Segment],
        manifest: &mut Manifest,
        report: &mut CompactReport,
        options: &mut SealOptions<'_>,
    ) -> Result<(), StoreError> {
        options.at("read")?;
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let mut batches = Vec::new();
        let mut joined: Vec<&Segment> = Vec::new();
        for segment in group {
            let path = self.home.root().join(&segment.path);
            // What is joined gets a checksum of its own: damage must not.
            let sound = disk::check(&path, &segment.checksum);
            let read = sound
                .and_then(|()| Scan::open(&path, &columns, Window::ALL, None, true, 65_536))
                .and_then(Iterator::collect::<Result<Vec<_>, _>>);
            match read {
                Ok(read) => {
                    batches.extend(read);
                    joined.push(segment);
                }
                Err(error) => report.notes.push(Note::UnreadableSegment {
                    file: path,
                    rows: segment.rows,
                    why: describe(&error),
                }),
            }
        }
        if joined.len() < 2 {
            return Ok(());
        }
        let days = sort_by_day(&batches)?;
        drop(batches);
        let id = new_id(&self.home, manifest);
        // Should the manifest be lost, the new segment must tell what the old
        // ones told.
        let mut there = manifest.sources.clone();
        there.retain(|source| self.home.root().join(&source.name).exists());
        let replaces = joined.iter().map(|segment| segment.id.clone()).collect();
        let written = self.write_parts(&days, id, there, replaces, options)?;
        report.joined += joined.len();
        report.written += written.len();
        report.bytes.0 += joined.iter().map(|segment| segment.bytes).sum::<u64>();
        report.bytes.1 += written.iter().map(|segment| segment.bytes).sum::<u64>();
        let now = UnixNanos::now().0;
        manifest
            .segments
            .retain(|segment| !joined.iter().any(|old| old.id == segment.id));
        manifest
            .retired
            .extend(joined.iter().map(|segment| Retired {
                id: segment.id.clone(),
                path: segment.path.clone(),
                at: now,
            }));
        manifest.segments.extend(written);
        options.at("manifest")?;
        manifest.save(&self.home)?;
        options.at("compacted")
    }
}

/// Small segments of a day, in groups worth joining, of at most so many events.
fn groups(segments: &[Segment], most: u64) -> Vec<Vec<Segment>> {
    let mut small: Vec<&Segment> = segments.iter().filter(|s| s.rows < SMALL_ROWS).collect();
    small.sort_by(|a, b| (a.day, &a.id).cmp(&(b.day, &b.id)));
    let mut groups: Vec<Vec<Segment>> = Vec::new();
    for segment in small {
        let rows = |group: &[Segment]| group.iter().map(|s| s.rows).sum::<u64>();
        match groups.last_mut() {
            Some(group) if group[0].day == segment.day && rows(group) + segment.rows <= most => {
                group.push(segment.clone());
            }
            _ => groups.push(vec![segment.clone()]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}
