//! The one place of a library that may speak: one line on standard error, once
//! in the life of the process.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most notices that are kept.
const KEPT: usize = 32;

/// Where notices go besides being kept.
pub(crate) type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// Keeps what went wrong, and says the first of it.
#[derive(Clone)]
pub(crate) struct Notices {
    kept: Arc<Mutex<Vec<String>>>,
    listener: Listener,
}

impl Notices {
    /// Tells `listener` of each notice, or standard error of the first one.
    pub(crate) fn to(listener: Option<Listener>) -> Self {
        Self {
            kept: Arc::default(),
            listener: listener.unwrap_or_else(|| Arc::new(say_once)),
        }
    }

    pub(crate) fn tell(&self, text: &str) {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT || kept.iter().any(|old| old == text) {
                return;
            }
            kept.push(text.to_owned());
        }
        (self.listener)(text);
    }

    pub(crate) fn kept(&self) -> Vec<String> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn say_once(text: &str) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.swap(true, Ordering::Relaxed) {
        // A closed standard error is no reason to disturb the host.
        let _ = writeln!(std::io::stderr(), "tachograph: {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_notice_is_told_once() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&heard);
        let notices = Notices::to(Some(Arc::new(move |text: &str| {
            ear.lock().expect("not poisoned").push(text.to_owned());
        })));
        for text in ["home is read-only", "home is read-only", "disk is full"] {
            notices.tell(text);
        }
        assert_eq!(notices.kept(), ["home is read-only", "disk is full"]);
        assert_eq!(*heard.lock().expect("not poisoned"), notices.kept());
    }
}
