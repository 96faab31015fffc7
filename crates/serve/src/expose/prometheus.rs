//! Prometheus' text: `GET /metrics`, in OpenMetrics 1.0 or 0.0.4 as `Accept`
//! has it, gzipped if asked for.
//!
//! Counters count what came since the server started, for a scraper takes a
//! start for a zero: what was in the log before is not in them. They never go
//! down while the server lives. Labels are bounded by live state's shares; what
//! is beyond them counts under `_other`.
//!
//! Of the third seed's names, `provider_request_total` and
//! `provider_latency_ms` are `tachograph_llm_calls_total` and
//! `tachograph_llm_call_duration_seconds` here, in base units. No event tells
//! of a circuit breaker; a metric that a host calls `circuit_state` is shown
//! among `tachograph_metric`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use tachograph_model::UnixNanos;

use super::door::{self, Process};
use super::machine;
use super::page::{Form, Page, Type};
use crate::api::problem::{Kind, Problem};
use crate::gzip;
use crate::hub::Hub;
use crate::live::{BOUNDS_MS, Family, Live, Reading, Totals};

/// A page shorter than this is not worth compressing, bytes.
const GZIP_FROM: usize = 1024;

/// The routes.
pub fn router(hub: &Arc<Hub>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Arc::new(Scraped::new(hub)))
}

/// What there is to scrape.
pub struct Scraped {
    hub: Arc<Hub>,
    process: Process,
}

impl Scraped {
    pub fn new(hub: &Arc<Hub>) -> Self {
        Self {
            hub: Arc::clone(hub),
            process: Process::new(),
        }
    }

    /// The page. Costs about 4 µs for each tool and model, and holds up nobody
    /// who brings events.
    pub fn text(&self, form: Form) -> String {
        let live = &self.hub.live;
        let mut page = Page::new(form);
        tools(&mut page, live);
        models(&mut page, live);
        caches(&mut page, live);
        work(&mut page, live);
        counts(&mut page, live);
        let metrics = readings(live, Family::Metric);
        machine::write(&mut page, &metrics, UnixNanos::now());
        door::write(&mut page, &self.hub, &self.process, &live.overview());
        page.end()
    }
}

async fn metrics(State(scraped): State<Arc<Scraped>>, headers: HeaderMap) -> Response {
    let form = Form::asked(&joined(&headers, header::ACCEPT));
    let gzip = gzip::is_taken(&headers);
    // Off the threads that serve: with a thousand tools it takes milliseconds.
    let made = tokio::task::spawn_blocking(move || {
        let text = scraped.text(form).into_bytes();
        if gzip && text.len() >= GZIP_FROM {
            gzip::packed(&text, Compression::fast()).map(|bytes| (bytes, true))
        } else {
            Ok((text, false))
        }
    });
    let Ok(Ok((body, gzipped))) = made.await else {
        let detail = "the metrics could not be put together";
        return Problem::new(Kind::Internal, detail).into_response();
    };
    let mut response = (
        [
            (header::CONTENT_TYPE, form.content_type()),
            (header::VARY, "Accept, Accept-Encoding"),
        ],
        body,
    )
        .into_response();
    if gzipped {
        let gzip = axum::http::HeaderValue::from_static("gzip");
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, gzip);
    }
    response
}

/// All lines of a header, as one.
fn joined(headers: &HeaderMap, name: HeaderName) -> String {
    let lines = headers.get_all(name).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    lines.join(",")
}

fn readings(live: &Live, family: Family) -> Vec<Reading> {
    live.readings(family, None, Duration::ZERO)
}

