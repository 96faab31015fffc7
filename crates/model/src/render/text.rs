//! A sheet as text, in the taste of the first seed's report.

use super::grid::{Column, Grid};
use super::sheet::{Cell, Sheet, Table};
use super::width::clean;
use super::{Style, human};

/// Fewest terminal columns that words are cut to: `anthropic/claude-sonnet` must
/// still differ from `anthropic/claude-opus`. Rather columns go.
const WORDS_AT_LEAST: usize = 24;

/// Appends the sheet; of each table at most `rows` rows (0: all).
pub(super) fn write(out: &mut String, sheet: &Sheet, style: Style, rows: usize) {
    out.push_str(&style.heading(sheet.emoji, &format!("{}:", sheet.title)));
    out.push('\n');
    for pair in &sheet.pairs {
        let line = format!("  {}: {}", pair.label, pair.cell.shown());
        out.push_str(&style.folded(&line, 4));
        out.push('\n');
    }
    for line in &sheet.lines {
        out.push_str(&style.folded(&format!("  {line}"), 4));
        out.push('\n');
    }
    let tables = sheet.tables.iter().filter(|table| table.in_text);
    for (at, table) in tables.enumerate() {
        if at > 0 || !sheet.pairs.is_empty() || !sheet.lines.is_empty() {
            out.push('\n');
        }
        write_table(out, table, style, rows);
    }
}

fn write_table(out: &mut String, table: &Table, style: Style, limit: usize) {
    let table = table.dense();
    let mut indent = 2;
    if let Some(title) = table.title {
        out.push_str(&format!("  {title}:\n"));
        indent = 4;
    }
    let limit = if limit == 0 { table.rows.len() } else { limit };
    let mut grid = Grid {
        columns: vec![Column::words(table.name).cut_to(WORDS_AT_LEAST)],
        rows: Vec::new(),
    };
    grid.columns
        .extend((0..table.columns.len()).map(|at| column(&table, at)));
    let more = table.rows.len().saturating_sub(limit);
    // Of days the last are news.
    let first = if table.newest_last { more } else { 0 };
    for (name, cells) in table.rows.iter().skip(first).take(limit) {
        let cells = cells.iter().map(Cell::shown);
        grid.rows
            .push([clean(name)].into_iter().chain(cells).collect());
    }
    out.push_str(&grid.text(indent, style.width, str::to_owned));
    if more > 0 {
        let word = if table.newest_last { "earlier" } else { "more" };
        let more = human::thousands(more as i128);
        out.push_str(&format!("{}… and {more} {word}\n", " ".repeat(indent)));
    }
}

fn column(table: &Table, at: usize) -> Column {
    let (title, metric) = table.columns[at];
    let cells = || table.rows.iter().map(|(_, cells)| &cells[at]);
    let column = if cells().all(Cell::is_numeric) {
        Column::figures(title)
    } else if cells().any(|cell| matches!(cell, Cell::Time(_))) {
        Column::words(title).whole()
    } else {
        Column::words(title).cut_to(WORDS_AT_LEAST)
    };
    match table.least.iter().position(|least| *least == metric) {
        Some(place) => column.importance(place as u8),
        None => column,
    }
}
