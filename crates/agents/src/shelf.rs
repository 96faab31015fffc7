//! The shelf: agents' metadata at hand, their text fetched when asked for.

mod open;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use memchr::memmem::Finder;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::category;
use crate::index::Entry;
use crate::lru::{CacheStats, Lru};
use crate::observe::{Load, Observation, Observer, Operation};
use crate::root::{ReadError, Root};
use crate::search::Words;

pub use open::{OpenError, ShelfNote};

/// How many definitions the cache holds unless told otherwise.
const CACHE_CAPACITY: NonZeroUsize = NonZeroUsize::new(50).expect("50 is not 0");

/// Between the fields of [`Shelved::texts`].
const FIELD_END: char = '\0';

/// How a shelf is opened. `Default` is what most want.
#[derive(Clone)]
pub struct ShelfOptions {
    /// The folder that `file_path`s are relative to and that no reading leaves.
    /// `None`: the index's own folder.
    pub root: Option<PathBuf>,
    /// What search and the keyword filter look at. `None`: [`Reach::Files`] for
    /// a folder, [`Reach::Index`] for an index file.
    pub reach: Option<Reach>,
    /// Number of definitions kept after reading. 50 unless set.
    pub cache_capacity: NonZeroUsize,
    /// Larger Markdown files are refused. 8 MiB unless set.
    pub max_file_bytes: u64,
    /// Is told of every operation.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for ShelfOptions {
    fn default() -> Self {
        Self {
            root: None,
            reach: None,
            cache_capacity: CACHE_CAPACITY,
            max_file_bytes: 8 << 20,
            observer: None,
        }
    }
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In the index alone: name, description and its fifteen keywords, the
    /// alphabetically first. A single word finds exactly what the first seed
    /// finds.
    Index,
    /// Also among *all* keywords of the Markdown files. Costs reading them once
    /// at opening (some 7 ms for 120 files of 7 kB).
    Files,
}

/// Which agents to list. Empty fields filter nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// A category: its name, or a slug as [`category::means`] takes it.
    pub category: &'a str,
    /// Agents with *one* of these keywords, whole, whatever the case.
    pub keywords: &'a [&'a str],
}

/// An agent with its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// The metadata; serialised flat, before the text.
    #[serde(flatten, serialize_with = "shared")]
    pub entry: Arc<Entry>,
    /// The Markdown file as it is.
    pub content: String,
}

/// A search result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The agent.
    #[serde(serialize_with = "shared")]
    pub entry: Arc<Entry>,
    /// How many of the question's terms the agent has; hits come by this first.
    pub terms: usize,
    /// Weighted worth; comparable within one result only.
    pub score: u32,
}

/// Why there is no such agent.
#[derive(Debug, Error)]
pub enum GetError {
    /// No agent with this id.
    #[error("no agent with the id {id}")]
    Unknown {
        /// The id asked for.
        id: String,
        /// Ids of agents with that name, or with ids that contain it; at most 5.
        similar: Vec<String>,
    },
    /// The agent is in the index, but its file cannot be read.
    #[error("could not load agent {id}")]
    Unreadable {
        /// The id asked for.
        id: String,
        /// What is wrong with the file.
        source: ReadError,
    },
}

/// Counters of a shelf since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ShelfStats {
    /// The cache's counters.
    pub cache: CacheStats,
    /// Markdown files read for [`Shelf::get`].
    pub file_reads: u64,
    /// Calls of [`Shelf::get`], found or not.
    pub total_lookups: u64,
    /// Hits in per cent of the look-ups that `cache` counts; 0 without any.
    pub cache_hit_rate: f64,
}

/// What loading every agent would cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// Number of agents.
    pub agents: usize,
    /// Sum of their estimated tokens.
    pub tokens: u64,
}

/// Agents, ready to be listed, found and loaded. Shared freely between threads.
pub struct Shelf {
    shelved: Vec<Shelved>,
    /// Names in use, sorted.
    categories: Vec<String>,
    by_id: HashMap<String, usize>,
    words: Words,
    root: Root,
    cache: Mutex<Lru<Arc<Agent>>>,
    file_reads: AtomicU64,
    total_lookups: AtomicU64,
    observer: Option<Arc<dyn Observer>>,
    notes: Vec<ShelfNote>,
}

