//! What the server does beside serving, on one thread of low priority: takes in
//! the rings of dead processes, seals what is no longer young, joins small
//! segments, keeps what retention says, and tells the log what was turned away.
//!
//! The last hour stays in the log, for live state is read from there; unless
//! more comes than [`Tasks::seal_after_bytes`] in that time.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tachograph_log::{Appender, Home};
use tachograph_serve::hub::Hub;
use tachograph_store::{Retention, SealOptions, Store, StoreError};

use super::denials::Denials;
use super::log::{Log, shown};
use crate::context::now;
use crate::exit::Result;
use crate::place;

/// Between two rounds. A round in which nothing is to be done lists a folder.
const ROUND: Duration = Duration::from_secs(5);
/// What was written to within this is young.
const YOUNG: Duration = Duration::from_secs(3_600);
/// A log that is never full is rotated at this age, so that it gets old.
const ROTATE_AFTER: Duration = Duration::from_secs(86_400);
/// So many new segments make small ones enough to be joined.
const JOIN_AFTER: usize = 8;
/// So much log is sealed at once (or one, if it is longer), and so many events are
/// joined: that bounds the memory it takes, whatever has gathered. `tacho compact`
/// joins more.
const STEP_BYTES: u64 = 8 << 20;
const JOIN_ROWS: u64 = 64 << 10;
const RETAIN_EVERY: Duration = Duration::from_secs(3_600);
/// After a failure the next try waits so long, then twice as long, up to the most.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// What may be under way when the server leaves is waited for so long; to be
/// killed amid it loses nothing.
const LEAVE_WITHIN: Duration = Duration::from_millis(300);

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Tasks {
    /// Bytes of log, from which rotated logs are sealed however young they are.
    pub seal_after_bytes: u64,
    pub retention: Retention,
}

