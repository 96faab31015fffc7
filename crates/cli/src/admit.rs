//! The door of one home: admission by the model, with the home's own secret.

use anyhow::Context as _;
use tachograph_log::Home;
use tachograph_model::Salt;
use tachograph_model::admit::{self, Hasher};

pub use admit::{MAX_NAME_BYTES, Refusal, instant};

/// Admits events into one home.
pub type Admission = admit::Admission<HomeSalt>;

/// Makes the door of `home`. The salt is read when first needed.
pub fn door(home: Home, keep_text: bool) -> Admission {
    Admission::new(HomeSalt { home, salt: None }, keep_text)
}

/// A home's secret, read when first needed.
pub struct HomeSalt {
    home: Home,
    salt: Option<Salt>,
}

impl Hasher for HomeSalt {
    type Error = anyhow::Error;

    fn hash(&mut self, identity: &str) -> anyhow::Result<String> {
        if let Some(salt) = &self.salt {
            return Ok(Salt::hash(salt, identity));
        }
        let salt = self.home.salt().with_context(|| {
            format!(
                "identities cannot be hashed\nhint: put {} right from a backup; or remove it, and \
                 a new one is made, with which the same names hash differently",
                self.home.salt_path().display()
            )
        })?;
        Ok(Salt::hash(self.salt.insert(salt), identity))
    }
}
