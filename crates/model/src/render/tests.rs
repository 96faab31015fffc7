//! Forms of figures, guards, and reports of answers made by hand.

mod forms;
mod reports;
mod terminal;
mod verdicts;

use super::*;
use crate::answer::*;
use crate::question::Scope;

fn now() -> UnixNanos {
    UnixNanos::parse("2025-11-20T12:00:00Z", false).expect("an instant")
}

fn about() -> About {
    About::new(&Scope::last_days(7, now()))
}

fn empty() -> Report {
    Report {
        discovery: Discovery::default(),
        token_savings: TokenSavings::default(),
        cache_performance: CachePerformance::default(),
        trends: Trends::default(),
        queries: Queries::default(),
        tools: Tools::default(),
        caches: Caches::default(),
        models: Models::default(),
        sessions: Sessions::default(),
        agents: Agents::default(),
        errors: Errors::default(),
        usage: Usage::default(),
        metrics: Metrics::default(),
        losses: Losses::default(),
        storage: Storage::default(),
    }
}

fn spread(value: f64) -> Option<Spread> {
    Some(Spread {
        count: 1,
        sum: value,
        mean: value,
        min: value,
        max: value,
        p50: value,
        p95: value,
        p99: value,
    })
}

/// A home with one tool, named so as to break every form.
fn one_tool(name: &str) -> Report {
    let calls = Outcomes {
        succeeded: 1,
        failed: 1,
        unknown: 0,
    };
    let mut report = empty();
    report.tools = Tools {
        tools: vec![Tool {
            name: name.to_owned(),
            calls,
            success_ratio: calls.success_ratio(),
            duration_ms: spread(1.25),
            errors: vec![Tally {
                name: "TimeoutError".to_owned(),
                count: 1,
            }],
            first: now(),
            last: now(),
        }],
        calls,
        duration_ms: spread(1.25),
    };
    report.usage.events = 2;
    report.usage.kinds = vec![Tally {
        name: "tool_call".to_owned(),
        count: 2,
    }];
    report
}
