//! The series that remote-write brings: each has its line prepared, so that a
//! sample costs a look-up and two numbers, not an event.
//!
//! Memory is bounded: about 500 bytes for each of [`MAX_SERIES`], 100 for each
//! of [`MAX_FAMILIES`]. When there are too many, those that nobody wrote to for
//! [`IDLE_SECONDS`] make room; a series for which there is none is refused, and
//! the request told so.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use tachograph_model::line::Template;
use tachograph_model::{Salt, UnixNanos};

use super::series::{self, Shape, Unfit};
use super::state::{State, Total};
use crate::ingest::journal::Lines;
use crate::normal::identity::Identities;
use crate::wire::remote_write::{Family, MetricType, Series};

/// Series remembered.
const MAX_SERIES: usize = 100_000;
/// Names of metrics whose type is remembered.
const MAX_FAMILIES: usize = 10_000;
/// So long nobody must have written to a series before it makes room.
const IDLE_SECONDS: u64 = 900;
/// How often room is looked for, seconds.
const SWEEP_SECONDS: u64 = 60;

/// All series.
#[derive(Debug)]
pub(super) struct Table {
    identities: Identities,
    held: HashMap<u64, Held>,
    most: usize,
    families: HashMap<Box<[u8]>, Told>,
    /// How often the families changed.
    told: u32,
    hasher: RandomState,
    /// Since when nothing was missed, Unix milliseconds.
    since: i64,
    swept: u64,
    /// How often something on its way was taken back.
    undone: u64,
}

/// What metadata tells of a family.
#[derive(Debug, PartialEq)]
struct Told {
    kind: MetricType,
    unit: Box<[u8]>,
}

#[derive(Debug)]
struct Held {
    template: Template,
    shape: Shape,
    /// By what the shape was told: it is told anew when one of them changes.
    by: (MetricType, u32, bool),
    /// When it was written to last, seconds of [`Clock`].
    used: u64,
    state: State,
}

/// What time it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Seconds of a clock that only goes forward.
    pub(super) seconds: u64,
    /// The times that are taken, Unix milliseconds.
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

/// What changed in a series, for [`Table::undo`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    series: u64,
    before: State,
    after: State,
}

/// Why samples are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Wrong {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("a sample is of before the year 2000 or more than 30 days ahead")]
    Time,
    #[error("there are {MAX_SERIES} series already; fewer label sets, please")]
    TooMany,
}

/// What became of a request.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) lines: Lines,
    pub(super) marks: Vec<Mark>,
    /// Samples and histograms that were read.
    pub(super) records: u64,
    /// Those that make no event: not a number, a total that did not grow.
    pub(super) ignored: u64,
    /// Those whose time was taken before.
    pub(super) duplicates: u64,
    /// Samples and histograms that were not refused.
    pub(super) samples: u64,
    pub(super) histograms: u64,
    pub(super) rejected: u64,
    /// The first reason.
    pub(super) wrong: Option<Wrong>,
    /// What it may take in memory, bytes.
    pub(super) limit: usize,
}

impl Outcome {
    /// About how much memory it takes, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.lines.bytes.len() + self.marks.len() * size_of::<Mark>()
    }

    /// Whether it takes more than it may; then it is to be undone.
    pub(super) fn is_full(&self) -> bool {
        self.bytes() > self.limit
    }

    fn reject(&mut self, how_many: usize, wrong: Wrong) {
        self.records += how_many as u64;
        self.rejected += how_many as u64;
        self.wrong.get_or_insert(wrong);
    }
}

impl Table {
    /// Begins; `since` is now.
    pub(super) fn new(salt: Salt, since: UnixNanos) -> Self {
        Self {
            identities: Identities::new(salt),
            held: HashMap::new(),
            most: MAX_SERIES,
            families: HashMap::new(),
            told: 0,
            hasher: RandomState::new(),
            since: since.0 / 1_000_000,
            swept: 0,
            undone: 0,
        }
    }

    /// How often something on its way was taken back.
    pub(super) fn undone(&self) -> u64 {
        self.undone
    }

