//! The one thread that decides what is new and has it stored. Batches that come
//! while it waits for the disk are stored together (group commit), and answered
//! when they are safe. It never waits for more to come: the time that the disk
//! takes is the window.

use std::collections::VecDeque;
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tachograph_log::Home;
use tachograph_model::{Event, Sink, SinkError, describe};
use tokio::sync::oneshot;

use super::budget::{Budget, Hold};
use super::earlier::Earlier;
use crate::config::Limits;
use crate::counters::{Counters, Signal};
use crate::normal::candidate::Candidate;
use crate::normal::seen::{Link, Seen, Tally};
use crate::sink::has_room;

/// The most that is stored at once, bytes as [`Batch::bytes`] has them.
const WINDOW_BYTES: usize = 32 << 20;
/// Between two looks at a disk that refuses, while nobody sends anything.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long [`Journal::stop`] waits for the disk.
const STOP_WITHIN: Duration = Duration::from_secs(1);

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

/// Events that are lines of the log already, each with its newline: what one
/// request brought, where making an event of each would cost more than all else.
#[derive(Debug, Default)]
pub struct Lines {
    pub bytes: Vec<u8>,
    pub count: u64,
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

/// A handle on the thread; cheap to clone. The thread ends with the last one.
#[derive(Clone, Debug)]
pub struct Journal {
    handle: Arc<Handle>,
}

/// What is done when a batch is not stored after all.
pub type Undo = Box<dyn FnOnce() + Send>;

impl Journal {
    /// Starts the thread. Before its first batch it reads the end of the home's
    /// log, so that it knows what earlier processes stored.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn start(
        sink: Arc<dyn Sink>,
        home: &Home,
        counters: Arc<Counters>,
        limits: &Limits,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let writer = Writer {
            shared: shared.clone(),
            sink,
            counters: counters.clone(),
            started: Instant::now(),
        };
        let home = home.clone();
        std::thread::Builder::new()
            .name("tacho-journal".to_owned())
            .spawn(move || writer.run(&home))?;
        Ok(Self {
            handle: Arc::new(Handle {
                shared,
                budget: Budget::new(counters.clone(), limits.queued_bytes),
                counters,
            }),
        })
    }

    /// Stores what waits, then ends the thread; what comes later is refused.
    /// Waits for it, but no longer than a second: a disk may hang.
    pub fn stop(&self) {
        let shared = &self.handle.shared;
        let mut state = shared.close();
        let deadline = Instant::now() + STOP_WITHIN;
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = shared.changed.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The memory that bodies and batches may take together.
    pub fn budget(&self) -> &Budget {
        &self.handle.budget
    }

    /// Hands a batch over and waits until it is stored.
    ///
    /// # Errors
    /// [`Refused`]; then nothing of it was acknowledged or remembered.
    pub async fn put(&self, batch: Batch) -> Result<Tally, Refused> {
        self.put_or(batch, None).await
    }

    /// As [`Self::put`], and has `undo` run if it is not stored, also when
    /// nobody waits for the answer any more.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn put_or(&self, batch: Batch, undo: Option<Undo>) -> Result<Tally, Refused> {
        let (answer, answered) = oneshot::channel();
        self.hand_over(batch, Lines::default(), Some(answer), undo)
            .map_err(undone)?;
        Pending(answered).stored().await
    }

    /// Hands lines over; of several callers' they are stored in the order of
    /// the calls. `bytes` is about how much memory they and `undo` take.
    ///
    /// # Errors
    /// [`Refused`] when they are not even taken, with `undo`, which was not run.
    pub fn send_lines(
        &self,
        signal: Signal,
        lines: Lines,
        bytes: usize,
        undo: Undo,
    ) -> Result<Pending, (Refused, Option<Undo>)> {
        let (answer, answered) = oneshot::channel();
        let batch = Batch {
            signal,
            candidates: Vec::new(),
            links: Vec::new(),
            bytes,
        };
        self.hand_over(batch, lines, Some(answer), Some(undo))?;
        Ok(Pending(answered))
    }

    /// Hands a batch over for which nobody waits, such as a datagram's.
    ///
    /// # Errors
    /// [`Refused`] when it is not even taken. One that the disk then refuses is
    /// counted.
    pub fn offer(&self, batch: Batch) -> Result<(), Refused> {
        self.hand_over(batch, Lines::default(), None, None)
            .map_err(undone)
    }

