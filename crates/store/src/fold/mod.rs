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
mod crowd;
mod distribution;
mod first_named;
mod folder;
mod shared;
mod spec;

pub(crate) use cell::KEY_FLAGS;
pub use cell::{Cell, Grain, MEASURED, SUMMED, SeriesKey, Unit, Whole};
pub(crate) use codec::encode_state;
pub use crowd::Bound;
pub(crate) use crowd::Census;
pub use distribution::Distribution;
pub use first_named::FirstNamed;
pub use folder::Folder;
pub(crate) use folder::Taking;
pub(crate) use shared::Shared;
pub use spec::{AGENTS_ARE_NAMES, Apart, FoldSpec, Only, Sought};
