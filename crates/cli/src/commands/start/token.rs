//! The token that requests from elsewhere must carry: made once, kept for the
//! owner's eyes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tachograph_log::{Home, random_bytes};

use crate::exit::{Result, usage};
use crate::place::write_private;
use crate::settings::{Key, Settings};

/// Fewer characters can be guessed.
const MIN_CHARS: usize = 16;

/// The token, and where it came from.
#[derive(Debug)]
pub struct Token {
    pub text: String,
    pub origin: Origin,
}

/// Where a token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Just made, and stored in this file: to be printed, once.
    Made(PathBuf),
    /// Read from this file.
    Stored(PathBuf),
    /// A setting, and who set it.
    Setting(String),
}

/// Returns the token of the settings, else of the home, else a new one.
///
/// # Errors
/// When the one there is cannot be read or is too short, or a new one not stored.
pub fn settle(home: &Path, settings: &Settings, anew: bool) -> Result<Token> {
    if let Some(text) = settings.text(Key::Token) {
        let origin = settings.get(Key::Token).source.to_string();
        if anew {
            return Err(usage(format!(
                "--new-token, but {origin} says which token it is\nhint: remove that, or leave out --new-token"
            )));
        }
        check(text, &origin)?;
        return Ok(Token {
            text: text.to_owned(),
            origin: Origin::Setting(origin),
        });
    }
    Home::create(home)?;
    let path = home.join("token");
    let stored = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    if let Some(text) = stored.filter(|_| !anew) {
        let text = text.trim().to_owned();
        check(&text, &path.display().to_string())?;
        return Ok(Token {
            text,
            origin: Origin::Stored(path),
        });
    }
    let bytes = random_bytes().context("the operating system gives no random bytes")?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    // Beside, then in its place: never half a token, and for the owner alone
    // whatever mode an old one had.
    let beside = home.join("token.tmp");
    let _ = fs::remove_file(&beside);
    write_private(&beside, format!("{text}\n").as_bytes())
        .and_then(|()| fs::rename(&beside, &path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Token {
        text,
        origin: Origin::Made(path),
    })
}

/// A token travels in a header: printable ASCII without spaces.
fn check(text: &str, origin: &str) -> Result<()> {
    if text.len() >= MIN_CHARS && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(usage(format!(
        "the token ({origin}) must have at least {MIN_CHARS} characters, letters, digits and signs\n\
         hint: `tacho start --new-token` makes one"
    )))
}
