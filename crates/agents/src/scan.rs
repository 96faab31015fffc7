//! From a folder of Markdown files to definitions.
//!
//! Its sub-folders are read, too, down to [`MAX_DEPTH`]; what is hidden (`.git`),
//! `node_modules` and links to folders are not entered, so that no walk goes in
//! circles or astray. A file is known by its stem wherever it lies.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::definition::{Definition, DefinitionError};
use crate::root::{ReadError, Root};

/// Folders below the one asked for.
const MAX_DEPTH: usize = 8;

/// Sub-folders that are entered; more than that is no folder of agents.
const MAX_FOLDERS: usize = 1_000;

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
    /// What is no definition, or was not looked at, the folder's own first.
    pub skipped: Vec<Skipped>,
}

/// A definition and the file it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The definition.
    pub definition: Definition,
    /// The file as seen from the folder, such as `team/02-language-go.md`.
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
    /// An id belongs to one file; this one came later.
    #[error("{} has the id {id} of {first}, which counts; rename one of them", .path.display())]
    SameId {
        /// The file.
        path: PathBuf,
        /// Their common stem.
        id: String,
        /// The file that counts, as seen from the folder.
        first: String,
    },
    /// A sub-folder that was not looked into.
    #[error("did not look into {}: {reason}", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        reason: FolderReason,
    },
    /// A file whose name is not UTF-8, so that it cannot have an id.
    #[error("file name is not UTF-8: {}", .path.display())]
    OddName {
        /// The file.
        path: PathBuf,
    },
}

/// Why a sub-folder was not looked into.
#[derive(Debug, Error)]
pub enum FolderReason {
    /// The system would not list it.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// It is a link.
    #[error("links to folders are not followed")]
    Link,
    /// It lies too deep.
    #[error("it lies more than {MAX_DEPTH} folders down")]
    TooDeep,
    /// There are too many.
    #[error("there are more than {MAX_FOLDERS} folders")]
    TooMany,
}

/// Reads every `*.md` in `folder` and its sub-folders, at most `limit_bytes` of
/// each. One bad file is noted and never spoils the others.
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
    let mut walk = Walk::default();
    walk.enter(folder, folder, 0).map_err(failed)?;
    // Breadth first: of two files with one id the one nearer to the top counts.
    let mut next = 0;
    while let Some((path, depth)) = walk.folders.get(next).cloned() {
        next += 1;
        if let Err(error) = walk.enter(folder, &path, depth) {
            walk.pass(path, error.into());
        }
    }

    let mut scan = Scan {
        seen: walk.files.len(),
        ..Scan::default()
    };
    let mut ids: HashMap<String, String> = HashMap::new();
    for relative in walk.files {
        let Some(file_name) = relative.to_str() else {
            scan.skipped.push(Skipped::OddName {
                path: folder.join(relative),
            });
            continue;
        };
        // In the index the separator is `/` everywhere.
        let file_name = file_name.replace(std::path::MAIN_SEPARATOR, "/");
        match definition(folder, &root, &file_name) {
            Ok(definition) => match ids.entry(definition.id.clone()) {
                Entry::Occupied(first) => scan.skipped.push(Skipped::SameId {
                    path: folder.join(&relative),
                    id: definition.id,
                    first: first.get().clone(),
                }),
                Entry::Vacant(free) => {
                    free.insert(file_name.clone());
                    scan.found.push(Found {
                        definition,
                        file_name,
                    });
                }
            },
            Err(reason) => scan.skipped.push(reason),
        }
    }
    scan.skipped.extend(walk.skipped);
    scan.found
        .sort_by(|a, b| a.definition.id.cmp(&b.definition.id));
    Ok(scan)
}

/// A walk through folders, breadth first, each in the order of its names.
#[derive(Default)]
struct Walk {
    /// The `*.md` entries, as seen from the top.
    files: Vec<PathBuf>,
    /// Sub-folders and how deep they lie.
    folders: Vec<(PathBuf, usize)>,
    skipped: Vec<Skipped>,
}

impl Walk {
    fn enter(&mut self, top: &Path, folder: &Path, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (name, path) = (entry.file_name(), entry.path());
            let bytes = name.as_encoded_bytes();
            if bytes.ends_with(b".md") {
                let relative = path.strip_prefix(top).map(Path::to_path_buf);
                self.files.push(relative.unwrap_or(path));
                continue;
            }
            if bytes.starts_with(b".") || bytes == b"node_modules" {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_symlink() && path.is_dir() {
                self.pass(path, FolderReason::Link);
            } else if kind.is_dir() && depth == MAX_DEPTH {
                self.pass(path, FolderReason::TooDeep);
            } else if kind.is_dir() && self.folders.len() == MAX_FOLDERS {
                self.pass(path, FolderReason::TooMany);
            } else if kind.is_dir() {
                self.folders.push((path, depth + 1));
            }
        }
        Ok(())
    }

    fn pass(&mut self, path: PathBuf, reason: FolderReason) {
        self.skipped.push(Skipped::Folder { path, reason });
    }
}

/// `file_name` as seen from the folder.
fn definition(folder: &Path, root: &Root, file_name: &str) -> Result<Definition, Skipped> {
    let markdown = root.read(file_name).map_err(Skipped::Unreadable)?;
    let name = file_name.rsplit('/').next().unwrap_or(file_name);
    // `.md` alone is its own stem, as in Python and in Rust.
    let stem = name
        .strip_suffix(".md")
        .filter(|stem| !stem.is_empty())
        .unwrap_or(name);
    Definition::parse(stem, &markdown).map_err(|reason| Skipped::NoDefinition {
        path: folder.join(file_name),
        reason,
    })
}
