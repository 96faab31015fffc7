//! `GET /api/v1/live`: the windows of every kind of series with all their
//! figures, those among them that the fourth seed's shapes have no room for:
//! failures, the rate of change, and how exact a percentile is.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{OriginalUri, State};
use serde::Serialize;
use serde_json::json;
use tachograph_model::UnixNanos;
use tachograph_model::alert::FAMILIES;
use tachograph_model::render::iso;

use super::Api;
use super::json::Json;
use super::params::{Param, Params, Takes};
use super::problem::Problem;
use crate::live::{Family, REACH, Windowed};

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
        let windows = hub.live.windows(family, source.as_deref(), length);
        let series = windows.iter().map(|window| Series::of(family, window));
        Ok(json!({
            "family": family.name(),
            "window_seconds": length.as_secs(),
            "timestamp": iso(UnixNanos::now()),
            "series": series.collect::<Vec<_>>(),
        }))
    });
    Ok(Json(found.await?))
}

/// A series in which something happened, as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Series<'a> {
    source: &'a str,
    name: &'a str,
    r#type: Option<&'a str>,
    unit: Option<&'a str>,
    count: u64,
    failed: u64,
    sum: f64,
    min: f64,
    max: f64,
    avg: f64,
    std: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    latest: f64,
    latest_at: String,
    rate_per_second: f64,
    change_per_second: Option<f64>,
    relative_error: f64,
}

impl<'a> Series<'a> {
    pub(super) fn of(family: Family, window: &'a Windowed) -> Self {
        let stats = &window.stats;
        Self {
            source: &window.source,
            name: &window.name,
            r#type: window.kind.as_deref(),
            unit: unit(family, window),
            count: stats.count,
            failed: stats.failed,
            sum: stats.sum,
            min: stats.min,
            max: stats.max,
            avg: stats.avg,
            std: stats.std,
            p50: stats.p50,
            p95: stats.p95,
            p99: stats.p99,
            latest: stats.latest,
            latest_at: iso(stats.latest_at),
            rate_per_second: stats.rate,
            change_per_second: stats.change_per_second,
            relative_error: stats.relative_error,
        }
    }
}

fn unit(family: Family, window: &Windowed) -> Option<&str> {
    match family {
        Family::Metric => window.unit.as_deref(),
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
