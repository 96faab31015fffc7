//! Agents as a sheet.

use super::sheet::{Cell, Sheet, Table, some};
use crate::answer::Agents;

pub(super) fn sheet(found: &Agents) -> Sheet {
    let mut sheet = Sheet::new("agents", "Agents", "🤖");
    sheet.pair(
        "Agents seen",
        "agents",
        Cell::Count(found.agents.len() as u64),
    );
    let columns = [
        ("Events", "events"),
        ("Loads", "loads"),
        ("Tokens loaded", "loaded_tokens"),
        ("Load p95", "load_p95_ms"),
        ("Uses", "uses"),
        ("Tool calls", "tool_calls"),
        ("Tool p95", "tool_call_p95_ms"),
        ("Model calls", "llm_calls"),
        ("Tokens", "tokens"),
        ("Failed", "failed"),
        ("Cost", "cost_usd"),
        ("Last seen", "last"),
    ];
    let mut table = Table::new("agents", "Agent", &columns).least(&[
        "load_p95_ms",
        "loads",
        "loaded_tokens",
        "uses",
        "events",
        "tokens",
        "tool_call_p95_ms",
        "last",
    ]);
    for agent in &found.agents {
        table.row(
            &agent.agent,
            vec![
                Cell::Count(agent.events),
                some(agent.loads),
                if agent.loads > 0 {
                    Cell::Whole(agent.loaded_tokens)
                } else {
                    Cell::Nothing
                },
                agent.load_ms.map(|s| Cell::Ms(s.p95)).into(),
                some(agent.uses),
                some(agent.tool_calls.total()),
                agent.tool_call_ms.map(|s| Cell::Ms(s.p95)).into(),
                some(agent.llm_calls.total()),
                agent.tokens.map(|it| Cell::Whole(it.total())).into(),
                some(agent.tool_calls.failed + agent.llm_calls.failed),
                agent.cost_usd.map(Cell::Usd).into(),
                Cell::Time(agent.last),
            ],
        );
    }
    sheet.table(table);
    sheet
}
