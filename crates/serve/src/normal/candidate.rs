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
    /// Hash of the response's id, or of the agent's own request id.
    pub response: Option<u64>,
    /// Hash of the provider's name.
    pub provider: Option<u64>,
    /// Hash of the tool call's id and the session.
    pub call: Option<u64>,
    /// Who tells of it, where the call's id is good for a client and a server
    /// only, and two of either have two calls.
    pub side: Option<Side>,
    /// How much it knows: its tokens first, then its model.
    pub detail: u8,
    /// Hash of resource, scope, name, time and attributes of a record that has
    /// no id: a body sent twice counts once.
    pub body: Option<u64>,
    /// Hash of the resource.
    pub instance: u64,
    /// Hash of resource and scope.
    pub place: u64,
    /// From when to when it lasted, Unix nanoseconds.
    pub lasted: (i64, i64),
    /// Of an agent that tells of the same call by spans and by logs.
    pub way: Option<Way>,
    /// A root that holds others together: a run of an agent, if none is below.
    pub root: bool,
}

/// Which end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// By which of two ways an agent tells of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// By a log record; else by a span.
    pub log: bool,
    /// Nothing but the way tells two records of one call: the first way to come
    /// counts. Else logs lead as soon as one comes.
    pub blind: bool,
}
