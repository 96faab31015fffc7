//! Folders under `target/` with pinned packages of npm, for the checks that node runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{output, root, target_dir};

/// What says which packages there must be.
const WANTED: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// The folder with the packages that `e2e/NAME` asks for, made when they are others
/// than it was made from (needs npm and its registry once).
pub(crate) fn packages(name: &str, must_have: &[&str]) -> Result<PathBuf> {
    let from = root().join("e2e").join(name);
    let lock = std::fs::read_to_string(from.join("package-lock.json"))?;
    output(Command::new("node").arg("--version")).context("node is missing")?;
    let folder = target_dir().join(name);
    // Written last: what was broken off half-way is made again.
    let made_from = folder.join("made-from.json");
    let held = std::fs::read_to_string(&made_from).is_ok_and(|held| held == lock);
    if held && must_have.iter().all(|package| has(&folder, package)) {
        return Ok(folder);
    }
    println!("making {}", folder.display());
    std::fs::create_dir_all(&folder)?;
    for name in WANTED {
        let to = folder.join(name);
        std::fs::copy(from.join(name), to).with_context(|| format!("cannot copy {name}"))?;
    }
    let mut install = Command::new("npm");
    install.current_dir(&folder).arg("ci");
    install.args(["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    install.args(["--fetch-retries", "1", "--fetch-timeout", "60000"]);
    output(&mut install).context("cannot install the packages")?;
    std::fs::write(&made_from, lock)?;
    Ok(folder)
}

/// The lock file must name no registry: it would be of one machine, and npm would ask
/// it instead of the one that is set.
pub(crate) fn names_no_registry(name: &str) -> Result<()> {
    let file = root().join("e2e").join(name).join("package-lock.json");
    let lock = std::fs::read_to_string(file)?;
    if let Some(at) = lock.lines().position(|line| line.contains("\"resolved\"")) {
        bail!("e2e/{name}/package-lock.json:{}: names a registry", at + 1);
    }
    Ok(())
}

fn has(folder: &Path, package: &str) -> bool {
    let file = folder.join("node_modules").join(package);
    file.join("package.json").is_file()
}
