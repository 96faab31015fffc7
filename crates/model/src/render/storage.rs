//! What lies on disk: the first seed's keys, and a sheet.

use serde_json::{Value, json};

use super::sheet::{Cell, Sheet};
use super::{Style, iso, text};
use crate::answer::Storage;

/// `get_storage_stats()`; `folder` is where it lies.
pub fn json(found: &Storage, folder: &str) -> Value {
    json!({
        "file_count": found.files(),
        "total_events": found.events(),
        "total_size_bytes": found.bytes(),
        "latest_event_time": found.latest.map(iso),
        "storage_dir": folder,
    })
}

/// As text, under its own heading.
pub fn page(found: &Storage, folder: &str, style: Style) -> String {
    let mut out = String::new();
    let mut sheet = sheet(found);
    sheet.pair("Folder", "folder", Cell::Text(folder.to_owned()));
    text::write(&mut out, &sheet, style, 0);
    style.glyphs.fit(out)
}

pub(super) fn sheet(found: &Storage) -> Sheet {
    let mut sheet = Sheet::new("storage", "Storage", "🗄️");
    sheet.pair("Files", "files", Cell::Count(found.files()));
    sheet.pair("Events", "events", found.events().map(Cell::Count));
    sheet.pair("Size", "bytes", Cell::Bytes(found.bytes()));
    sheet.pair("Log files", "log_files", Cell::Count(found.log_files));
    sheet.pair("Log size", "log_bytes", Cell::Bytes(found.log_bytes));
    sheet.pair("Segments", "segments", Cell::Count(found.segments));
    sheet.pair(
        "Segments' size",
        "segment_bytes",
        Cell::Bytes(found.segment_bytes),
    );
    sheet.pair(
        "Rollups' size",
        "rollup_bytes",
        Cell::Bytes(found.rollup_bytes),
    );
    sheet.pair("Earliest event", "earliest", found.earliest.map(Cell::Time));
    sheet.pair("Latest event", "latest", found.latest.map(Cell::Time));
    sheet
}
