//! The installation's secret.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tachograph_model::Salt;

use crate::home::{HomeError, open_private};

pub(crate) fn load_or_create(path: &Path) -> Result<Salt, HomeError> {
    match load(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other.map_err(|source| failed("read", path, source)),
    }
    let random = random_bytes().and_then(|bytes| create(path, &bytes));
    random.map_err(|source| failed("create", path, source))?;
    load(path).map_err(|source| failed("read", path, source))
}

pub(crate) fn keep(path: &Path, salt: &Salt) -> Result<(), HomeError> {
    create(path, salt.as_bytes()).map_err(|source| failed("create", path, source))
}

fn load(path: &Path) -> io::Result<Salt> {
    let bytes = fs::read(path)?;
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
        let message = format!("holds {} bytes instead of 32", bytes.len());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })?;
    Ok(Salt::new(bytes))
}

/// Writes a whole file beside and links it into place: the link fails when
/// another process was quicker, and then its salt counts.
fn create(path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let unique = NEXT.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{unique}.tmp", std::process::id()));
    let written = write_new(&beside, bytes).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Some file systems have no links; a rename may then replace a salt
        // made in the same instant, never an older one.
        Err(_) if !path.exists() => fs::rename(&beside, path),
        other => other,
    });
    let _ = fs::remove_file(&beside);
    written
}

fn write_new(path: &Path, bytes: &[u8; 32]) -> io::Result<()> {
    let mut file = open_private(path, OpenOptions::new().write(true).create_new(true))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Returns 32 bytes that nobody can guess, from the operating system.
///
/// # Errors
/// When the operating system gives none.
#[cfg(unix)]
pub fn random_bytes() -> io::Result<[u8; 32]> {
    use std::io::Read;
    let mut bytes = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Returns 32 bytes that nobody can guess, from the operating system.
///
/// # Errors
/// When the operating system gives none.
#[cfg(not(unix))]
pub fn random_bytes() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> HomeError {
    HomeError {
        what,
        path: path.to_owned(),
        source,
    }
}
