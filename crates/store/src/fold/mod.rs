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

/// Three hours of four tools, each name with so many bytes more.
#[cfg(test)]
pub(crate) fn of_tools(name_bytes: usize, dress: impl Fn(&mut Cell)) -> Folder {
    use tachograph_model::{UnixNanos, Window};

    let mut folder = Folder::new(FoldSpec::new(Grain::Hour), Window::ALL);
    for (tool, hour) in (0..4).flat_map(|tool| [(tool, 0), (tool, 1), (tool, 2)]) {
        let key = SeriesKey {
            event_type: "tool_call".into(),
            name: Some(format!("{tool}{}", "n".repeat(name_bytes)).into()),
            agent: None,
            source: None,
            r#type: None,
            status: None,
            error_type: None,
            success: None,
            hit: None,
        };
        let start = UnixNanos(Grain::Hour.nanos().unwrap_or(0) * hour);
        let mut cell = Cell::new(std::sync::Arc::new(key), start, false);
        dress(&mut cell);
        folder.push_cell(cell).expect("there is room");
    }
    folder
}
