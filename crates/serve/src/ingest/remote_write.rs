//! `POST /api/v1/write`: Prometheus remote-write, 1.0 and 2.0.
//!
//! A sample becomes a `metric` event: of a counter what it grew by, of a
//! native histogram the mean and of how many, of anything else its value. The
//! same series and time counts once, however often a request is sent again:
//! from the table of series while we run, and for ten minutes after a start
//! from the log. Exemplars are not kept.
//!
//! What is wrong with a sample does not spoil the others: those are stored, and
//! the answer is 400 with how many were written, which no client sends again.

mod series;
mod state;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tachograph_model::{Salt, UnixNanos};

use self::table::{Clock, Outcome, Table};
use super::body::{self, BodyError, receive};
use super::journal::{Pending, Refused};
use super::otlp::{EARLIEST, MOST_AHEAD};
use crate::api::problem::{Kind, Problem, quoted};
use crate::counters::Signal;
use crate::hub::Hub;
use crate::wire::remote_write::{Part, ReadError, Reader, Series, Version};

/// What remote-write needs to remember from one request to the next.
#[derive(Debug)]
pub struct RemoteWrite {
    table: Arc<Mutex<Table>>,
    started: Instant,
}

impl RemoteWrite {
    /// Makes it with the installation's secret.
    pub fn new(salt: Salt) -> Self {
        Self {
            table: Arc::new(Mutex::new(Table::new(salt, UnixNanos::now()))),
            started: Instant::now(),
        }
    }
}

/// The routes.
pub fn router(hub: &Arc<Hub>) -> Router {
    Router::new()
        .route("/api/v1/write", post(take))
        .with_state(hub.clone())
}

/// How many of a request are stored, or were before.
struct Written {
    samples: u64,
    histograms: u64,
    /// What is wrong with others.
    wrong: Option<Problem>,
}

impl IntoResponse for Written {
    fn into_response(self) -> Response {
        let mut response = match self.wrong {
            Some(problem) => problem.into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        };
        for (name, count) in [
            ("x-prometheus-remote-write-samples-written", self.samples),
            (
                "x-prometheus-remote-write-histograms-written",
                self.histograms,
            ),
            ("x-prometheus-remote-write-exemplars-written", 0),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from(count));
        }
        response
    }
}

async fn take(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Written, Problem> {
    let of = hub.counters.of(Signal::RemoteWrite);
    of.requests.add(1);
    let version = version(&headers)?;
    let read = read(&hub, version, body).await;
    let (outcome, pending) = read.inspect_err(|failure| {
        if let Failure::Body(BodyError::Overloaded) = failure {
            of.overloaded.add(1);
        }
    })?;
    of.records.add(outcome.records);
    of.ignored.add(outcome.ignored);
    of.duplicates.add(outcome.duplicates);
    of.rejected.add(outcome.rejected);
    if let Some((pending, undone)) = pending {
        pending.stored().await?;
        // What was taken for a repetition may be of a request that was on its
        // way to the disk, and then was refused.
        let repeated = outcome.duplicates + outcome.ignored > 0;
        if repeated && hub.remote_write.table().undone() != undone {
            return Err(Refused::Overloaded.into());
        }
    }
    let wrong = outcome.wrong.map(|wrong| {
        let rejected = outcome.rejected;
        let detail = format!("{rejected} samples are not taken, the others are; {wrong}");
        Problem::new(Kind::BadBody, detail).with("rejected_total", rejected)
    });
    Ok(Written {
        samples: outcome.samples,
        histograms: outcome.histograms,
        wrong,
    })
}

/// Which message the headers announce.
fn version(headers: &HeaderMap) -> Result<Version, Problem> {
    let text = |name| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("?"))
    };
    let unsupported = |what: &str, value: &str| {
        Problem::new(
            Kind::UnsupportedType,
            format!(
                "{what} is not read here; remote-write comes as application/x-protobuf, compressed with snappy"
            ),
        )
        .with("value", quoted(value))
    };
    let encoding = text(header::CONTENT_ENCODING).trim();
    if !(encoding.is_empty() || encoding.eq_ignore_ascii_case("snappy")) {
        return Err(unsupported("this content-encoding", encoding));
    }
    let content_type = text(header::CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    if !name.eq_ignore_ascii_case("application/x-protobuf") {
        return Err(unsupported("this content-type", content_type));
    }
    let proto = parts.find_map(|part| part.strip_prefix("proto="));
    match proto.map(|proto| proto.trim_matches('"')) {
        None | Some("prometheus.WriteRequest") => Ok(Version::V1),
        Some("io.prometheus.write.v2.Request") => Ok(Version::V2),
        Some(_) => Err(unsupported("this proto", content_type)),
    }
}

