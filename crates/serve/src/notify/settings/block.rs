//! One channel: its keys, read and checked.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use serde_json::{Map, Value};
use tachograph_model::alert::SEVERITIES;
use tachograph_model::near;

use super::{Given, KINDS, names_variable};
use crate::alert::file;
use crate::api::problem::quoted;
use crate::notify::email::{Email, Security, Server};
use crate::notify::http::{Address, Http};
use crate::notify::secret::{Secret, Veil};
use crate::notify::{Channel, Terms, Way, alertmanager, command, slack, webhook};

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
/// What people were told of is told again after so long.
const REPEAT: u64 = 4 * 3600;
const GROUP: u64 = 30;
const RETRY: u64 = 3600;
const TIMEOUT: u64 = 10;
const WEEK: u64 = 7 * 86_400;
/// Those who get one mail.
const MOST_ADDRESSES: usize = 20;
const MOST_PEM: u64 = 1 << 20;

/// The keys of one channel.
pub(super) struct Block<'a> {
    pub(super) keys: &'a Map<String, Value>,
    pub(super) given: &'a Given<'a>,
    /// Those of all channels so far.
    pub(super) secrets: &'a RefCell<Vec<Secret>>,
}

impl Block<'_> {
    /// # Errors
    /// What is wrong with it, with the key and never with its value.
    pub(super) fn channel(&self, name: &str) -> Result<Channel, String> {
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

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
