//! Lists that server and command line both change, such as the API's rules: a file
//! each, `{"version": 1, "rules": […]}`, changed under a lock beside it, replaced
//! as a whole, and read as far as that goes: one entry that is wrong, or a file
//! that ends amid an entry, does not take the others with it. Nothing is changed
//! in a file of which not everything could be read, for that would be gone.

use std::collections::HashSet;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use serde_json::error::Category;
use tachograph_model::render::human::counted;

use super::file::{self, Mark};
use crate::api::problem::quoted;

const VERSION: u64 = 1;

/// An entry of such a list.
pub trait Entry: Serialize + DeserializeOwned + Clone + PartialEq {
    /// One of them, as people call it.
    const ONE: &'static str;
    /// The list's key in the file, and how people call it.
    const MANY: &'static str;
    /// The key of what tells one from the others.
    const ID: &'static str;
    /// So many there may be.
    const MOST: usize;
    /// Bytes of the file.
    const MOST_BYTES: u64;

    /// The value of that key.
    fn id(&self) -> &str;

    /// # Errors
    /// What is wrong with it.
    fn check(&self) -> Result<(), String>;
}

/// Why a list could not be read, or not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// Not all of the file is what it should be.
    #[error("{path}: {what}; mend it, or move it away to start anew")]
    Malformed {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Somebody else holds the lock.
    #[error("{path} is locked by another program; try again")]
    Locked {
        /// Where it lies.
        path: PathBuf,
    },
    /// The disk said no.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A list.
#[derive(Debug)]
pub struct List<T> {
    path: PathBuf,
    of: PhantomData<fn() -> T>,
}

/// What of a list could be read.
#[derive(Debug)]
pub struct Found<T> {
    /// In the order of the file.
    pub entries: Vec<T>,
    /// Why that is not all; `None`: it is.
    pub wrong: Option<ListError>,
}

impl<T> Found<T> {
    /// # Errors
    /// When that is not all.
    pub fn whole(self) -> Result<Vec<T>, ListError> {
        match self.wrong {
            None => Ok(self.entries),
            Some(error) => Err(error),
        }
    }
}

impl<T: Entry> List<T> {
    /// That of the home at `root`; touches nothing.
    pub fn of(root: &Path) -> Self {
        Self {
            path: root.join("alerts").join(T::MANY).with_extension("json"),
            of: PhantomData,
        }
    }

    /// Reads what can be read.
    pub fn read(&self) -> Found<T> {
        let nothing = |wrong| Found {
            entries: Vec::new(),
            wrong,
        };
        match file::read(&self.path, T::MOST_BYTES) {
            Ok(None) => nothing(None),
            Ok(Some(text)) => {
                let (entries, what) = parse(&text);
                let wrong = what.map(|what| self.malformed(what));
                Found { entries, wrong }
            }
            // What `file` itself says of it.
            Err(error) if error.kind() == io::ErrorKind::Other => {
                nothing(Some(self.malformed(error.to_string())))
            }
            Err(error) => nothing(Some(self.io("read", error))),
        }
    }

    /// Changes it, while nobody else can. Nothing is written where nothing is
    /// changed.
    ///
    /// # Errors
    /// [`ListError`], and what the change says; then the list is as it was.
    pub fn change<R, E: From<ListError>>(
        &self,
        change: impl FnOnce(&mut Vec<T>) -> Result<R, E>,
    ) -> Result<R, E> {
        let _alone = file::lock(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => ListError::Locked {
                path: self.path.clone(),
            },
            _ => self.io("lock", error),
        })?;
        let before = self.read().whole()?;
        let mut entries = before.clone();
        let changed = change(&mut entries)?;
        if entries != before {
            self.write(&entries)?;
        }
        Ok(changed)
    }

    /// What tells whether the file is another one than before; `None`: there is
    /// none.
    pub fn mark(&self) -> Option<Mark> {
        file::mark(&self.path)
    }

    pub(crate) fn write(&self, entries: &[T]) -> Result<(), ListError> {
        let text = serde_json::to_vec_pretty(&Stored(entries))
            .map_err(|error| self.io("write", io::Error::other(error)))?;
        if text.len() as u64 > T::MOST_BYTES {
            // Nobody could read it any more.
            let what = format!("it would have more than {} bytes", T::MOST_BYTES);
            return Err(self.io("write", io::Error::other(what)));
        }
        file::replace(&self.path, &text).map_err(|source| self.io("write", source))
    }

    fn io(&self, what: &'static str, source: io::Error) -> ListError {
        ListError::Io {
            what,
            path: self.path.clone(),
            source,
        }
    }

    fn malformed(&self, what: String) -> ListError {
        ListError::Malformed {
            path: self.path.clone(),
            what,
        }
    }
}

