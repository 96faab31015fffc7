//! One server a home: a lock that is held while it runs, with what it listens
//! on written into it for whoever comes second.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value as Json;

use super::plan::DOORS;
use crate::exit::Result;

/// How long one waits for those that only ask, ten times.
const INSTANT: Duration = Duration::from_millis(10);
/// Bytes of what a server says of itself.
const MOST_BYTES: u64 = 64 << 10;

/// The lock, held.
pub struct ServerLock {
    file: File,
    path: PathBuf,
}

impl ServerLock {
    /// Takes the lock of a home.
    ///
    /// # Errors
    /// When a server runs there: says which, and where it listens.
    pub fn take(home: &Path) -> Result<Self> {
        let path = home.join("server.lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match lock_soon(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // What cannot be read is told less of.
                let _ = file.read_to_string(&mut text);
                return Err(runs_already(home, &text));
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // What a server that was killed has written is no longer so.
        file.set_len(0)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path })
    }

    /// Tells whoever comes second about this server.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn tell(&mut self, about: &Json) -> Result<()> {
        let text = format!("{about}\n");
        self.file
            .rewind()
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        // The file stays: were it removed, a server that has just opened it
        // would hold a lock that nobody else sees.
        let _ = self.file.set_len(0);
    }
}

/// Whoever asks whether a server runs holds the lock for an instant, as [`running`]
/// does; a server holds it for good.
fn lock_soon(file: &File) -> std::result::Result<(), TryLockError> {
    for _ in 0..10 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(INSTANT),
            locked => return locked,
        }
    }
    file.try_lock()
}

fn runs_already(home: &Path, told: &str) -> anyhow::Error {
    let about: Json = serde_json::from_str(told).unwrap_or_default();
    let pid = about["pid"].as_u64();
    let who = pid.map_or("(it is just starting)".to_owned(), |pid| {
        format!("(process {pid})")
    });
    let doors: Vec<String> = DOORS
        .iter()
        .filter_map(|door| {
            let address = about[door.name].as_str()?;
            Some(format!("\n  {address:<21}  {}", door.words))
        })
        .collect();
    let stop = pid.map_or(String::new(), |pid| {
        format!("stop it with `kill {pid}`, or ")
    });
    anyhow!(
        "a server already runs on {} {who}{}\nhint: use that one, {stop}choose another home with --home",
        home.display(),
        doors.concat()
    )
}

/// What the server that runs on a home says of itself; `None`: none runs.
pub fn running(home: &Path) -> Option<Json> {
    let file = File::open(home.join("server.lock")).ok()?;
    // Held to be read, for an instant: two who ask at once do not see each other.
    // What nobody else holds was left by one that is gone.
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_default())
}

/// Removes the ready file, which a server before us may have left.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove_stale(path: &Path) -> Result<()> {
    let Some(file) = own_file(path) else {
        return Ok(());
    };
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove the old {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The file that a path leads to, if it is one of its own: a FIFO, a device or
/// an open file by its name, such as `/dev/stdout`, is not there to be removed.
fn own_file(path: &Path) -> Option<PathBuf> {
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_symlink() {
        return meta.is_file().then(|| path.to_owned());
    }
    let absolute = std::path::absolute(path).ok()?;
    let of_the_system = ["/dev", "/proc"]
        .iter()
        .any(|dir| absolute.starts_with(dir));
    let target = fs::canonicalize(path).ok().filter(|_| !of_the_system)?;
    target.is_file().then_some(target)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn whoever_only_asks_keeps_no_server_from_starting() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = File::create(dir.path().join("server.lock")).expect("a file");
        file.lock_shared().expect("locked");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(INSTANT);
                file.unlock().expect("unlocked");
            });
            let lock = ServerLock::take(dir.path()).expect("it waits");
            assert!(ServerLock::take(dir.path()).is_err(), "a server stays");
            drop(lock);
        });
    }

    #[test]
    fn only_files_of_their_own_are_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        assert_eq!(own_file(&file), Some(file.clone()));
        // Through the link, which stays, as what is written goes through it.
        remove_stale(&link).expect("removed");
        assert!(!file.exists() && link.is_symlink());
        remove_stale(&file).expect("nothing there");
        remove_stale(&link).expect("nothing there");
        for path in ["/dev/null", "/dev/stdout", "/proc/self/fd/1"] {
            assert_eq!(own_file(Path::new(path)), None, "{path}");
        }
        assert_eq!(own_file(dir.path()), None);
    }
}