/// An entry and what is computed from it once.
struct Shelved {
    entry: Arc<Entry>,
    /// Place in [`Shelf::categories`].
    category: usize,
    /// Name, description and keywords, lower-cased, one after the other.
    texts: String,
    /// The keywords that the filter knows, lower-cased, sorted.
    keywords: Vec<String>,
}

impl Shelf {
    /// The agents that pass `filter`, in the index's order, without their text.
    #[must_use]
    pub fn list(&self, filter: &Filter<'_>) -> Vec<Arc<Entry>> {
        let start = self.start();
        let wanted: Vec<String> = filter
            .keywords
            .iter()
            .map(|k| k.trim().to_lowercase())
            .filter(|k| !k.is_empty())
            .collect();
        let categories = self.categories_meant(filter.category);
        let found: Vec<Arc<Entry>> = self
            .shelved
            .iter()
            .filter(|agent| categories[agent.category])
            .filter(|agent| {
                wanted.is_empty() || wanted.iter().any(|keyword| agent.has_keyword(keyword))
            })
            .map(|agent| Arc::clone(&agent.entry))
            .collect();
        self.observe(start, Operation::List, None, found.len(), None);
        found
    }

    /// The agent with this id, with its text: from the cache, or read now.
    ///
    /// A cached text is not checked against the file; see [`Shelf::clear_cache`].
    ///
    /// # Errors
    ///
    /// When there is no such agent or its file cannot be read. (`.ok()` gives
    /// the first seed's answer.)
    pub fn get(&self, id: &str) -> Result<Arc<Agent>, GetError> {
        let start = self.start();
        self.total_lookups.fetch_add(1, Ordering::Relaxed);
        let cached = self.cache().get(id).map(Arc::clone);
        if let Some(agent) = cached {
            self.observe(start, Operation::Get, Some(true), 1, None);
            return Ok(agent);
        }
        let loaded = self.load(id);
        let load = loaded.as_ref().ok().map(|agent| {
            let bytes = agent.content.len() as u64;
            Load {
                agent_id: id,
                bytes,
                tokens: bytes / 4,
            }
        });
        self.observe(
            start,
            Operation::Get,
            Some(false),
            usize::from(load.is_some()),
            load,
        );
        loaded
    }

    /// The agents that have a word of `query`, best first; everything, in the
    /// index's order, for an empty one. The same question always gives the same
    /// order. A word may also be the beginning or the inside of one.
    #[must_use]
    pub fn search(&self, query: &str) -> Vec<Hit> {
        let start = self.start();
        let hits: Vec<Hit> = self
            .words
            .search(query)
            .into_iter()
            .map(|found| Hit {
                entry: Arc::clone(&self.shelved[found.agent].entry),
                terms: found.terms,
                score: found.score,
            })
            .collect();
        self.observe(start, Operation::Search, None, hits.len(), None);
        hits
    }

    /// The first seed's search, for comparison: agents in which the whole
    /// query, spaces and all, occurs in the index's name, description or one
    /// keyword, in the index's order. Everything for an empty one.
    #[must_use]
    pub fn search_substring(&self, query: &str) -> Vec<Arc<Entry>> {
        let start = self.start();
        let lower = query.to_lowercase();
        let finder = Finder::new(lower.as_bytes());
        let found: Vec<Arc<Entry>> = self
            .shelved
            .iter()
            .filter(|agent| {
                !lower.contains(FIELD_END) && finder.find(agent.texts.as_bytes()).is_some()
            })
            .map(|agent| Arc::clone(&agent.entry))
            .collect();
        self.observe(start, Operation::Search, None, found.len(), None);
        found
    }

