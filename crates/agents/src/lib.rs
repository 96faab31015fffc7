//! Agent definitions from a folder of Markdown files: indexed, listed, searched
//! and loaded one at a time, so that a session pays only for the agents it uses.
//!
//! ```text
//!  *.md ──scan──► Definition ──► Index ──► index.json
//!                     │            │
//!                     └─► Shelf ◄──┘   list · search   metadata, in memory
//!                           │          get             one file, then an LRU of 50
//!                           └─► Observer               one Observation an operation
//! ```
//!
//! ```no_run
//! use std::path::Path;
//! use tachograph_agents::{Filter, Shelf, ShelfOptions};
//!
//! let shelf = Shelf::open(Path::new("agents"), ShelfOptions::default())?;
//! let core = shelf.list(&Filter { category: "core-development", ..Filter::default() });
//! let best = shelf.search("python api");
//! let agent = shelf.get("02-language-python-pro")?;
//! println!("{} in core, {} found, {} bytes", core.len(), best.len(), agent.content.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What holds:
//!
//! - An index is written byte for byte as the first seed's generator writes it,
//!   and atomically.
//! - Nothing is read outside the agents folder, whatever an index says and
//!   wherever a link leads; the current directory plays no part.
//! - One bad file or entry is noted and costs only itself.
//! - Answers are shared, immutable and in a fixed order.
//! - A single word finds at least what the first seed's substring search finds;
//!   and, from a folder, every keyword of its files, not the first fifteen.

pub mod category;

mod benchmark;
mod definition;
mod front_matter;
mod index;
mod lru;
mod observe;
mod root;
mod scan;
mod search;
mod shelf;
mod staleness;
mod text;
mod validate;

pub use benchmark::{Benchmark, BenchmarkError, Target};
pub use definition::{Definition, DefinitionError, INDEX_KEYWORDS, unquoted};
pub use index::{Entry, Index, IndexError, IndexNote, VERSION};
pub use lru::{CacheStats, Lru};
pub use observe::{Load, Observation, Observer, Operation};
pub use root::ReadError;
pub use scan::{FolderReason, Found, Scan, ScanError, Skipped, scan};
pub use shelf::{
    Agent, Baseline, Filter, GetError, Hit, OpenError, Reach, Shelf, ShelfNote, ShelfOptions,
    ShelfStats,
};
pub use staleness::{Change, Staleness};
pub use validate::validate;
