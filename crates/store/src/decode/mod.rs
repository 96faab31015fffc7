//! Raw log → record batches.
//!
//! ```text
//! bytes of a log ──memchr──► lines ──Decoder──► BatchBuilder ──► RecordBatch
//!                             │ broken: counted, the first few named
//! ```

mod builder;
mod scan;

pub use scan::{BATCH_ROWS, LogPart, LogScan};
pub(crate) use scan::{Broken, newlines, read_at};
