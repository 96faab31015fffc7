//! Where `--output` says a result goes.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::{Result, usage};

/// How many symbolic links to files that are not there yet are followed.
const MOST_LINKS: usize = 40;

/// Returns the file that `--output` means; none for stdout, by whatever name.
pub fn file(output: Option<&Path>) -> Option<&Path> {
    const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    output.filter(|path| !STDOUT.iter().any(|name| *path == Path::new(name)))
}

/// Says what failed, for the source of an error to follow.
pub fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// An output file. A regular one appears whole or not at all: it is written
/// beside its place, then renamed into it, through symbolic links; folders
/// above it are made. What is no regular file (a device, a FIFO) is written as
/// it is.
pub struct Draft {
    path: PathBuf,
    /// Written beside, and where it goes; none: written straight.
    renamed: Option<(PathBuf, PathBuf)>,
    writer: BufWriter<File>,
}

impl Draft {
    /// Begins a file.
    ///
    /// # Errors
    /// A usage error when `path` names a folder; otherwise when it cannot be
    /// written.
    pub fn create(path: &Path) -> Result<Self> {
        let named = path.as_os_str().as_encoded_bytes();
        let (file, renamed) = match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => return Err(folder(path)),
            Ok(meta) if meta.is_file() && !is_descriptor(path) => {
                let target = path.canonicalize().with_context(|| cannot_write(path))?;
                let file = Self::beside(path, target)?;
                // Whoever may read the file that is there may read the new one.
                file.0
                    .set_permissions(meta.permissions())
                    .with_context(|| cannot_write(path))?;
                file
            }
            Ok(_) => {
                let file = OpenOptions::new().append(true).open(path);
                (file.with_context(|| cannot_write(path))?, None)
            }
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Err(error).with_context(|| cannot_write(path));
            }
            Err(_) if named.ends_with(b"/") || path.file_name().is_none() => {
                return Err(folder(path));
            }
            Err(_) => Self::beside(path, behind_links(path))?,
        };
        Ok(Self {
            path: path.to_owned(),
            renamed,
            writer: BufWriter::with_capacity(1 << 16, file),
        })
    }

    fn beside(path: &Path, target: PathBuf) -> Result<(File, Option<(PathBuf, PathBuf)>)> {
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).with_context(|| {
            format!(
                "cannot make the folder {}\nhint: name a file in a folder that may be written",
                folder.display()
            )
        })?;
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(format!(".{}.tmp", std::process::id()));
        let beside = folder.join(name);
        // Never through a link that somebody put there, should others be able
        // to write to the folder.
        let new = || {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&beside)
        };
        let file = match new() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::remove_file(&beside).and_then(|()| new())
            }
            file => file,
        };
        Ok((
            file.with_context(|| cannot_write(path))?,
            Some((beside, target)),
        ))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// When it cannot be written to the end.
    pub fn commit(mut self) -> Result<()> {
        self.writer
            .flush()
            .with_context(|| cannot_write(&self.path))?;
        match &self.renamed {
            Some((beside, target)) => {
                fs::rename(beside, target).with_context(|| cannot_write(&self.path))
            }
            None => Ok(()),
        }
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.renamed {
            // Gone already after a commit.
            let _ = fs::remove_file(beside);
        }
    }
}

/// A name of an open file: what was written to it before must stay.
fn is_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

/// Where a chain of symbolic links ends that leads to no file yet.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else {
            break;
        };
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    path
}

fn folder(path: &Path) -> anyhow::Error {
    usage(format!(
        "--output {} is a folder\nhint: name a file in it, such as {}",
        path.display(),
        path.join("out").display()
    ))
}
