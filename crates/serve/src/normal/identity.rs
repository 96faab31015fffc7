//! Identities: stored as keyed hashes only.

use std::collections::HashMap;

use tachograph_model::admit::Hasher;
use tachograph_model::{Column, Event, Salt, Value};

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