    /// Remembers what a family is.
    pub(super) fn family(&mut self, family: &Family<'_>) {
        let new = Told {
            kind: family.kind,
            unit: family.unit.into(),
        };
        let known = self.families.get(family.name);
        if known == Some(&new)
            || known.is_none() && self.families.len() >= MAX_FAMILIES
            || family.name.len() + family.unit.len() > 1 << 10
        {
            return;
        }
        self.families.insert(family.name.into(), new);
        self.told += 1;
    }

    /// Takes the samples of a series.
    pub(super) fn take(&mut self, series: &Series<'_>, clock: Clock, out: &mut Outcome) {
        let points = series.samples.len() + series.histograms.len();
        if points == 0 {
            return;
        }
        let key = self.hasher.hash_one(&series.labels);
        let native = series.samples.is_empty();
        let by = (series.kind, self.told, native);
        if !self.held.get(&key).is_some_and(|held| held.by == by)
            && let Err(wrong) = self.learn(key, series, by, clock)
        {
            out.reject(points, wrong);
            return;
        }
        let Some(held) = self.held.get_mut(&key) else {
            return;
        };
        held.used = clock.seconds;
        let before = held.state;
        held.samples(series, clock, self.since, out);
        held.histograms(series, clock, self.since, out);
        if held.state != before {
            out.marks.push(Mark {
                series: key,
                before,
                after: held.state,
            });
        }
    }

    /// Takes back what was on its way and was not stored.
    pub(super) fn undo_late(&mut self, marks: &[Mark]) {
        self.undone += 1;
        self.undo(marks);
    }

    /// Takes back what nobody but the caller has seen.
    pub(super) fn undo(&mut self, marks: &[Mark]) {
        for mark in marks.iter().rev() {
            if let Some(held) = self.held.get_mut(&mark.series) {
                held.state.undo(&mark.before, &mark.after);
            }
        }
    }

    /// Makes room for a series, or learns anew what it is.
    fn learn(
        &mut self,
        key: u64,
        series: &Series<'_>,
        by: (MetricType, u32, bool),
        clock: Clock,
    ) -> Result<(), Wrong> {
        let name = series::name(series)?;
        let is_known = self.held.contains_key(&key);
        if !is_known && self.held.len() >= self.most && !self.sweep(clock.seconds) {
            return Err(Wrong::TooMany);
        }
        let family = series::families(name).find_map(|name| self.families.get(name.as_bytes()));
        let kind = match series.kind {
            MetricType::Unknown => family.map_or(MetricType::Unknown, |told| told.kind),
            kind => kind,
        };
        let unit = match series.unit {
            b"" => family.map_or(&b""[..], |told| &told.unit),
            unit => unit,
        };
        let shape = series::shape(name, kind, by.2);
        let template = series::template(series, name, shape, unit, &mut self.identities);
        if let Some(held) = self.held.get_mut(&key) {
            if held.shape != shape {
                held.state = State::default();
            }
            (held.template, held.shape, held.by) = (template, shape, by);
            return Ok(());
        }
        let held = Held {
            template,
            shape,
            by,
            used: clock.seconds,
            state: State::default(),
        };
        self.held.insert(key, held);
        Ok(())
    }

    /// Lets go of what nobody writes to; whether there is room then.
    fn sweep(&mut self, now: u64) -> bool {
        if self.swept != 0 && now < self.swept + SWEEP_SECONDS {
            return false;
        }
        self.swept = now.max(1);
        self.held
            .retain(|_, held| now.saturating_sub(held.used) <= IDLE_SECONDS);
        self.held.len() < self.most
    }
}

impl Held {
    fn samples(&mut self, series: &Series<'_>, clock: Clock, since: i64, out: &mut Outcome) {
        for sample in &series.samples {
            if out.is_full() {
                return;
            }
            if !clock.takes(sample.time) {
                out.reject(1, Wrong::Time);
                continue;
            }
            out.records += 1;
            out.samples += 1;
            // Also the mark that a series has ended, a NaN of its own.
            if !sample.value.is_finite() {
                out.ignored += 1;
                continue;
            }
            if self.shape != Shape::Counter {
                match self.state.level(sample.time) {
                    true => self.write(sample.time, &[sample.value], out),
                    false => out.duplicates += 1,
                }
                continue;
            }
            let total = Total {
                start: sample.start,
                count: 0.0,
                sum: sample.value,
            };
            match self.state.total(sample.time, total, since) {
                (false, _) => out.duplicates += 1,
                (true, None) => out.ignored += 1,
                (true, Some((_, grown))) => self.write(sample.time, &[grown], out),
            }
        }
    }

