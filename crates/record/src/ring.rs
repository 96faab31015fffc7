//! The ring: one producer, one consumer, no lock; and the only `unsafe` of
//! the workspace, which is what it takes to see a mapped file as atomic words,
//! to read the processor's clock, and to notice a fork without a system call.
//!
//! ```text
//!          tail (drain moves it)         head (the thread moves it)
//!            ▼                             ▼
//!  ┌──────┬──┬─────────┬─────────┬─────────┬───────────────┐
//!  │header│  │ record  │ record  │ record  │  free         │  words of 8 bytes
//!  └──────┴──┴─────────┴─────────┴─────────┴───────────────┘
//!  record = [ words | kind | presence ] [ time ] [ value ]…
//! ```
//!
//! Positions only grow; the word of a position is `position & mask`. The
//! producer writes a record's words and then stores the new head with release;
//! the consumer loads the head with acquire, and stores the tail with release
//! once it has no more use for the words. Both are the textbook
//! single-producer single-consumer queue (Lamport 1983), with the producer's
//! cached view of the tail from "FastForward" (Giacomoni et al. 2008).
//!
//! Every word is an atomic, so a record that is half written when the process
//! is killed is merely unpublished, and no reader, not even one in another
//! process, can cause undefined behaviour.

use std::sync::Arc;

// A region reads and writes the same words.
#[cfg(all(loom, test))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(all(loom, test)))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

/// Words of a ring's header.
pub(crate) const HEADER_WORDS: usize = 512;
/// Loss counters are kept for this many kinds; more share the last.
pub(crate) const MAX_KINDS: usize = 64;
/// Words that a record may have.
pub(crate) const MAX_RECORD: usize = 255;

// Producer's and consumer's words lie on cache lines (and prefetched pairs of
// them) of their own.
const HEAD: usize = 0;
const TAIL: usize = 32;
const FROM: usize = 33;
const TO: usize = 34;
const LOST: usize = 64;
const REPORTED: usize = 128;

/// One ring in its memory.
pub(crate) struct Ring {
    words: Words,
    mask: u64,
}

impl Ring {
    /// Takes memory: a header of [`HEADER_WORDS`] and a power of two of words
    /// of data, all zero or left behind by an earlier owner.
    pub(crate) fn over(words: Words) -> Option<Self> {
        let data = words.len().checked_sub(HEADER_WORDS)?;
        (data.is_power_of_two() && data > MAX_RECORD).then(|| Self {
            words,
            mask: data as u64 - 1,
        })
    }

    /// Returns how many words of data it holds.
    pub(crate) fn capacity(&self) -> u64 {
        self.mask + 1
    }

    /// Tells whether head and tail can be those of a ring. Its own process
    /// keeps that so; a damaged file may say anything.
    pub(crate) fn is_sound(&self) -> bool {
        let (tail, head) = (self.tail(), self.head());
        head < 1 << 62
            && head
                .checked_sub(tail)
                .is_some_and(|used| used <= self.capacity())
    }

    /// Recovery: makes sense of a ring whatever its words say, so that no
    /// position in it overflows and no range is longer than the ring. `false`
    /// when it had to be emptied.
    pub(crate) fn mend(&self) -> bool {
        let (from, to) = self.intent();
        let sound = self.is_sound();
        if !sound {
            self.words[HEAD].store(0, Ordering::Relaxed);
            self.set_tail(0);
        }
        let batch = to.checked_sub(from);
        if to > self.head() || batch.is_none_or(|words| words > self.capacity()) {
            self.set_intent(0, 0);
        }
        sound
    }

    /// Returns the position after the last published record.
    pub(crate) fn head(&self) -> u64 {
        self.words[HEAD].load(Ordering::Acquire)
    }

    /// Returns the position of the first record that is not in the log.
    pub(crate) fn tail(&self) -> u64 {
        self.words[TAIL].load(Ordering::Acquire)
    }

