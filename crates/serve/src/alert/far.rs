//! Rules that look back farther than live state reaches: by which values they
//! judge is asked of the answerer, on a thread of its own. Each window is a
//! question of its own, asked about once a minute, and less often where there are
//! many or they take long. Between two answers the last one counts; a look never
//! waits.

use std::collections::{HashMap, HashSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tachograph_model::alert::{self, Reading, Rule, Stat};
use tachograph_model::answer::{RuleValues, SeriesValue};
use tachograph_model::{Answerer, UnixNanos, describe, question};

use super::book::{Look, MOST_ALERTS, Series};
use super::watch::Watch;
use crate::live::Family;
use crate::notify::BROKE;

/// So old an answer is asked for anew.
const EVERY: Duration = Duration::from_secs(60);
/// So old an answer says nothing any more, unless it only waits for its turn.
const STALE: Duration = Duration::from_secs(600);
/// So long one may take.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two turns.
const TURN_EVERY: Duration = Duration::from_secs(1);
/// A turn begins no more questions after so long, and then rests so many times
/// as long as it took: they are spread, and take no more than a fifth of the
/// time. While one is answered it has all threads of the store.
const TURN: Duration = Duration::from_millis(250);
const REST: u32 = 4;
/// Rules in one question. One that may be of many series counts as several:
/// nobody knows how long the answer is before it is there.
const MOST_AT_ONCE: usize = 256;
const OF_MANY: usize = 8;

/// By which value each series of a rule is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// `None`: there is none.
    pub found: Arc<[(Series, Option<f64>)]>,
    /// Series that there was no room for: none of them has an alert.
    pub left_out: usize,
}

/// What is known.
#[derive(Debug, Default)]
pub struct Far(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By the names of rules.
    of: HashMap<String, OfRule>,
    /// Since when there is no answer to what is being asked.
    asking: Option<Instant>,
    /// When there was an answer last.
    answered: Option<Instant>,
}

#[derive(Debug)]
struct OfRule {
    /// As it was asked about.
    rule: Arc<Rule>,
    asked: Instant,
    /// Why there was no answer then.
    failed: Option<Arc<str>>,
    answer: Option<(Instant, Values)>,
    /// What spoils that.
    notes: Arc<[String]>,
}

impl Known {
    /// How old the answer is that a rule is judged by; `None`: it says nothing any
    /// more, or there is none.
    fn age(&self, of: &OfRule, now: Instant) -> Option<Duration> {
        let (at, _) = of.answer.as_ref()?;
        let age = |at: Instant| now.saturating_duration_since(at);
        let answers_come = || self.answered.is_some_and(|at| age(at) <= STALE);
        let counts = age(*at) <= STALE || *at >= of.asked && answers_come();
        counts.then(|| age(*at))
    }
}

impl Far {
    /// By which values a rule is judged; `None`: nobody has said it yet.
    pub fn values(&self, rule: &Rule, now: Instant) -> Option<Values> {
        let known = self.known();
        let same = |of: &&OfRule| std::ptr::eq(&*of.rule, rule) || *of.rule == *rule;
        let of = known.of.get(&rule.name).filter(same)?;
        let (_, values) = of.answer.as_ref()?;
        Some(match known.age(of, now) {
            Some(_) => values.clone(),
            None => Values::default(),
        })
    }

    /// What keeps it from being known, or spoils it.
    pub fn notes(&self, now: Instant) -> Vec<String> {
        let known = self.known();
        let long = |since: &Instant| now.saturating_duration_since(*since) > WITHIN;
        let waits = known.asking.filter(long).map(|since| {
            let seconds = now.saturating_duration_since(since).as_secs();
            format!("there is no answer for {seconds} s")
        });
        let mut failed: Vec<String> = match waits {
            Some(waits) => vec![waits],
            None => {
                let failed = known.of.values().filter_map(|of| of.failed.as_deref());
                failed.map(str::to_owned).collect()
            }
        };
        failed.sort();
        failed.dedup();
        let failed = failed.into_iter().map(|why| {
            format!(
                "rules with a window of more than an hour: {why}; what was known last counts for \
                 {} minutes",
                STALE.as_secs() / 60
            )
        });
        let ages = known.of.values().filter_map(|of| known.age(of, now));
        let late = ages.max().filter(|age| *age > STALE).map(|age| {
            format!(
                "rules with a window of more than an hour take long, all together: what some are \
                 judged by is {} minutes old",
                age.as_secs() / 60
            )
        });
        let mut notes: Vec<&String> = known.of.values().flat_map(|of| &*of.notes).collect();
        notes.sort();
        notes.dedup();
        failed
            .chain(late)
            .chain(notes.into_iter().cloned())
            .collect()
    }

