//! The report as JSON: the first seed's keys, then one for every section.

use serde_json::{Map, Value, json};

use super::super::{cache_performance, discovery, iso, queries, token_savings, trends};
use super::{Section, Selection};
use crate::answer::{About, Report};
use crate::question::Period;

/// As JSON. Whether the notes are in it is whether the report
/// [is full](Selection::is_full).
pub fn json(report: &Report, about: &About, selection: &Selection) -> Value {
    if let Selection::Only(sections) = selection {
        if let [Section::Queries] = sections[..] {
            return queries::summary_json(&report.queries, about);
        }
        return selection
            .sections(report)
            .into_iter()
            .map(|section| (section.name().to_owned(), section.json(report)))
            .collect::<Map<_, _>>()
            .into();
    }
    let full = selection.is_full(report);
    let mut out = Map::new();
    out.insert("report_period_days".into(), days(about));
    out.insert("generated_at".into(), iso(about.at).into());
    out.insert("discovery_stats".into(), discovery::json(&report.discovery));
    out.insert(
        "token_savings".into(),
        token_savings::json(&report.token_savings),
    );
    out.insert(
        "cache_performance".into(),
        cache_performance::json(&report.cache_performance, full),
    );
    out.insert("trends".into(), trends::json(&report.trends));
    if full {
        for section in Section::ALL.iter().filter(|section| !section.is_classic()) {
            out.insert(section.name().into(), section.json(report));
        }
        out.insert(
            "savings".into(),
            serde_json::to_value(&report.token_savings).unwrap_or(Value::Null),
        );
        out.insert(
            "second_opinion".into(),
            serde_json::to_value(report.trends.second_opinion).unwrap_or(Value::Null),
        );
        out.insert("about".into(), about_json(about));
        out.insert(
            "notes".into(),
            serde_json::to_value(&about.notes).unwrap_or(Value::Null),
        );
    }
    out.into()
}

/// One section, under its name, with the window and the notes: what the full
/// report holds under these keys.
pub fn section_json(report: &Report, about: &About, section: Section) -> Value {
    json!({
        section.name(): section.json(report),
        "about": about_json(about),
        "notes": about.notes,
    })
}

/// Window, method and number of events.
pub(in crate::render) fn about_json(about: &About) -> Value {
    json!({
        "from": (about.from != crate::UnixNanos::MIN).then(|| iso(about.from)),
        "to": about.to.map(iso),
        "events": about.events,
        "method": about.method,
    })
}

/// Days of the window; null when it has no end.
pub(in crate::render) fn days(about: &About) -> Value {
    const DAY: f64 = 86_400e9;
    let days = match (about.period, about.to) {
        (Some(Period::Days(days)), _) => return days.into(),
        (Some(Period::Hours(hours)), _) => f64::from(hours) / 24.0,
        (None, Some(to)) if about.from != crate::UnixNanos::MIN => {
            (to.0 as f64 - about.from.0 as f64) / DAY
        }
        _ => return Value::Null,
    };
    if days.fract() == 0.0 {
        (days as i64).into()
    } else {
        days.into()
    }
}
