//! Asking: the engine is not asynchronous and may take its time, so questions
//! are answered on threads that may block, so many at once; some more wait
//! their turn, and the rest is told to come back. What takes long has a desk of
//! its own, so that nothing short waits behind it.

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::answer::Found;
use tachograph_model::{Answer, AskError, Question, describe, question};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::{Kind, Problem};
use crate::hub::Hub;

/// Where questions wait.
pub struct Desk {
    hub: Arc<Hub>,
    /// Those that are being answered.
    busy: Arc<Semaphore>,
    /// Those and the ones that wait.
    places: Arc<Semaphore>,
    /// What is asked here, and how.
    manner: Manner,
}

/// How a desk serves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// What is asked there, in the plural.
    pub what: &'static str,
    /// So many are served at once.
    pub at_once: usize,
    /// So many more may wait for their turn.
    pub waiting: usize,
    /// And no longer than this; `None`: until it comes.
    pub patience: Option<Duration>,
    /// When to come again, seconds.
    pub retry_after: u32,
    /// The setting that says how many.
    pub setting: Option<&'static str>,
}

impl Desk {
    /// A desk that serves in this manner.
    pub fn new(hub: &Arc<Hub>, manner: Manner) -> Self {
        let at_once = manner.at_once.max(1);
        Self {
            hub: hub.clone(),
            busy: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once + manner.waiting)),
            manner,
        }
    }

    /// Has work done that may block, when its turn comes.
    ///
    /// # Errors
    /// What the work says, or a problem when there are too many already.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hub) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Err(self.too_many());
        };
        let turn = self.turn().await?;
        let hub = self.hub.clone();
        let worker = tokio::task::spawn_blocking(move || {
            let done = work(&hub);
            // Held for as long as the work goes on, whether or not anybody
            // still waits for it.
            drop((turn, place));
            done
        });
        worker.await.unwrap_or_else(|_| {
            let detail = "answering failed; the server's log says more";
            Err(Problem::new(Kind::Internal, detail))
        })
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = self.busy.clone().acquire_owned();
        let turn = match self.manner.patience {
            Some(patience) => tokio::time::timeout(patience, turn).await.ok(),
            None => Some(turn.await),
        };
        // Never closed: there is none because the time is over.
        turn.and_then(Result::ok).ok_or_else(|| self.too_many())
    }

    fn too_many(&self) -> Problem {
        let Manner { what, at_once, .. } = self.manner;
        let detail = format!(
            "too many {what} are being asked at once ({at_once} are answered); ask again in a \
             moment"
        );
        let problem = Problem::new(Kind::Overloaded, detail).retry_after(self.manner.retry_after);
        match self.manner.setting {
            Some(setting) => problem.with("setting", setting),
            None => problem,
        }
    }
}

/// Asks, on a thread that may block.
///
/// # Errors
/// What went wrong, as a problem.
pub fn ask(hub: &Hub, question: &Question) -> Result<Answer, Problem> {
    hub.answerer.answer(question).map_err(|error| told(&error))
}

/// Completes what the answer says of the storage, as `tacho stats --storage`
/// does: counts the unsealed log's lines and looks for the first and the latest
/// event. Reads the whole unsealed log.
///
/// # Errors
/// When it cannot be read.
pub fn complete(hub: &Hub, found: &mut Found) -> Result<(), Problem> {
    let storage = match found {
        Found::Storage(storage) => storage.as_mut(),
        Found::Report(report) => &mut report.storage,
        _ => return Ok(()),
    };
    if storage.log_events.is_some() {
        return Ok(());
    }
    let lines = hub.home.count_lines().map_err(|error| {
        let detail = format!("the log cannot be read: {error}");
        Problem::new(Kind::Unreadable, detail)
    })?;
    question::Storage::complete(storage, lines, hub.answerer.as_ref()).map_err(|error| told(&error))
}

/// Why there is no answer, as a problem.
pub fn told(error: &AskError) -> Problem {
    let kind = match error {
        AskError::Forbidden { .. } => Kind::ForbiddenQuery,
        AskError::Query { .. } => Kind::BadQuery,
        AskError::Limit { .. } => Kind::QueryLimit,
        AskError::Read { .. } => Kind::Unreadable,
        _ => Kind::Internal,
    };
    let problem = Problem::new(kind, describe(error));
    match error {
        AskError::Limit { limit, .. } => problem.with("setting", limit.setting()),
        _ => problem,
    }
}
