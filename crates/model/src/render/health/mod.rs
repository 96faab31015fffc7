//! The health check: are the targets met? The first seed's dashboard, its box
//! mended, its tips true.
//!
//! ```text
//! check.rs  targets, and how what was measured stands to them
//! tips.rs   the verdict, and what to do about it
//! page.rs   the dashboard
//! ```

mod check;
mod page;
mod tips;

pub use check::{Check, Status, Targets, checks, is_missed};
pub use page::text;

use serde_json::{Value, json};

use super::{human, iso, trends};
use crate::answer::{About, Report};
use check::is_operational;
use tips::{Verdict, tips};

/// A duration as the dashboard writes it: `0.05ms`, `42.0ms`, `1.50s`; from an
/// hour on as every duration of ours.
pub fn format_duration(ms: f64) -> String {
    const HOUR: f64 = 3_600e3;
    if !ms.is_finite() || ms.abs() >= HOUR {
        human::duration(ms)
    } else if ms < 1.0 {
        format!("{ms:.2}ms")
    } else if ms < 1000.0 {
        format!("{ms:.1}ms")
    } else {
        format!("{:.2}s", ms / 1000.0)
    }
}

/// `20`, `7.5`.
fn plain(value: f64) -> String {
    value.to_string()
}

/// The same as JSON.
pub fn json(report: &Report, about: &About, targets: &Targets) -> Value {
    let checks = checks(report, targets);
    let verdict = Verdict::of(report, &checks);
    let rows: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "value": check.value,
                "unit": if check.latency { "ms" } else { "percent" },
                "target": check.target,
                "status": match check.status {
                    Status::Good => "good",
                    Status::Warning => "warning",
                    Status::Bad => "bad",
                },
            })
        })
        .collect();
    json!({
        "generated_at": iso(about.at),
        "period_days": super::report::days(about),
        "operational": is_operational(&checks),
        "missed": is_missed(&checks),
        "verdict": verdict.name(),
        "checks": rows,
        "trend": trends::direction(&report.trends).as_str(),
        "storage": report.storage,
        "tips": tips(verdict, &checks),
        "notes": about.notes,
    })
}
