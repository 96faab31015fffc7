//! What each channel was told of, what it is to be told, and when. Pure: time
//! and chance come in with the calls.
//!
//! For each alert it is held how it stands, and for each channel of what it was
//! told last. Where the two differ, the channel is due: so what changes back and
//! forth while a channel is down is told once, as it is then.

mod kept;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tachograph_model::UnixNanos;
use tachograph_model::alert::Notice;

pub use self::kept::KeptPost;
use super::item::{Item, Key, Notification};
use super::words::severity;
use super::{Again, Channel, Channels, Failure, Terms};
use crate::alert::Told;
use crate::alert::silence::{self, Silence};

/// Alerts that wait for one channel; of more the oldest are given up.
pub(super) const MOST_WAITING: usize = 1000;
/// Alerts that one notification shows.
const MOST_SHOWN: usize = 50;
/// Alerts that one push holds.
const MOST_PUSHED: usize = 500;
/// Until it is tried again, first and at the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// All of it.
pub(super) struct Outbox {
    channels: Vec<OfChannel>,
    alerts: BTreeMap<Key, Alert>,
    silences: Vec<Silence>,
    /// What was taken is not kept yet: until then nobody is told.
    pub(super) held: bool,
}

struct Alert {
    item: Item,
    /// In the order of the channels; `None`: it is not for that one.
    standing: Vec<Option<Standing>>,
}

/// State and beginning of an alert, as a channel was told of it.
pub(super) type Known = (Notice, UnixNanos);

/// What one channel knows of one alert.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Standing {
    /// What it was told of last, if of anything.
    #[serde(default)]
    told: Option<Known>,
    /// When that was.
    #[serde(default)]
    at: UnixNanos,
    /// Since when it is tried in vain.
    #[serde(skip)]
    tried: Option<UnixNanos>,
}

struct OfChannel {
    channel: Arc<Channel>,
    /// When each group was told of last.
    groups: HashMap<String, UnixNanos>,
    /// When each group was tried last, of those that it was told of in vain.
    in_vain: HashMap<String, UnixNanos>,
    /// Tries in vain, now without a break, and when the next one is.
    tries: u32,
    next: UnixNanos,
    pub(super) facts: Facts,
}

/// How it goes with a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) last_ok: Option<UnixNanos>,
    pub(super) last_error: Option<String>,
    pub(super) last_error_at: Option<UnixNanos>,
    /// Alerts that it was never told of.
    #[serde(default)]
    pub(super) undelivered: u64,
}

/// What a channel is to do.
#[derive(Debug)]
pub(super) enum Due {
    Send(Batch),
    /// Nothing until then, unless something comes; `None`: unless it does.
    Wait(Option<UnixNanos>),
}

/// What a channel is to be told at once.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) notification: Notification,
    /// All that it tells of, shown or not, as it stands.
    told: Vec<(Key, Known)>,
}

/// An alert that a channel will not be told of any more.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lost {
    pub(super) item: Item,
    pub(super) why: String,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// What of it the channel is not to be told of again as it stands, delivered
    /// or given up.
    pub(super) settled: Vec<(Key, Known)>,
    /// What of that is news that it never got.
    pub(super) lost: Vec<Lost>,
}

impl Outbox {
    pub(super) fn new(channels: &Channels) -> Self {
        let channels = channels.iter().map(|channel| OfChannel {
            channel: channel.clone(),
            groups: HashMap::new(),
            in_vain: HashMap::new(),
            tries: 0,
            next: UnixNanos(0),
            facts: Facts::default(),
        });
        Self {
            channels: channels.collect(),
            alerts: BTreeMap::new(),
            silences: Vec::new(),
            held: false,
        }
    }

    /// Takes what people are to be told. Returns what of other news there is no
    /// room for, by channel.
    pub(super) fn take(&mut self, news: &[Told], now: UnixNanos) -> Vec<(usize, Lost)> {
        for told in news {
            let item = Item::of(told);
            let key = item.key();
            if !item.is_firing() {
                // Of what was never told of, not even in vain, nobody asks.
                if let Some(alert) = self.alerts.get_mut(&key) {
                    alert.item.status = item.status;
                    alert.item.resolved_at = item.resolved_at;
                    alert.item.value = item.value;
                }
                continue;
            }
            let channels = self.channels.iter();
            let before = self.alerts.remove(&key).map(|alert| alert.standing);
            let before = before.unwrap_or_else(|| vec![None; self.channels.len()]);
            let standing = channels.zip(before).map(|(of, before)| {
                let new = || of.channel.wants(&item).then(Standing::default);
                before.or_else(new)
            });
            let standing = standing.collect();
            self.alerts.insert(key, Alert { item, standing });
        }
        match news.is_empty() {
            true => Vec::new(),
            false => (0..self.channels.len())
                .flat_map(|at| self.make_room(at, now))
                .collect(),
        }
    }

