//! THE MEMORY: log, segments, rollups; sealing, retention, recovery.
#![deny(missing_docs)]

mod compact;
mod decode;
mod disk;
mod doctor;
mod error;
mod fold;
mod manifest;
mod note;
mod recover;
mod retain;
mod rollup;
mod schema;
mod seal;
mod segment;
mod snapshot;
mod stats;
mod store;

pub use compact::CompactReport;
pub use decode::{BATCH_ROWS, LogPart, LogScan};
pub use doctor::{Finding, RepairReport, Severity};
pub use error::StoreError;
pub use fold::{
    Cell, Distribution, FOLDED_COLUMNS, FoldSpec, Folder, Grain, SUMMED, SeriesKey, Whole,
};
pub use manifest::{Manifest, Retired, Segment, Source};
pub use note::{BrokenLine, Note};
pub use retain::{RetainReport, Retention};
pub use rollup::rollup_schema;
pub use schema::{
    EVENT_TYPE, EXTRA, SCHEMA_VERSION, SCHEMA_VERSION_KEY, TIMESTAMP, schema, schema_of,
};
pub use seal::{Hook, SealOptions, SealReport};
pub use snapshot::{Events, Folded, Snapshot, event_of};
pub use stats::StorageStats;
pub use store::Store;