/// The thread.
pub struct Background {
    stop: Sender<()>,
    leaving: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Background {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn start(home: &Home, tasks: Tasks, hub: &Hub, log: Log) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let leaving = Arc::new(AtomicBool::new(false));
        let mut keeper = Keeper {
            home: home.clone(),
            // One thread: whoever serves needs the others.
            store: Store::open(home).with_threads(1),
            tasks,
            log,
            leaving: leaving.clone(),
            // A server that never runs for long must join, too: after its first.
            sealed: JOIN_AFTER - 1,
            retain_due: Instant::now() + ROUND,
            pause: Pause::default(),
            odd: Vec::new(),
        };
        let mut denials = Denials::new(hub, log);
        let thread = std::thread::Builder::new()
            .name("tacho-keeper".to_owned())
            .spawn(move || {
                lower_priority();
                while stopped.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
                    denials.tell();
                    keeper.round();
                }
                denials.tell();
            })?;
        Ok(Self {
            stop,
            leaving,
            thread,
        })
    }

    /// Ends the thread, or leaves it behind amid its work: the process ends, and
    /// what is half done is thrown away or gone on with by the next one.
    pub fn stop(self) {
        self.leaving.store(true, Ordering::Relaxed);
        drop(self.stop);
        let began = Instant::now();
        while !self.thread.is_finished() && began.elapsed() < LEAVE_WITHIN {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Others first. On Linux this holds for the thread alone, and for those it
/// starts.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    // Not allowed is no reason not to work.
    let _ = rustix::process::setpriority_process(None, 10);
}

struct Keeper {
    home: Home,
    store: Store,
    tasks: Tasks,
    log: Log,
    leaving: Arc<AtomicBool>,
    /// Segments written since the last joining.
    sealed: usize,
    retain_due: Instant,
    pause: Pause,
    /// What was odd about rings at the last look.
    odd: Vec<String>,
}

impl Keeper {
    fn round(&mut self) {
        self.drain();
        if self.pause.lasts(Instant::now()) {
            return;
        }
        let sealed = self.rotate().and_then(|()| self.seal());
        let sealed = sealed.and_then(|()| self.join());
        // Also when there was no room to seal: deleting is what makes some.
        let retained = self.retain();
        match sealed.and(retained) {
            Ok(()) => self.pause = Pause::default(),
            Err(error) if is_no_failure(&error) => {
                self.log
                    .debug("storage is being kept by another process", &[]);
            }
            // Stopped between two steps; the next server goes on.
            Err(_) if self.leaving.load(Ordering::Relaxed) => {}
            Err(error) => {
                let pause = self.pause.longer(Instant::now());
                let fields = [
                    ("why", shown(format_args!("{error:#}"))),
                    ("again_after_seconds", json!(pause.as_secs())),
                ];
                self.log.error("storage could not be kept", &fields);
            }
        }
    }

    /// Takes in what processes that died had recorded, so that it shows up.
    fn drain(&mut self) {
        let report = tachograph::recover_orphans(self.home.root());
        if report.events > 0 {
            let fields = [
                ("events", json!(report.events)),
                ("processes", json!(report.orphans)),
            ];
            self.log
                .info("took in what dead processes had recorded", &fields);
        }
        // Told once, for as long as it stays so.
        for note in &report.notes {
            if !self.odd.contains(note) {
                self.log.warning("a ring is odd", &[("why", shown(note))]);
            }
        }
        self.odd = report.notes;
    }

    fn rotate(&self) -> Result<()> {
        let files = self.home.files()?.files;
        let Some(live) = files.iter().find(|file| file.live && file.len > 0) else {
            return Ok(());
        };
        let born = u64::try_from(live.id.born).ok().filter(|born| *born > 0);
        let born = born.map(|nanos| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos));
        let age = born.and_then(|born| SystemTime::now().duration_since(born).ok());
        if age.is_some_and(|age| age >= ROTATE_AFTER) {
            Appender::new(&self.home).lock()?.rotate()?;
            self.log.debug("rotated the log for its age", &[]);
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<()> {
        let files = self.home.files()?.files;
        let rotated = files.iter().filter(|file| !file.live);
        let logs: Vec<Rotated> = rotated
            .map(|file| Rotated {
                path: file.path.clone(),
                len: file.len,
                written: fs::metadata(&file.path)
                    .and_then(|meta| meta.modified())
                    .ok(),
            })
            .collect();
        let only = ripe(&logs, SystemTime::now(), self.tasks.seal_after_bytes);
        if only.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let (log, home) = (self.log, self.home.clone());
        let warn = |note: &str| log.warning("a ring is odd", &[("why", shown(note))]);
        let mut before_seal = || place::settle(&home, &mut { warn });
        let mut fault = leave(&self.leaving);
        let sealed = self.store.seal(SealOptions {
            only: Some(&only),
            before_seal: Some(&mut before_seal),
            fault: Some(&mut fault),
            step_bytes: STEP_BYTES,
            ..SealOptions::default()
        })?;
        self.sealed += sealed.segments;
        // There is more now than retention may have seen.
        self.retain_due = Instant::now();
        let fields = [
            ("events", json!(sealed.events)),
            ("log_bytes", json!(sealed.log_bytes)),
            ("segment_bytes", json!(sealed.segment_bytes)),
            ("took_ms", json!(millis(began))),
        ];
        self.log.info("sealed the log", &fields);
        for note in &sealed.notes {
            self.log.warning("the log is odd", &[("what", shown(note))]);
        }
        Ok(())
    }

    fn join(&mut self) -> Result<()> {
        if self.sealed < JOIN_AFTER {
            return Ok(());
        }
        let began = Instant::now();
        let mut fault = leave(&self.leaving);
        let joined = self.store.compact_with(SealOptions {
            fault: Some(&mut fault),
            join_rows: JOIN_ROWS,
            ..SealOptions::default()
        })?;
        self.sealed = 0;
        if joined.joined == 0 {
            return Ok(());
        }
        let fields = [
            ("segments", json!(joined.joined)),
            ("into", json!(joined.written)),
            ("took_ms", json!(millis(began))),
        ];
        self.log.info("joined small segments", &fields);
        Ok(())
    }

    fn retain(&mut self) -> Result<()> {
        let leaving = self.leaving.load(Ordering::Relaxed);
        let due = Instant::now() >= self.retain_due && !leaving;
        if !due || self.tasks.retention == Retention::default() {
            return Ok(());
        }
        let retained = self
            .store
            .retain(self.tasks.retention, now(), Duration::ZERO)?;
        self.retain_due = Instant::now() + RETAIN_EVERY;
        if retained.events > 0 {
            let fields = [
                ("events", json!(retained.events)),
                ("segments", json!(retained.segments.len())),
                ("bytes", json!(retained.bytes)),
            ];
            self.log
                .info("deleted what retention does not keep", &fields);
        }
        Ok(())
    }
}

fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Stops between two steps when the server leaves.
fn leave(leaving: &AtomicBool) -> impl FnMut(&'static str) -> std::result::Result<(), String> {
    move |_| match leaving.load(Ordering::Relaxed) {
        true => Err("the server is leaving".to_owned()),
        false => Ok(()),
    }
}

/// Another process seals, such as `tacho compact`.
fn is_no_failure(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Busy { .. }))
}

