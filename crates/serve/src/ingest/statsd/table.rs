//! What StatsD's lines add up to between two flushes.
//!
//! Counters, gauges and sets are one event for each series and flush: a counter
//! what it grew by, a gauge its last value, a set how many members it had. That
//! is all they say, and a program may well count 100 000 times a second.
//! Timings, histograms and distributions are one event for each measurement,
//! because quantiles cannot be had from means; one that is sampled stands for
//! as many as its rate says. Timings come in milliseconds and are told in seconds,
//! as durations of every other source are.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use tachograph_model::line::Template;
use tachograph_model::{Column, Event, Salt, UnixNanos};

use crate::ingest::journal::Lines;
use crate::normal::identity::Identities;
use crate::normal::names::plain;
use crate::wire::statsd::{Kind, Metric, Value};

/// Series remembered.
const MAX_SERIES: usize = 10_000;
/// Members of all sets that are told apart between two flushes.
const MAX_MEMBERS: usize = 100_000;
/// Bytes of a series' name, type and tags.
const MAX_KEY_BYTES: usize = 4096;
/// After so many flushes without a line a series is forgotten; with it a
/// gauge's last value, to which changes are added.
const IDLE_FLUSHES: u32 = 360;

/// All series.
#[derive(Debug)]
pub(super) struct Table {
    identities: Identities,
    held: HashMap<Box<[u8]>, Held>,
    key: Vec<u8>,
    hasher: RandomState,
    members: usize,
    flushes: u32,
    /// What waits to be handed over.
    pub(super) lines: Lines,
}

#[derive(Debug)]
struct Held {
    template: Template,
    /// At which flush it was written to last.
    used: u32,
    /// It has something to tell.
    fresh: bool,
    /// A counter's growth, or a gauge's value.
    value: f64,
    members: HashSet<u64>,
}

/// Why a metric is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("its name is empty, longer than 200 bytes, or has control characters")]
    Name,
    #[error("name and tags have more than {MAX_KEY_BYTES} bytes")]
    TooLong,
    #[error("there are too many series or members of sets")]
    TooMany,
    #[error("its timestamp is before 2000 or more than 30 days ahead")]
    Time,
}

impl Table {
    /// Begins with the installation's secret.
    pub(super) fn new(salt: Salt) -> Self {
        Self {
            identities: Identities::new(salt),
            held: HashMap::new(),
            key: Vec::new(),
            hasher: RandomState::new(),
            members: 0,
            flushes: 0,
            lines: Lines::default(),
        }
    }

    /// Takes a metric that came `now`; its own times must lie in `times`.
    ///
    /// # Errors
    /// [`Refusal`]; then nothing of it counts, or of a set the members before.
    pub(super) fn take(
        &mut self,
        metric: Metric<'_>,
        now: UnixNanos,
        times: std::ops::RangeInclusive<i64>,
    ) -> Result<(), Refusal> {
        let time = match metric.time {
            None => None,
            Some(seconds) => {
                let time = seconds.checked_mul(1_000_000_000);
                let time = time.filter(|time| times.contains(time));
                Some(UnixNanos(time.ok_or(Refusal::Time)?))
            }
        };
        self.key.clear();
        for part in [kind_name(metric.kind), metric.name, metric.tags] {
            self.key.extend_from_slice(part.as_bytes());
            self.key.push(b'|');
        }
        if !self.held.contains_key(&*self.key) {
            self.learn(metric)?;
        }
        let Some(held) = self.held.get_mut(&*self.key) else {
            return Ok(());
        };
        held.used = self.flushes;
        for value in metric.values().flatten() {
            match (metric.kind, value, time) {
                (Kind::Counter, Value::Number(number), Some(time)) => {
                    held.write(time, &[number / metric.rate], &mut self.lines);
                }
                (Kind::Counter, Value::Number(number), None) => {
                    held.value += number / metric.rate;
                    held.fresh = true;
                }
                (Kind::Gauge, Value::Number(number), time) => {
                    held.level(number, time, &mut self.lines);
                }
                (Kind::Gauge, Value::Change(change), time) => {
                    held.level(held.value + change, time, &mut self.lines);
                }
                (Kind::Set, Value::Member(member), _) => {
                    if self.members >= MAX_MEMBERS {
                        return Err(Refusal::TooMany);
                    }
                    let member = self.hasher.hash_one(member);
                    self.members += usize::from(held.members.insert(member));
                    held.fresh = true;
                }
                (_, Value::Number(number) | Value::Change(number), time) => {
                    let count = (1.0 / metric.rate).round();
                    let number = match metric.kind {
                        Kind::Timing => number / 1000.0,
                        _ => number,
                    };
                    held.write(time.unwrap_or(now), &[number, count], &mut self.lines);
                }
                (_, Value::Member(_), _) => {}
            }
        }
        Ok(())
    }

