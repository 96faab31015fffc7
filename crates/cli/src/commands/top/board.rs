//! How alerts stand: asked of the server that runs on the home, or as the last
//! one left it in `alerts/state.json`.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tachograph_model::UnixNanos;
use tachograph_model::alert::{EVERY, Rule, State};
use tachograph_model::render::iso;
use tachograph_serve::alert::{Kept, kept_at, standing};
use tachograph_serve::config::Names;

use super::picture::Key;
use crate::source::Server;

/// Between two readings: a server looks at its rules each second.
const EVERY_SECOND: Duration = Duration::from_secs(1);
/// One that does not answer is not asked again for so long.
const AGAIN: Duration = Duration::from_secs(5);

/// Who told it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// A server that runs.
    Server(SocketAddr),
    /// The file that one left then.
    File(Option<UnixNanos>),
    /// Nobody: no server ran on this home.
    #[default]
    Nobody,
}

/// One line: an alert that matters now, or a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// `None`: a rule that nothing is said of now.
    pub alert: Option<Stands>,
    pub rule: Arc<Told>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Stands {
    pub state: State,
    pub source: String,
    pub name: String,
    pub value: Option<f64>,
    pub since: UnixNanos,
    pub fired_at: Option<UnixNanos>,
    pub resolved_at: Option<UnixNanos>,
    /// It fired, and is not resolved.
    pub open: bool,
}

/// How many alerts are in a state of [`SHOWN`]; without data those that fired
/// when there was some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; SHOWN.len()]);

impl Counts {
    fn of_lines(lines: &[Line]) -> Self {
        let mut counts = Self::default();
        let alerts = lines.iter().filter_map(|line| line.alert.as_ref());
        for at in alerts.filter_map(urgency) {
            counts.0[at] += 1;
        }
        counts
    }

    pub fn of(&self, state: State) -> u64 {
        let at = SHOWN.iter().position(|it| *it == state);
        at.map_or(0, |at| self.0[at])
    }

    fn all(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// A rule, and who made it where that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub rule: Rule,
    pub origin: Option<String>,
}

/// What is known of alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    pub from: From,
    /// What matters first ([`SHOWN`]), and then every rule.
    pub lines: Vec<Line>,
    /// How many alerts matter, also those that have no line: a server lists some.
    pub counts: Counts,
    /// Series that nobody watches, as there are too many; `None`: not known.
    pub unwatched: Option<u64>,
    /// What could not be read.
    pub note: Option<String>,
    /// Whether rules are looked at at all.
    pub watched: bool,
}

impl Board {
    /// Of alerts with their rules, and of all rules.
    pub fn of(from: From, alerts: Vec<(Arc<Told>, Stands)>, rules: Vec<Arc<Told>>) -> Self {
        let mut lines: Vec<Line> = alerts
            .into_iter()
            .filter(|(_, alert)| urgency(alert).is_some())
            .map(|(rule, alert)| Line {
                alert: Some(alert),
                rule,
            })
            .collect();
        // The newest first of each state.
        lines.sort_by_key(|line| {
            let alert = line.alert.as_ref();
            let state = alert.and_then(urgency);
            (state, alert.map(|alert| std::cmp::Reverse(alert.since)))
        });
        let counts = Counts::of_lines(&lines);
        let rules = rules.into_iter().map(|rule| Line { alert: None, rule });
        lines.extend(rules);
        Self {
            from,
            lines,
            counts,
            watched: true,
            ..Self::default()
        }
    }

    /// How many of the alerts that matter have a line, and how many there are.
    pub fn shown(&self) -> (u64, u64) {
        (Counts::of_lines(&self.lines).all(), self.counts.all())
    }

