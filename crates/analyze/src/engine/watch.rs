//! The watch over one query in SQL: when it must be over, and what it says when
//! it came upon a limit.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datafusion::error::{DataFusionError, Result};
use tachograph_model::{AskError, Limit};

use super::config::EngineConfig;

/// Shared by everyone who works on the query.
#[derive(Clone, Debug)]
pub(super) struct Watch(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// How long it may run, and until when.
    time: Option<(Duration, Instant)>,
    memory_bytes: usize,
    /// Nobody waits for it any more.
    stopped: AtomicBool,
}

impl Watch {
    /// Begins to count the time.
    pub(super) fn start(config: &EngineConfig) -> Self {
        let now = Instant::now();
        Self(Arc::new(Inner {
            time: config
                .sql_time
                .and_then(|time| Some((time, now.checked_add(time)?))),
            memory_bytes: config.sql_memory_bytes,
            stopped: AtomicBool::new(false),
        }))
    }

    /// What is left of its time; `None`: as long as it takes.
    pub(super) fn left(&self) -> Option<Duration> {
        let (_, until) = self.0.time?;
        Some(until.saturating_duration_since(Instant::now()))
    }

    /// Tells whoever still works on the query to leave it.
    pub(super) fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// What one call of a function may return, bytes.
    pub(super) fn call_bytes(&self) -> usize {
        self.0.memory_bytes / 4
    }

    /// Says that the time is over.
    pub(super) fn too_long(&self) -> Exceeded {
        let seconds = self.0.time.map_or(0.0, |(time, _)| time.as_secs_f64());
        Exceeded {
            limit: Limit::Time,
            what: format!("it ran longer than the {seconds} s it may"),
        }
    }

    /// Called now and then by what may work for long without anyone looking.
    ///
    /// # Errors
    /// When the query is to end.
    pub(super) fn check(&self) -> Result<()> {
        let over = self.left().is_some_and(|left| left.is_zero());
        if over || self.0.stopped.load(Ordering::Relaxed) {
            return Err(self.too_long().into());
        }
        Ok(())
    }
}

/// A limit that was come upon; travels through DataFusion as its error.
#[derive(Clone, Debug)]
pub(super) struct Exceeded {
    pub(super) limit: Limit,
    pub(super) what: String,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Exceeded {}

impl From<Exceeded> for DataFusionError {
    fn from(exceeded: Exceeded) -> Self {
        Self::External(Box::new(exceeded))
    }
}

impl From<Exceeded> for AskError {
    fn from(Exceeded { limit, what }: Exceeded) -> Self {
        Self::Limit { limit, what }
    }
}

/// The limit behind an error of DataFusion's, if it is one.
pub(super) fn exceeded(error: &DataFusionError, config: &EngineConfig) -> Option<Exceeded> {
    match error.find_root() {
        DataFusionError::External(inner) => inner.downcast_ref::<Exceeded>().cloned(),
        DataFusionError::ResourcesExhausted(_) => Some(Exceeded {
            limit: Limit::Memory,
            what: format!(
                "it needs more than the {} bytes of memory it may use",
                config.sql_memory_bytes
            ),
        }),
        _ => None,
    }
}
