//! CSV: RFC 4180 quoting, and no cell that a spreadsheet would run.

use super::sheet::{Cell, Sheet};

/// The header of a sheet's rows.
pub const HEADER: &str = "section,name,metric,value\n";

/// Appends the sheet as tidy rows: section, name, metric, value.
pub(super) fn write(out: &mut String, sheet: &Sheet) {
    for pair in &sheet.pairs {
        row(out, [sheet.key, "", pair.metric], &pair.cell);
    }
    for table in &sheet.tables {
        for (name, cells) in &table.rows {
            for ((_, metric), cell) in table.columns.iter().zip(cells) {
                if *cell != Cell::Nothing {
                    row(out, [table.key, name, metric], cell);
                }
            }
        }
    }
}

fn row(out: &mut String, words: [&str; 3], value: &Cell) {
    for word in words {
        out.push_str(&text(word));
        out.push(',');
    }
    let raw = value.raw();
    if value.is_numeric() {
        out.push_str(&raw);
    } else {
        out.push_str(&text(&raw));
    }
    out.push('\n');
}

/// A cell of text: an apostrophe before what a spreadsheet would take for a
/// formula (OWASP's "CSV injection" list: = + - @, tab, carriage return), then
/// quoted where RFC 4180 demands it. Numbers must not pass through here.
pub fn text(text: &str) -> String {
    quoted(&guarded(text))
}

/// Puts an apostrophe before what a spreadsheet would take for a formula, and
/// before apostrophes that stand before such: [`unguarded`] gives the text back.
pub fn guarded(text: &str) -> std::borrow::Cow<'_, str> {
    if is_formula(text) {
        return format!("'{text}").into();
    }
    text.into()
}

/// Takes away the apostrophe that [`guarded`] put there.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text) => text,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A row of values as a line; text is guarded against formulas, numbers are
/// not. No value is nothing at all, an empty text two quotes.
pub fn row_of(row: &[serde_json::Value]) -> String {
    use serde_json::Value;
    let cells: Vec<String> = row
        .iter()
        .map(|value| match value {
            Value::Null => String::new(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::String(empty) if empty.is_empty() => "\"\"".to_owned(),
            Value::String(cell) => text(cell),
            other => text(&other.to_string()),
        })
        .collect();
    cells.join(",") + "\n"
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
