//! Errors as a sheet.

use super::sheet::{Cell, Sheet, Table};
use crate::answer::{ErrorGroup, Errors};

pub(super) fn sheet(found: &Errors) -> Sheet {
    let mut sheet = Sheet::new("errors", "Errors", "❌");
    sheet.pair("Failures", "failures", Cell::Count(found.total));
    let columns = [
        ("Count", "count"),
        ("Where", "where"),
        ("First", "first"),
        ("Last", "last"),
    ];
    let mut table = Table::new("errors", "Error", &columns).least(&["first"]);
    for group in &found.groups {
        table.row(
            &group.error_type,
            vec![
                Cell::Count(group.count),
                Cell::Text(origin(group)),
                Cell::Time(group.first),
                Cell::Time(group.last),
            ],
        );
    }
    sheet.table(table);
    sheet
}

/// `tool_call search`, `llm_call anthropic/claude`.
fn origin(group: &ErrorGroup) -> String {
    match (&group.source, &group.name) {
        (Some(source), Some(name)) => format!("{} {source}/{name}", group.event_type),
        (Some(one), None) | (None, Some(one)) => format!("{} {one}", group.event_type),
        (None, None) => group.event_type.clone(),
    }
}
