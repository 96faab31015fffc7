//! The index file, `index.json`: agents' metadata without their text.
//!
//! Written byte for byte as the first seed's generator writes it. Read
//! leniently: only `agents`, a list, is required, and an odd entry costs itself
//! alone. [`validate`](crate::validate) is the strict reading.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::category;
use crate::definition::{Definition, INDEX_KEYWORDS};
use crate::root::{ReadError, read_text};
use crate::scan::{Found, Scan};

/// The only version of the format.
pub const VERSION: &str = "1.0.0";

/// No index is larger than this many bytes.
const LIMIT_BYTES: u64 = 64 << 20;

/// Why an index was not loaded. The wording is the first seed's.
#[derive(Debug, Error)]
pub enum IndexError {
    /// No such file.
    #[error("Index file not found: {}", .path.display())]
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// Not JSON.
    #[error("Invalid JSON in index file: {detail}")]
    InvalidJson {
        /// What the parser said, with line and column.
        detail: String,
    },
    /// No `agents`, or no object at all.
    #[error("Index missing required 'agents' key")]
    NoAgents,
    /// `agents` is something else.
    #[error("'agents' must be a list")]
    AgentsNotAList,
    /// There, but not readable.
    #[error("could not read the index file")]
    Unreadable(#[source] ReadError),
    /// Writing failed; whatever was there before still is.
    #[error("could not write the index file {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// One agent's metadata, in the index's key order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Unique; the stem of the file.
    pub id: String,
    /// Short name, as the file has it.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Category's display name.
    pub category: String,
    /// One paragraph.
    pub description: String,
    /// Tools the agent may use, sorted.
    pub tools: Vec<String>,
    /// The alphabetically first keywords, at most [`INDEX_KEYWORDS`].
    pub keywords: Vec<String>,
    /// The Markdown file, relative to some folder.
    pub file_path: String,
    /// Rough cost of loading the definition, in tokens.
    pub estimated_tokens: u64,
}

/// The index in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Format version.
    pub version: String,
    /// When it was made, as the caller spelled it.
    pub generated: String,
    /// The agents, in the index's order.
    pub agents: Vec<Entry>,
}

/// Something odd in an index that was loaded all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexNote {
    /// An entry without a text `id`; it was left out.
    WithoutId {
        /// Its place in the list, from 0.
        position: usize,
    },
    /// An id that an earlier entry has; it is listed but never found by id.
    DuplicateId {
        /// The id.
        id: String,
    },
}

impl fmt::Display for IndexNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutId { position } => {
                write!(f, "agent at position {position} has no id and was left out")
            }
            Self::DuplicateId { id } => write!(
                f,
                "id {id} stands twice in the index; the first one is used"
            ),
        }
    }
}

impl Index {
    /// The index of what a scan found. `generated` is an RFC 3339 time;
    /// `prefix` is put before each file name (the folder as seen from wherever
    /// `file_path` shall be relative to; empty for the index's own folder).
    #[must_use]
    pub fn of_scan(scan: &Scan, generated: &str, prefix: &str) -> Self {
        let path = |file_name: &str| match prefix {
            "" => file_name.to_owned(),
            folder => format!("{}/{file_name}", folder.trim_end_matches('/')),
        };
        let entry = |found: &Found| Entry::of(&found.definition, path(&found.file_name));
        Self {
            version: VERSION.to_owned(),
            generated: generated.to_owned(),
            agents: scan.found.iter().map(entry).collect(),
        }
    }

    /// Loads an index file. Cost: linear in the file.
    ///
    /// # Errors
    ///
    /// When the file is not there, not JSON, or has no list of `agents`.
    pub fn load(path: &Path) -> Result<(Self, Vec<IndexNote>), IndexError> {
        let text = read_text(path, LIMIT_BYTES).map_err(|error| match error {
            ReadError::Missing { path } => IndexError::NotFound { path },
            ReadError::NotText { .. } => IndexError::InvalidJson {
                detail: "not UTF-8 text".to_owned(),
            },
            other => IndexError::Unreadable(other),
        })?;
        Self::from_json(&text)
    }

