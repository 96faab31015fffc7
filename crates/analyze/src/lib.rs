//! THE QUESTIONS: events in, answers out. The only room that names DataFusion.
//!
//! ```text
//!                    ┌─ exact: every event of the window, every value kept ─┐
//! Store ─ snapshot ──┤                                                      ├─► Cells ─ question/x.rs ─► Answer
//!                    └─ beyond the limit: rollups, sketches (≤ 0.4 %) ──────┘
//!                    └─ SQL: tables `events`, `rollups`, a view per kind ─ DataFusion ─► rows
//! ```
//!
//! ```
//! use tachograph_analyze::{Engine, EngineConfig};
//! use tachograph_model::{Ask, Scope, UnixNanos, question::Tools};
//! use tachograph_store::Store;
//! # let dir = tempfile::tempdir()?;
//! let store = Store::open(&tachograph_log::Home::at(dir.path()));
//! let engine = Engine::open(store, EngineConfig::default());
//! let scope = Scope::last_days(7, UnixNanos::now());
//! let (tools, about) = Tools::new(scope).ask(&engine)?;
//! assert!(tools.is_empty() && about.notes.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Invariants
//! - An answer says how it came about: exact or from sketches, of how many
//!   events, and what was left out.
//! - What is not known is `None`, never 0.
//! - Answers do not depend on how events are spread over logs and segments.
//! - SQL reads; it changes nothing, and sees nothing but the store's tables.
//! - DataFusion starts only when it is needed.
#![deny(missing_docs)]

mod cells;
mod digest;
mod engine;
pub mod question;

pub use cells::Cells;
pub use engine::{Engine, EngineConfig, Progress, Rows, read_parquet};
pub use tachograph_store::Bound;
