//! The engine of a core in one process: region, names, and what its threads
//! share with the one that drains ([`thread`]). A forked child builds its own.

mod thread;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use tachograph_log::{Appender, Home};
use tachograph_model::privacy::told_from_other;
use tachograph_model::{KINDS, describe};

use crate::core::{CoreSettings, NameId, Observer};
use crate::loss::{self, Losses, Reason};
use crate::region::{MAX_NAME, MAX_RING_WORDS, Region};
use crate::ring::{Producer, Pushed, Ring};
use crate::table::Table;
use crate::{clock, fork};

/// See the module's page.
pub(crate) struct Engine {
    /// The process it belongs to.
    pub(crate) generation: u64,
    pub(crate) shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// That of a forked child.
    pub(crate) next: OnceLock<Box<Engine>>,
}

/// What the threads of a process share.
pub(crate) struct Shared {
    settings: Arc<CoreSettings>,
    region: Arc<Region>,
    names: Mutex<Names>,
    /// Rings whose threads have ended, and how many there are in all.
    pool: Mutex<(Vec<Arc<Ring>>, usize)>,
    /// The ring of the threads that got none, and of the drain.
    overflow: Mutex<Producer>,
    losses: Losses,
    log: Option<Appender>,
    observer: Arc<Mutex<Option<Observer>>>,
    wake: Wake,
    noticed: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Names {
    ids: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

/// How threads and the drain talk.
#[derive(Default)]
struct Wake {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
    stop: AtomicBool,
    /// Flushes asked for.
    asked: AtomicU64,
    answered: Mutex<Answered>,
    answer: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Answered {
    /// Flushes answered.
    flushes: u64,
    /// Whether the last of them found the log in order.
    ok: bool,
    /// Whether the drain has ended, and everything is in the log.
    ended: Option<bool>,
}

impl Engine {
    /// Builds the engine of a core in this process.
    pub(crate) fn start(settings: &Arc<CoreSettings>) -> Self {
        let names = loss::first_names(KINDS.iter().map(|kind| kind.name));
        Self::build(settings, Arc::default(), names.map(Arc::from).collect())
    }

    /// Builds that of a forked child: names keep their numbers, which handles
    /// hold. No lock of the parent's is waited for, because the thread that
    /// holds it does not exist here.
    pub(crate) fn after_fork(parent: &Shared) -> Self {
        let mut names = Vec::new();
        parent
            .region
            .names_from(0, |name| names.push(Arc::from(name)));
        let observer = match parent.observer.try_lock() {
            Ok(_) => parent.observer.clone(),
            Err(_) => Arc::default(),
        };
        Self::build(&parent.settings, observer, names)
    }

    fn build(
        settings: &Arc<CoreSettings>,
        observer: Arc<Mutex<Option<Observer>>>,
        first: Vec<Arc<str>>,
    ) -> Self {
        clock::anchor();
        let mut notices = Vec::new();
        let home = settings.home.as_ref().filter(|_| settings.sink.is_none());
        let home = home.and_then(|root| match Home::create(root) {
            Ok(home) => Some(home),
            Err(error) => {
                notices.push(describe(&error));
                None
            }
        });
        let table = Table::current();
        let data = ring_words(settings.ring_bytes);
        let (region, overflow) = new_region(home.as_ref(), settings, &table, data.min(8 * 1024));
        #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
        if home.is_some() && region.mapped.is_none() {
            let why = "no place has room for rings that survive the process";
            notices.push(format!("{why}: if it is killed, its last events are lost"));
        }
        let mut names = Names::default();
        for text in first {
            region.add_name(&text);
            names.ids.insert(text.clone(), names.texts.len() as u32);
            names.texts.push(text);
        }
        let rotate_bytes = settings.rotate_bytes;
        let shared = Arc::new(Shared {
            settings: settings.clone(),
            region,
            names: Mutex::new(names),
            pool: Mutex::default(),
            overflow: Mutex::new(Producer::new(overflow)),
            losses: Losses::default(),
            log: home.map(|home| Appender::with_rotation(&home, rotate_bytes)),
            observer,
            wake: Wake::default(),
            noticed: Mutex::default(),
        });
        notices.iter().for_each(|notice| shared.notice(notice));
        let drain = shared.clone();
        let thread = std::thread::Builder::new()
            .name("tachograph".to_owned())
            .spawn(move || {
                thread::drain(drain, &table);
            });
        if let Err(error) = &thread {
            shared.notice(&format!(
                "cannot start the thread that writes the log: {error}"
            ));
            shared.wake.end(false);
        }
        Self {
            generation: fork::generation(),
            shared,
            thread: Mutex::new(thread.ok()),
            next: OnceLock::new(),
        }
    }

    /// Stops the drain once everything is in the log.
    pub(crate) fn shutdown(&self, timeout: Duration) -> bool {
        let wake = &self.shared.wake;
        wake.stop.store(true, Ordering::SeqCst);
        wake.rouse();
        let deadline = Instant::now() + timeout;
        let mut answered = wake.answered();
        loop {
            if let Some(ok) = answered.ended {
                drop(answered);
                let thread = lock(&self.thread).take();
                return thread.is_none_or(|thread| thread.join().is_ok()) && ok;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            answered = wake.wait(answered, left);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            // The parent's thread does not exist here; it must not even be
            // detached.
            let thread = self
                .thread
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(thread.take());
        }
    }
}

impl Shared {
    /// Takes a ring for a thread; `None` when there are enough.
    pub(crate) fn take_ring(&self) -> Option<Arc<Ring>> {
        let mut pool = lock(&self.pool);
        if let Some(ring) = pool.0.pop() {
            return Some(ring);
        }
        if pool.1 >= self.settings.max_rings {
            return None;
        }
        let ring = self.region.add_ring(ring_words(self.settings.ring_bytes))?;
        pool.1 += 1;
        Some(ring)
    }

    /// Takes back the ring of a thread that ends.
    pub(crate) fn return_ring(&self, ring: Arc<Ring>) {
        lock(&self.pool).0.push(ring);
    }

    /// Records for a thread without a ring: in a shared one, unless somebody
    /// else is at it this very moment.
    pub(crate) fn push_shared(&self, kind: u8, time: i64, presence: u32, words: &[u64]) {
        match self.overflow.try_lock() {
            Ok(mut producer) => {
                if producer.push(kind, time, presence, words) == Pushed::Crowded {
                    self.crowded();
                }
            }
            Err(_) => self.losses.count(Some(kind), Reason::Overload, 1),
        }
    }

    /// Counts an event that nobody will write any more.
    pub(crate) fn lost(&self, kind: u8, reason: Reason) {
        self.losses.count(Some(kind), reason, 1);
    }

    /// Wakes the drain if it sleeps: a ring is more than half full. A system
    /// call, at most once each time it has fallen asleep.
    #[cold]
    pub(crate) fn crowded(&self) {
        if self.wake.asleep.swap(false, Ordering::Relaxed) {
            self.wake.rouse();
        }
    }

    pub(crate) fn name(&self, text: &str) -> NameId {
        let text = &*told_from_other(text);
        let mut names = lock(&self.names);
        if let Some(id) = names.ids.get(text) {
            return NameId(*id);
        }
        let text = match text.get(..text.floor_char_boundary(MAX_NAME)) {
            Some(cut) if cut.len() < text.len() => {
                self.losses.count(None, Reason::TooLong, 1);
                if let Some(id) = names.ids.get(cut) {
                    return NameId(*id);
                }
                cut
            }
            _ => text,
        };
        if names.texts.len() >= self.settings.max_names || !self.region.add_name(text) {
            self.losses.count(None, Reason::Cardinality, 1);
            return NameId::OTHER;
        }
        let id = names.texts.len() as u32;
        let text: Arc<str> = text.into();
        names.texts.push(text.clone());
        names.ids.insert(text, id);
        NameId(id)
    }

    pub(crate) fn name_text(&self, id: NameId) -> Arc<str> {
        let names = lock(&self.names);
        let text = names.texts.get(id.0 as usize).or(names.texts.first());
        text.cloned().unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn region(&self) -> &Region {
        &self.region
    }

    /// Holds every lock that a thread could hold while another one forks.
    #[cfg(test)]
    pub(crate) fn hold_all_locks(&self) -> impl Sized {
        (
            (lock(&self.names), lock(&self.pool), lock(&self.overflow)),
            (lock(&self.observer), lock(&self.noticed)),
            (self.wake.answered(), self.region.hold_blocks()),
        )
    }

    pub(crate) fn set_observer(&self, observer: Observer) {
        *lock(&self.observer) = Some(observer);
    }

    pub(crate) fn losses(&self) -> Vec<(&'static str, &'static str, u64)> {
        let mut rings = Vec::new();
        self.region.rings(&mut rings);
        let all = self.losses.all(&rings).into_iter();
        all.map(|(kind, reason, count)| (loss::kind_name(kind), loss::REASONS[reason].1, count))
            .collect()
    }

    /// Waits until the drain has written everything that is in the rings now.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let wake = &self.wake;
        let ticket = wake.asked.fetch_add(1, Ordering::SeqCst) + 1;
        wake.rouse();
        let deadline = Instant::now() + timeout;
        let mut answered = wake.answered();
        loop {
            if answered.flushes >= ticket {
                return answered.ok;
            }
            if let Some(ok) = answered.ended {
                return ok;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            answered = wake.wait(answered, left);
        }
    }

    /// Tells the host, once for each text.
    fn notice(&self, text: &str) {
        let mut noticed = lock(&self.noticed);
        if noticed.len() < 16 && !noticed.iter().any(|known| known == text) {
            noticed.push(text.to_owned());
            drop(noticed);
            (self.settings.on_notice)(text);
        }
    }
}

impl Wake {
    fn rouse(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn answered(&self) -> MutexGuard<'_, Answered> {
        lock(&self.answered)
    }

    fn wait<'a>(
        &self,
        answered: MutexGuard<'a, Answered>,
        timeout: Duration,
    ) -> MutexGuard<'a, Answered> {
        let waited = self.answer.wait_timeout(answered, timeout);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn end(&self, ok: bool) {
        self.answered().ended = Some(ok);
        self.answer.notify_all();
    }
}

/// Makes a region and its first ring; on the heap where there is no room for
/// a file.
fn new_region(
    home: Option<&Home>,
    settings: &CoreSettings,
    table: &Table,
    ring: usize,
) -> (Arc<Region>, Arc<Ring>) {
    #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
    if let Some(home) = home
        && let Some(region) = crate::places::new_region(home, settings.ring_dir.as_deref(), table)
    {
        if let Some(ring) = region.add_ring(ring) {
            return (Arc::new(region), ring);
        }
        if let Some(mapped) = &region.mapped {
            mapped.remove();
        }
    }
    let _ = (home, &settings.ring_dir);
    let region = Region::heap(table);
    match region.add_ring(ring) {
        Some(ring) => (Arc::new(region), ring),
        None => unreachable!("the heap has room for a first ring"),
    }
}

fn ring_words(bytes: usize) -> usize {
    (bytes / size_of::<u64>())
        .clamp(512, MAX_RING_WORDS)
        .next_power_of_two()
}

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
