//! SIGINT and SIGTERM: the first asks the server to leave, the second ends the
//! process at once.

use crate::exit::Result;

pub use unix::watch;

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use anyhow::Context as _;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    use super::Result;

    /// Signals, noted from now on.
    pub struct Watch(Signals);

    /// Begins to note signals.
    ///
    /// # Errors
    /// When the operating system does not allow it.
    pub fn watch() -> Result<Watch> {
        let leaving = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag unset, and sets it.
            flag::register_conditional_shutdown(signal, 128 + signal, leaving.clone())
                .and_then(|_| flag::register(signal, leaving.clone()))
                .context("cannot watch for signals")?;
        }
        let signals = Signals::new([SIGINT, SIGTERM]).context("cannot watch for signals")?;
        Ok(Watch(signals))
    }

    impl Watch {
        /// Waits for a signal; returns its name.
        pub fn wait(mut self) -> &'static str {
            match self.0.forever().next() {
                Some(SIGINT) => "SIGINT",
                _ => "SIGTERM",
            }
        }
    }
}

#[cfg(not(unix))]
mod unix {
    use super::Result;

    /// Nothing to note: the system ends the process.
    pub struct Watch;

    pub fn watch() -> Result<Watch> {
        Ok(Watch)
    }

    impl Watch {
        pub fn wait(self) -> &'static str {
            loop {
                std::thread::park();
            }
        }
    }
}
