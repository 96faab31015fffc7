//! By which values alert rules judge, from cells. Pure.
//!
//! What a series is made of is what live state says (`serve`'s `live/state.rs`),
//! and the replay (`engine/replay`). What cells do not tell (percentiles of
//! tokens, metrics that stand for several values) is `None`: each value has to be
//! looked at.

use std::collections::BTreeMap;

use tachograph_model::Column;
use tachograph_model::alert::{Rule, Stat, Terms};
use tachograph_model::answer::SeriesValue;
use tachograph_store::{SeriesKey, Whole};

use super::backtest::{clipped, watches};
use super::caches::{self, What};
use crate::cells::{Cells, Row, UNKNOWN};
use crate::digest::Digest;

/// The cells of a family's series, by source and name.
pub(crate) struct Series<'a> {
    family: &'static str,
    rows: BTreeMap<(&'a str, &'a str), Vec<&'a Row>>,
}

impl<'a> Series<'a> {
    pub(crate) fn of(cells: &'a Cells, family: &'static str) -> Self {
        let mut rows: BTreeMap<_, Vec<&Row>> = BTreeMap::new();
        for row in cells.all() {
            if let Some((source, name)) = series_of(row.key(), family) {
                let series = (clipped(source), clipped(name));
                rows.entry(series).or_default().push(row);
            }
        }
        Self { family, rows }
    }

    /// The values of a rule; `None`: cells do not tell them.
    pub(crate) fn values(&self, rule: &Rule, terms: &Terms) -> Option<Vec<SeriesValue>> {
        let stat = match (terms.condition.stat, self.family) {
            // A hit is a 1, a miss a 0.
            (Stat::Ratio, "cache") => Stat::Avg,
            (stat, _) => stat,
        };
        let mut found = Vec::new();
        for ((source, name), rows) in &self.rows {
            if !watches(rule, self.family, source, name) {
                continue;
            }
            let told = Told::of(rows, self.family)?;
            if told.count == 0 {
                continue;
            }
            let figure = told.figure(stat, rule.window_seconds)?;
            found.push(SeriesValue {
                source: (*source).to_owned(),
                name: (*name).to_owned(),
                value: terms.enough(told.count, figure.filter(|it| it.is_finite())),
            });
        }
        Some(found)
    }
}

/// Source and name of the series that events of a key belong to; `None`: none
/// of that family.
fn series_of<'a>(key: &'a SeriesKey, family: &str) -> Option<(&'a str, &'a str)> {
    let name = key.name.as_deref().unwrap_or_default();
    let source = key.source.as_deref().unwrap_or_default();
    let agent = key.agent.as_deref().unwrap_or_default();
    let error = key.error_type.as_deref().filter(|error| !error.is_empty());
    Some(match (family, &*key.event_type) {
        ("event", event_type) => ("", event_type),
        ("metric", "metric") => (source, name),
        ("metric", "performance") => ("performance", name),
        ("tool", "tool_call") | ("discovery", "agent_discovery") => ("", name),
        ("cache", "cache") if hit(key).is_some() => ("", name),
        ("model" | "model_tokens" | "model_cost", "llm_call") | ("profile", "profile") => {
            (source, name)
        }
        ("agent", "agent_usage") | ("query", "query") | ("selection", "agent_selection") => {
            ("", agent)
        }
        ("agent_tool", "tool_call") | ("agent_model" | "agent_cost", "llm_call")
            if !agent.is_empty() =>
        {
            ("", agent)
        }
        ("loss", "loss") => (key.status.as_deref().unwrap_or_default(), name),
        ("error", "error") => ("", error.unwrap_or(UNKNOWN)),
        ("error", "tool_call" | "llm_call" | "agent_usage" | "query") if failed(key) => {
            ("", error.unwrap_or(UNKNOWN))
        }
        _ => return None,
    })
}

fn failed(key: &SeriesKey) -> bool {
    match key.success {
        Some(success) => !success,
        None => key.error_type.as_deref().is_some_and(|it| !it.is_empty()),
    }
}

fn hit(key: &SeriesKey) -> Option<bool> {
    match caches::what_of(key) {
        What::Hit => Some(true),
        What::Miss => Some(false),
        _ => None,
    }
}

/// What cells tell of a series.
struct Told<'a> {
    /// How often something happened, and how often that failed.
    count: u64,
    failed: u64,
    values: Values<'a>,
}

enum Values<'a> {
    /// As cells hold them.
    Kept(Digest<'a>),
    /// Zeros and ones.
    Bits { zeros: u64, ones: u64 },
    /// Whole numbers.
    Wholes(Wholes),
}

struct Wholes {
    count: u64,
    sum: i128,
    /// The smallest and the largest, where they are known.
    ends: Option<(i64, i64)>,
}

