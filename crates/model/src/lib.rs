//! The words that every room speaks: events, columns, kinds, time, privacy,
//! the two ports, every question and every answer. No I/O.
//!
//! ```text
//!            line ⇄ Event ⇄ columns          Question → Answer → text, JSON, …
//!            (log)          (Parquet, SQL)    (analyze)   (render)
//! ```
//!
//! ```
//! use tachograph_model::{Column, Event};
//! let line = br#"{"timestamp":"2025-11-20T11:00:00+00:00","event_type":"tool_call","tool":"search","duration_ms":12.5}"#;
//! let event = Event::from_line(line)?;
//! assert_eq!(event.str(Column::Name), Some("search"));
//! assert_eq!(event.f64(Column::DurationMs), Some(12.5));
//! # Ok::<(), tachograph_model::LineError>(())
//! ```
//!
//! # Invariants
//! - A line that is read and written again says the same, whatever it held.
//! - Every durable or wire shape is defined in this crate.
//! - Instants are integer nanoseconds in UTC; windows are half-open.
//! - Nothing here reads a file, the environment or (but for
//!   [`UnixNanos::now`]) the clock.
#![deny(missing_docs)]

pub mod admit;
pub mod alert;
pub mod answer;
pub mod column;
mod describe;
pub mod docs;
pub mod event;
pub mod kind;
pub mod line;
pub mod near;
pub mod number;
pub mod port;
pub mod privacy;
pub mod question;
pub mod raw;
pub mod render;
pub mod time;

pub use answer::{Answer, Found, Note, NoteKind};
pub use column::{COLUMN_COUNT, COLUMNS, Column, ColumnDef, Privacy, Type};
pub use describe::describe;
pub use event::{Event, Value};
pub use kind::{Field, KINDS, Kind};
pub use line::{Cell, Decoder, LineError, LineWriter, MAX_LINE_BYTES, Visitor};
pub use port::{Answerer, AskError, Limit, Sink, SinkError};
pub use privacy::Salt;
pub use question::{Ask, Question, Scope};
pub use time::{UnixNanos, Window};
