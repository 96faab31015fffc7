//! What agents are called: of those indexed last, and of the programs that are
//! known by the name they give themselves. Told by hash, as events hold them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tachograph_agents::scan;
use tachograph_log::Home;
use tachograph_model::Salt;
use tachograph_serve::SERVICES;
use tachograph_serve::config::Names;

use crate::commands::agents::MAX_FILE_BYTES;
use crate::commands::demo;
use crate::place::IndexedAgents;

/// How old what was read may be.
pub const FRESH: Duration = Duration::from_secs(30);

/// Returns what tells them. Reads the definitions when it is first asked, and
/// again when what it knows is half a minute old: agents may be indexed, and
/// definitions written, while the server runs.
pub fn names(home: PathBuf, salt: Salt) -> impl Fn() -> Arc<Names> + Send + Sync {
    let known: Mutex<Option<(Option<Instant>, Arc<Names>)>> = Mutex::default();
    move || {
        let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
        {
            // Whoever asks while one reads gets what was known before: the folder
            // may be slow, and live figures are asked for at the same desk.
            let mut known = known();
            let (read, names) = known.get_or_insert_default();
            if read.is_some_and(|read| read.elapsed() < FRESH) {
                return names.clone();
            }
            *read = Some(Instant::now());
        }
        let names = Arc::new(read(&home, &salt));
        *known() = Some((Some(Instant::now()), names.clone()));
        names
    }
}

/// Reads them for whoever looks at a home and changes nothing in it: without its
/// secret none can be told, and none is made for this.
pub fn read_only(home: &Path) -> Names {
    let place = Home::at(home);
    let salt = place.salt_path().is_file().then(|| place.salt().ok());
    match salt.flatten() {
        Some(salt) => read(home, &salt),
        None => demo::team(home).into_iter().collect(),
    }
}

/// Definitions that cannot be read have no names here; `tacho agents index`
/// says why.
fn read(home: &Path, salt: &Salt) -> Names {
    let services = SERVICES.iter().map(|name| (*name).to_owned());
    let mut names: Names = services.map(|name| (salt.hash(&name), name)).collect();
    names.extend(demo::team(home));
    let folder = IndexedAgents::read(home).map(|index| index.dir);
    let scan = folder.and_then(|folder| scan(&folder, MAX_FILE_BYTES).ok());
    for found in scan.into_iter().flat_map(|scan| scan.found) {
        let (id, name) = (found.definition.id, found.definition.name);
        names.insert(salt.hash(&name), name.clone());
        // Agents are loaded by their ids, and the names of two may be the same.
        names.insert(salt.hash(&id), id);
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn agents_are_known_by_id_and_name_once_they_are_indexed() {
        let home = tempfile::tempdir().expect("a folder");
        let salt = Salt::new([1; 32]);
        let tell = |salt: &Salt| read(home.path(), salt);
        assert_eq!(tell(&salt).len(), SERVICES.len());
        assert_eq!(tell(&salt)[&salt.hash("claude-code")], "claude-code");

        let dir = home.path().join("definitions");
        fs::create_dir(&dir).expect("a folder");
        let text = "---\nname: python-pro\ndescription: Writes Python.\n---\nBody.\n";
        fs::write(dir.join("02-language-python-pro.md"), text).expect("a file");
        fs::write(dir.join("broken.md"), [0xff, 0xfe]).expect("a file");
        let index = IndexedAgents {
            dir,
            agents: 1,
            tokens: 1,
        };
        index.write(home.path()).expect("remembered");
        let names = tell(&salt);
        for name in ["python-pro", "02-language-python-pro"] {
            assert_eq!(names.get(&salt.hash(name)).map(String::as_str), Some(name));
        }
        // Whoever only looks makes no secret, and has no names without one.
        assert!(read_only(home.path()).is_empty());
        let place = Home::at(home.path());
        assert!(!place.salt_path().exists());
        place.keep_salt(&salt).expect("kept");
        assert_eq!(read_only(home.path()), names);
        let other = Salt::new([2; 32]);
        assert!(tell(&other).keys().all(|hash| !names.contains_key(hash)));
    }
}
