//! The channels of alerts, as the settings name them: for the server that tells
//! them, and for whoever tries one without a server.

use std::path::Path;
use std::sync::Arc;

use tachograph_serve::notify::{Channels, Given, Say};

use crate::exit::{Result, usage};
use crate::settings::{Key, Settings, read_dotenv};

/// All of them. `say` takes the lines of those of the kind `terminal`; paths
/// begin in `home`.
///
/// # Errors
/// A usage error that names the channel and the key, and no secret.
pub fn channels(settings: &Settings, home: &Path, say: Say) -> Result<Channels> {
    with(settings, home, say, &variable)
}

/// The same for whoever tells nobody, and so needs no secret: what a variable
/// holds that only the server has is taken for right.
///
/// # Errors
/// As those of [`channels`].
pub fn unused(settings: &Settings, home: &Path) -> Result<Channels> {
    let env = |name: &str| variable(name).or_else(|| Some(UNSET.to_owned()));
    with(settings, home, Arc::new(|_| ()), &env)
}

/// Does for each secret: it is an address, too.
const UNSET: &str = "http://unset.invalid/";

fn with(
    settings: &Settings,
    home: &Path,
    say: Say,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Channels> {
    let given = Given {
        channels: &settings.get(Key::AlertChannels).value,
        email: settings.text(Key::AlertEmail),
        webhook: settings.text(Key::AlertWebhook),
        env,
        folder: home,
        say,
    };
    Channels::from_config(&given).map_err(|what| {
        usage(format!(
            "{what} ({})\nhint: docs/guide/alerts.md shows how to write one",
            settings.get(wrong(&what)).source
        ))
    })
}

/// Which setting an error begins with.
fn wrong(what: &str) -> Key {
    match what
        .split(|c: char| c != '_' && !c.is_ascii_lowercase())
        .next()
    {
        Some("alert_email") => Key::AlertEmail,
        Some("alert_webhook") => Key::AlertWebhook,
        _ => Key::AlertChannels,
    }
}

/// Of the environment, or else of `.env`.
fn variable(name: &str) -> Option<String> {
    let own = std::env::var(name).ok().filter(|value| !value.is_empty());
    own.or_else(|| {
        let all = read_dotenv().into_iter().rev();
        let mut named = all.filter(|(key, _)| key == name);
        named.next().map(|(_, value)| value)
    })
}
