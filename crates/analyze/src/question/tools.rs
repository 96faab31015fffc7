//! Tools: the third seed's tool metrics over any window.

use tachograph_model::UnixNanos;
use tachograph_model::answer::{Tool, Tools};

use super::tallies;
use crate::cells::{self, Cells, Row};

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Tools {
    let rows = cells.of("tool_call");
    Tools {
        tools: cells::groups(rows, |row| Some(row.name()))
            .into_iter()
            .map(|(name, rows)| tool(name, &rows))
            .collect(),
        calls: cells::outcomes(rows),
        duration_ms: cells::durations(rows).spread(),
    }
}

fn tool(name: &str, rows: &[&Row]) -> Tool {
    let calls = cells::outcomes(rows.iter().copied());
    let failed = rows
        .iter()
        .copied()
        .filter(|row| row.key().success == Some(false));
    Tool {
        name: name.to_owned(),
        calls,
        success_ratio: calls.success_ratio(),
        duration_ms: cells::durations(rows.iter().copied()).spread(),
        errors: tallies(failed, |row| row.key().error_type.as_deref()),
        first: first(rows),
        last: last(rows),
    }
}

pub(crate) fn first(rows: &[&Row]) -> UnixNanos {
    let first = rows.iter().map(|row| row.cell.first).min();
    first.unwrap_or(UnixNanos::MAX)
}

pub(crate) fn last(rows: &[&Row]) -> UnixNanos {
    let last = rows.iter().map(|row| row.cell.last).max();
    last.unwrap_or(UnixNanos::MIN)
}
