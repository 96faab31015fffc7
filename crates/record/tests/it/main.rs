//! The recorder from outside: through its calls and its log.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attributes;
mod crash;
mod degraded;
mod handles;
mod lab;
mod live;
mod queries;
mod spans;
mod timers;
