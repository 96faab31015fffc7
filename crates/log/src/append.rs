//! Appending: lock, place, write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tachograph_model::UnixNanos;

use crate::files::{FileId, rotated_name};
use crate::home::{Home, open_private};
use crate::write::{take_back, write_batch};

/// Size in bytes at which the log is rotated: the first seed's 10 MiB.
pub const ROTATE_BYTES: u64 = 10 * 1024 * 1024;

/// Appends batches of lines to the log of one home. Any number of them, in any
/// number of threads and processes, may work on one home.
#[derive(Debug)]
pub struct Appender {
    home: Home,
    rotate_bytes: u64,
    open: Mutex<Open>,
}

/// What is held open between batches.
#[derive(Debug, Default)]
struct Open {
    log: Option<(Arc<File>, FileId)>,
    /// Where our last batch ended: if the file still ends there, its last byte
    /// needs no look.
    ended: Option<(FileId, u64)>,
    /// The file whose name is known to be on the disk.
    named: Option<FileId>,
}

/// Where a batch will come to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// In which file, by whatever name it will be called.
    pub file: FileId,
    /// At which byte of it.
    pub offset: u64,
}

/// Where a batch lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// In which file.
    pub file: FileId,
    /// At which byte of it.
    pub offset: u64,
    /// How many bytes of it.
    pub len: u64,
}

/// Why a batch was not appended, or not all of it.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}", path.display())]
pub struct AppendError {
    /// Bytes of the batch's first lines that are in the log all the same,
    /// because the disk was full and then refused to have them cut off. 0
    /// nearly always. Whoever tries again leaves these lines out.
    pub kept_bytes: u64,
    /// What was tried, as a verb: `open`, `lock`, `append to`.
    pub what: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl Appender {
    /// Makes an appender; touches no file until the first batch.
    pub fn new(home: &Home) -> Self {
        Self::with_rotation(home, ROTATE_BYTES)
    }

    /// As [`Self::new`], but rotates the log before a batch once it holds
    /// `rotate_bytes`.
    pub fn with_rotation(home: &Home, rotate_bytes: u64) -> Self {
        Self {
            home: home.clone(),
            rotate_bytes,
            open: Mutex::default(),
        }
    }

    /// Returns the home it appends to.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Appends whole lines, each with its newline, in one write.
    ///
    /// Waits for other writers. When it returns, the bytes are in the
    /// kernel's hands: they survive the process, not a power cut; see
    /// [`Self::append_synced`] for that.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was appended, but for
    /// [`AppendError::kept_bytes`].
    pub fn append(&self, lines: &[u8]) -> Result<Appended, AppendError> {
        let mut locked = self.lock()?;
        let Placement { file, offset } = locked.prepare()?;
        locked.write(lines)?;
        Ok(Appended {
            file,
            offset,
            len: lines.len() as u64,
        })
    }

    /// Waits until what was appended is on the disk (`fdatasync`).
    ///
    /// # Errors
    /// [`AppendError`] when the disk says no.
    pub fn sync(&self) -> Result<(), AppendError> {
        let log = self.open().log.as_ref().map(|(log, _)| log.clone());
        self.sync_file(log.as_deref(), false)
    }

    /// As [`Self::append`], and returns when the lines are on the disk
    /// (`fdatasync`), as well as the name of the file they are in. Other
    /// writers do not wait for the disk.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was appended, but for
    /// [`AppendError::kept_bytes`]. There is one exception: when the disk says
    /// no after another writer has added lines behind these, they cannot be
    /// taken back, nor is it known whether they are safe. None is then called
    /// kept: to write them twice is better than to lose them.
    pub fn append_synced(&self, lines: &[u8]) -> Result<Appended, AppendError> {
        let mut locked = self.lock()?;
        let Placement { file, offset } = locked.prepare()?;
        locked.write(lines)?;
        let appended = Appended {
            file,
            offset,
            len: lines.len() as u64,
        };
        let (log, unnamed) = locked.written();
        drop(locked);
        if let Err(error) = self.sync_file(log.as_deref(), unnamed) {
            self.take_back(&appended);
            return Err(error);
        }
        if unnamed {
            self.open().named = Some(file);
        }
        Ok(appended)
    }

    fn sync_file(&self, log: Option<&File>, unnamed: bool) -> Result<(), AppendError> {
        if let Some(log) = log {
            log.sync_data()
                .map_err(|source| failed("sync", &self.home.log(), source))?;
        }
        if unnamed {
            sync_folder(self.home.root())
                .map_err(|source| failed("sync", self.home.root(), source))?;
        }
        Ok(())
    }

    fn take_back(&self, appended: &Appended) {
        // Whoever cannot lock cannot take back either; see `append_synced`.
        let Ok(mut locked) = self.lock() else {
            return;
        };
        let Some((log, file)) = &locked.open.log else {
            return;
        };
        if *file == appended.file && take_back(&mut &**log, appended.offset, appended.len) {
            locked.open.ended = None;
        }
    }

    /// Takes the writers' lock, and waits for it.
    ///
    /// The lock is the kernel's `flock`, which belongs to an open file and not
    /// to a process: a child that is forked while it is held has a share in
    /// it, and should its parent be killed before it is given back, it stays
    /// held until the child ends or becomes another program. (The other kind,
    /// which belongs to the process, is gone as soon as anything in it, such
    /// as a tool that searches all files, opens and closes the lock's file;
    /// then two writers write at once and nobody knows. Waiting is better.)
    ///
    /// So the file is opened for each batch and closed after it, and a writer
    /// that has to wait does so with a file that it then closes. A child that
    /// is forked at any other time has no share, records or not. What is left:
    /// a fork within the microseconds of a batch, of a process that is killed
    /// before the same batch ends. Others then wait for the child; they lose
    /// what does not fit into their rings, and count it.
    ///
    /// # Errors
    /// [`AppendError`] when the lock's file cannot be made or locked.
    pub fn lock(&self) -> Result<Locked<'_>, AppendError> {
        let open = self.open();
        loop {
            if let Some(lock) = self.try_lock_file()? {
                return Ok(self.locked(open, lock));
            }
            let queue = self.lock_file()?;
            let waited = queue.lock().and_then(|()| queue.unlock());
            waited.map_err(|source| self.cannot_lock(source))?;
        }
    }

