//! The thread that drains: rings to log, losses told, until it is stopped.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tachograph_model::{Event, KINDS, describe};

use super::{Answered, Shared, Wake, lock};
use crate::clock;
use crate::drain::{BATCH_BYTES, Drainer};
use crate::loss::{self, Reason};
use crate::ring::Pushed;
use crate::table::Table;

/// The longest that an idle drain sleeps, in times of its interval.
const IDLE_FACTOR: u32 = 5;
/// How often losses are written to the log.
const LOSS_INTERVAL: Duration = Duration::from_secs(1);
/// How long a log that failed is left alone.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Drains until the engine is stopped.
pub(super) fn drain(shared: Arc<Shared>, table: &Table) {
    let ended = Ended(&shared.wake);
    Drain::new(shared.clone(), table).run();
    drop(ended);
}

/// Says that the drain has ended, should it panic.
struct Ended<'a>(&'a Wake);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        if self.0.answered().ended.is_none() {
            self.0.end(false);
        }
    }
}

/// The drain thread.
struct Drain {
    shared: Arc<Shared>,
    drainer: Drainer,
    /// Losses written to the log so far: of which kind and reason, how many.
    told: HashMap<(usize, usize), u64>,
    told_at: Instant,
    /// When the log failed last, and whether waiting may help.
    failed: Option<(Instant, bool)>,
    /// Somebody waits for the answer.
    urgent: bool,
    /// The number of `loss` events.
    loss_kind: Option<u8>,
}

impl Drain {
    fn new(shared: Arc<Shared>, table: &Table) -> Self {
        Self {
            drainer: Drainer::new(shared.region.clone(), table),
            shared,
            told: HashMap::new(),
            told_at: Instant::now(),
            failed: None,
            urgent: false,
            loss_kind: table.kind("loss"),
        }
    }

    fn run(mut self) {
        let wake = &self.shared.clone().wake;
        let _ = wake.thread.set(std::thread::current());
        self.recover();
        let interval = self
            .shared
            .settings
            .drain_interval
            .max(Duration::from_millis(1));
        let mut sleep = interval;
        loop {
            let asked = wake.asked.load(Ordering::SeqCst);
            let stop = wake.stop.load(Ordering::SeqCst);
            self.urgent = stop || asked != wake.answered().flushes;
            clock::anchor();
            let fill = self.drainer.fill();
            self.tell_losses(stop);
            let ok = self.pass();
            *wake.answered() = Answered {
                flushes: asked,
                ok,
                ended: None,
            };
            wake.answer.notify_all();
            if stop {
                let ok = self.end(ok);
                return wake.end(ok);
            }
            // A quarter of a ring came while we slept: look again soon.
            sleep = match fill {
                16.. => Duration::from_micros(500),
                1.. => interval,
                0 if sleep < interval => interval,
                0 => (sleep * 3 / 2).min(interval * IDLE_FACTOR),
            };
            wake.asleep.store(true, Ordering::SeqCst);
            let news = wake.asked.load(Ordering::SeqCst) != asked
                || wake.stop.load(Ordering::SeqCst)
                || self.drainer.fill() >= 32;
            if !news {
                std::thread::park_timeout(sleep);
            }
            wake.asleep.store(false, Ordering::Relaxed);
        }
    }

    fn recover(&self) {
        if let Some(log) = &self.shared.log {
            for note in crate::recover::recover(log).notes {
                self.shared.notice(&note);
            }
        }
    }

    /// Empties the rings; `false` when the log could not be written.
    fn pass(&mut self) -> bool {
        let shared = self.shared.clone();
        let limit = usize::try_from(shared.settings.rotate_bytes).unwrap_or(usize::MAX);
        let limit = limit.clamp(4_096, BATCH_BYTES);
        loop {
            let more = {
                let mut observer = lock(&shared.observer);
                let gathered = catch_unwind(AssertUnwindSafe(|| match observer.as_mut() {
                    Some(observer) => self.drainer.gather(limit, Some(&mut **observer)),
                    None => self.drainer.gather(limit, None),
                }));
                match gathered {
                    Ok(more) => more,
                    Err(_) => {
                        *observer = None;
                        shared.notice("an observer of events panicked, and is not called again");
                        continue;
                    }
                }
            };
            let damage = self.drainer.take_damage();
            if damage.stretches > 0 {
                shared.losses.count_damaged(damage.stretches);
                shared.notice("a ring holds what is no record; what stood behind it is lost");
            }
            let kept = self.drainer.batch().bytes.is_empty() || self.keep();
            if kept {
                self.drainer.advance();
            } else if self.drainer.fill() > 32 || !self.waiting_helps() {
                self.drop_batch();
            } else {
                return false;
            }
            if !more {
                return kept;
            }
        }
    }

