//! What comes in, until it is on the disk.
//!
//! ```text
//! http (4318), grpc (4317) ─┐
//! events (JSON)             ├─► Batch ─► journal: seen → sink → answers
//! remote_write, statsd      ┘
//! ```

pub mod body;
pub mod budget;
mod earlier;
pub mod events;
pub mod grpc;
pub mod http;
pub mod journal;
pub mod otlp;
mod refusal;
pub mod remote_write;
pub mod statsd;
