//! Channels, as the settings describe them. What is wrong is said with the key
//! and never with its value: it may be a secret.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use serde_json::{Map, Value};
use tachograph_model::alert::{MAX_NAME, SEVERITIES};
use tachograph_model::near;

use super::email::{Email, Security, Server};
use super::http::{Address, Http};
use super::secret::{Secret, Veil};
use super::{Channel, Say, Terms, Way, alertmanager, command, slack, webhook};
use crate::alert::file;
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
/// Keys of every kind.
const COMMON: [&str; 7] = [
    "kind",
    "severity",
    "repeat_seconds",
    "group_seconds",
    "retry_seconds",
    "timeout_seconds",
    "instance",
];
const POST: [&str; 5] = ["url", "url_env", "proxy", "proxy_env", "ca_file"];
const TOKEN: [&str; 2] = ["token", "token_env"];
const EMAIL: [&str; 9] = [
    "server",
    "port",
    "security",
    "user",
    "password",
    "password_env",
    "from",
    "to",
    "ca_file",
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
/// What people were told of is told again after so long.
const REPEAT: u64 = 4 * 3600;
const GROUP: u64 = 30;
const RETRY: u64 = 3600;
const TIMEOUT: u64 = 10;
const WEEK: u64 = 7 * 86_400;
/// Those who get one mail.
const MOST_ADDRESSES: usize = 20;
const MOST_PEM: u64 = 1 << 20;

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

/// The keys of one channel.
struct Block<'a> {
    keys: &'a Map<String, Value>,
    given: &'a Given<'a>,
    /// Those of all channels so far.
    secrets: &'a RefCell<Vec<Secret>>,
}

