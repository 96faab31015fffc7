//! What clients of one stream are told, and what each of them knows already.
//! Pure: readings and time come in with the calls.
//!
//! Of each series the state knows by which number it changed last, and of those
//! that are gone when they went. What a client lacks follows from the number of
//! the message it had last; nothing is kept for it.
//!
//! # Invariants
//! - A snapshot, and all deltas after it, make the next snapshot.
//! - A number is given once while the server runs, and none of an earlier run:
//!   one that was not given here is told everything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::time::Instant;

use crate::api::live::Series;
use crate::live::{Family, Windowed};

/// So long a client may be away and be told what changed meanwhile.
const MEMORY: Duration = Duration::from_secs(60);
/// So often something is said at least, so that silence means a broken line.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// A look at everything.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) at: Instant,
    pub(super) timestamp: String,
    /// Of each family of the stream, in its order.
    pub(super) families: Vec<Vec<Windowed>>,
    /// As JSON.
    pub(super) overview: String,
    /// As JSON.
    pub(super) alerts: String,
}

/// What is known now.
#[derive(Debug)]
pub(super) struct State {
    /// Which server this is, and of which window figures are.
    epoch: Arc<str>,
    window_seconds: u64,
    families: Vec<OfFamily>,
    overview: String,
    alerts: String,
    timestamp: String,
    /// The number of the newest message; `None`: there is none yet.
    seq: Option<u64>,
    /// When that was looked at, and when the last one that was something new.
    looked: Option<Instant>,
    given: VecDeque<(u64, Instant)>,
}

/// Source and name.
type Key = (Arc<str>, Arc<str>);

#[derive(Debug)]
struct OfFamily {
    family: Family,
    shown: BTreeMap<Key, Shown>,
    gone: BTreeMap<Key, u64>,
}

#[derive(Debug)]
struct Shown {
    window: Windowed,
    json: Box<str>,
    changed: u64,
    /// At which look it was there last.
    looked: Instant,
}

impl State {
    pub(super) fn new(epoch: Arc<str>, families: &[Family], window: Duration) -> Self {
        let families = families.iter().map(|family| OfFamily {
            family: *family,
            shown: BTreeMap::new(),
            gone: BTreeMap::new(),
        });
        Self {
            epoch,
            window_seconds: window.as_secs(),
            families: families.collect(),
            overview: String::new(),
            alerts: String::new(),
            timestamp: String::new(),
            seq: None,
            looked: None,
            given: VecDeque::new(),
        }
    }

    /// When it was looked last.
    pub(super) fn looked(&self) -> Option<Instant> {
        self.looked
    }

    /// The number of the newest message.
    pub(super) fn seq(&self) -> Option<u64> {
        self.seq
    }

    /// Takes a look in; `number` is the next message's if there is one.
    pub(super) fn take(&mut self, look: Look, number: impl FnOnce() -> u64) {
        // A look that took long may have been overtaken.
        if self.looked.is_some_and(|looked| look.at <= looked) {
            return;
        }
        self.looked = Some(look.at);
        let next = match self.is_new(&look) || self.is_silent(look.at) {
            true => number(),
            false => return,
        };
        for (of, windows) in self.families.iter_mut().zip(look.families) {
            of.take(windows, look.at, next);
        }
        (self.overview, self.alerts) = (look.overview, look.alerts);
        self.timestamp = look.timestamp;
        self.seq = Some(next);
        self.given.push_back((next, look.at));
        self.forget(look.at);
    }

    fn is_new(&self, look: &Look) -> bool {
        let mut families = self.families.iter().zip(&look.families);
        self.overview != look.overview
            || self.alerts != look.alerts
            || families.any(|(of, windows)| of.is_new(windows))
    }

    fn is_silent(&self, now: Instant) -> bool {
        let last = self.given.back();
        last.is_none_or(|(_, at)| now.duration_since(*at) >= KEEP_ALIVE)
    }

