//! From a path to a shelf: which source counts, and what is noted on the way.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use thiserror::Error;

use super::{FIELD_END, Reach, Shelf, ShelfOptions, Shelved};
use crate::definition::Definition;
use crate::index::{Entry, Index, IndexError, IndexNote};
use crate::lru::Lru;
use crate::root::Root;
use crate::scan::{Scan, ScanError, Skipped, scan};
use crate::search::{Field, Words};
use crate::staleness::Staleness;

/// Name of the index in a folder of agents.
const INDEX_FILE: &str = "index.json";

/// Why no shelf was opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The index file is missing or malformed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The folder cannot be listed.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The folder holds neither definitions nor an index.
    #[error("no agent definitions in {}", .folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
        /// Its Markdown files, and why each is no definition.
        skipped: Vec<Skipped>,
    },
    /// The folder that bounds all reading is not there.
    #[error("could not open the agents folder {}", .folder.display())]
    Root {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Something odd that did not keep the shelf from opening. Prints as one line.
#[derive(Debug)]
pub enum ShelfNote {
    /// An odd entry in the index.
    Index(IndexNote),
    /// A Markdown file that is no definition.
    Skipped(Skipped),
    /// The folder's index differs from its files; the files were taken.
    Stale(Staleness),
    /// The folder's index cannot be used; the files were taken.
    IndexIgnored(IndexError),
}

impl fmt::Display for ShelfNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(note) => note.fmt(f),
            Self::Skipped(skipped) => skipped.fmt(f),
            Self::Stale(staleness) => write!(f, "{staleness}; the files were read instead"),
            Self::IndexIgnored(error) => write!(f, "{error}; the files were read instead"),
        }
    }
}

impl Shelf {
    /// Opens a folder of Markdown files or an index file.
    ///
    /// A *folder* is read as it is now, whatever its `index.json` says; an
    /// index that differs is noted ([`ShelfNote::Stale`]). Only a folder
    /// without definitions falls back to its index. An *index file* counts as
    /// it stands; [`Shelf::staleness`] compares it with its files.
    ///
    /// # Errors
    ///
    /// When there is nothing at `path`, the index is malformed, or the folder
    /// holds no definitions.
    pub fn open(path: &Path, options: ShelfOptions) -> Result<Self, OpenError> {
        if !path.is_dir() {
            return Self::from_index(path, options);
        }
        let scan = scan(path, options.max_file_bytes)?;
        let index_path = path.join(INDEX_FILE);
        if !scan.found.is_empty() {
            return Self::from_scan(path, scan, options);
        }
        if index_path.is_file() {
            return Self::from_index(&index_path, options);
        }
        Err(OpenError::Empty {
            folder: path.to_owned(),
            skipped: scan.skipped,
        })
    }

    /// How far the metadata on this shelf differs from the Markdown files they
    /// point to now. Reads them all.
    #[must_use]
    pub fn staleness(&self) -> Staleness {
        let mut then = Index::default();
        let mut now = Index::default();
        for agent in &self.shelved {
            let entry = agent.entry.as_ref();
            then.agents.push(entry.clone());
            if let Some(definition) = definition(&self.root, entry) {
                now.agents
                    .push(Entry::of(&definition, entry.file_path.clone()));
            }
        }
        Staleness::between(&then, &now)
    }

    fn from_scan(folder: &Path, scan: Scan, options: ShelfOptions) -> Result<Self, OpenError> {
        let mut notes = Vec::new();
        let index = Index::of_scan(&scan, "", "");
        let index_path = folder.join(INDEX_FILE);
        if index_path.exists() {
            match Index::load(&index_path) {
                Ok((old, odd)) => {
                    notes.extend(odd.into_iter().map(ShelfNote::Index));
                    let staleness = Staleness::between(&old, &index);
                    if !staleness.is_fresh() {
                        notes.push(ShelfNote::Stale(staleness));
                    }
                }
                Err(error) => notes.push(ShelfNote::IndexIgnored(error)),
            }
        }
        notes.extend(scan.skipped.into_iter().map(ShelfNote::Skipped));
        // The file names are the folder's own, so no other root can hold them.
        let root = root(folder, &options)?;
        let keywords = match options.reach.unwrap_or(Reach::Files) {
            Reach::Files => scan
                .found
                .into_iter()
                .map(|found| found.definition.keywords)
                .collect(),
            Reach::Index => vec![BTreeSet::new(); index.agents.len()],
        };
        Ok(Self::build(index.agents, &keywords, root, notes, options))
    }

