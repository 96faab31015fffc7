//! The two ports: events go in through a [`Sink`], answers come out of an
//! `Answerer`. Rooms meet here and nowhere else.

use crate::event::Event;

/// Takes events. Called with whole batches, never on a host's hot path.
pub trait Sink: Send + Sync {
    /// Takes a batch; returns when it is as safe as this sink makes it.
    ///
    /// # Errors
    /// [`SinkError`]; then none of the batch counts as taken.
    fn put(&self, events: &[Event]) -> Result<(), SinkError>;
}

/// Why a sink took nothing.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep events: {what}")]
pub struct SinkError {
    /// What it was doing, and where.
    pub what: String,
    /// What went wrong below.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}
