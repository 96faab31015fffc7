//! The fifth seed's comparison of its types of agent.

use serde_json::{Map, Value, json};

use super::{agents, edge, mean, percent, py, rounded, success_text, title, whole};
use crate::answer::{About, Queries, QueryAgent};
use crate::render::human::plain_ms;
use crate::render::iso;

const NOTHING: &str = "No metrics available";

/// All types of agent, as text.
pub fn performance_text(found: &Queries, about: &About) -> String {
    if found.total == 0 {
        return format!("🤖 Agent Performance Report: {NOTHING}\n");
    }
    let mut out = format!(
        "🤖 Agent Performance Comparison Report\n{}\n🕐 Generated: {}\n\n",
        "=".repeat(50),
        iso(about.at)
    );
    for (name, agent) in agents(found) {
        out.push_str(&format!("📊 {} Agent:\n", title(name)));
        for line in lines(agent, true) {
            out.push_str(&format!("  • {line}\n"));
        }
        out.push('\n');
    }
    out.push_str(&format!(
        "📈 Usage Comparison:\n  • Total Queries: {}\n",
        found.total
    ));
    for (name, agent) in agents(found) {
        let name = if name == "crewai" {
            "CrewAI".to_owned()
        } else {
            title(name)
        };
        let share = percent(agent.map_or(0.0, |agent| agent.share));
        out.push_str(&format!("  • {name} Agent Usage: {share}\n"));
    }
    out.push('\n');
    out
}

/// One type of agent, as text; any that was never seen has no queries.
pub fn one_agent_text(found: &Queries, name: &str) -> String {
    if found.total == 0 {
        return format!("No data available for {name} agent\n");
    }
    let mut out = format!("📊 {} Agent Statistics\n{}\n", title(name), "=".repeat(40));
    for line in lines(found.agents.iter().find(|agent| agent.agent == name), false) {
        out.push_str(&format!("{line}\n"));
    }
    out
}

/// What there is to say of a type of agent; without queries only that.
fn lines(agent: Option<&QueryAgent>, range: bool) -> Vec<String> {
    let Some(agent) = agent else {
        return vec!["Total Queries: 0".to_owned()];
    };
    let mut lines = vec![
        format!("Total Queries: {}", agent.count),
        format!(
            "Success Rate: {}",
            success_text(agent.outcomes.success_ratio())
        ),
    ];
    if agent.outcomes.unknown > 0 {
        lines.push(format!("Unknown Outcome: {}", agent.outcomes.unknown));
    }
    lines.push(format!(
        "Avg Response Time: {}",
        plain_ms(mean(agent.duration_ms), 0)
    ));
    if let (true, Some(spread)) = (range, agent.duration_ms) {
        lines.push(format!(
            "Response Time Range: {} - {}",
            edge(spread.min),
            edge(spread.max)
        ));
    }
    lines.push(format!(
        "Avg Tool Calls: {}",
        py(rounded(agent.mean_tool_calls, 2))
    ));
    lines.push(format!(
        "Avg GraphQL Queries: {}",
        py(rounded(agent.mean_graphql_queries, 2))
    ));
    lines.push(format!(
        "Avg Complexity Score: {:.3}",
        rounded(agent.mean_complexity, 3)
    ));
    lines
}

/// All types of agent, as JSON.
pub fn performance_json(found: &Queries, about: &About) -> Map<String, Value> {
    let mut out = Map::new();
    if found.total == 0 {
        out.insert("message".into(), NOTHING.into());
        return out;
    }
    out.insert("report_generated_at".into(), iso(about.at).into());
    let mut comparison = Map::new();
    comparison.insert("total_queries".into(), found.total.into());
    for (name, agent) in agents(found) {
        out.insert(format!("{name}_agent"), agent_json(name, agent));
        let share = agent.map_or(0.0, |agent| agent.share);
        comparison.insert(format!("{name}_agent_usage_percentage"), share.into());
    }
    out.insert("comparison".into(), comparison.into());
    out
}

/// One type of agent, as JSON.
pub fn one_agent_json(found: &Queries, name: &str) -> Value {
    agent_json(name, found.agents.iter().find(|agent| agent.agent == name))
}

fn agent_json(name: &str, agent: Option<&QueryAgent>) -> Value {
    let Some(agent) = agent else {
        return json!({"agent": name, "total_queries": 0});
    };
    let times = agent.duration_ms;
    let mut out = json!({
        "agent": name,
        "total_queries": agent.count,
        "success_rate": agent.outcomes.success_ratio(),
        "avg_response_time_ms": mean(times),
        "min_response_time_ms": times.map_or(0.into(), |spread| whole(spread.min)),
        "max_response_time_ms": times.map_or(0.into(), |spread| whole(spread.max)),
        "avg_tool_calls": rounded(agent.mean_tool_calls, 2),
        "avg_graphql_queries": rounded(agent.mean_graphql_queries, 2),
        "avg_complexity_score": rounded(agent.mean_complexity, 3),
    });
    if agent.outcomes.unknown > 0 {
        out["unknown_outcome_queries"] = agent.outcomes.unknown.into();
    }
    out
}
