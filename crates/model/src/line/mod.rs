//! The log line: one event as one JSON object. The only reader and the only
//! writer of that form.
//!
//! ```text
//! {"timestamp":"2025-11-20T11:00:00.123456+00:00","event_type":"tool_call","tool":"search","duration_ms":12.5,"success":true}
//! ```

mod decode;
mod encode;
mod scan;
mod template;
mod word;

pub use decode::{Cell, Decoder, LineError, MAX_LINE_BYTES, Visitor};
pub use encode::{LineWriter, write_event};
pub use template::Template;

#[cfg(test)]
mod tests;
