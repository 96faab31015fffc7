use serde::Serialize;

use super::{Outcomes, Spread, TokenCounts};
use crate::time::UnixNanos;

/// Usage per agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Agents {
    /// The busiest (most events) first; equally busy ones in the order they
    /// were first seen.
    pub agents: Vec<AgentUse>,
}

/// What one agent did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentUse {
    /// Its hash, as stored.
    pub agent: String,
    /// Events that name it.
    pub events: u64,
    /// Times its definition was loaded.
    pub loads: u64,
    /// Estimated tokens of these loads.
    pub loaded_tokens: i64,
    /// How long loading took, ms.
    pub load_ms: Option<Spread>,
    /// `agent_usage` events.
    pub uses: u64,
    /// Tool calls on its behalf.
    pub tool_calls: Outcomes,
    /// How long these took, ms.
    pub tool_call_ms: Option<Spread>,
    /// Model calls on its behalf.
    pub llm_calls: Outcomes,
    /// Their tokens; `None` where no call tells any.
    pub tokens: Option<TokenCounts>,
    /// What these cost, as far as they say, US dollars.
    pub cost_usd: Option<f64>,
    /// When it was first seen.
    pub first: UnixNanos,
    /// When it was last seen.
    pub last: UnixNanos,
}

impl Agents {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }
}