    /// As [`Self::offer`], of lines.
    ///
    /// # Errors
    /// As [`Self::offer`].
    pub fn offer_lines(&self, signal: Signal, lines: Lines) -> Result<(), Refused> {
        let batch = Batch {
            signal,
            candidates: Vec::new(),
            links: Vec::new(),
            bytes: lines.bytes.len(),
        };
        self.hand_over(batch, lines, None, None).map_err(undone)
    }

    fn hand_over(
        &self,
        batch: Batch,
        lines: Lines,
        answer: Option<Answer>,
        undo: Option<Undo>,
    ) -> Result<(), (Refused, Option<Undo>)> {
        let Handle {
            shared,
            budget,
            counters,
        } = &*self.handle;
        let Some(hold) = budget.take(batch.bytes) else {
            counters.of(batch.signal).overloaded.add(1);
            return Err((Refused::Overloaded, undo));
        };
        counters.queued_batches.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting {
            batch,
            lines,
            answer,
            undo: UnlessStored(undo),
            hold,
        };
        shared.push(waiting).map_err(|undo| {
            counters.queued_batches.fetch_sub(1, Ordering::Relaxed);
            (Refused::Stopping, undo)
        })
    }
}

/// Undoes what was not even taken.
fn undone((refused, undo): (Refused, Option<Undo>)) -> Refused {
    if let Some(undo) = undo {
        undo();
    }
    refused
}

/// What was handed over and waits for the disk.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Tally, Refused>>);

impl Pending {
    /// Waits until it is stored.
    ///
    /// # Errors
    /// [`Refused`]; then nothing of it was stored.
    pub async fn stored(self) -> Result<Tally, Refused> {
        // Nobody answers when storing it was broken off.
        let broken_off = || Err(Refused::Disk("storing it was broken off".to_owned()));
        self.0.await.unwrap_or_else(|_| broken_off())
    }
}

type Answer = oneshot::Sender<Result<Tally, Refused>>;

/// A batch in the queue. Dropped unanswered it is undone first, then given up:
/// fields are dropped in this order.
struct Waiting {
    batch: Batch,
    lines: Lines,
    undo: UnlessStored,
    hold: Hold,
    answer: Option<Answer>,
}

/// Undoes when it is dropped, by whatever way, unless it was told otherwise.
struct UnlessStored(Option<Undo>);

impl Drop for UnlessStored {
    fn drop(&mut self) {
        if let Some(undo) = self.0.take() {
            undo();
        }
    }
}

impl Waiting {
    /// Answers. By then it holds no memory any more, and what it is not stored
    /// for is undone.
    fn tell(self, outcome: Result<Tally, Refused>) {
        let mut undo = self.undo;
        if outcome.is_ok() {
            undo.0 = None;
        }
        drop(undo);
        drop(self.hold);
        if let Some(answer) = self.answer {
            // Who asked may be gone.
            let _ = answer.send(outcome);
        }
    }
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    budget: Budget,
    counters: Arc<Counters>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.shared.close());
    }
}

