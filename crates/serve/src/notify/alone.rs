//! Work that nobody can interrupt, such as a library's talk to a server: done by a
//! thread of its own, waited for only so long, and one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// One at a time.
#[derive(Debug, Default)]
pub(super) struct Alone(Arc<AtomicBool>);

/// Why nothing came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The work before, which was not waited for any longer, still goes on.
    Busy,
    /// The operating system gives no thread.
    NoThread(String),
    TimedOut,
    /// It panicked.
    Broke,
}

impl Alone {
    /// Does it, and waits for it.
    ///
    /// # Errors
    /// [`Stopped`]
    pub(super) fn run<T: Send + 'static>(
        &self,
        name: &str,
        within: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let held = Held::take(&self.0).ok_or(Stopped::Busy)?;
        let (done, waits) = mpsc::sync_channel(1);
        let run = move || {
            // The place is free before it is known that it is, also after a panic.
            let done = done;
            let held = held;
            let came = work();
            drop(held);
            // Nobody may wait for it any longer.
            let _ = done.send(came);
        };
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(run);
        thread.map_err(|error| Stopped::NoThread(error.to_string()))?;
        waits.recv_timeout(within).map_err(|error| match error {
            RecvTimeoutError::Timeout => Stopped::TimedOut,
            RecvTimeoutError::Disconnected => Stopped::Broke,
        })
    }
}

/// The place of the one who works, free again when it is dropped: also by a panic,
/// and by a thread that never began.
struct Held(Arc<AtomicBool>);

impl Held {
    fn take(busy: &Arc<AtomicBool>) -> Option<Self> {
        let was = busy.swap(true, Ordering::AcqRel);
        (!was).then(|| Self(busy.clone()))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn one_works_at_a_time_and_whoever_breaks_down_frees_the_place() {
        let alone = Alone::default();
        let check = |wanted: Result<u8, Stopped>, within: Duration, work: fn() -> u8| {
            assert_eq!(alone.run("test", within, work), wanted);
        };
        check(Ok(7), LONG, || 7);
        check(Err(Stopped::Broke), LONG, || panic!("of a test"));
        check(Ok(8), LONG, || 8);
        // Not waited for any longer, and still at work until it is told to end.
        let (end, ends) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel();
        let work = move || {
            let _ = ends.recv();
            ended.send(()).expect("it is waited for");
        };
        let short = Duration::from_millis(10);
        assert_eq!(alone.run("test", short, work), Err(Stopped::TimedOut));
        check(Err(Stopped::Busy), LONG, || 9);
        drop(end);
        has_ended.recv_timeout(LONG).expect("it ends");
        let patience = std::time::Instant::now() + LONG;
        while alone.run("test", LONG, || 10) != Ok(10) {
            assert!(std::time::Instant::now() < patience, "it is free again");
        }
    }
}
