//! The folder that definitions may be read from, and nothing outside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// Why a definition's file was not read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The path leads out of the folder: absolute elsewhere, by `..`, or by a
    /// symbolic link.
    #[error("refused to read {path}: it lies outside the agents folder {root}")]
    Outside {
        /// As the index has it.
        path: String,
        /// The folder that bounds all reading.
        root: PathBuf,
    },
    /// No such file.
    #[error("no such file: {path}")]
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// A folder, a pipe, a device.
    #[error("not a regular file: {path}")]
    NotAFile {
        /// What was found.
        path: PathBuf,
    },
    /// Longer than the limit given at opening.
    #[error("{path} is larger than the limit of {limit_bytes} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit it passed.
        limit_bytes: u64,
    },
    /// Not UTF-8.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// Anything else: permissions, a loop of symbolic links, a failing disk.
    #[error("could not read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder by its canonical path.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    folder: PathBuf,
    limit_bytes: u64,
}

impl Root {
    pub(crate) fn new(folder: &Path, limit_bytes: u64) -> io::Result<Self> {
        Ok(Self {
            folder: folder.canonicalize()?,
            limit_bytes,
        })
    }

    /// Reads the text behind an index entry's `file_path`.
    ///
    /// Indexes are written relative to some project folder and then moved, so
    /// when `root/file_path` does not exist, `root/<file name>` is taken.
    pub(crate) fn read(&self, file_path: &str) -> Result<String, ReadError> {
        let path = Path::new(file_path);
        if !self.stays_inside(path) {
            return Err(self.outside(file_path));
        }
        let wanted = self.folder.join(path);
        match self.read_at(&wanted, file_path) {
            Err(ReadError::Missing { .. }) => {}
            other => return other,
        }
        let Some(beside) = path.file_name().map(|name| self.folder.join(name)) else {
            return Err(ReadError::Missing { path: wanted });
        };
        match self.read_at(&beside, file_path) {
            Err(ReadError::Missing { .. }) => Err(ReadError::Missing { path: wanted }),
            other => other,
        }
    }

    /// By its letters alone. Links are looked at when the file is resolved.
    fn stays_inside(&self, path: &Path) -> bool {
        if path.is_absolute() {
            return path.starts_with(&self.folder)
                && !path.components().any(|part| part == Component::ParentDir);
        }
        let mut depth = 0_usize;
        path.components().all(|part| match part {
            Component::Normal(_) => {
                depth += 1;
                true
            }
            Component::CurDir => true,
            Component::ParentDir => {
                let inside = depth > 0;
                depth = depth.saturating_sub(1);
                inside
            }
            Component::RootDir | Component::Prefix(_) => false,
        })
    }

    fn read_at(&self, path: &Path, file_path: &str) -> Result<String, ReadError> {
        let real = path
            .canonicalize()
            .map_err(|source| io_error(path, source))?;
        if !real.starts_with(&self.folder) {
            return Err(self.outside(file_path));
        }
        read_text(&real, self.limit_bytes)
    }

    fn outside(&self, path: &str) -> ReadError {
        ReadError::Outside {
            path: path.to_owned(),
            root: self.folder.clone(),
        }
    }
}

/// Reads a regular file of at most `limit_bytes` as UTF-8. Never blocks on a
/// pipe, never reads past the limit.
pub(crate) fn read_text(path: &Path, limit_bytes: u64) -> Result<String, ReadError> {
    let found = path.metadata().map_err(|source| io_error(path, source))?;
    if !found.is_file() {
        return Err(ReadError::NotAFile {
            path: path.to_owned(),
        });
    }
    let too_large = || ReadError::TooLarge {
        path: path.to_owned(),
        limit_bytes,
    };
    if found.len() > limit_bytes {
        return Err(too_large());
    }
    let file = File::open(path).map_err(|source| io_error(path, source))?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len() + 1).unwrap_or(0));
    file.take(limit_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| io_error(path, source))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|_| ReadError::NotText {
        path: path.to_owned(),
    })
}

fn io_error(path: &Path, source: io::Error) -> ReadError {
    let path = path.to_owned();
    // A part of the path that is a file, not a folder, is as good as missing.
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing { path },
        _ => ReadError::Io { path, source },
    }
}