    /// Consumer: frees everything before `position`.
    pub(crate) fn set_tail(&self, position: u64) {
        self.words[TAIL].store(position, Ordering::Release);
    }

    /// Consumer: notes that `[from, to)` is about to be written to the log.
    pub(crate) fn set_intent(&self, from: u64, to: u64) {
        self.words[FROM].store(from, Ordering::Relaxed);
        self.words[TO].store(to, Ordering::Relaxed);
    }

    /// Returns what [`Self::set_intent`] noted.
    pub(crate) fn intent(&self) -> (u64, u64) {
        (
            self.words[FROM].load(Ordering::Relaxed),
            self.words[TO].load(Ordering::Relaxed),
        )
    }

    /// Consumer: copies the record at `position` into `into` and returns the
    /// position after it; `None` when there is no whole record before `limit`
    /// (a ring that was damaged: a live producer publishes whole records).
    #[inline]
    pub(crate) fn read(&self, position: u64, limit: u64, into: &mut Vec<u64>) -> Option<u64> {
        let first = self.word(position).load(Ordering::Relaxed);
        let end = position + Header(first).words();
        if end > limit || end < position + 2 {
            return None;
        }
        into.clear();
        into.push(first);
        into.extend((position + 1..end).map(|at| self.word(at).load(Ordering::Relaxed)));
        Some(end)
    }

    /// Returns how many records of a kind found no room.
    pub(crate) fn lost(&self, kind: usize) -> u64 {
        self.words[LOST + kind.min(MAX_KINDS - 1)].load(Ordering::Relaxed)
    }

    /// Returns how many of those have been reported.
    pub(crate) fn reported(&self, kind: usize) -> u64 {
        self.words[REPORTED + kind.min(MAX_KINDS - 1)].load(Ordering::Relaxed)
    }

    /// Consumer: notes how many have been reported.
    pub(crate) fn set_reported(&self, kind: usize, count: u64) {
        self.words[REPORTED + kind.min(MAX_KINDS - 1)].store(count, Ordering::Relaxed);
    }

    /// Makes what stands at `position` no record.
    #[cfg(test)]
    pub(crate) fn spoil(&self, position: u64) {
        self.write(position, 1);
    }

    /// Moves head and tail to where they may make no sense.
    #[cfg(test)]
    pub(crate) fn place(&self, head: u64, tail: u64) {
        self.words[HEAD].store(head, Ordering::Relaxed);
        self.set_tail(tail);
    }

    /// Writes a word of data.
    #[cfg(test)]
    pub(crate) fn write(&self, position: u64, word: u64) {
        self.word(position).store(word, Ordering::Relaxed);
    }

    #[inline]
    fn word(&self, position: u64) -> &AtomicU64 {
        &self.words[HEADER_WORDS + (position & self.mask) as usize]
    }
}

/// A record's first word.
#[derive(Clone, Copy)]
pub(crate) struct Header(pub(crate) u64);

impl Header {
    #[inline]
    fn new(words: usize, kind: u8, presence: u32) -> Self {
        Self(words as u64 | u64::from(kind) << 8 | u64::from(presence) << 32)
    }

    #[inline]
    fn words(self) -> u64 {
        self.0 & 0xFF
    }

    #[inline]
    pub(crate) fn kind(self) -> u8 {
        (self.0 >> 8) as u8
    }

    #[inline]
    pub(crate) fn presence(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the ring.
    Kept,
    /// It is in the ring, and the ring is more than half full.
    Crowded,
    /// There was no room; it has been counted.
    Lost,
}

/// The one producer of a ring.
pub(crate) struct Producer {
    ring: Arc<Ring>,
    head: u64,
    /// Up to here there is room for sure, and no need to look at the tail.
    clear: u64,
}

impl Producer {
    /// Becomes the producer of `ring`. The caller sees to it that there is no
    /// other.
    pub(crate) fn new(ring: Arc<Ring>) -> Self {
        let head = ring.words[HEAD].load(Ordering::Acquire);
        Self {
            ring,
            head,
            clear: head,
        }
    }

