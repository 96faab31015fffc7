//! One look at the rules: what each finds now, and what is to be told of it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use tachograph_model::UnixNanos;
use tachograph_model::alert::{EVERY, Machine, Notice, Rule};

use super::book::{Look, OfRule, Series, Told, Watched};

/// One look at all.
pub(super) struct Round {
    pub(super) now: UnixNanos,
    pub(super) told: Vec<Told>,
    pub(super) changed: bool,
    /// Alerts that there is room for.
    pub(super) room: usize,
    /// Alerts whose places may be taken, where there is none.
    pub(super) idle: usize,
    /// So many were.
    taken: usize,
    /// Series that there was no room for.
    pub(super) crowded: usize,
}

impl Round {
    pub(super) fn new(now: UnixNanos) -> Self {
        Self {
            now,
            told: Vec::new(),
            changed: false,
            room: 0,
            idle: 0,
            taken: 0,
            crowded: 0,
        }
    }

    /// Whether the place of this alert was taken. Each place is given up once.
    pub(super) fn is_taken(&mut self, machine: &Machine) -> bool {
        let taken = self.taken > 0 && machine.is_idle();
        self.taken -= usize::from(taken);
        taken
    }

    /// Looks at one rule.
    pub(super) fn look_at(
        &mut self,
        watched: &Watched,
        all: &mut HashMap<Arc<str>, OfRule>,
        look: &dyn Look,
    ) {
        let of = all.entry(watched.name.clone());
        let of = of.or_insert_with(|| OfRule::new(watched.rule.clone()));
        if !Arc::ptr_eq(&of.rule, &watched.rule) {
            of.rule = watched.rule.clone();
        }
        let before = self.crowded;
        let looked = self.alerts_of(watched, &mut of.alerts, look);
        // Whoever reads the file is to know that it is looked at.
        self.changed |= of.looked != looked;
        of.looked = looked;
        of.crowded = self.crowded - before;
    }

    /// Returns whether its values are known.
    fn alerts_of(
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
            if self.room > 0 {
                self.room -= 1;
            } else if self.idle > 0 {
                self.idle -= 1;
                self.taken += 1;
            } else {
                self.crowded += 1;
                return;
            }
        }
        let machine = alerts.entry(series.clone()).or_default();
        let Some(transition) = machine.step(self.now, &watched.terms, value) else {
            return;
        };
        self.changed = true;
        let facts = (transition.value, machine.fired_at());
        self.tell(&watched.rule, &series, transition.notice, facts);
    }

    pub(super) fn tell(
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