    /// As [`Self::lock`], but gives up after `timeout`, and then returns
    /// `None`.
    ///
    /// # Errors
    /// As [`Self::lock`].
    pub fn lock_within(&self, timeout: Duration) -> Result<Option<Locked<'_>>, AppendError> {
        let start = std::time::Instant::now();
        loop {
            if let Ok(open) = self.open.try_lock()
                && let Some(lock) = self.try_lock_file()?
            {
                return Ok(Some(self.locked(open, lock)));
            }
            if start.elapsed() >= timeout {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_file(&self) -> Result<File, AppendError> {
        let path = self.home.events_lock();
        open_private(&path, OpenOptions::new().append(true).create(true))
            .map_err(|source| failed("open", &path, source))
    }

    /// Returns the lock's file if nobody else holds it.
    fn try_lock_file(&self) -> Result<Option<File>, AppendError> {
        let file = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(source)) => Err(self.cannot_lock(source)),
        }
    }

    fn cannot_lock(&self, source: io::Error) -> AppendError {
        failed("lock", &self.home.events_lock(), source)
    }

    fn locked<'a>(&'a self, open: MutexGuard<'a, Open>, lock: File) -> Locked<'a> {
        Locked {
            home: &self.home,
            rotate_bytes: self.rotate_bytes,
            lock,
            open,
            placed: None,
        }
    }
}

/// The writers' lock, held. While it is, nobody else appends or rotates.
#[derive(Debug)]
pub struct Locked<'a> {
    home: &'a Home,
    rotate_bytes: u64,
    lock: File,
    open: MutexGuard<'a, Open>,
    placed: Option<u64>,
}

