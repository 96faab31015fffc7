//! `cargo xtask clients`, a part of `cargo xtask test`: real clients against
//! `tacho start`. What they sent is compared with what was stored by
//! `e2e/clients/run.py`; here are the server, the Python and the tools it needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::python;
use crate::server::Server;
use crate::test::{Count, counted};
use crate::workspace::{installed, on_ci, root, runs, target_dir};

#[derive(Args)]
pub(crate) struct Options {
    /// The binary to try; by default the one that the tests have built
    #[arg(long, value_name = "FILE")]
    tacho: Option<PathBuf>,
    /// Only these parts, such as `sdk`
    #[arg(value_name = "PART")]
    parts: Vec<String>,
}

/// Runs them by themselves; gives true if all held.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let tacho = options.tacho.clone().unwrap_or_else(built);
    check(&tacho, &options.parts, &mut Count::default())
}

/// The binary that `cargo test --workspace` builds for the tests of the command line.
pub(crate) fn built() -> PathBuf {
    let name = format!("tacho{}", std::env::consts::EXE_SUFFIX);
    target_dir().join("debug").join(name)
}

/// Runs the parts, all if none is named, and adds up what they checked.
pub(crate) fn check(tacho: &Path, parts: &[String], count: &mut Count) -> Result<bool> {
    if !tacho.is_file() {
        bail!("no {}: `cargo xtask test` builds it", tacho.display());
    }
    let python = match python::clients() {
        Ok(python) => python,
        Err(error) => {
            println!("no clients to try: {error:#}");
            println!("they are left out");
            return Ok(!on_ci());
        }
    };
    let folder = target_dir().join("clients");
    // Of an earlier run.
    let _ = std::fs::remove_dir_all(&folder);
    let home = folder.join("home");
    std::fs::create_dir_all(&home)?;
    let server = Server::start(tacho, &home, &[])?;
    let mut clients = Command::new(&python);
    clients.arg(root().join("e2e/clients/run.py"));
    clients
        .arg(server.ready().to_string())
        .arg(&home)
        .arg(tacho);
    clients.args(parts);
    let without = prometheus();
    clients.args(without.then_some("--without-prometheus"));
    let held = counted(&mut clients, count)?;
    let took = server.stop()?;
    println!(
        "the server left {} ms after it was told to",
        took.as_millis()
    );
    Ok(held && !(without && on_ci()))
}

/// Whether Debian's Prometheus is missing, even after a try to install it.
fn prometheus() -> bool {
    let missing = installed("prometheus", || runs("prometheus") && runs("promtool")).is_err();
    if missing {
        println!("no Prometheus (Debian: apt-get install prometheus): its checks are left out");
    }
    missing
}
