//! `cargo xtask grafana`, a part of `cargo xtask test`: whether the dashboards in
//! `integrations/grafana` are what Grafana's own types (`@grafana/schema`) ask for.
//! What they ask Prometheus is tried by `e2e/clients/grafana.py`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::test::{Count, counted};
use crate::workspace::{on_ci, output, root, target_dir};

const DASHBOARDS: [&str; 3] = ["overview", "tools", "models"];
/// What says which packages there must be.
const WANTED: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// Checks them, and adds up what held. Without node or its packages they are left out
/// on a developer's machine, and the run fails on a build server.
pub(crate) fn check(count: &mut Count) -> Result<bool> {
    let lock = root().join("e2e/grafana/package-lock.json");
    let lock = std::fs::read_to_string(&lock)?;
    if let Some(at) = lock.lines().position(|line| line.contains("\"resolved\"")) {
        // Of one machine, and npm would ask it instead of the one that is set.
        bail!("package-lock.json:{}: names a registry", at + 1);
    }
    let folder = match packages(&lock) {
        Ok(folder) => folder,
        Err(error) => {
            println!("no types to check with: {error:#}");
            println!("the dashboards' types are left out");
            return Ok(!on_ci());
        }
    };
    let here = root().join("e2e/grafana");
    std::fs::copy(here.join("shape.ts"), folder.join("shape.ts"))?;
    let mut check = Command::new("node");
    check.arg(here.join("check.mjs")).arg(&folder);
    for name in DASHBOARDS {
        let file = format!("integrations/grafana/{name}.json");
        check.arg(root().join(file));
    }
    counted(&mut check, count)
}

/// A folder with the pinned packages, made when they are others than it was made from
/// (needs npm and its registry once).
fn packages(lock: &str) -> Result<PathBuf> {
    output(Command::new("node").arg("--version")).context("node is missing")?;
    let from = root().join("e2e/grafana");
    let folder = target_dir().join("grafana");
    // Written last: what was broken off half-way is made again.
    let made_from = folder.join("made-from.json");
    if std::fs::read_to_string(&made_from).is_ok_and(|held| held == lock) && whole(&folder) {
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

fn whole(folder: &Path) -> bool {
    folder
        .join("node_modules/typescript/package.json")
        .is_file()
        && folder
            .join("node_modules/@grafana/schema/package.json")
            .is_file()
}
