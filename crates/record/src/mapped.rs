//! Regions in files.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use memmap2::MmapOptions;
use rustix::fs::{FallocateFlags, fallocate};

use super::{
    BLOCKS, Blocks, DIRECTORY, HOME, HOME_WORDS, MAGIC, MAGIC_VALUE, MAX_BLOCKS, MAX_RING_WORDS,
    MAX_RINGS, MAX_TABLE_WORDS, NAME_BLOCK, NAME_BLOCK_WORDS, NameBlocks, OWNER, PAGE_WORDS,
    RING_BLOCK, Region, TABLE_BLOCK, VERSION, VERSION_VALUE, read_text,
};
use crate::owner::Owner;
use crate::ring::{HEADER_WORDS, Ring, Words};
use crate::table::Table;

const WORD: u64 = size_of::<u64>() as u64;

/// A region's file. Locked as long as it is open: the kernel takes the lock
/// away when the process dies.
pub(crate) struct Mapped {
    file: File,
    path: PathBuf,
    /// Words of a page: blocks begin at one.
    pub(crate) page_words: usize,
}

impl Mapped {
    /// Removes the file; what is mapped stays.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Reserves and maps zeroed words from word `at` of the file on.
    pub(crate) fn reserve(&self, at: usize, words: usize) -> io::Result<Words> {
        let (from, len) = (at as u64 * WORD, words as u64 * WORD);
        if fallocate(&self.file, FallocateFlags::empty(), from, len).is_err() {
            // Full, or a file system that cannot reserve: writing tells which.
            let zeroes = [0; 4096];
            for page in (from..from + len).step_by(zeroes.len()) {
                let rest = usize::try_from(from + len - page).unwrap_or(usize::MAX);
                self.file
                    .write_all_at(&zeroes[..rest.min(zeroes.len())], page)?;
            }
        }
        self.map(at, words)
    }

    fn map(&self, at: usize, words: usize) -> io::Result<Words> {
        let end = (at + words) as u64 * WORD;
        if self.file.metadata()?.len() < end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let map = MmapOptions::new()
            .offset(at as u64 * WORD)
            .len(words * size_of::<u64>())
            .map_raw(&self.file)?;
        Words::mapped(map).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Region {
    /// Makes one in a new file in `dir`, which must be this user's own.
    pub(crate) fn create(dir: &Path, home: &Path, table: &Table) -> io::Result<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let home = home
            .to_str()
            .filter(|home| home.len() <= (HOME_WORDS - 1) * 8)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let owner = Owner::this_process();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{}-{:x}-{number}.ring", owner.pid, owner.started));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let mapped = Mapped {
            file,
            path,
            page_words: page_words(),
        };
        let made = Self::in_file(&mapped, table, owner, home);
        if made.is_err() {
            mapped.remove();
        }
        made.map(|region| Self {
            mapped: Some(mapped),
            ..region
        })
    }

    fn in_file(mapped: &Mapped, table: &Table, owner: Owner, home: &str) -> io::Result<Self> {
        mapped.file.try_lock().map_err(io::Error::from)?;
        // The region must own its file while it reserves blocks.
        let mut region = Self {
            header: mapped.reserve(0, PAGE_WORDS)?,
            mapped: Some(mapped.try_clone()?),
            blocks: Mutex::default(),
            names: NameBlocks::default(),
        };
        region
            .begin(table, owner.words(), home)
            .ok_or(io::ErrorKind::StorageFull)?;
        region.mapped = None;
        Ok(region)
    }

