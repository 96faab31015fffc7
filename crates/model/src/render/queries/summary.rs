//! The fifth seed's summary.

use serde_json::{Map, Value, json};

use super::{agents, edge, mean, percent, rounded, success_text, title, whole};
use crate::answer::{About, CountRange, Queries, Tally};
use crate::question::Period;
use crate::render::human::{plain_ms, thousands};
use crate::render::width::clean;
use crate::render::{iso, period};

const NOTHING: &str = "No metrics found for the specified period";

/// As text.
pub fn summary_text(found: &Queries, about: &About) -> String {
    if found.total == 0 {
        return format!("📊 Metrics Report: {NOTHING}\n");
    }
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line("📊 Performance Metrics Summary Report".to_owned());
    line("=".repeat(50));
    line(format!("📅 Period: {}", last(about)));
    line(format!("🕐 Generated: {}\n", iso(about.at)));
    line("📈 Query Statistics:".to_owned());
    line(format!("  • Total Queries: {}", found.total));
    line(format!(
        "  • Success Rate: {}",
        success_text(found.outcomes.success_ratio())
    ));
    line(format!("  • Failed Queries: {}", found.outcomes.failed));
    if found.outcomes.unknown > 0 {
        line(format!(
            "  • Unknown Outcome: {} ({} abandoned), not in the rate",
            found.outcomes.unknown, found.abandoned
        ));
    }
    line(String::new());
    line("🤖 Agent Usage:".to_owned());
    for (name, agent) in agents(found) {
        let count = agent.map_or(0, |agent| agent.count);
        let share = percent(agent.map_or(0.0, |agent| agent.share));
        let name = if name == "crewai" {
            "CrewAI".to_owned()
        } else {
            title(name)
        };
        line(format!("  • {name} Agent: {count} queries ({share})"));
    }
    line("\n⏱️  Response Times:".to_owned());
    let edges = found
        .duration_ms
        .map(|spread| (edge(spread.min), edge(spread.max)));
    let (min, max) = edges.unwrap_or((edge(0.0), edge(0.0)));
    let average = plain_ms(mean(found.duration_ms), 0);
    line(format!("  • Average: {average}"));
    line(format!("  • Range: {min} - {max}"));
    line(format!(
        "  • Slow Queries (>{}): {}",
        limit(found.limits.slow_ms),
        counted(found.slow)
    ));
    line(format!(
        "  • Very Slow Queries (>{}): {}\n",
        limit(found.limits.very_slow_ms),
        counted(found.very_slow)
    ));
    tallies(&mut line, "❌ Error Analysis:", &found.errors);
    tallies(&mut line, "🏷️  Entity Detection:", &found.entities);
    line("🧠 Complexity Analysis:".to_owned());
    let score = rounded(found.complexity.map(|complexity| complexity.score.mean), 3);
    let high = found
        .complexity
        .map_or_else(CountRange::default, |complexity| complexity.high);
    line(format!("  • Average Complexity Score: {score:.3}"));
    line(format!("  • High Complexity Queries: {}\n", counted(high)));
    out
}

fn tallies(line: &mut impl FnMut(String), heading: &str, tallies: &[Tally]) {
    if tallies.is_empty() {
        return;
    }
    line(heading.to_owned());
    for tally in tallies {
        line(format!("  • {}: {}", clean(&tally.name), tally.count));
    }
    line(String::new());
}

/// As JSON.
pub fn summary_json(found: &Queries, about: &About) -> Value {
    if found.total == 0 {
        return json!({
            "period_hours": hours(about),
            "total_queries": 0,
            "message": NOTHING,
        });
    }
    let mut usage = Map::new();
    for (name, agent) in agents(found) {
        let count = agent.map_or(0, |agent| agent.count);
        let share = agent.map_or(0.0, |agent| agent.share);
        usage.insert(
            format!("{name}_agent"),
            json!({"count": count, "percentage": share}),
        );
    }
    let times = found.duration_ms;
    let mut out = json!({
        "period_hours": hours(about),
        "report_generated_at": iso(about.at),
        "total_queries": found.total,
        "success_rate": found.outcomes.success_ratio(),
        "failed_queries": found.outcomes.failed,
        "agent_usage": usage,
        "response_times": {
            "average_ms": mean(times),
            "min_ms": times.map_or(0.into(), |spread| whole(spread.min)),
            "max_ms": times.map_or(0.into(), |spread| whole(spread.max)),
            "slow_queries": found.slow.estimate(),
            "very_slow_queries": found.very_slow.estimate(),
        },
        "error_analysis": counts(&found.errors),
        "entity_detection": counts(&found.entities),
        "complexity_analysis": {
            "average_score": rounded(found.complexity.map(|complexity| complexity.score.mean), 3),
            "high_complexity_queries": found.complexity.map_or(0, |complexity| complexity.high.estimate()),
        },
    });
    // A key the seed does not know, only where there is something to say.
    if found.outcomes.unknown > 0 {
        out["unknown_outcome_queries"] = found.outcomes.unknown.into();
    }
    out
}

fn counts(tallies: &[Tally]) -> Map<String, Value> {
    tallies
        .iter()
        .map(|tally| (tally.name.clone(), tally.count.into()))
        .collect()
}

/// A count, or about what a sketch knows it to be.
fn counted(range: CountRange) -> String {
    match range.exact() {
        Some(count) => count.to_string(),
        None => format!("about {}", thousands(range.estimate().into())),
    }
}

/// `5s`, `1500ms`.
fn limit(ms: f64) -> String {
    let seconds = whole(ms / 1000.0);
    if seconds.is_i64() {
        format!("{seconds}s")
    } else {
        format!("{}ms", whole(ms))
    }
}

fn last(about: &About) -> String {
    match about.period {
        Some(Period::Hours(hours)) => format!("Last {hours} hours"),
        Some(Period::Days(days)) => format!("Last {} hours", u64::from(days) * 24),
        None => period(about),
    }
}

/// The window's length; null when it has none.
fn hours(about: &About) -> Value {
    match about.period {
        Some(period) => (period.length().as_secs() / 3600).into(),
        None => match about.to {
            Some(to) if about.from != crate::UnixNanos::MIN => {
                whole((to.0 - about.from.0) as f64 / 3.6e12)
            }
            _ => Value::Null,
        },
    }
}
