//! Rings → batches of lines → log. Used by the drain thread on its own
//! process's region, and by recovery on a dead one's.

use std::sync::Arc;

use tachograph_log::{AppendError, Locked};

use crate::core::RecordView;
use crate::encode::{Encoder, Line};
use crate::region::{Intent, Region, State};
use crate::ring::{Header, MAX_KINDS, Ring};
use crate::table::Table;

/// Bytes of a batch, about. Small enough to stay in the processor's cache.
pub(crate) const BATCH_BYTES: usize = 256 * 1024;
/// What each ring may add to a batch at least, so that a busy one does not
/// starve the others.
const SHARE_BYTES: usize = 16 * 1024;

/// Most bytes of a batch that recovery encodes again. Ours have a quarter of a
/// megabyte, and with all the rings and the longest names, some dozens.
const MOST_INTENDED: u64 = 256 << 20;

/// Empties the rings of one region.
pub(crate) struct Drainer {
    region: Arc<Region>,
    rings: Vec<Arc<Ring>>,
    encoder: Encoder,
    /// Up to where records have been shown to the observer, by ring.
    seen: Vec<u64>,
    record: Vec<u64>,
    batch: Batch,
    damage: Damage,
    /// How much of the region's names the encoder has seen.
    names_seen: usize,
}

/// What could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Stretches behind a record that is none; each held one record at least.
    pub(crate) stretches: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Records of all rings, ring after ring, as lines.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    /// `[from, to)` of each ring.
    pub(crate) parts: Vec<(u64, u64)>,
    pub(crate) events: u64,
    /// Where each line ends: in `bytes`, in which ring, at which position.
    /// Only kept for recovery.
    ends: Option<Vec<(usize, usize, u64)>>,
}

impl Drainer {
    /// Starts on a region whose records were made with `table`.
    pub(crate) fn new(region: Arc<Region>, table: &Table) -> Self {
        Self {
            region,
            rings: Vec::new(),
            encoder: Encoder::new(table),
            seen: Vec::new(),
            record: Vec::new(),
            batch: Batch::default(),
            damage: Damage::default(),
            names_seen: 0,
        }
    }

    /// Returns what could not be read since the last time it was asked.
    pub(crate) fn take_damage(&mut self) -> Damage {
        std::mem::take(&mut self.damage)
    }

    /// Returns the rings, as of now.
    pub(crate) fn rings(&mut self) -> &[Arc<Ring>] {
        self.region.rings(&mut self.rings);
        &self.rings
    }

    /// Returns what was gathered last.
    pub(crate) fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Returns how full the fullest ring is, in 64ths.
    pub(crate) fn fill(&mut self) -> u64 {
        let fill = |ring: &Arc<Ring>| {
            let used = ring.head().saturating_sub(ring.tail());
            used.min(ring.capacity()) * 64 / ring.capacity()
        };
        self.rings().iter().map(fill).max().unwrap_or(0)
    }

