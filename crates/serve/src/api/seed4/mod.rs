//! The fourth seed's HTTP API, its paths and shapes, over live state: whatever
//! any process on the machine records. Errors of these routes are the seed's,
//! `{"error": …}`.
//!
//! What differs, because the seed was wrong or could not: time is UTC with its
//! offset; a parameter that cannot be read is a 400; a rule that could never
//! fire is refused; rules outlive the server. Alerts are those that the log
//! holds as `alert` events.

pub mod alerts;
pub mod push;
pub mod rules;
pub mod shape;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::answer::Found;
use tachograph_model::question::Sql;
use tachograph_model::render::iso;

use super::Api;
use super::ask::ask;
use super::json::Json;
use super::params::{Param, Params, Takes, is_text};
use super::problem::{Problem, quoted};
use crate::hub::Hub;
use crate::live::{Family, HISTORY, Live};

/// Seconds that live state reaches back.
const HOUR: u64 = 3600;
/// Seconds that a history may ask for: what lies further back than live state
/// reaches is looked up among the events.
const WEEK: u64 = 7 * 86_400;

/// What a summary takes.
pub const SUMMARY_PARAMS: &[Param] = &[
    Param {
        name: "window",
        doc: "Seconds, 300 unless told otherwise.",
        takes: Takes::Whole(1, HOUR),
    },
    Param {
        name: "source",
        doc: "Only this source, one of those that /api/metrics/sources lists; empty: every one.",
        takes: Takes::TextOrNone(256),
    },
];

/// What a history takes.
pub const HISTORY_PARAMS: &[Param] = &[Param {
    name: "duration",
    doc: "Seconds, 3600 unless told otherwise.",
    takes: Takes::Whole(1, WEEK),
}];

/// The routes.
pub fn router() -> Router<Arc<Api>> {
    let rules = DefaultBodyLimit::max(alerts::BODY_BYTES);
    Router::new()
        .route("/health", get(health))
        .route("/api/metrics/summary", get(summary))
        .route("/api/metrics/history/{source}/{*metric}", get(history))
        .route("/api/metrics/sources", get(sources))
        .route("/api/alerts", get(alerts::list))
        .route(
            "/api/alerts/rules",
            axum::routing::post(alerts::add).layer(rules),
        )
        .route("/api/export/{format}", get(export))
        .route("/ws", get(push::upgrade))
}

/// An error as the seed says it.
#[derive(Debug)]
pub struct SeedError(pub StatusCode, pub String);

impl SeedError {
    /// What was asked is wrong.
    pub fn bad(said: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, said.into())
    }
}

impl From<Problem> for SeedError {
    fn from(problem: Problem) -> Self {
        Self(problem.kind().status(), problem.detail().to_owned())
    }
}

impl IntoResponse for SeedError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

type Answer = Result<Json, SeedError>;

/// The seed's, while all is well. While the disk refuses what comes it is 503,
/// and says why in a member more.
async fn health(State(api): State<Arc<Api>>) -> (StatusCode, Json) {
    let stopping = *api.hub.stopping.borrow();
    let mut told = json!({
        "status": "healthy",
        "timestamp": shape::time(UnixNanos::now()),
        "websocket_clients": api.places.taken(),
        "metrics_collector": if stopping { "stopped" } else { "running" },
    });
    let Some(why) = api.hub.counters.refusing() else {
        return (StatusCode::OK, Json(told));
    };
    told["status"] = "failing".into();
    told["reason"] = why.into();
    (StatusCode::SERVICE_UNAVAILABLE, Json(told))
}

async fn summary(State(api): State<Arc<Api>>, uri: OriginalUri) -> Answer {
    let params = Params::read(uri.query(), SUMMARY_PARAMS)?;
    let length = Duration::from_secs(params.whole("window").unwrap_or(300));
    let source = params.text("source").map(str::to_owned);
    if let Some(source) = &source
        && !is_source(&api.hub.live, source)
    {
        return Err(SeedError::bad(format!(
            "Invalid source: {}",
            quoted(source)
        )));
    }
    let summary = api.live.run(move |hub| {
        let readings = hub.live.readings(Family::Metric, source.as_deref(), length);
        let alerts = alerts::recent(hub);
        Ok(shape::summary(&readings, length, UnixNanos::now(), &alerts))
    });
    Ok(Json(summary.await?))
}

