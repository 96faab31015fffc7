//! The outbox and its threads, one a channel: each waits for its own server.
//!
//! What is kept of it, and in which order, so that a kill between any two steps
//! repeats nothing and loses nothing:
//!
//! 1. that an alert is to be told of, before anybody is (`state.json`, [`Post::take`]
//!    to [`Post::release`]);
//! 2. that a channel took it, at once, as a line ([`Ledger`]);
//! 3. the same again with all the rest, with the next look at the rules, and
//!    then the line goes ([`Post::kept`], [`Post::noted`]).

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::render::iso;

use super::item::Item;
use super::outbox::{Batch, Due, KeptPost, Lost, Outbox};
use super::told::Ledger;
use super::undelivered::Undelivered;
use super::{BROKE, Channel, Channels, Failure};
use crate::alert::Told;
use crate::alert::silence::Silence;
use crate::counters::Counters;

/// The channels of a server, and what they are told.
pub struct Post {
    channels: Channels,
    /// Locked before the desk, where both are.
    ledger: Mutex<Ledger>,
    desk: Mutex<Desk>,
    /// Something came, or somebody is done.
    turn: Condvar,
    undelivered: Undelivered,
    link: OnceLock<String>,
    /// The clock of what is due: one that stands still when the machine's is set
    /// back.
    began: (UnixNanos, Instant),
}

struct Desk {
    outbox: Outbox,
    /// Who is being told now.
    busy: Vec<bool>,
    leaving: bool,
}

impl Post {
    /// For the home at `root`; nobody is told of anything yet.
    pub fn new(root: &Path, channels: &Channels) -> Self {
        let mut outbox = Outbox::new(channels);
        outbox.held = true;
        let desk = Desk {
            outbox,
            busy: vec![false; channels.iter().count()],
            leaving: false,
        };
        Self {
            channels: channels.clone(),
            ledger: Mutex::new(Ledger::of(root)),
            desk: Mutex::new(desk),
            turn: Condvar::new(),
            undelivered: Undelivered::of(root),
            link: OnceLock::new(),
            began: (UnixNanos::now(), Instant::now()),
        }
    }

    /// The channels.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Where the page is, once that is known.
    pub fn set_link(&self, link: String) {
        // Set once, when the doors are open.
        let _ = self.link.set(link);
    }

    /// Where the page is.
    pub fn link(&self) -> Option<String> {
        self.link.get().cloned()
    }

    /// Each channel and how it goes with it.
    pub fn shown(&self) -> Value {
        let desk = self.desk();
        let channels = self.channels.iter().enumerate();
        let shown = channels.map(|(at, channel)| {
            let (facts, waiting) = desk.outbox.facts(at);
            json!({
                "name": channel.name(),
                "kind": channel.kind(),
                "severity": channel.severity(),
                "last_ok": facts.last_ok.map(iso),
                "last_error": facts.last_error,
                "last_error_at": facts.last_error_at.map(iso),
                "waiting": waiting,
                "undelivered": facts.undelivered,
            })
        });
        shown.collect()
    }

    /// Alerts that wait to be told of, all channels together.
    pub fn waiting(&self) -> usize {
        let desk = self.desk();
        let all = 0..self.channels.iter().count();
        all.map(|at| desk.outbox.facts(at).1).sum()
    }

    /// Goes on with what was kept, and with what channels were told of since.
    ///
    /// # Errors
    /// When the latter cannot be read: it may be told again.
    pub(crate) fn resume(&self, kept: KeptPost) -> io::Result<()> {
        let since = self.ledger().resume(kept.told);
        let mut desk = self.desk();
        desk.outbox.resume(kept);
        since.map(|lines| desk.outbox.resume_told(lines))
    }

    /// Takes what fires as told of.
    pub(crate) fn assume_told(&self, firing: Vec<Item>) {
        let now = self.now();
        self.desk().outbox.assume_told(firing, now);
    }

    /// What is to be kept.
    pub(crate) fn kept(&self) -> KeptPost {
        let ledger = self.ledger();
        self.desk().outbox.kept(ledger.last())
    }

    /// Takes that it is: of what channels were told up to then no line is needed
    /// any more.
    ///
    /// # Errors
    /// What the disk says; then the lines stay, and do no harm.
    pub(crate) fn noted(&self, told: u64) -> io::Result<()> {
        self.ledger().forget(told)
    }

    /// Takes what people are to be told; nobody is until [`Post::release`].
    pub(crate) fn take(&self, news: &[Told], counters: &Counters) {
        if news.is_empty() {
            return;
        }
        let now = self.now();
        let mut desk = self.desk();
        desk.outbox.held = true;
        let lost = desk.outbox.take(news, now);
        drop(desk);
        let mut by_channel: BTreeMap<usize, Vec<Lost>> = BTreeMap::new();
        for (at, lost) in lost {
            by_channel.entry(at).or_default().push(lost);
        }
        for (at, lost) in by_channel {
            if let Some(channel) = self.channels.iter().nth(at) {
                self.note(channel, &lost, counters);
            }
        }
    }

