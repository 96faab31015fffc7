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
    /// The mode its file had, if others than the owner could get at it.
    pub was_open: Option<u32>,
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
            was_open: None,
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
        let was_open = close(&path)?;
        return Ok(Token {
            text,
            origin: Origin::Stored(path),
            was_open,
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
        was_open: None,
    })
}

/// Makes a file the owner's alone, if it is not. Returns the mode it had.
#[cfg(unix)]
fn close(path: &Path) -> Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt as _;
    let read = || fs::metadata(path).map(|meta| meta.permissions().mode() & 0o777);
    let mode = read().with_context(|| format!("cannot look at {}", path.display()))?;
    if mode & 0o077 == 0 {
        return Ok(None);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(|| {
        format!(
            "others may read {} (mode {mode:o}), and that cannot be changed",
            path.display()
        )
    })?;
    Ok(Some(mode))
}

#[cfg(not(unix))]
fn close(_path: &Path) -> Result<Option<u32>> {
    Ok(None)
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