    /// The newest number of a client that has been away for longer is not known.
    fn forget(&mut self, now: Instant) {
        while self.given.len() > 1
            && let Some((_, at)) = self.given.front()
            && now.duration_since(*at) > MEMORY
        {
            self.given.pop_front();
        }
        let oldest = self.given.front().map_or(0, |(seq, _)| *seq);
        for of in &mut self.families {
            of.gone.retain(|_, seq| *seq > oldest);
        }
    }

    /// That number, if it is of a message that what came after is known of.
    pub(super) fn given(&self, known: Option<u64>) -> Option<u64> {
        let of = |known: &u64| self.given.binary_search_by_key(known, |(seq, _)| *seq);
        known.filter(|known| of(known).is_ok())
    }

    /// What a client lacks whose newest message has that number, and the number
    /// of what it has then; nothing before there is anything. Made anew: what many
    /// ask for is for the caller to keep.
    pub(super) fn since(&self, known: Option<u64>) -> Option<(u64, Utf8Bytes)> {
        let seq = self.seq?;
        let text = match self.given(known) {
            Some(known) => self.message("delta", Some(known)),
            None => self.message("snapshot", None),
        };
        Some((seq, text.into()))
    }

    fn message(&self, kind: &str, since: Option<u64>) -> String {
        let (mut families, mut gone) = (String::new(), String::new());
        for of in &self.families {
            let changed = |seq: u64| since.is_none_or(|since| seq > since);
            let shown = of.shown.values().filter(|it| changed(it.changed));
            let shown: Vec<&str> = shown.map(|it| &*it.json).collect();
            if since.is_none() || !shown.is_empty() {
                put(&mut families, of.family, &shown.join(","));
            }
            // Who is told everything knows of none that is gone.
            let went = of.gone.iter().filter(|(_, seq)| changed(**seq));
            let went: Vec<String> = went
                .filter(|_| since.is_some())
                .map(|(key, _)| serde_json::json!([*key.0, *key.1]).to_string())
                .collect();
            if !went.is_empty() {
                put(&mut gone, of.family, &went.join(","));
            }
        }
        let Self {
            epoch,
            window_seconds,
            overview,
            alerts,
            timestamp,
            ..
        } = self;
        let seq = self.seq.unwrap_or_default();
        format!(
            r#"{{"type":"{kind}","epoch":"{epoch}","seq":{seq},"timestamp":"{timestamp}","window_seconds":{window_seconds},"families":{{{families}}},"gone":{{{gone}}},"overview":{overview},"alerts":{alerts}}}"#
        )
    }
}

/// One more member, a list.
fn put(object: &mut String, family: Family, list: &str) {
    if !object.is_empty() {
        object.push(',');
    }
    object.push_str(&format!(r#""{}":[{list}]"#, family.name()));
}

impl OfFamily {
    fn is_new(&self, windows: &[Windowed]) -> bool {
        let mut windows = windows.iter();
        self.shown.len() != windows.len() || windows.any(|window| !self.has(window))
    }

    fn has(&self, window: &Windowed) -> bool {
        let shown = self.shown.get(&key(window));
        shown.is_some_and(|shown| shown.window == *window)
    }

    fn take(&mut self, windows: Vec<Windowed>, at: Instant, seq: u64) {
        for window in windows {
            let key = key(&window);
            if let Some(shown) = self.shown.get_mut(&key)
                && shown.window == window
            {
                shown.looked = at;
                continue;
            }
            // Numbers, texts and times always are JSON.
            let json = serde_json::to_string(&Series::of(self.family, &window));
            let shown = Shown {
                json: json.unwrap_or_default().into(),
                changed: seq,
                looked: at,
                window,
            };
            self.gone.remove(&key);
            self.shown.insert(key, shown);
        }
        let gone = self.shown.extract_if(.., |_, shown| shown.looked < at);
        self.gone.extend(gone.map(|(key, _)| (key, seq)));
    }
}

fn key(window: &Windowed) -> Key {
    (window.source.clone(), window.name.clone())
}
