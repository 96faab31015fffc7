//! Which rules there are and how their alerts stand. Pure: figures and time come
//! in with the calls.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tachograph_model::alert::{EVERY, Machine, Notice, Reading, Rule, Stat, State, Terms};
use tachograph_model::{Column, Event, UnixNanos, Value};

use super::far::Values;
use super::round::Round;
use super::totals::{Quiet, RuleState, Totals};
use crate::live::{Family, REACH};

/// Alerts of all rules together: a rule may watch every series.
pub const MOST_ALERTS: usize = 10_000;

/// Who made a rule, the weakest first: of two of one name the later counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It is there without anybody's doing.
    Builtin,
    /// `config.yaml`.
    Config,
    /// The API.
    Api,
}

impl Origin {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Config => "config",
            Self::Api => "api",
        }
    }
}

/// A rule and who made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned {
    pub rule: Rule,
    pub origin: Origin,
}

/// Where figures come from.
pub trait Look {
    /// Those of one series; `None`: there is no such series.
    /// `stat` is the figure that is looked at.
    fn one(
        &self,
        family: Family,
        source: &str,
        name: &str,
        stat: Stat,
        window: Duration,
    ) -> Option<Reading>;

    /// Those of every series of a family, of one source unless that is empty.
    fn every(&self, family: Family, source: &str, window: Duration) -> Vec<(Series, Reading)>;

    /// By which values a rule is judged that looks back farther than live state
    /// reaches; `None`: that is not known yet.
    fn far(&self, _rule: &Rule) -> Option<Values> {
        None
    }
}

/// Source and name of a series.
pub type Series = (Arc<str>, Arc<str>);

/// What people are to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub rule: Arc<Rule>,
    pub series: Series,
    pub notice: Notice,
    pub value: Option<f64>,
    pub at: UnixNanos,
    /// Since when it fires, or did.
    pub fired_at: Option<UnixNanos>,
}

/// One alert, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    pub rule: Arc<Rule>,
    pub series: Series,
    pub machine: Machine,
}

/// The rules and their alerts.
#[derive(Debug, Default)]
pub struct Book {
    rules: Vec<Owned>,
    watched: Vec<Watched>,
    alerts: HashMap<Arc<str>, OfRule>,
    /// Alerts for which there was no room at the last look.
    crowded: usize,
}

/// A rule that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) name: Arc<str>,
    pub(super) rule: Arc<Rule>,
    pub(super) terms: Terms,
    pub(super) family: Family,
    pub(super) window: Duration,
}

impl Watched {
    pub(super) fn is_far(&self) -> bool {
        self.window > REACH
    }
}

/// How a rule stands.
#[derive(Debug)]
pub(super) struct OfRule {
    pub(super) rule: Arc<Rule>,
    pub(super) alerts: BTreeMap<Series, Machine>,
    /// Its values were known at the last look.
    pub(super) looked: bool,
    /// Series for which there was no room at the last look.
    pub(super) crowded: usize,
}

impl OfRule {
    pub(super) fn new(rule: Arc<Rule>) -> Self {
        Self {
            rule,
            alerts: BTreeMap::new(),
            looked: false,
            crowded: 0,
        }
    }
}

/// As it lies in the file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    pub rule: Rule,
    pub alerts: Vec<KeptAlert>,
}

/// One alert of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptAlert {
    pub source: String,
    pub name: String,
    #[serde(flatten)]
    pub machine: Machine,
}

impl Book {
    /// Goes on with what was kept; the rules stay as they are.
    pub fn resume(&mut self, kept: Vec<Kept>) {
        let alerts = kept.into_iter().map(|kept| {
            let rule = Arc::new(kept.rule);
            let alerts = kept.alerts.into_iter();
            let alerts = alerts.map(|it| ((it.source.into(), it.name.into()), it.machine));
            let alerts = alerts.collect();
            let of = OfRule {
                alerts,
                ..OfRule::new(rule.clone())
            };
            (Arc::from(rule.name.as_str()), of)
        });
        self.alerts = alerts.collect();
    }

