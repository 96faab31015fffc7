//! A sheet as text, in the taste of the first seed's report.

use super::sheet::{Cell, Sheet, Table};
use super::width::{clean, cut, pad, width};
use super::{Style, human};

/// Fewest columns a name is cut to.
const NAME_AT_LEAST: usize = 12;

/// Appends the sheet; of each table at most `rows` rows (0: all).
pub(super) fn write(out: &mut String, sheet: &Sheet, style: Style, rows: usize) {
    out.push_str(&style.heading(sheet.emoji, &format!("{}:", sheet.title)));
    out.push('\n');
    for pair in &sheet.pairs {
        out.push_str(&format!("  {}: {}\n", pair.label, pair.cell.shown()));
    }
    for line in &sheet.lines {
        out.push_str(&format!("  {line}\n"));
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
    let mut lines: Vec<(String, Vec<String>)> = vec![(
        table.name.to_owned(),
        table.columns.iter().map(|c| c.0.to_owned()).collect(),
    )];
    for (name, cells) in table.rows.iter().take(limit) {
        lines.push((clean(name), cells.iter().map(Cell::shown).collect()));
    }
    let right: Vec<bool> = (0..table.columns.len())
        .map(|at| table.rows.iter().all(|(_, cells)| cells[at].is_numeric()))
        .collect();
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|at| {
            lines
                .iter()
                .map(|(_, cells)| width(&cells[at]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let rest: usize = indent + widths.iter().map(|width| width + 2).sum::<usize>();
    let longest = lines.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let name_width = match style.width {
        Some(columns) => longest.min(columns.saturating_sub(rest).max(NAME_AT_LEAST)),
        None => longest,
    };
    for (name, cells) in lines {
        let mut line = " ".repeat(indent);
        line.push_str(&pad(&cut(&name, name_width), name_width, false));
        for ((cell, width), right) in cells.iter().zip(&widths).zip(&right) {
            line.push_str("  ");
            line.push_str(&pad(cell, *width, *right));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if table.rows.len() > limit {
        let more = human::thousands((table.rows.len() - limit) as i128);
        out.push_str(&format!("{}… and {more} more\n", " ".repeat(indent)));
    }
}
