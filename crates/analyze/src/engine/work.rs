//! A query at work: on threads of its own, so that whoever asks gets an answer
//! when the time is over, whatever the query is doing then. The threads end at
//! their next step: operators take one per batch, functions that make much look
//! at the watch, and the rest of a single call is what cannot be broken off.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::context::SQLOptions;
use futures::StreamExt;
use futures::stream::{AbortHandle, Abortable};
use tachograph_model::AskError;
use tachograph_model::answer::Note;
use tachograph_store::Snapshot;

use super::config::EngineConfig;
use super::events::Events;
use super::session::session;
use super::sql::query_error;
use super::watch::Watch;
use super::{Engine, guard, notes};

/// Batches that may wait to be looked at.
const WAITING: usize = 2;
/// Stack of the thread that plans. An expression is planned by recursion, a
/// level for each operator in a row of them; pages that are not reached cost
/// nothing.
const PLANNER_STACK: usize = 128 << 20;
/// Stack of the threads that work: the same recursion, with less in each level.
const WORKER_STACK: usize = 32 << 20;

enum Message {
    Batch(RecordBatch),
    End(Result<(), AskError>),
}

/// What both sides share.
#[derive(Clone)]
struct Query {
    text: String,
    snapshot: Arc<Snapshot>,
    config: EngineConfig,
    watch: Watch,
    /// Set when the tables are there; knows what reading them left out.
    events: Arc<OnceLock<Events>>,
}

impl Engine {
    /// Runs a query; the first batch has no rows and tells the columns.
    pub(super) fn batches(
        &self,
        query: &str,
        mut each: impl FnMut(RecordBatch) -> Result<ControlFlow<()>, AskError>,
    ) -> Result<Vec<Note>, AskError> {
        let watch = Watch::start(&self.config);
        guard::check_size(query)?;
        let query = Query {
            text: query.to_owned(),
            snapshot: Arc::new(self.snapshot()?),
            config: self.config.clone(),
            watch,
            events: Arc::default(),
        };
        let (send, receive) = sync_channel(WAITING);
        let (abort, registration) = AbortHandle::new_pair();
        let worker = query.clone();
        std::thread::Builder::new()
            .name("tacho-sql".to_owned())
            .stack_size(PLANNER_STACK)
            .spawn(move || {
                let end = worker.run(&send, registration);
                // Nobody listens any more when the time was over.
                let _ = send.send(Message::End(end));
            })
            .map_err(no_threads)?;
        let ended = query.listen(&receive, &mut each);
        // Whoever broke off, for whatever reason, wants no more work done.
        query.watch.stop();
        abort.abort();
        ended?;
        let mut all = notes::of_store(query.snapshot.notes());
        if let Some(events) = query.events.get() {
            all.extend(notes::of_store(&events.notes()));
        }
        Ok(all)
    }
}

impl Query {
    /// Hands over batches until there are no more, the time is over, or `each`
    /// breaks off.
    fn listen(
        &self,
        batches: &Receiver<Message>,
        each: &mut impl FnMut(RecordBatch) -> Result<ControlFlow<()>, AskError>,
    ) -> Result<(), AskError> {
        loop {
            let message = match self.watch.left() {
                Some(left) => batches.recv_timeout(left),
                None => batches.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Batch(batch)) => {
                    if each(batch)?.is_break() {
                        return Ok(());
                    }
                }
                Ok(Message::End(end)) => return end,
                Err(RecvTimeoutError::Timeout) => return Err(self.watch.too_long().into()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(AskError::Query {
                        what: "the engine broke down over it".to_owned(),
                    });
                }
            }
        }
    }

    fn run(
        &self,
        send: &SyncSender<Message>,
        registration: futures::stream::AbortRegistration,
    ) -> Result<(), AskError> {
        guard::check(&self.text)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.config.threads.max(1))
            .thread_name("tacho-sql")
            .thread_stack_size(WORKER_STACK)
            .build()
            .map_err(no_threads)?;
        let work = Abortable::new(self.work(send), registration);
        let ended = runtime.block_on(work);
        // Joins the workers; each ends at its next step.
        drop(runtime);
        ended.unwrap_or_else(|_| Err(self.watch.too_long().into()))
    }

    async fn work(&self, send: &SyncSender<Message>) -> Result<(), AskError> {
        let failed = |error| query_error(error, &self.config);
        let (session, events) = session(&self.snapshot, &self.config, &self.watch, &self.text)
            .await
            .map_err(failed)?;
        let _ = self.events.set(events);
        // The guard has looked at the statement; this looks at its plan.
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let frame = session
            .sql_with_options(&self.text, options)
            .await
            .map_err(failed)?;
        let mut stream = frame.execute_stream().await.map_err(failed)?;
        let mut next = Some(Ok(RecordBatch::new_empty(stream.schema())));
        while let Some(batch) = next {
            let batch = batch.map_err(failed)?;
            if send.send(Message::Batch(batch)).is_err() {
                break;
            }
            next = stream.next().await;
        }
        Ok(())
    }
}

fn no_threads(error: std::io::Error) -> AskError {
    AskError::Read {
        what: "starting threads".to_owned(),
        source: Some(Box::new(error)),
    }
}
