//! Files and folders of the home, created for the owner alone and written so
//! that a power cut leaves the old or the new, never a half.

use std::fs::{self, File, OpenOptions};
use std::hash::Hasher;
use std::io::{self, Write};
use std::path::Path;

use twox_hash::XxHash64;

use crate::decode::read_at;
use crate::error::StoreError;

/// Creates a folder and its parents, mode 0700.
pub(crate) fn create_dir(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::io("create", path))
}

/// Opens a file for writing, mode 0600 when it is created.
pub(crate) fn open_private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

/// Creates a file, mode 0600, empty.
pub(crate) fn create(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    open_private(path, &mut options).map_err(StoreError::io("create", path))
}

/// Replaces a file's content in one step, and waits for the disk.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("tmp");
    let mut file = create(&temporary)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(StoreError::io("write", &temporary))?;
    fs::rename(&temporary, path).map_err(StoreError::io("replace", path))?;
    sync_parent(path)
}

/// Waits until a file's name is on the disk.
pub(crate) fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    if cfg!(unix) {
        File::open(parent)
            .and_then(|dir| dir.sync_all())
            .map_err(StoreError::io("sync", parent))?;
    }
    Ok(())
}

/// Deletes a file; one that is gone already is fine.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("delete", path)(error))
        }
        _ => Ok(()),
    }
}

/// Bytes that are hashed at once: what stays in a processor's second-level
/// cache. Measured: 11.6 MB (a million events) take 1.1 ms, with 1 MiB 1.4 ms.
const HASHED_BYTES: usize = 64 << 10;

/// XXH64 of the first `bytes` of a file (or all of it).
pub(crate) fn checksum(file: &File, bytes: u64) -> io::Result<u64> {
    let mut hasher = XxHash64::with_seed(0);
    let most = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut buffer = vec![0; most.min(HASHED_BYTES)];
    let mut at = 0;
    while at < bytes {
        let want = usize::try_from(bytes - at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = read_at(file, &mut buffer[..want], at)?;
        if read == 0 {
            break;
        }
        hasher.write(&buffer[..read]);
        at += read as u64;
    }
    Ok(hasher.finish())
}

/// XXH64 of a whole file.
pub(crate) fn checksum_of(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    checksum(&file, bytes)
}

/// Fails where a file does not hold the bytes that were written; `wanted` is
/// its checksum in hex, empty if unknown.
pub(crate) fn check(path: &Path, wanted: &str) -> Result<(), StoreError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let found = checksum_of(path).map_err(StoreError::io("read", path))?;
    if wanted == format!("{found:016x}") {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            path: path.to_owned(),
        })
    }
}

/// Every regular file in `folder`/*/, with its path.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let mut files = Vec::new();
    for folder in entries(folder)? {
        if folder.is_dir() {
            files.extend(entries(&folder)?.into_iter().filter(|path| path.is_file()));
        }
    }
    files.sort();
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing.map_err(StoreError::io("list", folder))?,
    };
    listing
        .map(|entry| {
            entry
                .map(|entry| entry.path())
                .map_err(StoreError::io("list", folder))
        })
        .collect()
}
