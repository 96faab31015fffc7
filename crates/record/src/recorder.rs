//! The recorder: what a program holds, and what all its handles share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tachograph_log::Home;
use tachograph_model::privacy::legacy_agent_hash;
use tachograph_model::{Column, KINDS, Salt};

use crate::builder::Builder;
use crate::core::{Core, NameId};
use crate::layout::{Words, field, kind};
use crate::notice::Notices;
use crate::open_queries::OpenQueries;
use crate::opt_out::OptOut;
use crate::windows::{self, CacheWords, Windows};
use crate::{ids, names};

/// How long a dropped recorder waits for the log to be written, and a question
/// for the drain to catch up.
const PATIENCE: Duration = Duration::from_millis(100);

/// Records what agents do.
///
/// Cheap to clone (one reference count), `Send` and `Sync`. Everything that
/// records returns at once, never fails and never blocks: trouble is counted
/// ([`Recorder::losses`]) and said once ([`Recorder::notices`]).
///
/// When the last clone and the last handle are dropped, what is left is written
/// to the log, in at most 100 ms.
#[derive(Clone)]
pub struct Recorder {
    pub(crate) inner: Option<Arc<Inner>>,
    /// `None`: none.
    pub(crate) opt_outs: Option<Arc<[OptOut]>>,
}

/// What a recorder and its handles share.
pub(crate) struct Inner {
    pub(crate) core: Arc<Core>,
    /// Tells recorders of this process apart; never 0.
    number: u64,
    pub(crate) settings: Shared,
    pub(crate) windows: Option<Arc<Windows>>,
    pub(crate) cache_words: CacheWords,
    pub(crate) open_queries: OpenQueries,
    salt: OnceLock<Salt>,
    notices: Notices,
    /// Values that are no numbers, by kind of event.
    invalid: Vec<Counter>,
    /// Queries that were not kept open because too many were.
    too_many_open: Counter,
}

/// How many were dropped, and how many of them the log knows of.
#[derive(Default)]
struct Counter {
    total: AtomicU64,
    logged: AtomicU64,
}

/// The settings that matter while recording.
pub(crate) struct Shared {
    pub(crate) home: Option<std::path::PathBuf>,
    pub(crate) tool_metrics: bool,
    pub(crate) query_metrics: bool,
    pub(crate) sampling_rate: f64,
    pub(crate) keep_text: bool,
    pub(crate) legacy_agent_hash: bool,
}

/// Events that could not be recorded, by kind and reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loss {
    /// Type of the lost events.
    pub kind: &'static str,
    /// `overload`, `cardinality`, `write_failed`, `too_long`, `damaged`, `invalid`, …
    pub reason: &'static str,
    /// How many since the recorder was made.
    pub count: u64,
}

impl Recorder {
    /// Starts a recorder's settings; they read nothing from the environment.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A recorder that records nothing: every call costs one branch, at most
    /// 2 ns.
    pub const fn disabled() -> Self {
        Self {
            inner: None,
            opt_outs: None,
        }
    }

