//! The result of a query in SQL: table, Markdown, CSV, JSON.

use serde_json::{Map, Value};

use super::grid::{Column, Grid};
use super::width::clean;
use super::{Style, csv, human, markdown};
use crate::answer::{Sql, SqlColumn};

/// Aligned columns; numbers go to the right. In a terminal the widest columns
/// of words are cut until the row fits, then the last columns go.
pub fn text(found: &Sql, style: Style) -> String {
    let column = |column: &SqlColumn| match column.numeric {
        true => Column::figures(clean(&column.name)),
        // The start of a time says nothing.
        false if column.r#type.starts_with("Timestamp") => {
            Column::words(clean(&column.name)).whole()
        }
        false => Column::words(clean(&column.name)).cut_to(16),
    };
    let row = |row: &Vec<Value>| row.iter().map(|value| clean(&shown(value))).collect();
    let grid = Grid {
        columns: found.columns.iter().map(column).collect(),
        rows: found.rows.iter().map(row).collect(),
    };
    let mut out = grid.text(0, style.width, |line| style.heading("", line));
    let more = if found.truncated {
        ", and there are more"
    } else {
        ""
    };
    let rows = human::counted(found.rows.len() as u64, "row", "rows");
    out.push_str(&format!("({rows}{more})\n"));
    style.glyphs.fit(out)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A header, then a row a line; text is guarded against formulas.
pub fn csv(found: &Sql) -> String {
    let names: Vec<String> = found
        .columns
        .iter()
        .map(|column| csv::text(&column.name))
        .collect();
    let mut out = names.join(",");
    out.push('\n');
    for row in &found.rows {
        out.push_str(&csv::row_of(row));
    }
    out
}

/// An array of objects.
pub fn json(found: &Sql) -> Value {
    Value::Array(objects(found).map(Value::Object).collect())
}

/// An object a line.
pub fn jsonl(found: &Sql) -> String {
    objects(found)
        .map(|object| format!("{}\n", Value::Object(object)))
        .collect()
}

fn objects(found: &Sql) -> impl Iterator<Item = Map<String, Value>> {
    let names: Vec<&str> = found
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    found.rows.iter().map(move |row| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(row.iter().cloned())
            .collect()
    })
}

/// An object with the columns, in their order and with their types, and the rows
/// as lists: nothing is lost where two columns have one name.
pub fn table(found: &Sql) -> String {
    serde_json::to_string(found).unwrap_or_default()
}

/// A table.
pub fn markdown(found: &Sql) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let names: Vec<String> = found
        .columns
        .iter()
        .map(|column| markdown::escape(&column.name))
        .collect();
    let rule: String = found
        .columns
        .iter()
        .map(|column| if column.numeric { "---:|" } else { "---|" })
        .collect();
    let mut out = format!("{}|{rule}\n", line(&names));
    for row in &found.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|value| markdown::escape(&clean(&shown(value))))
            .collect();
        out.push_str(&line(&cells));
    }
    out
}
