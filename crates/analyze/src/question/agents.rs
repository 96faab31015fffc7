//! Agents: what each does, by its hash. Queries name a type of agent, not an
//! agent; they are not counted here.

use tachograph_model::Column;
use tachograph_model::answer::{AgentUse, Agents};

use super::models;
use super::tools::{first, last};
use crate::cells::{self, Cells, Row};

/// Types whose `agent` is a type of agent.
const BY_TYPE: [&str; 2] = ["query", "agent_selection"];

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Agents {
    let rows = cells
        .by_agent()
        .all()
        .iter()
        .filter(|row| !BY_TYPE.contains(&&*row.key().event_type));
    let mut agents: Vec<AgentUse> = cells::groups(rows, |row| row.agent())
        .into_iter()
        .map(|(agent, rows)| agent_use(agent, &rows))
        .collect();
    agents.sort_by_key(|agent| std::cmp::Reverse(agent.events));
    Agents { agents }
}

fn agent_use(agent: &str, rows: &[&Row]) -> AgentUse {
    let of = |event_type: &'static str| {
        rows.iter()
            .copied()
            .filter(move |row| &*row.key().event_type == event_type)
    };
    AgentUse {
        agent: agent.to_owned(),
        events: cells::count(rows.iter().copied()),
        loads: cells::count(of("agent_load")),
        loaded_tokens: cells::sum(of("agent_load"), Column::Tokens),
        load_ms: cells::durations(of("agent_load")).spread(),
        uses: cells::count(of("agent_usage")),
        tool_calls: cells::outcomes(of("tool_call")),
        tool_call_ms: cells::durations(of("tool_call")).spread(),
        llm_calls: cells::outcomes(of("llm_call")),
        tokens: models::tokens_told(of("llm_call")),
        cost_usd: cells::costs(of("llm_call")).sum(),
        first: first(rows),
        last: last(rows),
    }
}
