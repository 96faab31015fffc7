//! The fifth seed's trends.

use serde_json::{Map, Value, json};

use super::{mean, py, success, success_text, whole};
use crate::answer::{About, Queries, QueryDay};
use crate::question::Period;
use crate::render::human::{plain_ms, round};
use crate::render::period;

const NOTHING: &str = "No metrics found for trend analysis";

/// As text.
pub fn trends_text(found: &Queries, about: &About) -> String {
    if found.days.is_empty() {
        return format!("📈 Trends Analysis: {NOTHING}\n");
    }
    let (last, window) = match days(about) {
        Some(days) => (format!("Last {days} days"), format!("{days} days")),
        None => (period(about), period(about)),
    };
    let summary = Summary::new(&found.days);
    let mut out = format!(
        "📈 Performance Trends ({last})\n{}\n📅 Period: {window}\n\n📊 Summary:\n",
        "=".repeat(50)
    );
    out.push_str(&format!("  • Total Days: {}\n", found.days.len()));
    out.push_str(&format!("  • Avg Queries/Day: {}\n", py(summary.queries)));
    out.push_str(&format!(
        "  • Avg Success Rate: {}\n",
        success_text(summary.success)
    ));
    out.push_str(&format!(
        "  • Avg Response Time: {}\n\n📅 Daily Breakdown:\n",
        plain_ms(summary.time, 0)
    ));
    for day in &found.days {
        let success = success_text(success(day.outcomes, 3));
        out.push_str(&format!(
            "  {}: {} queries, {success} success, {} avg\n",
            day.date,
            day.total,
            plain_ms(mean(day.duration_ms), 0)
        ));
    }
    out
}

/// As JSON.
pub fn trends_json(found: &Queries, about: &About) -> Map<String, Value> {
    let mut out = Map::new();
    if found.days.is_empty() {
        out.insert("message".into(), NOTHING.into());
        return out;
    }
    let summary = Summary::new(&found.days);
    let window = days(about).map_or_else(|| period(about).into(), whole);
    out.insert("period_days".into(), window);
    out.insert(
        "trend_data".into(),
        found.days.iter().map(day_json).collect(),
    );
    out.insert(
        "summary".into(),
        json!({
            "total_days": found.days.len(),
            "avg_queries_per_day": summary.queries,
            "avg_success_rate": summary.success,
            "avg_response_time_ms": summary.time,
        }),
    );
    out
}

/// The seed counts whatever is not simple as CrewAI here; the true shares
/// stand in `agent_usage`.
fn day_json(day: &QueryDay) -> Value {
    let usage: Map<String, Value> = day
        .agents
        .iter()
        .map(|agent| (agent.agent.clone(), agent.share.into()))
        .collect();
    let simple = day
        .agents
        .iter()
        .find(|agent| agent.agent == "simple")
        .map_or(0, |agent| agent.count);
    let share = |count: u64| crate::answer::ratio(count, day.total).unwrap_or(0.0);
    json!({
        "date": day.date,
        "total_queries": day.total,
        "success_rate": success(day.outcomes, 3),
        "avg_response_time_ms": mean(day.duration_ms),
        "simple_agent_usage": share(simple),
        "crewai_agent_usage": share(day.total - simple),
        "agent_usage": usage,
    })
}

/// Means of the days' rounded figures, rounded.
struct Summary {
    queries: f64,
    /// Of the days that have one.
    success: Option<f64>,
    time: f64,
}

impl Summary {
    fn new(days: &[QueryDay]) -> Self {
        let mean_of = |figure: &dyn Fn(&QueryDay) -> Option<f64>, digits| {
            let figures: Vec<f64> = days.iter().filter_map(figure).collect();
            let sum = figures.iter().sum::<f64>();
            (!figures.is_empty()).then(|| round(sum / figures.len() as f64, digits))
        };
        Self {
            queries: mean_of(&|day| Some(day.total as f64), 2).unwrap_or(0.0),
            success: mean_of(&|day| success(day.outcomes, 3), 3),
            time: mean_of(&|day| Some(mean(day.duration_ms)), 2).unwrap_or(0.0),
        }
    }
}

fn days(about: &About) -> Option<f64> {
    about.period.map(|period| match period {
        Period::Days(days) => f64::from(days),
        Period::Hours(hours) => f64::from(hours) / 24.0,
    })
}