/// A rotated log.
#[derive(Clone, Debug)]
struct Rotated {
    path: PathBuf,
    len: u64,
    /// When it was written to last; `None`: not known, so it counts as old.
    written: Option<SystemTime>,
}

/// Which of the rotated logs, the oldest first, are to be sealed: those that
/// are not young, and so many of the others that half of the most is left.
fn ripe(logs: &[Rotated], now: SystemTime, most: u64) -> Vec<PathBuf> {
    let is_young = |log: &Rotated| {
        // One from the future is as young as can be.
        let age = |written| now.duration_since(written).unwrap_or_default();
        log.written.is_some_and(|written| age(written) < YOUNG)
    };
    let (young, old): (Vec<&Rotated>, Vec<&Rotated>) = logs.iter().partition(|log| is_young(log));
    let mut left: u64 = young.iter().map(|log| log.len).sum();
    let keep = if left > most { most / 2 } else { most };
    let mut ripe: Vec<PathBuf> = old.iter().map(|log| log.path.clone()).collect();
    for log in young {
        if left <= keep {
            break;
        }
        left -= log.len;
        ripe.push(log.path.clone());
    }
    ripe
}

/// Waiting after failures.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    length: Duration,
    until: Option<Instant>,
}

impl Pause {
    fn lasts(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    fn longer(&mut self, now: Instant) -> Duration {
        self.length = (self.length * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.until = Some(now + self.length);
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_is_sealed_and_what_is_too_much() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let check = |ages_and_sizes: &[(i64, u64)], most: u64, sealed: usize| {
            let logs: Vec<Rotated> = ages_and_sizes
                .iter()
                .enumerate()
                .map(|(at, (age, len))| Rotated {
                    path: PathBuf::from(at.to_string()),
                    len: *len,
                    written: match u64::try_from(*age) {
                        Ok(age) => now.checked_sub(Duration::from_secs(age)),
                        Err(_) => Some(now + Duration::from_secs(age.unsigned_abs())),
                    },
                })
                .collect();
            let first: Vec<PathBuf> = logs[..sealed].iter().map(|log| log.path.clone()).collect();
            assert_eq!(ripe(&logs, now, most), first, "{ages_and_sizes:?} {most}");
        };
        check(&[], 100, 0);
        check(&[(10, 50), (5, 50)], 100, 0);
        check(&[(4_000, 10), (5, 50)], 100, 1);
        check(&[(3_600, 10), (3_599, 10)], 100, 1);
        // Half of the most is left, so that not every round has something to do.
        check(&[(9, 30), (8, 30), (7, 30), (6, 30)], 100, 3);
        check(&[(4_000, 500), (9, 30), (8, 30)], 100, 1);
        // A clock that was turned back makes nothing old.
        check(&[(-50, 30)], 100, 0);
    }

    #[test]
    fn failures_are_tried_again_later_and_later() {
        let start = Instant::now();
        let mut pause = Pause::default();
        assert!(!pause.lasts(start));
        assert_eq!(pause.longer(start), FIRST_PAUSE);
        assert!(pause.lasts(start) && !pause.lasts(start + FIRST_PAUSE));
        assert_eq!(pause.longer(start), FIRST_PAUSE * 2);
        for _ in 0..20 {
            pause.longer(start);
        }
        assert_eq!(pause.length, LONGEST_PAUSE);
    }
}
