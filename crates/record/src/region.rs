//! A region: all the rings of one process, the names they refer to, and what
//! a stranger must know to drain them. On Linux a file in memory
//! (`/dev/shm` or `$XDG_RUNTIME_DIR`), so that it outlives its process.
//!
//! ```text
//! page 0       who owns it, which home, the batch under way, directory of blocks
//! block        table of kinds (text)        ┐ added as they are needed; each is
//! block        names, 64 KiB at a time      │ reserved on the file system before it
//! block        ring, one for each thread    ┘ is mapped: a full one must not kill us
//! ```
//!
//! # The batch under way
//!
//! Its state is one word of page 0; whoever changes it holds the log's lock:
//!
//! ```text
//!            intend: where in which file, how many bytes,
//!            which records of which ring
//!    IDLE ─────────────────────────────────────────────────► WRITING
//!     ▲  ▲                 write failed, log cut back           │
//!     │  └───────────────────────────────────────────────◄──────┤
//!     │     tails moved past the batch                   write  │
//!     └──────────────────────────────◄─── WRITTEN ◄─────────────┘
//! ```
//!
//! So whoever holds the log's lock and finds another state than IDLE knows
//! that the owner is dead, and exactly how far it came; see
//! [`crate::recover`].

use std::sync::atomic::fence;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tachograph_log::{FileId, Placement};

use crate::ring::{AtomicU64, HEADER_WORDS, Ordering, Ring, Words};
use crate::table::Table;

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
pub(crate) use mapped::Mapped;

/// `TACHRING`
const MAGIC_VALUE: u64 = u64::from_le_bytes(*b"TACHRING");
const VERSION_VALUE: u64 = 1;

const MAGIC: usize = 0;
const VERSION: usize = 1;
const OWNER: usize = 2; // 4 words
const BLOCKS: usize = 8;
const STATE: usize = 9;
const FILE_INODE: usize = 10;
const FILE_BORN: usize = 11;
const OFFSET: usize = 12;
const LEN: usize = 13;
const HOME: usize = 16; // a length and up to 880 bytes
const HOME_WORDS: usize = 112;
const DIRECTORY: usize = 128; // 2 words a block
const MAX_BLOCKS: usize = 192;

const PAGE_WORDS: usize = 512;
const NAME_BLOCK_WORDS: usize = 8_192;
/// Most blocks of names: 2 MiB of them.
const MAX_NAME_BLOCKS: usize = 32;
/// Most words of the table of kinds: half a megabyte of text.
const MAX_TABLE_WORDS: usize = 1 << 16;
/// Most words of data in a ring: 128 MiB.
pub(crate) const MAX_RING_WORDS: usize = 1 << 24;
/// Most rings, so that the directory has room for names as well.
pub(crate) const MAX_RINGS: usize = 128;
/// Longest name in bytes; longer ones are cut by the caller.
pub(crate) const MAX_NAME: usize = 4_096;

const TABLE_BLOCK: u64 = 1;
const NAME_BLOCK: u64 = 2;
const RING_BLOCK: u64 = 3;

/// How far the batch under way has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Idle,
    /// It is being written to the log.
    Writing,
    /// It is in the log; the tails have not all been moved.
    Written,
}

/// Where the batch under way was to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) at: Placement,
    pub(crate) len: u64,
}

/// See the module's page.
pub(crate) struct Region {
    header: Words,
    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    pub(crate) mapped: Option<Mapped>,
    blocks: Mutex<Blocks>,
    names: NameBlocks,
}

/// The blocks of names in their order. Read without a lock: a forked child
/// reads its parent's, whose locks may be held by threads it does not have.
/// Written with that of the other blocks.
#[derive(Default)]
struct NameBlocks([OnceLock<Words>; MAX_NAME_BLOCKS]);

impl NameBlocks {
    fn iter(&self) -> impl Iterator<Item = &Words> {
        self.0.iter().map_while(OnceLock::get)
    }

    /// Whether there was room for one more.
    fn push(&self, block: Words) -> bool {
        let free = self.0.iter().find(|place| place.get().is_none());
        free.is_some_and(|place| place.set(block).is_ok())
    }
}

#[derive(Default)]
struct Blocks {
    /// Rings that said what no ring can, and were emptied.
    damaged_rings: u64,
    rings: Vec<Arc<Ring>>,
    table: String,
    /// Words used of the file.
    end: usize,
}

