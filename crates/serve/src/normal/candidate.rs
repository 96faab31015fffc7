//! What a record becomes before it is known whether it was seen already.

use tachograph_model::Event;

use super::kind::Class;
use crate::wire::view::{SpanId, TraceId};

/// An event, and what tells whether another record is of the same call.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub event: Event,
    pub keys: Keys,
}

/// Keys of a call. Two records that share one are of the same call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    pub class: Option<Class>,
    /// All zeros: not of a trace.
    pub trace: TraceId,
    pub span: SpanId,
    pub parent: SpanId,
    /// Hash of provider and response id, or of the agent's own request id.
    pub response: Option<u64>,
    /// Hash of the tool call's id and the session.
    pub call: Option<u64>,
    /// How much it knows of its tokens.
    pub detail: u8,
    /// Hash of resource, scope, name, time and attributes of a record that has
    /// no id: a body sent twice counts once.
    pub body: Option<u64>,
}
