//! Identities: stored as keyed hashes only.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value as Json;
use tachograph_model::admit::Hasher;
use tachograph_model::privacy::{self, TagKind};
use tachograph_model::{Column, Event, Privacy, Salt, Value};

/// Identities remembered with their hashes.
const MAX_REMEMBERED: usize = 4096;
/// An identity longer than this is not remembered.
const MAX_REMEMBERED_BYTES: usize = 256;

/// Hashes identities, each once (a hash costs about half a microsecond).
#[derive(Debug)]
pub struct Identities {
    salt: Salt,
    known: HashMap<Box<str>, Box<str>>,
}

impl Identities {
    /// Makes a hasher with the installation's secret.
    pub fn new(salt: Salt) -> Self {
        Self {
            salt,
            known: HashMap::new(),
        }
    }

    /// Sets a column to the hash of an identity.
    pub fn set(&mut self, event: &mut Event, column: Column, identity: Option<&str>) {
        if let Some(identity) = identity {
            event.set(column, Value::Str(self.hash(identity)));
        }
    }

    /// Returns a name as it is, and the hash of a text in its place.
    pub fn name<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        match privacy::is_name(text) {
            true => privacy::told_from_other(text),
            false => Cow::Owned(self.hash(text)),
        }
    }

    /// Replaces what stands in an event where names belong by what may be stored
    /// of it.
    pub fn settle(&mut self, event: &mut Event) {
        for column in [Column::Name, Column::Source, Column::Type] {
            let Some(text) = event.str(column) else {
                continue;
            };
            let stored = match self.name(text) {
                Cow::Owned(stored) => stored,
                Cow::Borrowed(_) => continue,
            };
            event.set(column, Value::Str(stored));
        }
    }

    /// Returns what may be stored of a tag whose value is a text; of one without
    /// a value, that it is there.
    pub fn tag(&mut self, key: &str, value: Option<&str>) -> Option<(String, Json)> {
        let Some(text) = value else {
            return privacy::is_plain_mark(key).then(|| (key.to_owned(), true.into()));
        };
        let kept = match privacy::tag(key, TagKind::Text(text)) {
            Privacy::Dropped => return None,
            Privacy::Hashed => self.hash(text),
            Privacy::Plain => text.to_owned(),
        };
        Some((key.to_owned(), kept.into()))
    }

    /// Returns the hash of an identity.
    pub fn hash(&mut self, identity: &str) -> String {
        if let Some(hash) = self.known.get(identity) {
            return hash.to_string();
        }
        let hash = self.salt.hash(identity);
        if identity.len() <= MAX_REMEMBERED_BYTES {
            if self.known.len() >= MAX_REMEMBERED {
                self.known.clear();
            }
            self.known.insert(identity.into(), hash.as_str().into());
        }
        hash
    }
}

impl Hasher for Identities {
    type Error = std::convert::Infallible;

    fn hash(&mut self, identity: &str) -> Result<String, Self::Error> {
        Ok(Self::hash(self, identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_the_place_of_names_become_hashes() {
        let mut identities = Identities::new(Salt::new([1; 32]));
        let mut check = |text: &str, kept: Option<&str>| {
            let mut event = Event::new(tachograph_model::UnixNanos(0), "tool_call")
                .with(Column::Name, text)
                .with(Column::Source, text);
            identities.settle(&mut event);
            let hash = Salt::new([1; 32]).hash(text);
            let kept = kept.unwrap_or(&hash);
            for column in [Column::Name, Column::Source] {
                assert_eq!(event.str(column), Some(kept), "{text}");
            }
        };
        for name in ["mcp__server__tool", "Search the web", "functions.search"] {
            check(name, Some(name));
        }
        check("_other", Some("__other"));
        for text in [
            "rm -rf /home/bob",
            "https://x.y/bob?token=abc",
            "bob@example.org",
        ] {
            check(text, None);
        }
    }
}