/// As it lies in the file; the version first, so that a torn one has it.
struct Stored<'a, T>(&'a [T]);

impl<T: Entry> Serialize for Stored<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("version", &VERSION)?;
        map.serialize_entry(T::MANY, self.0)?;
        map.end()
    }
}

/// The entries that can be read, and what is wrong where that is not all.
fn parse<T: Entry>(text: &[u8]) -> (Vec<T>, Option<String>) {
    let mut draft = Draft::<T>::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = draft.deserialize(&mut reader).and_then(|()| reader.end());
    let unread = match (read, draft.version) {
        (Err(error), _) => Some(match error.classify() {
            Category::Eof => format!("it is torn: {error}"),
            Category::Syntax => format!("it is no JSON: {error}"),
            Category::Data | Category::Io => error.to_string(),
        }),
        (Ok(()), None) => Some("it has no `version`".to_owned()),
        (Ok(()), Some(VERSION)) => None,
        (Ok(()), Some(other)) => Some(format!("it is of version {other}, not {VERSION}")),
    };
    if draft.version != Some(VERSION) {
        return (Vec::new(), unread);
    }
    let good = draft.good.unwrap_or_default();
    let mut wrong = Wrong {
        times: u64::from(unread.is_some()),
        first: unread,
    };
    wrong.times += draft.wrong.times;
    wrong.first = wrong.first.or(draft.wrong.first);
    let what = wrong.told::<T>(good.len());
    (good, what)
}

fn entry_of<T: Entry>(entry: &Json) -> Result<T, String> {
    let read = T::deserialize(entry).map_err(|error| error.to_string())?;
    read.check()?;
    Ok(read)
}

fn named(entry: &Json, key: &str) -> String {
    let name = entry.get(key).and_then(Json::as_str);
    name.map_or(String::new(), |name| format!(" ({})", quoted(name)))
}

/// What is wrong with a file: a large one may be so in many places.
#[derive(Default)]
struct Wrong {
    first: Option<String>,
    times: u64,
}

impl Wrong {
    fn add(&mut self, what: impl FnOnce() -> String) {
        self.first.get_or_insert_with(what);
        self.times += 1;
    }

    /// The first, and how much more there is of wrong and of good.
    fn told<T: Entry>(self, good: usize) -> Option<String> {
        let mut what = self.first?;
        if self.times > 1 {
            what.push_str(&format!(" (and {} more)", self.times - 1));
        }
        if good > 0 {
            let good = counted(good as u64, T::ONE, T::MANY);
            what.push_str(&format!("; {good} in it can be read"));
        }
        Some(what)
    }
}

/// What of a file has been read; it stays when the rest cannot be. No more of it
/// is held than may be in it.
struct Draft<T> {
    version: Option<u64>,
    /// `None`: the list has not begun.
    good: Option<Vec<T>>,
    /// Of the entries that were read.
    wrong: Wrong,
    /// How many that were.
    read: u64,
    ids: HashSet<String>,
}

impl<T> Default for Draft<T> {
    fn default() -> Self {
        Self {
            version: None,
            good: None,
            wrong: Wrong::default(),
            read: 0,
            ids: HashSet::new(),
        }
    }
}

