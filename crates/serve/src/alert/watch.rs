//! The loop: looks at every rule each second, and writes down what came of it.

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tachograph_log::Home;
use tachograph_model::{Answerer, Event, Sink, UnixNanos};

use super::book::{Book, Look, Origin, Owned};
use super::builtin;
use super::far::{Asking, Far, Sight};
use super::file::Mark;
use super::keep::{Keep, State, firing, not_written};
use super::list::{Found, ListError};
use super::silence::{Silence, Silences};
use crate::api::seed4::rules::Rules;
use crate::config::Alerts;
use crate::counters::Counters;
use crate::live::Live;
use crate::notify::{Item, Post};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// How alerts stand is kept when one changes, and as often as this.
const KEEP_EVERY: Duration = Duration::from_secs(30);
/// Events that wait for a disk that refuses; the oldest are left out.
const MOST_UNWRITTEN: usize = 4096;
/// How long leaving waits for those who are being told, so that none is told
/// again by the next, and then for the disk.
const TELL_WITHIN: Duration = Duration::from_millis(400);
const LEAVE_WITHIN: Duration = Duration::from_millis(700);

/// A list of the home, as it was read last.
#[derive(Debug, Default)]
struct Reading {
    /// Of the file; `None`: it is to be read whatever it is.
    mark: Option<Option<Mark>>,
    /// Something is known of it.
    known: bool,
    /// Not all of it could be read.
    is_wrong: bool,
    wrong: Wrong,
}

/// How often not all of a list could be read, and why, the last time.
#[derive(Clone, Debug, Default)]
struct Wrong {
    times: u64,
    why: Option<Arc<ListError>>,
}

impl Reading {
    fn take(&mut self, mark: Option<Mark>, wrong: Option<ListError>, again: bool) {
        // What the disk does not give now it may give at once.
        let not_given = matches!(wrong, Some(ListError::Io { .. }));
        self.mark = (!not_given && !again).then_some(mark);
        self.known |= !not_given;
        self.is_wrong = wrong.is_some();
        if let Some(why) = wrong {
            self.wrong.times += 1;
            self.wrong.why = Some(Arc::new(why));
        }
    }

    fn told(&self) -> Result<(), Arc<ListError>> {
        match &self.wrong.why {
            Some(why) if self.is_wrong => Err(why.clone()),
            _ => Ok(()),
        }
    }
}

/// What is watched, and how it stands.
#[derive(Debug)]
pub struct Watch {
    book: Mutex<Book>,
    far: Far,
    rules: Rules,
    rules_read: Mutex<Reading>,
    silences: Silences,
    silences_read: Mutex<Reading>,
    post: Arc<Post>,
    settings: Alerts,
    started: UnixNanos,
}

impl Watch {
    /// For the home at `root`; nothing is read yet.
    pub fn new(root: &Path, settings: &Alerts, started: UnixNanos) -> Self {
        Self {
            book: Mutex::default(),
            far: Far::default(),
            rules: Rules::of(root),
            rules_read: Mutex::default(),
            silences: Silences::of(root),
            silences_read: Mutex::default(),
            post: Arc::new(Post::new(root, &settings.channels)),
            settings: settings.clone(),
            started,
        }
    }

    /// Whether anything is watched at all.
    pub fn enabled(&self) -> bool {
        self.settings.watch
    }

    /// Who is told.
    pub fn post(&self) -> &Arc<Post> {
        &self.post
    }

    /// The silences of the home, to be changed.
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// Takes in what changed of the silences.
    ///
    /// # Errors
    /// As long as not all of them can be read; those known before go on.
    pub fn renew_silences(&self) -> Result<(), Arc<ListError>> {
        let mut read = reading(&self.silences_read);
        let now = UnixNanos::now();
        self.post.end_silences(now);
        let mark = self.silences.mark();
        if read.mark == Some(mark) {
            return read.told();
        }
        let Found { entries, wrong } = self.silences.readable(now);
        let mut again = false;
        // Those known before go on where not all can be read.
        if wrong.is_none() || !read.known {
            let ending = self.ending(&entries);
            // A rule that is gone is resolved by the next look. Its silences go with
            // it and count until then, or people would be told of what they silenced.
            again = !ending.is_empty();
            self.post.set_silences([entries, ending].concat());
        }
        read.take(mark, wrong, again);
        read.told()
    }