    /// Returns the ring.
    pub(crate) fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Appends a record. No lock, no allocation, no system call.
    #[inline]
    pub(crate) fn push(&mut self, kind: u8, time: i64, presence: u32, values: &[u64]) -> Pushed {
        let count = values.len() + 2;
        let end = self.head + count as u64;
        let mut pushed = Pushed::Kept;
        if end > self.clear || count > MAX_RECORD {
            pushed = self.look(end, count, kind);
            if pushed == Pushed::Lost {
                return pushed;
            }
        }
        let head = self.head;
        let ring = &*self.ring;
        let header = Header::new(count, kind, presence);
        ring.word(head).store(header.0, Ordering::Relaxed);
        ring.word(head + 1).store(time as u64, Ordering::Relaxed);
        for (position, value) in (head + 2..).zip(values) {
            ring.word(position).store(*value, Ordering::Relaxed);
        }
        ring.words[HEAD].store(end, Ordering::Release);
        self.head = end;
        pushed
    }

    /// Looks where the tail is; happens every eighth of the ring at most,
    /// because the word belongs to the consumer's processor.
    #[cold]
    #[inline(never)]
    fn look(&mut self, end: u64, count: usize, kind: u8) -> Pushed {
        let capacity = self.ring.capacity();
        let tail = self.ring.tail();
        if count > MAX_RECORD || end.wrapping_sub(tail) > capacity {
            self.lose(kind);
            return Pushed::Lost;
        }
        self.clear = (end + capacity / 8).min(tail + capacity);
        if end - tail > capacity / 2 {
            Pushed::Crowded
        } else {
            Pushed::Kept
        }
    }

    /// Counts a record that was lost.
    pub(crate) fn lose(&mut self, kind: u8) {
        let counter = &self.ring.words[LOST + usize::from(kind).min(MAX_KINDS - 1)];
        // The producer is the only writer: no need for a locked instruction.
        let count = counter.load(Ordering::Relaxed).wrapping_add(1);
        counter.store(count, Ordering::Relaxed);
    }
}

/// Words of memory that may be shared with other threads and processes.
#[cfg(not(all(loom, test)))]
pub(crate) struct Words {
    base: std::ptr::NonNull<AtomicU64>,
    len: usize,
    map: Option<memmap2::MmapRaw>,
}

#[cfg(not(all(loom, test)))]
impl Words {
    /// Takes zeroed memory from the heap.
    pub(crate) fn heap(len: usize) -> Self {
        let zeroes = vec![0_u64; len].into_boxed_slice();
        let base = std::ptr::NonNull::from(Box::leak(zeroes)).cast();
        Self {
            base,
            len,
            map: None,
        }
    }

    /// Takes a mapping of a file; its length in whole words.
    ///
    /// The file's pages must have been reserved, and nobody may cut it short.
    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    pub(crate) fn mapped(map: memmap2::MmapRaw) -> Option<Self> {
        let base = std::ptr::NonNull::new(map.as_mut_ptr().cast::<AtomicU64>())?;
        base.is_aligned().then(|| Self {
            base,
            len: map.len() / size_of::<u64>(),
            map: Some(map),
        })
    }
}

#[cfg(not(all(loom, test)))]
impl std::ops::Deref for Words {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: `base` is aligned and points to `len` initialised words that
        // live as long as `self` (a leaked box or a mapping that `self` owns);
        // they are only ever touched as atomics, by this process or another.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

#[cfg(not(all(loom, test)))]
impl Drop for Words {
    fn drop(&mut self) {
        if self.map.is_none() {
            let words =
                std::ptr::slice_from_raw_parts_mut(self.base.as_ptr().cast::<u64>(), self.len);
            // SAFETY: without a mapping, `base` and `len` are those of the box
            // that `heap` leaked, and this is the only place that takes it back.
            drop(unsafe { Box::from_raw(words) });
        }
    }
}

// SAFETY: the words are atomics, owned by this value and not tied to a thread.
#[cfg(not(all(loom, test)))]
unsafe impl Send for Words {}
// SAFETY: shared access gives `&[AtomicU64]`, which any thread may use.
#[cfg(not(all(loom, test)))]
unsafe impl Sync for Words {}

/// Memory for the model checker, which keeps books on every word.
#[cfg(all(loom, test))]
pub(crate) struct Words(Vec<AtomicU64>);

#[cfg(all(loom, test))]
impl Words {
    pub(crate) fn heap(len: usize) -> Self {
        Self((0..len).map(|_| AtomicU64::new(0)).collect())
    }