    /// Reads an index from its text.
    ///
    /// # Errors
    ///
    /// When the text is not JSON or has no list of `agents`.
    pub fn from_json(text: &str) -> Result<(Self, Vec<IndexNote>), IndexError> {
        let value: Value = serde_json::from_str(text).map_err(|error| IndexError::InvalidJson {
            detail: error.to_string(),
        })?;
        let agents = value.get("agents").ok_or(IndexError::NoAgents)?;
        let agents = agents.as_array().ok_or(IndexError::AgentsNotAList)?;
        let mut index = Self {
            version: text_of(&value, "version"),
            generated: text_of(&value, "generated"),
            agents: Vec::with_capacity(agents.len()),
        };
        let mut notes = Vec::new();
        let mut ids = HashSet::new();
        for (position, agent) in agents.iter().enumerate() {
            let Some(entry) = agent.as_object().and_then(Entry::lenient) else {
                notes.push(IndexNote::WithoutId { position });
                continue;
            };
            if !ids.insert(entry.id.clone()) {
                notes.push(IndexNote::DuplicateId {
                    id: entry.id.clone(),
                });
            }
            index.agents.push(entry);
        }
        Ok((index, notes))
    }

    /// The categories in use, sorted.
    #[must_use]
    pub fn categories(&self) -> Vec<&str> {
        let names: BTreeSet<&str> = self
            .agents
            .iter()
            .map(|agent| agent.category.as_str())
            .collect();
        names.into_iter().collect()
    }

    /// The index file's text: indented by two, not ASCII-escaped, with a
    /// newline at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct File<'a> {
            version: &'a str,
            generated: &'a str,
            agent_count: usize,
            categories: Vec<&'a str>,
            agents: &'a [Entry],
        }
        let file = File {
            version: &self.version,
            generated: &self.generated,
            agent_count: self.agents.len(),
            categories: self.categories(),
            agents: &self.agents,
        };
        // Strings, lists and whole numbers only: there is nothing to fail on.
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Writes the index file atomically: readers see the old one or the new
    /// one, whole.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written; the old file is then untouched.
    pub fn write(&self, path: &Path) -> Result<(), IndexError> {
        replace(path, self.to_json().as_bytes()).map_err(|source| IndexError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

impl Entry {
    /// What the index says of a definition; all but the first keywords go.
    pub(crate) fn of(definition: &Definition, file_path: String) -> Self {
        Self {
            id: definition.id.clone(),
            name: definition.name.clone(),
            display_name: definition.display_name.clone(),
            category: definition.category.to_owned(),
            description: definition.description.clone(),
            tools: definition.tools.clone(),
            keywords: definition
                .keywords
                .iter()
                .take(INDEX_KEYWORDS)
                .cloned()
                .collect(),
            file_path,
            estimated_tokens: definition.estimated_tokens,
        }
    }

    /// `None` without an id; whatever else is missing or odd is left empty.
    fn lenient(agent: &Map<String, Value>) -> Option<Self> {
        let text = |key| agent.get(key).and_then(Value::as_str).map(str::to_owned);
        let list = |key| {
            let items = agent.get(key).and_then(Value::as_array).map(Vec::as_slice);
            let texts = items.unwrap_or_default().iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        };
        Some(Self {
            id: text("id").filter(|id| !id.is_empty())?,
            name: text("name").unwrap_or_default(),
            display_name: text("display_name").unwrap_or_default(),
            category: text("category").unwrap_or_else(|| category::UNCATEGORIZED.to_owned()),
            description: text("description").unwrap_or_default(),
            tools: list("tools"),
            keywords: list("keywords"),
            file_path: text("file_path").unwrap_or_default(),
            estimated_tokens: agent
                .get("estimated_tokens")
                .and_then(Value::as_u64)
                .unwrap_or(0),
        })
    }
}

fn text_of(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Temporary file beside `path`, synced, then renamed over it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
    let mut temporary = name.to_owned();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    temporary.push(format!(".{}-{count}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the error that matters is the one above.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
