//! What agents are called where their definitions lie on this machine, as the
//! page knows them. Whoever has not the home's secret sees hashes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tachograph_serve::config::Names;

use crate::names::{FRESH, read_only};

/// Names by hash, as last read.
pub struct Called(Arc<Mutex<Arc<Names>>>);

impl Called {
    /// Reads them once.
    pub fn read(home: &Path) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(read_only(home)))))
    }

    /// Reads them now and then, aside: the folder of the definitions may be slow,
    /// and keys are waiting.
    pub fn follow(home: PathBuf) -> Self {
        let held = Arc::<Mutex<Arc<Names>>>::default();
        let of = Arc::downgrade(&held);
        let read = move || {
            while let Some(held) = of.upgrade() {
                let names = Arc::new(read_only(&home));
                *held.lock().unwrap_or_else(PoisonError::into_inner) = names;
                drop(held);
                thread::sleep(FRESH);
            }
        };
        // Without the thread hashes stand for themselves, as without the names.
        let _ = thread::Builder::new()
            .name("tacho-names".to_owned())
            .spawn(read);
        Self(held)
    }

    pub fn names(&self) -> Arc<Names> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What a name is shown as: a known hash as what it stands for.
pub fn shown<'a>(names: &'a Names, name: &'a str) -> &'a str {
    names.get(name).map_or(name, String::as_str)
}
