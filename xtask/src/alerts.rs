//! `cargo xtask alerts`, a part of `cargo xtask test`: alerts end to end, with a real
//! mail server, Debian's Alertmanager and a webhook that fails at first. What they were
//! told is checked by `e2e/alerts/run.py`; here are the Python and the tools it needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::clients::built;
use crate::python;
use crate::test::{Count, counted};
use crate::workspace::{installed, on_ci, root, runs, target_dir};

#[derive(Args)]
pub(crate) struct Options {
    /// The binary to try; by default the one that the tests have built
    #[arg(long, value_name = "FILE")]
    tacho: Option<PathBuf>,
}

/// Runs it by itself; gives true if all held.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let tacho = options.tacho.clone().unwrap_or_else(built);
    check(&tacho, &mut Count::default())
}

/// Runs it and adds up what it checked. What it needs and cannot get is left out on a
/// developer's machine, and fails the run on a build server.
pub(crate) fn check(tacho: &Path, count: &mut Count) -> Result<bool> {
    if !tacho.is_file() {
        bail!("no {}: `cargo xtask test` builds it", tacho.display());
    }
    let needed = installed("openssl", || runs_as("openssl", "version"));
    let python = match needed.and_then(|()| python::alerts()) {
        Ok(python) => python,
        Err(error) => {
            println!("nobody to tell of alerts: {error:#}");
            println!("the checks of alerts are left out");
            return Ok(!on_ci());
        }
    };
    let folder = target_dir().join("alerts");
    // Of an earlier run.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let manager = installed("prometheus-alertmanager", || {
        runs("prometheus-alertmanager")
    });
    if let Err(error) = &manager {
        println!("{error:#}: its checks are left out");
    }
    let mut alerts = Command::new(&python);
    alerts.arg(root().join("e2e/alerts/run.py"));
    alerts.arg(tacho).arg(&folder);
    alerts.args(manager.is_err().then_some("--without-alertmanager"));
    let held = counted(&mut alerts, count)?;
    Ok(held && (manager.is_ok() || !on_ci()))
}

/// Whether a program runs that knows no `--version`.
fn runs_as(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .output()
        .is_ok_and(|out| out.status.success())
}
