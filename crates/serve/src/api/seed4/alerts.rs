//! Alerts, as the log holds them, and the rules that are kept for them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tachograph_model::event::Value as EventValue;
use tachograph_model::{Column, Event, UnixNanos};

use super::rules::RulesError;
use super::{SeedError, shape};
use crate::alert::list::ListError;
use crate::alert::read;
use crate::api::Api;
use crate::api::json::Json;
use crate::api::problem::small_body;
use crate::hub::Hub;

/// Bytes of a rule, as JSON: its texts may be escaped.
pub const BODY_BYTES: usize = 16 << 10;
/// The newest alerts of what live state has seen (the last hour, and what came
/// since the start), the oldest first.
pub fn recent(hub: &Hub) -> Vec<Value> {
    let events = hub.live.alerts();
    if events.is_empty() {
        return Vec::new();
    }
    let book = hub.alerts.book();
    let rules = book.rules().iter();
    let described: HashMap<&str, &str> = rules
        .map(|owned| (owned.rule.name.as_str(), owned.rule.description.as_str()))
        .collect();
    let events = events.iter();
    events.map(|event| shown(event, &described)).collect()
}

/// The words are the rule's, as long as there is one.
fn shown(event: &Event, described: &HashMap<&str, &str>) -> Value {
    let name = event.str(Column::Name);
    let mut shown = json!({
        "timestamp": shape::time(event.time),
        "rule_name": name,
        "source": event.str(Column::Source),
        "severity": event.str(Column::Type),
        "status": event.str(Column::Status),
        "actual_value": event.f64(Column::Value),
    });
    let tags = match event.get(Column::Tags) {
        Some(EventValue::Json(tags)) => Some(&**tags),
        _ => None,
    };
    for (key, tag) in OF_TAGS {
        let told = tags.and_then(|tags| tags.get(tag));
        shown[key] = told.cloned().unwrap_or_default();
    }
    let words = name.and_then(|name| described.get(name));
    shown["description"] = words.copied().into();
    shown
}

/// Of an alert's event, the tags that the seed's shape has, and as what.
const OF_TAGS: [(&str, &str); 4] = [
    ("metric_name", "metric"),
    ("condition", "condition"),
    ("threshold", "threshold"),
    ("window_seconds", "window_seconds"),
];

/// `GET /api/alerts`
///
/// # Errors
/// When the rules cannot be read.
pub async fn list(State(api): State<Arc<Api>>) -> super::Answer {
    let shared = api.clone();
    let found = api.live.run(move |hub| {
        let alerts = recent(hub);
        let rules = shared.rules.read().map(|_| {
            // It was just read.
            let _ = hub.alerts.renew();
            let book = hub.alerts.book();
            let rules = book.rules().iter().map(|owned| owned.rule.clone());
            rules.collect::<Vec<_>>()
        });
        Ok(rules.map(|rules| (alerts, rules)))
    });
    let (alerts, rules) = found.await?.map_err(|error| failed(error.into()))?;
    let active = rules.iter().filter(|rule| rule.enabled).count();
    Ok(Json(json!({
        "alerts": alerts,
        "rules": rules,
        "total_alerts": alerts.len(),
        "active_rules": active,
    })))
}

/// `POST /api/alerts/rules`
///
/// # Errors
/// What is wrong with the rule; what keeps it from being stored.
pub async fn add(
    State(api): State<Arc<Api>>,
    body: Result<Bytes, BytesRejection>,
) -> super::Answer {
    let body = small_body(body, BODY_BYTES)?;
    let body = serde_json::from_slice(&body)
        .map_err(|error| SeedError::bad(format!("Invalid JSON: {error}")))?;
    let Value::Object(body) = body else {
        return Err(SeedError::bad("Invalid JSON: a rule is an object"));
    };
    let rule = read::rule(&body, UnixNanos::now()).map_err(SeedError::bad)?;
    let name = rule.name.clone();
    let shared = api.clone();
    let added = api.live.run(move |_| Ok(shared.rules.add(rule)));
    added.await?.map_err(failed)?;
    Ok(Json(json!({
        "status": "success",
        "message": format!("Alert rule '{name}' added successfully"),
    })))
}

fn failed(error: RulesError) -> SeedError {
    let status = match &error {
        RulesError::TooMany => StatusCode::CONFLICT,
        RulesError::List(ListError::Malformed { .. }) => StatusCode::INTERNAL_SERVER_ERROR,
        RulesError::List(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    SeedError(status, error.to_string())
}
