//! What came, in the words of the model: one call, one event.
//!
//! ```text
//! Span ──► span ─┐  facts: what the attributes say, by whatever name
//! Log  ──► log ──┼─► Candidate ──► seen: which record of a call counts
//! Metric ► metric ┘
//! ```

pub mod candidate;
pub mod facts;
pub mod identity;
pub mod kind;
pub mod log;
pub mod metric;
pub mod mix;
pub mod names;
pub mod noise;
pub mod outcome;
pub mod seen;
pub mod source;
pub mod span;
pub mod tokens;
