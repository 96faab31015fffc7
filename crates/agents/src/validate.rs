//! The strict reading of an index: everything the format asks for.

use std::collections::HashSet;

use serde_json::Value;

use crate::index::{Index, VERSION};

/// Fields that must be there and hold text.
const REQUIRED: [&str; 6] = [
    "id",
    "name",
    "display_name",
    "category",
    "description",
    "file_path",
];

/// All that is wrong with an index file's JSON, one sentence each; empty when
/// it is valid.
///
/// ```
/// let odd = serde_json::json!({"version": "1.0.0", "agent_count": 1, "agents": []});
/// assert_eq!(tachograph_agents::validate(&odd), ["agent_count is 1 but the index lists 0 agents"]);
/// ```
#[must_use]
pub fn validate(index: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if index.get("version").and_then(Value::as_str) != Some(VERSION) {
        problems.push(format!(
            "version must be {VERSION}, found {}",
            shown(index.get("version"))
        ));
    }
    let Some(agents) = index.get("agents").and_then(Value::as_array) else {
        problems.push("agents must be a list".to_owned());
        return problems;
    };
    let count = index.get("agent_count");
    if count.and_then(Value::as_u64) != Some(agents.len() as u64) {
        problems.push(format!(
            "agent_count is {} but the index lists {} agents",
            shown(count),
            agents.len()
        ));
    }
    let mut ids = HashSet::new();
    for (position, agent) in agents.iter().enumerate() {
        check_agent(position, agent, &mut problems);
        if let Some(id) = agent.get("id").and_then(Value::as_str)
            && !ids.insert(id)
        {
            problems.push(format!("id {id} stands more than once"));
        }
    }
    problems
}

impl Index {
    /// [`validate`] for an index in memory.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        serde_json::from_str(&self.to_json())
            .map_or_else(|error| vec![error.to_string()], |value| validate(&value))
    }
}

fn check_agent(position: usize, agent: &Value, problems: &mut Vec<String>) {
    let label = agent
        .get("id")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .map_or_else(
            || format!("agent at position {position}"),
            |id| format!("agent {id}"),
        );
    for field in REQUIRED {
        if agent
            .get(field)
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            problems.push(format!("{label}: {field} must be text and not empty"));
        }
    }
    for field in ["tools", "keywords"] {
        if !agent.get(field).is_some_and(Value::is_array)
            && (field == "tools" || agent.get(field).is_some())
        {
            problems.push(format!("{label}: {field} must be a list"));
        }
    }
    if agent
        .get("estimated_tokens")
        .and_then(Value::as_f64)
        .is_none_or(|tokens| tokens <= 0.0)
    {
        problems.push(format!("{label}: estimated_tokens must be above 0"));
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}
