//! Walls 1 and 2: who may use whom, and how much the recorder drags in.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;
use crate::workspace;

/// How many rules this file adds to the list.
pub(crate) const RULES: usize = 4;

/// Crates beside our own that a program links when it embeds the recorder. Raise it
/// knowingly: each one is paid for by everybody who embeds us.
const RECORD_DEPENDENCIES: usize = 28;

/// What a program that embeds the recorder must never be made to link.
const RECORD_NEVER: [&str; 8] = [
    "tokio",
    "arrow",
    "parquet",
    "datafusion",
    "tracing",
    "log",
    "reqwest",
    "ureq",
];

/// The rooms that may reach DataFusion, which costs minutes and hundreds of megabytes.
const MAY_USE_DATAFUSION: [&str; 3] = ["tachograph-analyze", "tachograph-cli", "tachograph-py"];

/// Which rooms each room may name. A package that is not listed may name none.
const USES: [(&str, &[&str]); 9] = [
    ("tachograph-log", &["model"]),
    ("tachograph", &["model", "log", "macros"]),
    ("tachograph-store", &["model", "log", "stats"]),
    ("tachograph-analyze", &["model", "store", "stats"]),
    ("tachograph-agents", &["model", "record"]),
    ("tachograph-serve", &["model", "log", "stats"]),
    ("tachograph-ship", &["model"]),
    ("tachograph-py", &["model", "record", "store", "analyze"]),
    ("xtask", &["model"]),
];

pub(crate) fn check() -> Result<Vec<Finding>> {
    let packages = packages()?;
    let mut found = Vec::new();
    for package in &packages {
        found.extend(sideways(package));
        found.extend(reach(package, &linked(&package.name, "normal")?));
    }
    found.extend(recorder(&linked("tachograph", "normal,no-proc-macro")?));
    found.extend(one_copy()?);
    Ok(found)
}

struct Package {
    name: String,
    manifest: String,
    /// Rooms among its normal dependencies, by the folder's name.
    rooms: Vec<String>,
}

fn sideways(package: &Package) -> Vec<Finding> {
    if package.name == "tachograph-cli" {
        return Vec::new();
    }
    let allowed = USES
        .iter()
        .find(|(name, _)| *name == package.name)
        .map_or(&[][..], |(_, rooms)| *rooms);
    let strays = package
        .rooms
        .iter()
        .filter(|room| !allowed.contains(&room.as_str()));
    strays
        .map(|room| {
            let message = format!("uses room `{room}`, which it may not name");
            Finding::new(&package.manifest, 0, message)
        })
        .collect()
}

fn reach(package: &Package, linked: &BTreeSet<String>) -> Option<Finding> {
    let reaches = linked.contains("datafusion");
    let may = MAY_USE_DATAFUSION.contains(&package.name.as_str());
    if reaches && !may {
        return Some(Finding::new(&package.manifest, 0, "reaches datafusion"));
    }
    if !reaches && package.name == "tachograph-analyze" {
        let message = "does not reach datafusion, so this rule would prove nothing";
        return Some(Finding::new(&package.manifest, 0, message));
    }
    None
}