    /// Opens what another process left behind for `home`. `Ok(None)`: its owner
    /// lives, it is being made, or it belongs to another home.
    ///
    /// Only with the log's lock held: then a batch under way is a dead one's.
    /// The file's own lock says that its owner, or a child it forked, lives.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for a file that nobody will ever be able
    /// to read and that has been set aside; any other may pass.
    pub(crate) fn open_orphan(path: &Path, home: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        let metadata = file.metadata()?;
        let uid = rustix::process::geteuid().as_raw();
        if !metadata.is_file() || (metadata.uid() != uid && uid != 0) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let unlocked = file.try_lock().is_ok();
        let mapped = Mapped {
            file,
            path: path.to_owned(),
            page_words: page_words(),
        };
        let unfinished = || {
            let old = metadata.modified().ok().and_then(|at| at.elapsed().ok());
            if unlocked && old.is_some_and(|age| age.as_secs() > 60) {
                mapped.remove();
            }
        };
        if metadata.len() < PAGE_WORDS as u64 * WORD {
            unfinished();
            return Ok(None);
        }
        let header = mapped.map(0, PAGE_WORDS)?;
        if header[MAGIC].load(Ordering::Acquire) != MAGIC_VALUE {
            unfinished();
            return Ok(None);
        }
        if header[VERSION].load(Ordering::Relaxed) != VERSION_VALUE {
            let what = "was written by another version, which can recover it";
            return Err(io::Error::new(io::ErrorKind::Unsupported, what));
        }
        let owner = Owner::from_words(std::array::from_fn(|at| {
            header[OWNER + at].load(Ordering::Relaxed)
        }));
        let Some((of, _)) = read_text(&header[HOME..HOME + HOME_WORDS], true) else {
            return Err(set_aside(path, unlocked, &invalid("names no home")));
        };
        // A home that was moved takes its rings along; one that was copied
        // does not.
        let of = Path::new(&of);
        if of != home && of.exists() {
            return Ok(None);
        }
        let mut region = Self {
            header,
            mapped: Some(mapped),
            blocks: Mutex::default(),
            names: NameBlocks::default(),
        };
        let orphan = unlocked || owner.is_dead() || region.state() != super::State::Idle;
        if !orphan {
            return Ok(None);
        }
        use io::ErrorKind::{InvalidData, UnexpectedEof};
        match region.load_blocks() {
            Ok(()) => Ok(Some(region)),
            Err(why) if matches!(why.kind(), InvalidData | UnexpectedEof) => {
                Err(set_aside(path, unlocked, &why))
            }
            Err(why) => Err(why),
        }
    }

    fn load_blocks(&mut self) -> io::Result<()> {
        let Some(mapped) = &self.mapped else {
            return Ok(());
        };
        let mut blocks = Blocks::default();
        let count = self.header[BLOCKS].load(Ordering::Acquire) as usize;
        for number in 0..count.min(MAX_BLOCKS) {
            let entry = DIRECTORY + 2 * number;
            let what = self.header[entry].load(Ordering::Relaxed);
            let words = usize::try_from(what >> 8).unwrap_or(usize::MAX);
            let at = self.header[entry + 1].load(Ordering::Relaxed) as usize;
            // Blocks come one after the other, and none is larger than ours.
            let most = match what & 0xFF {
                TABLE_BLOCK => MAX_TABLE_WORDS,
                NAME_BLOCK => NAME_BLOCK_WORDS,
                RING_BLOCK if blocks.rings.len() < MAX_RINGS => HEADER_WORDS + MAX_RING_WORDS,
                _ => 0,
            };
            let follows = at >= blocks.end.max(PAGE_WORDS) && at < usize::MAX / 16;
            if !follows || !(1..=most).contains(&words) {
                return Err(invalid("has a damaged directory"));
            }
            let block = mapped.map(at, words)?;
            match what & 0xFF {
                TABLE_BLOCK => {
                    let text = read_text(&block, true);
                    blocks.table = text.ok_or_else(|| invalid("has a damaged table"))?.0;
                }
                NAME_BLOCK => {
                    if !self.names.push(block) {
                        return Err(invalid("has a damaged directory"));
                    }
                }
                RING_BLOCK => {
                    let ring = Ring::over(block).ok_or_else(|| invalid("has a damaged ring"))?;
                    blocks.damaged_rings += u64::from(!ring.mend());
                    blocks.rings.push(Arc::new(ring));
                }
                _ => return Err(invalid("has a damaged directory")),
            }
            blocks.end = at + words;
        }
        self.blocks = Mutex::new(blocks);
        Ok(())
    }
}

impl Mapped {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            file: self.file.try_clone()?,
            path: self.path.clone(),
            page_words: self.page_words,
        })
    }
}

/// Renames a dead process's file that cannot be read, so that nobody tries
/// again; says so, and why.
fn set_aside(path: &Path, unlocked: bool, why: &io::Error) -> io::Error {
    let aside = path.with_extension("ring.damaged");
    if !unlocked {
        return io::Error::other(why.to_string());
    }
    match fs::rename(path, &aside) {
        Ok(()) => invalid(&format!("{why}; it is kept as {}", aside.display())),
        Err(error) => io::Error::other(format!("{why}, and cannot be set aside: {error}")),
    }
}

fn page_words() -> usize {
    rustix::param::page_size().max(PAGE_WORDS * size_of::<u64>()) / size_of::<u64>()
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
