//! A private Python with DuckDB, the independent referee of our figures.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{output, target_dir};

/// What the referee must have; pinned so that two machines judge alike.
const PACKAGES: [&str; 1] = ["duckdb==2.0.*"];

/// The interpreter under `target/venv`, made on first use (needs `python3` and the
/// package index once).
pub(crate) fn ready() -> Result<PathBuf> {
    let venv = target_dir().join("venv");
    let python = venv.join("bin").join("python");
    if works(&python) {
        return Ok(python);
    }
    println!("making {} with {}", venv.display(), PACKAGES.join(", "));
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&venv);
    output(&mut make).context("python3 with its venv module is missing")?;
    let mut install = Command::new(&python);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    output(install.args(PACKAGES)).context("cannot install into target/venv")?;
    Ok(python)
}

fn works(python: &PathBuf) -> bool {
    let mut probe = Command::new(python);
    output(probe.args(["-c", "import duckdb"])).is_ok()
}
