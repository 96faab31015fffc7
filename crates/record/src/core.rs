//! The engine's door: what the recorder's handles call.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tachograph_model::Sink;

use crate::engine::{Engine, Shared};
use crate::loss::Reason;
use crate::ring::{Producer, Pushed};
use crate::{clock, fork};

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
    /// Index into [`tachograph_model::KINDS`].
    pub(crate) kind: u8,
    /// Bit i: the kind's field i is present.
    pub(crate) presence: u32,
    /// One word per present field, in the order of the fields (a list: its
    /// count, then that many).
    pub(crate) words: &'a [u64],
}

pub(crate) type Observer = Box<dyn FnMut(RecordView<'_>) + Send>;

/// The engine's door. Shared by the recorder and its handles.
pub(crate) struct Core {
    /// Tells cores apart; 0 once it is shut down.
    id: AtomicU64,
    /// That of the process which opened it; forked children's hang behind.
    engine: Engine,
}

impl Core {
    /// Opens a core. Never fails: what does not work is said through
    /// `on_notice`, and what is lost by it is counted.
    pub(crate) fn open(settings: CoreSettings) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let settings = Arc::new(settings);
        Arc::new(Self {
            id: AtomicU64::new(NEXT.fetch_add(1, Ordering::Relaxed)),
            engine: Engine::start(&settings),
        })
    }

    /// Interns a name. Takes a lock: resolve once, record many times.
    pub(crate) fn name(&self, text: &str) -> NameId {
        self.here().name(text)
    }

    /// Returns the text of a name.
    pub(crate) fn name_text(&self, id: NameId) -> Arc<str> {
        self.here().name_text(id)
    }

    /// Returns nanoseconds since the epoch.
    #[inline]
    pub(crate) fn now(&self) -> i64 {
        clock::now()
    }

    /// Returns nanoseconds on a steady clock: only differences mean anything
    /// (take them with `saturating_sub`).
    #[inline]
    pub(crate) fn mono(&self) -> u64 {
        clock::steady()
    }

    /// Records. Never blocks, never fails; takes no lock, allocates nothing
    /// and asks nothing of the kernel, but for a thread's first record, which
    /// fetches a ring, and the one that fills half of it, which wakes the
    /// drain. A record that finds no room is counted.
    #[inline]
    pub(crate) fn push(&self, kind: u8, time: i64, presence: u32, words: &[u64]) {
        let id = self.id.load(Ordering::Relaxed);
        // Gone: the thread is ending. Borrowed: a signal handler, or a drop
        // while a seat is being taken.
        let pushed = LOCAL.try_with(|local| {
            let Ok(mut local) = local.try_borrow_mut() else {
                return false;
            };
            if let Some(seat) = &mut local.current
                && seat.core == id
                && seat.is_ours()
            {
                if seat.producer.push(kind, time, presence, words) == Pushed::Crowded {
                    seat.shared.crowded();
                }
                return true;
            }
            self.push_first(&mut local, kind, time, presence, words)
        });
        if !pushed.unwrap_or(false) {
            self.push_without_seat(kind, time, presence, words);
        }
    }

    /// Waits until everything that was pushed before is in the log; `false`
    /// when it is not, or not in time.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        self.here().flush(timeout)
    }

    /// Flushes, and ends the drain; later records are counted as lost. What is
    /// not in the log in time is left in the rings, for the next process.
    pub(crate) fn shutdown(&self, timeout: Duration) -> bool {
        self.id.store(0, Ordering::SeqCst);
        // A forked child that never recorded has nothing to end.
        self.existing()
            .is_none_or(|engine| engine.shutdown(timeout))
    }

    /// Calls `observer` from the drain thread for every record, in the order
    /// of each ring, before it is in the log. Replaces the one before.
    pub(crate) fn set_observer(&self, observer: Observer) {
        self.here().set_observer(observer);
    }

    /// Returns what could not be recorded so far: kind, reason, count.
    pub(crate) fn losses(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.here().losses()
    }

    /// The engine of this process, built if it was forked since.
    fn here(&self) -> &Arc<Shared> {
        let mut engine = &self.engine;
        let generation = fork::generation();
        while engine.generation != generation {
            engine = engine
                .next
                .get_or_init(|| Box::new(Engine::after_fork(&engine.shared)));
        }
        &engine.shared
    }

    fn existing(&self) -> Option<&Engine> {
        let generation = fork::generation();
        let mut engine = &self.engine;
        while engine.generation != generation {
            engine = engine.next.get()?;
        }
        Some(engine)
    }

    /// Takes a seat for this thread and records; `false` when there is none.
    #[cold]
    #[inline(never)]
    fn push_first(
        &self,
        local: &mut Local,
        kind: u8,
        time: i64,
        presence: u32,
        words: &[u64],
    ) -> bool {
        let id = self.id.load(Ordering::Relaxed);
        if id == 0 {
            return false;
        }
        // Seats of this core before a fork are of no use, but for `drop`.
        local.others.retain(Seat::is_ours);
        let known = local.others.iter().position(|seat| seat.core == id);
        let seat = match known {
            Some(at) => local.others.swap_remove(at),
            None => {
                let shared = self.here();
                let Some(ring) = shared.take_ring() else {
                    return false;
                };
                Seat {
                    producer: Producer::new(ring),
                    core: id,
                    generation: fork::generation(),
                    word: fork::word(),
                    shared: shared.clone(),
                }
            }
        };
        if let Some(last) = local.current.replace(seat) {
            local.others.push(last);
        }
        if let Some(seat) = &mut local.current {
            seat.producer.push(kind, time, presence, words);
        }
        true
    }

    #[cold]
    #[inline(never)]
    fn push_without_seat(&self, kind: u8, time: i64, presence: u32, words: &[u64]) {
        if self.id.load(Ordering::Relaxed) == 0 {
            if let Some(engine) = self.existing() {
                engine.shared.lost(kind, Reason::WriteFailed);
            }
            return;
        }
        self.here().push_shared(kind, time, presence, words);
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.shutdown(Duration::from_millis(100));
    }
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local { current: None, others: Vec::new() }) };
}

/// A thread's rings: that of the core it used last, and those of others.
struct Local {
    current: Option<Seat>,
    others: Vec<Seat>,
}

/// A thread's place in a core.
struct Seat {
    producer: Producer,
    core: u64,
    /// The process it was taken in, and the word that tells which one this is.
    generation: u64,
    word: &'static AtomicU64,
    shared: Arc<Shared>,
}

impl Seat {
    #[inline]
    fn is_ours(&self) -> bool {
        self.word.load(Ordering::Relaxed) == self.generation
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_ours() {
            self.shared.return_ring(self.producer.ring().clone());
        }
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
