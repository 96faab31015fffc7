//! Alerts, as the log holds them, and the rules that are kept for them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::answer::Found;
use tachograph_model::question::Sql;

use super::rules::RulesError;
use super::{SeedError, shape};
use crate::alert::read;
use crate::api::Api;
use crate::api::ask::ask;
use crate::api::json::Json;
use crate::api::problem::{Problem, small_body};
use crate::hub::Hub;
use crate::live::Family;

/// Bytes of a rule, as JSON: its texts may be escaped.
pub const BODY_BYTES: usize = 16 << 10;
/// Alerts that are shown, the newest.
const MOST: usize = 100;

/// So long after the events could not be asked they are not asked again for
/// what can do without.
const AGAIN: Duration = Duration::from_secs(5);

/// Recent alerts. The events are asked for them only when live state has seen
/// one more.
#[derive(Debug, Default)]
pub struct Alerts {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// For how many `alert` events these are all there is to show.
    seen: u64,
    alerts: Arc<Vec<Value>>,
    /// When the events could not be asked.
    failed: Option<Instant>,
}

impl Alerts {
    /// The newest alerts of what live state has seen (the last hour, and what
    /// came since the start), the oldest first.
    ///
    /// # Errors
    /// When the events cannot be read.
    pub fn recent(&self, hub: &Hub) -> Result<Arc<Vec<Value>>, Problem> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.renew(hub)?;
        Ok(known.alerts.clone())
    }

    /// The same for what shows alerts beside its own figures: while the events
    /// cannot be read, or too many ask for them, those that are known already.
    pub fn at_hand(&self, hub: &Hub) -> Arc<Vec<Value>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.failed.is_none_or(|failed| failed.elapsed() >= AGAIN) {
            known.failed = known.renew(hub).err().map(|_| Instant::now());
        }
        known.alerts.clone()
    }
}

impl Known {
    fn renew(&mut self, hub: &Hub) -> Result<(), Problem> {
        let hour = Duration::from_secs(3600);
        let seen = hub.live.reading(Family::Event, "", "alert", hour);
        let seen = seen.map_or(0, |reading| reading.totals.events);
        if self.seen != seen {
            self.alerts = Arc::new(read(hub)?);
            self.seen = seen;
        }
        Ok(())
    }
}

fn read(hub: &Hub) -> Result<Vec<Value>, Problem> {
    let query = format!(
        "select timestamp, name, source, type, status, value, tags from events \
         where event_type = 'alert' order by timestamp desc limit {MOST}"
    );
    let question = Sql {
        query,
        row_limit: MOST,
    };
    let Found::Sql(found) = ask(hub, &question.into())?.found else {
        return Ok(Vec::new());
    };
    let rows = found.rows.into_iter().rev();
    Ok(rows
        .filter_map(|row| {
            let mut row = row.into_iter();
            let mut shown = json!({
                "timestamp": shape::time_of(row.next()?),
                "rule_name": row.next()?,
                "source": row.next()?,
                "severity": row.next()?,
                "status": row.next()?,
                "actual_value": row.next()?,
            });
            let tags = tags(row.next());
            for (key, tag) in OF_TAGS {
                shown[key] = tags.get(tag).cloned().unwrap_or_default();
            }
            shown["description"] = described(hub, &shown["rule_name"]);
            Some(shown)
        })
        .collect())
}

/// Of an alert's event, the tags that the seed's shape has, and as what.
const OF_TAGS: [(&str, &str); 4] = [
    ("metric_name", "metric"),
    ("condition", "condition"),
    ("threshold", "threshold"),
    ("window_seconds", "window_seconds"),
];

/// JSON, or its text.
fn tags(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(tags)) => tags,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    }
}

/// The words are the rule's, as long as there is one.
fn described(hub: &Hub, name: &Value) -> Value {
    let book = hub.alerts.book();
    let found = book.rules().iter().find(|owned| *name == owned.rule.name);
    found.map_or(Value::Null, |owned| owned.rule.description.as_str().into())
}

/// `GET /api/alerts`
///
/// # Errors
/// When events or rules cannot be read.
pub async fn list(State(api): State<Arc<Api>>) -> super::Answer {
    let shared = api.clone();
    let found = api.live.run(move |hub| {
        let alerts = shared.alerts.recent(hub)?;
        let rules = shared.rules.read().map(|_| {
            // It was just read.
            let _ = hub.alerts.renew();
            let book = hub.alerts.book();
            let rules = book.rules().iter().map(|owned| owned.rule.clone());
            rules.collect::<Vec<_>>()
        });
        Ok(rules.map(|rules| (alerts, rules)))
    });
    let (alerts, rules) = found.await?.map_err(failed)?;
    let active = rules.iter().filter(|rule| rule.enabled).count();
    Ok(Json(json!({
        "alerts": *alerts,
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
    let status = match error {
        RulesError::TooMany => StatusCode::CONFLICT,
        RulesError::Malformed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        RulesError::Io { .. } => StatusCode::SERVICE_UNAVAILABLE,
    };
    SeedError(status, error.to_string())
}