    /// Writes what counters, gauges and sets have to tell.
    pub(super) fn flush(&mut self, now: UnixNanos) {
        self.flushes = self.flushes.wrapping_add(1);
        let Self {
            held,
            lines,
            flushes,
            ..
        } = self;
        held.retain(|key, held| {
            if std::mem::take(&mut held.fresh) {
                let (value, tells) = match key.first() {
                    Some(b'c') => {
                        let grown = std::mem::take(&mut held.value);
                        (grown, grown != 0.0)
                    }
                    Some(b's') => (std::mem::take(&mut held.members).len() as f64, true),
                    _ => (held.value, true),
                };
                if tells {
                    held.write(now, &[value], lines);
                }
            }
            flushes.wrapping_sub(held.used) <= IDLE_FLUSHES
        });
        self.members = 0;
    }

    fn learn(&mut self, metric: Metric<'_>) -> Result<(), Refusal> {
        let name = plain(metric.name).ok_or(Refusal::Name)?;
        if self.key.len() > MAX_KEY_BYTES {
            return Err(Refusal::TooLong);
        }
        if self.held.len() >= MAX_SERIES {
            return Err(Refusal::TooMany);
        }
        let held = Held {
            template: template(name, metric, &mut self.identities),
            used: self.flushes,
            fresh: false,
            value: 0.0,
            members: HashSet::new(),
        };
        self.held.insert(self.key.as_slice().into(), held);
        Ok(())
    }
}

impl Held {
    fn level(&mut self, value: f64, time: Option<UnixNanos>, lines: &mut Lines) {
        self.value = value;
        match time {
            Some(time) => self.write(time, &[value], lines),
            None => self.fresh = true,
        }
    }

