//! The events of one session or trace: of each segment its bloom filters say
//! whether it may hold any, and of one that may only the ids are read before
//! the rest of those rows. Log is decoded where the id's bytes occur in it.

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampNanosecondType;
use tachograph_model::{Column, UnixNanos, Window};

use super::{Snapshot, side_by_side};
use crate::decode::{BATCH_ROWS, Broken, LogPart};
use crate::error::StoreError;
use crate::manifest::Segment;
use crate::note::Note;
use crate::schema::TIMESTAMP;
use crate::segment::{Scan, unless_it_panics};

/// Bytes of log in one piece of work: small, for most are left out.
const PIECE_BYTES: u64 = 1 << 20;

/// Whose events: what is given has to fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'a> {
    /// The session, as stored.
    pub session: Option<&'a str>,
    /// The trace, as stored.
    pub trace: Option<&'a str>,
}

impl<'a> Whose<'a> {
    /// Columns, and what they are to hold.
    pub(crate) fn ids(&self) -> Vec<(&'static str, &'a str)> {
        let of = |column: Column, id: Option<&'a str>| Some((column.name(), id?));
        let session = of(Column::SessionId, self.session);
        session
            .into_iter()
            .chain(of(Column::TraceId, self.trace))
            .collect()
    }
}

enum Work<'a> {
    Segment(&'a Segment),
    Log(LogPart),
}

impl Snapshot {
    /// Hands over the events of `window` that are of `whose`, some columns of
    /// them (in the order of [`crate::schema`]), in no order and from several
    /// threads; returns what was left out, and why.
    ///
    /// # Errors
    /// When the log cannot be read; broken data is in the notes.
    pub fn events_of(
        &self,
        whose: Whose<'_>,
        window: Window,
        columns: &[&str],
        each: impl Fn(RecordBatch) + Sync,
    ) -> Result<Vec<Note>, StoreError> {
        let ids = whose.ids();
        let mut read = columns.to_vec();
        read.push(TIMESTAMP);
        read.extend(ids.iter().map(|(column, _)| *column));
        let take = |batch: &RecordBatch| -> Result<(), StoreError> {
            let batch = matching(batch, &ids, window)?;
            if batch.num_rows() > 0 {
                each(batch);
            }
            Ok(())
        };
        let mut work: Vec<Work<'_>> = self.segments_in(window).map(Work::Segment).collect();
        let pieces = self
            .logs
            .iter()
            .flat_map(|log| log.split_every(PIECE_BYTES));
        work.extend(pieces.map(Work::Log));
        let done = side_by_side(self.threads, &work, |work| match work {
            Work::Segment(segment) => {
                let scanned = self.scan_of(segment, &ids, window, &read, &take);
                Ok(Done::Segment(
                    scanned.err().map(|error| self.unreadable(segment, &error)),
                ))
            }
            Work::Log(part) => {
                // Nor are broken lines of any interest where it does not occur.
                if !ids.iter().all(|(_, id)| part.may_hold(id)) {
                    return Ok(Done::Segment(None));
                }
                let mut scan = part.scan(&read, window, BATCH_ROWS);
                for batch in scan.by_ref() {
                    take(&batch?)?;
                }
                Ok(Done::Log(part, scan.into_broken().0))
            }
        });
        let mut notes = Vec::new();
        let mut broken: std::collections::HashMap<_, Broken> = std::collections::HashMap::new();
        for done in done {
            match done? {
                Done::Segment(note) => notes.extend(note),
                Done::Log(part, lines) if lines.count > 0 => {
                    broken.entry(part.path.clone()).or_default().merge(lines);
                }
                Done::Log(..) => {}
            }
        }
        notes.extend(self.notes_on(broken));
        Ok(notes)
    }

    fn scan_of(
        &self,
        segment: &Segment,
        ids: &[(&'static str, &str)],
        window: Window,
        columns: &[&str],
        take: &impl Fn(&RecordBatch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.check(segment)?;
        unless_it_panics(|| {
            let whole = segment.lies_in(window);
            let path = self.segment_path(segment);
            let scan = Scan::open(&path, columns, window, None, whole, BATCH_ROWS)?;
            for batch in scan.only(ids)? {
                take(&batch?)?;
            }
            Ok(())
        })
    }
}

enum Done<'a> {
    Segment(Option<Note>),
    Log(&'a LogPart, Broken),
}

/// The rows that are of the ids and in the window.
fn matching(
    batch: &RecordBatch,
    ids: &[(&'static str, &str)],
    window: Window,
) -> Result<RecordBatch, StoreError> {
    let failed = || StoreError::columns("look up an id");
    let columns: Vec<_> = ids
        .iter()
        .map(|(column, id)| {
            let held = batch.column_by_name(column);
            (held.and_then(|held| held.as_string_opt::<i32>()), *id)
        })
        .collect();
    let times = batch
        .column_by_name(TIMESTAMP)
        .and_then(|times| times.as_primitive_opt::<TimestampNanosecondType>());
    let is = |row: usize| {
        let inside = times.is_some_and(|times| window.contains(UnixNanos(times.value(row))));
        inside
            && columns.iter().all(|(held, id)| {
                use arrow::array::Array;
                held.is_some_and(|held| held.is_valid(row) && held.value(row) == *id)
            })
    };
    let rows: BooleanArray = (0..batch.num_rows()).map(|row| Some(is(row))).collect();
    filter_record_batch(batch, &rows).map_err(failed())
}