    /// Silences that are no more, of rules that are no more and still have alerts.
    fn ending(&self, now: &[Silence]) -> Vec<Silence> {
        let gone = |silence: &Silence| !now.contains(silence);
        let mut gone: Vec<Silence> = self.post.silences().into_iter().filter(gone).collect();
        if !gone.is_empty() {
            let book = self.book();
            gone.retain(|silence| book.is_ending(&silence.rule));
        }
        gone
    }

    /// The rules and their alerts.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of rules that look back farther than live state reaches.
    pub fn far(&self) -> &Far {
        &self.far
    }

    /// Takes in what changed of the API's rules.
    ///
    /// # Errors
    /// As long as not all of them can be read; those known before go on to be
    /// watched.
    pub fn renew(&self) -> Result<(), Arc<ListError>> {
        let mut read = reading(&self.rules_read);
        let mark = self.rules.mark();
        if read.mark == Some(mark) {
            return read.told();
        }
        let Found { entries, wrong } = self.rules.readable();
        // Without what cannot be read, the others are watched all the same.
        if wrong.is_none() || !read.known {
            self.book().set_rules(self.all(entries));
        }
        read.take(mark, wrong, false);
        read.told()
    }

    /// Of each name the strongest: the API's, then that of the settings. By group
    /// and name, those of no group first, wherever rules are shown: one that is
    /// changed, and so comes from elsewhere, keeps its place.
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
        all.sort_by_cached_key(|Owned { rule, .. }| {
            let of = |text: &str| (text.to_lowercase(), text.to_owned());
            (of(&rule.group), of(&rule.name))
        });
        all
    }
}

fn reading(of: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread that looks is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// Somebody was told: it is to be kept.
    Keep,
    Leave,
}

