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
use super::limits::{self, Limit};
use super::params::{Param, Params, Takes};
use super::problem::Problem;
use crate::live::{Family, REACH, Stats, Windowed};

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
    rate_per_second: f64,
    /// How many of them told a value; all below is of those.
    values: u64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    avg: Option<f64>,
    std: Option<f64>,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    latest: Option<f64>,
    latest_at: Option<String>,
    change_per_second: Option<f64>,
    relative_error: Option<f64>,
    limits: Vec<Limit>,
}

impl<'a> Series<'a> {
    pub(super) fn of(family: Family, window: &'a Windowed) -> Self {
        let (counts, stats) = (&window.happened, window.stats.as_ref());
        let of = |figure: fn(&Stats) -> f64| stats.map(figure);
        Self {
            source: &window.source,
            name: &window.name,
            r#type: window.kind.as_deref(),
            unit: unit(family, window),
            count: counts.count,
            failed: counts.failed,
            rate_per_second: counts.rate,
            values: stats.map_or(0, |it| it.count),
            sum: of(|it| it.sum),
            min: of(|it| it.min),
            max: of(|it| it.max),
            avg: of(|it| it.avg),
            std: of(|it| it.std),
            p50: of(|it| it.p50),
            p95: of(|it| it.p95),
            p99: of(|it| it.p99),
            latest: of(|it| it.latest),
            latest_at: stats.map(|it| iso(it.latest_at)),
            change_per_second: stats.and_then(|it| it.change_per_second),
            relative_error: of(|it| it.relative_error),
            limits: match (family, stats) {
                (Family::Metric, Some(stats)) => limits::of(&window.source, &window.name, stats),
                _ => Vec::new(),
            },
        }
    }
}

fn unit(family: Family, window: &Windowed) -> Option<&str> {
    match family {
        Family::Metric => window.unit.as_deref(),
        Family::ModelTokens => Some("tokens"),
        Family::ModelCost | Family::AgentCost => Some("USD"),
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
