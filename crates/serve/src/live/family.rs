//! What series are of, and which there are of each kind.

use std::collections::HashMap;
use std::sync::Arc;

use super::points::Points;
use super::series::{EXACT, REACH, Series};
use super::slot::Pool;
use super::state::clipped;
use super::totals::{OTHER, Totals};

/// Points of one metric's history, at most.
pub const HISTORY: usize = 10_000;
/// A series that nothing was heard of for so long has no window any more, and
/// leaves its place to another if there is no other: nanoseconds.
const SILENT: i64 = REACH.as_nanos() as i64;
/// Parts that the families share the series in.
const SHARES: usize = 70;
/// Between two looks for such, nanoseconds: each looks at all of a family.
const LOOK_EVERY: i64 = 60_000_000_000;

/// What a series is of; in brackets what stands for its source, its name and
/// its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Measurements (source, metric; the metric's own unit).
    Metric,
    /// Tool calls (–, tool; milliseconds).
    Tool,
    /// Model calls (provider, model; milliseconds).
    Model,
    /// Tokens of model calls (provider, model; input and output of a call).
    ModelTokens,
    /// Cost of model calls (provider, model; US dollars of a call).
    ModelCost,
    /// Cache look-ups (–, cache; 1 for a hit, 0 for a miss).
    Cache,
    /// Agents at work (–, agent; milliseconds).
    Agent,
    /// Tool calls on an agent's behalf (–, agent; milliseconds).
    AgentTool,
    /// Model calls on an agent's behalf (–, agent; milliseconds).
    AgentModel,
    /// Cost of model calls on an agent's behalf (–, agent; US dollars of a call).
    AgentCost,
    /// Queries (–, type of agent that answered; milliseconds).
    Query,
    /// Agents chosen (–, type of agent; complexity 0..=1).
    Selection,
    /// Failures (–, class of the failure; 1 each).
    Error,
    /// Look-ups of agents (–, operation; milliseconds).
    Discovery,
    /// Profiled operations (component, operation; milliseconds).
    Profile,
    /// Events that a recorder lost (reason, type of event; how many).
    Loss,
    /// All events (–, type; 1 each).
    Event,
}

impl Family {
    pub const ALL: [Self; 17] = [
        Self::Metric,
        Self::Tool,
        Self::Model,
        Self::ModelTokens,
        Self::ModelCost,
        Self::Cache,
        Self::Agent,
        Self::AgentTool,
        Self::AgentModel,
        Self::AgentCost,
        Self::Query,
        Self::Selection,
        Self::Error,
        Self::Discovery,
        Self::Profile,
        Self::Loss,
        Self::Event,
    ];

    /// As a label's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Tool => "tool",
            Self::Model => "model",
            Self::ModelTokens => "model_tokens",
            Self::ModelCost => "model_cost",
            Self::Cache => "cache",
            Self::Agent => "agent",
            Self::AgentTool => "agent_tool",
            Self::AgentModel => "agent_model",
            Self::AgentCost => "agent_cost",
            Self::Query => "query",
            Self::Selection => "selection",
            Self::Error => "error",
            Self::Discovery => "discovery",
            Self::Profile => "profile",
            Self::Loss => "loss",
            Self::Event => "event",
        }
    }

    /// How many of [`SHARES`] parts of the series it may take.
    fn share(self) -> usize {
        match self {
            Self::Metric => 28,
            Self::Tool => 16,
            Self::Model | Self::ModelTokens | Self::ModelCost | Self::Cache => 2,
            Self::Agent | Self::AgentTool | Self::AgentModel | Self::AgentCost => 2,
            Self::Query | Self::Selection | Self::Error | Self::Profile => 2,
            Self::Discovery | Self::Event => 1,
            Self::Loss => 0,
        }
    }

    /// Whether its series are told apart by a source, too.
    pub fn has_source(self) -> bool {
        matches!(
            self,
            Self::Metric
                | Self::Model
                | Self::ModelTokens
                | Self::ModelCost
                | Self::Profile
                | Self::Loss
        )
    }

    /// Whether its values are durations, in milliseconds.
    pub fn is_duration(self) -> bool {
        matches!(
            self,
            Self::Tool
                | Self::Model
                | Self::Agent
                | Self::AgentTool
                | Self::AgentModel
                | Self::Query
                | Self::Discovery
                | Self::Profile
        )
    }

    /// Whether an event without a value is one all the same: a call whose
    /// duration nobody told is a call, but what measures nothing is no
    /// measurement, and what was evicted was not looked up.
    pub fn counts_bare(self) -> bool {
        !matches!(self, Self::Metric | Self::Cache)
    }

    fn points(self) -> Points {
        const HOUR: i64 = REACH.as_nanos() as i64 + 60_000_000_000;
        match self {
            Self::Metric => Points::new(HISTORY, HOUR, Pool::Metrics),
            // The last latencies, however old.
            Self::Tool => Points::new(EXACT, i64::MAX, Pool::Others),
            // Every value is the same: the slots know all.
            Self::Event | Self::Error => Points::new(1, HOUR, Pool::Others),
            _ => Points::new(EXACT, HOUR, Pool::Others),
        }
    }
}