    fn make_room(&mut self, at: usize, now: UnixNanos) -> Vec<(usize, Lost)> {
        let waiting = self.alerts.iter().filter(|(_, alert)| alert.is_news(at));
        if waiting.clone().count() <= MOST_WAITING {
            return Vec::new();
        }
        // What is silenced waits for its silence to end, and not for the channel.
        let waiting = waiting.filter(|(_, alert)| self.silenced(&alert.item, now).is_none());
        let mut waiting: Vec<_> = waiting
            .map(|(key, alert)| (alert.item.fired_at, key.clone()))
            .collect();
        let over = waiting.len().saturating_sub(MOST_WAITING);
        if over == 0 {
            return Vec::new();
        }
        waiting.sort();
        let mut lost = Vec::new();
        for (_, key) in waiting.into_iter().take(over) {
            if let Some(alert) = self.alerts.get_mut(&key) {
                alert.settle(at, now);
                let why = format!("more than {MOST_WAITING} alerts wait for this channel");
                let item = alert.item.clone();
                lost.push((at, Lost { item, why }));
            }
        }
        self.channels[at].facts.undelivered += lost.len() as u64;
        self.forget();
        lost
    }

    /// Takes the silences that there are now; true: they are others than before.
    pub(super) fn set_silences(&mut self, silences: Vec<Silence>) -> bool {
        let others = self.silences != silences;
        if others {
            self.settle_silenced();
        }
        self.silences = silences;
        others
    }

    /// Forgets those that are over; true: there were any.
    pub(super) fn end_silences(&mut self, clock: UnixNanos) -> bool {
        let any = self.silences.iter().any(|silence| silence.until <= clock);
        if any {
            self.settle_silenced();
            self.silences.retain(|silence| silence.until > clock);
        }
        any
    }

    /// What came and went in silence is nothing to tell when the silence ends.
    fn settle_silenced(&mut self) {
        let Self {
            silences, alerts, ..
        } = self;
        for alert in alerts.values_mut() {
            let Item {
                rule, source, name, ..
            } = &alert.item;
            // Of those that are over none is here any more.
            let silent = silence::until(silences, rule, source, name, UnixNanos(0));
            if alert.item.is_firing() || silent.is_none() {
                continue;
            }
            let over = (alert.item.status, alert.item.fired_at);
            for standing in alert.standing.iter_mut().flatten() {
                standing.told.get_or_insert(over);
            }
        }
        self.forget();
    }

    /// The silences.
    pub(super) fn silences(&self) -> &[Silence] {
        &self.silences
    }

    /// Until when nobody is told of an alert; `None`: people are.
    fn silenced(&self, item: &Item, now: UnixNanos) -> Option<UnixNanos> {
        silence::until(&self.silences, &item.rule, &item.source, &item.name, now)
    }

    /// How it goes with a channel, and how many alerts wait for it.
    pub(super) fn facts(&self, at: usize) -> (&Facts, usize) {
        let waiting = self.alerts.values().filter(|alert| alert.is_news(at));
        (&self.channels[at].facts, waiting.count())
    }

