//! `POST /api/v1/events`: events as JSON, in the shapes of the log's lines
//! (docs/events.md); one, an array, `{"events":[…]}` or JSON Lines. What is
//! wrong with one does not spoil the others.
//!
//! Members that no kind knows are left out, and the answer names them: mostly
//! they are misspelt.
//!
//! Sent again, an event counts once if it has a `span_id`, or if the request
//! has an `Idempotency-Key` that is the same.

mod items;

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use tachograph_model::admit::{Admission, LineRefusal, Refusal, UnknownField};
use tachograph_model::{Column, Decoder, Event, Kind, LineError, UnixNanos};

use self::items::Item;
use super::body::{self, BodyError, Encoding, receive};
use super::journal::Batch;
use super::otlp::{EARLIEST, MAX_EVENTS, MOST_AHEAD};
use crate::api::problem;
use crate::api::problem::Problem;
use crate::counters::Signal;
use crate::hub::Hub;
use crate::normal::candidate::{self, Candidate, Keys};
use crate::normal::identity::Identities;
use crate::normal::names::hash_of;

/// Rejected events that an answer names.
const NAMED: usize = 20;
/// About what an event takes in memory beside its texts, bytes.
const EVENT_BYTES: usize = 700;

/// What became of a request's events.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// Stored.
    pub accepted: u64,
    /// Stored before.
    pub duplicates: u64,
    /// The first of those that are wrong in themselves.
    pub rejected: Vec<Rejected>,
    pub rejected_total: u64,
    /// The first members that no kind of event knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_fields: Vec<Unknown>,
}

/// A member that its event's kind does not know.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    pub event_type: &'static str,
    pub field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub did_you_mean: Option<&'static str>,
}

impl From<&UnknownField> for Unknown {
    fn from(unknown: &UnknownField) -> Self {
        Self {
            event_type: unknown.event_type,
            field: unknown.field.clone(),
            did_you_mean: unknown.did_you_mean,
        }
    }
}

/// An event that is wrong in itself.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The how manieth of the request, from 0.
    pub index: u64,
    /// The line of the body in which it begins, from 1.
    pub line: u64,
    /// The member at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub error: String,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        // Texts and numbers: nothing in it fails.
        let json = serde_json::to_vec(&self).unwrap_or_default();
        let json_type = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json_type)], json).into_response()
    }
}

/// The routes.
pub fn router(hub: &Arc<Hub>) -> Router {
    Router::new()
        .route("/api/v1/events", post(take))
        .with_state(hub.clone())
}

async fn take(
    State(hub): State<Arc<Hub>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let of = hub.counters.of(Signal::Events);
    of.requests.add(1);
    let overload = |error: &BodyError| {
        if let BodyError::Overloaded = error {
            of.overloaded.add(1);
        }
    };
    let lines = is_lines(&headers)?;
    let encoding = Encoding::of(&headers)?;
    let key = headers.get("idempotency-key");
    let key = key.map(|key| hash_of(&[key.as_bytes()]));
    let received = receive(body, &hub.config.limits, hub.journal.budget()).await;
    let mut raw = received.inspect_err(overload)?;
    let read = body::work(raw.bytes.len(), || {
        let body = raw.open_all(encoding)?;
        of.bytes.add(body.len() as u64);
        let mut reading = Reading::new(&hub, key, body.len());
        items::split(&body, lines, &mut |at, item| reading.item(&body, at, item));
        Ok((reading, body.iter().all(u8::is_ascii_whitespace)))
    })
    .await;
    // The body's memory is free before the batch waits.
    drop(raw);
    let (reading, empty) = read.inspect_err(overload)?;
    of.records.add(reading.index);
    of.rejected.add(reading.answer.rejected_total);
    if empty {
        return Err(Problem::new(
            problem::Kind::BadBody,
            "the body is empty; send one event as a JSON object, or several as an array or JSON Lines",
        ));
    }
    reading.store(&hub).await
}

/// Whether the body is said to be JSON Lines; else it shows what it is.
fn is_lines(headers: &HeaderMap) -> Result<bool, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(false);
    };
    let value = value.to_str().unwrap_or("?");
    let name = value.split(';').next().unwrap_or_default().trim();
    match name.to_ascii_lowercase().as_str() {
        "" | "application/json" | "text/plain" | "text/json" => Ok(false),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl"
        | "application/x-jsonlines" | "application/json-lines" => Ok(true),
        _ => Err(Problem::new(
            problem::Kind::UnsupportedType,
            "events come as application/json or application/x-ndjson; with curl: -H 'Content-Type: application/json'",
        )
        .with("content_type", problem::quoted(value))),
    }
}

/// A request as it is read.
struct Reading {
    admission: Admission<Identities>,
    decoder: Decoder,
    now: UnixNanos,
    /// The times that are taken.
    times: RangeInclusive<UnixNanos>,
    /// Hash of the key that makes the request's events known when they come
    /// again.
    key: Option<u64>,
    /// How many items there were.
    index: u64,
    /// Up to where lines were counted, and how many there were.
    counted: (usize, u64),
    candidates: Vec<Candidate>,
    bytes: usize,
    answer: Answer,
    /// The item without its line breaks.
    one_line: Vec<u8>,
}

