//! THE FOLD: batches of events in, cells out. Sealing (rollups), reports and
//! every question use this one.
//!
//! ```text
//! RecordBatch ──push──┐
//! rollup cells ─push──┼─► Folder ──finish──► Vec<Cell>   (series × stretch of time)
//! another Folder ─────┘
//! ```

mod cell;
mod codec;
mod distribution;
mod folder;

pub(crate) use cell::KEY_TEXTS;
pub use cell::{Cell, Grain, SUMMED, SeriesKey, Whole};
pub(crate) use codec::encode_state;
pub use distribution::Distribution;
pub use folder::{FOLDED_COLUMNS, FoldSpec, Folder};