    /// What a channel is to do now.
    pub(super) fn due(&mut self, at: usize, now: UnixNanos) -> Due {
        let of = &self.channels[at];
        if self.held {
            return Due::Wait(None);
        }
        let terms = &of.channel.terms;
        let mut found = Found::default();
        let mut settled = Vec::new();
        for (key, alert) in &self.alerts {
            let Some(standing) = &alert.standing[at] else {
                continue;
            };
            let item = &alert.item;
            let news = alert.is_news(at);
            let silent = self.silenced(item, now);
            // A state that it knows is held up, or it would end by itself.
            let quiet = match (silent, news) {
                (Some(_), true) => true,
                (Some(_), false) => !terms.is_state,
                (None, _) => false,
            };
            if quiet {
                // What came and went in silence is nothing to tell.
                let over = !item.is_firing() && standing.told.is_none();
                settled.extend(over.then(|| key.clone()));
                found.look_at(silent);
                continue;
            }
            if let Some(ready) = when(terms, of, alert, standing, news) {
                found.take(terms, key, item, ready, now);
            }
        }
        for key in &settled {
            if let Some(alert) = self.alerts.get_mut(key) {
                alert.settle(at, now);
            }
        }
        if !settled.is_empty() {
            self.forget();
        }
        let OfChannel { in_vain, next, .. } = &self.channels[at];
        // What fails again and again keeps nobody from the rest.
        let groups = found.keys.iter().map(|(group, _)| group);
        let group = groups.min_by_key(|group| in_vain.get(*group).copied());
        let (group, next) = (group.cloned(), *next);
        match group {
            Some(_) if next > now => Due::Wait(Some(next)),
            Some(group) => Due::Send(self.batch(at, group, found.keys, now)),
            None => Due::Wait(found.later.map(|later| later.max(next))),
        }
    }

    fn batch(&self, at: usize, group: String, keys: Vec<(String, Key)>, now: UnixNanos) -> Batch {
        let of = &self.channels[at];
        let most = match of.channel.terms.is_state {
            true => MOST_PUSHED,
            false => usize::MAX,
        };
        let keys = keys.into_iter().filter(|(of, _)| *of == group).take(most);
        let mut keys: Vec<Key> = keys.map(|(_, key)| key).collect();
        let known = |key: &Key| self.alerts.get(key).is_some_and(|alert| !alert.is_news(at));
        if !of.channel.terms.is_state && keys.iter().any(known) {
            // What is told again is told as a whole.
            let whole = self.alerts.iter().filter(|(_, alert)| {
                let item = &alert.item;
                let known = alert.standing[at].is_some() && !alert.is_news(at);
                let told = item.is_firing() && item.together() == group && known;
                told && self.silenced(item, now).is_none()
            });
            let whole = whole.map(|(key, _)| key.clone());
            keys.extend(whole);
            keys.sort();
            keys.dedup();
        }
        let alerts = keys.iter().filter_map(|key| self.alerts.get(key));
        let mut alerts: Vec<Item> = alerts.map(|alert| alert.item.clone()).collect();
        alerts.sort_by_key(|item| {
            let severe = std::cmp::Reverse(severity(&item.severity));
            (!item.is_firing(), severe, item.fired_at)
        });
        let shown = if of.channel.terms.is_state {
            MOST_PUSHED
        } else {
            MOST_SHOWN
        };
        let more = alerts.len().saturating_sub(shown);
        let told = alerts.iter();
        let told = told.map(|item| (item.key(), (item.status, item.fired_at)));
        let told = told.collect();
        alerts.truncate(shown);
        Batch {
            notification: Notification {
                group,
                alerts,
                more,
                link: None,
                instance: of.channel.terms.instance.clone(),
                test: false,
                at: now,
            },
            told,
        }
    }

