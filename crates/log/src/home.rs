//! The folder that everything lies in.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tachograph_model::Salt;

use crate::files::{self, Listing};
use crate::salt;

/// A home: a folder that holds a log and what is derived from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// Why a home could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}", path.display())]
pub struct HomeError {
    /// What was tried, as a verb: `create`, `read`, `list`.
    pub what: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl Home {
    /// Names a home without touching the disk.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Names a home and creates its folder (mode 0700) unless it is there; one
    /// that is there keeps its mode.
    ///
    /// # Errors
    /// [`HomeError`] when the folder cannot be created or is none.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, HomeError> {
        let home = Self::at(root);
        create_dir(&home.root).map_err(|source| HomeError {
            what: "create",
            path: home.root.clone(),
            source,
        })?;
        Ok(home)
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the live log: `events.jsonl`.
    pub fn log(&self) -> PathBuf {
        self.root.join("events.jsonl")
    }

    /// Returns the lock that writers of the log take; see the crate's page.
    pub fn events_lock(&self) -> PathBuf {
        self.root.join("events.lock")
    }

    /// Returns the lock of those who seal, compact and retain.
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Returns the folder of sealed segments.
    pub fn segments(&self) -> PathBuf {
        self.root.join("segments")
    }

    /// Returns the folder of rollups.
    pub fn rollups(&self) -> PathBuf {
        self.root.join("rollups")
    }

    /// Returns the list of live segments.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// Returns the file of the salt.
    pub fn salt_path(&self) -> PathBuf {
        self.root.join("salt")
    }

    /// Returns the folder that rings lie in where no memory file system is.
    pub fn rings(&self) -> PathBuf {
        self.root.join("rings")
    }

    /// Returns the list of folders that hold rings of this home, one per line.
    pub fn ring_dirs(&self) -> PathBuf {
        self.root.join("ring_dirs")
    }

    /// Returns the installation's salt; makes it (32 bytes from the operating
    /// system, mode 0600) when there is none. Processes that race agree.
    ///
    /// # Errors
    /// [`HomeError`] when it can neither be read nor made, or is not 32 bytes.
    pub fn salt(&self) -> Result<Salt, HomeError> {
        salt::load_or_create(&self.salt_path())
    }

    /// Writes a salt that is known already into a home that was made again; one
    /// that is there stays.
    ///
    /// # Errors
    /// [`HomeError`] when it cannot be written.
    pub fn keep_salt(&self, salt: &Salt) -> Result<(), HomeError> {
        salt::keep(&self.salt_path(), salt)
    }

    /// Lists the files of the log: rotated ones by name, the live one last.
    /// A missing home is an empty one.
    ///
    /// # Errors
    /// [`HomeError`] when the folder cannot be listed.
    pub fn files(&self) -> Result<Listing, HomeError> {
        files::list(&self.root)
    }

    /// Counts the lines of the log, broken and blank ones, too. Reads all of it.
    ///
    /// # Errors
    /// [`HomeError`] when a file of it cannot be read.
    pub fn count_lines(&self) -> Result<u64, HomeError> {
        let listing = self.files()?;
        let lines = listing
            .files
            .iter()
            .map(|file| files::count_lines(&file.path));
        lines.sum()
    }
}

/// Creates a folder and its parents, for the owner alone.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Opens a file of the home, created for the owner alone.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
