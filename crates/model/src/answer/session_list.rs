use serde::Serialize;

use crate::time::UnixNanos;

/// Sessions, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SessionList {
    /// Those with an event in the window; the figures are of these events.
    pub sessions: Vec<OneSession>,
    /// How many more there are.
    pub more: u64,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OneSession {
    /// Its id, as stored.
    pub session: String,
    /// The agent of its events; `None` where none is named, or several are.
    pub agent: Option<String>,
    /// When it began: when the first of its events did. An event is recorded at
    /// its end, and began as long before as it took; one of the window may have
    /// begun before it. Of what was sealed by versions that did not keep this:
    /// when its first event was recorded.
    pub first: UnixNanos,
    /// When its last event was recorded, which is when it ended.
    pub last: UnixNanos,
    /// Events.
    pub events: u64,
    /// Of these, tool calls.
    pub tool_calls: u64,
    /// Of these, model calls.
    pub llm_calls: u64,
    /// Of the events, failed.
    pub failed: u64,
    /// Tokens into models and out of them, as far as they say.
    pub tokens: Option<i64>,
    /// What models cost, as far as they say, US dollars.
    pub cost_usd: Option<f64>,
}
