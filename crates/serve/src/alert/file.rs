//! Small files of a home that are replaced as a whole, so that a kill leaves the
//! old or the new one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// Another's change takes milliseconds.
const LOCK_WITHIN: Duration = Duration::from_secs(2);

/// What tells whether a file is another one than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(Option<SystemTime>, u64, u64);

/// That of a file; `None`: there is none.
pub fn mark(path: &Path) -> Option<Mark> {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let number = 0;
    Some(Mark(meta.modified().ok(), meta.len(), number))
}

/// Reads it; `None`: there is none.
///
/// # Errors
/// When it cannot be read, or has more than `most` bytes.
pub fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it has more than {most} bytes"))),
        false => Ok(Some(bytes)),
    }
}

/// Beside it, onto the disk, into its place. Its folder is made; the one above
/// must be there, for a home that was deleted is made again elsewhere.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private(folder)?;
    let beside = path.with_extension("json.tmp");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name, too, is to be there after a power cut. Where folders cannot be
    // opened this is all there is.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Held by whoever changes the file of that path, as what is returned; gone with
/// its process. Server and command line change the same files.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when another program holds it for long; what the
/// system says.
pub fn lock(path: &Path) -> io::Result<File> {
    let began = Instant::now();
    let file = open_private(&path.with_extension("lock"))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_WITHIN => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                let what = "another program changes it; try again";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, what));
            }
        }
    }
}

/// Opens it to write at its end, and makes it where there is none: for its owner
/// alone, as its folder.
///
/// # Errors
/// What the system says.
pub fn open_private(path: &Path) -> io::Result<File> {
    make_private(path.parent().unwrap_or(Path::new(".")))?;
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_private(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is Unix's"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}