/// What the handles and the thread share.
struct Shared {
    state: Mutex<State>,
    /// A batch came, it is closed, or the thread ended.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Waiting>,
    closed: bool,
    ended: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(..)")
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a batch into the queue; when it is closed, gives back what is to be
    /// undone.
    fn push(&self, mut waiting: Waiting) -> Result<(), Option<Undo>> {
        let mut state = self.state();
        if state.closed {
            return Err(waiting.undo.0.take());
        }
        state.queue.push_back(waiting);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    fn close(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.closed = true;
        self.changed.notify_all();
        state
    }

    /// Waits for batches, and takes those there are; `None` when it is closed
    /// and empty. While the disk refuses, it waits only for so long.
    fn window(&self, counters: &Counters) -> Option<Vec<Waiting>> {
        let mut state = self.state();
        while state.queue.is_empty() {
            if state.closed {
                return None;
            }
            if !counters.refuses() {
                let waited = self.changed.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = again;
            if timeout.timed_out() {
                break;
            }
        }
        let mut window = Vec::new();
        let mut bytes = 0;
        while bytes < WINDOW_BYTES
            && let Some(waiting) = state.queue.pop_front()
        {
            bytes += waiting.batch.bytes;
            window.push(waiting);
        }
        Some(window)
    }
}

/// The thread.
struct Writer {
    shared: Arc<Shared>,
    sink: Arc<dyn Sink>,
    counters: Arc<Counters>,
    started: Instant,
}

/// A batch of the window, admitted.
struct Admitted {
    signal: Signal,
    tally: Tally,
    events: u64,
    waiting: Waiting,
}

impl Writer {
    fn run(self, home: &Home) {
        let mut seen = Seen::default();
        let mut earlier = Earlier::read(home, &mut seen);
        while let Some(window) = self.shared.window(&self.counters) {
            // Nobody sends anything: whether the disk still refuses is found out.
            if window.is_empty() {
                if has_room(home).is_ok() {
                    self.counters.took();
                }
                continue;
            }
            let waits = &self.counters.queued_batches;
            waits.fetch_sub(window.len() as u64, Ordering::Relaxed);
            let commit = || self.commit(window, &mut seen, &mut earlier);
            // A defect, told on stderr by itself, costs the window it met with;
            // whoever comes next must not wait for a thread that is gone.
            if catch_unwind(AssertUnwindSafe(commit)).is_err() {
                seen.forget();
                earlier.forget();
            }
        }
        let mut state = self.shared.state();
        state.ended = true;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Stores what is new of all batches at once, and answers them.
    fn commit(&self, window: Vec<Waiting>, seen: &mut Seen, earlier: &mut Earlier) {
        let began = Instant::now();
        let now = began.duration_since(self.started).as_secs();
        let mut events = Vec::new();
        let mut lines = Vec::new();
        let mut admitted = Vec::with_capacity(window.len());
        for mut waiting in window {
            let batch = &mut waiting.batch;
            let candidates = std::mem::take(&mut batch.candidates);
            for candidate in &candidates {
                recall(candidate, seen, earlier);
            }
            let (kept, mut tally) = seen.admit(candidates, &batch.links, now);
            let written = &mut waiting.lines;
            let known = earlier.leave_out(&mut written.bytes);
            let told = written.count.saturating_sub(known);
            tally.kept += told;
            tally.duplicates += known;
            // Mostly there is one batch of lines, and nothing to copy.
            match lines.is_empty() {
                true => lines = std::mem::take(&mut written.bytes),
                false => lines.append(&mut written.bytes),
            }
            admitted.push(Admitted {
                signal: batch.signal,
                tally,
                events: kept.len() as u64 + told,
                waiting,
            });
            events.extend(kept.into_iter().map(|candidate| candidate.event));
        }
        let stored = self.store(&events, &lines);
        self.counters.commits.add(1);
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counters.commit_nanos.add(nanos);
        match &stored {
            Ok(()) => {
                seen.settle();
                earlier.settle();
            }
            Err(_) => {
                seen.forget();
                earlier.forget();
            }
        }
        for one in admitted {
            self.answer(one, &stored);
        }
    }

    /// Nothing new needs no disk: what it repeats is there already.
    fn store(&self, events: &[Event], lines: &[u8]) -> Result<(), Refused> {
        let stored = match (events.is_empty(), lines.is_empty()) {
            (true, true) => return Ok(()),
            (_, true) => self.sink.put(events),
            (_, false) => self.sink.put_lines(events, lines),
        };
        stored.map(|()| self.counters.took()).map_err(|error| {
            // Whoever sent it need not know where the home lies.
            let why = root(&error);
            let refused = Refused::Disk(format!("it cannot be stored now: {why}"));
            self.counters.refused(describe(&error), why);
            refused
        })
    }

    fn answer(&self, one: Admitted, stored: &Result<(), Refused>) {
        let of = self.counters.of(one.signal);
        if let Err(refused) = stored {
            of.failed.add(1);
            one.waiting.tell(Err(refused.clone()));
            return;
        }
        of.stored.add(one.events);
        of.duplicates.add(one.tally.duplicates);
        of.merged.add(one.tally.merged);
        one.waiting.tell(Ok(one.tally));
    }
}

/// What lies at the bottom of an error.
fn root(error: &SinkError) -> String {
    let below = std::iter::successors(error.source(), |&cause| cause.source());
    let last = below.last();
    last.map_or_else(|| error.what.clone(), ToString::to_string)
}

/// Remembers a record without ids that was stored before this process began.
fn recall(candidate: &Candidate, seen: &mut Seen, earlier: &mut Earlier) {
    let keys = &candidate.keys;
    let Some(body) = keys.body.filter(|_| keys.span == [0; 8]) else {
        return;
    };
    if !seen.knows_body(body) && earlier.has(&candidate.event) {
        seen.stored(keys, "", None);
    }
}

#[cfg(test)]
mod tests;