    /// What was taken is kept: people are told.
    pub(crate) fn release(&self) {
        let mut desk = self.desk();
        if std::mem::take(&mut desk.outbox.held) {
            self.turn.notify_all();
        }
    }

    /// Takes the silences that there are now.
    pub(crate) fn set_silences(&self, silences: Vec<Silence>) {
        if self.desk().outbox.set_silences(silences) {
            self.turn.notify_all();
        }
    }

    /// Ends those that are over by the machine's clock: that of what is due stands
    /// still while the machine sleeps.
    pub(crate) fn end_silences(&self, clock: UnixNanos) {
        if self.desk().outbox.end_silences(clock) {
            self.turn.notify_all();
        }
    }

    /// The silences, as they were read last.
    pub fn silences(&self) -> Vec<Silence> {
        self.desk().outbox.silences().to_vec()
    }

    /// Starts a thread a channel, each of which waits for [`Post::release`].
    /// `keep` is called when what is kept is not what is known any more.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn start(
        self: &Arc<Self>,
        keep: impl Fn() + Clone + Send + 'static,
        counters: &Arc<Counters>,
    ) -> io::Result<()> {
        for (at, channel) in self.channels.iter().enumerate() {
            let (post, channel) = (self.clone(), channel.clone());
            let (keep, counters) = (keep.clone(), counters.clone());
            let run = move || post.tell(at, &channel, &counters, &keep);
            let thread = std::thread::Builder::new().name("tacho-notify".to_owned());
            thread.spawn(run)?;
        }
        Ok(())
    }

    /// Nobody is told of anything new; waits for those who are being told.
    pub(crate) fn leave(&self, within: Duration) {
        let mut desk = self.desk();
        desk.leaving = true;
        self.turn.notify_all();
        let began = Instant::now();
        while desk.busy.contains(&true) {
            let Some(left) = within.checked_sub(began.elapsed()) else {
                return;
            };
            let waited = self.turn.wait_timeout(desk, left);
            desk = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn tell(&self, at: usize, channel: &Channel, counters: &Counters, keep: &dyn Fn()) {
        let mut desk = self.desk();
        while !desk.leaving {
            let now = self.now();
            desk = match desk.outbox.due(at, now) {
                Due::Send(batch) => {
                    desk.busy[at] = true;
                    drop(desk);
                    self.send(at, channel, batch, counters);
                    keep();
                    self.desk()
                }
                Due::Wait(None) => {
                    let waited = self.turn.wait(desk);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
                Due::Wait(Some(until)) => {
                    let nanos = u64::try_from(until.0.saturating_sub(now.0)).unwrap_or(0);
                    let wait = Duration::from_nanos(nanos).max(Duration::from_millis(1));
                    let waited = self.turn.wait_timeout(desk, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn send(&self, at: usize, channel: &Channel, mut batch: Batch, counters: &Counters) {
        batch.notification.link = self.link();
        // A defect of one channel is no end of it.
        let sent = catch_unwind(AssertUnwindSafe(|| channel.send(&batch.notification)));
        let sent = sent.unwrap_or_else(|_| Err(Failure::later(BROKE)));
        match &sent {
            Ok(()) => counters.notifications_sent.add(1),
            Err(_) => counters.notifications_failed.add(1),
        }
        let times = (self.now(), UnixNanos::now());
        let mut ledger = self.ledger();
        let mut desk = self.desk();
        let done = desk.outbox.done(at, &batch, &sent, times, fastrand::f64());
        drop(desk);
        let noted = ledger.add(channel.name(), times.0, done.settled);
        drop(ledger);
        if let Err(error) = noted {
            // It is kept with all the rest within a second.
            let why = format!("alerts/told.jsonl: {error}");
            counters.alert_states_unkept.add(1, why);
        }
        self.desk().busy[at] = false;
        self.turn.notify_all();
        self.note(channel, &done.lost, counters);
    }

    /// Notes what a channel was not told of.
    fn note(&self, channel: &Channel, lost: &[Lost], counters: &Counters) {
        if lost.is_empty() {
            return;
        }
        counters.alerts_undelivered.add(lost.len() as u64);
        let noted = self.undelivered.add(channel.name(), channel.kind(), lost);
        if let Err(error) = noted {
            counters.undelivered_unwritten.add(1, error);
        }
    }

    fn now(&self) -> UnixNanos {
        let (began, since) = self.began;
        let passed = i64::try_from(since.elapsed().as_nanos()).unwrap_or(i64::MAX);
        UnixNanos(began.0.saturating_add(passed))
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "post_tests.rs"]
mod tests;