impl Locked<'_> {
    /// Makes the log ready for a batch, and says where it will lie: rotates a
    /// log that is full, and ends a line that a killed writer left torn.
    ///
    /// # Errors
    /// [`AppendError`] when the log cannot be opened or looked at.
    pub fn prepare(&mut self) -> Result<Placement, AppendError> {
        let path = self.home.log();
        let (mut len, mut file) = self.reopen(&path)?;
        if len >= self.rotate_bytes && len > 0 && self.rename(&path).is_ok() {
            (len, file) = self.reopen(&path)?;
        }
        if len > 0 && self.open.ended != Some((file, len)) {
            len = self
                .end_torn_line(len)
                .map_err(|source| failed("append to", &path, source))?;
        }
        self.placed = Some(len);
        Ok(Placement { file, offset: len })
    }

    /// Appends a batch where [`Self::prepare`] said. One batch per `prepare`.
    ///
    /// # Errors
    /// [`AppendError`]; then the log has been cut back to where it ended, but
    /// for [`AppendError::kept_bytes`].
    pub fn write(&mut self, lines: &[u8]) -> Result<(), AppendError> {
        let path = self.home.log();
        let offset = match self.placed.take() {
            Some(offset) => offset,
            None => self.prepare()?.offset,
        };
        let Some((log, file)) = &mut self.open.log else {
            return Err(failed("append to", &path, io::ErrorKind::NotFound.into()));
        };
        if let Err(short) = write_batch(&mut &**log, offset, lines) {
            self.open.ended = None;
            return Err(AppendError {
                kept_bytes: short.kept_bytes,
                ..failed("append to", &path, short.source)
            });
        }
        self.open.ended = Some((*file, offset + lines.len() as u64));
        Ok(())
    }

    /// The file last written, and whether its name may not be on the disk yet.
    fn written(&self) -> (Option<Arc<File>>, bool) {
        match &self.open.log {
            Some((log, file)) => (Some(log.clone()), self.open.named != Some(*file)),
            None => (None, false),
        }
    }

    /// Renames the live log to a rotated one now, whatever its size; `None`
    /// when there is none or it is empty. For those who seal.
    ///
    /// # Errors
    /// [`AppendError`] when it cannot be renamed.
    pub fn rotate(&mut self) -> Result<Option<PathBuf>, AppendError> {
        let path = self.home.log();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() && metadata.len() > 0 => self
                .rename(&path)
                .map(Some)
                .map_err(|source| failed("rotate", &path, source)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("rotate", &path, source)),
        }
    }

    /// Opens the log unless the file held open is still the one that the path
    /// names; returns its size and which file it is.
    fn reopen(&mut self, path: &Path) -> Result<(u64, FileId), AppendError> {
        if let Some((_, id)) = &self.open.log
            && let Ok(metadata) = fs::metadata(path)
            && FileId::of(&metadata) == *id
        {
            return Ok((metadata.len(), *id));
        }
        self.open.log = None;
        let mut options = OpenOptions::new();
        options.append(true).read(true).create(true);
        let opened = open_private(path, &mut options)
            .and_then(|log| log.metadata().map(|metadata| (log, metadata)));
        let (log, metadata) = opened.map_err(|source| failed("open", path, source))?;
        let id = FileId::of(&metadata);
        self.open.log = Some((Arc::new(log), id));
        Ok((metadata.len(), id))
    }

    /// Gives the live log a name by the time that no file has yet.
    fn rename(&mut self, path: &Path) -> io::Result<PathBuf> {
        let mut now = UnixNanos::now();
        loop {
            let to = self.home.root().join(rotated_name(now));
            if fs::symlink_metadata(&to).is_err() {
                fs::rename(path, &to)?;
                self.open.log = None;
                return Ok(to);
            }
            now = now.saturating_add(Duration::from_micros(1));
        }
    }

    fn end_torn_line(&mut self, len: u64) -> io::Result<u64> {
        let Some((log, _)) = &self.open.log else {
            return Ok(len);
        };
        if read_byte(log, len - 1)? == b'\n' {
            return Ok(len);
        }
        (&**log).write_all(b"\n")?;
        log.metadata().map(|metadata| metadata.len())
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Before it is closed: a forked child may have it open too. Should it
        // fail, closing is what is left.
        let _ = self.lock.unlock();
    }
}

#[cfg(unix)]
fn read_byte(file: &File, at: u64) -> io::Result<u8> {
    let mut byte = [0];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut byte, at)?;
    Ok(byte[0])
}

#[cfg(not(unix))]
fn read_byte(file: &File, at: u64) -> io::Result<u8> {
    use std::io::{Read, Seek, SeekFrom};
    let mut byte = [0];
    let mut file = file;
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// Makes the names in a folder safe.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; names are the file system's
/// own care.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> AppendError {
    AppendError {
        kept_bytes: 0,
        what,
        path: path.to_owned(),
        source,
    }
}
