//! The loop: looks at every rule each second, and writes down what came of it.

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tachograph_log::Home;
use tachograph_model::{Event, Sink, UnixNanos};

use super::book::{Book, Look, Origin, Owned};
use super::builtin;
use super::file::Mark;
use super::keep::{Keep, State, not_written};
use crate::api::seed4::rules::{Rules, RulesError};
use crate::config::Alerts;
use crate::counters::Counters;
use crate::live::Live;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// How alerts stand is kept when one changes, and as often as this.
const KEEP_EVERY: Duration = Duration::from_secs(30);
/// Events that wait for a disk that refuses; the oldest are left out.
const MOST_UNWRITTEN: usize = 4096;
/// How long leaving waits for the disk.
const LEAVE_WITHIN: Duration = Duration::from_millis(300);

/// What is watched, and how it stands.
#[derive(Debug)]
pub struct Watch {
    book: Mutex<Book>,
    rules: Rules,
    /// The API's rules as they were read last.
    read: Mutex<Option<Option<Mark>>>,
    settings: Alerts,
    started: UnixNanos,
}

impl Watch {
    /// For the home at `root`; nothing is read yet.
    pub fn new(root: &Path, settings: &Alerts, started: UnixNanos) -> Self {
        Self {
            book: Mutex::default(),
            rules: Rules::of(root),
            read: Mutex::new(None),
            settings: settings.clone(),
            started,
        }
    }

    /// Whether anything is watched at all.
    pub fn enabled(&self) -> bool {
        self.settings.watch
    }

    /// The rules and their alerts.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what changed of the API's rules.
    ///
    /// # Errors
    /// When they cannot be read; then those known before go on to be watched.
    pub fn renew(&self) -> Result<(), RulesError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = self.rules.mark();
        if *read == Some(mark) {
            return Ok(());
        }
        let found = self.rules.read();
        match &found {
            Ok(rules) => self.book().set_rules(self.all(rules.clone())),
            // Without those of the API, the others are watched all the same.
            Err(_) if read.is_none() => self.book().set_rules(self.all(Vec::new())),
            Err(_) => {}
        }
        // What the disk does not give now it may give at once.
        if !matches!(found, Err(RulesError::Io { .. })) {
            *read = Some(mark);
        }
        found.map(|_| ())
    }

    /// Of each name the strongest; the API's first, then those of the settings.
    fn all(&self, api: Vec<tachograph_model::alert::Rule>) -> Vec<Owned> {
        let owned = |origin| move |rule| Owned { rule, origin };
        let mut builtin = match self.settings.builtin {
            true => builtin::rules(),
            false => Vec::new(),
        };
        for rule in &mut builtin {
            rule.created_at = self.started;
        }
        let config = self.settings.rules.iter().cloned();
        let mut all: Vec<Owned> = api.into_iter().map(owned(Origin::Api)).collect();
        let weaker = config.map(owned(Origin::Config));
        for owned in weaker.chain(builtin.into_iter().map(owned(Origin::Builtin))) {
            if !all.iter().any(|other| other.rule.name == owned.rule.name) {
                all.push(owned);
            }
        }
        all
    }
}

/// The thread that looks; dropping it has the state kept and ends it.
#[derive(Debug)]
pub struct Watcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to look.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        watch: &Arc<Watch>,
        live: &Arc<Live>,
        sink: Arc<dyn Sink>,
        home: &Home,
        counters: &Arc<Counters>,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (live, watch) = (live.clone(), watch.clone());
        let (home, counters) = (home.clone(), counters.clone());
        let run = move || {
            // What the log held before is known first: it is no news.
            while !live.overview().settled {
                if stopped.recv_timeout(EVERY / 20) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
            let mut rounds = Rounds::begin(watch, sink, &home, counters);
            loop {
                let began = Instant::now();
                rounds.round(UnixNanos::now(), &*live);
                let wait = EVERY.saturating_sub(began.elapsed());
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    return rounds.keep();
                }
            }
        };
        let thread = std::thread::Builder::new().name("tacho-alerts".to_owned());
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread.spawn(run)?),
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        let began = Instant::now();
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A disk may hang; a kill loses nothing.
        while !thread.is_finished() && began.elapsed() < LEAVE_WITHIN {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What the thread holds.
pub(super) struct Rounds {
    watch: Arc<Watch>,
    sink: Arc<dyn Sink>,
    counters: Arc<Counters>,
    keep: Keep,
    unwritten: Vec<Event>,
    kept: Instant,
    /// What is in the file is not what is known.
    stale: bool,
}

impl Rounds {
    /// Goes on where the file says.
    pub(super) fn begin(
        watch: Arc<Watch>,
        sink: Arc<dyn Sink>,
        home: &Home,
        counters: Arc<Counters>,
    ) -> Self {
        let keep = Keep::of(home.root());
        let state = keep.read().unwrap_or_else(|error| {
            counters.alert_states_lost(error.to_string());
            State::new(Vec::new(), Vec::new())
        });
        let lines = not_written(home, state.unwritten).into_iter();
        let events = lines.filter_map(|line| Event::from_line(line.trim_end().as_bytes()).ok());
        let unwritten = events.collect();
        watch.book().resume(state.rules);
        Self {
            watch,
            sink,
            counters,
            keep,
            unwritten,
            kept: Instant::now(),
            stale: false,
        }
    }

    /// One look at all rules.
    pub(super) fn round(&mut self, now: UnixNanos, look: &dyn Look) {
        if self.watch.renew().is_err() {
            self.counters.alert_rules_unreadable.add(1);
        }
        let (told, changed) = self.watch.book().look(now, look);
        self.counters.alerts_told.add(told.len() as u64);
        self.unwritten.extend(told.iter().map(super::Told::event));
        let over = self.unwritten.len().saturating_sub(MOST_UNWRITTEN);
        self.unwritten.drain(..over);
        self.stale |= changed;
        if self.stale || self.kept.elapsed() >= KEEP_EVERY {
            self.keep();
        }
        if self.unwritten.is_empty() {
            return;
        }
        if self.sink.put(&self.unwritten).is_ok() {
            self.unwritten.clear();
            self.keep();
        }
    }

    /// Has it kept how all alerts stand.
    pub(super) fn keep(&mut self) {
        let rules = self.watch.book().kept();
        let lines = self.unwritten.iter().map(Event::to_line);
        let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
        let state = State::new(rules, lines.collect());
        let written = self.keep.write(&state);
        self.stale = written.is_err();
        self.kept = Instant::now();
        if written.is_err() {
            self.counters.alert_states_unkept.add(1);
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