    /// Number of agents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shelved.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shelved.is_empty()
    }

    /// The categories in use with their numbers of agents, by name.
    #[must_use]
    pub fn categories(&self) -> Vec<(String, usize)> {
        let count = |category| {
            self.shelved
                .iter()
                .filter(|agent| agent.category == category)
                .count()
        };
        let names = self.categories.iter().cloned().enumerate();
        names
            .map(|(category, name)| (name, count(category)))
            .collect()
    }

    /// What was odd while opening: skipped files, an index out of date.
    #[must_use]
    pub fn notes(&self) -> &[ShelfNote] {
        &self.notes
    }

    /// What loading every agent would cost: the measure of what lazy loading
    /// saves.
    #[must_use]
    pub fn baseline(&self) -> Baseline {
        let tokens = self
            .shelved
            .iter()
            .map(|agent| agent.entry.estimated_tokens);
        Baseline {
            agents: self.shelved.len(),
            tokens: tokens.fold(0, u64::saturating_add),
        }
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> ShelfStats {
        let cache = self.cache().stats();
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let cache_hit_rate = cache.hits as f64 / (cache.hits + cache.misses).max(1) as f64 * 100.0;
        ShelfStats {
            cache,
            file_reads: self.file_reads.load(Ordering::Relaxed),
            total_lookups: self.total_lookups.load(Ordering::Relaxed),
            cache_hit_rate,
        }
    }

    /// Forgets all loaded texts, so that changed files are read again.
    pub fn clear_cache(&self) {
        self.cache().clear();
    }

    /// For each category in use, whether `typed` means it: all of them for
    /// nothing typed, and one alone if its name was typed exactly.
    fn categories_meant(&self, typed: &str) -> Vec<bool> {
        let exact = self.categories.iter().any(|name| name == typed);
        self.categories
            .iter()
            .map(|name| {
                typed.is_empty() || name == typed || (!exact && category::means(typed, name))
            })
            .collect()
    }

    fn load(&self, id: &str) -> Result<Arc<Agent>, GetError> {
        let Some(&place) = self.by_id.get(id) else {
            return Err(GetError::Unknown {
                id: id.to_owned(),
                similar: self.similar(id),
            });
        };
        let entry = &self.shelved[place].entry;
        let content = self
            .root
            .read(&entry.file_path)
            .map_err(|source| GetError::Unreadable {
                id: id.to_owned(),
                source,
            })?;
        self.file_reads.fetch_add(1, Ordering::Relaxed);
        let agent = Arc::new(Agent {
            entry: Arc::clone(entry),
            content,
        });
        self.cache().put(id, Arc::clone(&agent));
        Ok(agent)
    }

    fn similar(&self, id: &str) -> Vec<String> {
        let typed = id.trim().to_lowercase();
        if typed.is_empty() {
            return Vec::new();
        }
        let ids = || self.shelved.iter().map(|agent| &agent.entry);
        let named = ids().filter(|entry| entry.name.to_lowercase() == typed);
        let containing = ids().filter(|entry| {
            entry.name.to_lowercase() != typed && entry.id.to_lowercase().contains(&typed)
        });
        named
            .chain(containing)
            .take(5)
            .map(|entry| entry.id.clone())
            .collect()
    }

    /// A panic in another thread cannot leave the cache half changed in a way
    /// that matters here, so a poisoned lock is taken all the same.
    fn cache(&self) -> MutexGuard<'_, Lru<Arc<Agent>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock is read only for someone who listens.
    fn start(&self) -> Option<Instant> {
        self.observer.as_ref().map(|_| Instant::now())
    }

    fn observe(
        &self,
        start: Option<Instant>,
        operation: Operation,
        cache_hit: Option<bool>,
        agent_count: usize,
        load: Option<Load<'_>>,
    ) {
        if let (Some(start), Some(observer)) = (start, &self.observer) {
            let duration = start.elapsed();
            observer.observe(&Observation {
                operation,
                duration,
                cache_hit,
                agent_count,
                load,
            });
        }
    }
}

impl Shelved {
    fn has_keyword(&self, keyword: &str) -> bool {
        self.keywords
            .binary_search_by(|have| have.as_str().cmp(keyword))
            .is_ok()
    }
}

fn shared<S: Serializer>(entry: &Arc<Entry>, serializer: S) -> Result<S::Ok, S::Error> {
    entry.as_ref().serialize(serializer)
}
