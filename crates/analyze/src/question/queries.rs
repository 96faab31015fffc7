//! Queries: the fifth seed's summary, agent performance and trends, for every
//! type of agent.

use tachograph_model::Column;
use tachograph_model::answer::{
    AgentCount, Complexity, CountRange, Queries, QueryAgent, QueryDay, Tally, ratio,
};
use tachograph_model::question::QueryLimits;

use super::tallies;
use crate::cells::{self, Cells, Row, UNKNOWN};

/// Answers from the cells.
pub fn answer(cells: &Cells, limits: QueryLimits) -> Queries {
    let rows = cells.of("query");
    let total = cells::count(rows);
    let outcomes = cells::outcomes(rows);
    let durations = cells::durations(rows);
    let agents = cells::groups(rows, |row| Some(agent_of(row)));
    let order: Vec<&str> = agents.iter().map(|(agent, _)| *agent).collect();
    let failed = rows.iter().filter(|row| row.key().success == Some(false));
    let selections = cells.of("agent_selection");
    Queries {
        total,
        outcomes,
        success_ratio: outcomes.success_ratio(),
        abandoned: cells::count(
            rows.iter()
                .filter(|row| row.key().status.as_deref() == Some("abandoned")),
        ),
        duration_ms: durations.spread(),
        limits,
        slow: durations.count_above(limits.slow_ms),
        very_slow: durations.count_above(limits.very_slow_ms),
        agents: agents
            .iter()
            .map(|(agent, rows)| query_agent(agent, rows, total))
            .collect(),
        days: days(rows, &order),
        errors: tallies(failed, |row| row.key().error_type.as_deref()),
        entities: entities(cells, rows),
        complexity: complexity(rows, limits.high_complexity),
        selections: tallies(selections, |row| Some(agent_of(row))),
        selection_reasons: tallies(selections, |row| row.key().name.as_deref()),
    }
}

fn agent_of(row: &Row) -> &str {
    row.agent().unwrap_or(UNKNOWN)
}

fn query_agent(agent: &str, rows: &[&Row], total: u64) -> QueryAgent {
    let all = || rows.iter().copied();
    let count = cells::count(all());
    let outcomes = cells::outcomes(all());
    QueryAgent {
        agent: agent.to_owned(),
        count,
        share: ratio(count, total).unwrap_or_default(),
        outcomes,
        success_ratio: outcomes.success_ratio(),
        duration_ms: cells::durations(all()).spread(),
        mean_tool_calls: cells::mean(all(), Column::ToolCalls),
        mean_graphql_queries: cells::mean(all(), Column::GraphqlQueries),
        mean_complexity: cells::values(all()).mean(),
    }
}

fn days(rows: &[Row], order: &[&str]) -> Vec<QueryDay> {
    let mut days = cells::groups(rows, |row| Some(row.cell.start.day()));
    days.sort_by_key(|(day, _)| *day);
    days.iter()
        .map(|(_, rows)| query_day(rows, order))
        .collect()
}

fn query_day(rows: &[&Row], order: &[&str]) -> QueryDay {
    let total = cells::count(rows.iter().copied());
    let outcomes = cells::outcomes(rows.iter().copied());
    let mut agents = cells::groups(rows.iter().copied(), |row| Some(agent_of(row)));
    agents.sort_by_key(|(agent, _)| order.iter().position(|other| other == agent));
    QueryDay {
        date: rows.first().map(|row| row.date()).unwrap_or_default(),
        total,
        outcomes,
        success_ratio: outcomes.success_ratio(),
        duration_ms: cells::durations(rows.iter().copied()).spread(),
        agents: agents
            .into_iter()
            .map(|(agent, rows)| {
                let count = cells::count(rows);
                AgentCount {
                    agent: agent.to_owned(),
                    count,
                    share: ratio(count, total).unwrap_or_default(),
                }
            })
            .collect(),
    }
}

fn entities(cells: &Cells, rows: &[Row]) -> Vec<Tally> {
    let mut counts: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for row in rows {
        for (entity, count) in &row.cell.entities {
            *counts.entry(entity).or_default() += count;
        }
    }
    let mut tallies: Vec<Tally> = counts
        .into_iter()
        .map(|(name, count)| Tally {
            name: name.to_owned(),
            count,
        })
        .collect();
    tallies.sort_by_key(|tally| {
        (
            std::cmp::Reverse(tally.count),
            cells.entity_place(&tally.name),
        )
    });
    tallies
}

fn complexity(rows: &[Row], limit: f64) -> Option<Complexity> {
    let scores = cells::values(rows);
    let high: CountRange = scores.count_above(limit);
    Some(Complexity {
        score: scores.spread()?,
        high,
    })
}
