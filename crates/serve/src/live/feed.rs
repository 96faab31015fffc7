//! The thread that reads the log into the state.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tachograph_log::{Follower, Home, HomeError, LogFile};
use tachograph_model::port::{Sealed, SealedLog};
use tachograph_model::{Answerer, Event, UnixNanos, describe};
use tokio::sync::watch;

use super::series::REACH;
use super::state::State;

/// Between two looks while something happens.
const BUSY: Duration = Duration::from_millis(20);
/// Between two looks otherwise.
const IDLE: Duration = Duration::from_millis(100);
/// After a look that failed.
const AGAIN: Duration = Duration::from_secs(1);
/// So long after the last event it is still busy.
const CALM: Duration = Duration::from_millis(500);
/// How much of the log's past is read, bytes.
const PAST_BYTES: u64 = 64 << 20;
/// Lines that are taken in under one hold of the lock, bytes: about 200 of them.
const PIECE: usize = 32 << 10;

/// The thread, and what it says of itself.
#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    waker: std::thread::Thread,
}

#[derive(Debug)]
struct Shared {
    state: Arc<Mutex<State>>,
    stop: AtomicBool,
    /// It waits for long: there is something to be won by waking it.
    calm: AtomicBool,
    began: Instant,
    /// When the log's end was last reached, nanoseconds after `began`.
    at_end: AtomicU64,
    failures: AtomicU64,
    /// What was sealed and is not read in, until somebody is told.
    left_out: Mutex<Vec<String>>,
    changes: watch::Sender<u64>,
}

impl Feed {
    /// `answerer` knows what was sealed.
    pub(super) fn start(
        home: &Home,
        state: &Arc<Mutex<State>>,
        answerer: Option<Arc<dyn Answerer>>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Arc::clone(state),
            stop: AtomicBool::new(false),
            calm: AtomicBool::new(false),
            began: Instant::now(),
            at_end: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            left_out: Mutex::default(),
            changes: watch::Sender::new(0),
        });
        // Where the past ends is settled now, before anything new can come, and
        // before it is asked what is sealed: so nothing lies in neither.
        let past = Past::of(home);
        let thread = std::thread::Builder::new()
            .name("tacho-live".to_owned())
            .spawn({
                let (shared, home) = (Arc::clone(&shared), home.clone());
                move || run(&home, past, answerer, &shared)
            })?;
        Ok(Self {
            shared,
            waker: thread.thread().clone(),
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.waker.unpark();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic of the feed has been told on its own thread.
            let _ = thread.join();
        }
    }

    pub(super) fn wake(&self) {
        if self.shared.calm.load(Ordering::Relaxed) {
            self.waker.unpark();
        }
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    pub(super) fn lag(&self) -> Duration {
        let at_end = Duration::from_nanos(self.shared.at_end.load(Ordering::Relaxed));
        self.shared.began.elapsed().saturating_sub(at_end)
    }

    pub(super) fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }

    pub(super) fn take_left_out(&self) -> Vec<String> {
        std::mem::take(&mut *left_out(&self.shared))
    }
}

/// What was in the log when the server began.
struct Past {
    files: Vec<LogFile>,
    /// So many of the first are too old.
    passed: usize,
}

impl Past {
    /// Begins with the file that reaches back to an hour ago, or with the
    /// newest [`PAST_BYTES`].
    fn of(home: &Home) -> Result<Self, HomeError> {
        let files = home.files()?.files;
        let since = UnixNanos::now().saturating_sub(REACH);
        let mut bytes = 0;
        let mut passed = files.len();
        for file in files.iter().rev() {
            if bytes + file.len > PAST_BYTES && bytes > 0 {
                break;
            }
            bytes += file.len;
            passed -= 1;
            if first_time(&file.path).is_some_and(|first| first < since) {
                break;
            }
        }
        Ok(Self { files, passed })
    }

    /// Who reads on from there, what is sealed left out, and how many bytes of
    /// that are past.
    fn follower(self, home: &Home, sealed: &[SealedLog]) -> (Follower, u64) {
        let files = self.files.into_iter().enumerate();
        let (read, rest): (Vec<_>, Vec<_>) =
            files.partition(|(at, file)| *at < self.passed || is_sealed(file, sealed));
        let bytes = rest.iter().map(|(_, file)| file.len).sum();
        let passed = read.len();
        let files: Vec<LogFile> = read.into_iter().chain(rest).map(|(_, file)| file).collect();
        (Follower::after(home, &files, passed), bytes)
    }
}