/// The thread that looks; dropping it has the state kept and ends it.
#[derive(Debug)]
pub struct Watcher {
    _asking: Asking,
    wake: Sender<Wake>,
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
        (sink, answerer): (Arc<dyn Sink>, Arc<dyn Answerer>),
        home: &Home,
        counters: &Arc<Counters>,
    ) -> io::Result<Self> {
        let asking = Asking::start(watch, answerer)?;
        let (wake, woken) = mpsc::channel();
        let told = wake.clone();
        let keep = move || {
            // Nobody keeps anything any more.
            let _ = told.send(Wake::Keep);
        };
        watch.post.start(keep, counters)?;
        let (live, watch) = (live.clone(), watch.clone());
        let (home, counters) = (home.clone(), counters.clone());
        let run = move || {
            // What the log held before is known first: it is no news.
            while !live.overview().settled {
                if woken.recv_timeout(EVERY / 20) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
            let mut rounds = Rounds::begin(watch, sink, &home, counters);
            loop {
                let began = Instant::now();
                rounds.round(UnixNanos::now(), &*live);
                loop {
                    let wait = EVERY.saturating_sub(began.elapsed());
                    match woken.recv_timeout(wait) {
                        Err(RecvTimeoutError::Timeout) => break,
                        // With the next look: at most once a second.
                        Ok(Wake::Keep) => rounds.stale = true,
                        Ok(Wake::Leave) | Err(RecvTimeoutError::Disconnected) => {
                            return rounds.leave();
                        }
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("tacho-alerts".to_owned());
        Ok(Self {
            _asking: asking,
            wake,
            thread: Some(thread.spawn(run)?),
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.wake.send(Wake::Leave);
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
    /// Times that the rules, and the silences, could not be read that were counted:
    /// whoever asks may have read them first.
    counted: [u64; 2],
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
        let (state, lost) = match keep.read() {
            Ok(state) => (state, None),
            Err(error) => (State::empty(), Some(error)),
        };
        // What was deleted is lost as what is torn, if there was anything in it.
        let gone = || !keep.is_there() && !firing(home).is_empty();
        let lost = lost.or_else(|| gone().then(|| io::ErrorKind::NotFound.into()));
        let lines = not_written(home, state.unwritten).into_iter();
        let events = lines.filter_map(|line| Event::from_line(line.trim_end().as_bytes()).ok());
        let unwritten = events.collect();
        watch.book().resume(state.rules);
        if let Err(error) = watch.post.resume(state.post) {
            counters.told_unreadable.add(1, error);
        }
        if let Some(error) = lost {
            counters.alert_states_lost.add(1, error);
            // What the log says was told is not told again.
            // What is wrong with the rules the first look counts.
            let _ = watch.renew();
            let firing = firing(home);
            let told = watch.book().resume_firing(&firing, UnixNanos::now());
            watch.post.assume_told(told.iter().map(Item::of).collect());
        }
        Self {
            watch,
            sink,
            counters,
            counted: [0; 2],
            keep,
            unwritten,
            kept: Instant::now(),
            // The first look is kept: leaving may be too short for the disk.
            stale: true,
        }
    }

    /// One look at all rules.
    pub(super) fn round(&mut self, now: UnixNanos, look: &dyn Look) {
        // What is wrong with them is counted below.
        let _ = self.watch.renew();
        let sight = Sight {
            near: look,
            far: &self.watch.far,
        };
        let (told, changed) = self.watch.book().look(now, &sight);
        self.watch.post.take(&told, &self.counters);
        // Before anybody is told; and after it is known what is resolved because
        // its rule is gone, and its silence with it.
        let _ = self.watch.renew_silences();
        self.count_unreadable();
        self.counters.alerts_told.add(told.len() as u64);
        self.unwritten.extend(told.iter().map(super::Told::event));
        let over = self.unwritten.len().saturating_sub(MOST_UNWRITTEN);
        self.unwritten.drain(..over);
        self.stale |= changed;
        if self.stale || self.kept.elapsed() >= KEEP_EVERY {
            self.keep();
        }
        // Also where it could not be kept: a disk that is full is to be told of.
        self.watch.post.release();
        if self.unwritten.is_empty() {
            return;
        }
        if self.sink.put(&self.unwritten).is_ok() {
            self.unwritten.clear();
            // Should this one be killed before, the next finds them in the log.
            self.stale = true;
        }
    }

    fn count_unreadable(&mut self) {
        let Counters {
            alert_rules_unreadable,
            silences_unreadable,
            ..
        } = &*self.counters;
        let lists = [
            (&self.watch.rules_read, alert_rules_unreadable),
            (&self.watch.silences_read, silences_unreadable),
        ];
        for (counted, (read, faults)) in self.counted.iter_mut().zip(lists) {
            let Wrong { times, why } = reading(read).wrong.clone();
            let more = times - std::mem::replace(counted, times);
            if let Some(why) = why.filter(|_| more > 0) {
                faults.add(more, why);
            }
        }
    }

    /// The last: those who are being told now are waited for.
    fn leave(mut self) {
        self.watch.post.leave(TELL_WITHIN);
        self.keep();
    }

    /// Has it kept how all alerts stand.
    pub(super) fn keep(&mut self) {
        let (rules, quiet) = {
            let book = self.watch.book();
            (book.kept(), book.quiet())
        };
        let lines = self.unwritten.iter().map(Event::to_line);
        let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
        let post = self.watch.post.kept();
        let told = post.told;
        let state = State::new(rules, lines.collect(), post);
        let state = state.with_quiet(quiet);
        let written = self.keep.write(&state);
        let written = written.and_then(|()| self.watch.post.noted(told));
        self.stale = written.is_err();
        self.kept = Instant::now();
        if let Err(error) = written {
            self.counters.alert_states_unkept.add(1, error);
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
