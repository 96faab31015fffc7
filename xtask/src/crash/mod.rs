//! `cargo xtask crash`: the tests that kill processes, with more kills than a test
//! run has time for.

mod peered;
mod served;
mod wire;

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::{self, cargo};

/// How the tests are told how many.
const KILLS: &str = "TACHOGRAPH_KILLS";

/// Package, and the test by the start of its name: each has one of them.
const TESTS: [(&str, &str); 2] = [
    ("tachograph", "crash::killed_processes"),
    ("tachograph-store", "kill::killed_sealers"),
];

#[derive(Args)]
pub(crate) struct Options {
    /// How many processes to kill, in each of the tests
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Only the server, not recorders and sealers
    #[arg(long)]
    server: bool,
    /// Only other servers, for comparison; installs them first
    #[arg(long, conflicts_with = "server")]
    peers: bool,
}

/// How often the server is killed in `cargo xtask test`.
const SHORT: u32 = 8;

/// The server's part, short, with the dev build that the tests made.
pub(crate) fn short() -> Result<bool> {
    let mut build = cargo();
    build.args(["build", "--quiet", "--package", "tachograph-cli"]);
    if !build.status()?.success() {
        return Ok(false);
    }
    server(SHORT)
}

fn server(kills: u32) -> Result<bool> {
    let target = workspace::target_dir();
    let name = format!("tacho{}", std::env::consts::EXE_SUFFIX);
    served::try_out(&target.join("debug").join(name), &target, kills)
}

/// Runs all, even when the first fails; gives true if nothing was lost or doubled.
pub(crate) fn run(options: &Options) -> Result<bool> {
    if options.peers {
        // What others lose is no failure of ours.
        return peered::try_out(&workspace::target_dir(), options.kills).map(|()| true);
    }
    let mut held = true;
    for (package, test) in TESTS.into_iter().filter(|_| !options.server) {
        let mut command = cargo();
        command.args(["test", "--package", package, "--test", "it", test]);
        command.args(["--", "--nocapture"]);
        command.env(KILLS, options.kills.to_string());
        let status = command.status();
        held &= status
            .with_context(|| format!("cannot start {command:?}"))?
            .success();
    }
    let mut build = cargo();
    build.args(["build", "--package", "tachograph-cli"]);
    held &= build.status()?.success() && server(options.kills)?;
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::TESTS;
    use crate::workspace::root;

    #[test]
    fn the_tests_are_where_they_are_looked_for() {
        for (package, test) in TESTS {
            let room = package.strip_prefix("tachograph-").unwrap_or("record");
            let (module, name) = test.split_once("::").expect("a module");
            let path = root().join(format!("crates/{room}/tests/it/{module}.rs"));
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // A filter that finds nothing would pass.
            assert!(
                text.contains(&format!("fn {name}")),
                "no {test} in {package}"
            );
            assert!(text.contains(super::KILLS), "{test} does not ask how many");
        }
    }
}
