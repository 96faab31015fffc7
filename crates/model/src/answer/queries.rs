use serde::Serialize;

use super::{CountRange, Outcomes, Spread, Tally};
use crate::question::QueryLimits;

/// How users' queries were answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Queries {
    /// Queries that ended, including abandoned ones.
    pub total: u64,
    /// By outcome; one that does not say is unknown.
    pub outcomes: Outcomes,
    /// Part, 0..=1, that succeeded, of those that say.
    pub success_ratio: Option<f64>,
    /// Of these, never finished.
    pub abandoned: u64,
    /// From question to answer, ms.
    pub duration_ms: Option<Spread>,
    /// What counts as slow or complex.
    pub limits: QueryLimits,
    /// Above the first limit, the very slow included.
    pub slow: CountRange,
    /// Above the second.
    pub very_slow: CountRange,
    /// Per type of agent, every type there is, in the order first seen.
    pub agents: Vec<QueryAgent>,
    /// Per UTC day that has any, in order.
    pub days: Vec<QueryDay>,
    /// Classes of failures that name one, in the order first seen.
    pub errors: Vec<Tally>,
    /// Kinds of entity, most frequent first; equal ones in the order first seen.
    pub entities: Vec<Tally>,
    /// Complexity scores.
    pub complexity: Option<Complexity>,
    /// Agents chosen by `agent_selection` events, in the order first seen.
    pub selections: Vec<Tally>,
    /// Reasons they give, in the order first seen.
    pub selection_reasons: Vec<Tally>,
}

/// The queries that one type of agent answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryAgent {
    /// The type; `unknown` where queries have none.
    pub agent: String,
    /// How many.
    pub count: u64,
    /// Part of all queries, 0..=1.
    pub share: f64,
    /// By outcome.
    pub outcomes: Outcomes,
    /// Part, 0..=1, that succeeded, of those that say.
    pub success_ratio: Option<f64>,
    /// From question to answer, ms.
    pub duration_ms: Option<Spread>,
    /// Mean tool calls within one, of those that say.
    pub mean_tool_calls: Option<f64>,
    /// Mean GraphQL queries within one, of those that say.
    pub mean_graphql_queries: Option<f64>,
    /// Mean complexity score, 0..=1, of those that say.
    pub mean_complexity: Option<f64>,
}

/// The queries of one UTC day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryDay {
    /// `2025-11-20`.
    pub date: String,
    /// How many.
    pub total: u64,
    /// By outcome.
    pub outcomes: Outcomes,
    /// Part, 0..=1, that succeeded, of those that say.
    pub success_ratio: Option<f64>,
    /// From question to answer, ms.
    pub duration_ms: Option<Spread>,
    /// Per type of agent, in the order first seen in the window.
    pub agents: Vec<AgentCount>,
}

/// Queries of one type of agent on one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentCount {
    /// The type.
    pub agent: String,
    /// How many.
    pub count: u64,
    /// Part of the day's queries, 0..=1.
    pub share: f64,
}

/// Complexity scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Complexity {
    /// The scores, 0..=1.
    pub score: Spread,
    /// Above the limit.
    pub high: CountRange,
}

impl Queries {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.total == 0 && self.selections.is_empty()
    }
}
