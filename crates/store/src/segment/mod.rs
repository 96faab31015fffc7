//! Segments: sealed events as Parquet.
//!
//! ```text
//! segments/day=2025-11-20/<id>.parquet
//!   one day (UTC) · sorted by series, then time · texts zstd · page index ·
//!   bloom filters on the ids · metadata: schema version, which logs it holds
//! ```
//!
//! Sorted by series, all columns of the key and most of the others become runs
//! that cost nothing, rare types of event lie together, and a fold meets a
//! series once. Time, sorted within a series, is delta-packed.

mod read;
mod sort;
mod write;

pub(crate) use read::{Scan, batch_of, conform, unless_it_panics};
pub(crate) use sort::{Sorted, sort_by_day};
pub(crate) use write::{Batch, compression, write_file, write_segment};