    /// Goes on with what is known to fire although nothing was kept: of rules
    /// that are watched, each with its series and since when. Returns those.
    pub fn resume_firing(
        &mut self,
        firing: &[(String, Series, UnixNanos)],
        now: UnixNanos,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        for (name, series, fired_at) in firing {
            let Some(watched) = self.watched.iter().find(|it| *it.name == **name) else {
                continue;
            };
            let of = self.alerts.entry(watched.name.clone());
            let of = of.or_insert_with(|| OfRule::new(watched.rule.clone()));
            let machine = Machine::told_at(*fired_at, now, &watched.terms);
            of.alerts.insert(series.clone(), machine);
            told.push(Told {
                rule: watched.rule.clone(),
                series: series.clone(),
                notice: Notice::Firing,
                value: None,
                at: *fired_at,
                fired_at: Some(*fired_at),
            });
        }
        told
    }

    /// What is to be kept: all but what is idle.
    pub fn kept(&self) -> Vec<Kept> {
        let mut kept: Vec<Kept> = self
            .alerts
            .values()
            .map(|of| Kept {
                rule: (*of.rule).clone(),
                alerts: of
                    .alerts
                    .iter()
                    .filter(|(_, machine)| !machine.is_idle())
                    .map(|((source, name), machine)| KeptAlert {
                        source: source.to_string(),
                        name: name.to_string(),
                        machine: machine.clone(),
                    })
                    .collect(),
            })
            .filter(|kept| !kept.alerts.is_empty())
            .collect();
        kept.sort_by(|one, other| one.rule.name.cmp(&other.rule.name));
        kept
    }

    /// Takes the rules that there are now, each name once; those that cannot be
    /// watched are left out of what is watched.
    pub fn set_rules(&mut self, rules: Vec<Owned>) {
        let enabled = rules.iter().filter(|owned| owned.rule.enabled);
        self.watched = enabled
            .filter_map(|Owned { rule, .. }| {
                let family = Family::ALL
                    .into_iter()
                    .find(|it| it.name() == rule.family)?;
                Some(Watched {
                    name: rule.name.as_str().into(),
                    terms: Terms::of(rule).ok()?,
                    rule: Arc::new(rule.clone()),
                    family,
                    window: Duration::from_secs(rule.window_seconds),
                })
            })
            .collect();
        self.rules = rules;
    }

    /// The rules.
    pub fn rules(&self) -> &[Owned] {
        &self.rules
    }

    /// Those that look back farther than live state reaches.
    pub(super) fn far(&self) -> Vec<Arc<Rule>> {
        let far = self.watched.iter().filter(|watched| watched.is_far());
        far.map(|watched| watched.rule.clone()).collect()
    }

    /// The series that a rule has alerts of.
    pub(super) fn series_of(&self, rule: &str) -> Vec<Series> {
        let of = self.alerts.get(rule).into_iter();
        of.flat_map(|of| of.alerts.keys().cloned()).collect()
    }

    /// Whether a rule is watched no more, and has alerts that the next look ends.
    pub(super) fn is_ending(&self, rule: &str) -> bool {
        let watched = || self.watched.iter().any(|watched| *watched.name == *rule);
        self.alerts.contains_key(rule) && !watched()
    }

    /// Alerts for which there was no room at the last look.
    pub fn crowded(&self) -> usize {
        self.crowded
    }

    /// How all alerts stand, in the order of the rules.
    pub fn alerts(&self) -> impl Iterator<Item = Alert> {
        let watched = self.watched.iter();
        let found = watched.filter_map(|watched| self.alerts.get(&watched.name));
        found.flat_map(|of| {
            of.alerts.iter().map(|(series, machine)| Alert {
                rule: of.rule.clone(),
                series: series.clone(),
                machine: machine.clone(),
            })
        })
    }

    /// How many of them stand how, the alerts of all rules that are watched.
    pub fn totals(&self) -> Totals {
        let watched = self.watched.iter();
        let of = watched.filter_map(|watched| self.alerts.get(&watched.name));
        let mut totals = Totals::default();
        of.flat_map(|of| of.alerts.values())
            .for_each(|machine| totals.add(machine));
        totals
    }

    /// How one of the rules stands, with series that were not kept one by one.
    pub fn state_of(&self, rule: &Rule, quiet: Option<Quiet>) -> RuleState {
        let of = self.alerts.get(rule.name.as_str());
        let of = of.filter(|_| rule.enabled);
        let quiet = quiet.filter(|_| rule.enabled);
        let looked = of.is_some_and(|of| of.looked) || quiet.is_some();
        let mut totals = Totals::default();
        of.iter()
            .flat_map(|of| of.alerts.values())
            .for_each(|machine| totals.add(machine));
        totals.add_quiet(quiet.unwrap_or_default());
        let unwatched = of.map_or(0, |of| of.crowded as u64) + quiet.map_or(0, |it| it.unwatched);
        // Where there is no series there is no data.
        let none = (looked && unwatched == 0).then_some(State::NoData);
        RuleState {
            state: totals.worst().or(none),
            totals,
            unwatched,
        }
    }

