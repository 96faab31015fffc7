//! Query metrics as CSV, in both shapes: a row becomes the same object that
//! the JSON form has.

use std::io::Read;

use serde_json::{Map, Value as Json};

use super::read::{Body, Found, ReadError, Record};

/// Tells whether a file's first line is the heading of query metrics.
pub fn is_heading(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else {
        return false;
    };
    let mut columns = text.split(',').map(|name| name.trim().trim_matches('"'));
    columns.clone().any(|name| name == "timestamp") && columns.any(|name| name == "query_id")
}

/// Gives every row to `take`.
///
/// # Errors
/// As [`super::read::records`].
pub fn rows(
    input: impl Read,
    take: &mut dyn FnMut(Record<'_>) -> anyhow::Result<()>,
) -> Result<Found, ReadError> {
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let heading = table
        .byte_headers()
        .map_err(|error| ReadError::Input(error.to_string()))?;
    let heading: Vec<String> = heading
        .iter()
        .map(|name| {
            String::from_utf8_lossy(name)
                .trim_start_matches('\u{feff}')
                .trim()
                .to_owned()
        })
        .collect();
    let mut broken = Vec::new();
    let mut row = csv::ByteRecord::new();
    loop {
        let line = table.position().line();
        match table.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                broken.push((line, error.to_string()));
                continue;
            }
        }
        let line = row.position().map_or(line, csv::Position::line);
        if row.len() != heading.len() {
            broken.push((
                line,
                format!("{} cells instead of {}", row.len(), heading.len()),
            ));
            continue;
        }
        let bytes_done = table.position().byte();
        match object(&heading, &row) {
            Some(object) => take(Record {
                line,
                bytes_done,
                body: Body::Object(object),
            })
            .map_err(ReadError::Taking)?,
            None => broken.push((line, "not UTF-8".to_owned())),
        }
    }
    Ok(Found {
        form: "query metrics (CSV)",
        broken,
    })
}

fn object(heading: &[String], row: &csv::ByteRecord) -> Option<Map<String, Json>> {
    let mut object = Map::new();
    for (name, cell) in heading.iter().zip(row) {
        let cell = std::str::from_utf8(cell).ok()?;
        object.insert(name.clone(), value(name, cell));
    }
    Some(object)
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
