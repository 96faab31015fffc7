//! What a shelf tells about its own work, so that a recorder can be wired to
//! it without this crate knowing any recorder.

use std::time::Duration;

/// Receives one [`Observation`] for every operation of a shelf, on the thread
/// that did it and after the result is ready. Any closure will do.
pub trait Observer: Send + Sync {
    /// Called once an operation is done. Its own time is not in the duration.
    fn observe(&self, observation: &Observation<'_>);
}

impl<F: Fn(&Observation<'_>) + Send + Sync> Observer for F {
    fn observe(&self, observation: &Observation<'_>) {
        self(observation);
    }
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation<'a> {
    /// Which operation.
    pub operation: Operation,
    /// How long it took, without the observer.
    pub duration: Duration,
    /// For [`Operation::Get`]: whether the cache had it. `None` otherwise.
    pub cache_hit: Option<bool>,
    /// Number of agents in the result.
    pub agent_count: usize,
    /// The file that was read, after a successful miss.
    pub load: Option<Load<'a>>,
}

/// A definition read from disk; it took the operation's duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load<'a> {
    /// In the clear: hash it before it is stored.
    pub agent_id: &'a str,
    /// Size of the file's text in bytes.
    pub bytes: u64,
    /// `bytes / 4`, the event format's estimate.
    pub tokens: u64,
}

/// The operations of a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Shelf::list`](crate::Shelf::list).
    List,
    /// [`Shelf::get`](crate::Shelf::get).
    Get,
    /// [`Shelf::search`](crate::Shelf::search).
    Search,
}

impl Operation {
    /// The name in `agent_discovery` events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list_agents",
            Self::Get => "get_agent",
            Self::Search => "search",
        }
    }
}