    /// There are no mappings in a model.
    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    pub(crate) fn mapped(_: memmap2::MmapRaw) -> Option<Self> {
        None
    }
}

#[cfg(all(loom, test))]
impl std::ops::Deref for Words {
    type Target = [AtomicU64];
    fn deref(&self) -> &[AtomicU64] {
        &self.0
    }
}

/// Reads the processor's time stamp counter: 10 ns where asking the operating
/// system takes 25. [`crate::clock`] decides whether it may be trusted.
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
#[inline]
pub(crate) fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and Linux never
    // forbids it to user space unless asked to by `prctl`.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Returns a word that the kernel sets to zero in a child after `fork`; lives
/// for ever. `None` where the kernel cannot do that (before Linux 4.14).
#[cfg(all(target_os = "linux", not(miri), not(all(loom, test))))]
pub(crate) fn word_wiped_on_fork() -> Option<&'static AtomicU64> {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
    let len = rustix::param::page_size();
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new private mapping wherever the kernel likes touches nobody's
    // memory.
    let page = unsafe { mmap_anonymous(std::ptr::null_mut(), len, access, MapFlags::PRIVATE) };
    let page = page.ok()?;
    // SAFETY: the page is ours alone and holds nothing yet.
    if unsafe { madvise(page, len, Advice::LinuxWipeOnFork) }.is_err() {
        // SAFETY: nobody has seen the page.
        let _ = unsafe { munmap(page, len) };
        return None;
    }
    // SAFETY: page-aligned, zeroed, `len` bytes long, never unmapped, and only
    // ever used as this atomic.
    Some(unsafe { &*page.cast::<AtomicU64>() })
}

/// Held to write by tests that fork, and to read by those that must not find
/// their files held open, and so locked, by the child of another test.
#[cfg(test)]
pub(crate) static FORKS: std::sync::RwLock<()> = std::sync::RwLock::new(());

/// Forks, runs `child` in the child, and returns whether it ended well. For
/// tests: `fork` is what they are about.
#[cfg(all(
    test,
    target_os = "linux",
    not(tachograph_no_ring),
    not(miri),
    not(loom)
))]
pub(crate) fn in_forked_child(child: impl FnOnce() -> bool) -> bool {
    let pid = fork_child(child);
    let mut status = -1;
    // SAFETY: `pid` is our child, and `status` a place to write to.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    status == 0
}

/// As [`in_forked_child`], but does not wait; returns the child's number.
#[cfg(all(
    test,
    target_os = "linux",
    not(tachograph_no_ring),
    not(miri),
    not(loom)
))]
pub(crate) fn fork_child(child: impl FnOnce() -> bool) -> i32 {
    // SAFETY: the child runs `child` and leaves by `_exit`, so nothing of the
    // parent's is dropped twice. What the other threads held stays locked in
    // it, which is exactly what the tests are to show us able to bear.
    match unsafe { libc::fork() } {
        0 => {
            let ok = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
            // SAFETY: ends the process, and nothing else.
            unsafe { libc::_exit(i32::from(!ok.unwrap_or(false))) }
        }
        pid => pid,
    }
}

/// Sees to it that a file that grows too large is an error and not our end.
#[cfg(all(
    test,
    target_os = "linux",
    not(tachograph_no_ring),
    not(miri),
    not(loom)
))]
pub(crate) fn bear_large_files() {
    // SAFETY: ignoring a signal runs no code of ours.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
