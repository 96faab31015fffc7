//! What agents are called where their definitions lie on this machine, as the
//! page knows them. Whoever has not the home's secret sees hashes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::thread;

use tachograph_serve::config::Names;

use crate::names::{FRESH, read_only};

/// Names by hash. Nothing is read before somebody asks for them.
pub enum Called {
    /// Read once.
    Once(PathBuf, OnceLock<Arc<Names>>),
    /// Read again while somebody asks.
    Followed(PathBuf, Arc<Following>, Once),
}

/// What was read last.
#[derive(Default)]
pub struct Following {
    names: Mutex<Arc<Names>>,
    /// Somebody asked since.
    asked: AtomicBool,
}

impl Called {
    /// Reads them once.
    pub fn once(home: &Path) -> Self {
        Self::Once(home.to_owned(), OnceLock::new())
    }

    /// Reads them now and then, aside: the folder of the definitions may be slow,
    /// and keys are waiting.
    pub fn follow(home: PathBuf) -> Self {
        Self::Followed(home, Arc::default(), Once::new())
    }

    pub fn names(&self) -> Arc<Names> {
        match self {
            Self::Once(home, known) => known.get_or_init(|| Arc::new(read_only(home))).clone(),
            Self::Followed(home, known, begun) => {
                known.asked.store(true, Ordering::Relaxed);
                begun.call_once(|| read_aside(home.clone(), known));
                let names = known.names.lock();
                names.unwrap_or_else(PoisonError::into_inner).clone()
            }
        }
    }
}

/// Reads as long as somebody holds what is known.
fn read_aside(home: PathBuf, known: &Arc<Following>) {
    let of = Arc::downgrade(known);
    let read = move || {
        while let Some(known) = of.upgrade() {
            if known.asked.swap(false, Ordering::Relaxed) {
                let names = Arc::new(read_only(&home));
                *known.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
            }
            drop(known);
            thread::sleep(FRESH);
        }
    };
    // Without the thread hashes stand for themselves, as without the names.
    let _ = thread::Builder::new()
        .name("tacho-names".to_owned())
        .spawn(read);
}

/// What a name is shown as: a known hash as what it stands for.
pub fn shown<'a>(names: &'a Names, name: &'a str) -> &'a str {
    names.get(name).map_or(name, String::as_str)
}