    /// As JSON.
    pub fn document(&self, names: &Names) -> Json {
        let alerts = self.lines.iter().filter_map(|line| {
            let alert = line.alert.as_ref()?;
            Some(json!({
                "rule": line.rule.rule.name,
                "source": alert.source,
                "name": alert.name,
                "agent_name": line.agent(names),
                "state": alert.state.name(),
                "open": alert.open,
                "severity": line.rule.rule.severity,
                "value": alert.value,
                "condition": line.rule.rule.condition,
                "threshold": line.rule.rule.threshold,
                "since": iso(alert.since),
                "fired_at": alert.fired_at.map(iso),
                "resolved_at": alert.resolved_at.map(iso),
            }))
        });
        let alerts: Vec<Json> = alerts.collect();
        let rules = self.lines.iter().filter(|line| line.alert.is_none());
        let rules: Vec<Json> = rules
            .map(|line| {
                let rule = &line.rule.rule;
                json!({
                    "name": rule.name,
                    "family": rule.family,
                    "source": rule.source,
                    "metric_name": rule.metric_name,
                    "condition": rule.condition,
                    "severity": rule.severity,
                    "enabled": rule.enabled,
                    "origin": line.rule.origin,
                })
            })
            .collect();
        let (from, at) = match &self.from {
            From::Server(address) => ("server", Json::from(address.to_string())),
            From::File(at) => ("file", at.map(iso).into()),
            From::Nobody => ("nobody", Json::Null),
        };
        let counts = SHOWN.map(|state| (state.name().to_owned(), self.counts.of(state).into()));
        let (listed, all) = self.shown();
        json!({"from": from, "at": at, "watched": self.watched, "note": self.note,
            "counts": Map::from_iter(counts), "more": all.saturating_sub(listed), "unwatched": self.unwatched,
            "alerts": alerts, "rules": rules})
    }
}

/// What is shown, in the API's order.
pub const SHOWN: [State; 4] = [
    State::Firing,
    State::Pending,
    State::NoData,
    State::Resolved,
];

/// Without data only what fired when there was some is worth a line.
fn urgency(alert: &Stands) -> Option<usize> {
    let told = alert.state != State::NoData || alert.open;
    SHOWN.iter().position(|it| told && *it == alert.state)
}

impl Line {
    /// Which one it is, for the selection.
    pub fn key(&self) -> Key {
        let rule = &self.rule.rule.name;
        match &self.alert {
            Some(alert) => Key {
                source: format!("{rule}\0{}", alert.source).into(),
                name: alert.name.as_str().into(),
            },
            None => Key {
                source: rule.as_str().into(),
                name: "".into(),
            },
        }
    }

    /// What the agent is called that an alert is of, where that is known.
    pub fn agent<'a>(&self, names: &'a Names) -> Option<&'a str> {
        let alert = self.alert.as_ref()?;
        let is_of_agents = self.rule.rule.family.starts_with("agent");
        let name = names.get(&alert.name).filter(|_| is_of_agents);
        name.map(String::as_str)
    }

    /// What it is called: of a rule over every series, with the series.
    pub fn name(&self, names: &Names) -> String {
        let rule = &self.rule.rule;
        match &self.alert {
            Some(alert) if rule.metric_name == EVERY => {
                let of = self.agent(names).unwrap_or(&alert.name);
                format!("{of}: {}", rule.name)
            }
            _ => rule.name.clone(),
        }
    }

    /// What it is doing, in a word.
    pub fn state(&self) -> &'static str {
        match &self.alert {
            Some(alert) => match alert.state {
                State::Firing => "FIRING",
                State::Pending => "PENDING",
                State::NoData => "NO DATA",
                _ => "RESOLVED",
            },
            None if self.rule.rule.enabled => "rule",
            None => "rule off",
        }
    }
}

/// Reads it, at most once a second.
pub struct Boards {
    home: PathBuf,
    /// That of the settings.
    token: Option<String>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    board: Arc<Board>,
    next: Option<Instant>,
}

impl Boards {
    pub fn of(home: &Path, token: Option<&str>) -> Self {
        Self {
            home: home.to_owned(),
            token: token.map(str::to_owned),
            held: Mutex::default(),
        }
    }

    pub fn read(&self) -> Arc<Board> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.next.is_none_or(|next| Instant::now() >= next) {
            held.board = Arc::new(read(&self.home, self.token.as_deref()));
            let wait = match held.board.note {
                Some(_) => AGAIN,
                None => EVERY_SECOND,
            };
            held.next = Some(Instant::now() + wait);
        }
        held.board.clone()
    }
}

