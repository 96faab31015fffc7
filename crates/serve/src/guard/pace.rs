//! How slow a connection may be: heads that dribble in, silence between
//! requests, answers that are not fetched. (Bodies: [`super::body`].)

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection without a request is kept so long: more than the minute at
/// which exporters of metrics come by. Less where its place is needed
/// ([`super::places`]).
pub const IDLE: Duration = Duration::from_secs(90);

/// With HTTP/2, what is not longer than this may be pings and their like, bytes:
/// those go on for as long as both ends live, and are no answer.
const CHATTER: usize = 64;

/// [`Pace::known`] of a connection that speaks something else than HTTP by now.
const HANDED_ON: u32 = 3;

/// What a connection is doing, by the clock. Times are milliseconds since it
/// began, from 1; 0 is never.
#[derive(Debug)]
pub struct Pace {
    began: Instant,
    patience: Duration,
    /// Requests whose answer has not begun.
    requests: AtomicU32,
    /// Answers that are not written yet, or not to their end.
    answers: AtomicU32,
    /// Whether there ever was one: 1, with HTTP/2 2.
    known: AtomicU32,
    /// Since when a head has been coming in.
    head_since: AtomicU64,
    /// When something was last answered, or written of an answer.
    quiet_since: AtomicU64,
    /// Since when the peer takes nothing of what is written.
    stuck_since: AtomicU64,
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing, for so long.
    Wait(Duration),
    /// Nothing was asked for long: ask it to leave.
    Idle,
    /// It keeps others waiting: cut it off.
    Slow,
}