    fn histograms(&mut self, series: &Series<'_>, clock: Clock, since: i64, out: &mut Outcome) {
        for histogram in &series.histograms {
            if out.is_full() {
                return;
            }
            if !clock.takes(histogram.time) {
                out.reject(1, Wrong::Time);
                continue;
            }
            out.records += 1;
            out.histograms += 1;
            let (time, count, sum) = (histogram.time, histogram.count, histogram.sum);
            if !count.is_finite() || !sum.is_finite() {
                out.ignored += 1;
                continue;
            }
            let total = Total {
                start: histogram.start,
                count,
                sum,
            };
            let (new, grown) = match histogram.is_gauge {
                true => (self.state.level(time), Some((count, sum))),
                false => self.state.total(time, total, since),
            };
            match grown.filter(|(count, _)| *count > 0.0) {
                _ if !new => out.duplicates += 1,
                // With samples beside it in one series, its line has no count.
                Some((count, sum)) if self.shape == Shape::Histogram => {
                    self.write(time, &[sum / count, count], out);
                }
                _ => out.ignored += 1,
            }
        }
    }

    fn write(&self, time: i64, numbers: &[f64], out: &mut Outcome) {
        // Within the times that are taken, nanoseconds fit.
        let time = UnixNanos(time.saturating_mul(1_000_000));
        self.template.write(&mut out.lines.bytes, time, numbers);
        out.lines.count += 1;
    }
}

