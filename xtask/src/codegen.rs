//! Documents that are generated, so that they cannot say other than the code.

use anyhow::{Context, Result};
use clap::Args;

use crate::workspace::root;

#[derive(Args)]
pub(crate) struct Options {
    /// Change nothing; fail if a document is not what would be written
    #[arg(long)]
    check: bool,
}

/// Each document: its place and what writes it.
type Document = (&'static str, fn() -> String);
const DOCUMENTS: &[Document] = &[("docs/events.md", tachograph_model::docs::events_markdown)];

pub(crate) fn run(options: &Options) -> Result<bool> {
    if options.check {
        return check();
    }
    for (name, write) in DOCUMENTS {
        let path = root().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, write()).with_context(|| format!("cannot write {name}"))?;
        println!("wrote {name}");
    }
    Ok(true)
}

/// Whether every document is what the code would write now.
pub(crate) fn check() -> Result<bool> {
    let mut fresh = true;
    for (name, write) in DOCUMENTS {
        let now = std::fs::read_to_string(root().join(name)).unwrap_or_default();
        if now != write() {
            println!("{name} is out of date: run `cargo xtask codegen`");
            fresh = false;
        }
    }
    Ok(fresh)
}