    /// Takes what became of it. `dice` is any number from 0 to 1.
    pub(super) fn done(
        &mut self,
        at: usize,
        batch: &Batch,
        result: &Result<(), Failure>,
        (now, clock): (UnixNanos, UnixNanos),
        dice: f64,
    ) -> Done {
        let of = &mut self.channels[at];
        of.groups.insert(batch.notification.group.clone(), now);
        let group = nanos(of.channel.terms.group);
        of.groups.retain(|_, told| now.0 - told.0 < group);
        let mut done = Done::default();
        match result {
            Ok(()) => {
                (of.tries, of.next) = (0, UnixNanos(0));
                of.in_vain.remove(&batch.notification.group);
                of.facts.last_ok = Some(clock);
                of.facts.last_error = None;
                of.facts.last_error_at = None;
                for (key, told) in &batch.told {
                    if let Some(standing) = self.standing(at, key) {
                        standing.told = Some(*told);
                        standing.at = now;
                        standing.tried = None;
                    }
                }
                done.settled.clone_from(&batch.told);
            }
            Err(failure) => {
                // The group was not told of.
                of.groups.remove(&batch.notification.group);
                of.tries = of.tries.saturating_add(1);
                let is_state = of.channel.terms.is_state;
                let most = if is_state {
                    of.channel.terms.repeat
                } else {
                    LONGEST_WAIT
                };
                let wait = backoff(of.tries, most, dice);
                let wait = match failure.again {
                    Again::After(patience) => wait.max(patience),
                    _ => wait,
                };
                of.next = UnixNanos(now.0.saturating_add(nanos(wait)));
                of.facts.last_error = Some(failure.what.clone());
                of.facts.last_error_at = Some(clock);
                let retry_for = nanos(of.channel.terms.retry_for);
                let group = batch.notification.group.clone();
                of.in_vain.insert(group, now);
                of.in_vain
                    .retain(|_, tried| now.0.saturating_sub(tried.0) <= retry_for);
                if failure.again == Again::Never {
                    // The next alert may go well: it is another message.
                    of.next = UnixNanos(0);
                }
                for (key, told) in &batch.told {
                    let Some(alert) = self.alerts.get_mut(key) else {
                        // It is over and settled for all, and so forgotten.
                        done.settled.push((key.clone(), *told));
                        continue;
                    };
                    let news = alert.is_news(at);
                    let Some(standing) = &mut alert.standing[at] else {
                        continue;
                    };
                    let tried = standing.tried.get_or_insert(now).0;
                    let over = now.0.saturating_sub(tried) >= retry_for;
                    if failure.again != Again::Never && !over {
                        continue;
                    }
                    standing.told = Some(*told);
                    standing.at = now;
                    standing.tried = None;
                    done.settled.push((key.clone(), *told));
                    if news {
                        let (item, why) = (alert.item.clone(), failure.what.clone());
                        done.lost.push(Lost { item, why });
                    }
                }
                self.channels[at].facts.undelivered += done.lost.len() as u64;
            }
        }
        self.forget();
        done
    }

    fn standing(&mut self, at: usize, key: &Key) -> Option<&mut Standing> {
        self.alerts.get_mut(key)?.standing[at].as_mut()
    }

    /// What is over, and told of to all, is forgotten.
    fn forget(&mut self) {
        let channels = self.channels.len();
        self.alerts
            .retain(|_, alert| alert.item.is_firing() || (0..channels).any(|at| alert.is_news(at)));
    }
}

/// When a channel is to be told of an alert; `None`: not until it changes.
fn when(
    terms: &Terms,
    of: &OfChannel,
    alert: &Alert,
    standing: &Standing,
    news: bool,
) -> Option<UnixNanos> {
    let item = &alert.item;
    let repeated = item.is_firing() && !terms.repeat.is_zero();
    match (news, terms.is_state) {
        (true, true) => Some(UnixNanos(0)),
        (true, false) => {
            let last = of.groups.get(item.together());
            let ready = last.map_or(0, |last| last.0.saturating_add(nanos(terms.group)));
            Some(UnixNanos(ready))
        }
        (false, _) if repeated => {
            Some(UnixNanos(standing.at.0.saturating_add(nanos(terms.repeat))))
        }
        (false, _) => None,
    }
}

/// What is due.
#[derive(Default)]
struct Found {
    /// What is ready now, with its group.
    keys: Vec<(String, Key)>,
    later: Option<UnixNanos>,
}

impl Found {
    fn take(&mut self, terms: &Terms, key: &Key, item: &Item, ready: UnixNanos, now: UnixNanos) {
        if ready > now {
            return self.look_at(Some(ready));
        }
        let group = if terms.is_state { "" } else { item.together() };
        self.keys.push((group.to_owned(), key.clone()));
    }

    fn look_at(&mut self, at: Option<UnixNanos>) {
        self.later = self.later.into_iter().chain(at).min();
    }
}

impl Alert {
    /// Whether a channel does not know yet how it stands.
    fn is_news(&self, at: usize) -> bool {
        let now = (self.item.status, self.item.fired_at);
        let standing = self.standing[at].as_ref();
        standing.is_some_and(|standing| standing.told != Some(now))
    }

    /// Takes it as told of.
    fn settle(&mut self, at: usize, now: UnixNanos) {
        let told = (self.item.status, self.item.fired_at);
        if let Some(standing) = &mut self.standing[at] {
            standing.told = Some(told);
            standing.at = now;
            standing.tried = None;
        }
    }
}

/// Twice as long each time, from a second on, a fifth more or less, so that
/// many who wait for one server do not come back as one.
fn backoff(tries: u32, most: Duration, dice: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled.min(most).mul_f64(0.8 + 0.4 * dice.clamp(0.0, 1.0))
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
