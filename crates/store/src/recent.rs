//! What was sealed of late, as lines of the log: for whoever follows the log
//! and begins when a part of it is sealed already.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use arrow::array::{Array, RecordBatch};
use tachograph_model::port::{Sealed, SealedLog};
use tachograph_model::{Column, UnixNanos, Window};

use crate::decode::BATCH_ROWS;
use crate::error::StoreError;
use crate::manifest::{Manifest, Segment, Source};
use crate::schema::{EVENT_TYPE, EXTRA, schema};
use crate::segment::{Scan, unless_it_panics};
use crate::snapshot::{Snapshot, event_of, times};
use crate::store::Store;

/// About so many events are handed on; of more only the newest.
const MOST_ROWS: u64 = 250_000;
/// But all of this time.
const LEAST: Duration = Duration::from_secs(60);
/// And of nothing more than is put in order in so much memory.
const MOST_BYTES: usize = 64 << 20;
/// About so many bytes of lines are handed on at once.
const SLICE_BYTES: usize = 256 << 10;
/// What tells of one event alone, and may be long: no figure is made of it.
const OF_ONE_ALONE: [Column; 6] = [
    Column::Id,
    Column::TraceId,
    Column::ParentId,
    Column::Entities,
    Column::Tags,
    Column::Text,
];
/// Events of this type are shown one by one, and so are handed on whole.
const ALERT: &str = "alert";