    /// Whether this recorder records anything at all. Cost: one branch.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.inner.is_some()
    }

    /// The variables of the environment because of which it records nothing,
    /// or not everything. Empty for one that was not built from
    /// [`Settings`](crate::Settings), and for one that was switched off by
    /// [`Builder::enabled`].
    ///
    /// ```
    /// use tachograph::{Recorder, Settings};
    /// let lookup = |name: &str| (name == "TACHOGRAPH_DISABLED").then(|| "1".into());
    /// let settings = Settings::from_lookup(lookup);
    /// let recorder = Recorder::builder().settings(settings).build();
    /// assert!(!recorder.is_enabled());
    /// assert_eq!(recorder.opt_outs()[0].to_string(), "TACHOGRAPH_DISABLED=1");
    /// ```
    pub fn opt_outs(&self) -> &[OptOut] {
        self.opt_outs.as_deref().unwrap_or_default()
    }

    /// Waits until everything recorded before is in the log; `false` when it
    /// took longer than `timeout` or could not be written.
    ///
    /// Not needed for safety: what is recorded survives the process even
    /// unflushed. Cost: a wake-up of the drain thread, about 0.1 ms.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.flush(timeout))
    }

    /// Ends recording: open queries are recorded as abandoned, what is left is
    /// written to the log. `false` when that took longer than `timeout`.
    ///
    /// Calls after it record nothing. Happens by itself, within 100 ms, when
    /// the last clone is dropped.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.inner
            .as_ref()
            .is_none_or(|inner| inner.shutdown(timeout))
    }

    /// What could not be recorded so far. Cost: microseconds.
    pub fn losses(&self) -> Vec<Loss> {
        self.inner
            .as_ref()
            .map_or_else(Vec::new, |inner| inner.losses())
    }

    /// What degraded recording so far, in words, each cause once.
    pub fn notices(&self) -> Vec<String> {
        self.inner
            .as_ref()
            .map_or_else(Vec::new, |inner| inner.notices.kept())
    }

    /// Live figures of every tool and cache, in the third seed's JSON: see
    /// [live windows](crate#live-windows).
    ///
    /// First lets the drain catch up. Recorders never wait for it. Cost: at
    /// most 1 ms for 100 tools of 1000 samples.
    pub fn all_metrics(&self) -> Value {
        match self.live() {
            Some((core, windows)) => windows.all(core),
            None => windows::nothing(),
        }
    }

    /// Live figures of one tool; `{}` when no call of it is known.
    pub fn tool_metrics(&self, name: &str) -> Value {
        self.live()
            .map_or_else(windows::unknown, |(core, windows)| windows.tool(core, name))
    }

    /// Live figures of one cache; `{}` when nothing of it is known.
    pub fn cache_metrics(&self, name: &str) -> Value {
        self.live()
            .map_or_else(windows::unknown, |(core, windows)| {
                windows.cache(core, name)
            })
    }

    /// Empties the live windows; the log keeps what it has.
    pub fn reset_metrics(&self) {
        if let Some((_, windows)) = self.live() {
            windows.reset();
        }
    }

    /// The windows, brought up to date.
    fn live(&self) -> Option<(&Core, &Windows)> {
        let inner = self.inner.as_ref()?;
        let windows = inner.windows.as_ref()?;
        inner.core.flush(PATIENCE);
        Some((&inner.core, windows))
    }

    /// The shared state, if what seed 3 collects is wanted.
    pub(crate) fn for_tools(&self) -> Option<&Arc<Inner>> {
        self.inner
            .as_ref()
            .filter(|inner| inner.settings.tool_metrics)
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder")
            .field("enabled", &self.is_enabled())
            .finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn new(
        core: Arc<Core>,
        settings: Shared,
        window: usize,
        salt: Option<Salt>,
        notices: Notices,
    ) -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let windows = settings
            .tool_metrics
            .then(|| Windows::observing(&core, window));
        Arc::new(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            windows,
            cache_words: CacheWords::of(&core),
            open_queries: OpenQueries::default(),
            salt: salt.map_or_else(OnceLock::new, OnceLock::from),
            notices,
            invalid: KINDS.iter().map(|_| Counter::default()).collect(),
            too_many_open: Counter::default(),
            core,
            settings,
        })
    }

    /// Resolves a name through the thread's memory.
    pub(crate) fn name(&self, text: &str) -> NameId {
        names::resolve(&self.core, self.number, text)
    }

    /// Resolves an identity: only its keyed hash is a name here.
    pub(crate) fn hashed(&self, identity: &str) -> NameId {
        match self.settings.legacy_agent_hash {
            true => self.name(&legacy_agent_hash(identity)),
            false => self.name(&self.salt().hash(identity)),
        }
    }

    /// The keyed hash of an identity, as a number; never 0.
    pub(crate) fn hashed_id(&self, identity: &str) -> u64 {
        u64::from_str_radix(&self.salt().hash(identity), 16)
            .unwrap_or(1)
            .max(1)
    }

    /// The installation's salt, read (or made) when first needed.
    pub(crate) fn salt(&self) -> &Salt {
        self.salt.get_or_init(|| {
            let home = self.settings.home.as_ref().map(Home::at);
            match home.map(|home| home.salt()) {
                Some(Ok(salt)) => salt,
                // Nothing outlives this process then, hashes included.
                None => ids::salt_of_process(),
                Some(Err(why)) => {
                    self.notices.tell(&format!(
                        "{why}; identities of this process are hashed with a salt of its own"
                    ));
                    ids::salt_of_process()
                }
            }
        })
    }

    /// Counts a value of an event that cannot be recorded.
    #[cold]
    pub(crate) fn count_invalid(&self, kind: u8) {
        if let Some(counter) = self.invalid.get(usize::from(kind)) {
            counter.total.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a query that was not kept open.
    #[cold]
    pub(crate) fn count_too_many_open(&self) {
        self.too_many_open.total.fetch_add(1, Ordering::Relaxed);
    }

    /// What was dropped before it reached the engine.
    fn dropped(&self) -> impl Iterator<Item = (&'static str, &'static str, &Counter)> {
        let invalid = KINDS.iter().zip(&self.invalid);
        invalid
            .map(|(kind, counter)| (kind.name, "invalid", counter))
            .chain([("query", "too_many_open", &self.too_many_open)])
    }

    fn losses(&self) -> Vec<Loss> {
        let engine = self.core.losses().into_iter();
        let mut losses: Vec<Loss> = engine
            .map(|(kind, reason, count)| Loss {
                kind,
                reason,
                count,
            })
            .collect();
        for (kind, reason, counter) in self.dropped() {
            let count = counter.total.load(Ordering::Relaxed);
            if count > 0 {
                losses.push(Loss {
                    kind,
                    reason,
                    count,
                });
            }
        }
        losses
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.say_losses();
        self.core.flush(timeout)
    }

    fn shutdown(&self, timeout: Duration) -> bool {
        self.open_queries.abandon_all(self);
        self.say_losses();
        self.core.shutdown(timeout)
    }

    /// Records how much was dropped since the last time.
    fn say_losses(&self) {
        for (dropped, reason, counter) in self.dropped() {
            let total = counter.total.load(Ordering::Relaxed);
            let count = total.saturating_sub(counter.logged.swap(total, Ordering::Relaxed));
            if count == 0 {
                continue;
            }
            const KIND: u8 = kind::LOSS;
            let mut words = Words::<3>::of(KIND);
            words.name(const { field(KIND, Column::Name) }, self.name(dropped));
            words.name(const { field(KIND, Column::Status) }, self.name(reason));
            words.count(const { field(KIND, Column::Count) }, count);
            words.push(&self.core);
        }
    }
}

/// A panic in the host leaves nothing half done in here, so recording may go
/// on after one was caught.
impl std::panic::RefUnwindSafe for Inner {}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shutdown(PATIENCE);
    }
}