    /// Turns what lies in the rings into a batch, up to about `limit` bytes,
    /// and shows every record to `observer`, once. Says whether there is more.
    pub(crate) fn gather(
        &mut self,
        limit: usize,
        mut observer: Option<&mut (dyn FnMut(RecordView<'_>) + Send)>,
    ) -> bool {
        self.region.rings(&mut self.rings);
        self.seen.resize(self.rings.len(), 0);
        self.batch.clear();
        let share = (limit / self.rings.len().max(1)).max(SHARE_BYTES.min(limit));
        let mut more = false;
        for number in 0..self.rings.len() {
            let ring = self.rings[number].clone();
            // In this order: a ring is sound between the two.
            let (from, head) = (ring.tail(), ring.head());
            let start = self.batch.bytes.len();
            let mut at = from;
            if !ring.is_sound() {
                self.skip(number, ring.capacity(), head);
                at = head;
            }
            while at < head {
                if self.batch.bytes.len() - start >= share {
                    more = true;
                    break;
                }
                at = match self.take(number, &ring, at, head) {
                    Some(next) => next,
                    None => {
                        self.skip(number, head - at, head);
                        head
                    }
                };
                if let Some(observer) = observer.as_mut()
                    && at > self.seen[number]
                    && let [first, _time, words @ ..] = self.record.as_slice()
                {
                    observer(RecordView {
                        kind: Header(*first).kind(),
                        presence: Header(*first).presence(),
                        words,
                    });
                }
                self.seen[number] = self.seen[number].max(at);
            }
            self.batch.parts.push((from, at));
        }
        more
    }

    /// Counts words up to `head` that are no records, the first time they are
    /// come upon: nothing behind a damaged record can be told apart.
    fn skip(&mut self, number: usize, words: u64, head: u64) {
        self.record.clear();
        if self.seen[number] != head {
            self.seen[number] = head;
            self.damage.stretches += 1;
            self.damage.bytes += words * size_of::<u64>() as u64;
        }
    }

    /// Encodes the record at `at` and returns the position after it; `None`
    /// when there is none.
    fn take(&mut self, number: usize, ring: &Ring, at: u64, head: u64) -> Option<u64> {
        let next = ring.read(at, head, &mut self.record)?;
        let (encoder, bytes) = (&mut self.encoder, &mut self.batch.bytes);
        let start = bytes.len();
        let mut line = encoder.line(&self.record, bytes);
        if line == Line::NameUnknown && self.names_seen != self.region.names_size() {
            // It was named after we last looked.
            self.names_seen = self.region.names_size();
            let known = encoder.names();
            self.region.names_from(known, |name| encoder.add_name(name));
            bytes.truncate(start);
            line = encoder.line(&self.record, bytes);
        }
        self.batch.events += u64::from(line != Line::None);
        if let Some(ends) = &mut self.batch.ends {
            ends.push((self.batch.bytes.len(), number, next));
        }
        Some(next)
    }

    /// Moves the batch into the log: as a whole or not at all, whenever the
    /// process dies.
    ///
    /// # Errors
    /// The log's; then the records are still in the rings, but for those of
    /// which it says that they arrived.
    pub(crate) fn store(&mut self, log: &mut Locked<'_>) -> Result<(), AppendError> {
        if !self.batch.bytes.is_empty() {
            let at = log.prepare()?;
            for (ring, (from, to)) in self.rings.iter().zip(&self.batch.parts) {
                ring.set_intent(*from, *to);
            }
            let len = self.batch.bytes.len() as u64;
            self.region.intend(Intent { at, len });
            if let Err(error) = log.write(&self.batch.bytes) {
                if error.kept_bytes > 0 {
                    self.encode_intent();
                    self.settle_intent(error.kept_bytes);
                }
                self.region.set_state(State::Idle);
                return Err(error);
            }
            self.region.set_state(State::Written);
        }
        self.advance();
        self.region.set_state(State::Idle);
        Ok(())
    }

    /// Frees the room of the batch.
    pub(crate) fn advance(&mut self) {
        for (ring, (_, to)) in self.rings.iter().zip(&self.batch.parts) {
            ring.set_tail(*to);
        }
    }

    /// Counts the batch's records by kind.
    pub(crate) fn count_kinds(&mut self) -> [u64; MAX_KINDS] {
        let mut counts = [0; MAX_KINDS];
        for (ring, (from, to)) in self.rings.iter().zip(&self.batch.parts) {
            let mut at = *from;
            while at < *to {
                let Some(next) = ring.read(at, *to, &mut self.record) else {
                    break;
                };
                counts[usize::from(Header(self.record[0]).kind()).min(MAX_KINDS - 1)] += 1;
                at = next;
            }
        }
        counts
    }

    /// Encodes the batch under way once more, for [`Self::settle_intent`], and
    /// returns its bytes: never more than it noted, nor than [`MOST_INTENDED`].
    pub(crate) fn encode_intent(&mut self) -> &[u8] {
        self.region.rings(&mut self.rings);
        self.batch.clear();
        self.batch.ends = Some(Vec::new());
        let len = self.region.intent().len.min(MOST_INTENDED);
        for number in 0..self.rings.len() {
            let ring = self.rings[number].clone();
            let (mut at, to) = ring.intent();
            while at < to && (self.batch.bytes.len() as u64) < len {
                // What is damaged is not come by here: the next gathering
                // begins there, and counts it.
                let Some(next) = self.take(number, &ring, at, to) else {
                    break;
                };
                at = next;
            }
        }
        &self.batch.bytes
    }

    /// Moves the tails behind those lines of the batch under way that stand in
    /// the log, which are its first `arrived` bytes; returns how many they are.
    /// May be repeated: it does not change what it goes by.
    pub(crate) fn settle_intent(&mut self, arrived: u64) -> u64 {
        let ends = self.batch.ends.take().unwrap_or_default();
        let mut events = 0;
        for (number, ring) in self.rings.iter().enumerate() {
            let (from, to) = ring.intent();
            let mut tail = from;
            if from < to {
                let whole = ends
                    .iter()
                    .filter(|(end, of, _)| *of == number && *end as u64 <= arrived);
                for (.., next) in whole {
                    tail = *next;
                    events += 1;
                }
                ring.set_tail(tail);
            }
            self.batch.parts.push((tail, to));
        }
        self.batch.bytes.clear();
        events
    }
}

impl Batch {
    fn clear(&mut self) {
        self.bytes.clear();
        self.parts.clear();
        self.events = 0;
    }
}
