//! The folded events: what every question's answer is computed from.

use std::collections::HashMap;
use std::sync::Arc;

use tachograph_model::Column;
use tachograph_model::answer::Outcomes;
use tachograph_stats::Histogram;
use tachograph_store::{Cell, Distribution, SeriesKey};

use crate::digest::{Digest, Part};

/// From so many exact values on, a cell's histogram is made in advance.
const LARGE: usize = 512;

/// Cells by type of event, series and UTC day, as questions look at them.
#[derive(Debug, Default)]
pub struct Cells {
    /// By series, then day.
    rows: Vec<Row>,
    /// The same events by agent, where the rows do not tell agents apart.
    by_agent: Option<Box<Cells>>,
    entities: HashMap<Arc<str>, u64>,
    threads: usize,
}

/// One cell.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cell: Cell,
    durations: Option<Box<Histogram>>,
    values: Option<Box<Histogram>>,
}

impl Cells {
    /// Takes the cells, in any order, of day grain. `threads` may work at once.
    pub fn new(mut cells: Vec<Cell>, threads: usize) -> Self {
        cells.sort_by(|a, b| (&a.key, a.start).cmp(&(&b.key, b.start)));
        let mut rows: Vec<Row> = cells
            .into_iter()
            .map(|cell| Row {
                cell,
                durations: None,
                values: None,
            })
            .collect();
        prepare(&mut rows, threads.max(1));
        Self {
            rows,
            by_agent: None,
            entities: HashMap::new(),
            threads: threads.max(1),
        }
    }

    /// Says in which order kinds of entity were first seen: name to place.
    #[must_use]
    pub fn with_entity_order(mut self, entities: HashMap<Arc<str>, u64>) -> Self {
        self.entities = entities;
        self
    }

    /// Gives the same events by agent, for cells that do not tell agents apart.
    #[must_use]
    pub fn with_agents(mut self, cells: Self) -> Self {
        self.by_agent = Some(Box::new(cells));
        self
    }

    /// The cells that tell agents apart.
    pub(crate) fn by_agent(&self) -> &Self {
        self.by_agent.as_deref().unwrap_or(self)
    }

    /// Returns the number of events.
    pub fn events(&self) -> u64 {
        self.rows.iter().map(|row| row.cell.count).sum()
    }

    /// Returns how many durations below zero were left out.
    pub fn negative(&self) -> u64 {
        self.rows.iter().map(|row| row.cell.negative).sum()
    }

    /// How many threads may work at once.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Every cell.
    pub(crate) fn all(&self) -> &[Row] {
        &self.rows
    }

    /// The cells of one type of event, by series, then day.
    pub(crate) fn of(&self, event_type: &str) -> &[Row] {
        let from = self
            .rows
            .partition_point(|row| &*row.cell.key.event_type < event_type);
        let len = self.rows[from..].partition_point(|row| &*row.cell.key.event_type == event_type);
        &self.rows[from..from + len]
    }

    /// Where a kind of entity stands in the order of first sight; the last
    /// where that is not known.
    pub(crate) fn entity_place(&self, entity: &str) -> u64 {
        self.entities.get(entity).copied().unwrap_or(u64::MAX)
    }
}

impl Row {
    pub(crate) fn key(&self) -> &SeriesKey {
        &self.cell.key
    }

    pub(crate) fn name(&self) -> &str {
        some(self.cell.key.name.as_deref()).unwrap_or(UNKNOWN)
    }

    pub(crate) fn agent(&self) -> Option<&str> {
        some(self.cell.key.agent.as_deref())
    }

    pub(crate) fn source(&self) -> Option<&str> {
        some(self.cell.key.source.as_deref())
    }

    pub(crate) fn durations(&self) -> Part<'_> {
        Part {
            values: &self.cell.durations,
            histogram: self.durations.as_deref(),
        }
    }

    pub(crate) fn values(&self) -> Part<'_> {
        Part {
            values: &self.cell.values,
            histogram: self.values.as_deref(),
        }
    }

    pub(crate) fn costs(&self) -> Part<'_> {
        Part {
            values: &self.cell.costs,
            histogram: None,
        }
    }

    pub(crate) fn date(&self) -> String {
        tachograph_model::time::date_of_day(self.cell.start.day())
    }
}

