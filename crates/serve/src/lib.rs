//! THE DOOR: what agents, SDKs and collectors send over the network, what
//! becomes of it, and what the machine's agents are doing right now.
//!
//! ```text
//! body ─ wire ─► views ─ normal ─► candidates ─ ingest/journal ─► dyn Sink (durable) ─► answer
//!                                                                    │
//!                    any process's log lines ─ Follower ─► live ─► expose, api ◄─ dyn Answerer
//! ```
//!
//! `wire` and `normal` touch neither network nor disk; `server` wires the rest.
//!
//! # Invariants
//! - An allow-list: of what comes only numbers, classes, and names of tools and
//!   models get through; identities do as keyed hashes; texts never do.
//! - One call is one event, however often and by whichever way it is told.
//! - Whatever bytes come, reading them ends, and holds no more than they do.
//! - Nothing is acknowledged that the sink has not made safe.
//! - Every queue, table and connection count has a stated limit; what is over
//!   it is refused or counted.

pub mod alert;
pub mod api;
pub mod collect;
pub mod config;
pub mod counters;
pub mod expose;
pub mod guard;
mod gzip;
pub mod hub;
pub mod ingest;
pub mod live;
pub mod normal;
pub mod notify;
pub mod server;
mod sink;
pub mod wire;

pub use config::Config;
pub use hub::Doors;
pub use normal::source::SERVICES;
pub use server::{Addresses, Running, StartError, start};
