//! Reference tables and properties.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

mod properties;
mod reference;
mod seeds;