/// A text that says nothing is none.
fn some(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// What stands for a name that events do not have.
pub(crate) const UNKNOWN: &str = "unknown";

/// Rows by what `key` says of them, in the order in which the groups were first
/// seen (by the time of events).
pub(crate) fn groups<'a, K: Ord + Clone>(
    rows: impl IntoIterator<Item = &'a Row>,
    key: impl Fn(&'a Row) -> Option<K>,
) -> Vec<(K, Vec<&'a Row>)> {
    let mut by_key: std::collections::BTreeMap<K, Vec<&'a Row>> = std::collections::BTreeMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            by_key.entry(key).or_default().push(row);
        }
    }
    let mut groups: Vec<_> = by_key.into_iter().collect();
    groups.sort_by_key(|(_, rows)| rows.iter().map(|row| row.cell.first).min());
    groups
}

/// The durations of rows as one set.
pub(crate) fn durations<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Digest<'a> {
    let mut digest = Digest::default();
    for row in rows {
        digest.add(row.durations());
    }
    digest
}

/// The values of rows as one set.
pub(crate) fn values<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Digest<'a> {
    let mut digest = Digest::default();
    for row in rows {
        digest.add(row.values());
    }
    digest
}

/// The costs of rows as one set.
pub(crate) fn costs<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Digest<'a> {
    let mut digest = Digest::default();
    for row in rows {
        digest.add(row.costs());
    }
    digest
}

/// How many events.
pub(crate) fn count<'a>(rows: impl IntoIterator<Item = &'a Row>) -> u64 {
    rows.into_iter().map(|row| row.cell.count).sum()
}

/// Events by outcome.
pub(crate) fn outcomes<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for row in rows {
        match row.key().success {
            Some(true) => outcomes.succeeded += row.cell.count,
            Some(false) => outcomes.failed += row.cell.count,
            None => outcomes.unknown += row.cell.count,
        }
    }
    outcomes
}

/// A whole column's sum over rows, as far as 64 bits go.
pub(crate) fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>, column: Column) -> i64 {
    clamp(
        rows.into_iter()
            .map(|row| row.cell.whole(column).sum)
            .sum::<i128>(),
    )
}

/// A whole column's mean over the events that have it.
pub(crate) fn mean<'a>(rows: impl IntoIterator<Item = &'a Row>, column: Column) -> Option<f64> {
    let (mut total, mut present) = (0_i128, 0);
    for row in rows {
        let whole = row.cell.whole(column);
        total += whole.sum;
        present += whole.present;
    }
    (present > 0).then(|| total as f64 / present as f64)
}

fn clamp(whole: i128) -> i64 {
    whole.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Makes the histograms of large exact cells, the work divided by values.
fn prepare(rows: &mut [Row], threads: usize) {
    let large =
        |values: &Distribution| matches!(values, Distribution::Exact(v) if v.len() >= LARGE);
    let size = |row: &Row| row.cell.durations.count() + row.cell.values.count();
    let mut work: Vec<&mut Row> = rows
        .iter_mut()
        .filter(|row| large(&row.cell.durations) || large(&row.cell.values))
        .collect();
    work.sort_by_key(|row| std::cmp::Reverse(size(row)));
    let fill = |row: &mut Row| {
        if large(&row.cell.durations) {
            row.durations = Some(row.cell.durations.to_histogram().into());
        }
        if large(&row.cell.values) {
            row.values = Some(row.cell.values.to_histogram().into());
        }
    };
    let total: u64 = work.iter().map(|row| size(row)).sum();
    if threads < 2 || total < 100_000 {
        work.into_iter().for_each(fill);
        return;
    }
    // The largest first, each to the thread that has least.
    let mut shares: Vec<(u64, Vec<&mut Row>)> = (0..threads).map(|_| (0, Vec::new())).collect();
    for row in work {
        if let Some(share) = shares.iter_mut().min_by_key(|(load, _)| *load) {
            share.0 += size(row);
            share.1.push(row);
        }
    }
    std::thread::scope(|scope| {
        for (_, share) in shares {
            scope.spawn(move || share.into_iter().for_each(fill));
        }
    });
}
