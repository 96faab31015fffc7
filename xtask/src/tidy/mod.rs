//! The walls: what the architecture promises and a compiler does not check.
//!
//! ```text
//! files ──► source.rs (code without comments, strings, tests) ──► rules ──► findings
//! cargo tree ──► tree.rs ───────────────────────────────────────────────►     │
//!                                                             file:line: rule ◄┘
//! ```
//! Each rule is a function `(&Files) -> Vec<Finding>`; add one to [`RULES`].

mod hygiene;
mod layout;
mod rooms;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod unsafety;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace;
use source::Source;

/// One broken rule at one place.
#[derive(Debug, PartialEq)]
pub(crate) struct Finding {
    path: String,
    /// First line is 1; 0 means the file or crate as a whole.
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path, self.message)
        } else {
            write!(f, "{}:{}: {}", self.path, self.line, self.message)
        }
    }
}

/// Every text file of the workspace, read once.
pub(crate) struct Files(Vec<Source>);

impl Files {
    fn read() -> Result<Self> {
        let root = workspace::root();
        let mut all = Vec::new();
        for name in workspace::files()? {
            let path = root.join(&name);
            let bytes = match std::fs::read(&path) {
                // Another process may delete a file between the listing and the reading.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                read => read.with_context(|| format!("cannot read {}", path.display()))?,
            };
            if let Ok(text) = String::from_utf8(bytes) {
                all.push(Source::new(&slashed(&name), text));
            }
        }
        Ok(Self(all))
    }

    fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    fn rust(&self) -> impl Iterator<Item = &Source> {
        self.iter().filter(|source| source.path.ends_with(".rs"))
    }

    fn get(&self, path: &str) -> Option<&Source> {
        self.0.iter().find(|source| source.path == path)
    }
}

type Rule = fn(&Files) -> Vec<Finding>;

const RULES: &[(&str, Rule)] = &[
    (
        "only the allowed files open connections",
        rooms::connections,
    ),
    ("libraries never read env, print or exit", rooms::libraries),
    ("unsafe only in the ring, with a reason", unsafety::check),
    ("files stay short", layout::length),
    ("no forgotten source or test file", layout::forgotten),
    (
        "one integration test binary per crate",
        layout::one_test_binary,
    ),
    ("public items are documented", layout::documented),
    ("nothing left undone or ignored", hygiene::undone),
    ("nothing of one machine in the tree", hygiene::machine),
    ("no invisible characters", hygiene::invisible),
];

/// Checks every wall; prints findings, gives false if there are any.
pub(crate) fn run() -> Result<bool> {
    let findings = findings()?;
    for finding in &findings {
        println!("{finding}");
    }
    println!(
        "tidy: {} rules, {} findings",
        RULES.len() + tree::RULES,
        findings.len()
    );
    Ok(findings.is_empty())
}

fn findings() -> Result<Vec<Finding>> {
    let files = Files::read()?;
    let mut all: Vec<Finding> = RULES.iter().flat_map(|(_, rule)| rule(&files)).collect();
    all.extend(tree::check()?);
    Ok(all)
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
