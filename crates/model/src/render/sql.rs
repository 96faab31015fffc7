//! The result of a query in SQL: table, Markdown, CSV, JSON.

use serde_json::{Map, Value};

use super::width::{clean, cut, pad, width};
use super::{Style, csv, human, markdown};
use crate::answer::Sql;

/// Aligned columns; numbers go to the right. In a terminal the widest columns
/// of words are cut until the row fits.
pub fn text(found: &Sql, style: Style) -> String {
    let cells: Vec<Vec<String>> = found
        .rows
        .iter()
        .map(|row| row.iter().map(|value| clean(&shown(value))).collect())
        .collect();
    let headings: Vec<String> = found
        .columns
        .iter()
        .map(|column| clean(&column.name))
        .collect();
    let mut widths: Vec<usize> = headings.iter().map(|name| width(name)).collect();
    for row in &cells {
        for (most, cell) in widths.iter_mut().zip(row) {
            *most = (*most).max(width(cell));
        }
    }
    if let Some(columns) = style.width {
        let words: Vec<bool> = found.columns.iter().map(|column| !column.numeric).collect();
        fit(&mut widths, &words, columns);
    }
    let line = |cells: &[String]| -> String {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .zip(&found.columns)
            .map(|((cell, width), column)| pad(&cut(cell, *width), *width, column.numeric))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = style.heading("", &line(&headings));
    out.push('\n');
    for row in &cells {
        out.push_str(&line(row));
        out.push('\n');
    }
    let s = if cells.len() == 1 { "" } else { "s" };
    let more = if found.truncated {
        ", and there are more"
    } else {
        ""
    };
    out.push_str(&format!(
        "({} row{s}{more})\n",
        human::thousands(cells.len() as i128)
    ));
    out
}

/// Narrows the widest column of words, again and again, until all fit.
fn fit(widths: &mut [usize], words: &[bool], columns: usize) {
    const AT_LEAST: usize = 8;
    let gaps = 2 * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > columns {
        let widest = (0..widths.len())
            .filter(|&at| words.get(at) == Some(&true) && widths[at] > AT_LEAST)
            .max_by_key(|&at| widths[at]);
        match widest {
            Some(at) => widths[at] -= 1,
            None => return,
        }
    }
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
        let cells: Vec<String> = row
            .iter()
            .map(|value| match value {
                Value::Null => String::new(),
                Value::Number(number) => number.to_string(),
                Value::Bool(yes) => yes.to_string(),
                Value::String(text) => csv::text(text),
                other => csv::text(&other.to_string()),
            })
            .collect();
        out.push_str(&cells.join(","));
        out.push('\n');
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
