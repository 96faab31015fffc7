//! Alerts: what is too much right now.
//!
//! ```text
//! rules: built in < config.yaml < API ──────────────┐
//! live ─ figures, each second ──────────────────────┼─► book (one machine an alert)
//! answerer ─ of windows beyond live's, each minute ─┘     ▲         │ firing, resolved
//!                                                         │         ▼
//!        alerts/state.json ◄──────────────────────────────┴── noted there, then written
//!                                                               │            │
//!                                          then told: notify ◄──┘            └──► the log, as `alert`
//! ```
//!
//! # Invariants
//! - What fires or is resolved is one event of the log, also when the server is
//!   killed between any two steps.
//! - One rule a name: the API's counts before the settings', and that before
//!   what is built in.

mod book;
mod builtin;
mod far;
mod figures;
pub mod file;
mod keep;
pub mod list;
pub mod read;
mod round;
pub mod silence;
mod totals;
mod watch;

pub use book::{Alert, Book, Kept, KeptAlert, Look, MOST_ALERTS, Origin, Owned, Series, Told};
pub use far::Values;
pub use figures::{NONE, figures};
pub use keep::{kept_at, quiet, standing};
pub use totals::{Quiet, RuleState, Totals, unwatched};
pub use watch::{Watch, Watcher};
