//! The recorder from outside: through its calls and its log.

mod attributes;
mod crash;
mod degraded;
mod handles;
mod lab;
mod live;
mod queries;
mod spans;
mod timers;
