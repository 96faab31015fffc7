//! The table as Markdown, and the page in the docs that keeps the last figures.

use std::fs;

use anyhow::{Context, Result};

use super::{Row, machine};
use crate::workspace::root;

const PAGE: &str = "docs/benchmarks.md";
const OPENING: &str = "# Benchmarks

Written by `cargo xtask bench --write`; do not edit. Each section says what was asked,
what was measured, and what a naive or rival twin took in the same run. `ratio` is
ours ÷ twin: below 1 ours is faster or smaller. Times are medians, memory is the peak.
";

pub(crate) fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| what | asked | measured | twin | ratio |\n|---|---|---|---|---|\n");
    for row in rows {
        let cells = [&row.what, &row.asked, &row.measured, &row.twin, &row.ratio];
        let cells = cells.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// Replaces the sections that were measured now and keeps the others.
pub(crate) fn write(tables: &[(String, Vec<Row>)]) -> Result<()> {
    let path = root().join(PAGE);
    let old = fs::read_to_string(&path).unwrap_or_default();
    fs::create_dir_all(root().join("docs"))?;
    fs::write(&path, merge(&old, tables, &machine::describe()))
        .with_context(|| format!("cannot write {PAGE}"))?;
    println!("wrote {PAGE}");
    Ok(())
}

fn merge(old: &str, tables: &[(String, Vec<Row>)], machine: &str) -> String {
    let name = |section: &str| section.lines().next().unwrap_or_default().trim().to_owned();
    let mut sections: Vec<(String, String)> = old
        .split("\n## ")
        .skip(1)
        .map(|section| (name(section), section.trim_end().to_owned()))
        .filter(|(name, _)| !tables.iter().any(|(measured, _)| measured == name))
        .collect();
    for (name, rows) in tables {
        let section = format!("{name}\n\n{machine}\n\n{}", table(rows));
        sections.push((name.clone(), section.trim_end().to_owned()));
    }
    sections.sort();
    let bodies = sections.iter().map(|(_, body)| format!("\n## {body}\n"));
    format!("{OPENING}{}", bodies.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{Row, merge};

    #[test]
    fn sections_are_replaced_one_by_one() {
        let rows = |measured: &str| vec![Row::new("a|b", "≤ 1", measured)];
        let both = [("a".to_owned(), rows("1")), ("b".to_owned(), rows("2"))];
        let first = merge("", &both, "old machine");
        assert_eq!(first.matches("\n## ").count(), 2);
        let second = merge(&first, &[("b".to_owned(), rows("3"))], "new machine");
        assert_eq!(second.matches("\n## ").count(), 2);
        assert!(second.contains("| a\\|b | ≤ 1 | 1 |") && second.contains("| 3 |"));
        assert!(!second.contains("| 2 |"));
        assert!(second.contains("old machine") && second.contains("new machine"));
        assert_eq!(
            merge(&second, &[], ""),
            second,
            "nothing measured, nothing changed"
        );
    }
}
