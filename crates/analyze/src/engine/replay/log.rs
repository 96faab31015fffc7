//! The unsealed log, for whoever walks through time: its lines stand as they
//! came. So it is looked through once for their times; after that each stretch of
//! time reads only the pieces that hold some of it, which of a log in the order
//! of time is each piece once.

use std::collections::BTreeMap;
use std::time::Instant;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::TimestampNanosecondType;
use datafusion::error::{DataFusionError, Result};
use tachograph_model::Window;
use tachograph_store::{BATCH_ROWS, LogPart, Note, Snapshot, StoreError, TIMESTAMP};

use super::in_time;

/// Bytes of a piece.
const PIECE: u64 = 2 << 20;
/// A line is about this long.
const LINE: u64 = 160;
/// Stretches of which events are counted.
const MOST_BINS: usize = 1 << 20;
const SECOND: i64 = 1_000_000_000;

/// The unsealed log of a snapshot.
#[derive(Debug)]
pub(super) struct Log {
    pieces: Vec<Piece>,
    times: Option<Times>,
    /// What was found as it was looked through.
    pub(super) notes: Vec<Note>,
}

#[derive(Debug)]
struct Piece {
    part: LogPart,
    /// The earliest and the latest time in it, as far as that is known.
    times: (i64, i64),
}

impl Log {
    /// One that is read once, as a whole.
    pub(super) fn whole(snapshot: &Snapshot) -> Self {
        let parts = snapshot.log_parts(pieces(snapshot)).into_iter();
        let piece = |part| Piece {
            part,
            times: (i64::MIN, i64::MAX),
        };
        Self {
            pieces: parts.map(piece).collect(),
            times: None,
            notes: Vec::new(),
        }
    }

    /// Looks through it for the times of its lines.
    pub(super) fn look(
        snapshot: &Snapshot,
        window: Window,
        deadline: Option<Instant>,
    ) -> Result<Self> {
        let mut times = Counting::new();
        let (mut pieces, mut notes) = (Vec::new(), Vec::new());
        for part in Self::whole(snapshot).pieces.into_iter().map(|it| it.part) {
            let (mut first, mut last) = (i64::MAX, i64::MIN);
            let mut scan = part.scan(&[TIMESTAMP], window, BATCH_ROWS);
            for batch in scan.by_ref() {
                in_time(deadline)?;
                let batch = batch.map_err(unread)?;
                let column = batch.column_by_name(TIMESTAMP);
                let column = column
                    .and_then(|it| it.as_primitive_opt::<TimestampNanosecondType>())
                    .ok_or_else(|| DataFusionError::Internal("no times".to_owned()))?;
                let inside = |at: &&i64| (window.from.0..window.to.0).contains(*at);
                for at in column.values().iter().filter(inside) {
                    (first, last) = (first.min(*at), last.max(*at));
                    times.add(*at);
                }
            }
            notes.extend(scan.note());
            if first <= last {
                let times = (first, last);
                pieces.push(Piece { part, times });
            }
        }
        Ok(Self {
            pieces,
            times: Some(times.counted()),
            notes,
        })
    }

    /// About how many events lie in a part of a window.
    pub(super) fn rows_in(&self, part: Window) -> u64 {
        match &self.times {
            Some(times) => times.between(part.from.0, part.to.0),
            None => self.pieces.iter().map(|it| it.part.bytes()).sum::<u64>() / LINE,
        }
    }

    /// Whether it was looked through: what is broken in it has been told.
    pub(super) fn is_known(&self) -> bool {
        self.times.is_some()
    }

    /// The pieces that may hold events of a window.
    pub(super) fn pieces_in(&self, window: Window) -> impl Iterator<Item = &LogPart> {
        let within =
            move |piece: &&Piece| piece.times.0 < window.to.0 && window.from.0 <= piece.times.1;
        self.pieces.iter().filter(within).map(|piece| &piece.part)
    }
}

fn pieces(snapshot: &Snapshot) -> usize {
    usize::try_from(snapshot.log_bytes().div_ceil(PIECE)).unwrap_or(usize::MAX)
}

pub(super) fn unread(error: StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Events by stretch of time; of so many stretches that each has to be longer.
struct Counting {
    stretch: i64,
    bins: BTreeMap<i64, u64>,
}

impl Counting {
    fn new() -> Self {
        Self {
            stretch: SECOND,
            bins: BTreeMap::new(),
        }
    }

    fn add(&mut self, at: i64) {
        *self.bins.entry(at.div_euclid(self.stretch)).or_default() += 1;
        if self.bins.len() > MOST_BINS {
            self.stretch = self.stretch.saturating_mul(2);
            let bins = std::mem::take(&mut self.bins);
            for (bin, count) in bins {
                *self.bins.entry(bin.div_euclid(2)).or_default() += count;
            }
        }
    }

    fn counted(self) -> Times {
        let mut all = 0;
        let up_to = self.bins.into_iter().map(|(bin, count)| {
            all += count;
            (bin, all)
        });
        Times {
            stretch: self.stretch,
            up_to: up_to.collect(),
        }
    }
}

/// How many events there are up to the end of each stretch that has some.
#[derive(Debug)]
struct Times {
    stretch: i64,
    up_to: Vec<(i64, u64)>,
}

impl Times {
    /// Those of a stretch at an end count wholly.
    fn between(&self, from: i64, to: i64) -> u64 {
        let before = |bin: i64| {
            let at = self.up_to.partition_point(|(other, _)| *other < bin);
            at.checked_sub(1).map_or(0, |at| self.up_to[at].1)
        };
        let end = to.saturating_sub(1).div_euclid(self.stretch);
        before(end.saturating_add(1)).saturating_sub(before(from.div_euclid(self.stretch)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_stretches_that_grow() {
        let mut counting = Counting::new();
        for second in 0..10 {
            for _ in 0..=second {
                counting.add(second * SECOND + 7);
            }
        }
        let times = counting.counted();
        let check = |from: i64, to: i64, count: u64| {
            assert_eq!(
                times.between(from * SECOND, to * SECOND),
                count,
                "{from} {to}"
            );
        };
        check(0, 10, 55);
        check(-100, 100, 55);
        check(3, 5, 9);
        check(3, 3, 0);
        check(10, 20, 0);
        assert_eq!(times.between(i64::MIN, i64::MAX), 55);
        let mut counting = Counting::new();
        for second in 0..MOST_BINS as i64 + 1 {
            counting.add((second - 5) * SECOND);
        }
        let (stretch, bins) = (counting.stretch, counting.bins.len());
        assert_eq!((stretch, bins), (2 * SECOND, MOST_BINS / 2 + 1));
        let times = counting.counted();
        assert_eq!(times.between(i64::MIN, i64::MAX), MOST_BINS as u64 + 1);
        assert_eq!(times.between(0, 4 * SECOND), 4);
    }
}
