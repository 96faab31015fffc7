//! Sessions as a sheet.

use super::sheet::{Cell, Sheet, Table};
use crate::answer::Sessions;

pub(super) fn sheet(found: &Sessions) -> Sheet {
    let mut sheet = Sheet::new("sessions", "Sessions", "🕑");
    sheet.pair("Started", "started", Cell::Count(found.started));
    sheet.pair("Ended", "ended", Cell::Count(found.ended));
    sheet.durations(found.duration_ms);
    sheet.pair(
        "Avg tokens at the start",
        "mean_initial_tokens",
        found.mean_initial_tokens.map(Cell::Number),
    );
    sheet.pair(
        "Avg tokens loaded",
        "mean_tokens",
        found.mean_tokens.map(Cell::Number),
    );
    sheet.pair(
        "Avg agents loaded",
        "mean_agents",
        found.mean_agents.map(Cell::Number),
    );
    let columns = [
        ("Started", "started"),
        ("Ended", "ended"),
        ("p50", "p50_ms"),
        ("p95", "p95_ms"),
    ];
    let mut table = Table::new("sessions", "Type", &columns);
    for kind in &found.types {
        table.row(
            &kind.name,
            vec![
                Cell::Count(kind.started),
                Cell::Count(kind.ended),
                kind.duration_ms.map(|s| Cell::Ms(s.p50)).into(),
                kind.duration_ms.map(|s| Cell::Ms(s.p95)).into(),
            ],
        );
    }
    sheet.table(table);
    sheet
}
