//! THE MEMORY: log, segments, rollups; sealing, retention, recovery.
#![deny(missing_docs)]

mod decode;
mod error;
mod fold;
mod manifest;
mod note;
mod schema;
mod snapshot;
mod store;

pub use decode::{BATCH_ROWS, LogPart, LogScan};
pub use error::StoreError;
pub use fold::{
    Cell, Distribution, FOLDED_COLUMNS, FoldSpec, Folder, Grain, SUMMED, SeriesKey, Whole,
};
pub use manifest::Segment;
pub use note::{BrokenLine, Note};
pub use schema::{EVENT_TYPE, EXTRA, SCHEMA_VERSION, TIMESTAMP, schema, schema_of};
pub use snapshot::{Folded, Snapshot};
pub use store::Store;
