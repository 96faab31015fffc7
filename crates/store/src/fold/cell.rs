//! A cell: everything known of one series in one stretch of time.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use tachograph_model::answer::OTHER;
use tachograph_model::time::NANOS_PER_DAY;
use tachograph_model::{Column, UnixNanos};

use super::crowd::Chosen;
use super::distribution::Distribution;
use super::shared::Shared;
use crate::schema::EVENT_TYPE;

/// What makes events one series. Texts are shared between cells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The type of event.
    pub event_type: Arc<str>,
    /// Operation, tool, cache, model, metric.
    pub name: Option<Arc<str>>,
    /// Which agent (hashed, or a type of agent).
    pub agent: Option<Arc<str>>,
    /// Provider, component.
    pub source: Option<Arc<str>>,
    /// Metric type, severity.
    pub r#type: Option<Arc<str>>,
    /// Outcome or state.
    pub status: Option<Arc<str>>,
    /// Class of the failure.
    pub error_type: Option<Arc<str>>,
    /// Whether it succeeded.
    pub success: Option<bool>,
    /// Whether a cache answered.
    pub hit: Option<bool>,
}

/// Text columns of a [`SeriesKey`], in its order, behind `event_type`.
const KEY_TEXTS: [Column; 6] = [
    Column::Name,
    Column::Agent,
    Column::Source,
    Column::Type,
    Column::Status,
    Column::ErrorType,
];

const NANOS_PER_SECOND: i64 = NANOS_PER_DAY / 86_400;

/// Columns of a [`SeriesKey`] that are yes or no, in its order, behind the
/// texts.
pub(crate) const KEY_FLAGS: [Column; 2] = [Column::Success, Column::Hit];

impl SeriesKey {
    /// Names of its text columns, in its order.
    pub fn text_columns() -> [&'static str; 7] {
        let [name, agent, source, r#type, status, error_type] = KEY_TEXTS.map(Column::name);
        [EVENT_TYPE, name, agent, source, r#type, status, error_type]
    }

    /// Names of its columns that are yes or no, in its order.
    pub fn flag_columns() -> [&'static str; 2] {
        KEY_FLAGS.map(Column::name)
    }

    /// Its texts, in the order of [`Self::text_columns`].
    pub fn texts(&self) -> [Option<&str>; 7] {
        [
            Some(&self.event_type),
            self.name.as_deref(),
            self.agent.as_deref(),
            self.source.as_deref(),
            self.r#type.as_deref(),
            self.status.as_deref(),
            self.error_type.as_deref(),
        ]
    }
}

/// Columns of which a cell keeps the distribution.
pub const MEASURED: [Column; 3] = [Column::DurationMs, Column::Value, Column::CostUsd];

/// Whole-number columns that a cell sums.
pub const SUMMED: [Column; 11] = [
    Column::SizeBytes,
    Column::Count,
    Column::Evictions,
    Column::Tokens,
    Column::InputTokens,
    Column::OutputTokens,
    Column::CacheReadTokens,
    Column::CacheWriteTokens,
    Column::ReasoningTokens,
    Column::ToolCalls,
    Column::GraphqlQueries,
];

/// In which unit the values of a cell are, as their events say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// No event says.
    #[default]
    Unsaid,
    /// All that say one say this.
    One(Arc<str>),
    /// They say several.
    Several,
}

impl Unit {
    /// Of both; in whatever order.
    pub fn merge(&mut self, other: &Self) {
        match (&*self, other) {
            (_, Self::Unsaid) => {}
            (Self::Unsaid, other) => *self = other.clone(),
            (Self::One(mine), Self::One(theirs)) if mine == theirs => {}
            _ => *self = Self::Several,
        }
    }

    pub(crate) fn say(&mut self, unit: &str) {
        match self {
            Self::Unsaid => *self = Self::One(Arc::from(unit)),
            Self::One(said) if **said != *unit => *self = Self::Several,
            _ => {}
        }
    }
}

/// What is known of a whole-number column in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Events that have a value.
    pub present: u64,
    /// Their exact sum.
    pub sum: i128,
    /// The smallest; `i64::MAX` when none.
    pub min: i64,
    /// The largest; `i64::MIN` when none.
    pub max: i64,
}