impl Clock {
    fn takes(self, time: i64) -> bool {
        (self.earliest..=self.latest).contains(&time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::remote_write::{Histogram, Sample};

    fn clock(seconds: u64) -> Clock {
        Clock {
            seconds,
            earliest: 1,
            latest: 1_000_000,
        }
    }

    fn table() -> Table {
        Table::new(Salt::new([1; 32]), UnixNanos(0))
    }

    fn outcome() -> Outcome {
        Outcome {
            limit: usize::MAX,
            ..Outcome::default()
        }
    }

    fn series<'a>(labels: &[(&'a str, &'a str)], samples: &[(i64, f64)]) -> Series<'a> {
        let bytes = |(name, value): &(&'a str, &'a str)| (name.as_bytes(), value.as_bytes());
        let sample = |(time, value): &(i64, f64)| Sample {
            value: *value,
            time: *time,
            start: 0,
        };
        Series {
            labels: labels.iter().map(bytes).collect(),
            samples: samples.iter().map(sample).collect(),
            ..Series::default()
        }
    }

    /// The values that are stored, and the counts: ignored, duplicates, rejected.
    fn take(table: &mut Table, series: &Series<'_>) -> (Vec<f64>, [u64; 3]) {
        let mut out = outcome();
        table.take(series, clock(1), &mut out);
        let told = out.ignored + out.duplicates + out.rejected;
        assert_eq!(out.records, out.lines.count + told);
        let lines = String::from_utf8(out.lines.bytes).expect("UTF-8");
        let values = lines.lines().map(|line| {
            let event = tachograph_model::Event::from_line(line.as_bytes()).expect("an event");
            event.f64(tachograph_model::Column::Value).expect("a value")
        });
        (
            values.collect(),
            [out.ignored, out.duplicates, out.rejected],
        )
    }

    #[test]
    fn samples_count_once_by_what_they_are() {
        let mut table = table();
        let mut check = |name, samples: &[(i64, f64)], values: &[f64], counts| {
            let found = take(&mut table, &series(&[("__name__", name)], samples));
            assert_eq!(found, (values.to_vec(), counts), "{name} {samples:?}");
        };
        let stale = f64::from_bits(0x7ff0_0000_0000_0002);
        check("up", &[(10, 1.0), (20, -0.5)], &[1.0, -0.5], [0, 0, 0]);
        check("up", &[(10, 1.0), (30, 2.0)], &[2.0], [0, 1, 0]);
        check("up", &[(15, 3.0)], &[3.0], [0, 0, 0]);
        check(
            "up",
            &[(40, stale), (50, f64::INFINITY), (0, 1.0), (i64::MAX, 1.0)],
            &[],
            [2, 0, 2],
        );
        let total = [(10, 5.0), (20, 8.0), (30, 8.0), (25, 6.0)];
        check("x_total", &total, &[3.0], [2, 1, 0]);
        check("", &[(10, 1.0)], &[], [0, 0, 1]);
    }

    #[test]
    fn what_metadata_tells_counts_from_then_on() {
        let mut table = table();
        let told = |kind| Family {
            name: b"jobs",
            kind,
            unit: b"",
        };
        let mut check = |time, value, expected: &[f64], family: Option<Family<'_>>| {
            if let Some(family) = family {
                table.family(&family);
            }
            let found = take(
                &mut table,
                &series(&[("__name__", "jobs")], &[(time, value)]),
            );
            assert_eq!(found.0, expected, "{time}");
        };
        check(10, 7.0, &[7.0], None);
        check(20, 8.0, &[], Some(told(MetricType::Counter)));
        check(30, 9.0, &[1.0], Some(told(MetricType::Counter)));
        check(40, 9.0, &[9.0], Some(told(MetricType::Gauge)));
    }

    #[test]
    fn native_histograms_are_means() {
        let mut table = table();
        let mut check = |time, count, sum, is_gauge, expected: &str| {
            let histogram = Histogram {
                count,
                sum,
                time,
                start: 0,
                is_gauge,
            };
            let series = Series {
                histograms: vec![histogram],
                ..series(&[("__name__", "rpc_seconds")], &[])
            };
            let mut out = outcome();
            table.take(&series, clock(1), &mut out);
            let line = String::from_utf8(out.lines.bytes).expect("UTF-8");
            let found = line.split_once("\"type\":").map_or("", |(_, rest)| rest);
            assert_eq!(found.trim_end(), expected, "{time}");
        };
        check(10, 2.0, 3.0, false, "");
        check(
            20,
            6.0,
            5.0,
            false,
            r#""histogram","value":0.5,"unit":"s","count":4}"#,
        );
        check(20, 6.0, 5.0, false, "");
        check(30, 6.0, 5.0, false, "");
        check(
            40,
            2.5,
            5.0,
            true,
            r#""histogram","value":2.0,"unit":"s","count":2}"#,
        );
        check(50, f64::NAN, 5.0, false, "");
    }

    #[test]
    fn what_was_not_stored_is_taken_again() {
        let mut table = table();
        let up = series(&[("__name__", "up")], &[(10, 1.0), (20, 2.0)]);
        let mut out = outcome();
        table.take(&up, clock(1), &mut out);
        assert_eq!((out.lines.count, table.undone()), (2, 0));
        table.undo_late(&out.marks);
        assert_eq!(table.undone(), 1);
        assert_eq!(take(&mut table, &up).0, [1.0, 2.0]);
        assert_eq!(take(&mut table, &up).1, [0, 2, 0]);
    }

    #[test]
    fn a_million_label_sets_are_bounded_and_the_idle_make_room() {
        let mut table = table();
        table.most = 1_000;
        let mut out = outcome();
        let mut take = |id: usize, seconds| {
            let id = id.to_string();
            let one = series(&[("__name__", "up"), ("id", &id)], &[(10, 1.0)]);
            table.take(&one, clock(seconds), &mut out);
            out.lines.bytes.clear();
            table.held.len()
        };
        for id in 0..1_000_000 {
            assert!(take(id, 1) <= 1_000);
        }
        assert_eq!(take(7, 800), 1_000);
        assert_eq!(take(1_000, 800), 1_000);
        assert_eq!(take(1_000, 1_000), 2);
        assert_eq!((out.rejected, out.wrong), (999_001, Some(Wrong::TooMany)));
    }
}
