//! The log on disk: one JSON Lines file that many processes append to, its
//! rotated predecessors, and the folder they lie in.
//!
//! ```text
//! home/
//!   events.jsonl                           appended to under events.lock, whole lines, one write a batch
//!   events_20251120_110000_123456.jsonl    renamed at 10 MiB, never written again
//!   events.lock  ring_dirs  salt  lock  segments/  rollups/  manifest.json
//! ```
//!
//! ```
//! use tachograph_log::{Appender, Home};
//! # let dir = tempfile::tempdir()?;
//! let home = Home::create(dir.path().join("home"))?;
//! let log = Appender::new(&home);
//! let at = log.append(b"{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"error\"}\n")?;
//! assert_eq!((at.offset, at.len), (0, 63));
//! assert_eq!(home.files()?.files.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//! - A writer holds the *exclusive* lock for one batch, so the offset it is
//!   told before the write is where its bytes come to lie: crash recovery can
//!   look there and tell exactly how much of a batch arrived. (A shared lock
//!   would let two writers interleave between learning the offset and writing;
//!   with batches, exclusion costs next to nothing.)
//! - The lock is a file of its own that is never renamed, so that rotation
//!   cannot slip in between two writers that lock different inodes.
//! - A write that fails leaves nothing behind: the file is cut back. Where even
//!   that is refused, the caller is told which lines are there.
//! - The lock's file is open only while the lock is held, so that children that
//!   a writer forks have no share in it; see [`Appender::lock`].
//! - A torn last line, of a writer that was killed, is ended before anything
//!   is added, so that it never swallows the line after it.
//! - Rotation happens before a write, under the same lock, and never replaces
//!   a file.
//! - Works in place on a folder of the first seed, whose writer knows no lock:
//!   appending is `O_APPEND`, so nothing of its is ever overwritten.
#![deny(missing_docs)]

mod append;
mod durable;
mod files;
mod follow;
mod home;
mod salt;
mod write;

pub use append::{AppendError, Appended, Appender, Locked, Placement, ROTATE_BYTES};
pub use durable::DurableLog;
pub use files::{FileId, Listing, LogFile};
pub use follow::Follower;
pub use home::{Home, HomeError};
pub use salt::random_bytes;
