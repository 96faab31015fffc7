//! From a folder of Markdown files to definitions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::definition::{Definition, DefinitionError};
use crate::root::{ReadError, Root};

/// The folder itself could not be read.
#[derive(Debug, Error)]
#[error("could not read the agents folder {folder}")]
pub struct ScanError {
    /// The folder asked for.
    pub folder: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Scan {
    /// Number of `*.md` entries looked at.
    pub seen: usize,
    /// The definitions, sorted by id.
    pub found: Vec<Found>,
    /// The `*.md` entries that are no definitions, sorted by path.
    pub skipped: Vec<Skipped>,
}

/// A definition and the file it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The definition.
    pub definition: Definition,
    /// Name of the file in the folder.
    pub file_name: String,
}

/// An entry that was passed over, and why. Prints as one line of warning.
#[derive(Debug, Error)]
pub enum Skipped {
    /// Text without a definition in it.
    #[error("{reason} in {}", .path.display())]
    NoDefinition {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        reason: DefinitionError,
    },
    /// A file that could not be read as text.
    #[error(transparent)]
    Unreadable(ReadError),
    /// A file whose name is not UTF-8, so that it cannot have an id.
    #[error("file name is not UTF-8: {}", .path.display())]
    OddName {
        /// The file.
        path: PathBuf,
    },
}

/// Reads every `*.md` in `folder` (not in its sub-folders), at most
/// `limit_bytes` of each. One bad file is noted and never spoils the others.
///
/// # Errors
///
/// When the folder cannot be listed.
pub fn scan(folder: &Path, limit_bytes: u64) -> Result<Scan, ScanError> {
    let failed = |source| ScanError {
        folder: folder.to_owned(),
        source,
    };
    let root = Root::new(folder, limit_bytes).map_err(failed)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if name.as_encoded_bytes().ends_with(b".md") {
            names.push(name);
        }
    }
    names.sort();

    let mut scan = Scan {
        seen: names.len(),
        ..Scan::default()
    };
    for name in names {
        let Some(file_name) = name.to_str() else {
            scan.skipped.push(Skipped::OddName {
                path: folder.join(name),
            });
            continue;
        };
        match definition(folder, &root, file_name) {
            Ok(definition) => {
                scan.found.push(Found {
                    definition,
                    file_name: file_name.to_owned(),
                });
            }
            Err(reason) => scan.skipped.push(reason),
        }
    }
    scan.found
        .sort_by(|a, b| a.definition.id.cmp(&b.definition.id));
    Ok(scan)
}

fn definition(folder: &Path, root: &Root, file_name: &str) -> Result<Definition, Skipped> {
    let markdown = root.read(file_name).map_err(Skipped::Unreadable)?;
    // `.md` alone is its own stem, as in Python and in Rust.
    let stem = file_name
        .strip_suffix(".md")
        .filter(|stem| !stem.is_empty())
        .unwrap_or(file_name);
    Definition::parse(stem, &markdown).map_err(|reason| Skipped::NoDefinition {
        path: folder.join(file_name),
        reason,
    })
}
