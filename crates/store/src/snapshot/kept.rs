//! What was folded stays in memory, for a process that is asked often: cells,
//! and sessions.
//!
//! Segments and their rollups never change, and of a log only the end grows:
//! so a stretch that was folded once is not read again. What is kept is the
//! cells of whole stretches. Where a window cuts through a segment, these are
//! its hours, if little enough is told apart in them (not
//! [`Apart::Everything`], not exact): only of an hour that is cut are the events
//! read. They are of a piece of log that is cut.
//!
//! ```text
//! segment's tier │ segment's events │ log, 8 MiB each ... │ the last piece: folded
//!                                                         │ as far as whole lines go
//! ```

use std::any::Any;
use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, Hash};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::FixedState;
use tachograph_log::FileId;
use tachograph_model::{UnixNanos, Window};

use crate::decode::{Broken, LogPart, read_at};
use crate::error::StoreError;
use crate::fold::{Apart, Bound, Cell, FirstNamed, Folder, Grain, Shared};
use crate::rollup::{Tier, TierRows};
use crate::sessions::Sessions;

/// So many bytes before a stretch's end must still be what they were.
const TAIL_BYTES: u64 = 64;

/// Which stretch, folded how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A tier of a segment, as it lies in its file.
    Tier { segment: String, tier: Tier },
    /// The events of a segment.
    Segment {
        segment: String,
        grain: Grain,
        exact: bool,
        apart: Apart,
    },
    /// The lines of a log that begin from an offset on.
    Log {
        file: FileId,
        from: u64,
        grain: Grain,
        exact: bool,
        apart: Apart,
    },
    /// The sessions of a segment.
    Sessions { segment: String },
    /// The sessions of the lines of a log that begin from an offset on.
    LogSessions { file: FileId, from: u64 },
}

/// What can be kept.
pub(crate) trait Keepable: Any + Send + Sync {
    /// About how much memory it takes.
    fn memory_bytes(&self) -> usize;
}

/// What was made of a stretch of log that may have grown since.
pub(crate) trait OfLog: Keepable {
    /// Where it ends, and a hash of the bytes before.
    fn end(&self) -> (u64, u64);
}

impl Keepable for Sessions {
    fn memory_bytes(&self) -> usize {
        self.memory_bytes()
    }
}

impl Keepable for TierRows {
    fn memory_bytes(&self) -> usize {
        self.memory_bytes()
    }
}

impl Keepable for Stretch {
    fn memory_bytes(&self) -> usize {
        let mut shared = Shared::default();
        let cells = self.cells.iter().map(|cell| cell.memory_bytes(&mut shared));
        cells.sum::<usize>() + self.first_named.memory_bytes() + shared.bytes()
    }
}

impl OfLog for Stretch {
    fn end(&self) -> (u64, u64) {
        (self.to, self.tail)
    }
}

/// A stretch, folded: events of all types and times.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    pub(crate) cells: Vec<Cell>,
    pub(crate) first_named: FirstNamed,
    pub(crate) broken: Broken,
    /// Of a log: where it ends, and a hash of the bytes before.
    pub(crate) to: u64,
    pub(crate) tail: u64,
    /// Its cells take more room than a stretch may: there are none here.
    pub(crate) crowded: bool,
}

impl Stretch {
    /// What a folder took in.
    pub(crate) fn of(mut folder: Folder) -> Self {
        Self {
            first_named: folder.take_first_named(),
            cells: packed(folder.finish()),
            ..Self::default()
        }
    }

    /// One that is not kept: it would drive most of the others out.
    pub(crate) fn crowded() -> Self {
        Self {
            crowded: true,
            ..Self::default()
        }
    }

    /// Whether all its events lie in `window`.
    pub(crate) fn lies_in(&self, window: Window) -> bool {
        let first = self.cells.iter().map(|cell| cell.first).min();
        let last = self.cells.iter().map(|cell| cell.last).max();
        let inside = |at: Option<UnixNanos>| at.is_none_or(|at| window.contains(at));
        inside(first) && inside(last)
    }
}

fn packed(mut cells: Vec<Cell>) -> Vec<Cell> {
    cells.iter_mut().for_each(Cell::pack);
    cells.shrink_to_fit();
    cells
}

/// Stretches and sessions, up to about so many bytes; those not asked for longest go.
#[derive(Debug)]
pub(crate) struct Kept {
    most_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    entries: HashMap<Key, Entry>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    bytes: usize,
    used: u64,
}