impl<T: Entry> Draft<T> {
    fn is_full(&self) -> bool {
        self.good.as_ref().is_some_and(|good| good.len() == T::MOST)
    }

    fn take(&mut self, entry: &Json) {
        self.read += 1;
        let number = self.read;
        let one = || format!("{} {number}{}", T::ONE, named(entry, T::ID));
        match entry_of::<T>(entry) {
            Ok(read) if self.ids.insert(read.id().to_owned()) => {
                self.good.get_or_insert_default().push(read);
            }
            Ok(_) => {
                let what = || format!("{}: there is another of that {}", one(), T::ID);
                self.wrong.add(what);
            }
            Err(what) => self.wrong.add(|| format!("{}: {what}", one())),
        }
    }
}

impl<'de, T: Entry> DeserializeSeed<'de> for &mut Draft<T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de, T: Entry> Visitor<'de> for &mut Draft<T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an object with `version` and `{}`", T::MANY)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "version" {
                self.version = Some(map.next_value()?);
            } else if key == T::MANY {
                self.good.get_or_insert_default();
                map.next_value_seed(Entries(self))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        match self.good {
            Some(_) => Ok(()),
            None if self.version != Some(VERSION) => Ok(()),
            None => Err(serde::de::Error::custom(format!("it has no `{}`", T::MANY))),
        }
    }
}

struct Entries<'a, T>(&'a mut Draft<T>);

