//! Private Pythons under `target/`: one with DuckDB, the independent referee of our
//! figures, one with real clients, and one with a mail server.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{output, root, target_dir};

/// What the referee must have; pinned so that two machines judge alike.
const REFEREE: &str = "duckdb==2.0.*\n";

/// The interpreter of `target/venv`, made on first use (needs `python3` and the
/// package index once).
pub(crate) fn referee() -> Result<PathBuf> {
    ready("venv", REFEREE)
}

/// The interpreter of `target/venv-clients`, made when `e2e/clients/requirements.txt`
/// is another than it was made from.
pub(crate) fn clients() -> Result<PathBuf> {
    required("venv-clients", "e2e/clients/requirements.txt")
}

/// That of `target/venv-alerts`, made from `e2e/alerts/requirements.txt` in the same way.
pub(crate) fn alerts() -> Result<PathBuf> {
    required("venv-alerts", "e2e/alerts/requirements.txt")
}

fn required(name: &str, requirements: &str) -> Result<PathBuf> {
    let wanted = root().join(requirements);
    let wanted = std::fs::read_to_string(&wanted)
        .with_context(|| format!("cannot read {}", wanted.display()))?;
    ready(name, &wanted)
}

/// An environment with these packages.
pub(crate) fn ready(name: &str, wanted: &str) -> Result<PathBuf> {
    let venv = target_dir().join(name);
    let python = venv.join("bin").join("python");
    // Written last: what was broken off half-way is made again.
    let made_from = venv.join("made-from.txt");
    if std::fs::read_to_string(&made_from).is_ok_and(|held| held == wanted) && works(&python) {
        return Ok(python);
    }
    println!("making {}", venv.display());
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&venv);
    output(&mut make).context("python3 with its venv module is missing")?;
    let list = venv.join("requirements.txt");
    std::fs::write(&list, wanted)?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--retries", "2"]);
    install
        .args(["--disable-pip-version-check", "-r"])
        .arg(&list);
    output(&mut install).with_context(|| format!("cannot install into {}", venv.display()))?;
    std::fs::write(&made_from, wanted)?;
    Ok(python)
}

/// Whether the interpreter it was made with is still there.
fn works(python: &Path) -> bool {
    output(Command::new(python).args(["-c", ""])).is_ok()
}