impl Region {
    /// Makes one that dies with the process.
    pub(crate) fn heap(table: &Table) -> Self {
        let region = Self {
            header: Words::heap(PAGE_WORDS),
            #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
            mapped: None,
            blocks: Mutex::default(),
            names: NameBlocks::default(),
        };
        // The heap always has room for a block.
        let _ = region.begin(table, [0; 4], "");
        region
    }

    /// Fills a new region; from here on others can make sense of it.
    fn begin(&self, table: &Table, owner: [u64; 4], home: &str) -> Option<()> {
        let text = table.to_text();
        {
            let mut blocks = self.blocks();
            blocks.end = PAGE_WORDS;
            let words = (1 + text.len().div_ceil(8)).next_multiple_of(PAGE_WORDS);
            let (block, at) = self.reserve(&mut blocks, words)?;
            write_text(&block, &text);
            self.publish(TABLE_BLOCK, at, words);
            blocks.table = text;
        }
        for (at, word) in owner.into_iter().enumerate() {
            self.header[OWNER + at].store(word, Ordering::Relaxed);
        }
        write_text(&self.header[HOME..HOME + HOME_WORDS], home);
        self.header[VERSION].store(VERSION_VALUE, Ordering::Relaxed);
        self.header[MAGIC].store(MAGIC_VALUE, Ordering::Release);
        Some(())
    }

    /// Adds a ring of `data` words, a power of two; `None` when there are too
    /// many or there is no memory.
    pub(crate) fn add_ring(&self, data: usize) -> Option<Arc<Ring>> {
        let mut blocks = self.blocks();
        if blocks.rings.len() >= MAX_RINGS {
            return None;
        }
        let words = HEADER_WORDS + data;
        let (block, at) = self.reserve(&mut blocks, words)?;
        let ring = Arc::new(Ring::over(block)?);
        blocks.rings.push(ring.clone());
        self.publish(RING_BLOCK, at, words);
        Some(ring)
    }

    /// Brings `known` up to date with the rings there are; their order never
    /// changes.
    pub(crate) fn rings(&self, known: &mut Vec<Arc<Ring>>) {
        let blocks = self.blocks();
        if known.len() < blocks.rings.len() {
            known.extend_from_slice(&blocks.rings[known.len()..]);
        }
    }

    /// Adds the next name; `false` when there is no room. The caller sees to
    /// it that nobody else does so at the same time.
    pub(crate) fn add_name(&self, text: &str) -> bool {
        let words = 1 + text.len().div_ceil(8);
        let mut blocks = self.blocks();
        let last = self.names.iter().last();
        let full = last.is_none_or(|block| used(block) + words > block.len());
        if full {
            if self.names.iter().count() >= MAX_NAME_BLOCKS || words >= NAME_BLOCK_WORDS {
                return false;
            }
            let Some((block, at)) = self.reserve(&mut blocks, NAME_BLOCK_WORDS) else {
                return false;
            };
            block[0].store(1, Ordering::Relaxed);
            if !self.names.push(block) {
                return false;
            }
            self.publish(NAME_BLOCK, at, NAME_BLOCK_WORDS);
        }
        let Some(block) = self.names.iter().last() else {
            return false;
        };
        let at = used(block);
        write_text(&block[at..at + words], text);
        block[0].store((at + words) as u64, Ordering::Release);
        true
    }

    /// Calls `each` with every name from the one with number `from` on. Waits
    /// for no lock.
    pub(crate) fn names_from(&self, from: usize, mut each: impl FnMut(&str)) {
        let mut number = 0;
        for block in self.names.iter() {
            let end = used(block);
            let mut at = 1;
            while at < end {
                let Some((text, words)) = read_text(&block[at..end], number >= from) else {
                    return;
                };
                if number >= from {
                    each(&text);
                }
                number += 1;
                at += words;
            }
        }
    }

    /// Returns how many words its names take; grows with every name.
    pub(crate) fn names_size(&self) -> usize {
        self.names.iter().map(used).sum()
    }

    /// Returns the number of a name; adds it if it is missing. `None` when
    /// there is no room.
    pub(crate) fn find_or_add_name(&self, text: &str) -> Option<u64> {
        let (mut found, mut count) = (None, 0);
        self.names_from(0, |name| {
            if name == text {
                found = found.or(Some(count));
            }
            count += 1;
        });
        found.or_else(|| self.add_name(text).then_some(count))
    }