fn is_source(live: &Live, name: &str) -> bool {
    shape::SOURCES.contains(&name) || live.sources().iter().any(|source| **source == *name)
}

async fn sources(State(api): State<Arc<Api>>) -> Json {
    let mut names: Vec<String> = shape::SOURCES
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    for source in api.hub.live.sources() {
        if !names.iter().any(|name| **name == *source) {
            names.push(source.to_string());
        }
    }
    Json(json!({"sources": names}))
}

async fn history(
    State(api): State<Arc<Api>>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: OriginalUri,
) -> Answer {
    let Path((source, metric)) = path.map_err(|error| SeedError::bad(error.body_text()))?;
    let params = Params::read(uri.query(), HISTORY_PARAMS)?;
    let length = Duration::from_secs(params.whole("duration").unwrap_or(HOUR));
    if !is_text(&source, 256) || !is_source(&api.hub.live, &source) {
        return Err(SeedError::bad(format!(
            "Invalid source: {}",
            quoted(&source)
        )));
    }
    if !is_text(&metric, 256) {
        return Err(SeedError::bad(format!(
            "Invalid metric: {}",
            quoted(&metric)
        )));
    }
    if length > Duration::from_secs(HOUR) {
        let found = api.desk.run(move |hub| {
            let points = earlier(hub, &source, &metric, length)?;
            Ok(shape::history(&source, &metric, length, points))
        });
        return Ok(Json(found.await?));
    }
    let points = api.hub.live.history(&source, &metric, length);
    let points = points.unwrap_or_default().into_iter();
    let points = points.map(|(at, value)| shape::point(at, value)).collect();
    Ok(Json(shape::history(&source, &metric, length, points)))
}

/// The newest points of a metric, from the events.
fn earlier(hub: &Hub, source: &str, metric: &str, length: Duration) -> Result<Vec<Value>, Problem> {
    let quote = |text: &str| text.replace('\'', "''");
    let from = iso(UnixNanos::now().saturating_sub(length));
    let whose = match source {
        "performance" => "event_type = 'performance'".to_owned(),
        source => format!("event_type = 'metric' and source = '{}'", quote(source)),
    };
    let query = format!(
        "select timestamp, value from events where {whose} and name = '{}' and value is not null \
         and timestamp >= '{from}' order by timestamp desc limit {HISTORY}",
        quote(metric)
    );
    let question = Sql {
        query,
        row_limit: HISTORY,
    };
    let Found::Sql(found) = ask(hub, &question.into())?.found else {
        return Ok(Vec::new());
    };
    let rows = found.rows.into_iter().rev();
    Ok(rows
        .filter_map(|row| {
            let mut row = row.into_iter();
            Some(json!({"timestamp": shape::time_of(row.next()?), "value": row.next()?}))
        })
        .collect())
}

async fn export(
    State(api): State<Arc<Api>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, SeedError> {
    let Path(format) = path.map_err(|error| SeedError::bad(error.body_text()))?;
    let length = Duration::from_secs(HOUR);
    let (media_type, body) = match format.as_str() {
        "json" => {
            let summary = api.live.run(move |hub| {
                let readings = hub.live.readings(Family::Metric, None, length);
                let alerts = alerts::recent(hub);
                let summary = shape::summary(&readings, length, UnixNanos::now(), &alerts);
                Ok(format!("{summary:#}"))
            });
            ("application/json", summary.await?)
        }
        "prometheus" => {
            let text = api.live.run(move |hub| {
                let readings = hub.live.readings(Family::Metric, None, length);
                Ok(shape::export(&readings, UnixNanos::now()))
            });
            ("text/plain; charset=utf-8", text.await?)
        }
        other => {
            let said = format!("Unsupported format: {}", quoted(other));
            return Err(SeedError::bad(said));
        }
    };
    let media_type = HeaderValue::from_static(media_type);
    Ok(([(header::CONTENT_TYPE, media_type)], body).into_response())
}