/// A label's name, and the value that a reading has for it.
type Label = (&'static str, fn(&Reading) -> &str);

const NAME: fn(&Reading) -> &str = |reading| &reading.name;
const MODEL: [Label; 2] = [("provider", |reading| &reading.source), ("model", NAME)];

fn tools(page: &mut Page, live: &Live) {
    let all = readings(live, Family::Tool);
    let tool = [("tool", NAME)];
    let name = "tachograph_tool_calls_total";
    by_status(page, name, "Tool calls, by outcome.", &all, &tool);
    let name = "tachograph_tool_duration_seconds";
    durations(page, name, "How long tools ran.", &all, &tool);
}

fn models(page: &mut Page, live: &Live) {
    let all = readings(live, Family::Model);
    let name = "tachograph_llm_calls_total";
    by_status(page, name, "Model calls, by outcome.", &all, &MODEL);
    let name = "tachograph_llm_call_duration_seconds";
    durations(page, name, "How long models took to answer.", &all, &MODEL);
    counted(
        page,
        "tachograph_llm_tokens_total",
        "Tokens: input with what came from the provider's cache, output with reasoning.",
        &all,
        &MODEL,
        "type",
        &[
            ("input", |totals| totals.tokens.input as f64),
            ("output", |totals| totals.tokens.output as f64),
        ],
    );
    counted(
        page,
        "tachograph_llm_cached_tokens_total",
        "Of the input tokens, those read from and written to the provider's cache.",
        &all,
        &MODEL,
        "operation",
        &[
            ("read", |totals| totals.tokens.cache_read as f64),
            ("write", |totals| totals.tokens.cache_write as f64),
        ],
    );
    counted(
        page,
        "tachograph_llm_reasoning_tokens_total",
        "Of the output tokens, those spent on reasoning.",
        &all,
        &MODEL,
        "",
        &[("", |totals| totals.tokens.reasoning as f64)],
    );
    costs(
        page,
        "tachograph_llm_cost_usd_total",
        "Cost in US dollars, of the calls whose cost is known.",
        all,
        &MODEL,
    );
}

/// What nobody told is not 0: a cost is there from the first call on whose cost
/// is known, also if that was before the start.
fn costs(page: &mut Page, name: &str, help: &str, all: Vec<Reading>, labels: &[Label]) {
    let priced: Vec<Reading> = all.into_iter().filter(|it| it.totals.priced > 0).collect();
    let shown: [Shown; 1] = [("", |totals| totals.cost_usd)];
    counted(page, name, help, &priced, labels, "", &shown);
}

fn caches(page: &mut Page, live: &Live) {
    counted(
        page,
        "tachograph_cache_operations_total",
        "Cache look-ups and evictions, by result.",
        &readings(live, Family::Cache),
        &[("cache", NAME)],
        "result",
        &[
            ("hit", |totals| totals.lookups.hits as f64),
            ("miss", |totals| totals.lookups.misses as f64),
            ("eviction", |totals| totals.lookups.evictions as f64),
            ("size_rejection", |totals| {
                totals.lookups.size_rejections as f64
            }),
        ],
    );
}

/// Queries, and agents at work.
fn work(page: &mut Page, live: &Live) {
    let agent = [("agent", NAME)];
    let mut calls = |family, (total, help), (duration, took)| {
        let all = readings(live, family);
        by_status(page, total, help, &all, &agent);
        durations(page, duration, took, &all, &agent);
        all
    };
    let help = "Queries, by type of agent that answered and by outcome.";
    calls(
        Family::Query,
        ("tachograph_queries_total", help),
        (
            "tachograph_query_duration_seconds",
            "From question to answer.",
        ),
    );
    calls(
        Family::Agent,
        ("tachograph_agent_uses_total", "Uses of agents, by outcome."),
        ("tachograph_agent_duration_seconds", "How long agents ran."),
    );
    let help = "Tool calls of agents, by outcome.";
    let took = "How long tools ran for agents.";
    calls(
        Family::AgentTool,
        ("tachograph_agent_tool_calls_total", help),
        ("tachograph_agent_tool_duration_seconds", took),
    );
    let help = "Model calls of agents, by outcome.";
    let took = "How long models took to answer agents.";
    let all = calls(
        Family::AgentModel,
        ("tachograph_agent_llm_calls_total", help),
        ("tachograph_agent_llm_call_duration_seconds", took),
    );
    costs(
        page,
        "tachograph_agent_llm_cost_usd_total",
        "Cost in US dollars of an agent's model calls, as far as it is known.",
        all,
        &agent,
    );
    let all = readings(live, Family::Selection);
    let name = "tachograph_agent_selections_total";
    events(page, name, "Agents chosen for queries.", &all, &agent);
}

fn counts(page: &mut Page, live: &Live) {
    let ty = [("type", NAME)];
    let all = readings(live, Family::Error);
    let name = "tachograph_errors_total";
    events(page, name, "Failures, by class.", &all, &ty);
    let all = readings(live, Family::Event);
    let name = "tachograph_events_total";
    events(page, name, "Events in the log, by type.", &all, &ty);
    let lost: [Label; 2] = [("reason", |reading| &reading.source), ("type", NAME)];
    counted(
        page,
        "tachograph_lost_events_total",
        "Events that recorders could not keep.",
        &readings(live, Family::Loss),
        &lost,
        "",
        &[("", |totals| totals.grown)],
    );
}

fn by_status(page: &mut Page, name: &str, help: &str, all: &[Reading], labels: &[Label]) {
    let shown: [Shown; 3] = [
        ("ok", |totals| totals.succeeded() as f64),
        ("error", |totals| totals.failed as f64),
        ("unknown", |totals| totals.unknown as f64),
    ];
    counted(page, name, help, all, labels, "status", &shown);
}

fn events(page: &mut Page, name: &str, help: &str, all: &[Reading], labels: &[Label]) {
    let shown: [Shown; 1] = [("", |totals| totals.events as f64)];
    counted(page, name, help, all, labels, "", &shown);
}

/// A value of the label that comes last, and what it shows.
type Shown = (&'static str, fn(&Totals) -> f64);

/// A counter; `last` is a label more when it is not empty.
fn counted(
    page: &mut Page,
    name: &str,
    help: &str,
    all: &[Reading],
    labels: &[Label],
    last: &str,
    shown: &[Shown],
) {
    if all.is_empty() {
        return;
    }
    page.family(name, Type::Counter, help);
    for reading in all {
        let mut held = values(reading, labels);
        for (value, of) in shown {
            if !last.is_empty() {
                held.truncate(labels.len());
                held.push((last, value));
            }
            page.sample(name, "", &held, of(&reading.since_start));
        }
    }
}

fn durations(page: &mut Page, name: &str, help: &str, all: &[Reading], labels: &[Label]) {
    if all.is_empty() {
        return;
    }
    page.family(name, Type::Histogram, help);
    for reading in all {
        let since = &reading.since_start;
        let bounds = BOUNDS_MS.iter().map(|bound| bound / 1e3);
        let held = values(reading, labels);
        page.histogram(name, &held, bounds, &since.buckets, since.sum / 1e3);
    }
}

fn values<'a>(reading: &'a Reading, labels: &[Label]) -> Vec<(&'a str, &'a str)> {
    let values = labels.iter().map(|(name, of)| (*name, of(reading)));
    values.collect()
}