    /// Of each rule that has been looked at: how many of its series are well, of
    /// how many nothing is known, and how many nobody watches. Those are not kept
    /// one by one.
    pub fn quiet(&self) -> BTreeMap<String, Quiet> {
        let looked = self.alerts.iter().filter(|(_, of)| of.looked);
        let of = looked.map(|(name, of)| {
            let count = |state: State| {
                let machines = of.alerts.values();
                let alike = machines.filter(|it| it.is_idle() && it.state() == state);
                alike.count() as u64
            };
            let quiet = Quiet {
                well: count(State::Inactive),
                without_data: count(State::NoData),
                unwatched: of.crowded as u64,
            };
            (name.to_string(), quiet)
        });
        of.collect()
    }

    /// Looks at every rule once. Returns what is to be told, and whether any
    /// alert changed its state.
    pub fn look(&mut self, now: UnixNanos, look: &dyn Look) -> (Vec<Told>, bool) {
        let mut round = Round::new(now);
        self.end_unwatched(&mut round);
        let held: usize = self.alerts.values().map(|of| of.alerts.len()).sum();
        round.room = MOST_ALERTS.saturating_sub(held);
        // What names one series is not to want for room because others take all:
        // it takes the place of what is idle of those, as far as it needs one.
        let is_of_all = |it: &&Watched| it.rule.metric_name == EVERY;
        let (every, named): (Vec<&Watched>, Vec<&Watched>) =
            self.watched.iter().partition(is_of_all);
        let of = every.iter().filter_map(|it| self.alerts.get(&it.name));
        let idle = of.flat_map(|of| of.alerts.values());
        round.idle = idle.filter(|it| it.is_idle()).count();
        for watched in named {
            round.look_at(watched, &mut self.alerts, look);
        }
        for watched in &every {
            if let Some(of) = self.alerts.get_mut(&watched.name) {
                of.alerts.retain(|_, machine| !round.is_taken(machine));
            }
        }
        round.idle = 0;
        for watched in every {
            round.look_at(watched, &mut self.alerts, look);
        }
        // And that there are series for which there is no room.
        round.changed |= (self.crowded > 0) != (round.crowded > 0);
        self.crowded = round.crowded;
        (round.told, round.changed)
    }

    /// Resolves what fires of rules that are gone or off.
    fn end_unwatched(&mut self, round: &mut Round) {
        let watched: HashSet<&Arc<str>> = self.watched.iter().map(|it| &it.name).collect();
        self.alerts.retain(|name, of| {
            if watched.contains(name) {
                return true;
            }
            for (series, machine) in &mut of.alerts {
                let value = machine.value();
                let transition = machine.end(round.now);
                round.changed = true;
                let notice = transition.and_then(|transition| transition.notice);
                round.tell(&of.rule, series, notice, (value, machine.fired_at()));
            }
            false
        });
    }
}

impl Told {
    /// As the log has it. The rule's own description is not repeated there.
    pub fn event(&self) -> Event {
        let rule = &self.rule;
        // The log's own precision.
        let at = UnixNanos(self.at.0.div_euclid(1_000) * 1_000);
        let mut tags = serde_json::Map::new();
        tags.insert("metric".into(), (*self.series.1).into());
        tags.insert("family".into(), rule.family.as_str().into());
        tags.insert("condition".into(), rule.condition.as_str().into());
        tags.insert("threshold".into(), rule.threshold.into());
        tags.insert("window_seconds".into(), rule.window_seconds.into());
        if !rule.labels.is_empty() {
            let labels = rule.labels.iter();
            let labels = labels.map(|(key, value)| (key.clone(), value.as_str().into()));
            tags.insert("labels".into(), serde_json::Value::Object(labels.collect()));
        }
        let mut event = Event::new(at, "alert");
        event.set(Column::Name, Value::from(rule.name.as_str()));
        if !self.series.0.is_empty() {
            event.set(Column::Source, Value::from(&*self.series.0));
        }
        event.set(Column::Type, Value::from(rule.severity.as_str()));
        event.set(Column::Status, Value::from(self.notice.name()));
        if let Some(value) = self.value {
            event.set(Column::Value, Value::F64(value));
        }
        event.set(Column::Tags, Value::from(tags));
        event
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
pub(crate) mod tests;
