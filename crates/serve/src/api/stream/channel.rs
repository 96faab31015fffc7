//! Streams that clients share: one look for all that want the same families
//! over the same window, whenever the first of them needs it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tachograph_model::UnixNanos;
use tachograph_model::render::iso;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::overview;
use super::state::{Look, State};
use crate::api::Api;
use crate::api::problem::{Kind, Problem};
use crate::api::socket::{LATEST, SOONEST};
use crate::hub::Hub;
use crate::live::Family;

/// Streams at once: one for each choice of families and window.
const MOST: usize = 16;
/// Where looking takes long it is done less often: one part in so many of a
/// core for a stream, and never less often than this.
const SHARE: u32 = 10;
const SELDOM: Duration = Duration::from_secs(5);

/// What a stream is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Choice {
    /// In the order of [`Family::ALL`], each once.
    pub(super) families: Vec<Family>,
    pub(super) window: Duration,
}

/// All streams.
#[derive(Debug)]
pub struct Streams {
    epoch: Arc<str>,
    /// Of messages; those of a later run are greater.
    numbers: Arc<AtomicU64>,
    channels: Mutex<HashMap<Choice, Arc<Channel>>>,
}

impl Streams {
    /// None yet, of a server that started then.
    pub fn new(started: UnixNanos) -> Self {
        // Microseconds: JavaScript's numbers hold them, and no server says a
        // million messages a second.
        let first = u64::try_from(started.0 / 1000).unwrap_or(0);
        Self {
            epoch: format!("{:x}", started.0).into(),
            numbers: Arc::new(AtomicU64::new(first)),
            channels: Mutex::default(),
        }
    }

    /// The stream of that choice, made where there is none.
    ///
    /// # Errors
    /// When there are too many that someone listens to.
    pub(super) fn of(&self, choice: &Choice) -> Result<Arc<Channel>, Problem> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(choice) {
            return Ok(channel.clone());
        }
        if channels.len() >= MOST {
            // The one that was looked at the longest ago, of those that nobody
            // listens to.
            let idle = channels.iter().filter(|(_, it)| Arc::strong_count(it) == 1);
            let oldest = idle.min_by_key(|(_, it)| it.told().looked);
            let oldest = oldest.map(|(choice, _)| choice.clone());
            let Some(oldest) = oldest else {
                let detail = format!(
                    "there are {MOST} streams of other families or windows already; choose the \
                     same as others do"
                );
                return Err(Problem::new(Kind::Overloaded, detail).retry_after(10));
            };
            channels.remove(&oldest);
        }
        let channel = Arc::new(Channel {
            state: Mutex::new(State::new(
                self.epoch.clone(),
                &choice.families,
                choice.window,
            )),
            told: Mutex::default(),
            choice: choice.clone(),
            numbers: self.numbers.clone(),
            every: Mutex::new(SOONEST),
            seen: AtomicU64::new(0),
            leading: tokio::sync::Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        });
        channels.insert(choice.clone(), channel.clone());
        Ok(channel)
    }
}

/// One stream.
#[derive(Debug)]
pub(super) struct Channel {
    choice: Choice,
    numbers: Arc<AtomicU64>,
    /// Held for as long as texts are made: only on threads that may block.
    state: Mutex<State>,
    /// Held for a moment.
    told: Mutex<Told>,
    /// Between two looks, at least.
    every: Mutex<Duration>,
    /// Of live state, the change before the last look.
    seen: AtomicU64,
    /// Held by the client who waits for news for all.
    leading: tokio::sync::Mutex<()>,
    /// Held by the one who looks for all.
    looking: tokio::sync::Mutex<()>,
}

/// What the threads that serve look at: the newest message, and texts of it that
/// many ask for.
#[derive(Debug, Default)]
struct Told {
    /// Its number; `None`: there is none yet.
    seq: Option<u64>,
    looked: Option<Instant>,
    /// Of everything, once somebody has asked for it.
    snapshot: Option<Utf8Bytes>,
    /// Of what is new since the message before, which has this number.
    delta: Option<(u64, Utf8Bytes)>,
}

impl Told {
    /// What a client lacks whose newest message has that number, if it was made.
    fn text(&self, known: Option<u64>) -> Option<(u64, Utf8Bytes)> {
        let text = match (known, &self.delta) {
            (None, _) => self.snapshot.clone(),
            (Some(known), Some((before, text))) if *before == known => Some(text.clone()),
            _ => None,
        };
        Some((self.seq?, text?))
    }
}

