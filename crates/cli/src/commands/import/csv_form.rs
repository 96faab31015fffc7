//! Tables as CSV: our own export of events, and query metrics in both shapes,
//! of which a row becomes the same object that the JSON form has.

use std::io::BufRead;

use serde_json::{Map, Value as Json};
use tachograph_model::answer::SqlColumn;
use tachograph_model::render::csv::unguarded;
use tachograph_model::{Column, Type};

use super::read::{Body, Found, ReadError, Record};
use super::summary::Skipped;
use super::table::{Cell, Table};
use crate::row;

/// What a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Events, as `tacho export --format csv` writes them.
    Events,
    /// Queries of other tools.
    Queries,
}

/// Tells from its first line what a table holds, if it is one.
pub fn rows_under(heading: &[u8]) -> Option<Rows> {
    let text = std::str::from_utf8(heading).ok()?;
    let names: Vec<&str> = text
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    if is_of_events(&names) {
        return Some(Rows::Events);
    }
    let queries = names.contains(&"timestamp") && names.contains(&"query_id");
    queries.then_some(Rows::Queries)
}

/// Tells whether these are columns of `events`, the two that every event has
/// among them.
pub fn is_of_events(names: &[&str]) -> bool {
    let own = ["timestamp", "event_type"];
    own.iter().all(|name| names.contains(name))
        && names
            .iter()
            .all(|name| own.contains(name) || *name == "extra" || Column::by_name(name).is_some())
}

/// Gives every row to `take`.
///
/// # Errors
/// As [`super::read::records`].
pub fn rows(
    input: impl BufRead,
    holds: Rows,
    take: &mut dyn FnMut(Record<'_>) -> anyhow::Result<()>,
) -> Result<Found, ReadError> {
    let mut table = Table::new(input);
    let heading: Vec<String> = table
        .next()?
        .and_then(|row| row.cells)
        .unwrap_or_default()
        .iter()
        .map(|cell| {
            String::from_utf8_lossy(&cell.text)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_owned()
        })
        .collect();
    let columns: Vec<SqlColumn> = heading.iter().map(|name| column(name)).collect();
    let mut broken = Skipped::default();
    while let Some(row) = table.next()? {
        let line = row.line;
        let Some(cells) = row.cells else {
            broken.push(line, super::read::too_long());
            continue;
        };
        if cells.len() != heading.len() {
            broken.push(
                line,
                format!("{} cells instead of {}", cells.len(), heading.len()),
            );
            continue;
        }
        let body = match holds {
            Rows::Queries => object(&heading, &cells).map(Body::Object),
            Rows::Events => event(&columns, &cells).map(Body::Event),
        };
        match body {
            Ok(body) => take(Record {
                line,
                bytes_done: table.bytes(),
                body,
            })
            .map_err(ReadError::Taking)?,
            Err(reason) => broken.push(line, reason),
        }
    }
    Ok(Found {
        form: match holds {
            Rows::Queries => "query metrics (CSV)",
            Rows::Events => "events (CSV)",
        },
        broken,
    })
}

fn column(name: &str) -> SqlColumn {
    SqlColumn {
        name: name.to_owned(),
        r#type: String::new(),
        numeric: false,
    }
}

fn object(heading: &[String], cells: &[Cell]) -> Result<Map<String, Json>, String> {
    let mut object = Map::new();
    for (name, cell) in heading.iter().zip(cells) {
        object.insert(name.clone(), value(name, text(cell)?));
    }
    Ok(object)
}

fn text(cell: &Cell) -> Result<&str, String> {
    std::str::from_utf8(&cell.text).map_err(|_| "not UTF-8".to_owned())
}

/// A row of `events` as the line of the log that it came from.
fn event(columns: &[SqlColumn], cells: &[Cell]) -> Result<Vec<u8>, String> {
    let mut row = Vec::with_capacity(cells.len());
    for (column, cell) in columns.iter().zip(cells) {
        row.push(cell_of_event(&column.name, cell)?);
    }
    row::line(columns, &row)
}

fn cell_of_event(name: &str, cell: &Cell) -> Result<Json, String> {
    let text = text(cell)?;
    if text.is_empty() && !cell.quoted {
        return Ok(Json::Null);
    }
    let ty = Column::by_name(name).map_or(Type::Str, |column| column.def().ty);
    let json = match ty {
        Type::Str | Type::Json => Some(Json::from(unguarded(text))),
        Type::I64 => text.parse::<i64>().ok().map(Json::from),
        Type::F64 => text.parse::<f64>().ok().map(Json::from),
        Type::Bool => text.to_ascii_lowercase().parse().ok().map(Json::Bool),
        Type::List => serde_json::from_str::<Vec<String>>(text)
            .ok()
            .map(Json::from),
    };
    let json = json.filter(|json| !json.is_null());
    json.ok_or_else(|| {
        let short: String = text.chars().take(40).collect();
        format!("{name}: {short} does not fit the column")
    })
}

/// An empty cell is no value; the rest is what its column is. A cell that is
/// not stays a text, which the next step names.
fn value(name: &str, cell: &str) -> Json {
    const TEXTS: &[&str] = &[
        "query_id",
        "timestamp",
        "agent_type",
        "query_text",
        "error_type",
        "error_message",
    ];
    if name == "entities_detected" {
        return list(cell);
    }
    if cell.is_empty() {
        return Json::Null;
    }
    if TEXTS.contains(&name) {
        return Json::from(cell);
    }
    match cell {
        "True" | "true" => return Json::Bool(true),
        "False" | "false" => return Json::Bool(false),
        _ => {}
    }
    if let Ok(whole) = cell.parse::<i64>() {
        return Json::from(whole);
    }
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => Json::from(number),
        _ => Json::from(cell),
    }
}

/// A Python list as `repr` writes it, or names with commas between them.
fn list(cell: &str) -> Json {
    let cell = cell.trim();
    let Some(inner) = cell
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return cell
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(Json::from)
            .collect();
    };
    let mut names = Vec::new();
    let mut chars = inner.chars();
    while let Some(quote) = chars.by_ref().find(|c| matches!(c, '\'' | '"')) {
        let mut name = String::new();
        while let Some(c) = chars.next() {
            match c {
                c if c == quote => break,
                '\\' => name.extend(chars.next()),
                c => name.push(c),
            }
        }
        names.push(Json::from(name));
    }
    Json::Array(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_read_in_both_forms() {
        for (cell, expected) in [
            ("[]", json!([])),
            ("", json!([])),
            ("['payments', 'bills']", json!(["payments", "bills"])),
            ("[\"it's\"]", json!(["it's"])),
            ("['a\\'b']", json!(["a'b"])),
            (
                "customers,bills, payments",
                json!(["customers", "bills", "payments"]),
            ),
        ] {
            assert_eq!(list(cell), expected, "{cell}");
        }
    }

    #[test]
    fn cells_are_what_their_column_is() {
        assert_eq!(value("success", "True"), json!(true));
        assert_eq!(value("response_time_ms", "1656"), json!(1656));
        assert_eq!(value("query_complexity_score", "0.4"), json!(0.4));
        assert_eq!(value("error_type", ""), json!(null));
        assert_eq!(value("query_id", "17"), json!("17"));
        assert_eq!(value("response_time_ms", "soon"), json!("soon"));
    }
}
