//! SIGINT, SIGTERM and, when the terminal is closed, SIGHUP: the first asks the
//! server to leave, the second ends the process at once.

use crate::exit::Result;

pub use unix::watch;

#[cfg(unix)]
mod unix {
    use std::io::IsTerminal as _;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use anyhow::Context as _;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
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
        let mut watched = vec![SIGINT, SIGTERM];
        // Whoever was started to outlive the terminal does.
        watched.extend((!hangup_is_ignored()).then_some(SIGHUP));
        for &signal in &watched {
            // In this order: the first signal finds the flag unset, and sets it.
            flag::register_conditional_shutdown(signal, 128 + signal, leaving.clone())
                .and_then(|_| flag::register(signal, leaving.clone()))
                .context("cannot watch for signals")?;
        }
        let signals = Signals::new(watched).context("cannot watch for signals")?;
        Ok(Watch(signals))
    }

    /// Whether SIGHUP was ignored at the start, as `nohup` has it: `/proc` tells.
    /// Where it does not, what says nothing to a terminal does not mind that one
    /// is closed.
    fn hangup_is_ignored() -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| {
            let mask = line.strip_prefix("SigIgn:")?.trim();
            u64::from_str_radix(mask, 16).ok()
        });
        mask.map_or_else(
            || !(std::io::stdout().is_terminal() || std::io::stderr().is_terminal()),
            |mask| mask >> (SIGHUP - 1) & 1 == 1,
        )
    }

    impl Watch {
        /// Waits for a signal; returns its name.
        pub fn wait(mut self) -> &'static str {
            match self.0.forever().next() {
                Some(SIGINT) => "SIGINT",
                Some(SIGHUP) => "SIGHUP",
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
