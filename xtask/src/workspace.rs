//! Where the workspace lies, which files it has, and how its tools are called.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Debian's packages are fetched within this, seconds.
const INSTALL_SECONDS: &str = "240";

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that started this program, or the one on the path.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Where build products and everything a chore may leave behind go.
pub(crate) fn target_dir() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let absolute = chosen.and_then(|path| std::path::absolute(path).ok());
    absolute.unwrap_or_else(|| root().join("target"))
}

/// Whether this runs on a build server, where nothing may be left out.
pub(crate) fn on_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Runs a command and gives its standard output; a failure carries its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !out.status.success() {
        bail!(
            "{} failed with {}: {}",
            command.get_program().display(),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Whether a program is there and runs.
pub(crate) fn runs(program: &str) -> bool {
    output(Command::new(program).arg("--version")).is_ok()
}

/// Makes sure that something is there: where it is not, installs Debian's package that
/// has it, if this user may.
pub(crate) fn installed(package: &str, there: impl Fn() -> bool) -> Result<()> {
    if there() {
        return Ok(());
    }
    let user = output(Command::new("id").arg("-u")).context("who am I?")?;
    if user.trim() == "0" {
        println!("installing {package}");
        for command in [
            &["update", "-qq"][..],
            &["install", "-y", "-qq", "--no-install-recommends", package],
        ] {
            let mut install = Command::new("timeout");
            install.args([INSTALL_SECONDS, "apt-get"]).args(command);
            install.env("DEBIAN_FRONTEND", "noninteractive");
            if let Err(error) = output(&mut install) {
                println!("{error:#}");
                break;
            }
        }
    }
    match there() {
        true => Ok(()),
        false => bail!("no {package} (Debian: apt-get install {package})"),
    }
}

/// Every file of the workspace, relative to the root, sorted: what git tracks plus
/// what it would track; without git, what lies in the folder.
pub(crate) fn files() -> Result<Vec<PathBuf>> {
    let root = root();
    let mut git = Command::new("git");
    git.current_dir(&root);
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let mut files: Vec<PathBuf> = match output(&mut git) {
        Ok(list) => list
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .filter(|name| root.join(name).is_file())
            .collect(),
        Err(_) => {
            let mut found = Vec::new();
            walk(&root, &root, &mut found)?;
            found
        }
    };
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" && name != "node_modules" {
            walk(root, &path, found)?;
        } else if path.is_file() {
            found.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    Ok(())
}