    /// Hands the batch to whoever takes events.
    fn keep(&mut self) -> bool {
        let shared = self.shared.clone();
        if let Some(sink) = &shared.settings.sink {
            let lines = self.drainer.batch().bytes.split(|byte| *byte == b'\n');
            let events: Vec<Event> = lines
                .filter_map(|line| Event::from_line(line).ok())
                .collect();
            return match sink.put(&events) {
                Ok(()) => true,
                Err(error) => {
                    shared.notice(&describe(&error));
                    self.failed = Some((Instant::now(), true));
                    false
                }
            };
        }
        let Some(log) = &shared.log else {
            // Without a home nothing is to be kept; with one that cannot be
            // used, it is lost.
            return shared.settings.home.is_none();
        };
        if self
            .failed
            .is_some_and(|(at, _)| at.elapsed() < RETRY_INTERVAL)
            && !self.urgent
        {
            return false;
        }
        let stored = log
            .lock()
            .and_then(|mut locked| self.drainer.store(&mut locked));
        match stored {
            Ok(()) => {
                self.failed = None;
                true
            }
            Err(error) => {
                shared.notice(&describe(&error));
                let full = [
                    ErrorKind::StorageFull,
                    ErrorKind::QuotaExceeded,
                    ErrorKind::FileTooLarge,
                ];
                self.failed = Some((Instant::now(), full.contains(&error.source.kind())));
                false
            }
        }
    }

    /// A full disk may be emptied; a home that is not there or not ours stays so.
    fn waiting_helps(&self) -> bool {
        self.failed.is_some_and(|(_, helps)| helps)
    }

    fn drop_batch(&mut self) {
        for (kind, count) in self.drainer.count_kinds().into_iter().enumerate() {
            let kind = u8::try_from(kind).ok();
            // Losing the word of a loss is no further loss.
            if count > 0 && kind != self.loss_kind {
                self.shared.losses.count(kind, Reason::WriteFailed, count);
            }
        }
        self.drainer.advance();
    }

    /// Puts what was lost since the last time into the shared ring, as events.
    fn tell_losses(&mut self, now: bool) {
        if !now && self.told_at.elapsed() < LOSS_INTERVAL || self.failed.is_some() {
            return;
        }
        self.told_at = Instant::now();
        let shared = self.shared.clone();
        let Some(loss_kind) = self.loss_kind else {
            return;
        };
        if shared.log.is_none() && shared.settings.sink.is_none() {
            return;
        }
        let rings = self.drainer.rings();
        for (kind, reason, total) in shared.losses.all(rings) {
            let told = self.told.entry((kind, reason)).or_default();
            let count = total.saturating_sub(*told);
            if count == 0 {
                continue;
            }
            let values = loss::values(KINDS.len(), kind, reason, count);
            let Ok(mut producer) = shared.overflow.try_lock() else {
                return;
            };
            let pushed = producer.push(loss_kind, clock::now(), loss::PRESENCE, &values);
            if pushed == Pushed::Lost {
                return;
            }
            *told = total;
            if reason == Reason::Overload as usize {
                rings
                    .iter()
                    .for_each(|ring| ring.set_reported(kind, ring.lost(kind)));
            }
        }
    }

    /// Leaves no region behind, unless what is in it may still be written by
    /// whoever comes later.
    fn end(&mut self, ok: bool) -> bool {
        #[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
        if let Some(mapped) = &self.shared.region.mapped
            && (ok || !self.waiting_helps())
        {
            mapped.remove();
        }
        ok
    }
}
