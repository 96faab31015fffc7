//! Bytes → views: what comes over the wire, read without judgement. Pure: no
//! I/O, no clock.

pub mod answer;
pub mod json;
mod mend;
pub mod otlp;
pub mod otlp_json;
pub mod protobuf;
pub mod remote_write;
pub mod statsd;
pub mod view;
