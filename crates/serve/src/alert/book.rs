//! Which rules there are and how their alerts stand. Pure: figures and time come
//! in with the calls.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tachograph_model::alert::{EVERY, Machine, Notice, Reading, Rule, Stat, State, Terms};
use tachograph_model::{Column, Event, UnixNanos, Value};

use super::far::Values;
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

#[derive(Debug)]
struct Watched {
    name: Arc<str>,
    rule: Arc<Rule>,
    terms: Terms,
    family: Family,
    window: Duration,
}

impl Watched {
    fn is_far(&self) -> bool {
        self.window > REACH
    }
}

#[derive(Debug)]
struct OfRule {
    rule: Arc<Rule>,
    alerts: BTreeMap<Series, Machine>,
    /// Its values were known at the last look.
    looked: bool,
    /// Series for which there was no room at the last look.
    crowded: usize,
}

impl OfRule {
    fn new(rule: Arc<Rule>) -> Self {
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
        let mut round = Round {
            now,
            told: Vec::new(),
            changed: false,
            room: MOST_ALERTS,
            crowded: 0,
        };
        self.end_unwatched(&mut round);
        for of in self.alerts.values() {
            round.room = round.room.saturating_sub(of.alerts.len());
        }
        // What names one series is not to want for room because others take all.
        self.make_room(&mut round.room);
        let mut order: Vec<&Watched> = self.watched.iter().collect();
        order.sort_by_key(|watched| watched.rule.metric_name == EVERY);
        for watched in order {
            let of = self.alerts.entry(watched.name.clone());
            let of = of.or_insert_with(|| OfRule::new(watched.rule.clone()));
            if !Arc::ptr_eq(&of.rule, &watched.rule) {
                of.rule = watched.rule.clone();
            }
            let before = round.crowded;
            let looked = round.of(watched, &mut of.alerts, look);
            // Whoever reads the file is to know that it is looked at.
            round.changed |= of.looked != looked;
            of.looked = looked;
            of.crowded = round.crowded - before;
        }
        // And that there are series for which there is no room.
        round.changed |= (self.crowded > 0) != (round.crowded > 0);
        self.crowded = round.crowded;
        (round.told, round.changed)
    }

    /// Room for rules that name one series and have no alert yet: in the place of
    /// idle ones of rules over every series, which are the same when made anew.
    fn make_room(&mut self, room: &mut usize) {
        let (every, named): (Vec<&Watched>, Vec<&Watched>) =
            (self.watched.iter()).partition(|it| it.rule.metric_name == EVERY);
        let new = named.iter().filter(|it| {
            let of = self.alerts.get(&it.name);
            of.is_none_or(|of| of.alerts.is_empty())
        });
        let mut wanted = new.count().saturating_sub(*room);
        for watched in every {
            let Some(of) = self.alerts.get_mut(&watched.name).filter(|_| wanted > 0) else {
                continue;
            };
            of.alerts.retain(|_, machine| {
                let goes = wanted > 0 && machine.is_idle();
                wanted -= usize::from(goes);
                *room += usize::from(goes);
                !goes
            });
        }
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

/// One look at all.
struct Round {
    now: UnixNanos,
    told: Vec<Told>,
    changed: bool,
    room: usize,
    crowded: usize,
}

impl Round {
    /// Returns whether its values are known.
    fn of(
        &mut self,
        watched: &Watched,
        alerts: &mut BTreeMap<Series, Machine>,
        look: &dyn Look,
    ) -> bool {
        let rule = &watched.rule;
        let (family, window) = (watched.family, watched.window);
        let far = match watched.is_far() {
            true => match look.far(rule) {
                // They stay as they are until it is known.
                None => return false,
                known => known,
            },
            false => None,
        };
        let any_source = rule.source.is_empty() && family.has_source();
        if rule.metric_name != EVERY && !any_source {
            let stat = watched.terms.condition.stat;
            let found = match &far {
                Some(values) => {
                    let of_source = |source: &str| !family.has_source() || *source == *rule.source;
                    let own = |(series, _): &&(Series, Option<f64>)| {
                        *series.1 == *rule.metric_name && of_source(&series.0)
                    };
                    let mut found = values.found.iter();
                    found.find(own).and_then(|(_, value)| *value)
                }
                None => {
                    let found = look.one(family, &rule.source, &rule.metric_name, stat, window);
                    found.and_then(|reading| watched.terms.value(&reading))
                }
            };
            let own = |series: &Series| *series.0 == *rule.source && *series.1 == *rule.metric_name;
            // Of a rule that watched something else before.
            let others = alerts.keys().filter(|series| !own(series));
            for series in others.cloned().collect::<Vec<_>>() {
                self.gone(watched, &series, alerts);
            }
            let series = match alerts.keys().next() {
                Some(series) => series.clone(),
                None => (
                    rule.source.as_str().into(),
                    rule.metric_name.as_str().into(),
                ),
            };
            self.step(watched, series, alerts, found);
            return true;
        }
        let mut seen = HashSet::new();
        let named = |name: &str| matches!(&*rule.metric_name, EVERY) || *name == *rule.metric_name;
        let found: Arc<[(Series, Option<f64>)]> = match far {
            Some(values) => {
                self.crowded += values.left_out;
                values.found
            }
            None => {
                let found = look.every(family, &rule.source, window).into_iter();
                let value = |reading| watched.terms.value(&reading);
                found
                    .map(|(series, reading)| (series, value(reading)))
                    .collect()
            }
        };
        for (series, value) in found.iter().filter(|(series, _)| named(&series.1)) {
            seen.insert(series);
            self.step(watched, series.clone(), alerts, *value);
        }
        let missing = alerts.keys().filter(|series| !seen.contains(series));
        for series in missing.cloned().collect::<Vec<_>>() {
            self.step(watched, series.clone(), alerts, None);
            if alerts.get(&series).is_some_and(Machine::is_idle) {
                alerts.remove(&series);
            }
        }
        true
    }

    fn gone(&mut self, watched: &Watched, series: &Series, alerts: &mut BTreeMap<Series, Machine>) {
        let Some(mut machine) = alerts.remove(series) else {
            return;
        };
        let value = machine.value();
        self.changed = true;
        let transition = machine.end(self.now);
        let notice = transition.and_then(|transition| transition.notice);
        self.tell(&watched.rule, series, notice, (value, machine.fired_at()));
    }

    fn step(
        &mut self,
        watched: &Watched,
        series: Series,
        alerts: &mut BTreeMap<Series, Machine>,
        value: Option<f64>,
    ) {
        if !alerts.contains_key(&series) {
            if self.room == 0 {
                self.crowded += 1;
                return;
            }
            self.room -= 1;
        }
        let machine = alerts.entry(series.clone()).or_default();
        let Some(transition) = machine.step(self.now, &watched.terms, value) else {
            return;
        };
        self.changed = true;
        let facts = (transition.value, machine.fired_at());
        self.tell(&watched.rule, &series, transition.notice, facts);
    }

    fn tell(
        &mut self,
        rule: &Arc<Rule>,
        series: &Series,
        notice: Option<Notice>,
        (value, fired_at): (Option<f64>, Option<UnixNanos>),
    ) {
        self.told.extend(notice.map(|notice| Told {
            rule: rule.clone(),
            series: series.clone(),
            notice,
            value,
            at: self.now,
            fired_at,
        }));
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
