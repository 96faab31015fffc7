//! What a record becomes before it is known whether it was seen already.

use tachograph_model::{Column, Event, Kind};

use super::kind::Class;
use super::names::{hash_of, unhex};
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
    /// It does not say which agent did it: that is the service so far.
    pub unnamed: bool,
    /// A root that holds others together: a run of an agent, if none is below.
    pub root: bool,
}

impl Keys {
    /// Of an event that says which span it is, in the form that OTLP has or in
    /// any other. Of what stands in the log they are the same.
    pub fn of_span(id: &str, trace: Option<&str>, parent: Option<&str>) -> Self {
        let hex = match trace.filter(|trace| !trace.is_empty()) {
            Some(trace) => unhex(trace),
            None => Some([0; 16]),
        };
        let (Some(span), Some(known)) = (unhex(id), hex) else {
            return Self {
                body: Some(hash_of(&[trace.unwrap_or_default(), id])),
                ..Self::default()
            };
        };
        Self {
            span,
            trace: known,
            parent: parent.and_then(unhex).unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// Whether events of a kind say which span they are.
pub fn is_span(kind: &Kind) -> bool {
    let id = kind.field_of(Column::Id);
    id.is_some_and(|field| field.key == "span_id")
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
