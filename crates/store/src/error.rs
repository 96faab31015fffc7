//! What can go wrong in the store.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not do what it was asked.
///
/// Broken *data* is no error: the rest answers, and a [`crate::Note`] names it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {what} {path:?}")]
    Io {
        /// What was tried: "read", "write", …
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A segment or rollup could not be written or read.
    #[error("cannot {what} {path:?}")]
    Parquet {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the Parquet library said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A file does not hold the bytes that were written.
    #[error("the bytes of {path:?} are not those that were written")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// Columns do not fit together.
    #[error("cannot {what}")]
    Columns {
        /// What was tried.
        what: &'static str,
        /// What the Arrow library said.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// There is more than may be told apart ([`crate::Bound`]). Whoever folds a
    /// whole snapshot never sees it.
    #[error("there are too many series to tell them apart")]
    Crowded,
    /// Another process is sealing or compacting this home.
    #[error("another process is sealing {home:?}")]
    Busy {
        /// Which home.
        home: PathBuf,
    },
    /// The store was opened for reading only.
    #[error("{home:?} is open for reading only")]
    ReadOnly {
        /// Which home.
        home: PathBuf,
    },
    /// A hook of the caller's, or an injected fault, stopped the work; what
    /// lies on disk is consistent and the next seal goes on from there.
    #[error("stopped at {step}: {why}")]
    Stopped {
        /// At which step.
        step: &'static str,
        /// Why.
        why: String,
    },
}

impl StoreError {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    pub(crate) fn parquet<E: Into<parquet::errors::ParquetError>>(
        what: &'static str,
        path: &Path,
    ) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet {
            what,
            path,
            source: source.into(),
        }
    }

    pub(crate) fn columns(what: &'static str) -> impl FnOnce(arrow::error::ArrowError) -> Self {
        move |source| Self::Columns { what, source }
    }
}
