//! Alerts, as the log holds them, and the rules that are kept for them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::alert::{DEFAULT_COOLDOWN, DEFAULT_WINDOW, FAMILIES, Rule};
use tachograph_model::answer::Found;
use tachograph_model::near::near;
use tachograph_model::question::Sql;

use super::rules::RulesError;
use super::{SeedError, shape};
use crate::api::Api;
use crate::api::ask::ask;
use crate::api::json::Json;
use crate::api::problem::{Problem, quoted, small_body};
use crate::hub::Hub;
use crate::live::Family;

/// Bytes of a rule, as JSON: its texts may be escaped.
pub const BODY_BYTES: usize = 16 << 10;
/// Alerts that are shown, the newest.
const MOST: usize = 100;

/// Keys that a rule must have, in the order in which the seed asks for them.
const REQUIRED: [&str; 5] = ["name", "metric_name", "source", "condition", "threshold"];
/// The last is the server's to say: it may stand there, for a rule that was
/// read, changed and sent back.
const OPTIONAL: [&str; 10] = [
    "window_seconds",
    "severity",
    "description",
    "enabled",
    "for_seconds",
    "cooldown_seconds",
    "labels",
    "group",
    "family",
    "created_at",
];

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
        "select timestamp, name, source, type, status, value from events \
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
            Some(json!({
                "timestamp": shape::time_of(row.next()?),
                "rule_name": row.next()?,
                "source": row.next()?,
                "severity": row.next()?,
                "status": row.next()?,
                "actual_value": row.next()?,
            }))
        })
        .collect())
}

/// `GET /api/alerts`
///
/// # Errors
/// When events or rules cannot be read.
pub async fn list(State(api): State<Arc<Api>>) -> super::Answer {
    let shared = api.clone();
    let found = api.live.run(move |hub| {
        let alerts = shared.alerts.recent(hub)?;
        let rules = shared.rules.read();
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
    let rule = rule(&body, UnixNanos::now()).map_err(SeedError::bad)?;
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

/// A whole number, as whole or not as its sender writes numbers.
fn whole(value: &Value) -> Option<u64> {
    let pointed = || {
        let number = value.as_f64()?;
        let whole = number.fract() == 0.0 && (0.0..1e15).contains(&number);
        whole.then_some(number as u64)
    };
    value.as_u64().or_else(pointed)
}

/// The rule that a body describes.
fn rule(body: &Map<String, Value>, now: UnixNanos) -> Result<Rule, String> {
    let missing: Vec<String> = REQUIRED
        .iter()
        .filter(|key| !body.contains_key(**key))
        .map(|key| format!("'{key}'"))
        .collect();
    if !missing.is_empty() {
        return Err(format!("Missing required fields: [{}]", missing.join(", ")));
    }
    let known = || REQUIRED.iter().chain(&OPTIONAL).copied();
    if let Some(key) = body.keys().find(|key| !known().any(|known| known == *key)) {
        let hint =
            near(key, known()).map_or(String::new(), |near| format!("; did you mean {near}?"));
        return Err(format!("Unknown field: '{}'{hint}", quoted(key)));
    }
    let text = |key, default: &str| match body.get(key) {
        None => Ok(default.to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("`{key}` must be text")),
    };
    text("created_at", "")?;
    let threshold = body.get("threshold").and_then(Value::as_f64);
    let seconds = |key, default: u64| {
        let seconds = body.get(key).map_or(Some(default), whole);
        seconds.ok_or_else(|| format!("`{key}` must be a whole number of seconds"))
    };
    let enabled = body.get("enabled").map_or(Some(true), Value::as_bool);
    let rule = Rule {
        name: text("name", "")?,
        metric_name: text("metric_name", "")?,
        source: text("source", "")?,
        condition: text("condition", "")?,
        threshold: threshold.ok_or("`threshold` must be a number")?,
        window_seconds: seconds("window_seconds", DEFAULT_WINDOW)?,
        severity: text("severity", "warning")?,
        description: text("description", "")?,
        enabled: enabled.ok_or("`enabled` must be true or false")?,
        created_at: now,
        for_seconds: seconds("for_seconds", 0)?,
        cooldown_seconds: seconds("cooldown_seconds", DEFAULT_COOLDOWN)?,
        labels: labels(body.get("labels"))?,
        group: text("group", "")?,
        family: text("family", FAMILIES[0])?,
    };
    rule.check().map_err(|error| error.to_string())?;
    Ok(rule)
}

fn labels(value: Option<&Value>) -> Result<BTreeMap<String, String>, String> {
    let wrong = || "`labels` must be texts by name".to_owned();
    let Some(value) = value else {
        return Ok(BTreeMap::new());
    };
    let labels = value.as_object().ok_or_else(wrong)?.iter();
    labels
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, value: Value) -> Map<String, Value> {
        let mut body = Map::new();
        for (key, value) in [
            ("name", json!("slow")),
            ("metric_name", json!("query_latency_ms")),
            ("source", json!("database")),
            ("condition", json!("p95 > 100")),
            ("threshold", json!(100)),
        ] {
            body.insert(key.to_owned(), value);
        }
        body.insert(key.to_owned(), value);
        body
    }

    #[test]
    fn a_rule_is_what_its_body_says() {
        let made = rule(&with("severity", json!("critical")), UnixNanos(0)).expect("a rule");
        assert_eq!((made.threshold, made.window_seconds), (100.0, 300));
        assert_eq!((made.severity.as_str(), made.enabled), ("critical", true));
        let made = rule(&with("window_seconds", json!(60.0)), UnixNanos(0)).expect("a rule");
        assert_eq!(made.window_seconds, 60);
        // What was read may be sent back.
        let read = serde_json::to_value(&made).expect("JSON");
        let read = read.as_object().expect("an object");
        assert_eq!(rule(read, UnixNanos(0)).as_ref(), Ok(&made));
        let check = |key: &str, value: Value, said: &str| {
            let error = rule(&with(key, value), UnixNanos(0)).expect_err(said);
            assert!(error.contains(said), "{error}");
        };
        check("name", json!(7), "`name` must be text");
        check("name", json!(""), "`name`");
        check("name", Value::Null, "`name` must be text");
        check("threshold", json!("100"), "`threshold` must be a number");
        check("threshold", Value::Null, "`threshold`");
        check("window_seconds", json!(1.5), "`window_seconds`");
        check("window_seconds", json!(-60), "`window_seconds`");
        check("window_seconds", json!(86_400), "`window_seconds`");
        check("enabled", json!("yes"), "`enabled`");
        check("created_at", json!(7), "`created_at` must be text");
        check("severity", json!("fatal"), "`severity`");
        check("condition", json!("sometimes"), "condition");
        check("for_seconds", json!(-1), "`for_seconds`");
        check("cooldown_seconds", json!("1h"), "`cooldown_seconds`");
        check("labels", json!(["a"]), "`labels`");
        check("labels", json!({"a": 1}), "`labels`");
        check("family", json!("tools"), "`family`");
        check("group", json!(7), "`group` must be text");
        check("treshold", json!(1), "did you mean threshold?");
        let two = json!({"name": "a", "source": "b", "threshold": 1});
        let error = rule(two.as_object().expect("an object"), UnixNanos(0)).expect_err("missing");
        assert_eq!(
            error,
            "Missing required fields: ['metric_name', 'condition']"
        );
    }
}
