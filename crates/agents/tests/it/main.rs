//! The crate through its public door.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

mod bad_input;
mod conformance;
mod defects;
mod indexing;
mod observing;
mod search;
mod support;
