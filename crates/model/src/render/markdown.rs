//! A sheet as Markdown, in the style of the fourth seed's report.

use super::sheet::{Cell, Sheet, Table};

/// Appends the sheet.
pub(super) fn write(out: &mut String, sheet: &Sheet) {
    out.push_str(&format!("## {}\n\n", sheet.title));
    for pair in &sheet.pairs {
        out.push_str(&format!(
            "- **{}:** {}\n",
            pair.label,
            escape(&pair.cell.shown())
        ));
    }
    if !sheet.pairs.is_empty() {
        out.push('\n');
    }
    for table in &sheet.tables {
        if let Some(title) = table.title {
            out.push_str(&format!("### {title}\n\n"));
        }
        write_table(out, &table.dense());
        out.push('\n');
    }
}

fn write_table(out: &mut String, table: &Table) {
    let mut heading = format!("| {} |", table.name);
    let mut rule = "|---|".to_owned();
    for (at, (title, _)) in table.columns.iter().enumerate() {
        let right = table.rows.iter().all(|(_, cells)| cells[at].is_numeric());
        heading.push_str(&format!(" {title} |"));
        rule.push_str(if right { "---:|" } else { "---|" });
    }
    out.push_str(&heading);
    out.push('\n');
    out.push_str(&rule);
    out.push('\n');
    for (name, cells) in &table.rows {
        out.push_str(&format!(
            "| {} |",
            escape(&Cell::Text(name.clone()).shown())
        ));
        for cell in cells {
            out.push_str(&format!(" {} |", escape(&cell.shown())));
        }
        out.push('\n');
    }
}

/// Escapes what would end a cell or start markup.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out
}
