//! Queries: the fifth seed's three reports, word for word and key for key, and
//! a sheet.
//!
//! The seed knows two types of agent; every further type that is seen is added
//! in the same words beside them.

mod performance;
mod summary;
mod trends;

pub use performance::{one_agent_json, one_agent_text, performance_json, performance_text};
pub use summary::{summary_json, summary_text};
pub use trends::{trends_json, trends_text};

use serde_json::Value;

use super::human::{counted, round};
use super::sheet::{Cell, DURATIONS, Sheet, Table, durations, ratio, some};
use super::tools::tallies;
use crate::answer::{CountRange, Outcomes, Queries, QueryAgent, Spread};

/// Types of agent in the seed's order, then the others as they were seen; the
/// seed's two are there even if never seen.
fn agents(found: &Queries) -> Vec<(&str, Option<&QueryAgent>)> {
    const KNOWN: [&str; 2] = ["simple", "crewai"];
    let find = |name: &str| found.agents.iter().find(|agent| agent.agent == name);
    let known = KNOWN.iter().map(|name| (*name, find(name)));
    let others = found
        .agents
        .iter()
        .filter(|agent| !KNOWN.contains(&agent.agent.as_str()));
    known
        .chain(others.map(|agent| (agent.agent.as_str(), Some(agent))))
        .collect()
}

/// Python's `str.title()`: `crewai` → `Crewai`.
fn title(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut start = true;
    for c in super::width::clean(name).chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = !c.is_alphabetic();
    }
    out
}

/// A whole number as such, as the seed's integers: `85576`, not `85576.0`.
fn whole(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        (value as i64).into()
    } else {
        value.into()
    }
}

/// A duration as the seed prints it, every digit it has: `85576ms`.
fn edge(ms: f64) -> String {
    match ms {
        ms if ms.abs() < 1e9 => format!("{}ms", whole(ms)),
        ms => super::human::duration(ms),
    }
}

/// Rounded, 0 of nothing.
fn mean(spread: Option<Spread>) -> f64 {
    spread.map_or(0.0, |spread| round(spread.mean, 2))
}

fn rounded(value: Option<f64>, digits: usize) -> f64 {
    value.map_or(0.0, |value| round(value, digits))
}

/// `{:.1%}`.
fn percent(ratio: f64) -> String {
    super::human::percent(ratio)
}

/// The success rate of those that tell how they ended, to `digits` places. In
/// the seed every query does, so its figures are the same.
fn success(outcomes: Outcomes, digits: usize) -> Option<f64> {
    outcomes.success_ratio().map(|ratio| round(ratio, digits))
}

/// The same for people.
fn success_text(rate: Option<f64>) -> String {
    rate.map_or_else(|| "unknown".to_owned(), percent)
}

/// A figure as Python prints a float: `1.0`, `1.46`.
fn py(value: f64) -> String {
    let mut out = Vec::new();
    crate::number::write_f64(&mut out, value);
    String::from_utf8_lossy(&out).into_owned()
}

/// A count, or its bounds where a sketch gives no more.
fn range(range: CountRange) -> Cell {
    match range.exact() {
        Some(count) => Cell::Count(count),
        None => Cell::Text(format!("{} to {}", range.at_least, range.at_most)),
    }
}

pub(super) fn sheet(found: &Queries) -> Sheet {
    let mut sheet = Sheet::new("queries", "Queries", "💬");
    sheet.pair("Queries", "queries", Cell::Count(found.total));
    sheet.pair(
        "Success rate",
        "success_ratio",
        ratio(found.outcomes.success_ratio()),
    );
    sheet.pair("Failed", "failed", some(found.outcomes.failed));
    sheet.pair("Unknown outcome", "unknown", some(found.outcomes.unknown));
    sheet.pair("Never finished", "abandoned", some(found.abandoned));
    if let Some(note) = unknown_note(found) {
        sheet.line(note);
    }
    sheet.durations(found.duration_ms);
    if found.total > 0 {
        sheet.pair("Slow", "slow", range(found.slow));
        sheet.pair("Very slow", "very_slow", range(found.very_slow));
    }
    if let Some(complexity) = &found.complexity {
        sheet.pair(
            "Avg complexity",
            "mean_complexity",
            Cell::Number(round(complexity.score.mean, 3)),
        );
        sheet.pair("Highly complex", "high_complexity", range(complexity.high));
    }
    sheet.pair("Entities", "entities", tallies(&found.entities));
    sheet.pair("Agents chosen", "selections", tallies(&found.selections));
    sheet.table(by_agent(found));
    sheet.table(by_day(found));
    sheet
}

/// What the success rate leaves out.
fn unknown_note(found: &Queries) -> Option<String> {
    let Outcomes {
        succeeded,
        failed,
        unknown,
    } = found.outcomes;
    match (unknown, succeeded + failed) {
        (0, _) => None,
        (_, 0) => Some("None tells how it ended: there is no success rate".to_owned()),
        (_, known) => Some(format!(
            "The success rate is that of {} with a known outcome",
            counted(known, "query", "queries")
        )),
    }
}

/// The days alone.
pub(super) fn day_sheet(found: &Queries) -> Sheet {
    let mut sheet = Sheet::new("queries", "Queries", "💬");
    sheet.table(by_day(found));
    sheet
}

fn by_agent(found: &Queries) -> Table {
    let mut columns = vec![
        ("Queries", "queries"),
        ("Share", "share"),
        ("Success", "success_ratio"),
        ("Unknown", "unknown"),
    ];
    columns.extend(DURATIONS);
    columns.extend([
        ("Tool calls", "mean_tool_calls"),
        ("GraphQL", "mean_graphql_queries"),
        ("Complexity", "mean_complexity"),
    ]);
    let mut table = Table::new("queries.agents", "Agent type", &columns).least(&[
        "mean_graphql_queries",
        "mean_complexity",
        "mean_tool_calls",
        "avg_ms",
        "p99_ms",
        "share",
    ]);
    for agent in &found.agents {
        let mut cells = vec![
            Cell::Count(agent.count),
            Cell::Ratio(agent.share),
            ratio(agent.outcomes.success_ratio()),
            some(agent.outcomes.unknown),
        ];
        cells.extend(durations(agent.duration_ms));
        let figures = [
            agent.mean_tool_calls,
            agent.mean_graphql_queries,
            agent.mean_complexity,
        ];
        cells.extend(figures.map(|figure| Cell::from(figure.map(Cell::Number))));
        table.row(&agent.agent, cells);
    }
    table
}

fn by_day(found: &Queries) -> Table {
    let columns = [
        ("Queries", "queries"),
        ("Success", "success_ratio"),
        ("Unknown", "unknown"),
        ("Avg", "avg_ms"),
        ("p95", "p95_ms"),
    ];
    let mut table = Table::new("queries.days", "Date", &columns)
        .titled("By Day")
        .by_day();
    for day in &found.days {
        table.row(
            &day.date,
            vec![
                Cell::Count(day.total),
                ratio(day.outcomes.success_ratio()),
                some(day.outcomes.unknown),
                day.duration_ms.map(|s| Cell::Ms(s.mean)).into(),
                day.duration_ms.map(|s| Cell::Ms(s.p95)).into(),
            ],
        );
    }
    table
}