impl Reading {
    fn new(hub: &Hub, key: Option<u64>, bytes: usize) -> Self {
        let identities = Identities::new(hub.salt.clone());
        let now = UnixNanos::now();
        Self {
            admission: Admission::new(identities, hub.config.keep_text),
            decoder: Decoder::default(),
            now,
            times: UnixNanos(EARLIEST.cast_signed())..=now.saturating_add(MOST_AHEAD),
            key,
            index: 0,
            counted: (0, 1),
            candidates: Vec::new(),
            bytes,
            answer: Answer::default(),
            one_line: Vec::new(),
        }
    }

    /// Takes the item that stands at `at` of the body.
    fn item(&mut self, body: &[u8], at: usize, item: Item<'_>) {
        let index = self.index;
        self.index += 1;
        if self.candidates.len() > MAX_EVENTS {
            return;
        }
        let refused = match item {
            Item::Event(bytes) => match self.admit(bytes) {
                Ok(event) if !self.times.contains(&event.time) => {
                    let time = event.time;
                    let error =
                        format!("timestamp: {time} is before 2000 or more than 30 days ahead");
                    (Some("timestamp".to_owned()), error)
                }
                Ok(event) => {
                    let keys = keys(&event, self.key.map(|key| hash_of(&[key, index])));
                    self.candidates.push(Candidate { event, keys });
                    return;
                }
                Err(refusal) => reason(refusal),
            },
            Item::Broken(why) => (None, why.to_owned()),
        };
        self.answer.rejected_total += 1;
        if self.answer.rejected.len() < NAMED {
            let (key, error) = refused;
            let line = self.line_of(body, at);
            self.answer.rejected.push(Rejected {
                index,
                line,
                key,
                error,
            });
        }
    }

    fn admit(&mut self, bytes: &[u8]) -> Result<Event, LineRefusal<std::convert::Infallible>> {
        // JSON knows a line break but as white space, and the log as an end.
        let bytes = match memchr::memchr2(b'\n', b'\r', bytes) {
            None => bytes,
            Some(_) => {
                self.one_line.clear();
                let spaced = bytes.iter().map(|byte| match byte {
                    b'\n' | b'\r' => b' ',
                    byte => *byte,
                });
                self.one_line.extend(spaced);
                &self.one_line
            }
        };
        self.admission.line(&mut self.decoder, bytes, self.now)
    }

    fn line_of(&mut self, body: &[u8], at: usize) -> u64 {
        let (from, lines) = self.counted;
        let lines = lines + memchr::memchr_iter(b'\n', &body[from..at]).count() as u64;
        self.counted = (at, lines);
        lines
    }

    async fn store(self, hub: &Hub) -> Result<Answer, Problem> {
        if self.candidates.len() > MAX_EVENTS {
            let detail = format!("more than {MAX_EVENTS} events; send fewer at once");
            return Err(Problem::new(problem::Kind::TooLarge, detail));
        }
        let mut answer = self.answer;
        let unknown = self.admission.unknown_fields();
        answer.unknown_fields = unknown.iter().map(Unknown::from).collect();
        if self.candidates.is_empty() && answer.rejected_total > 0 {
            let rejected = serde_json::to_value(&answer.rejected).unwrap_or_default();
            let what = match answer.rejected_total {
                1 => "the event is wrong".to_owned(),
                all => format!("all {all} events are wrong"),
            };
            let first = answer
                .rejected
                .first()
                .map_or("", |rejected| &rejected.error);
            let problem = Problem::new(problem::Kind::BadBody, format!("{what}: {first}"))
                .with("rejected", rejected)
                .with("rejected_total", answer.rejected_total);
            let unknown = &answer.unknown_fields;
            return Err(match unknown.is_empty() {
                true => problem,
                false => problem.with(
                    "unknown_fields",
                    serde_json::to_value(unknown).unwrap_or_default(),
                ),
            });
        }
        if !self.candidates.is_empty() {
            let bytes = self.bytes + self.candidates.len() * EVENT_BYTES;
            let tally = hub
                .journal
                .put(Batch {
                    signal: Signal::Events,
                    candidates: self.candidates,
                    links: Vec::new(),
                    bytes,
                })
                .await?;
            answer.accepted = tally.kept + tally.merged;
            answer.duplicates = tally.duplicates;
        }
        Ok(answer)
    }
}

/// What makes an event known when it comes again: its span's ids; else what the
/// request gives it.
fn keys(event: &Event, given: Option<u64>) -> Keys {
    let is_span = Kind::by_name(&event.event_type).is_some_and(candidate::is_span);
    let id = event.str(Column::Id).filter(|id| is_span && !id.is_empty());
    match id {
        Some(id) => Keys::of_span(id, event.str(Column::TraceId), event.str(Column::ParentId)),
        None => Keys {
            body: given,
            ..Keys::default()
        },
    }
}

/// The member at fault, and what is wrong.
fn reason(refusal: LineRefusal<std::convert::Infallible>) -> (Option<String>, String) {
    let error = refusal.to_string();
    match refusal {
        LineRefusal::Field(Refusal::Misfit(misfit)) => (Some(misfit.key), error),
        LineRefusal::Field(Refusal::Hash(never)) => match never {},
        LineRefusal::Kind(_) => (
            Some("event_type".to_owned()),
            format!("{error}; docs/events.md names them all"),
        ),
        LineRefusal::Misspelt { missing, .. } => (Some(missing.to_owned()), error),
        LineRefusal::Line(LineError::NoType) => (Some("event_type".to_owned()), error),
        LineRefusal::Line(LineError::NoTimestamp | LineError::Timestamp(_)) => {
            (Some("timestamp".to_owned()), error)
        }
        LineRefusal::Line(_) => (None, error),
    }
}
