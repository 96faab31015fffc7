//! Where rings lie, and where to look for them.

use std::path::PathBuf;

use tachograph_log::Home;

/// Returns a home's path as every process sees it.
pub(crate) fn canonical(home: &Home) -> PathBuf {
    home.root()
        .canonicalize()
        .unwrap_or_else(|_| home.root().to_owned())
}

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
pub(crate) use linux::{new_region, ring_files};

#[cfg(all(target_os = "linux", not(tachograph_no_ring)))]
mod linux {
    use std::fs::{self, DirBuilder, OpenOptions};
    use std::io::{self, Write};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};

    use tachograph_log::Home;
    use tachograph_model::privacy::sha256_hex;

    use super::canonical;
    use crate::region::Region;
    use crate::table::Table;

    /// Makes a region for `home`: in `wanted` (a folder for all homes), else
    /// in shared memory, else in the home; the first that can hold it.
    pub(crate) fn new_region(home: &Home, wanted: Option<&Path>, table: &Table) -> Option<Region> {
        let root = canonical(home);
        for (base, dir) in candidates(home, &root, wanted) {
            let made = private(&base)
                .and_then(|()| private(&dir))
                .and_then(|()| Region::create(&dir, &root, table));
            if let Ok(region) = made {
                remember(home, &dir);
                return Some(region);
            }
        }
        None
    }

    /// Lists the files of regions of `home`, wherever they may lie.
    pub(crate) fn ring_files(home: &Home) -> Vec<PathBuf> {
        let root = canonical(home);
        let mut dirs: Vec<PathBuf> = candidates(home, &root, None)
            .into_iter()
            .map(|(_, dir)| dir)
            .collect();
        let remembered = fs::read_to_string(home.ring_dirs()).unwrap_or_default();
        dirs.extend(remembered.lines().map(PathBuf::from));
        dirs.sort();
        dirs.dedup();
        let mut files: Vec<PathBuf> = dirs
            .iter()
            .filter(|dir| dir.is_absolute())
            .filter_map(|dir| fs::read_dir(dir).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "ring"))
            .collect();
        files.sort();
        files
    }

    /// Folders to put regions in: one to be made private, and one in it.
    fn candidates(home: &Home, root: &Path, wanted: Option<&Path>) -> Vec<(PathBuf, PathBuf)> {
        let hash = sha256_hex(root.as_os_str().as_encoded_bytes());
        let hash = &hash[..16];
        let user = rustix::process::geteuid().as_raw();
        let memory = PathBuf::from(format!("/dev/shm/tachograph-{user}"));
        let mut found = Vec::new();
        if let Some(wanted) = wanted {
            found.push((wanted.to_owned(), wanted.join(hash)));
        }
        found.push((memory.clone(), memory.join(hash)));
        found.push((home.rings(), home.rings()));
        found
    }

    /// Sees to it that `dir` is a folder that nobody else can write to:
    /// anybody may make one in shared memory.
    fn private(dir: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let metadata = fs::symlink_metadata(dir)?;
        let ours = metadata.is_dir()
            && metadata.uid() == rustix::process::geteuid().as_raw()
            && metadata.mode() & 0o022 == 0;
        if ours {
            Ok(())
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    /// Notes in the home where its rings lie, for whoever comes later with
    /// other settings.
    fn remember(home: &Home, dir: &Path) {
        let path = home.ring_dirs();
        let Some(dir) = dir.to_str().filter(|dir| !dir.contains('\n')) else {
            return;
        };
        let known = fs::read_to_string(&path).unwrap_or_default();
        if known.lines().any(|line| line == dir) {
            return;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path);
        // Without the note, the usual places are still looked at.
        let _ = file.and_then(|mut file| file.write_all(format!("{dir}\n").as_bytes()));
    }
}