    fn write(&self, time: UnixNanos, numbers: &[f64], lines: &mut Lines) {
        // A sum may be more than a number can be.
        if numbers.iter().all(|number| number.is_finite()) {
            self.template.write(&mut lines.bytes, time, numbers);
            lines.count += 1;
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "c",
        Kind::Gauge => "g",
        Kind::Timing => "ms",
        Kind::Distribution => "h",
        Kind::Set => "s",
    }
}

/// `agent.queue.depth` is `queue.depth` of `agent`, as OTLP's names are.
fn template(name: &str, metric: Metric<'_>, identities: &mut Identities) -> Template {
    let name = &*identities.name(name);
    let (source, name) = match name.split_once('.') {
        Some((source, name)) if !source.is_empty() && !name.is_empty() => (source, name),
        _ => ("statsd", name),
    };
    let (kind, unit) = match metric.kind {
        Kind::Counter => ("counter", None),
        Kind::Gauge | Kind::Set => ("gauge", None),
        Kind::Timing => ("histogram", Some("s")),
        Kind::Distribution => ("histogram", None),
    };
    let mut event = Event::new(UnixNanos(0), "metric")
        .with(Column::Source, source)
        .with(Column::Name, name)
        .with(Column::Type, kind);
    event.set(Column::Unit, unit.map(Into::into));
    let tags: serde_json::Map<_, _> = metric
        .tags()
        .filter_map(|(name, value)| identities.tag(name, value))
        .collect();
    let tags = (!tags.is_empty()).then_some(tachograph_model::Value::Json(Box::new(tags)));
    event.set(Column::Tags, tags);
    let open: &[Column] = match metric.kind {
        Kind::Timing | Kind::Distribution => &[Column::Value, Column::Count],
        Kind::Counter | Kind::Gauge | Kind::Set => &[Column::Value],
    };
    Template::new(&event, open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::statsd::line;

    const NOW: UnixNanos = UnixNanos(1_763_636_400_000_000_000);

    fn table() -> Table {
        Table::new(Salt::new([1; 32]))
    }

    fn take(table: &mut Table, text: &str) -> Result<(), Refusal> {
        let metric = line(text.as_bytes()).expect(text).expect("a metric");
        table.take(metric, NOW, 0..=NOW.0)
    }

    /// What is written from the type on, in the order of its letters.
    fn written(table: &mut Table) -> Vec<String> {
        let lines = std::mem::take(&mut table.lines);
        let text = String::from_utf8(lines.bytes).expect("UTF-8");
        assert_eq!(text.lines().count() as u64, lines.count);
        let rest = |line: &str| {
            let (_, rest) = line.split_once("\"source\":").expect("a source");
            rest.replace('"', "").trim_end_matches('}').to_owned()
        };
        let mut found: Vec<String> = text.lines().map(rest).collect();
        found.sort();
        found
    }

    #[test]
    fn series_add_up_until_the_flush() {
        let mut table = table();
        let mut check = |lines: &[&str], at_once: &[&str], flushed: &[&str]| {
            for text in lines {
                assert_eq!(take(&mut table, text), Ok(()), "{text}");
            }
            assert_eq!(written(&mut table), at_once, "{lines:?}");
            table.flush(NOW);
            assert_eq!(written(&mut table), flushed, "{lines:?}");
        };
        check(
            &[
                "agent.calls:1|c",
                "agent.calls:2:3|c",
                "agent.calls:1|c|@0.5",
            ],
            &[],
            &["agent,name:calls,type:counter,value:8.0"],
        );
        check(&[], &[], &[]);
        check(
            &["queue:7|g", "queue:+3|g", "queue:-1|g", "queue:0.5|g|#a:b"],
            &[],
            &[
                "statsd,name:queue,type:gauge,value:0.5,tags:{a:b",
                "statsd,name:queue,type:gauge,value:9.0",
            ],
        );
        check(
            &["queue:+1|g"],
            &[],
            &["statsd,name:queue,type:gauge,value:10.0"],
        );
        check(
            &["a.users:x|s", "a.users:y|s", "a.users:x|s"],
            &[],
            &["a,name:users,type:gauge,value:2.0"],
        );
        check(
            &["a.t:320|ms", "a.t:10:20|ms|@0.1", "a.d:-1.5|d", "a.d:2|h"],
            &[
                "a,name:d,type:histogram,value:-1.5,count:1",
                "a,name:d,type:histogram,value:2.0,count:1",
                "a,name:t,type:histogram,value:0.01,unit:s,count:10",
                "a,name:t,type:histogram,value:0.02,unit:s,count:10",
                "a,name:t,type:histogram,value:0.32,unit:s,count:1",
            ],
            &[],
        );
        // What has a time of its own is not added up.
        check(
            &["a.c:1|c|T1656581400", "a.g:5|g|T1656581400", "a.g:+1|g"],
            &[
                "a,name:c,type:counter,value:1.0",
                "a,name:g,type:gauge,value:5.0",
            ],
            &["a,name:g,type:gauge,value:6.0"],
        );
        check(&["x:1e308|c", "x:1e308|c"], &[], &[]);
        check(&["x:1|c", "x:-1|c"], &[], &[]);
    }

    #[test]
    fn identities_are_hashed_and_texts_stay_out() {
        let mut table = table();
        let text =
            "a:1|c|#user:alice,region:eu,prompt:alice,canary,alice@example.org,/home/alice|c:alice";
        take(&mut table, text).expect("taken");
        table.flush(NOW);
        let alice = Salt::new([1; 32]).hash("alice");
        let tags = format!("tags:{{user:{alice},region:eu,canary:true");
        assert_eq!(
            written(&mut table),
            [format!("statsd,name:a,type:counter,value:1.0,{tags}")]
        );
        let keys = "instance pod ip client_ip uri cmdline gen_ai.input.messages question bearer";
        let tags: Vec<String> = keys.split(' ').map(|key| format!("{key}:SECRET")).collect();
        for text in [
            format!("a:1|c|#{},odd:/home/SECRET,/home/SECRET:x", tags.join(",")),
            "/home/SECRET/x.y:1|c".to_owned(),
            "SECRET@example.org:1|c".to_owned(),
        ] {
            take(&mut table, &text).expect("taken");
            table.flush(NOW);
            let lines = written(&mut table);
            assert!(
                lines.len() == 1 && !lines[0].contains("SECRET"),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn what_is_too_much_or_odd_is_refused() {
        let mut table = table();
        let long = "x".repeat(201);
        assert_eq!(take(&mut table, &format!("{long}:1|c")), Err(Refusal::Name));
        let tags = "k:v,".repeat(2000);
        let text = format!("a:1|c|#{tags}");
        assert_eq!(take(&mut table, &text), Err(Refusal::TooLong));
        for time in ["-1", "1863636400", "9223372036854775807"] {
            let text = format!("a:1|c|T{time}");
            assert_eq!(take(&mut table, &text), Err(Refusal::Time), "{time}");
        }
        let refused = (0..1_000_000).filter(|id| take(&mut table, &format!("s{id}:1|c")).is_err());
        assert_eq!(refused.count(), 1_000_000 - MAX_SERIES);
        for _ in 0..=IDLE_FLUSHES {
            table.flush(NOW);
        }
        assert_eq!(table.held.len(), 0);
        let members = (0..200_000).map(|id| take(&mut table, &format!("set:{id}|s")));
        assert_eq!(members.filter(Result::is_err).count(), 100_000);
        table.lines = Lines::default();
        table.flush(NOW);
        assert_eq!(
            written(&mut table),
            ["statsd,name:set,type:gauge,value:100000.0"]
        );
    }
}