impl<'de, T: Entry> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de, T: Entry> Visitor<'de> for Entries<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let draft = self.0;
        while !draft.is_full() {
            let Some(entry) = list.next_element::<Json>()? else {
                return Ok(());
            };
            draft.take(&entry);
        }
        let mut more = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        if more {
            let what = || format!("it has more than {} {}", T::MOST, T::MANY);
            draft.wrong.add(what);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        id: String,
        size: u8,
    }

    impl Entry for Thing {
        const ONE: &'static str = "thing";
        const MANY: &'static str = "things";
        const ID: &'static str = "id";
        const MOST: usize = 3;
        const MOST_BYTES: u64 = 4096;

        fn id(&self) -> &str {
            &self.id
        }

        fn check(&self) -> Result<(), String> {
            match self.size {
                0 => Err("`size` must be more".to_owned()),
                _ => Ok(()),
            }
        }
    }

    fn thing(id: &str) -> Thing {
        Thing {
            id: id.to_owned(),
            size: 1,
        }
    }

    fn list() -> (tempfile::TempDir, List<Thing>) {
        let home = tempfile::tempdir().expect("a folder");
        let list = List::of(home.path());
        (home, list)
    }

    /// What is read of a text, by id, and what is said of the rest.
    fn read(text: &str) -> (Vec<String>, String) {
        let (_home, list) = list();
        list.write(&[]).expect("written");
        std::fs::write(&list.path, text).expect("written");
        let found = list.read();
        let ids = found.entries.iter().map(|thing| thing.id.clone()).collect();
        let said = found.wrong.map_or(String::new(), |wrong| {
            let said = wrong.to_string();
            assert!(said.contains("alerts/things.json: "), "{said}");
            assert!(said.contains("move it away"), "{said}");
            said
        });
        // What cannot all be read is not changed, or the rest would be gone.
        let changed = list.change(|things| {
            things.clear();
            Ok::<(), ListError>(())
        });
        assert_eq!(changed.is_err(), !said.is_empty(), "{text}");
        if !said.is_empty() {
            assert_eq!(std::fs::read_to_string(&list.path).expect("kept"), text);
        }
        (ids, said)
    }

    #[test]
    fn what_is_good_is_read_beside_what_is_not() {
        let check = |text: &str, ids: &[&str], said: &str| {
            let (read, found) = read(text);
            assert_eq!(read, ids, "{text}: {found}");
            assert!(found.contains(said), "{text}: {found}");
            assert_eq!(found.is_empty(), said.is_empty(), "{text}: {found}");
        };
        let all = |things: &str| format!("{{\"version\":1,\"things\":[{things}]}}");
        let (a, b) = (
            r#"{"id":"a","size":1}"#,
            r#"{"id":"b","size":2,"more":[{}]}"#,
        );
        check(&all(""), &[], "");
        check(&all(&format!("{a},{b}")), &["a", "b"], "");
        check(
            &all(&format!(r#"{a},{{"id":"x","size":0}},{b},7"#)),
            &["a", "b"],
            "thing 2 (x): `size` must be more (and 1 more); 2 things in it can be read",
        );
        check(
            &all(&format!(r#"{{"id":"x"}},{b}"#)),
            &["b"],
            "missing field `size`; 1 thing in",
        );
        check(
            &all(&format!("{a},{a}")),
            &["a"],
            "thing 2 (a): there is another of that id",
        );
        let four = ["a", "b", "c", "d"].map(|id| format!(r#"{{"id":"{id}","size":1}}"#));
        check(
            &all(&four.join(",")),
            &["a", "b", "c"],
            "more than 3 things",
        );
        check(
            &all(&format!("{}{a}", "7,".repeat(1500))),
            &["a"],
            "expected struct Thing (and 1499 more); 1 thing in it can be read",
        );
        check(&format!("{{\"things\":[{a}],\"version\":1}}"), &["a"], "");
        check("", &[], "it is torn: EOF");
        check("{\"version\":1}", &[], "no `things`");
        check("{}", &[], "no `version`");
        check(&format!("{{\"things\":[{a}]}}"), &[], "no `version`");
        check(
            &format!("{{\"version\":2,\"things\":[{a}]}}"),
            &[],
            "of version 2, not 1",
        );
        check("[]", &[], "expected an object with `version` and `things`");
        check(&all(&format!("{a} {b}")), &["a"], "it is no JSON");
        check(&format!("{} x", all(a)), &["a"], "trailing");
        check(&" ".repeat(4097), &[], "more than 4096 bytes");
    }

    #[test]
    fn a_file_torn_anywhere_gives_what_came_before() {
        let whole = serde_json::to_string(&Stored(&[thing("a"), thing("b")])).expect("JSON");
        let ends: Vec<usize> = whole.match_indices("1}").map(|(at, _)| at + 2).collect();
        for length in 0..whole.len() {
            let (ids, said) = read(&whole[..length]);
            let wanted = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(ids.len(), wanted, "{}", &whole[..length]);
            assert!(said.contains("it is torn"), "{said}");
        }
    }

    #[test]
    fn a_change_is_whole_or_none() {
        let (_home, list) = list();
        assert_eq!(list.mark(), None);
        let add = |id: &str| {
            list.change(|things| {
                things.push(thing(id));
                Ok::<(), ListError>(())
            })
        };
        add("a").expect("added");
        add("b").expect("added");
        let before = list.mark();
        // Nothing is written where nothing changes, or the change is refused.
        list.change(|_| Ok::<(), ListError>(())).expect("nothing");
        let refused = list.change(|things| {
            things.clear();
            Err::<(), _>(list.io("count", io::Error::other("no")))
        });
        assert!(refused.is_err());
        assert_eq!(list.mark(), before);
        assert_eq!(list.read().whole().expect("both"), [thing("a"), thing("b")]);
        // Nothing is written that could not be read.
        let error = add(&"x".repeat(5000)).expect_err("too long").to_string();
        assert!(error.contains("more than 4096 bytes"), "{error}");
        assert_eq!(list.mark(), before);
    }

    #[test]
    fn those_who_change_it_at_once_lose_nothing() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path();
        List::<Thing>::of(root)
            .write(&[thing("a")])
            .expect("written");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(move || {
                    // As another process: each has its own.
                    let list = List::<Thing>::of(root);
                    for _ in 0..5 {
                        let grow = |things: &mut Vec<Thing>| {
                            things[0].size += 1;
                            Ok::<(), ListError>(())
                        };
                        list.change(grow).expect("changed");
                    }
                });
            }
        });
        let all = List::<Thing>::of(root).read().whole().expect("one");
        assert_eq!(all[0].size, 21);
    }
}
