//! Tools as a sheet.

use super::sheet::{Cell, DURATIONS, Sheet, Table, durations, ratio, some};
use crate::answer::{Tally, Tools};

pub(super) fn sheet(found: &Tools) -> Sheet {
    let mut sheet = Sheet::new("tools", "Tools", "🔧");
    sheet.pair("Calls", "calls", Cell::Count(found.calls.total()));
    sheet.pair(
        "Success rate",
        "success_ratio",
        ratio(found.calls.success_ratio()),
    );
    sheet.durations(found.duration_ms);
    let mut columns = vec![
        ("Calls", "calls"),
        ("Failed", "failed"),
        ("Success", "success_ratio"),
    ];
    columns.extend(DURATIONS);
    columns.extend([("Min", "min_ms"), ("Max", "max_ms"), ("Errors", "errors")]);
    let mut table = Table::new("tools", "Tool", &columns)
        .least(&["min_ms", "max_ms", "avg_ms", "p99_ms", "errors"]);
    let mut busiest: Vec<_> = found.tools.iter().collect();
    busiest.sort_by_key(|tool| std::cmp::Reverse(tool.calls.total()));
    for tool in busiest {
        let mut cells = vec![
            Cell::Count(tool.calls.total()),
            some(tool.calls.failed),
            ratio(tool.success_ratio),
        ];
        cells.extend(durations(tool.duration_ms));
        cells.push(tool.duration_ms.map(|s| Cell::Ms(s.min)).into());
        cells.push(tool.duration_ms.map(|s| Cell::Ms(s.max)).into());
        cells.push(tallies(&tool.errors));
        table.row(&tool.name, cells);
    }
    sheet.table(table);
    sheet
}

/// `TimeoutError 3, ValueError 1`.
pub(super) fn tallies(tallies: &[Tally]) -> Cell {
    if tallies.is_empty() {
        return Cell::Nothing;
    }
    let words: Vec<String> = tallies
        .iter()
        .map(|tally| format!("{} {}", tally.name, tally.count))
        .collect();
    Cell::Text(words.join(", "))
}
