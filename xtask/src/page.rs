//! `cargo xtask page`, a part of `cargo xtask test`: the page in Debian's Chromium, as
//! `e2e/page/` has it, and its pictures under `docs/`. Here are the packages and the
//! browser that it needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::clients;
use crate::node;
use crate::test::{Count, counted};
use crate::workspace::{installed, on_ci, output, root, runs};

/// Packages with the letters of the pictures (`e2e/page/fonts.conf`), and where they lie.
const FONTS: [(&str, &str); 2] = [
    ("fonts-inter", "/usr/share/fonts/opentype/inter"),
    (
        "fonts-jetbrains-mono",
        "/usr/share/fonts/truetype/jetbrains-mono",
    ),
];

#[derive(Args)]
pub(crate) struct Options {
    /// What to do
    #[arg(value_enum, default_value_t)]
    what: What,
    /// Only checks, pictures or benches whose name begins so; all without
    names: Vec<String>,
    /// The binary to try; by default the one that the tests have built
    #[arg(long, value_name = "FILE")]
    tacho: Option<PathBuf>,
}

#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
enum What {
    /// Check the page
    #[default]
    Test,
    /// Make the pictures under docs/ anew
    Pictures,
    /// Measure, as `cargo xtask bench page/NAME` does, with the binary of the tests
    Bench,
}

/// Runs by itself; gives true if all held.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let tacho = options.tacho.clone().unwrap_or_else(clients::built);
    match options.what {
        What::Test => check(&tacho, &options.names, &mut Count::default()),
        What::Pictures => {
            let mut pictures = script("pictures.mjs", &tacho)?;
            pictures.env("TACHOGRAPH_PAGE_FAKETIME", faketime()?);
            pictures.args(&options.names);
            Ok(pictures.status()?.success())
        }
        What::Bench => {
            let mut bench = script("bench.mjs", &tacho)?;
            Ok(bench.args(&options.names).status()?.success())
        }
    }
}

/// Runs the checks and adds up what held. Without node, its packages or a browser they
/// are left out on a developer's machine, and the run fails on a build server.
pub(crate) fn check(tacho: &Path, names: &[String], count: &mut Count) -> Result<bool> {
    if !tacho.is_file() {
        bail!("no {}: `cargo xtask test` builds it", tacho.display());
    }
    let mut checks = match script("run.mjs", tacho) {
        Ok(checks) => checks,
        Err(error) => {
            println!("no browser to look with: {error:#}");
            println!("the checks of the page are left out");
            return Ok(!on_ci());
        }
    };
    counted(checks.args(names), count)
}

/// A script of `e2e/page`, with all that it needs.
pub(crate) fn script(name: &str, tacho: &Path) -> Result<Command> {
    let here = root().join("e2e/page");
    let folder = node::packages("page", &["axe-core", "playwright-core", "typescript"])?;
    let mut command = Command::new("node");
    command
        .arg(here.join(name))
        // As the browser has it.
        .env("TZ", "UTC")
        .env("TACHOGRAPH_PAGE_FOLDER", folder)
        .env("TACHOGRAPH_PAGE_ROOT", root())
        .env("TACHOGRAPH_PAGE_TACHO", tacho)
        .env("TACHOGRAPH_PAGE_BROWSER", browser()?);
    Ok(command)
}

/// What makes the clock of a process stand still, and the letters of the pictures.
fn faketime() -> Result<PathBuf> {
    installed("faketime", || runs("faketime"))?;
    for (package, file) in FONTS {
        installed(package, || Path::new(file).exists())?;
    }
    let found =
        output(Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketimeMT.so.1"]));
    let found = found.context("no libfaketime")?;
    let first = found.lines().next().context("no libfaketime")?;
    Ok(PathBuf::from(first))
}

/// Chromium, installed where that is allowed.
fn browser() -> Result<PathBuf> {
    installed("chromium", || runs("chromium"))?;
    let which = output(Command::new("sh").args(["-c", "command -v chromium"]));
    Ok(PathBuf::from(which.context("no chromium")?.trim()))
}
