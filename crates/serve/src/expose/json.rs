//! The third seed's JSON, of the whole machine: `GET /metrics` and
//! `GET /health`, with or without a slash at the end, whatever the query.
//!
//! Keys, their order and roundings are the seed's. Named differences: the three
//! percentiles differ (the seed's are all the median), calls of which it is not
//! known how they ended are in `total_calls` only, a cache that only evicts is there, `/health` is 503 while the disk refuses what comes, other methods are 405 rather than 501, and there is no
//! `Access-Control-Allow-Origin: *`, by which any page that the user visits
//! could read it all.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value};
use tachograph_model::UnixNanos;
use tachograph_model::render::all_metrics as seed;
use tachograph_stats::{Fraction, quantiles_unsorted};

use crate::api::problem::{Kind, Problem};
use crate::hub::Hub;
use crate::live::{EXACT, Family, Live, REACH, Reading};

const HEALTH: &str = r#"{"status": "ok", "service": "metrics-server"}"#;

/// The routes.
pub fn router(hub: &Arc<Hub>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/metrics/", get(metrics))
        .route("/health", get(health))
        .route("/health/", get(health))
        .with_state(Arc::clone(hub))
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    // Off the threads that serve: with a thousand tools it takes milliseconds.
    let text = tokio::task::spawn_blocking(move || {
        serde_json::to_string_pretty(&all(&hub.live, hub.started.0))
    });
    match text.await {
        Ok(Ok(text)) => json(text),
        _ => Problem::new(Kind::Internal, "the metrics could not be put together").into_response(),
    }
}

async fn health(State(hub): State<Arc<Hub>>) -> Response {
    let Some(why) = hub.counters.refusing() else {
        return json(HEALTH.to_owned());
    };
    let told = serde_json::json!({
        "status": "failing", "service": "metrics-server", "reason": why,
    });
    (StatusCode::SERVICE_UNAVAILABLE, json(told.to_string())).into_response()
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Everything, as the seed's `get_all_metrics` has it.
///
/// Costs about 7 µs for each tool with 1000 latencies.
pub fn all(live: &Live, started: UnixNanos) -> Value {
    let tools = live.readings(Family::Tool, None, Duration::ZERO);
    let mut latencies = Vec::with_capacity(EXACT);
    let mut shown = Map::new();
    for reading in &tools {
        live.latencies(&reading.name, &mut latencies);
        let name = reading.name.to_string();
        shown.insert(name, tool(reading, &mut latencies));
    }
    let caches = live.readings(Family::Cache, None, Duration::ZERO);
    let caches = caches
        .iter()
        .map(|reading| (reading.name.to_string(), cache(reading)));
    let calls = tools.iter().map(|reading| reading.totals.events);
    let system = seed::System {
        active_sessions: told(live, "active_sessions")
            .unwrap_or_else(|| live.overview().active_sessions),
        concurrent_requests: told(live, "concurrent_requests").unwrap_or(0),
        total_requests: calls.sum::<u64>() + live.forgotten(Family::Tool),
        started,
        now: UnixNanos::now(),
    };
    seed::all(true, shown, caches.collect(), &system)
}

/// What a host said of itself within the hour.
fn told(live: &Live, name: &str) -> Option<u64> {
    let reading = live.reading(Family::Metric, "system", name, REACH)?;
    Some(reading.window?.latest.max(0.0) as u64)
}

fn tool(reading: &Reading, latencies: &mut [f64]) -> Value {
    let totals = &reading.totals;
    let ends = latencies.iter().copied();
    let (min, max) = ends.fold((f64::INFINITY, 0.0), |(min, max): (f64, f64), ms| {
        (min.min(ms), max.max(ms))
    });
    let fractions = [Fraction::MEDIAN, Fraction::P95, Fraction::P99];
    let quantiles = quantiles_unsorted(latencies, &fractions).unwrap_or_else(|| vec![0.0; 3]);
    let average = match totals.values {
        0 => 0.0,
        values => totals.sum / values as f64,
    };
    let errors = totals.errors.iter();
    seed::tool(&seed::Tool {
        name: &reading.name,
        calls: totals.events,
        successes: totals.succeeded(),
        failures: totals.failed,
        average_ms: average,
        p50_ms: quantiles[0],
        p95_ms: quantiles[1],
        p99_ms: quantiles[2],
        min_ms: if min.is_finite() { min } else { 0.0 },
        max_ms: max,
        errors: errors.map(|(name, count)| (&**name, *count)).collect(),
    })
}

fn cache(reading: &Reading) -> Value {
    let lookups = reading.totals.lookups;
    seed::cache(&seed::Cache {
        name: &reading.name,
        hits: lookups.hits,
        misses: lookups.misses,
        evictions: lookups.evictions,
        size_rejections: lookups.size_rejections,
    })
}
