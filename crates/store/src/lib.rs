//! The store: reads the log, seals it into Parquet segments with rollups, and
//! answers from all three as if they were one list of events.
//!
//! ```text
//! events.jsonl ──┐                 ┌─► segments/day=…/<id>.parquet    the events
//! events_*.jsonl ┴─ seal ──────────┼─► rollups/<tier>/day=…/<id>.parquet   cells
//!        │                         └─► manifest.json                 what counts
//!        └──────► Snapshot ◄──────────────────┘
//!                 cells(window, spec) · events(window)
//! ```
//!
//! ```
//! use tachograph_log::{Appender, Home};
//! use tachograph_model::{Column, Event, UnixNanos, Window};
//! use tachograph_store::{FoldSpec, Grain, SealOptions, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dir = tempfile::tempdir()?;
//! let home = Home::create(dir.path().join("home"))?;
//! let call = Event::new(UnixNanos::parse("2025-11-20T10:00:00Z", false)?, "tool_call")
//!     .with(Column::Name, "search")
//!     .with(Column::DurationMs, 12.5);
//! Appender::new(&home).append(&call.to_line())?;
//!
//! let store = Store::open(&home);
//! assert_eq!(store.seal(SealOptions::default())?.events, 1);
//!
//! let snapshot = store.snapshot()?;
//! let folded = snapshot.cells(Window::ALL, &FoldSpec::new(Grain::Day))?;
//! assert_eq!(folded.cells[0].count, 1);
//! assert_eq!(folded.cells[0].durations.sum(), 12.5);
//! assert_eq!(snapshot.events(Window::ALL)?.next(), Some(call));
//! # Ok(())
//! # }
//! ```
//!
//! What always holds:
//!
//! - An event counts once: it is in a segment that the manifest names, or in
//!   the part of a log that the manifest does not call sealed. A process may
//!   be killed between any two steps.
//! - Events come back equal to what was put.
//! - Rollups are derived: without them answers cost more, and are the same but
//!   for quantiles, which a rollup knows to 0.4 %.
//! - Bad data is no error: it is left out, a [`Note`] names it, and the rest
//!   answers. A sealed file is held against its checksum before it is read.
//! - A snapshot does not change.
#![deny(missing_docs)]

mod change;
mod compact;
mod decode;
mod disk;
mod doctor;
mod error;
mod fold;
mod manifest;
mod note;
mod recent;
mod recover;
mod retain;
mod rollup;
mod schema;
mod seal;
mod segment;
mod sessions;
mod snapshot;
mod stats;
mod store;

pub use compact::CompactReport;
pub use decode::{BATCH_ROWS, LogPart, LogScan};
pub use doctor::{Finding, RepairReport, Severity};
pub use error::StoreError;
pub use fold::{
    AGENTS_ARE_NAMES, Apart, Bound, Cell, Distribution, FirstNamed, FoldSpec, Folder, Grain,
    MEASURED, Only, SUMMED, SeriesKey, Sought, Unit, Whole,
};
pub use manifest::{Manifest, Retired, Segment, Source};
pub use note::{BrokenLine, Note};
pub use retain::{RetainReport, Retention};
pub use rollup::rollup_schema;
pub use schema::{
    EVENT_TYPE, EXTRA, SCHEMA_VERSION, SCHEMA_VERSION_KEY, TIMESTAMP, schema, schema_of,
};
pub use seal::{Hook, SealOptions, SealReport};
pub use sessions::began;
pub use snapshot::{Events, Folded, Listed, Snapshot, Whose, event_of};
pub use stats::StorageStats;
pub use store::Store;