/// One series and what is known of it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) source: Arc<str>,
    pub(super) name: Arc<str>,
    /// Type of a metric, in its source's words.
    pub(super) kind: Option<Arc<str>>,
    pub(super) unit: Option<Arc<str>>,
    pub(super) series: Series,
    pub(super) totals: Totals,
    /// The totals when the log's past had been read.
    pub(super) before: Option<Box<Totals>>,
    /// When something last came of it, whatever that event's own time.
    pub(super) heard: i64,
}

impl Entry {
    pub(super) fn new(family: Family, source: &str, name: &str) -> Self {
        Self {
            source: clipped(source).into(),
            name: clipped(name).into(),
            kind: None,
            unit: None,
            series: Series::new(family.points()),
            totals: Totals::new(family.is_duration()),
            before: None,
            heard: i64::MIN,
        }
    }
}

/// Which series there are of a family.
#[derive(Debug, Default)]
pub(super) struct FamilyIndex {
    pub(super) by_key: HashMap<Box<str>, u32>,
    /// In the order in which they first came; one that was forgotten has left
    /// its turn to another.
    pub(super) order: Vec<u32>,
    pub(super) most: usize,
    /// Events of series that were forgotten.
    pub(super) forgotten: u64,
    /// Turns of series that were silent at the last look.
    silent: Vec<u32>,
    looked: i64,
}

impl FamilyIndex {
    pub(super) fn new(max_series: usize, family: Family) -> Self {
        Self {
            most: (max_series * family.share() / SHARES).max(16),
            ..Self::default()
        }
    }

    /// The turn of a series that may be forgotten. Costs next to nothing: looks
    /// are far between.
    pub(super) fn silent(&mut self, entries: &[Entry], now: i64) -> Option<usize> {
        let since = now.saturating_sub(SILENT);
        let entry = |turn: u32| &entries[self.order[turn as usize] as usize];
        let is_silent = |turn: u32| entry(turn).heard < since && *entry(turn).name != *OTHER;
        if self.silent.is_empty() && now.saturating_sub(self.looked) >= LOOK_EVERY {
            self.looked = now;
            let turns = 0..u32::try_from(self.order.len()).unwrap_or(u32::MAX);
            self.silent = turns.filter(|turn| is_silent(*turn)).collect();
        }
        while let Some(turn) = self.silent.pop() {
            // It may have spoken since.
            if is_silent(turn) {
                return Some(turn as usize);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use tachograph_model::alert::FAMILIES;
    use tachograph_model::render::{Cell, amount};

    use super::*;

    #[test]
    fn rules_know_every_family_and_what_its_figures_are_in() {
        assert_eq!(Family::ALL.map(Family::name), FAMILIES);
        for family in Family::ALL {
            let is_ms = matches!(amount(family.name(), "p95 > 1", 1.0), Cell::Ms(_));
            assert_eq!(is_ms, family.is_duration(), "{}", family.name());
        }
    }
}