    /// Of those rules, some that are to be asked about together: of one window,
    /// those of which nothing is known first.
    fn due(&self, rules: &[Arc<Rule>], now: Instant) -> Vec<Arc<Rule>> {
        let mut known = self.known();
        let there: HashMap<&str, &Arc<Rule>> = rules
            .iter()
            .map(|rule| (rule.name.as_str(), rule))
            .collect();
        known.of.retain(|name, of| {
            let rule = there.get(name.as_str());
            rule.is_some_and(|rule| ***rule == *of.rule)
        });
        // When it was asked about; the longest ago comes first.
        let asked = |rule: &Arc<Rule>| known.of.get(&rule.name).map(|of| of.asked);
        let is_due = |rule: &&Arc<Rule>| {
            let since = asked(rule).map(|asked| now.saturating_duration_since(asked));
            since.is_none_or(|since| since >= EVERY)
        };
        let due: Vec<&Arc<Rule>> = rules.iter().filter(is_due).collect();
        let Some(first) = due.iter().min_by_key(|rule| asked(rule)) else {
            return Vec::new();
        };
        let mut room = MOST_AT_ONCE;
        let together = due.iter().filter(|rule| {
            rule.window_seconds == first.window_seconds
                && asked(rule).is_none() == asked(first).is_none()
        });
        let together = together.take_while(|rule| {
            let left = room.checked_sub(weight(rule));
            room = left.unwrap_or(0);
            left.is_some()
        });
        together.map(|rule| (*rule).clone()).collect()
    }

    /// Asks about some that are due; false: none is. `alerts` are those that a
    /// rule of that name has.
    fn ask(
        &self,
        rules: &[Arc<Rule>],
        answerer: &dyn Answerer,
        alerts: &dyn Fn(&str) -> Vec<Series>,
    ) -> bool {
        let began = Instant::now();
        let due = self.due(rules, began);
        if due.is_empty() {
            return false;
        }
        self.known().asking = Some(began);
        let asked = question::RuleValues {
            rules: due.iter().map(|rule| (**rule).clone()).collect(),
            now: UnixNanos::now(),
            within: WITHIN,
        };
        // A defect in one answer is no end of all.
        let answer = catch_unwind(AssertUnwindSafe(|| answerer.rule_values(&asked)));
        let answer = match answer {
            Ok(answer) => answer.map_err(|error| describe(&error)),
            Err(_) => Err(BROKE.to_owned()),
        };
        self.take(due, answer, alerts, Instant::now());
        true
    }

    fn take(
        &self,
        asked: Vec<Arc<Rule>>,
        answer: Result<RuleValues, String>,
        alerts: &dyn Fn(&str) -> Vec<Series>,
        now: Instant,
    ) {
        let (found, notes, failed) = match answer {
            Ok(RuleValues { rules, notes }) => {
                let notes: Arc<[String]> = notes.into_iter().map(|note| note.text).collect();
                (rules, Some(notes), None)
            }
            Err(why) => (Vec::new(), None, Some(Arc::from(why))),
        };
        let found = found.into_iter().chain(std::iter::repeat(None));
        let found: Vec<_> = asked.into_iter().zip(found).collect();
        let found = self.with_room(found, alerts);
        let mut known = self.known();
        known.asking = None;
        if notes.is_some() {
            known.answered = Some(now);
        }
        for (rule, values) in found {
            let before = known.of.remove(&rule.name);
            let before = before.filter(|before| *before.rule == *rule);
            let (answer, noted) = before.map_or_else(Default::default, |it| (it.answer, it.notes));
            let of = OfRule {
                asked: now,
                failed: failed.clone(),
                answer: values.map(|values| (now, values)).or(answer),
                notes: notes.clone().unwrap_or(noted),
                rule: rule.clone(),
            };
            known.of.insert(rule.name.clone(), of);
        }
    }

