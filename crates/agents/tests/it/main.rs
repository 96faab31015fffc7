//! The crate through its public door.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

#[cfg(unix)] // links and pipes
mod bad_input;
mod conformance;
mod defects;
mod indexing;
mod observing;
mod search;
mod support;