impl Store {
    /// Hands on the events that were sealed since then, as
    /// [`tachograph_model::Answerer::sealed_since`] does, some 250 000 of the
    /// newest at most, and says which files of the log are sealed. Whoever
    /// lists the log's files first and asks then misses no event, and has none
    /// twice if it leaves these files out.
    ///
    /// # Errors
    /// When the manifest cannot be read; what else cannot is said.
    pub fn sealed_since(
        &self,
        since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, StoreError> {
        self.sealed_within(MOST_BYTES, since, take)
    }

    fn sealed_within(
        &self,
        most_bytes: usize,
        since: UnixNanos,
        take: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Sealed, StoreError> {
        let (manifest, _) = Manifest::load(&self.home)?;
        let whole = |log: &&Source| {
            let path = self.home.root().join(&log.name);
            // What is gone cannot have grown.
            path.metadata()
                .map_or(true, |found| found.len() <= log.sealed)
        };
        let logs = manifest.sources.iter().filter(whole).map(|log| SealedLog {
            name: log.name.clone(),
            inode: log.inode,
            born: log.born,
        });
        let mut sealed = Sealed {
            logs: logs.collect(),
            ..Sealed::default()
        };
        let snapshot = Snapshot {
            home: self.home.clone(),
            segments: manifest.segments,
            logs: Vec::new(),
            notes: Vec::new(),
            threads: self.threads,
            kept: None,
            sound: Mutex::new(HashSet::new()),
        };
        let mut newest = Newest::within(most_bytes, affordable(&snapshot, since));
        // Of the newest first, so that little is read of what is left out then.
        let mut segments: Vec<&Segment> = snapshot.segments.iter().collect();
        segments.sort_by_key(|segment| Reverse(segment.max_time));
        for segment in segments {
            let mut wanted = || take(&[]);
            match unless_it_panics(|| newest.read(&snapshot, segment, &mut wanted)) {
                Ok(true) => {}
                Ok(false) => return Ok(sealed),
                Err(error) => {
                    let note = snapshot.unreadable(segment, &error);
                    sealed.left_out.push(note.to_string());
                }
            }
        }
        let older = Window {
            from: since,
            to: newest.window.from,
        };
        let cut = older.from < older.to && snapshot.segments_in(older).next().is_some();
        sealed.cut_at = cut.then_some(older.to);
        newest.hand_on(take);
        Ok(sealed)
    }
}

/// The newest part of the time since then that has not too many events.
fn affordable(snapshot: &Snapshot, since: UnixNanos) -> Window {
    let now = UnixNanos::now();
    let mut window = Window {
        from: since,
        to: UnixNanos::MAX,
    };
    let least = now.saturating_sub(LEAST);
    while window.from < least && snapshot.estimated_rows(window) > MOST_ROWS {
        let half = now.0.saturating_sub(window.from.0) / 2;
        window.from = UnixNanos(now.0 - half).min(least);
    }
    window
}

/// All lines of a window, which begins the later the more there is in it: what
/// lies in a segment by series is cut by time all the same.
struct Newest {
    most_bytes: usize,
    window: Window,
    /// With their times.
    lines: Vec<(i64, Box<[u8]>)>,
    bytes: usize,
}

impl Newest {
    fn within(most_bytes: usize, window: Window) -> Self {
        Self {
            most_bytes,
            window,
            lines: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes in the events of a segment, as long as they are `wanted`; false
    /// when they no longer are.
    fn read(
        &mut self,
        snapshot: &Snapshot,
        segment: &Segment,
        wanted: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StoreError> {
        if !wanted() {
            return Ok(false);
        }
        if !segment.overlaps(self.window) {
            return Ok(true);
        }
        snapshot.check(segment)?;
        let whole = segment.lies_in(self.window);
        let path = snapshot.segment_path(segment);
        let schema = schema();
        let all: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let alone = |name: &str| OF_ONE_ALONE.iter().any(|column| column.name() == name);
        let counted = all.iter().copied();
        let counted: Vec<&str> = counted
            .filter(|name| *name != EXTRA && !alone(name))
            .collect();
        let scan = |columns: &[&str], types: Option<&[String]>| {
            Scan::open(&path, columns, self.window, types, whole, BATCH_ROWS)
        };
        let figures = scan(&counted, None)?;
        let alerts = scan(&all, Some(&[ALERT.to_owned()]))?.only(&[(EVENT_TYPE, ALERT)])?;
        for (alert, batches) in [(false, figures), (true, alerts)] {
            for batch in batches {
                self.take(&filled(&batch?)?, alert);
                if !wanted() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Takes in the rows of a batch that are alerts, or all others.
    fn take(&mut self, batch: &RecordBatch, alerts: bool) {
        for (row, time) in times(batch).iter().enumerate() {
            if !self.window.contains(UnixNanos(*time)) {
                continue;
            }
            let event = event_of(batch, row);
            if (event.event_type == ALERT) == alerts {
                self.push(*time, event.to_line().into());
            }
        }
    }

    fn push(&mut self, time: i64, line: Box<[u8]>) {
        self.bytes += size_of_line(&line);
        self.lines.push((time, line));
        while self.bytes > self.most_bytes {
            self.leave_the_older();
        }
    }

    /// Lets the window begin at the middle of what is in it.
    fn leave_the_older(&mut self) {
        let mut times: Vec<i64> = self.lines.iter().map(|(time, _)| *time).collect();
        let (older, middle, _) = times.select_nth_unstable(self.lines.len() / 2);
        let oldest = older.iter().min().copied().unwrap_or(*middle);
        // Where half of them are of one instant, all of that may have to go.
        let from = oldest.saturating_add(1).max(*middle);
        self.window.from = UnixNanos(from);
        self.lines.retain(|(time, _)| *time >= from);
        self.bytes = self.lines.iter().map(|(_, line)| size_of_line(line)).sum();
    }

    /// In the order of their times, as long as they are taken.
    fn hand_on(mut self, take: &mut dyn FnMut(&[u8]) -> bool) {
        self.lines.sort_by_key(|(time, _)| *time);
        let mut slice = Vec::with_capacity(SLICE_BYTES);
        for (_, line) in self.lines {
            if !slice.is_empty() && slice.len() + line.len() > SLICE_BYTES {
                if !take(&slice) {
                    return;
                }
                slice.clear();
            }
            slice.extend_from_slice(&line);
        }
        if !slice.is_empty() {
            take(&slice);
        }
    }
}

/// What a line takes here.
fn size_of_line(line: &[u8]) -> usize {
    size_of::<(i64, Box<[u8]>)>() + line.len()
}

/// The columns of a batch that hold anything: others cost time at every row.
fn filled(batch: &RecordBatch) -> Result<RecordBatch, StoreError> {
    let columns = batch.columns().iter().enumerate();
    let filled = columns.filter(|(_, column)| column.null_count() < column.len());
    let filled: Vec<usize> = filled.map(|(at, _)| at).collect();
    let failed = StoreError::columns("read a segment");
    batch.project(&filled).map_err(failed)
}

#[cfg(test)]
mod tests {
    use tachograph_log::{Appender, Home};
    use tachograph_model::Event;

    use super::*;
    use crate::SealOptions;

    const SECOND: i64 = 1_000_000_000;

    /// Of 20 tools in turn, each name long; the newest came first.
    fn calls(now: i64, seconds: std::ops::Range<i64>) -> Vec<Event> {
        let call = |ago: i64| {
            Event::new(UnixNanos(now - ago * SECOND), "tool_call").with(
                Column::Name,
                format!("{:02}{}", ago % 20, "x".repeat(ago as usize % 300)),
            )
        };
        seconds.map(call).collect()
    }

    fn sealed(parts: &[&[Event]]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::create(folder.path()).expect("a home");
        let store = Store::open(&home);
        for events in parts {
            let lines: Vec<u8> = events.iter().flat_map(Event::to_line).collect();
            Appender::new(&home).append(&lines).expect("a log");
            store.seal(SealOptions::default()).expect("sealed");
        }
        (folder, store)
    }

    #[test]
    fn of_too_much_the_newest_comes_of_all_series_alike() {
        let now = UnixNanos::now().0 / 1_000 * 1_000;
        let (old, new) = (calls(now, 900..1_800), calls(now, 0..900));
        let since = UnixNanos(now - 3_600 * SECOND);
        let (_folder, store) = sealed(&[&old, &new]);
        let check = |most_bytes: usize, least_lines: usize, cut: bool| {
            let mut lines = Vec::new();
            let found = store.sealed_within(most_bytes, since, &mut |slice| {
                assert!(slice.is_empty() || slice.ends_with(b"\n"));
                lines.extend_from_slice(slice);
                true
            });
            let found = found.expect("a manifest");
            assert_eq!(found.left_out, [""; 0]);
            assert_eq!(found.cut_at.is_some(), cut, "{most_bytes}");
            let from = found.cut_at.unwrap_or(since);
            let all = old.iter().rev().chain(new.iter().rev());
            let mut wanted: Vec<&Event> = all.filter(|event| event.time >= from).collect();
            wanted.sort_by_key(|event| event.time);
            assert!(
                wanted.len() >= least_lines,
                "{most_bytes}: {}",
                wanted.len()
            );
            let wanted: Vec<u8> = wanted.into_iter().flat_map(Event::to_line).collect();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&lines), text(&wanted), "{most_bytes}");
            assert!(lines.len() <= most_bytes);
        };
        check(64 << 20, 1_800, false);
        // A line is 260 bytes or so: at least half of what would fit is there.
        check(300_000, 500, true);
        check(30_000, 50, true);
        check(100, 0, true);
    }

    #[test]
    fn many_of_one_instant_leave_together() {
        let now = UnixNanos::now().0 / 1_000 * 1_000;
        let mut events = vec![calls(now - SECOND, 7..8).remove(0); 200];
        events.extend(calls(now, 0..2));
        let (_folder, store) = sealed(&[&events]);
        let mut lines = Vec::new();
        let found = store.sealed_within(10_000, UnixNanos(0), &mut |slice| {
            lines.extend_from_slice(slice);
            true
        });
        let cut = found.expect("a manifest").cut_at;
        assert_eq!(cut, Some(UnixNanos(now - 8 * SECOND + 1)));
        assert_eq!(lines.split(|byte| *byte == b'\n').count(), 3);
    }

    #[test]
    fn who_has_enough_is_given_no_more() {
        let now = UnixNanos::now().0;
        // More than one batch, and more than one slice.
        let events = calls(now, 0..9_000);
        let (_folder, store) = sealed(&[&events]);
        let mut asked = 0;
        let mut lines = 0;
        let mut take = |enough: usize| {
            (asked, lines) = (0, 0);
            let found = store.sealed_since(UnixNanos(0), &mut |slice| {
                asked += 1;
                lines += slice.iter().filter(|byte| **byte == b'\n').count();
                asked < enough
            });
            found.expect("a manifest");
            (asked, lines)
        };
        let (all, lines) = take(usize::MAX);
        assert_eq!(lines, 9_000);
        for enough in 1..all {
            let (asked, lines) = take(enough);
            assert_eq!(asked, enough);
            assert!(lines < 9_000, "{enough}");
        }
        // It is asked at every batch, and does not wait until all is read.
        assert_eq!(take(3).1, 0);
    }
}
