//! The flight recorder for AI agents: records what an agent does, on the
//! machine it runs on, at tens of nanoseconds an event.
//!
//! ```text
//!  your program                              this crate                     on disk
//!  tool, cache, model, ┐                ┌ a ring per thread,  ┐
//!  metric, query, span,├─► handles ───► │ in mapped memory    ├─► drain ─► events.jsonl
//!  session, agent …    ┘                └ (survives kill -9)  ┘     │
//!                                                                   └────► live windows
//! ```
//!
//! # First steps
//!
//! ```no_run
//! // Reads TACHOGRAPH_HOME and the opt-outs; keep the guard until main ends.
//! let recorder = tachograph::init();
//! ```
//!
//! A recorder of its own, which reads nothing from the environment:
//!
//! ```
//! use std::time::Duration;
//! use tachograph::Recorder;
//!
//! let home = tempfile::tempdir()?;
//! let recorder = Recorder::builder().home(home.path()).build();
//!
//! // Resolve once, record many times.
//! let search = recorder.tool("search");
//! search.success(Duration::from_millis(12));
//! search.failure(Duration::from_secs(30), "TimeoutError");
//!
//! // Or have it timed: an early return, an `Err` and a panic are recorded too.
//! let parsed = recorder.tool("parse").try_time(|| "7".parse::<u8>());
//! assert_eq!(parsed, Ok(7));
//!
//! // Or by name, for a few nanoseconds more.
//! recorder.record_cache_hit("pages");
//!
//! assert!(recorder.flush(Duration::from_secs(1)));
//! let log = std::fs::read_to_string(home.path().join("events.jsonl"))?;
//! assert_eq!(log.lines().count(), 4);
//! assert!(log.contains(r#""event_type":"tool_call","tool":"search","duration_ms":12.0,"success":true"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What can be recorded
//!
//! | what | how |
//! |---|---|
//! | a tool call | [`Recorder::tool`], [`macro@tool`], [`Recorder::record_tool_call`] |
//! | a cache's look-ups and evictions | [`Recorder::cache`] |
//! | a model's answer, its tokens and cost | [`Recorder::model`] |
//! | a query, its agent, tools and entities | [`Recorder::query`], [`Recorder::start_query`] |
//! | an operation with a place in a trace | [`Recorder::span`], [`macro@instrument`] |
//! | any metric with tags | [`Recorder::metric`] |
//! | a session | [`Recorder::session`] |
//! | agents found, loaded, used | [`Recorder::record_agent_discovery`], [`Recorder::record_agent_load`], [`Recorder::record_agent_usage`] |
//! | the host: figures, errors, system, profiles | [`Recorder::record_performance`], [`Recorder::record_error`], [`Recorder::record_system_info`], [`Recorder::record_profile`] |
//!
//! Calls made within a [`Span`], or within a [`Query`] that was entered, name
//! it as their parent.
//!
//! # Live windows
//!
//! The last latencies of every tool (1000 by default) and the counts of every
//! cache are kept in memory too: [`Recorder::all_metrics`] gives them in the
//! JSON of the third seed, with its keys.
//!
//! ```
//! # use std::time::Duration;
//! let recorder = tachograph::Recorder::builder().build(); // no home: windows only
//! let search = recorder.tool("search");
//! for ms in [10, 20, 30, 40] {
//!     search.success(Duration::from_millis(ms));
//! }
//! let figures = recorder.tool_metrics("search");
//! assert_eq!(figures["p50_latency_ms"], 25.0);
//! assert_eq!(figures["p95_latency_ms"], 38.5);
//! assert_eq!(figures["success_rate"], 100.0);
//! ```
//!
//! A percentile is type 7 (linear between the closest ranks, numpy's default),
//! as everywhere in Tachograph, and so never outside minimum and maximum; the
//! third seed's document takes the exclusive method, which leaves that range
//! below 99 samples. A cache of which only evictions are known is listed too.
//! Percentiles, minimum and maximum are of the window; counts, rates and the
//! average of all calls.
//!
//! # Privacy
//!
//! Prompts, arguments, paths and messages are never taken, or only with
//! `keep_text`. Identities of agents, sessions and users are stored as hashes
//! keyed with the installation's salt. Names of tools, caches, models, metrics
//! and types of agent are stored as they are. Of tags, the key tells which of
//! these they are ([`Metric::tag`]).
//!
//! # Invariants
//! - Nothing here blocks, fails or panics in the host because of recording:
//!   what cannot be recorded is counted ([`Recorder::losses`]) and shown.
//! - Recording through a handle takes no lock, allocates nothing and makes no
//!   system call. A disabled recorder costs one branch.
//! - An event recorded survives `kill -9` of the process: the next one, or any
//!   command of `tacho`, moves it to the log ([`recover_orphans`]).
//! - Distinct names are bounded; further ones become `_other`, counted.
//! - Only `env.rs` reads the environment, only `notice.rs` speaks, once.
#![allow(
    unexpected_cfgs,
    reason = "cfg(loom): the model checker's builds; cfg(tachograph_no_ring): rings on the heap, \
              as on other systems than Linux"
)]
#![deny(missing_docs)]

// The engine.
mod clock;
mod core;
mod drain;
mod encode;
mod engine;
mod fork;
mod loss;
#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
mod owner;
mod places;
mod recover;
mod region;
#[expect(unsafe_code, reason = "the one place that may, each with its reason")]
mod ring;
mod table;

// What is recorded through it.
mod builder;
mod cache;
mod complexity;
mod discovery;
mod env;
mod global;
mod ids;
mod instrument;
mod layout;
mod metric;
mod model_call;
mod names;
mod notice;
mod open_queries;
mod opt_out;
mod outcome;
mod query;
mod recorder;
mod scope;
mod session;
mod span;
mod system;
mod tool;
mod windows;

pub use crate::builder::Builder;
pub use crate::cache::Cache;
pub use crate::complexity::{Selection, complexity_score, select_agent};
pub use crate::env::Settings;
pub use crate::global::{Guard, global, init, set_global};
pub use crate::metric::{Metric, MetricType, TagValue};
pub use crate::model_call::{Model, ModelCall};
pub use crate::open_queries::QueryId;
pub use crate::opt_out::{OptOut, OptedOut, opt_out};
pub use crate::outcome::error_type_of;
pub use crate::query::Query;
pub use crate::recorder::{Loss, Recorder};
pub use crate::recover::{RecoverReport, recover_orphans};
pub use crate::scope::{Context, Entered};
pub use crate::session::Session;
pub use crate::span::{DetachedSpan, Span};
pub use crate::tool::{Timer, Tool};
pub use tachograph_macros::{instrument, tool};
pub use tachograph_model::{Salt, Sink, SinkError};

/// What the attribute macros write calls to.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod __macros {
    pub use crate::instrument::{SpanSite, ToolSite};
}

/// What the benches take apart.
#[doc(hidden)]
#[allow(missing_docs)]
pub mod __benches {
    pub use crate::clock::now;
    pub use crate::tool::success_at;
}
