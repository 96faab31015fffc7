//! Channels, as the settings describe them. What is wrong is said with the key
//! and never with its value: it may be a secret.

mod block;

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use tachograph_model::alert::MAX_NAME;

use self::block::Block;
use super::secret::Veil;
use super::{Channel, Say, Way};
use crate::api::problem::quoted;

/// Channels there may be; each has a thread.
pub const MOST_CHANNELS: usize = 16;
/// Kinds of channels.
pub const KINDS: [&str; 7] = [
    "email",
    "slack",
    "webhook",
    "alertmanager",
    "desktop",
    "exec",
    "terminal",
];
/// Of these the value may be shown.
const SHOWN: [&str; 19] = [
    "kind",
    "name",
    "severity",
    "repeat_seconds",
    "group_seconds",
    "retry_seconds",
    "timeout_seconds",
    "refresh_seconds",
    "instance",
    "url_env",
    "proxy_env",
    "token_env",
    "password_env",
    "server",
    "port",
    "security",
    "from",
    "to",
    "ca_file",
];

/// What the settings say, and what a channel needs of the world.
pub struct Given<'a> {
    /// `alert_channels`: blocks by name, or a list of blocks with a `name`.
    pub channels: &'a Value,
    /// `alert_email`, as in the fourth seed.
    pub email: Option<&'a str>,
    /// `alert_webhook`, as in the fourth seed.
    pub webhook: Option<&'a str>,
    /// A variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Where paths begin that do not begin at the root.
    pub folder: &'a Path,
    /// Where lines of the kind `terminal` go.
    pub say: Say,
}

impl Default for Given<'_> {
    fn default() -> Self {
        Self {
            channels: &Value::Null,
            email: None,
            webhook: None,
            env: &|_| None,
            folder: Path::new(""),
            say: Arc::new(|_| {}),
        }
    }
}

/// The settings of channels as they may be shown.
pub fn redacted(channels: &Value) -> Value {
    let one = |value: &Value| match value {
        Value::Object(keys) => {
            let keys = keys.iter().map(|(key, value)| {
                let shown = SHOWN.contains(&key.as_str())
                    && (!key.ends_with("_env") || value.as_str().is_none_or(names_variable));
                let hidden = || Value::from("(hidden)");
                (key.clone(), if shown { value.clone() } else { hidden() })
            });
            Value::Object(keys.collect())
        }
        Value::Null => Value::Null,
        _ => "(hidden)".into(),
    };
    match channels {
        Value::Object(all) => all
            .iter()
            .map(|(name, it)| (name.clone(), one(it)))
            .collect(),
        Value::Array(all) => all.iter().map(one).collect(),
        other => one(other),
    }
}

/// All channels.
///
/// # Errors
/// Which is wrong, and what is.
pub(super) fn channels(given: &Given<'_>) -> Result<Vec<Channel>, String> {
    let mut channels: Vec<Channel> = Vec::new();
    let secrets = RefCell::default();
    let mut mailed = false;
    for (name, keys) in blocks(given.channels)? {
        let named = |error: String| format!("alert_channels: {}: {error}", quoted(&name));
        let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains(char::is_control);
        if !fits {
            return Err(named(format!("a name is text of 1 to {MAX_NAME} bytes")));
        }
        if channels.iter().any(|other| other.name == name) {
            return Err(named("there is another one of that name".to_owned()));
        }
        let block = Block {
            keys,
            given,
            secrets: &secrets,
        };
        mailed |= block.keys.get("kind").is_some_and(|kind| kind == "email");
        channels.push(block.channel(&name).map_err(named)?);
    }
    // Keys of the fourth seed, each a channel of its own.
    let mut own = |name: &str, keys: Value| {
        let keys = keys.as_object().cloned().unwrap_or_default();
        if channels.iter().any(|other| other.name == name) {
            return Err(format!("{name}: alert_channels has one of that name, too"));
        }
        let block = Block {
            keys: &keys,
            given,
            secrets: &secrets,
        };
        let channel = block.channel(name);
        channels.push(channel.map_err(|error| format!("{name}: {error}"))?);
        Ok(())
    };
    // A channel that is told by mail has that address; else there is one.
    if let Some(address) = given.email.filter(|_| !mailed) {
        let server = serde_json::json!({"kind": "email", "server": "localhost", "to": address});
        own("alert_email", server)?;
    }
    if let Some(url) = given.webhook {
        let slack = url.starts_with("https://hooks.slack.com/");
        let kind = if slack { "slack" } else { "webhook" };
        own(
            "alert_webhook",
            serde_json::json!({"kind": kind, "url": url}),
        )?;
    }
    // A command has the server's environment, and may say what is in it.
    let secrets = secrets.into_inner();
    let veil = secrets.iter().fold(Veil::default(), |veil, secret| {
        veil.over(secret).over_address(secret)
    });
    for channel in &mut channels {
        match &mut channel.way {
            Way::Exec(exec) => exec.veil = veil.clone(),
            Way::Desktop(desktop) => desktop.veil = veil.clone(),
            _ => {}
        }
    }
    match channels.len() > MOST_CHANNELS {
        true => Err(format!(
            "alert_channels: there are more than {MOST_CHANNELS}"
        )),
        false => Ok(channels),
    }
}

/// Names and keys.
type Blocks<'a> = Vec<(String, &'a Map<String, Value>)>;

/// Each with its name.
fn blocks(channels: &Value) -> Result<Blocks<'_>, String> {
    let wrong = || {
        "alert_channels: it is no list of channels by name, such as `chat: {kind: slack, url_env: \
         SLACK_WEBHOOK}`"
            .to_owned()
    };
    match channels {
        Value::Null => Ok(Vec::new()),
        Value::Object(all) => {
            let all = all.iter();
            let all = all.map(|(name, block)| Some((name.clone(), block.as_object()?)));
            all.collect::<Option<_>>().ok_or_else(wrong)
        }
        Value::Array(all) => {
            let one = |block: &'_ Value| -> Option<String> {
                Some(block.as_object()?.get("name")?.as_str()?.to_owned())
            };
            let all = all.iter();
            let all = all.map(|block| Some((one(block)?, block.as_object()?)));
            let unnamed = || "alert_channels: each of a list has a `name` and a `kind`".to_owned();
            all.collect::<Option<_>>().ok_or_else(unnamed)
        }
        _ => Err(wrong()),
    }
}

/// Whether a text looks like the name of a variable, and not like its value.
fn names_variable(text: &str) -> bool {
    let fits = |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    text.len() <= 64 && text.bytes().all(fits)
}

#[cfg(test)]
mod tests;