    /// What is held of an answer: of all rules together about as many series as
    /// there may be alerts, each text once, and those that have an alert whatever
    /// there is of others.
    fn with_room(
        &self,
        found: Vec<(Arc<Rule>, Option<Vec<SeriesValue>>)>,
        alerts: &dyn Fn(&str) -> Vec<Series>,
    ) -> Vec<(Arc<Rule>, Option<Values>)> {
        let anew = found.iter().filter(|(_, values)| values.is_some());
        let anew: HashSet<&str> = anew.map(|(rule, _)| rule.name.as_str()).collect();
        let mut room = {
            let known = self.known();
            let others = known.of.iter().filter(|(name, _)| !anew.contains(&***name));
            let held = others.filter_map(|(_, of)| of.answer.as_ref());
            let held = held.map(|(_, values)| values.found.len());
            MOST_ALERTS.saturating_sub(held.sum())
        };
        let mut texts = Texts::default();
        let found = found.into_iter().map(|(rule, values)| {
            let values = values.map(|values| {
                // Whoever names one series is judged by it.
                let most = room.max(1);
                let values = match values.len() > most {
                    true => most_of(values, most, &alerts(&rule.name)),
                    false => (values, 0),
                };
                let (values, left_out) = values;
                room = room.saturating_sub(values.len());
                let values = values.into_iter();
                let values = values.map(
                    |SeriesValue {
                         source,
                         name,
                         value,
                     }| { ((texts.one(source), texts.one(name)), value) },
                );
                let found = values.collect();
                Values { found, left_out }
            });
            (rule, values)
        });
        found.collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As how many rules of a single series one counts in a question.
fn weight(rule: &Rule) -> usize {
    match rule.metric_name == alert::EVERY || rule.source.is_empty() {
        true => OF_MANY,
        false => 1,
    }
}

/// So many of them, those with an alert first, and all of these; and how many
/// that leaves out.
fn most_of(values: Vec<SeriesValue>, most: usize, alerts: &[Series]) -> (Vec<SeriesValue>, usize) {
    let all = values.len();
    let alerts: HashSet<(&str, &str)> = alerts
        .iter()
        .map(|(one, other)| (&**one, &**other))
        .collect();
    let has_one = |it: &SeriesValue| alerts.contains(&(it.source.as_str(), it.name.as_str()));
    let (mut values, others): (Vec<_>, Vec<_>) = values.into_iter().partition(has_one);
    let more = most.saturating_sub(values.len());
    values.extend(others.into_iter().take(more));
    let left_out = all - values.len();
    (values, left_out)
}

/// Texts of one answer: rules share what they are judged by.
#[derive(Default)]
struct Texts(HashSet<Arc<str>>);

impl Texts {
    fn one(&mut self, text: String) -> Arc<str> {
        if let Some(known) = self.0.get(text.as_str()) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.0.insert(text.clone());
        text
    }
}

/// Live state, and what is known of what lies farther back.
pub(super) struct Sight<'a> {
    pub(super) near: &'a dyn Look,
    pub(super) far: &'a Far,
}

impl Look for Sight<'_> {
    fn one(
        &self,
        family: Family,
        source: &str,
        name: &str,
        stat: Stat,
        window: Duration,
    ) -> Option<Reading> {
        self.near.one(family, source, name, stat, window)
    }

    fn every(&self, family: Family, source: &str, window: Duration) -> Vec<(Series, Reading)> {
        self.near.every(family, source, window)
    }

    fn far(&self, rule: &Rule) -> Option<Values> {
        self.far.values(rule, Instant::now())
    }
}

/// The thread that asks; dropping it ends it, once it has its answer.
#[derive(Debug)]
pub(super) struct Asking {
    /// Nothing is sent: that it is gone ends the thread.
    _held: Sender<()>,
}

impl Asking {
    /// Begins to ask.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(super) fn start(watch: &Arc<Watch>, answerer: Arc<dyn Answerer>) -> io::Result<Self> {
        let (held, leave) = mpsc::channel::<()>();
        let watch = watch.clone();
        let run = move || {
            let alerts = |rule: &str| watch.book().series_of(rule);
            // There are no rules until a look has read them.
            loop {
                let began = Instant::now();
                let mut more = true;
                while more && began.elapsed() < TURN {
                    let rules = watch.book().far();
                    more = watch.far().ask(&rules, &*answerer, &alerts);
                }
                let rest = TURN_EVERY.max(began.elapsed() * REST);
                if leave.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("tacho-alerts-far".to_owned());
        // Nobody waits for it: what it asks may take long.
        thread.spawn(run)?;
        Ok(Self { _held: held })
    }
}

#[cfg(test)]
#[path = "far_tests.rs"]
mod tests;
