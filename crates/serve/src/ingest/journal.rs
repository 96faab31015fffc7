//! The one thread that decides what is new and has it stored. Batches that come
//! while it waits for the disk are stored together (group commit), and answered
//! when they are safe.

use std::sync::Arc;

use tachograph_model::Sink;

use crate::config::Limits;
use crate::counters::{Counters, Signal};
use crate::normal::candidate::Candidate;
use crate::normal::seen::{Link, Tally};

/// What one request brought.
#[derive(Debug)]
pub struct Batch {
    pub signal: Signal,
    pub candidates: Vec<Candidate>,
    /// Spans that make no event but stand between those that do.
    pub links: Vec<Link>,
    /// About how much memory it takes, for the queue's limit.
    pub bytes: usize,
}

/// Why a batch was not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// Too much waits already; try again in a moment.
    #[error("too much waits to be stored; try again")]
    Overloaded,
    /// The disk said no.
    #[error("{0}")]
    Disk(String),
    /// The server is leaving.
    #[error("the server is stopping")]
    Stopping,
}

/// A handle on the thread; cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {}

impl Journal {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn start(
        sink: Arc<dyn Sink>,
        counters: Arc<Counters>,
        limits: &Limits,
    ) -> std::io::Result<Self> {
        let _ = (sink, counters, limits);
        Ok(Self {})
    }

    /// Stores what waits, then ends the thread; what comes later is refused.
    pub fn stop(&self) {}

    /// Hands a batch over and waits until it is stored.
    ///
    /// # Errors
    /// [`Refused`]; then nothing of it was acknowledged or remembered.
    pub async fn put(&self, batch: Batch) -> Result<Tally, Refused> {
        let _ = batch;
        Err(Refused::Stopping)
    }
}