    fn from_index(path: &Path, options: ShelfOptions) -> Result<Self, OpenError> {
        let (index, odd) = Index::load(path)?;
        let own = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = options.root.as_deref().or(own).unwrap_or(Path::new("."));
        let root = root(folder, &options)?;
        let all_keywords = |entry: &Entry| definition(&root, entry).map(|found| found.keywords);
        let keywords = match options.reach.unwrap_or(Reach::Index) {
            Reach::Files => index
                .agents
                .iter()
                .map(|entry| all_keywords(entry).unwrap_or_default())
                .collect(),
            Reach::Index => vec![BTreeSet::new(); index.agents.len()],
        };
        let notes = odd.into_iter().map(ShelfNote::Index).collect();
        Ok(Self::build(index.agents, &keywords, root, notes, options))
    }

    /// `more`: for each agent, keywords beyond the index's.
    fn build(
        agents: Vec<Entry>,
        more: &[BTreeSet<String>],
        root: Root,
        notes: Vec<ShelfNote>,
        options: ShelfOptions,
    ) -> Self {
        let words = Words::new(
            agents
                .iter()
                .zip(more)
                .map(|(entry, more)| fields(entry, more)),
        );
        let mut by_id = HashMap::with_capacity(agents.len());
        for (place, entry) in agents.iter().enumerate() {
            by_id.entry(entry.id.clone()).or_insert(place);
        }
        let categories: BTreeSet<String> =
            agents.iter().map(|entry| entry.category.clone()).collect();
        let categories: Vec<String> = categories.into_iter().collect();
        let shelved = agents
            .into_iter()
            .zip(more)
            .map(|(entry, more)| Shelved::new(entry, more, &categories))
            .collect();
        Self {
            shelved,
            categories,
            by_id,
            words,
            root,
            cache: Mutex::new(Lru::new(options.cache_capacity)),
            file_reads: AtomicU64::new(0),
            total_lookups: AtomicU64::new(0),
            observer: options.observer,
            notes,
        }
    }
}

impl Shelved {
    fn new(entry: Entry, more: &BTreeSet<String>, categories: &[String]) -> Self {
        // Every entry's category is among them.
        let category = categories
            .binary_search(&entry.category)
            .unwrap_or_default();
        let keywords = entry.keywords.iter().map(|keyword| keyword.to_lowercase());
        let keywords: BTreeSet<String> = keywords.chain(more.iter().cloned()).collect();
        let mut texts = entry.name.to_lowercase();
        for field in std::iter::once(&entry.description).chain(&entry.keywords) {
            texts.push(FIELD_END);
            texts.push_str(&field.to_lowercase());
        }
        Self {
            entry: Arc::new(entry),
            category,
            texts,
            keywords: keywords.into_iter().collect(),
        }
    }
}

fn fields<'a>(
    entry: &'a Entry,
    more: &'a BTreeSet<String>,
) -> impl Iterator<Item = (Field, &'a str)> {
    let own = [
        (Field::Name, entry.name.as_str()),
        (Field::Description, entry.description.as_str()),
    ];
    let keywords = entry
        .keywords
        .iter()
        .map(|keyword| (Field::Keyword, keyword.as_str()));
    let more = more.iter().map(|keyword| (Field::Body, keyword.as_str()));
    own.into_iter().chain(keywords).chain(more)
}

fn root(folder: &Path, options: &ShelfOptions) -> Result<Root, OpenError> {
    Root::new(folder, options.max_file_bytes).map_err(|source| OpenError::Root {
        folder: folder.to_owned(),
        source,
    })
}

fn definition(root: &Root, entry: &Entry) -> Option<Definition> {
    let markdown = root.read(&entry.file_path).ok()?;
    Definition::parse(&entry.id, &markdown).ok()
}
