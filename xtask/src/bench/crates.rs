//! The benches of the crates, run by `cargo bench`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Row, asked, divan};
use crate::workspace::{cargo, output};

pub(crate) struct CrateBench {
    /// `tachograph-store/seal`: package and bench.
    pub(crate) name: String,
    package: String,
    bench: String,
}

/// Every `[[bench]]` of the workspace.
pub(crate) fn list() -> Result<Vec<CrateBench>> {
    let mut command = cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let all: Value = serde_json::from_str(&output(&mut command)?)?;
    let mut found = Vec::new();
    for package in all["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            if target["kind"][0] != "bench" {
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (package, bench) = (text(&package["name"]), text(&target["name"]));
            let name = format!("{package}/{bench}");
            found.push(CrateBench {
                name,
                package,
                bench,
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl CrateBench {
    /// Runs it, shows what it prints and collects the table rows in it.
    pub(crate) fn run(&self) -> Result<Vec<Row>> {
        let mut command = cargo();
        command.args(["bench", "--package", &self.package, "--bench", &self.bench]);
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let pipe = child.stdout.take().context("no output to read")?;
        let mut rows = Vec::new();
        let mut divan = divan::Reader::default();
        for line in BufReader::new(pipe).lines() {
            let line = line?;
            println!("{line}");
            divan.line(&line);
            rows.extend(row(&line));
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("cargo bench ended with {status}");
        }
        rows.extend(asked::rows(&self.name, &divan.medians));
        if rows.is_empty() {
            bail!("{} printed no row of five cells", self.name);
        }
        Ok(rows)
    }
}

/// A table line of five cells that is neither heading nor rule.
fn row(line: &str) -> Option<Row> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<String> = inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect();
    let [what, asked, measured, twin, ratio] = <[String; 5]>::try_from(cells).ok()?;
    let heading = what == "what" || what.starts_with("--") || what.starts_with(":-");
    (!heading).then_some(Row {
        what,
        asked,
        measured,
        twin,
        ratio,
    })
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn rows_are_told_from_other_lines() {
        let found = row("| record | ≤ 60 ns | 41 ns | 410 ns | 0.10 |");
        assert_eq!(found.map(|row| row.measured), Some("41 ns".to_owned()));
        for other in [
            "| what | asked | measured | twin | ratio |",
            "|---|---|---|---|---|",
            "| --- | --- | --- | --- | --- |",
            "| two | cells |",
            "running 3 benches",
        ] {
            assert_eq!(row(other), None, "for {other}");
        }
    }
}