impl Default for Whole {
    fn default() -> Self {
        Self {
            present: 0,
            sum: 0,
            min: i64::MAX,
            max: i64::MIN,
        }
    }
}

impl Whole {
    #[inline]
    pub(crate) fn add(&mut self, value: i64) {
        self.present += 1;
        self.sum += i128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.present += other.present;
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// One series in one stretch of time. Merging two cells of a series gives the
/// cell of both their events, whatever the order.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which series.
    pub key: Arc<SeriesKey>,
    /// Where the stretch starts: minute, hour or day in UTC; for
    /// [`super::Grain::Window`] the epoch.
    pub start: UnixNanos,
    /// Events in it.
    pub count: u64,
    /// Time of its earliest event.
    pub first: UnixNanos,
    /// Time of its latest event.
    pub last: UnixNanos,
    /// Events by hour of the day in UTC; sums up to `count`.
    pub by_hour: [u64; 24],
    /// Durations below zero, which are not in `durations`.
    pub negative: u64,
    /// `duration_ms`, from 0.
    pub durations: Distribution,
    /// `value`.
    pub values: Distribution,
    /// What `value` is in.
    pub unit: Unit,
    /// `cost_usd`.
    pub costs: Distribution,
    /// How many events named each kind of entity.
    pub entities: BTreeMap<Arc<str>, u64>,
    pub(crate) wholes: Vec<(Column, Whole)>,
}

impl Cell {
    pub(crate) fn new(key: Arc<SeriesKey>, start: UnixNanos, exact: bool) -> Self {
        Self {
            key,
            start,
            count: 0,
            first: UnixNanos::MAX,
            last: UnixNanos::MIN,
            by_hour: [0; 24],
            negative: 0,
            durations: Distribution::new(exact),
            values: Distribution::new(exact),
            unit: Unit::Unsaid,
            costs: Distribution::new(exact),
            entities: BTreeMap::new(),
            wholes: Vec::new(),
        }
    }

    /// What is known of a whole-number column ([`SUMMED`]); zero for others.
    pub fn whole(&self, column: Column) -> Whole {
        self.wholes
            .iter()
            .find(|(held, _)| *held == column)
            .map_or_else(Whole::default, |(_, whole)| *whole)
    }

    /// The sum of a numeric column: whole numbers exactly up to 2^53, floats
    /// rounded once. 0 when no event has a value.
    pub fn sum(&self, column: Column) -> f64 {
        match self.distribution(column) {
            Some(distribution) => distribution.sum(),
            None => self.whole(column).sum as f64,
        }
    }

    /// How many events have a value in a numeric column (for durations: one
    /// from zero).
    pub fn present(&self, column: Column) -> u64 {
        match self.distribution(column) {
            Some(distribution) => distribution.count(),
            None => self.whole(column).present,
        }
    }

    /// The distribution of a float column.
    pub fn distribution(&self, column: Column) -> Option<&Distribution> {
        match column {
            Column::DurationMs => Some(&self.durations),
            Column::Value => Some(&self.values),
            Column::CostUsd => Some(&self.costs),
            _ => None,
        }
    }

    /// Takes as little memory as it can, to be kept.
    pub(crate) fn pack(&mut self) {
        for values in [&mut self.durations, &mut self.values, &mut self.costs] {
            values.pack();
        }
    }

    /// About how much memory it takes beside what it may share with others.
    pub(crate) fn memory_bytes(&self, shared: &mut Shared) -> usize {
        shared.key(&self.key);
        self.entities.keys().for_each(|name| shared.text(name));
        if let Unit::One(unit) = &self.unit {
            shared.text(unit);
        }
        let distributions = [&self.durations, &self.values, &self.costs];
        let values: usize = distributions.map(Distribution::memory_bytes).iter().sum();
        std::mem::size_of::<Self>()
            + values
            + self.entities.len() * 64
            + self.wholes.len() * std::mem::size_of::<(Column, Whole)>()
    }