impl Kept {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            held: Mutex::default(),
        }
    }

    /// Whether a stretch of so many bytes may be kept without driving most of
    /// the others out.
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        bytes <= self.most_bytes as u64 / 4
    }

    /// What a stretch that is kept may hold.
    pub(crate) fn bound(&self) -> Bound {
        let cells = self.most_bytes / 4 / std::mem::size_of::<Cell>();
        Bound {
            series: cells,
            cells,
        }
    }

    pub(crate) fn get<V: Keepable>(&self, key: &Key) -> Option<Arc<V>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clock += 1;
        let now = held.clock;
        let entry = held.entries.get_mut(key)?;
        entry.used = now;
        // A key has values of one type only.
        entry.value.clone().downcast().ok()
    }

    /// False where there is no room for it.
    pub(crate) fn put<V: Keepable>(&self, key: Key, value: &Arc<V>) -> bool {
        let bytes = value.memory_bytes() + std::mem::size_of::<(Key, Entry)>();
        if !self.has_room_for(bytes as u64) {
            return false;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clock += 1;
        let entry = Entry {
            value: value.clone(),
            bytes,
            used: held.clock,
        };
        held.bytes += bytes;
        if let Some(old) = held.entries.insert(key, entry) {
            held.bytes -= old.bytes;
        }
        if held.bytes > self.most_bytes {
            held.shrink_to(self.most_bytes / 4 * 3);
        }
        true
    }

    /// The stretch of `key`, if it may be kept; `fold` makes it where it is not.
    pub(crate) fn get_or(
        &self,
        key: Key,
        fold: impl FnOnce() -> Result<Stretch, StoreError>,
    ) -> Result<Option<Arc<Stretch>>, StoreError> {
        let stretch: Arc<Stretch> = match self.get(&key) {
            Some(stretch) => stretch,
            None => {
                let stretch = match fold() {
                    Err(StoreError::Crowded) => Arc::new(Stretch::crowded()),
                    folded => Arc::new(folded?),
                };
                if !self.put(key.clone(), &stretch) {
                    // The next time no more is folded than is asked for.
                    self.put(key, &Arc::new(Stretch::crowded()));
                }
                stretch
            }
        };
        Ok((!stretch.crowded).then_some(stretch))
    }

    /// What was kept of a log's stretch, unless it was written anew since, and
    /// the whole lines that have come behind.
    pub(crate) fn get_of_log<V: OfLog>(
        &self,
        key: &Key,
        part: &LogPart,
    ) -> Result<(Option<Arc<V>>, Range<u64>), StoreError> {
        let held = self.get::<V>(key).filter(|held| {
            let (to, tail) = held.end();
            let same = || tail_of(&part.file, to).is_ok_and(|now| now == tail);
            (part.from..=part.to).contains(&to) && same()
        });
        let from = held.as_ref().map_or(part.from, |held| held.end().0);
        // A line that is still being written is looked at anew each time.
        let end = match part.live {
            true => whole_lines_end(&part.file, from, part.len)
                .map_err(StoreError::io("read", &part.path))?
                .min(part.to),
            false => part.to,
        };
        Ok((held, from..end))
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.bytes
    }
}

impl Held {
    fn shrink_to(&mut self, bytes: usize) {
        let mut by_age: Vec<(u64, Key)> = self
            .entries
            .iter()
            .map(|(key, entry)| (entry.used, key.clone()))
            .collect();
        by_age.sort_unstable_by_key(|(used, _)| *used);
        for (_, key) in by_age {
            if self.bytes <= bytes {
                return;
            }
            if let Some(old) = self.entries.remove(&key) {
                self.bytes -= old.bytes;
            }
        }
    }
}

/// Hashes the bytes before `to`: tells a log that only grew from one that was
/// written anew in the same file.
pub(crate) fn tail_of(file: &File, to: u64) -> io::Result<u64> {
    let from = to.saturating_sub(TAIL_BYTES);
    let mut bytes = vec![0; (to - from) as usize];
    let read = read_at(file, &mut bytes, from)?;
    Ok(FixedState::default().hash_one(&bytes[..read]))
}

/// Where the last whole line before `to` ends; `from` when there is none.
pub(crate) fn whole_lines_end(file: &File, from: u64, to: u64) -> io::Result<u64> {
    let mut buffer = vec![0; 64 << 10];
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(buffer.len() as u64).max(from);
        let piece = &mut buffer[..(end - start) as usize];
        let read = read_at(file, piece, start)?;
        if let Some(at) = memchr::memrchr(b'\n', &piece[..read]) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        Key::Log {
            file: FileId::default(),
            from: number,
            grain: Grain::Day,
            exact: true,
            apart: Apart::Everything,
        }
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let kept = Kept::new(20_000);
        let stretch = Arc::new(Stretch::default());
        kept.put(key(0), &stretch);
        for number in 1..1_000 {
            kept.put(key(number), &stretch);
            assert!(kept.get::<Stretch>(&key(0)).is_some(), "after {number}");
            assert!(kept.bytes() <= 20_000);
        }
        assert!(kept.get::<Stretch>(&key(999)).is_some());
        assert!(kept.get::<Stretch>(&key(1)).is_none());
    }

    /// Three hours of four tools, with texts of so many bytes.
    fn stretch([name, unit, entity]: [usize; 3]) -> Stretch {
        let folder = crate::fold::of_tools(name, |cell| {
            cell.unit.say(&"u".repeat(unit));
            cell.entities.insert("e".repeat(entity).into(), 1);
        });
        Stretch::of(folder)
    }

    #[test]
    fn texts_count_as_often_as_they_are_held() {
        let bare = stretch([0; 3]).memory_bytes();
        for (texts, wanted) in [
            ([1_000, 0, 0], 4_000),
            ([0, 1_000, 0], 12_000),
            ([0, 0, 1_000], 12_000),
        ] {
            let more = stretch(texts).memory_bytes() - bare;
            assert_eq!(more, wanted, "{texts:?}");
        }
    }

    #[test]
    fn what_has_no_room_is_not_folded_whole_again() {
        let kept = Kept::new(100_000);
        for (long, asked_again) in [(0, true), (10_000, false)] {
            let folded = || Ok(stretch([long, 0, 0]));
            let first = kept.get_or(key(long as u64), folded);
            assert!(first.is_ok_and(|stretch| stretch.is_some()), "{long}");
            let again = kept.get_or(key(long as u64), || panic!("it is folded again"));
            let again = again.expect("nothing is read").is_some();
            assert_eq!(again, asked_again, "{long}");
        }
    }
}
