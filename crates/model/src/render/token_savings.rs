//! Token savings: the first seed's words and keys, and a sheet.

use serde_json::{Value, json};

use super::human::{percent, round, thousands};
use super::sheet::{Cell, Sheet};
use crate::answer::{Saving, TokenSavings};

pub(super) const TITLE: (&str, &str) = ("💾", "Token Consumption");

/// The lines under the heading. With `more`, also what the first seed does not
/// say: distinct agents, and the saving against as many sessions as began.
pub(super) fn text(out: &mut String, found: &TokenSavings, more: bool) {
    let distinct = if more && !found.is_empty() {
        format!(" ({} distinct)", thousands(found.agents.into()))
    } else {
        String::new()
    };
    out.push_str(&format!("  Agents loaded: {}{distinct}\n", found.loads));
    out.push_str(&format!(
        "  Tokens loaded: {}\n",
        thousands(found.tokens.into())
    ));
    // Loads of many sessions against what one would have loaded says nothing:
    // only where sessions were not recorded, as in the first seed.
    let one = found.against_one_session;
    if let Some(saving) = one.filter(|_| !more || found.against_sessions.is_none()) {
        out.push_str(&format!(
            "  Estimated savings: {} tokens ({:.2}%)\n",
            thousands(saving.saved_tokens.into()),
            seed_percent(&saving),
        ));
    }
    if let (true, Some(saving)) = (more, found.against_sessions) {
        out.push_str(&format!(
            "  Estimated savings over {} sessions: {} tokens ({})\n",
            thousands(found.sessions.into()),
            thousands(saving.saved_tokens.into()),
            percent(saving.saved_ratio.unwrap_or(0.0)),
        ));
    }
}

/// `token_savings`: the first seed's figures, against one session.
pub(super) fn json(found: &TokenSavings) -> Value {
    let saving = found.against_one_session;
    json!({
        "total_agents_loaded": found.loads,
        "total_tokens_loaded": found.tokens,
        "avg_tokens_per_agent": found.mean_tokens.map_or(0.0, |mean| round(mean, 2)),
        "estimated_baseline_tokens": saving.map_or(0, |saving| saving.baseline_tokens),
        "estimated_savings_tokens": saving.map_or(0, |saving| saving.saved_tokens),
        "savings_percentage": saving.map_or(0.0, |saving| seed_percent(&saving)),
    })
}

/// As the first seed computes it: rounded to two places.
pub(super) fn seed_percent(saving: &Saving) -> f64 {
    round(saving.saved_ratio.unwrap_or(0.0) * 100.0, 2)
}

pub(super) fn sheet(found: &TokenSavings) -> Sheet {
    let mut sheet = Sheet::new("token_savings", TITLE.1, TITLE.0);
    sheet.pair("Agents loaded", "loads", Cell::Count(found.loads));
    sheet.pair("Distinct agents", "agents", Cell::Count(found.agents));
    sheet.pair("Tokens loaded", "tokens", Cell::Whole(found.tokens));
    sheet.pair(
        "Avg tokens per load",
        "mean_tokens",
        found.mean_tokens.map(Cell::Number),
    );
    if !found.is_empty() {
        sheet.pair(
            "Agents there are",
            "baseline_agents",
            Cell::Count(found.baseline.agents),
        );
        sheet.pair(
            "Tokens of all agents",
            "baseline_tokens",
            Cell::Whole(found.baseline.tokens),
        );
    }
    let one = found.against_one_session;
    sheet.pair(
        "Saved, against one session",
        "saved_tokens",
        one.map(|s| Cell::Whole(s.saved_tokens)),
    );
    sheet.pair(
        "Of its baseline",
        "saved_ratio",
        one.and_then(|s| s.saved_ratio).map(Cell::Ratio),
    );
    let all = found.against_sessions;
    sheet.pair(
        "Sessions",
        "sessions",
        all.map(|_| Cell::Count(found.sessions)),
    );
    sheet.pair(
        "Saved, against all sessions",
        "saved_tokens_of_sessions",
        all.map(|s| Cell::Whole(s.saved_tokens)),
    );
    sheet.pair(
        "Of their baseline",
        "saved_ratio_of_sessions",
        all.and_then(|s| s.saved_ratio).map(Cell::Ratio),
    );
    sheet
}