    /// Takes in a cell of the same series; `start` becomes the earlier one.
    pub fn merge(&mut self, other: Self) {
        self.start = self.start.min(other.start);
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for (mine, theirs) in self.by_hour.iter_mut().zip(other.by_hour) {
            *mine += theirs;
        }
        self.negative += other.negative;
        self.durations.merge(other.durations);
        self.values.merge(other.values);
        self.unit.merge(&other.unit);
        self.costs.merge(other.costs);
        for (entity, count) in other.entities {
            *self.entities.entry(entity).or_default() += count;
        }
        for (column, whole) in other.wholes {
            self.whole_mut(column).merge(&whole);
        }
    }

    /// As [`Self::merge`], but leaves the other as it is.
    pub(crate) fn merge_ref(&mut self, other: &Self) {
        self.start = self.start.min(other.start);
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for (mine, theirs) in self.by_hour.iter_mut().zip(other.by_hour) {
            *mine += theirs;
        }
        self.negative += other.negative;
        self.durations.merge_ref(&other.durations);
        self.values.merge_ref(&other.values);
        self.unit.merge(&other.unit);
        self.costs.merge_ref(&other.costs);
        for (entity, count) in &other.entities {
            *self.entities.entry(entity.clone()).or_default() += count;
        }
        for (column, whole) in &other.wholes {
            self.whole_mut(*column).merge(whole);
        }
    }

    /// Sums the entities that are not chosen.
    pub(crate) fn choose_entities(&mut self, chosen: &Chosen) {
        let stays = |name: &Arc<str>| chosen.entity(name) == &**name;
        if self.entities.keys().all(stays) {
            return;
        }
        for (name, count) in std::mem::take(&mut self.entities) {
            let name = match stays(&name) {
                true => name,
                false => Arc::from(OTHER),
            };
            *self.entities.entry(name).or_default() += count;
        }
    }

    pub(crate) fn whole_mut(&mut self, column: Column) -> &mut Whole {
        let at = match self.wholes.binary_search_by_key(&column, |(held, _)| *held) {
            Ok(at) => at,
            Err(at) => {
                self.wholes.insert(at, (column, Whole::default()));
                at
            }
        };
        &mut self.wholes[at].1
    }
}

/// How finely events are grouped in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grain {
    /// One cell a minute.
    Minute,
    /// One cell an hour.
    Hour,
    /// One cell a day, in UTC.
    Day,
    /// One cell in so many seconds, counted from the epoch.
    Every(NonZeroU32),
    /// One cell for everything.
    Window,
}

impl Grain {
    /// Nanoseconds in one stretch; `None` for the whole window.
    pub fn nanos(self) -> Option<i64> {
        match self {
            Self::Minute => Some(NANOS_PER_DAY / 1_440),
            Self::Hour => Some(NANOS_PER_DAY / 24),
            Self::Day => Some(NANOS_PER_DAY),
            Self::Every(seconds) => Some(i64::from(seconds.get()) * NANOS_PER_SECOND),
            Self::Window => None,
        }
    }

    /// Whether each stretch is made of whole ones of `finer`.
    pub(crate) fn is_made_of(self, finer: Self) -> bool {
        match (self.nanos(), finer.nanos()) {
            (Some(mine), Some(theirs)) => mine % theirs == 0,
            (mine, _) => mine.is_none(),
        }
    }

    /// Where the stretch that `at` lies in starts.
    pub fn start_of(self, at: UnixNanos) -> UnixNanos {
        match self.nanos() {
            // The first stretch of all is cut short by the range of 64 bits.
            Some(nanos) => UnixNanos(at.0.saturating_sub(at.0.rem_euclid(nanos))),
            None => UnixNanos(0),
        }
    }
}
