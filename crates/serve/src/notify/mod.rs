//! Channels of alerts: who is told, and how. The only room of the server that
//! opens connections, and only to where its user said.
//!
//! ```text
//! alert/watch ─ told ─► outbox: what each channel was told of, and what not yet ─┐
//!      ▲                   ▲ sent, or why not (again later, never)              │ due
//!      │ kept in           │                                                    ▼
//!      └ alerts/state.json └──────── post: a thread a channel ◄─ Channel: email, slack, webhook,
//!                   ▲                ├─► alerts/undelivered.jsonl        alertmanager, desktop,
//!                   └ within 1 s ────┴─► alerts/told.jsonl                exec, terminal
//! ```
//!
//! # Invariants
//! - What a channel is told of an alert is noted when it was taken, so that a
//!   restart repeats nothing and what was not told yet is told then.
//! - A channel that is slow or broken is waited for by itself alone.
//! - Secrets are in what is sent and nowhere else: no error, no log line, no
//!   answer, no `Debug` output has them.
//!
//! Without a server:
//! ```
//! use tachograph_serve::notify::{Channels, Given};
//! let settings = serde_json::json!({"here": {"kind": "exec", "command": ["true"]}});
//! let given = Given { channels: &settings, ..Given::default() };
//! let channels = Channels::from_config(&given)?;
//! channels.get("here").expect("it is there").test(None).expect("it is told");
//! # Ok::<(), String>(())
//! ```

mod alertmanager;
mod alone;
mod command;
mod email;
mod http;
mod item;
mod outbox;
mod post;
mod secret;
mod settings;
mod shape;
mod slack;
mod told;
mod undelivered;
mod webhook;
mod words;

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::alert::SEVERITIES;

pub use item::{Item, Notification};
pub use outbox::KeptPost;
pub use post::Post;
pub use secret::Secret;
pub use settings::{Given, KINDS, MOST_CHANNELS, redacted};

/// What is said of one who panicked.
pub(crate) const BROKE: &str = "it broke; this is a defect";

/// Where the lines of channels of the kind `terminal` go.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Why somebody was not told; without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// What went wrong, and the way out where there is one.
    pub what: String,
    pub again: Again,
}

/// Whether it may go well another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Not unless somebody changes something.
    Never,
    Later,
    /// Not before so much time has passed, as its server says.
    After(Duration),
}

impl Failure {
    fn never(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            again: Again::Never,
        }
    }

    fn later(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            again: Again::Later,
        }
    }

    /// Whether it may go well another time.
    pub fn is_for_now(&self) -> bool {
        self.again != Again::Never
    }
}

/// One who is told of alerts.
pub struct Channel {
    name: String,
    way: Way,
    terms: Terms,
}

/// How it is told.
enum Way {
    Email(email::Email),
    Slack(slack::Slack),
    Webhook(webhook::Webhook),
    Alertmanager(alertmanager::Alertmanager),
    Desktop(command::Desktop),
    Exec(command::Exec),
    Terminal(Say),
}

/// Of what a channel is told, and when.
#[derive(Clone, Debug, PartialEq)]
struct Terms {
    /// The least severity, as its place among [`SEVERITIES`].
    severity: usize,
    /// What still fires is told again after so long; zero: never.
    repeat: Duration,
    /// Between two notifications of one group.
    group: Duration,
    /// For so long it is tried again.
    retry_for: Duration,
    /// What is told is a state, all of it and again and again, for whoever
    /// groups and repeats by himself.
    is_state: bool,
    /// Who says so, where several machines tell one channel.
    instance: Option<String>,
}

impl Channel {
    /// Its name, as the settings have it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One of [`KINDS`].
    pub fn kind(&self) -> &'static str {
        match self.way {
            Way::Email(_) => "email",
            Way::Slack(_) => "slack",
            Way::Webhook(_) => "webhook",
            Way::Alertmanager(_) => "alertmanager",
            Way::Desktop(_) => "desktop",
            Way::Exec(_) => "exec",
            Way::Terminal(_) => "terminal",
        }
    }

    /// The least severity of which it is told.
    pub fn severity(&self) -> &'static str {
        SEVERITIES[self.terms.severity]
    }

    /// Tells it; returns when it was taken, after its time-out at the latest.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn send(&self, notification: &Notification) -> Result<(), Failure> {
        match &self.way {
            Way::Email(email) => email.send(notification),
            Way::Slack(slack) => slack.send(notification),
            Way::Webhook(webhook) => webhook.send(&self.name, notification),
            Way::Alertmanager(alertmanager) => alertmanager.send(notification),
            Way::Desktop(desktop) => desktop.send(notification),
            Way::Exec(exec) => exec.send(&self.name, notification),
            Way::Terminal(say) => {
                words::terminal(notification)
                    .iter()
                    .for_each(|line| say(line));
                Ok(())
            }
        }
    }

    /// Tells it of a marked test: once, and nothing is noted. `link` leads to
    /// the page, if there is one.
    ///
    /// # Errors
    /// [`Failure`]
    pub fn test(&self, link: Option<String>) -> Result<(), Failure> {
        let mut test = Notification::test(link);
        test.instance.clone_from(&self.terms.instance);
        self.send(&test)
    }

    /// Whether an alert is for it.
    fn wants(&self, item: &Item) -> bool {
        let named = item.channels.is_empty() || item.channels.contains(&self.name);
        named && words::severity(&item.severity) >= self.terms.severity
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("name", &self.name)
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

/// All channels that the settings name, in their order.
#[derive(Clone, Debug, Default)]
pub struct Channels(Vec<Arc<Channel>>);

impl Channels {
    /// Those of the settings.
    ///
    /// # Errors
    /// Which channel is wrong, and what is; without its secrets.
    pub fn from_config(given: &Given<'_>) -> Result<Self, String> {
        let channels = settings::channels(given)?;
        Ok(Self(channels.into_iter().map(Arc::new).collect()))
    }

    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Channel>> {
        self.iter().find(|channel| channel.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Channel>> {
        self.0.iter()
    }

    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.iter().map(|channel| channel.name()).collect()
    }

    /// # Errors
    /// When a rule names a channel that is none: which, and what there is.
    pub fn check(&self, named: &[String]) -> Result<(), String> {
        let Some(name) = named.iter().find(|name| self.get(name).is_none()) else {
            return Ok(());
        };
        let names = self.names();
        let way_out = match names.is_empty() {
            true => "`alert_channels` names none".to_owned(),
            false => tachograph_model::near::hint(name, &names),
        };
        let name = crate::api::problem::quoted(name);
        Err(format!("there is no channel {name:?}; {way_out}"))
    }
}
