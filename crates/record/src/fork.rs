//! Noticing `fork`: a child shares its parent's mapped rings, and must never
//! write them.
//!
//! Each process of a line of forks has a generation. It stands in a page that
//! the kernel wipes in the child, so that one load tells a thread whether it
//! still lives in the process its ring belongs to.
//!
//! Where there is no such page (other systems than Linux), rings are heap
//! memory, of which a child has a copy of its own; what it records there is
//! drained by nobody.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Returns the word that holds this process's generation, and 0 in a child
/// that has not asked yet.
pub(crate) fn word() -> &'static AtomicU64 {
    static WORD: OnceLock<&'static AtomicU64> = OnceLock::new();
    WORD.get_or_init(|| {
        let word = wiped().unwrap_or_else(|| Box::leak(Box::new(AtomicU64::new(0))));
        word.store(next(), Ordering::Relaxed);
        word
    })
}

/// Returns this process's generation; gives it one if it was just forked.
pub(crate) fn generation() -> u64 {
    let word = word();
    match word.load(Ordering::Relaxed) {
        0 => match word.compare_exchange(0, next(), Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => word.load(Ordering::Relaxed),
            Err(theirs) => theirs,
        },
        generation => generation,
    }
}

fn next() -> u64 {
    // Copied by fork, so every child counts on from its parent's.
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

#[cfg(all(target_os = "linux", not(miri), not(all(loom, test))))]
fn wiped() -> Option<&'static AtomicU64> {
    crate::ring::word_wiped_on_fork()
}

#[cfg(not(all(target_os = "linux", not(miri), not(all(loom, test)))))]
fn wiped() -> Option<&'static AtomicU64> {
    None
}
