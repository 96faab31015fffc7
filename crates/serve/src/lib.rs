//! THE DOOR: what agents, SDKs and collectors send over the network, and what
//! becomes of it. So far its pure core, which touches neither network nor disk:
//!
//! ```text
//! body ─ wire (protobuf, JSON) ─► views ─ normal ─► candidates ─ seen ─► events
//! ```
//!
//! # Invariants
//! - An allow-list: of what comes only numbers, classes, and names of tools and
//!   models get through; identities do as keyed hashes; texts never do.
//! - One call is one event, however often and by whichever way it is told.
//! - Whatever bytes come, reading them ends, and holds no more than they do.

pub mod normal;
pub mod wire;
