//! Wall 7: short files, no forgotten file, one test binary a crate, documented items.

use std::collections::BTreeSet;

use super::source::{Source, line_at, words};
use super::{Files, Finding};

const LONGEST: usize = 600;
const CODE: [&str; 5] = [".rs", ".js", ".mjs", ".py", ".css"];
const VENDORED: [&str; 3] = ["vendor", "vendored", "third_party"];

/// Rooms other people program against, or that define what lies on disk.
const DOCUMENTED: [&str; 4] = ["model", "record", "store", "stats"];

/// At most 600 lines that are not tests.
pub(crate) fn length(files: &Files) -> Vec<Finding> {
    let long = files.iter().filter(|source| {
        CODE.iter().any(|end| source.path.ends_with(end))
            && !source.path.split('/').any(|part| VENDORED.contains(&part))
            && !source.is_test()
    });
    long.filter_map(|source| {
        let lines = source.lines_shipped();
        let message = format!("{lines} non-test lines; the limit is {LONGEST}: split the file");
        (lines > LONGEST).then(|| Finding::new(&source.path, 0, message))
    })
    .collect()
}

/// Every file under `src` and `tests/it` is reached by `mod` from its crate's root;
/// rustc stays silent about one that is not, and its tests never run.
pub(crate) fn forgotten(files: &Files) -> Vec<Finding> {
    let mut reached = BTreeSet::new();
    let roots = files.rust().filter(|source| is_root(&source.path));
    for root in roots {
        reach(files, root, true, &mut reached);
    }
    let inside = |path: &str| path.contains("/src/") || path.contains("/tests/it/");
    files
        .rust()
        .filter(|source| inside(&source.path) && !reached.contains(source.path.as_str()))
        .filter(|source| !source.path.contains("/tests/data/"))
        .map(|source| Finding::new(&source.path, 0, "no `mod` leads here: it is never compiled"))
        .collect()
}

/// Each integration test file is a program to link: one per crate.
pub(crate) fn one_test_binary(files: &Files) -> Vec<Finding> {
    let in_tests = |source: &&Source| {
        source
            .path
            .split_once("/tests/")
            .is_some_and(|(home, file)| {
                let second =
                    !file.contains('/') || (file.ends_with("/main.rs") && file != "it/main.rs");
                home.split('/').count() == 2 && second
            })
    };
    files
        .rust()
        .filter(in_tests)
        .map(|source| {
            Finding::new(
                &source.path,
                0,
                "integration tests go into tests/it/main.rs",
            )
        })
        .collect()
}

/// The compiler is asked to insist on documentation in the rooms that need it.
pub(crate) fn documented(files: &Files) -> Vec<Finding> {
    let missing = |room: &str| {
        let lib = files.get(&format!("crates/{room}/src/lib.rs"));
        !lib.is_some_and(|lib| {
            ["#![warn(missing_docs", "#![deny(missing_docs"]
                .iter()
                .any(|lint| lib.code().contains(lint))
        })
    };
    DOCUMENTED
        .iter()
        .filter(|room| missing(room))
        .map(|room| {
            let path = format!("crates/{room}/src/lib.rs");
            Finding::new(&path, 1, "lacks `#![warn(missing_docs)]`")
        })
        .collect()
}

fn is_root(path: &str) -> bool {
    ["/src/lib.rs", "/src/main.rs", "/tests/it/main.rs"]
        .iter()
        .any(|end| path.ends_with(end))
        || path.contains("/src/bin/")
}

/// Follows the `mod name;` items of a file, `#[path]` included.
fn reach<'a>(
    files: &'a Files,
    from: &'a Source,
    owns_folder: bool,
    reached: &mut BTreeSet<&'a str>,
) {
    if !reached.insert(&from.path) {
        return;
    }
    let (folder, file) = from.path.rsplit_once('/').unwrap_or(("", &from.path));
    let own = if owns_folder || file == "mod.rs" {
        folder.to_owned()
    } else {
        format!("{folder}/{}", file.trim_end_matches(".rs"))
    };
    for (name, path) in modules(from) {
        let places = match &path {
            Some(path) => vec![join(folder, path)],
            None => vec![format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")],
        };
        let named = path.is_some();
        for child in places.iter().filter_map(|place| files.get(place)) {
            // A file named by `#[path]` looks for its own modules beside itself.
            reach(files, child, named, reached);
        }
    }
}

/// `mod name;` items with the `#[path = "…"]` that may stand right above them.
fn modules(source: &Source) -> Vec<(String, Option<String>)> {
    let code = source.code();
    let mut found = Vec::new();
    for at in words(code, "mod") {
        let rest = code[at + 3..].trim_start();
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        if name.is_empty() || !rest[name.len()..].trim_start().starts_with(';') {
            continue;
        }
        let line = line_at(code, at);
        let above = source.text.lines().take(line).collect::<Vec<_>>();
        let attributes = above.iter().rev().skip(1);
        let path = attributes
            .take_while(|line| line.trim().starts_with("#["))
            .chain(above.last())
            .find_map(|line| {
                Some(
                    line.split_once("#[path = \"")?
                        .1
                        .split_once('"')?
                        .0
                        .to_owned(),
                )
            });
        found.push((name, path));
    }
    found
}

fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