impl Pace {
    /// `patience`: how long a head may take, and an answer's piece be left.
    pub fn new(patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            patience,
            requests: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            known: AtomicU32::new(0),
            head_since: AtomicU64::new(0),
            quiet_since: AtomicU64::new(1),
            stuck_since: AtomicU64::new(0),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX) + 1
    }

    /// A request's head is here; `many` may come at once (HTTP/2). The first of
    /// the two ends when the answer begins, the other when it ends.
    pub fn request(self: &Arc<Self>, many: bool) -> (Asked, Answering) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        // With HTTP/2, what is read between requests need not be a head.
        self.known
            .fetch_max(if many { 2 } else { 1 }, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        (Asked(self.clone()), Answering(self.clone()))
    }

    /// HTTP is done with it: it is gone, or a WebSocket.
    pub fn handed_on(&self) {
        self.known.store(HANDED_ON, Ordering::Relaxed);
    }

    /// How long nothing has been asked and nothing been answered; `None` while it
    /// is not idle.
    pub fn idle_for(&self) -> Option<Duration> {
        let quiet = Duration::from_millis(
            self.now()
                .saturating_sub(self.quiet_since.load(Ordering::Relaxed)),
        );
        let is = |count: &AtomicU32| count.load(Ordering::Relaxed);
        let head = self.head_since.load(Ordering::Relaxed) > 0;
        match is(&self.known) {
            HANDED_ON => None,
            _ if is(&self.requests) > 0 => None,
            // With HTTP/2 it may be nothing but pings.
            0 | 1 if head => None,
            // An answer that nobody fetches keeps no place.
            _ if is(&self.answers) > 0 && quiet < self.patience => None,
            _ => Some(quiet),
        }
    }

    /// The peer took so many bytes.
    fn wrote(&self, bytes: usize) {
        self.stuck_since.store(0, Ordering::Relaxed);
        let many = self.known.load(Ordering::Relaxed) == 2;
        if !many || bytes > CHATTER {
            self.quiet_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// The peer takes nothing just now.
    fn stuck(&self) {
        if self.stuck_since.load(Ordering::Relaxed) == 0 {
            self.stuck_since.store(self.now(), Ordering::Relaxed);
        }
    }

    /// Says what is to be done now.
    pub fn verdict(&self) -> Verdict {
        let now = self.now();
        let patience = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
        let idle = u64::try_from(IDLE.as_millis()).unwrap_or(u64::MAX);
        let stuck = self.stuck_since.load(Ordering::Relaxed);
        let asked = self.requests.load(Ordering::Relaxed) > 0;
        let head = self.head_since.load(Ordering::Relaxed);
        let (since, limit, then) = match self.known.load(Ordering::Relaxed) {
            _ if stuck > 0 => (stuck, patience, Verdict::Slow),
            _ if asked => (now, patience, Verdict::Slow),
            0 => (1, patience, Verdict::Slow),
            1 if head > 0 => (head, patience, Verdict::Slow),
            _ => (
                self.quiet_since.load(Ordering::Relaxed),
                idle,
                Verdict::Idle,
            ),
        };
        match limit.saturating_sub(now.saturating_sub(since)) {
            0 => then,
            // What happens meanwhile may be due earlier.
            left => Verdict::Wait(Duration::from_millis(left).min(self.patience)),
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Asked(Arc<Pace>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.head_since.store(0, Ordering::Relaxed);
        self.0.quiet_since.store(self.0.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer that is being written.
#[derive(Debug)]
pub struct Answering(Arc<Pace>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.quiet_since.store(self.0.now(), Ordering::Relaxed);
        self.0.answers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream whose pace is watched, and what it holds while it is open.
pub struct Watched<S, H> {
    stream: S,
    pace: Arc<Pace>,
    _held: H,
}

impl<S, H> Watched<S, H> {
    pub fn new(stream: S, pace: Arc<Pace>, held: H) -> Self {
        Self {
            stream,
            pace,
            _held: held,
        }
    }

    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(written) => {
                let bytes = written.as_ref().map_or(0, |bytes| *bytes);
                self.pace.wrote(bytes);
            }
            Poll::Pending => self.pace.stuck(),
        }
    }
}

impl<S: AsyncRead + Unpin, H: Unpin> AsyncRead for Watched<S, H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let pace = &self.pace;
        if buffer.filled().len() > before
            && pace.requests.load(Ordering::Relaxed) == 0
            && pace.head_since.load(Ordering::Relaxed) == 0
        {
            pace.head_since.store(pace.now(), Ordering::Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin, H: Unpin> AsyncWrite for Watched<S, H> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_pending() {
            self.pace.stuck();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
impl Pace {
    /// Of a connection that was asked something once, and idle since.
    pub(super) fn idle(time: Duration) -> Arc<Self> {
        let mut pace = Self::new(Duration::from_secs(10));
        let inner = Arc::get_mut(&mut pace).expect("the only one");
        inner.began -= time;
        drop(pace.request(false));
        pace.quiet_since.store(1, Ordering::Relaxed);
        pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A connection that began so long ago.
    fn pace(seconds: u64) -> Arc<Pace> {
        let mut pace = Pace::new(PATIENCE);
        let inner = Arc::get_mut(&mut pace).expect("the only one");
        inner.began -= Duration::from_secs(seconds);
        pace
    }

    #[test]
    fn who_asks_nothing_or_dribbles_is_cut_off() {
        assert!(matches!(pace(0).verdict(), Verdict::Wait(_)));
        assert_eq!(pace(11).verdict(), Verdict::Slow);
        // While it is answered, the answer takes what it takes.
        let asked = pace(11);
        let request = asked.request(false);
        assert_eq!(asked.verdict(), Verdict::Wait(PATIENCE));
        drop(request);
        // Then it may be silent, but not begin a head and leave it.
        assert!(matches!(asked.verdict(), Verdict::Wait(_)));
        asked.head_since.store(1, Ordering::Relaxed);
        assert_eq!(asked.verdict(), Verdict::Slow);
    }

    #[test]
    fn silence_ends_in_time() {
        for many in [false, true] {
            let silent = pace(IDLE.as_secs() + 1);
            drop(silent.request(many));
            silent.quiet_since.store(1, Ordering::Relaxed);
            assert_eq!(silent.verdict(), Verdict::Idle);
        }
        // An answer that is still being fetched is no silence; pings are.
        for (many, bytes, verdict) in [
            (false, 1, None),
            (true, CHATTER + 1, None),
            (true, CHATTER, Some(Verdict::Idle)),
        ] {
            let fetching = pace(IDLE.as_secs() + 1);
            drop(fetching.request(many));
            fetching.quiet_since.store(1, Ordering::Relaxed);
            fetching.wrote(bytes);
            let idle = Some(fetching.verdict()).filter(|it| *it == Verdict::Idle);
            assert_eq!(idle, verdict, "{many} {bytes}");
        }
        // Pings between the requests of HTTP/2 are no head.
        let pinging = pace(20);
        drop(pinging.request(true));
        pinging.head_since.store(1, Ordering::Relaxed);
        assert!(matches!(pinging.verdict(), Verdict::Wait(_)));
    }

    #[test]
    fn an_answer_that_is_not_fetched_is_left() {
        let stuck = pace(11);
        let _request = stuck.request(false);
        stuck.stuck_since.store(1, Ordering::Relaxed);
        assert_eq!(stuck.verdict(), Verdict::Slow);
    }
}
