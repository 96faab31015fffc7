//! `cargo xtask test`: everything that must hold before a change is taken.
//!
//! One dev build serves all tests: `cargo test --workspace` with the features of the
//! whole workspace, so that DataFusion is compiled once. The lints come after it and
//! need no machine code, only a check of the same crates.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::{self, cargo};
use crate::{alerts, clients, codegen, crash, grafana, page, python};

/// Where tests find the interpreter of `target/venv`; unset means they leave it out.
const PYTHON: &str = "TACHOGRAPH_TEST_PYTHON";

/// Steps that count what failed in them themselves.
const COUNTED: [&str; 5] = ["tests", "real clients", "dashboards", "page", "alerts"];

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the lints (the slowest step after a change to a dependency)
    #[arg(long)]
    no_lint: bool,
    /// Passed on to `cargo test`, such as `-p tachograph-model`; then only tests run
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    cargo: Vec<String>,
}

#[derive(Default, Debug, PartialEq)]
pub(crate) struct Count {
    passed: u64,
    failed: u64,
}

struct Step {
    name: &'static str,
    ok: bool,
    took: Duration,
}

/// Runs all steps, even after one failed; gives true if all held.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let everything = options.cargo.is_empty();
    let mut steps = Vec::new();
    let mut count = Count::default();

    if everything {
        steps.push(step("format", || {
            status(cargo().args(["fmt", "--all", "--check"]))
        })?);
    }
    let mut tests = cargo();
    tests.args(["test", "--no-fail-fast"]);
    if workspace::on_ci() {
        tests.arg("--locked");
    }
    if everything {
        tests.arg("--workspace");
        steps.push(step("python", || referee(&mut tests))?);
    } else {
        tests.args(&options.cargo);
        if workspace::target_dir().join("venv").is_dir() {
            referee(&mut tests)?;
        }
    }
    steps.push(step("tests", || {
        let ok = counted(&mut tests, &mut count)?;
        // A build that failed or a test program that died left no line to count.
        count.failed += u64::from(!ok && count.failed == 0);
        Ok(ok)
    })?);
    if everything {
        let tacho = clients::built();
        let mut counting = |name, check: &dyn Fn(&mut Count) -> Result<bool>| {
            step(name, || {
                let failed = count.failed;
                let ok = check(&mut count).unwrap_or_else(|error| {
                    println!("FAILED  {error:#}");
                    false
                });
                // What could not even be tried left no line to count.
                count.failed += u64::from(!ok && count.failed == failed);
                Ok(ok)
            })
        };
        steps.push(counting("real clients", &|count| {
            clients::check(&tacho, &[], count)
        })?);
        steps.push(counting("dashboards", &grafana::check)?);
        steps.push(counting("page", &|count| page::check(&tacho, &[], count))?);
        steps.push(counting("alerts", &|count| alerts::check(&tacho, count))?);
        steps.push(step("generated documents", codegen::check)?);
        steps.push(step("killed servers", crash::short)?);
    }
    if everything && !options.no_lint {
        steps.push(step("lints", || {
            let lint = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ];
            status(cargo().args(lint))
        })?);
    }

    println!();
    for step in &steps {
        let word = if step.ok { "ok" } else { "FAILED" };
        println!(
            "{:<20} {word:<7} {:>6.1} s",
            step.name,
            step.took.as_secs_f64()
        );
    }
    let total: Duration = steps.iter().map(|step| step.took).sum();
    println!("{:<20} {:>14.1} s", "total", total.as_secs_f64());
    let broken = steps
        .iter()
        .filter(|step| !step.ok && !COUNTED.contains(&step.name))
        .count();
    count.failed += broken as u64;
    println!("{} passed, {} failed", count.passed, count.failed);
    Ok(count.failed == 0)
}

fn step(name: &'static str, work: impl FnOnce() -> Result<bool>) -> Result<Step> {
    println!("── {name}");
    let start = Instant::now();
    let ok = work()?;
    let took = start.elapsed();
    Ok(Step { name, ok, took })
}

fn status(command: &mut Command) -> Result<bool> {
    let status = command.status();
    Ok(status
        .with_context(|| format!("cannot start {command:?}"))?
        .success())
}

/// Hands the tests an interpreter with DuckDB. Without one the tests that compare
/// with it are left out on a developer's machine, and the run fails on a build server.
fn referee(tests: &mut Command) -> Result<bool> {
    match python::referee() {
        Ok(python) => {
            tests.env(PYTHON, python);
            Ok(true)
        }
        Err(error) => {
            println!("no DuckDB to compare with: {error:#}");
            println!("the tests that compare with it are left out");
            Ok(!workspace::on_ci())
        }
    }
}

/// Runs a test command, shows its output as it comes, and adds up its result lines.
pub(crate) fn counted(command: &mut Command, count: &mut Count) -> Result<bool> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let pipe = child.stdout.take().context("no output to read")?;
    let mut show = std::io::stdout().lock();
    for line in BufReader::new(pipe).split(b'\n') {
        let line = line.context("cannot read the output of the tests")?;
        show.write_all(&line)?;
        show.write_all(b"\n")?;
        if let Some(found) = result_line(&String::from_utf8_lossy(&line)) {
            count.passed += found.passed;
            count.failed += found.failed;
        }
    }
    Ok(child.wait()?.success())
}

/// Reads `test result: ok. 3 passed; 0 failed; …`.
fn result_line(line: &str) -> Option<Count> {
    let (_, figures) = line.split_once("test result: ")?.1.split_once(". ")?;
    let figure = |name: &str| {
        let part = figures.split(';').find(|part| part.ends_with(name))?;
        part.trim().split(' ').next()?.parse().ok()
    };
    Some(Count {
        passed: figure(" passed")?,
        failed: figure(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Count, result_line};

    #[test]
    fn result_lines_are_read() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
                Some((12, 0)),
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
                Some((3, 2)),
            ),
            ("test result is near", None),
            ("test a::b ... ok", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(passed, failed)| Count { passed, failed });
            assert_eq!(result_line(line), expected, "for {line}");
        }
    }
}