impl<'a> Told<'a> {
    /// `None`: cells do not tell it.
    fn of(rows: &[&'a Row], family: &str) -> Option<Self> {
        let mut told = Self {
            count: 0,
            failed: 0,
            values: match family {
                "event" | "error" | "cache" => Values::Bits { zeros: 0, ones: 0 },
                "model_tokens" => Values::Wholes(Wholes::new(None)),
                "loss" => Values::Wholes(Wholes::new(Some((i64::MAX, i64::MIN)))),
                _ => Values::Kept(Digest::default()),
            },
        };
        for row in rows.iter().copied() {
            let count = told.add(row, family)?;
            told.count += count;
            told.failed += if failed(row.key()) { count } else { 0 };
        }
        Some(told)
    }

    /// Adds a row's values; returns how many events of it count.
    fn add(&mut self, row: &'a Row, family: &str) -> Option<u64> {
        let cell = &row.cell;
        match &mut self.values {
            Values::Bits { zeros, ones } => {
                match family == "cache" && hit(&cell.key) == Some(false) {
                    true => *zeros += cell.count,
                    false => *ones += cell.count,
                }
                Some(cell.count)
            }
            Values::Wholes(wholes) if family == "loss" => wholes.add_lost(row),
            Values::Wholes(wholes) => wholes.add_tokens(row),
            Values::Kept(digest) => {
                let (part, count) = match family {
                    // One that stands for several counts as often.
                    "metric" if cell.whole(Column::Count).max > 1 => return None,
                    "metric" => (row.values(), cell.values.count()),
                    "selection" => (row.values(), cell.count),
                    "model_cost" | "agent_cost"
                        if cell.costs.min().is_some_and(|least| least < 0.0) =>
                    {
                        return None;
                    }
                    "model_cost" | "agent_cost" => (row.costs(), cell.costs.count()),
                    _ => (row.durations(), cell.count),
                };
                digest.add(part);
                Some(count)
            }
        }
    }

    /// A figure, if there is one; `None`: cells do not tell it.
    fn figure(&self, stat: Stat, seconds: u64) -> Option<Option<f64>> {
        let count = self.count as f64;
        match stat {
            Stat::Count => return Some(Some(count)),
            Stat::Rate => return Some(Some(count / seconds as f64)),
            Stat::Ratio => return Some(Some(self.failed as f64 / count)),
            _ => {}
        }
        match &self.values {
            Values::Kept(digest) => Some(kept(digest, stat)),
            Values::Bits { zeros, ones } => Some(bits(*zeros, *ones, stat)),
            Values::Wholes(wholes) => wholes.figure(stat),
        }
    }
}

fn kept(digest: &Digest<'_>, stat: Stat) -> Option<f64> {
    match stat {
        Stat::Avg => return digest.mean(),
        Stat::Sum => return digest.sum(),
        _ => {}
    }
    let spread = digest.spread()?;
    match stat {
        Stat::Min => Some(spread.min),
        Stat::Max => Some(spread.max),
        Stat::P50 => Some(spread.p50),
        Stat::P95 => Some(spread.p95),
        Stat::P99 => Some(spread.p99),
        _ => None,
    }
}

fn bits(zeros: u64, ones: u64, stat: Stat) -> Option<f64> {
    let all = zeros + ones;
    let last = all.checked_sub(1)?;
    let value = |at: u64| if at < zeros { 0.0 } else { 1.0 };
    // Type 7, as everywhere.
    let quantile = |fraction: f64| {
        let rank = fraction * last as f64;
        let (low, part) = (rank as u64, rank.fract());
        value(low) * (1.0 - part) + value((low + 1).min(last)) * part
    };
    Some(match stat {
        Stat::Avg => ones as f64 / all as f64,
        Stat::Sum => ones as f64,
        Stat::Min => value(0),
        Stat::Max => value(last),
        Stat::P50 => quantile(0.5),
        Stat::P95 => quantile(0.95),
        Stat::P99 => quantile(0.99),
        _ => return None,
    })
}

impl Wholes {
    fn new(ends: Option<(i64, i64)>) -> Self {
        Self {
            count: 0,
            sum: 0,
            ends,
        }
    }

    /// Of a call that used none there is no value.
    fn add_tokens(&mut self, row: &Row) -> Option<u64> {
        let cell = &row.cell;
        let parts = [Column::InputTokens, Column::OutputTokens].map(|it| cell.whole(it));
        let [input, output] = &parts;
        // What is below zero counts as none.
        if parts.iter().any(|it| it.present > 0 && it.min < 0) {
            return None;
        }
        let sum = input.sum + output.sum;
        let each = |it: &Whole| it.present == cell.count && it.min > 0;
        let count = match sum {
            0 => 0,
            _ if each(input) || each(output) => cell.count,
            _ if cell.count == 1 => 1,
            // Whose are the tokens?
            _ => return None,
        };
        self.count += count;
        self.sum += sum;
        Some(count)
    }

    /// An event that does not say how many were lost tells of one.
    fn add_lost(&mut self, row: &Row) -> Option<u64> {
        let cell = &row.cell;
        let said = cell.whole(Column::Count);
        if said.present > 0 && said.min < 0 {
            return None;
        }
        let silent = cell.count.saturating_sub(said.present);
        self.count += cell.count;
        self.sum += said.sum + i128::from(silent);
        if let Some((least, most)) = &mut self.ends {
            if silent > 0 {
                (*least, *most) = ((*least).min(1), (*most).max(1));
            }
            (*least, *most) = ((*least).min(said.min), (*most).max(said.max));
        }
        Some(cell.count)
    }

    fn figure(&self, stat: Stat) -> Option<Option<f64>> {
        if self.count == 0 {
            return Some(None);
        }
        let sum = self.sum as f64;
        Some(Some(match (stat, self.ends) {
            (Stat::Sum, _) => sum,
            (Stat::Avg, _) => sum / self.count as f64,
            (Stat::Min, Some((least, _))) => least as f64,
            (Stat::Max, Some((_, most))) => most as f64,
            (_, Some((least, most))) if least == most => least as f64,
            _ => return None,
        }))
    }
}