/// By its name, which only rotated files have, or as the file that it is.
fn is_sealed(file: &LogFile, sealed: &[SealedLog]) -> bool {
    let name = file.path.file_name();
    sealed.iter().any(|log| {
        let same_name = !file.live && name.is_some_and(|name| *name == *log.name);
        // Inode numbers alone are used again.
        let same_file = log.born != 0 && (log.inode, log.born) == (file.id.inode, file.id.born);
        same_name || same_file
    })
}

/// The time of the first event of a file; `None` when it cannot be told.
fn first_time(path: &Path) -> Option<UnixNanos> {
    use std::io::Read;
    let mut head = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(64 << 10).read_to_end(&mut head).ok()?;
    let line = head.split(|byte| *byte == b'\n').next()?;
    Event::from_line(line).ok().map(|event| event.time)
}

fn run(
    home: &Home,
    past: Result<Past, HomeError>,
    answerer: Option<Arc<dyn Answerer>>,
    shared: &Shared,
) {
    // A past that cannot be read must not keep the present out.
    let sealed = answerer.map(|answerer| sealed(&*answerer, shared));
    let sealed = sealed.unwrap_or_default();
    let mut follower = past.ok().and_then(|past| {
        let (mut follower, bytes) = past.follower(home, &sealed);
        follow(&mut follower, bytes, shared)?;
        Some(follower)
    });
    lock(shared).settle();
    let mut last = Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        if follower.is_none() {
            shared.failures.fetch_add(1, Ordering::Relaxed);
            follower = Follower::at_end(home).ok();
        }
        let read = follower.as_mut().and_then(|at| follow(at, 0, shared));
        let wait = match read {
            None => AGAIN,
            Some(0) if last.elapsed() > CALM => IDLE,
            Some(0) => BUSY,
            Some(_) => {
                last = Instant::now();
                BUSY
            }
        };
        // Whoever writes between the look and this waits no longer than that.
        shared.calm.store(wait > BUSY, Ordering::Relaxed);
        std::thread::park_timeout(wait);
    }
}

/// Reads what was sealed of the last hour; returns which files of the log are.
fn sealed(answerer: &dyn Answerer, shared: &Shared) -> Vec<SealedLog> {
    let since = UnixNanos::now().saturating_sub(REACH);
    let mut take = |lines: &[u8]| {
        let mut rest = lines;
        while !rest.is_empty() && !shared.stop.load(Ordering::Relaxed) {
            let (piece, after) = rest.split_at(whole_lines(rest, PIECE));
            lock(shared).take(piece, UnixNanos::now());
            rest = after;
        }
        !shared.stop.load(Ordering::Relaxed)
    };
    let sealed = match answerer.sealed_since(since, &mut take) {
        Ok(sealed) => sealed,
        Err(error) => Sealed {
            left_out: vec![describe(&error)],
            ..Sealed::default()
        },
    };
    let failures = sealed.left_out.len() as u64;
    shared.failures.fetch_add(failures, Ordering::Relaxed);
    let cut = sealed.cut_at.map(|at| {
        format!("events sealed before {at}: the last hour has more of them than are read in")
    });
    left_out(shared).extend(sealed.left_out.into_iter().chain(cut));
    shared.changes.send_modify(|number| *number += 1);
    sealed.logs
}

/// Reads to the log's end, of which the first `past` bytes are not new; returns
/// how many bytes there were. `None`: it could not be read.
fn follow(follower: &mut Follower, past: u64, shared: &Shared) -> Option<u64> {
    let mut read = 0_u64;
    let found = follower.poll(&mut |lines| {
        let mut rest = lines;
        while !rest.is_empty() && !shared.stop.load(Ordering::Relaxed) {
            // No piece is partly past and partly new.
            let left = usize::try_from(past.saturating_sub(read)).unwrap_or(usize::MAX);
            let most = if left > 0 { left.min(PIECE) } else { PIECE };
            let (piece, after) = rest.split_at(whole_lines(rest, most));
            let mut state = lock(shared);
            if read >= past {
                state.settle();
            }
            state.take(piece, UnixNanos::now());
            read += piece.len() as u64;
            rest = after;
        }
        shared.changes.send_modify(|number| *number += 1);
    });
    let Ok(bytes) = found else {
        shared.failures.fetch_add(1, Ordering::Relaxed);
        return None;
    };
    let now = u64::try_from(shared.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    shared.at_end.store(now, Ordering::Relaxed);
    Some(bytes)
}

/// Where the lines of the next piece end, of about so many bytes.
fn whole_lines(lines: &[u8], most: usize) -> usize {
    let head = &lines[..lines.len().min(most)];
    if head.len() == lines.len() {
        return lines.len();
    }
    match memchr::memrchr(b'\n', head) {
        Some(end) => end + 1,
        None => memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1),
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn left_out(shared: &Shared) -> std::sync::MutexGuard<'_, Vec<String>> {
    shared
        .left_out
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}