/// Why a request was not read.
enum Failure {
    Body(BodyError),
    Bad(ReadError),
    /// It would take more memory than a body may.
    TooLarge(usize),
    Refused(Refused),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Body(error) => error.into(),
            Failure::Bad(error) => Self::new(Kind::BadBody, error.to_string()),
            Failure::TooLarge(limit) => Self::new(
                Kind::TooLarge,
                format!("the samples take more than {limit} bytes in the log; send fewer at once"),
            ),
            Failure::Refused(refused) => refused.into(),
        }
    }
}

/// A batch on its way to the disk, and how often something had been taken back
/// when it was made.
type OnItsWay = Option<(Pending, u64)>;

async fn read(hub: &Hub, version: Version, body: Body) -> Result<(Outcome, OnItsWay), Failure> {
    let received = receive(body, &hub.config.limits, hub.journal.budget()).await;
    let mut raw = received.map_err(Failure::Body)?;
    body::work(raw.bytes.len(), || {
        let body = raw.open_snappy().map_err(Failure::Body)?;
        let of = hub.counters.of(Signal::RemoteWrite);
        of.bytes.add(body.len() as u64);
        hub.remote_write.take(hub, version, &body)
    })
    .await
}

impl RemoteWrite {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a request and hands it over, all under one hold of the table: what
    /// one request takes for a repetition is before it in the queue.
    fn take(
        &self,
        hub: &Hub,
        version: Version,
        body: &[u8],
    ) -> Result<(Outcome, OnItsWay), Failure> {
        let mut reader = Reader::new(body, version).map_err(Failure::Bad)?;
        let limit = hub.config.limits.body_bytes;
        let clock = self.clock();
        let mut out = Outcome {
            limit,
            ..Outcome::default()
        };
        let mut series = Series::default();
        let mut table = self.table();
        loop {
            let failure = match reader.next_part(&mut series) {
                Ok(None) => break,
                Ok(Some(Part::Series)) => {
                    table.take(&series, clock, &mut out);
                    if !out.is_full() {
                        continue;
                    }
                    Failure::TooLarge(limit)
                }
                Ok(Some(Part::Family(family))) => {
                    table.family(&family);
                    continue;
                }
                Err(error) => Failure::Bad(error),
            };
            table.undo(&out.marks);
            return Err(failure);
        }
        if out.records == 0 {
            return Ok((out, None));
        }
        let lines = std::mem::take(&mut out.lines);
        let marks = std::mem::take(&mut out.marks);
        let bytes = lines.bytes.len() + size_of_val(&*marks);
        let marks = Arc::new(marks);
        let undo = {
            let (table, marks) = (self.table.clone(), marks.clone());
            move || {
                let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                table.undo_late(&marks);
            }
        };
        let sent = hub
            .journal
            .send_lines(Signal::RemoteWrite, lines, bytes, Box::new(undo));
        match sent {
            Ok(pending) => {
                let undone = table.undone();
                Ok((out, Some((pending, undone))))
            }
            Err((refused, _)) => {
                table.undo(&marks);
                Err(Failure::Refused(refused))
            }
        }
    }

    fn clock(&self) -> Clock {
        let millis = |nanos: i64| nanos / 1_000_000;
        Clock {
            seconds: self.started.elapsed().as_secs(),
            earliest: millis(EARLIEST.cast_signed()),
            latest: millis(UnixNanos::now().saturating_add(MOST_AHEAD).0),
        }
    }
}
