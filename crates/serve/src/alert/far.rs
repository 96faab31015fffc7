//! Rules that look back farther than live state reaches: by which values they
//! judge is asked of the answerer, on a thread of its own, of each about once a
//! minute. Between two answers the last one counts; a look never waits.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tachograph_model::alert::{Reading, Rule, Stat};
use tachograph_model::answer::RuleValues;
use tachograph_model::{Answerer, AskError, UnixNanos, question};

use super::book::{Look, Series};
use super::watch::Watch;
use crate::live::Family;

/// So old an answer is asked for anew.
const EVERY: Duration = Duration::from_secs(60);
/// So old an answer says nothing any more.
const STALE: Duration = Duration::from_secs(600);
/// So long one may take.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two turns.
const TURN_EVERY: Duration = Duration::from_secs(1);
/// A turn begins no more questions after so long, and then rests so many times
/// as long as it took: they are spread, and take no more than a fifth of a
/// processor.
const TURN: Duration = Duration::from_millis(250);
const REST: u32 = 4;
/// Rules in one question.
const MOST_AT_ONCE: usize = 256;

/// By which value each series of a rule is judged; `None`: there is none.
pub type Values = Arc<[(Series, Option<f64>)]>;

/// What is known.
#[derive(Debug, Default)]
pub struct Far(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By the names of rules.
    of: HashMap<String, OfRule>,
    /// Since when there is no answer to what is being asked.
    asking: Option<Instant>,
    /// Why there was none to what was asked last.
    failed: Option<String>,
    /// What spoils the last answer.
    notes: Vec<String>,
}

#[derive(Debug)]
struct OfRule {
    /// As it was asked about.
    rule: Arc<Rule>,
    asked: Instant,
    answer: Option<(Instant, Values)>,
}

impl Far {
    /// By which values a rule is judged; `None`: nobody has said it yet.
    pub fn values(&self, rule: &Rule, now: Instant) -> Option<Values> {
        let known = self.known();
        let same = |of: &&OfRule| std::ptr::eq(&*of.rule, rule) || *of.rule == *rule;
        let of = known.of.get(&rule.name).filter(same)?;
        let (at, values) = of.answer.as_ref()?;
        Some(match now.saturating_duration_since(*at) > STALE {
            true => Arc::new([]),
            false => values.clone(),
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
        let failed = waits.or_else(|| known.failed.clone()).map(|why| {
            format!(
                "rules with a window of more than an hour: {why}; what was known last counts for \
                 {} minutes",
                STALE.as_secs() / 60
            )
        });
        failed.into_iter().chain(known.notes.clone()).collect()
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
        let together = due.iter().filter(|rule| {
            rule.window_seconds == first.window_seconds
                && asked(rule).is_none() == asked(first).is_none()
        });
        together
            .take(MOST_AT_ONCE)
            .map(|rule| (*rule).clone())
            .collect()
    }

    /// Asks about some that are due; false: none is.
    fn ask(&self, rules: &[Arc<Rule>], answerer: &dyn Answerer) -> bool {
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
        let answer = answerer.rule_values(&asked);
        self.take(due, answer, Instant::now());
        true
    }

    fn take(&self, asked: Vec<Arc<Rule>>, answer: Result<RuleValues, AskError>, now: Instant) {
        let mut known = self.known();
        known.asking = None;
        let values = match answer {
            Ok(answer) => {
                known.failed = None;
                known.notes = answer.notes.into_iter().map(|note| note.text).collect();
                answer.rules
            }
            Err(error) => {
                known.failed = Some(told(&error));
                Vec::new()
            }
        };
        let mut values = values.into_iter();
        for rule in asked {
            let values = values.next().flatten().map(|values| {
                let values = values.into_iter();
                let values = values.map(|it| ((it.source.into(), it.name.into()), it.value));
                (now, values.collect())
            });
            let before = known.of.remove(&rule.name);
            let before = before.filter(|before| *before.rule == *rule);
            let of = OfRule {
                asked: now,
                answer: values.or(before.and_then(|before| before.answer)),
                rule: rule.clone(),
            };
            known.of.insert(rule.name.clone(), of);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With what lies below it.
fn told(error: &AskError) -> String {
    let mut text = error.to_string();
    let mut below = std::error::Error::source(error);
    while let Some(error) = below {
        text.push_str(&format!(": {error}"));
        below = error.source();
    }
    text
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
            // What is wrong with them those who look at them say.
            let _ = watch.renew();
            loop {
                let began = Instant::now();
                let mut more = true;
                while more && began.elapsed() < TURN {
                    let rules = watch.book().far();
                    more = watch.far().ask(&rules, &*answerer);
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
