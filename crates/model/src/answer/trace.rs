use serde::Serialize;

use crate::time::UnixNanos;

/// Events of one session or trace, in the order they began.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Trace {
    /// The events.
    pub events: Vec<TraceEvent>,
    /// How many more there are.
    pub more: u64,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TraceEvent {
    /// When it began: as long before `timestamp` as it took.
    pub start: UnixNanos,
    /// When it was recorded: at its end.
    pub timestamp: UnixNanos,
    /// How long it took, ms.
    pub duration_ms: Option<f64>,
    /// Its type.
    pub event_type: String,
    /// Tool, model, operation.
    pub name: Option<String>,
    /// Provider, component.
    pub source: Option<String>,
    /// `failed`, `ok`, else what it says of its state.
    pub status: Option<String>,
    /// Class of the failure.
    pub error_type: Option<String>,
    /// As which span.
    pub span_id: Option<String>,
    /// Within which span.
    pub parent_id: Option<String>,
    /// Tokens: of a model call those in and out.
    pub tokens: Option<i64>,
    /// What it cost, US dollars.
    pub cost_usd: Option<f64>,
}
