//! `GET /api/v1/live`: the windows of every kind of series with all their
//! figures, those among them that the fourth seed's shapes have no room for:
//! failures, the rate of change, and how exact a percentile is.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{OriginalUri, State};
use serde_json::{Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::alert::FAMILIES;
use tachograph_model::render::iso;

use super::Api;
use super::json::Json;
use super::params::{Param, Params, Takes};
use super::problem::Problem;
use crate::live::{Family, REACH, Reading, Stats};

/// Seconds, unless told otherwise.
const WINDOW: u64 = 300;

/// What it takes.
pub const PARAMS: &[Param] = &[
    Param {
        name: "family",
        doc: "What series are of; metrics unless told otherwise.",
        takes: Takes::OneOf(&FAMILIES),
    },
    Param {
        name: "source",
        doc: "Only this source: of metrics where they come from, of models the provider.",
        takes: Takes::Text(256),
    },
    Param {
        name: "window",
        doc: "Seconds, 300 unless told otherwise.",
        takes: Takes::Whole(1, REACH.as_secs()),
    },
];

/// Answers.
///
/// # Errors
/// A problem when a parameter is wrong, or too much is asked at once.
pub async fn get(State(api): State<Arc<Api>>, uri: OriginalUri) -> Result<Json, Problem> {
    let params = Params::read(uri.query(), PARAMS)?;
    let name = params.text("family").unwrap_or(FAMILIES[0]);
    let family = Family::ALL.into_iter().find(|it| it.name() == name);
    let family = family.unwrap_or(Family::Metric);
    let source = params.text("source").map(str::to_owned);
    let length = Duration::from_secs(params.whole("window").unwrap_or(WINDOW));
    let found = api.live.run(move |hub| {
        let readings = hub.live.readings(family, source.as_deref(), length);
        Ok(windows(family, &readings, length, UnixNanos::now()))
    });
    Ok(Json(found.await?))
}

/// Series of which nothing came in the window are not there.
fn windows(family: Family, readings: &[Reading], length: Duration, now: UnixNanos) -> Value {
    let series = readings.iter().filter_map(|reading| {
        let stats = reading.window.as_ref()?;
        Some(window(family, reading, stats))
    });
    json!({
        "family": family.name(),
        "window_seconds": length.as_secs(),
        "timestamp": iso(now),
        "series": series.collect::<Vec<_>>(),
    })
}

fn window(family: Family, reading: &Reading, stats: &Stats) -> Value {
    json!({
        "source": *reading.source,
        "name": *reading.name,
        "type": reading.kind.as_deref(),
        "unit": unit(family, reading),
        "count": stats.count,
        "failed": stats.failed,
        "sum": stats.sum,
        "min": stats.min,
        "max": stats.max,
        "avg": stats.avg,
        "std": stats.std,
        "p50": stats.p50,
        "p95": stats.p95,
        "p99": stats.p99,
        "latest": stats.latest,
        "latest_at": iso(stats.latest_at),
        "rate_per_second": stats.rate,
        "change_per_second": stats.change_per_second,
        "relative_error": stats.relative_error,
    })
}

fn unit(family: Family, reading: &Reading) -> Option<&str> {
    match family {
        Family::Metric => reading.unit.as_deref(),
        Family::ModelTokens => Some("tokens"),
        Family::ModelCost => Some("USD"),
        _ if family.is_duration() => Some("ms"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_can_be_asked_for() {
        assert_eq!(FAMILIES, Family::ALL.map(Family::name));
    }
}
