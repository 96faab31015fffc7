//! A sign of life on the terminal, for work whose end nobody can tell.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Shorter work needs no sign; a longer one is renewed as often.
const PATIENCE: Duration = Duration::from_secs(1);

/// While this lives, stderr says each second what is being done; nothing stays.
/// Drop it before anything else is printed.
pub struct Busy {
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Busy {
    /// Starts, if `wanted`: stderr is a terminal, and nobody asked for quiet.
    pub fn new(what: &'static str, wanted: bool) -> Self {
        Self::every(PATIENCE, what, wanted.then(io::stderr))
    }

    fn every(
        patience: Duration,
        what: &'static str,
        out: Option<impl Write + Send + 'static>,
    ) -> Self {
        let thread = out.and_then(|mut out| {
            let (stop, stopped) = mpsc::channel();
            let began = Instant::now();
            let say = move || {
                let mut said = false;
                while stopped.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                    said = true;
                    let seconds = began.elapsed().as_secs();
                    let _ =
                        write!(out, "\r\u{1b}[2K{what} … {seconds} s").and_then(|()| out.flush());
                }
                if said {
                    let _ = write!(out, "\r\u{1b}[2K").and_then(|()| out.flush());
                }
            };
            // Without a thread to spare there is no sign; the work goes on.
            let thread = std::thread::Builder::new().name("busy".into()).spawn(say);
            Some((stop, thread.ok()?))
        });
        Self { thread }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn said(patience: Duration, work: Duration) -> String {
        let screen = Screen::default();
        let busy = Busy::every(patience, "sealing", Some(screen.clone()));
        std::thread::sleep(work);
        drop(busy);
        let bytes = screen.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn long_work_shows_a_sign_that_goes_away() {
        let text = said(Duration::from_millis(1), Duration::from_millis(100));
        assert!(text.starts_with("\r\u{1b}[2Ksealing … 0 s"), "{text:?}");
        assert!(text.ends_with("\r\u{1b}[2K"), "{text:?}");
    }

    #[test]
    fn short_work_shows_none() {
        assert_eq!(said(Duration::from_secs(600), Duration::ZERO), "");
    }
}