impl Block<'_> {
    fn channel(&self, name: &str) -> Result<Channel, String> {
        let kind = self
            .text("kind")?
            .ok_or_else(|| format!("it has no `kind`, one of {}", KINDS.join(", ")))?;
        if !KINDS.contains(&kind.as_str()) {
            let hint = near::hint(&kind, &KINDS);
            return Err(format!("`kind` is none that there is; {hint}"));
        }
        self.only_known(&kind)?;
        let timeout = self.seconds("timeout_seconds", TIMEOUT, 1, 300)?;
        let severity = self
            .text("severity")?
            .unwrap_or_else(|| SEVERITIES[0].to_owned());
        let severity = SEVERITIES.iter().position(|it| *it == severity);
        let severity =
            severity.ok_or_else(|| format!("`severity` is one of {}", SEVERITIES.join(", ")))?;
        let is_state = kind == "alertmanager";
        let refresh = self.seconds("refresh_seconds", alertmanager::AGAIN.as_secs(), 1, 3600)?;
        let repeat = self.seconds("repeat_seconds", REPEAT, 0, WEEK)?;
        let way = match kind.as_str() {
            "email" => Way::Email(self.email(timeout)?),
            "slack" => Way::Slack(slack::Slack(self.http("", timeout)?)),
            "webhook" => Way::Webhook(webhook::Webhook(self.http("", timeout)?)),
            "alertmanager" => Way::Alertmanager(alertmanager::Alertmanager {
                http: self.http(alertmanager::PATH, timeout)?,
                again: refresh,
            }),
            "desktop" => Way::Desktop(command::Desktop {
                program: self
                    .text("command")?
                    .unwrap_or("notify-send".to_owned())
                    .into(),
                timeout,
                veil: Veil::default(),
            }),
            "exec" => {
                let mut words = self.texts("command")?.into_iter();
                let program = words.next().ok_or("it has no `command`")?;
                Way::Exec(command::Exec {
                    program: self.program(program),
                    args: words.collect(),
                    timeout,
                    veil: Veil::default(),
                })
            }
            _ => Way::Terminal(self.given.say.clone()),
        };
        Ok(Channel {
            name: name.to_owned(),
            way,
            terms: Terms {
                severity,
                repeat: if is_state { refresh } else { repeat },
                group: self.seconds("group_seconds", GROUP, 0, 3600)?,
                retry_for: self.seconds("retry_seconds", RETRY, 0, WEEK)?,
                is_state,
                instance: self.text("instance")?,
            },
        })
    }

    /// A key that is misspelt would silently do nothing.
    fn only_known(&self, kind: &str) -> Result<(), String> {
        let own: Vec<&str> = match kind {
            "email" => EMAIL.to_vec(),
            "slack" => POST.to_vec(),
            "webhook" => [&POST[..], &TOKEN].concat(),
            "alertmanager" => [&POST[..], &TOKEN, &["refresh_seconds"]].concat(),
            "desktop" | "exec" => vec!["command"],
            _ => Vec::new(),
        };
        let known: HashSet<&str> = COMMON.into_iter().chain(own).chain(["name"]).collect();
        let Some(key) = self.keys.keys().find(|key| !known.contains(key.as_str())) else {
            return Ok(());
        };
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        let hint = near::hint(key, &known);
        Err(format!(
            "a channel of the kind {kind} has no `{}`; {hint}",
            quoted(key)
        ))
    }

    fn text(&self, key: &str) -> Result<Option<String>, String> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{key}` must be text")),
        }
    }

    /// One text, or a list of them.
    fn texts(&self, key: &str) -> Result<Vec<String>, String> {
        let Some(Value::Array(list)) = self.keys.get(key) else {
            return Ok(self.text(key)?.into_iter().collect());
        };
        let texts = list.iter().map(|text| Some(text.as_str()?.to_owned()));
        let texts = texts.collect::<Option<_>>();
        texts.ok_or_else(|| format!("`{key}` must be a list of texts"))
    }

    fn seconds(&self, key: &str, default: u64, least: u64, most: u64) -> Result<Duration, String> {
        let seconds = match self.keys.get(key) {
            None | Some(Value::Null) => Some(default),
            Some(value) => value.as_u64(),
        };
        let seconds = seconds.filter(|seconds| (least..=most).contains(seconds));
        seconds.map(Duration::from_secs).ok_or_else(|| {
            format!("`{key}` must be a whole number of seconds from {least} to {most}")
        })
    }

    /// `KEY`, or what the variable holds that `KEY_env` names.
    fn secret(&self, key: &str) -> Result<Option<Secret>, String> {
        let found = self.own_secret(key)?;
        self.secrets.borrow_mut().extend(found.clone());
        Ok(found)
    }

    fn own_secret(&self, key: &str) -> Result<Option<Secret>, String> {
        let from = format!("{key}_env");
        match (self.text(key)?, self.text(&from)?) {
            (Some(_), Some(_)) => Err(format!("it has both `{key}` and `{from}`")),
            (Some(text), None) => Ok(Some(Secret::new(text))),
            (None, Some(name)) => {
                let value = (self.given.env)(&name).filter(|value| !value.is_empty());
                let missing = || match names_variable(&name) {
                    true => format!("`{from}` names {name}, which is not set in the environment"),
                    // Somebody may have put there what belongs into the variable.
                    false => format!(
                        "`{from}` names a variable that is not set in the environment; a name is \
                         such as SLACK_WEBHOOK"
                    ),
                };
                Ok(Some(Secret::new(value.ok_or_else(missing)?)))
            }
            (None, None) => Ok(None),
        }
    }

    fn path(&self, text: String) -> PathBuf {
        self.given.folder.join(text)
    }

    /// A name alone is looked for where programs are.
    fn program(&self, text: String) -> PathBuf {
        match text.contains(std::path::MAIN_SEPARATOR) {
            true => self.path(text),
            false => text.into(),
        }
    }

    fn trust(&self) -> Result<Option<Vec<u8>>, String> {
        let Some(path) = self.text("ca_file")? else {
            return Ok(None);
        };
        let path = self.path(path);
        let missing = |what: String| format!("`ca_file` {}: {what}", path.display());
        let read = file::read(&path, MOST_PEM).map_err(|error| missing(error.to_string()))?;
        read.map(Some)
            .ok_or_else(|| missing("no such file".to_owned()))
    }

    fn http(&self, path: &str, timeout: Duration) -> Result<Http, String> {
        let url = self.secret("url")?;
        let url = url.ok_or("it has no `url` (or `url_env`, which names a variable)")?;
        let url = match url.reveal().trim_end_matches('/') {
            _ if path.is_empty() => url,
            base if base.ends_with(path) => Secret::new(base),
            base => Secret::new(format!("{base}{path}")),
        };
        Http::new(Address {
            url,
            token: self.secret("token")?,
            proxy: self.secret("proxy")?,
            timeout,
            trust: self.trust()?,
        })
    }

    fn email(&self, timeout: Duration) -> Result<Email, String> {
        let host = self.text("server")?.ok_or("it has no `server`")?;
        let is_here = is_loopback(&host);
        let port = match self.keys.get("port") {
            None | Some(Value::Null) => None,
            Some(port) => {
                let port = port.as_u64().and_then(|port| u16::try_from(port).ok());
                Some(
                    port.filter(|port| *port > 0)
                        .ok_or("`port` must be from 1 to 65535")?,
                )
            }
        };
        let security = match (self.text("security")?.as_deref(), port) {
            (Some("starttls"), _) => Security::StartTls,
            (Some("tls"), _) | (None, Some(465)) => Security::Tls,
            (Some("none"), _) if !is_here => {
                return Err(
                    "`security: none` is for a server on this machine: mail and password \
                            would go over the network for all to read; take starttls or tls"
                        .to_owned(),
                );
            }
            (Some("none"), _) => Security::Plain,
            (Some(_), _) => return Err("`security` is one of starttls, tls, none".to_owned()),
            (None, _) if is_here => Security::Plain,
            (None, _) => Security::StartTls,
        };
        let login = match (self.text("user")?, self.secret("password")?) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, None) => None,
            _ => return Err("`user` and `password` go together".to_owned()),
        };
        let mut to = self.texts("to")?;
        if to.is_empty() {
            to.extend(self.given.email.map(str::to_owned));
        }
        if to.is_empty() || to.len() > MOST_ADDRESSES {
            return Err(format!("`to` must be 1 to {MOST_ADDRESSES} addresses"));
        }
        let address = |key: &'static str| {
            move |text: String| -> Result<Mailbox, String> {
                let wrong = |_| format!("`{key}` is no address of mail: {:?}", quoted(&text));
                text.parse().map_err(wrong)
            }
        };
        let to: Vec<Mailbox> = to
            .into_iter()
            .map(address("to"))
            .collect::<Result<_, _>>()?;
        let user = login
            .as_ref()
            .and_then(|(user, _)| user.parse::<Mailbox>().ok());
        let from = match self.text("from")? {
            Some(from) => address("from")(from)?,
            None => user.unwrap_or_else(|| to[0].clone()),
        };
        let standard = match security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::Plain => 25,
        };
        let server = Server {
            host,
            port: port.unwrap_or(standard),
            security,
            login,
            timeout,
            trust: self.trust()?,
        };
        Email::new(server, from, to)
    }
}

/// Whether a text looks like the name of a variable, and not like its value.
fn names_variable(text: &str) -> bool {
    let fits = |byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    text.len() <= 64 && text.bytes().all(fits)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(block: &Value) -> Result<Vec<Channel>, String> {
        channels(&Given {
            channels: block,
            env: &|name| (name == "HOOK").then(|| "http://example.com/T0secret".to_owned()),
            ..Given::default()
        })
    }

    #[test]
    fn channels_are_what_their_keys_say() {
        let all = json!({
            "mail": {"kind": "email", "server": "smtp.example.com", "to": ["a@b.c", "d@e.f"],
                "user": "a@b.c", "password": "hunter22", "severity": "critical"},
            "chat": {"kind": "slack", "url_env": "HOOK"},
            "hook": {"kind": "webhook", "url": "https://example.com/x", "token": "abc",
                "retry_seconds": 60, "instance": "laptop"},
            "am": {"kind": "alertmanager", "url": "http://127.0.0.1:9093/"},
            "desk": {"kind": "desktop"},
            "own": {"kind": "exec", "command": ["./on-alert", "x"], "timeout_seconds": 5},
            "log": {"kind": "terminal", "group_seconds": 0, "repeat_seconds": 0},
        });
        let found = read(&all).expect("channels");
        let kinds: Vec<&str> = found.iter().map(Channel::kind).collect();
        assert_eq!(kinds, KINDS);
        assert_eq!(found[0].severity(), "critical");
        assert_eq!(found[2].terms.retry_for, Duration::from_secs(60));
        assert_eq!(found[3].terms.repeat, Duration::from_secs(60));
        assert_eq!(found[4].terms.repeat, Duration::from_secs(4 * 3600));
        // As a list, too.
        let list = json!([{"name": "desk", "kind": "desktop"}, {"name": "b", "kind": "terminal"}]);
        let found = read(&list).expect("channels");
        assert_eq!((found[0].name(), found[1].name()), ("desk", "b"));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is() {
        let check = |keys: Value, said: &str| {
            let error = read(&json!({"x": keys})).expect_err(said);
            assert!(error.contains(said), "{error}");
            assert!(error.contains("alert_channels: x: "), "{error}");
            assert!(!error.contains("hunter22"), "{error}");
        };
        let mail = |key: &str, value: Value| {
            let mut mail = json!({"kind": "email", "server": "smtp.example.com", "to": "a@b.c"});
            mail[key] = value;
            mail
        };
        check(json!({}), "no `kind`, one of email");
        check(json!({"kind": "slak"}), "did you mean slack?");
        check(json!({"kind": "slack"}), "no `url`");
        check(json!({"kind": "slack", "url": 7}), "`url` must be text");
        check(
            json!({"kind": "slack", "url": "hunter22"}),
            "none of http://",
        );
        check(
            json!({"kind": "slack", "url": "ftp://hunter22"}),
            "none of http://",
        );
        check(
            json!({"kind": "slack", "url_env": "HOK"}),
            "names HOK, which is not set",
        );
        // Put there by mistake.
        check(
            json!({"kind": "slack", "url_env": "https://hooks.slack.com/hunter22"}),
            "`url_env` names a variable that is not set",
        );
        check(
            json!({"kind": "slack", "url_env": "HOOK", "url": "hunter22"}),
            "both `url`",
        );
        check(
            json!({"kind": "slack", "urll": "hunter22"}),
            "did you mean url?",
        );
        check(
            json!({"kind": "webhook", "url": "http://a", "proxy": "ftp://hunter22"}),
            "proxy",
        );
        check(
            json!({"kind": "desktop", "url": "hunter22"}),
            "has no `url`",
        );
        check(
            json!({"kind": "desktop", "severity": "bad"}),
            "`severity` is one of info",
        );
        check(
            json!({"kind": "desktop", "timeout_seconds": 0}),
            "`timeout_seconds` must be",
        );
        check(
            json!({"kind": "desktop", "repeat_seconds": "1h"}),
            "`repeat_seconds` must be",
        );
        check(json!({"kind": "exec"}), "no `command`");
        check(
            json!({"kind": "exec", "command": [7]}),
            "`command` must be a list",
        );
        check(json!({"kind": "email"}), "no `server`");
        check(mail("to", json!([])), "`to` must be 1 to 20");
        check(mail("to", json!("nobody")), "`to` is no address");
        check(
            mail("to", json!("a@b.c\r\nBcc: d@e.f")),
            "`to` is no address",
        );
        check(mail("port", json!(70_000)), "`port` must be");
        check(mail("password", json!("hunter22")), "go together");
        check(mail("security", json!("none")), "for all to read");
        check(mail("security", json!("ssl")), "`security` is one of");
        check(mail("ca_file", json!("no/such.pem")), "no such file");
        for (all, said) in [
            (json!("hunter22"), "no list of channels"),
            (json!({"x": "hunter22"}), "no list of channels"),
            (json!([{"kind": "desktop"}]), "has a `name`"),
            (
                json!([{"name": "a", "kind": "desktop"}, {"name": "a", "kind": "desktop"}]),
                "another",
            ),
            (json!({"": {"kind": "desktop"}}), "a name is text"),
        ] {
            let error = read(&all).expect_err(said);
            assert!(
                error.contains(said) && !error.contains("hunter22"),
                "{error}"
            );
        }
        let many: Map<String, Value> = (0..=MOST_CHANNELS)
            .map(|at| (at.to_string(), json!({"kind": "terminal"})))
            .collect();
        assert!(
            read(&many.into())
                .expect_err("many")
                .contains("more than 16")
        );
    }

    #[test]
    fn the_fourth_seeds_keys_are_channels() {
        let of = |all: Value, email, webhook| {
            let given = Given {
                channels: &all,
                email,
                webhook,
                ..Given::default()
            };
            let found = channels(&given)?;
            let found = found.iter();
            let told = found.map(|channel| format!("{} {}", channel.name(), channel.kind()));
            Ok::<_, String>(told.collect::<Vec<_>>())
        };
        let hook = Some("https://hooks.slack.com/services/T0/B0/x");
        let found = of(Value::Null, Some("a@b.c"), hook).expect("channels");
        assert_eq!(found, ["alert_email email", "alert_webhook slack"]);
        let mail = json!({"mail": {"kind": "email", "server": "localhost"}});
        let found = of(mail.clone(), Some("a@b.c"), Some("http://a/b")).expect("channels");
        assert_eq!(found, ["mail email", "alert_webhook webhook"]);
        assert!(of(mail, None, None).expect_err("nobody").contains("`to`"));
        assert!(of(Value::Null, Some("nobody"), None).is_err());
    }

    #[test]
    fn what_is_shown_of_settings_is_no_secret() {
        let shown = redacted(
            &json!({"a": {"kind": "slack", "url": "x1", "pasword": "x2", "url_env": "x7"},
            "b": "x3", "c": [{"password": "x4"}]}),
        );
        assert_eq!(shown["a"]["kind"], "slack");
        assert!(!shown.to_string().contains('x'), "{shown}");
        let list = redacted(&json!([{"name": "a", "url": "x5", "token_env": "T"}]));
        assert_eq!(
            list[0],
            json!({"name": "a", "url": "(hidden)", "token_env": "T"})
        );
        assert_eq!(redacted(&json!("x6")), "(hidden)");
    }
}