fn recorder(linked: &BTreeSet<String>) -> Vec<Finding> {
    let path = "crates/record/Cargo.toml";
    let heavy = |name: &&String| {
        RECORD_NEVER.iter().any(|never| {
            name.strip_prefix(never)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    let mut found: Vec<Finding> = linked
        .iter()
        .filter(heavy)
        .map(|name| Finding::new(path, 0, format!("the recorder reaches `{name}`")))
        .collect();
    let ours = |name: &&String| name.starts_with("tachograph");
    let count = linked.len() - linked.iter().filter(ours).count();
    if count != RECORD_DEPENDENCIES {
        let message = format!(
            "the recorder links {count} crates, xtask/src/tidy/tree.rs says {RECORD_DEPENDENCIES}: \
             change the number only if you mean it"
        );
        found.push(Finding::new(path, 0, message));
    }
    found
}

/// Two versions of arrow do not understand each other's arrays.
fn one_copy() -> Result<Vec<Finding>> {
    let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock"))
        .context("cannot read Cargo.lock")?;
    let copies = |name: &str| {
        let line = format!("name = \"{name}\"");
        lock.lines().filter(|found| *found == line).count()
    };
    let twice = ["arrow", "parquet", "datafusion"]
        .into_iter()
        .filter(|name| copies(name) > 1);
    Ok(twice
        .map(|name| {
            Finding::new(
                "Cargo.lock",
                0,
                format!("{} copies of {name}", copies(name)),
            )
        })
        .collect())
}

/// Names of all crates a package links, itself included.
fn linked(package: &str, edges: &str) -> Result<BTreeSet<String>> {
    let mut tree = workspace::cargo();
    tree.args(["tree", "--quiet", "--prefix", "none", "--format", "{p}"]);
    tree.args(["--edges", edges, "--package", package]);
    let text = workspace::output(&mut tree)?;
    let names = text.lines().filter_map(|line| line.split(' ').next());
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

fn packages() -> Result<Vec<Package>> {
    let mut command = workspace::cargo();
    command.args(["metadata", "--no-deps", "--format-version", "1"]);
    let text = workspace::output(&mut command)?;
    let all: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let list = all["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    Ok(list.iter().map(package).collect())
}

fn package(value: &Value) -> Package {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let root = format!("{}/", workspace::root().display());
    let manifest = text(&value["manifest_path"]);
    let dependencies = value["dependencies"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let rooms = dependencies
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .filter_map(|dependency| room(dependency["name"].as_str()?))
        .map(str::to_owned)
        .collect();
    Package {
        name: text(&value["name"]),
        manifest: manifest.strip_prefix(&root).unwrap_or(&manifest).to_owned(),
        rooms,
    }
}

fn room(name: &str) -> Option<&str> {
    match name {
        "tachograph" => Some("record"),
        name => name.strip_prefix("tachograph-"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Package, RECORD_DEPENDENCIES, reach, recorder, sideways};

    fn names(list: &[&str]) -> std::collections::BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn package(name: &str, rooms: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            manifest: "Cargo.toml".to_owned(),
            rooms: rooms.iter().map(|room| (*room).to_owned()).collect(),
        }
    }

    #[test]
    fn a_heavy_recorder_is_found() {
        let mut light: std::collections::BTreeSet<String> = (0..RECORD_DEPENDENCIES)
            .map(|n| format!("small{n}"))
            .collect();
        light.extend(["tachograph".to_owned(), "tachograph-log".to_owned()]);
        assert_eq!(recorder(&light), [], "our own rooms do not count");
        light.insert("one-more".to_owned());
        assert_eq!(recorder(&light).len(), 1);
        light.remove("one-more");
        light.remove("small0");
        light.insert("tokio-util".to_owned());
        assert_eq!(recorder(&light).len(), 1, "a crate of the tokio family");
    }

    #[test]
    fn datafusion_stays_in_its_rooms() {
        let with = names(&["datafusion", "serde"]);
        assert!(reach(&package("tachograph-store", &[]), &with).is_some());
        assert!(reach(&package("tachograph-analyze", &[]), &with).is_none());
        assert!(reach(&package("tachograph-analyze", &[]), &names(&["serde"])).is_some());
        assert!(reach(&package("tachograph-store", &[]), &names(&["serde"])).is_none());
    }

    #[test]
    fn rooms_do_not_call_sideways() {
        assert_eq!(
            sideways(&package("tachograph-store", &["model", "log"])),
            []
        );
        assert_eq!(sideways(&package("tachograph-store", &["record"])).len(), 1);
        assert_eq!(sideways(&package("tachograph-model", &["stats"])).len(), 1);
        assert_eq!(
            sideways(&package("tachograph-cli", &["store", "analyze"])),
            []
        );
    }
}
