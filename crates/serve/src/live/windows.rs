//! Windows of all series of a family, for what looks several times a second:
//! without what a series did altogether.

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::UnixNanos;

use super::family::Entry;
use super::{AT_ONCE, Counts, Family, Live, Stats};

/// What a series says of one window.
#[derive(Clone, Debug, PartialEq)]
pub struct Windowed {
    /// See [`Family`]; empty where the family has none.
    pub source: Arc<str>,
    pub name: Arc<str>,
    /// Type of a metric.
    pub kind: Option<Arc<str>>,
    /// Unit of a metric.
    pub unit: Option<Arc<str>>,
    /// How often something happened, with a value or without.
    pub happened: Counts,
    /// What the values were; `None`: there were none.
    pub stats: Option<Stats>,
}

/// How fast things go, all series together; `None` where nothing tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    pub events_per_second: f64,
    pub failed_per_second: f64,
    pub tokens_per_second: Option<f64>,
    /// US dollars that an hour would cost.
    pub cost_per_hour: Option<f64>,
}

impl Pace {
    /// Of the windows of all events, of tokens and of costs, each of that length.
    pub fn of<'a>(
        events: impl Iterator<Item = &'a Counts>,
        tokens: impl Iterator<Item = &'a Stats>,
        costs: impl Iterator<Item = &'a Stats>,
        length: Duration,
    ) -> Self {
        let seconds = length.as_secs_f64();
        let per_second = |sum: Option<f64>| sum.map(|sum| sum / seconds);
        let tokens = tokens.map(|it| it.sum).reduce(|sum, more| sum + more);
        let costs = costs.map(|it| it.sum).reduce(|sum, more| sum + more);
        let (mut count, mut failed) = (0.0, 0.0);
        for counts in events {
            count += counts.count as f64;
            failed += counts.failed as f64;
        }
        Self {
            events_per_second: count / seconds,
            failed_per_second: failed / seconds,
            tokens_per_second: per_second(tokens),
            cost_per_hour: per_second(costs).map(|cost| cost * 3600.0),
        }
    }
}

impl Live {
    /// The windows of a family's series in which something happened, in the
    /// order in which they first came; of one `source` alone when it is given.
    pub fn windows(&self, family: Family, source: Option<&str>, length: Duration) -> Vec<Windowed> {
        let now = UnixNanos::now().0;
        self.each(family, source, |entry| {
            let (happened, stats) = entry.series.window(length, now)?;
            Some(Windowed {
                happened,
                stats,
                source: entry.source.clone(),
                name: entry.name.clone(),
                kind: entry.kind.clone(),
                unit: entry.unit.clone(),
            })
        })
    }

    /// What is taken of each series, of which the feed waits for 32 at most.
    pub(super) fn each<T>(
        &self,
        family: Family,
        source: Option<&str>,
        take: impl Fn(&Entry) -> Option<T>,
    ) -> Vec<T> {
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let state = self.state();
            let places = state.of(family);
            let to = places.len().min(from + AT_ONCE);
            let entries = places[from..to]
                .iter()
                .map(|at| &state.entries[*at as usize]);
            let entries = entries.filter(|it| source.is_none_or(|source| *it.source == *source));
            found.extend(entries.filter_map(&take));
            if to == places.len() {
                return found;
            }
            from = to;
        }
    }

    /// How fast things go now, over a window of that length.
    pub fn pace(&self, length: Duration) -> Pace {
        let [events, tokens, costs] = [Family::Event, Family::ModelTokens, Family::ModelCost]
            .map(|family| self.windows(family, None, length));
        Pace::of(
            events.iter().map(|it| &it.happened),
            tokens.iter().filter_map(|it| it.stats.as_ref()),
            costs.iter().filter_map(|it| it.stats.as_ref()),
            length,
        )
    }
}