    /// Returns the table of kinds that its records were made with.
    pub(crate) fn table(&self) -> Option<Table> {
        Table::from_text(&self.blocks().table)
    }

    /// Returns how far the batch under way has come.
    pub(crate) fn state(&self) -> State {
        match self.header[STATE].load(Ordering::Acquire) {
            0 => State::Idle,
            2 => State::Written,
            _ => State::Writing,
        }
    }

    /// Changes that. The order of everything before and after is kept, also
    /// against system calls: another process may read it after our death.
    pub(crate) fn set_state(&self, state: State) {
        fence(Ordering::SeqCst);
        self.header[STATE].store(state as u64, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Notes where a batch is about to be written; the rings' own intents have
    /// been noted before. The state becomes `Writing`.
    pub(crate) fn intend(&self, intent: Intent) {
        let words = [
            (FILE_INODE, intent.at.file.inode),
            (FILE_BORN, intent.at.file.born as u64),
            (OFFSET, intent.at.offset),
            (LEN, intent.len),
        ];
        for (at, word) in words {
            self.header[at].store(word, Ordering::Relaxed);
        }
        self.set_state(State::Writing);
    }

    /// Returns what [`Self::intend`] noted.
    pub(crate) fn intent(&self) -> Intent {
        let word = |at: usize| self.header[at].load(Ordering::Relaxed);
        Intent {
            at: Placement {
                file: FileId {
                    inode: word(FILE_INODE),
                    born: word(FILE_BORN) as i64,
                },
                offset: word(OFFSET),
            },
            len: word(LEN),
        }
    }

    /// Returns how many of its rings made no sense when it was opened.
    pub(crate) fn damaged_rings(&self) -> u64 {
        self.blocks().damaged_rings
    }

    #[cfg(test)]
    pub(crate) fn hold_blocks(&self) -> impl Sized {
        self.blocks()
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes zeroed memory for a block, and where in the file it begins.
    fn reserve(&self, blocks: &mut Blocks, words: usize) -> Option<(Words, usize)> {
        if self.header[BLOCKS].load(Ordering::Relaxed) as usize >= MAX_BLOCKS {
            return None;
        }
        #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
        if let Some(mapped) = &self.mapped {
            let at = blocks.end.next_multiple_of(mapped.page_words);
            let block = mapped.reserve(at, words).ok()?;
            blocks.end = at + words;
            return Some((block, at));
        }
        let at = blocks.end;
        blocks.end += words;
        Some((Words::heap(words), at))
    }

    /// Enters a block in the directory.
    fn publish(&self, kind: u64, at: usize, words: usize) {
        let number = self.header[BLOCKS].load(Ordering::Relaxed);
        let entry = DIRECTORY + 2 * number as usize;
        self.header[entry].store(kind | (words as u64) << 8, Ordering::Relaxed);
        self.header[entry + 1].store(at as u64, Ordering::Relaxed);
        self.header[BLOCKS].store(number + 1, Ordering::Release);
    }
}

fn used(names: &Words) -> usize {
    (names[0].load(Ordering::Acquire) as usize).min(names.len())
}

/// Writes a length and that many bytes, eight to a word; cuts what does not
/// fit.
fn write_text(into: &[AtomicU64], text: &str) {
    let bytes = text.as_bytes();
    let bytes = &bytes[..bytes.len().min((into.len() - 1) * 8)];
    into[0].store(bytes.len() as u64, Ordering::Relaxed);
    for (word, chunk) in into[1..].iter().zip(bytes.chunks(8)) {
        let mut packed = [0; 8];
        packed[..chunk.len()].copy_from_slice(chunk);
        word.store(u64::from_le_bytes(packed), Ordering::Relaxed);
    }
}

/// Reads that, and how many words it takes; an empty text unless `wanted`.
fn read_text(from: &[AtomicU64], wanted: bool) -> Option<(String, usize)> {
    let len = usize::try_from(from.first()?.load(Ordering::Relaxed)).ok()?;
    let packed = from.get(1..)?.get(..len.div_ceil(8))?;
    let words = 1 + packed.len();
    if !wanted {
        return Some((String::new(), words));
    }
    let mut bytes: Vec<u8> = packed
        .iter()
        .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
        .collect();
    bytes.truncate(len);
    Some((String::from_utf8(bytes).ok()?, words))
}

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
#[path = "mapped.rs"]
mod mapped;

#[cfg(test)]
#[path = "region_tests.rs"]
mod tests;