impl Channel {
    /// As [`State::since`]. What most clients lack is there; what else is to be
    /// made is made on a thread that may block.
    ///
    /// # Errors
    /// When too many ask at once.
    pub(super) async fn since(
        self: &Arc<Self>,
        api: &Api,
        known: Option<u64>,
    ) -> Result<Option<(u64, Utf8Bytes)>, Problem> {
        let told = self.told().text(known);
        if told.is_some() {
            return Ok(told);
        }
        let channel = self.clone();
        api.live.run(move |_| Ok(channel.made(known))).await
    }

    /// The same, unless there is nothing newer than the message of that number.
    ///
    /// # Errors
    /// As [`Channel::since`].
    pub(super) async fn news(
        self: &Arc<Self>,
        api: &Api,
        known: Option<u64>,
    ) -> Result<Option<(u64, Utf8Bytes)>, Problem> {
        if self.told().seq == known {
            return Ok(None);
        }
        self.since(api, known).await
    }

    fn made(&self, known: Option<u64>) -> Option<(u64, Utf8Bytes)> {
        let state = self.state();
        // Whoever was away for too long is told everything, as is who comes anew.
        let known = state.given(known);
        // Another may have had it made while this one waited.
        if let Some(told) = self.told().text(known) {
            return Some(told);
        }
        let (seq, text) = state.since(known)?;
        if known.is_none() {
            self.told().snapshot = Some(text.clone());
        }
        Some((seq, text))
    }

    /// Takes a look in, and has told what is new.
    fn take(&self, look: Look) {
        let mut state = self.state();
        let before = state.seq();
        state.take(look, || self.numbers.fetch_add(1, Ordering::Relaxed) + 1);
        let (seq, looked) = (state.seq(), state.looked());
        if seq == before {
            self.told().looked = looked;
            return;
        }
        let delta = before.and_then(|before| Some((before, state.since(Some(before))?.1)));
        *self.told() = Told {
            seq,
            looked,
            snapshot: None,
            delta,
        };
    }

    /// Has what is known be of now.
    ///
    /// # Errors
    /// When too many ask at once.
    pub(super) async fn renew(self: &Arc<Self>, api: &Api) -> Result<(), Problem> {
        let _looking = self.looking.lock().await;
        if self.due().is_some_and(|due| Instant::now() < due) {
            return Ok(());
        }
        let seen = *api.hub.live.changes().borrow();
        let channel = self.clone();
        // What was begun is brought to its end, though nobody waits for it.
        let looked = api.live.run(move |hub| {
            let began = Instant::now();
            channel.take(channel.look(hub, began));
            let every = (began.elapsed() * SHARE).clamp(SOONEST, SELDOM);
            *channel.every.lock().unwrap_or_else(PoisonError::into_inner) = every;
            channel.seen.store(seen, Ordering::Relaxed);
            Ok(())
        });
        looked.await
    }

    /// Waits until there may be more to say than the message of that number.
    ///
    /// # Errors
    /// As [`Channel::renew`].
    pub(super) async fn wait(self: &Arc<Self>, api: &Api, known: u64) -> Result<(), Problem> {
        let _leading = self.leading.lock().await;
        if self.told().seq != Some(known) {
            return Ok(());
        }
        if let Some(due) = self.due() {
            sleep_until(due).await;
            let seen = self.seen.load(Ordering::Relaxed);
            let mut changes = api.hub.live.changes();
            let change = changes.wait_for(|now| *now != seen);
            // Time alone moves a window. That live state has stopped says that
            // the server follows.
            let _ = timeout_at(due + LATEST.saturating_sub(SOONEST), change).await;
        }
        self.renew(api).await
    }

    /// When the next look may be.
    fn due(&self) -> Option<Instant> {
        let every = *self.every.lock().unwrap_or_else(PoisonError::into_inner);
        Some(self.told().looked? + every)
    }

    fn look(&self, hub: &Hub, at: Instant) -> Look {
        let window = self.choice.window;
        let families = self.choice.families.iter();
        let silences = hub.alerts.post().silences();
        let alerts = overview::Alerts::of(&hub.alerts.book(), &silences);
        Look {
            at,
            timestamp: iso(UnixNanos::now()),
            families: families
                .map(|family| hub.live.windows(*family, None, window))
                .collect(),
            overview: overview::of(&hub.live, window, &alerts).to_string(),
            alerts: alerts.lists.to_string(),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