fn read(home: &Path, token: Option<&str>) -> Board {
    let Some(server) = Server::of(home) else {
        return left(home);
    };
    let asked = server.get("/api/v1/alerts", token);
    let asked = asked.and_then(|answer| told(answer, server.address));
    asked.unwrap_or_else(|error| Board {
        note: Some(format!(
            "the server at {} says nothing: {error}",
            server.address
        )),
        ..left(home)
    })
}

/// What a server says of them.
///
/// # Errors
/// When it says something else.
pub fn told(answer: Json, address: SocketAddr) -> io::Result<Board> {
    let answer: Answer = serde_json::from_value(answer)?;
    Ok(answer.board(address))
}

/// Of `/api/v1/alerts`, what is shown here.
#[derive(Debug, Deserialize)]
struct Answer {
    rules: Vec<OfRule>,
    alerts: Vec<OfAlert>,
    totals: Totals,
    unwatched: u64,
    enabled: bool,
}

#[derive(Debug, Deserialize)]
struct Totals {
    firing: u64,
    pending: u64,
    open_without_data: u64,
    resolved: u64,
}

#[derive(Debug, Deserialize)]
struct OfRule {
    #[serde(flatten)]
    rule: Rule,
    origin: Option<String>,
}

#[derive(Debug, Deserialize)]
struct OfAlert {
    rule: String,
    source: String,
    name: String,
    state: State,
    value: Option<f64>,
    since: UnixNanos,
    fired_at: Option<UnixNanos>,
    resolved_at: Option<UnixNanos>,
    open: bool,
}

impl Answer {
    fn board(self, address: SocketAddr) -> Board {
        let rules = self.rules.into_iter().map(|OfRule { rule, origin }| {
            let told = Told { rule, origin };
            Arc::new(told)
        });
        let rules: Vec<Arc<Told>> = rules.collect();
        let alerts = self.alerts.into_iter().filter_map(|alert| {
            let rule = rules.iter().find(|told| told.rule.name == alert.rule)?;
            let stands = Stands {
                state: alert.state,
                source: alert.source,
                name: alert.name,
                value: alert.value,
                since: alert.since,
                fired_at: alert.fired_at,
                resolved_at: alert.resolved_at,
                open: alert.open,
            };
            Some((rule.clone(), stands))
        });
        let alerts = alerts.collect();
        let totals = self.totals;
        let of = |state: State| match state {
            State::Firing => totals.firing,
            State::Pending => totals.pending,
            State::NoData => totals.open_without_data,
            State::Resolved => totals.resolved,
            State::Inactive => 0,
        };
        Board {
            counts: Counts(SHOWN.map(of)),
            unwatched: Some(self.unwatched),
            watched: self.enabled,
            ..Board::of(From::Server(address), alerts, rules)
        }
    }
}

/// What the last server left.
fn left(home: &Path) -> Board {
    let at = kept_at(home);
    let kept = match standing(home) {
        Ok(_) if at.is_none() => return Board::default(),
        Ok(kept) => kept,
        Err(error) => {
            return Board {
                note: Some(format!("alerts/state.json cannot be read: {error}")),
                ..Board::default()
            };
        }
    };
    let (mut rules, mut alerts) = (Vec::new(), Vec::new());
    for Kept { rule, alerts: kept } in kept {
        let told = Arc::new(Told { rule, origin: None });
        alerts.extend(kept.into_iter().map(|kept| {
            let stands = Stands {
                state: kept.machine.state(),
                source: kept.source,
                name: kept.name,
                value: kept.machine.value(),
                since: kept.machine.since(),
                fired_at: kept.machine.fired_at(),
                resolved_at: kept.machine.resolved_at(),
                open: kept.machine.is_open(),
            };
            (told.clone(), stands)
        }));
        rules.push(told);
    }
    Board::of(From::File(at), alerts, rules)
}
