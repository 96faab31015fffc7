//! What the rooms of the server share.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tachograph_log::Home;
use tachograph_model::{Answerer, Salt, Sink, UnixNanos};
use tokio::sync::watch;

use crate::alert::Watch;
use crate::config::Config;
use crate::counters::Counters;
use crate::ingest::journal::Journal;
use crate::ingest::otlp::Otlp;
use crate::ingest::remote_write::RemoteWrite;
use crate::live::Live;
use crate::server::Addresses;

/// What the server is given: where events go, who answers, and whose home it is.
#[derive(Clone)]
pub struct Doors {
    /// Returns when a batch is on the disk.
    pub sink: Arc<dyn Sink>,
    pub answerer: Arc<dyn Answerer>,
    /// The home whose log is followed.
    pub home: Home,
    /// For the hashes of identities.
    pub salt: Salt,
}

/// What every handler sees.
pub struct Hub {
    pub config: Config,
    /// Where it listens; set before the first door is open.
    pub addresses: OnceLock<Addresses>,
    pub counters: Arc<Counters>,
    pub journal: Journal,
    pub otlp: Otlp,
    pub remote_write: RemoteWrite,
    pub live: Arc<Live>,
    pub alerts: Arc<Watch>,
    pub answerer: Arc<dyn Answerer>,
    pub home: Home,
    pub salt: Salt,
    /// Turns true when the server leaves: long answers (WebSocket) end then.
    pub stopping: watch::Receiver<bool>,
    /// When the server began, by both clocks.
    pub started: (UnixNanos, Instant),
}
