//! The recorder of the whole program.

use std::ops::Deref;
use std::sync::OnceLock;
use std::time::Duration;

use crate::env::Settings;
use crate::recorder::Recorder;

static GLOBAL: OnceLock<Recorder> = OnceLock::new();
static NONE: Recorder = Recorder::disabled();

/// How long the end of `main` waits for the log to be written.
const PATIENCE: Duration = Duration::from_millis(100);

/// Makes the program's recorder from the environment ([`Settings::from_env`])
/// and returns it with a guard: keep it until the end of `main`, where it
/// waits up to 100 ms for the log to be written.
///
/// Later calls return the recorder that is there. Never fails: a home that
/// cannot be used degrades recording, which is said once. Cost: milliseconds.
///
/// ```no_run
/// let recorder = tachograph::init();
/// let search = recorder.tool("search");
/// ```
pub fn init() -> Guard {
    let made = GLOBAL.get_or_init(|| Recorder::builder().settings(Settings::from_env()).build());
    Guard(made.clone())
}

/// Makes `recorder` the program's own.
///
/// # Errors
/// Returns it when there is one already.
pub fn set_global(recorder: Recorder) -> Result<Guard, Recorder> {
    let guard = Guard(recorder.clone());
    match GLOBAL.set(recorder) {
        Ok(()) => Ok(guard),
        Err(recorder) => {
            guard.release();
            Err(recorder)
        }
    }
}

/// The program's recorder; one that records nothing until [`init`] or
/// [`set_global`] was called. Cost: 1 ns.
#[inline]
pub fn global() -> &'static Recorder {
    GLOBAL.get().unwrap_or(&NONE)
}

/// The program's recorder, if there is one yet.
pub(crate) fn installed() -> Option<&'static Recorder> {
    GLOBAL.get()
}

/// Holds the program's recorder, and writes the log when it is dropped.
/// Recording goes on after that.
#[must_use = "keep it until the end of `main`: dropping it writes the log"]
#[derive(Debug)]
pub struct Guard(Recorder);

impl Guard {
    /// Drops nothing but the guard: does not wait for the log.
    fn release(mut self) {
        self.0 = Recorder::disabled();
    }
}

impl Deref for Guard {
    type Target = Recorder;

    fn deref(&self) -> &Recorder {
        &self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.flush(PATIENCE);
    }
}
