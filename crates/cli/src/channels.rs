//! The channels of alerts, as the settings name them: for the server that tells
//! them, and for whoever tries one without a server.

use std::path::Path;

use tachograph_serve::notify::{Channels, Given, Say};

use crate::exit::{Result, usage};
use crate::settings::{Key, Settings, read_dotenv};

/// All of them. `say` takes the lines of those of the kind `terminal`; paths
/// begin in `home`.
///
/// # Errors
/// A usage error that names the channel and the key, and no secret.
pub fn channels(settings: &Settings, home: &Path, say: Say) -> Result<Channels> {
    let settled = settings.get(Key::AlertChannels);
    let given = Given {
        channels: &settled.value,
        email: settings.text(Key::AlertEmail),
        webhook: settings.text(Key::AlertWebhook),
        env: &variable,
        folder: home,
        say,
    };
    Channels::from_config(&given).map_err(|what| {
        usage(format!(
            "{what} ({})\nhint: docs/guide/alerts.md shows how to write one",
            settled.source
        ))
    })
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
