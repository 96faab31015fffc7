//! The fifth seed's 400 records: summary, agents, trends.

use serde_json::{Value, json};
use tachograph_model::Ask;
use tachograph_model::Scope;
use tachograph_model::answer;
use tachograph_model::question::Queries;
use tachograph_stats::{mean, round_half_even_decimal};

use crate::home::{TestHome, now};

fn ask(hours: u32) -> answer::Queries {
    let home = TestHome::new();
    home.write(include_bytes!("data/queries.jsonl"));
    let scope = Scope::last_hours(hours, now());
    let limits = Default::default();
    let (found, about) = Queries { scope, limits }.ask(&home.engine()).unwrap();
    assert!(about.notes.is_empty(), "{:?}", about.notes);
    found
}

fn expected(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("data/queries_expected.json")).unwrap();
    all[name].clone()
}

fn tallies(list: &[answer::Tally]) -> Value {
    list.iter().map(|t| (t.name.clone(), t.count)).collect()
}

#[test]
fn the_summary_is_the_fifth_seed_s() {
    for hours in [1, 24, 168] {
        let found = ask(hours);
        let expected = expected(&format!("summary_{hours}h"));
        let spread = found.duration_ms.unwrap();
        let complexity = found.complexity.unwrap();
        let agent = |name: &str| {
            let agent = found
                .agents
                .iter()
                .find(|agent| agent.agent == name)
                .unwrap();
            json!({"count": agent.count, "percentage": agent.share})
        };
        let ours = json!({
            "period_hours": hours,
            "report_generated_at": "2025-11-20T12:00:00+00:00",
            "total_queries": found.total,
            "success_rate": found.success_ratio.unwrap(),
            "failed_queries": found.outcomes.failed,
            "agent_usage": {"simple_agent": agent("simple"), "crewai_agent": agent("crewai")},
            "response_times": {
                "average_ms": round_half_even_decimal(spread.mean, 2),
                "min_ms": spread.min as i64,
                "max_ms": spread.max as i64,
                "slow_queries": found.slow.exact().unwrap(),
                "very_slow_queries": found.very_slow.exact().unwrap(),
            },
            "error_analysis": tallies(&found.errors),
            "entity_detection": tallies(&found.entities),
            "complexity_analysis": {
                "average_score": round_half_even_decimal(complexity.score.mean, 3),
                "high_complexity_queries": complexity.high.exact().unwrap(),
            },
        });
        assert_eq!(ours, expected, "{hours} h");
    }
}

#[test]
fn every_type_of_agent_is_there_also_the_third() {
    let found = ask(24);
    let counts: u64 = found.agents.iter().map(|agent| agent.count).sum();
    assert_eq!(counts, found.total);
    assert_eq!(found.agents.len(), 3, "{:?}", found.agents);
}

#[test]
fn agent_performance_is_the_fifth_seed_s() {
    let found = ask(168);
    let expected = expected("agent_performance");
    for (key, name) in [("simple_agent", "simple"), ("crewai_agent", "crewai")] {
        let agent = found
            .agents
            .iter()
            .find(|agent| agent.agent == name)
            .unwrap();
        let spread = agent.duration_ms.unwrap();
        let ours = json!({
            "agent": name,
            "total_queries": agent.count,
            "success_rate": agent.success_ratio.unwrap(),
            "avg_response_time_ms": round_half_even_decimal(spread.mean, 2),
            "min_response_time_ms": spread.min as i64,
            "max_response_time_ms": spread.max as i64,
            "avg_tool_calls": round_half_even_decimal(agent.mean_tool_calls.unwrap(), 2),
            "avg_graphql_queries": round_half_even_decimal(agent.mean_graphql_queries.unwrap(), 2),
            "avg_complexity_score": round_half_even_decimal(agent.mean_complexity.unwrap(), 3),
        });
        assert_eq!(ours, expected[key]);
    }
}

#[test]
fn trends_are_the_fifth_seed_s() {
    let found = ask(168);
    let expected = expected("trends_7d");
    let days: Vec<Value> = found
        .days
        .iter()
        .map(|day| {
            let simple = day
                .agents
                .iter()
                .find(|agent| agent.agent == "simple")
                .unwrap();
            // There, what is not simple counts as crewai.
            let others: u64 = day.total - simple.count;
            json!({
                "date": day.date,
                "total_queries": day.total,
                "success_rate": round_half_even_decimal(day.success_ratio.unwrap(), 3),
                "avg_response_time_ms":
                    round_half_even_decimal(day.duration_ms.unwrap().mean, 2),
                "simple_agent_usage": simple.share,
                "crewai_agent_usage": others as f64 / day.total as f64,
            })
        })
        .collect();
    assert_eq!(Value::Array(days), expected["trend_data"]);
    let means: Vec<f64> = found
        .days
        .iter()
        .map(|day| day.duration_ms.unwrap().mean)
        .collect();
    let all = round_half_even_decimal(mean(&means).unwrap(), 2);
    assert_eq!(
        all,
        expected["summary"]["avg_response_time_ms"]
            .as_f64()
            .unwrap()
    );
}

#[test]
fn entities_come_by_number_and_then_as_first_seen() {
    let names: Vec<String> = ask(1)
        .entities
        .into_iter()
        .map(|tally| tally.name)
        .collect();
    assert_eq!(
        names,
        [
            "accounts",
            "payments",
            "bills",
            "customers",
            "subscriptions"
        ]
    );
}
