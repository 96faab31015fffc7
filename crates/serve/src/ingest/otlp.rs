//! OTLP: a body of any of the three signals, in either form, becomes a batch,
//! and the batch an answer. Both doors (HTTP and gRPC) come through here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tachograph_model::{Salt, UnixNanos};

use super::body::{self, BodyError, Encoding, Raw};
use super::journal::{Batch, Refused, Undo};
use crate::counters::Signal;
use crate::hub::Hub;
use crate::normal::candidate::Candidate;
use crate::normal::identity::Identities;
use crate::normal::metric::Totals;
use crate::normal::seen::Link;
use crate::normal::source::Origin;
use crate::normal::{log, span};
use crate::wire::answer::{Code, Form, Rejected, Status};
use crate::wire::protobuf::WireError;
use crate::wire::view::{Data, Group, LogRecord, Metric, Point, Span};
use crate::wire::{otlp, otlp_json};

/// Nothing that an agent did is older: 2000-01-01, Unix nanoseconds.
pub(super) const EARLIEST: u64 = 946_684_800_000_000_000;
/// How far ahead of ours a clock may be.
pub(super) const MOST_AHEAD: Duration = Duration::from_secs(30 * 24 * 3600);
/// About what a candidate takes in memory, bytes.
const CANDIDATE_BYTES: usize = 1500;

/// What reading OTLP needs to remember from one request to the next.
#[derive(Debug)]
pub struct Otlp {
    salt: Salt,
    /// As many as there were requests read at once: none waits for another.
    identities: Mutex<Vec<Identities>>,
    totals: Arc<Mutex<Totals>>,
}

/// Why a request was not stored.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It is no request of this signal.
    #[error("{0}")]
    Bad(String),
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Failure {
    /// As `google.rpc.Status`, with when to try again where that may help.
    pub fn status(&self) -> Status {
        let (code, retry_seconds) = match self {
            Self::Bad(_) => (Code::InvalidArgument, None),
            Self::Body(BodyError::TooLarge(_)) => (Code::ResourceExhausted, None),
            Self::Body(BodyError::Encoding(_)) => (Code::Unimplemented, None),
            Self::Body(BodyError::Slow(_)) => (Code::DeadlineExceeded, None),
            Self::Body(BodyError::Damaged { .. } | BodyError::Cut(_)) => {
                (Code::InvalidArgument, None)
            }
            // OTLP: to signal that it cannot keep up, a server answers
            // `Unavailable`; so it does when it cannot store.
            Self::Body(BodyError::Overloaded) | Self::Refused(Refused::Overloaded) => {
                (Code::Unavailable, Some(1))
            }
            Self::Refused(Refused::Disk(_) | Refused::Stopping) => (Code::Unavailable, Some(5)),
        };
        Status {
            code,
            message: self.to_string(),
            retry_seconds,
        }
    }
}

/// Reads a request that `part` of a body is, and has it stored.
///
/// # Errors
/// [`Failure`]; then nothing of it was stored.
pub async fn export(
    hub: &Hub,
    signal: Signal,
    form: Form,
    mut raw: Raw,
    part: Range<usize>,
    encoding: Encoding,
) -> Result<Rejected, Failure> {
    let of = hub.counters.of(signal);
    of.requests.add(1);
    let read = body::work(part.len(), || {
        let body = raw.open(part, encoding)?;
        of.bytes.add(body.len() as u64);
        hub.otlp.read(signal, form, &body).map_err(Failure::Bad)
    })
    .await;
    // The bodies' memory is free before the batch waits.
    drop(raw);
    let read = read.inspect_err(|failure| {
        if let Failure::Body(BodyError::Overloaded) = failure {
            of.overloaded.add(1);
        }
    })?;
    of.records.add(read.records);
    of.ignored.add(read.ignored);
    of.rejected.add(read.rejected.count);
    if !read.batch.candidates.is_empty() || !read.batch.links.is_empty() {
        hub.journal.put_or(read.batch, read.undo).await?;
    }
    Ok(read.rejected)
}

/// What was read of a request.
pub struct Read {
    pub batch: Batch,
    pub records: u64,
    pub ignored: u64,
    pub rejected: Rejected,
    /// To be run when the batch is not stored.
    pub undo: Option<Undo>,
}

impl Otlp {
    /// Makes it with the installation's secret.
    pub fn new(salt: Salt) -> Self {
        let now = u64::try_from(UnixNanos::now().0).unwrap_or(0);
        Self {
            salt,
            identities: Mutex::default(),
            totals: Arc::new(Mutex::new(Totals::new(now))),
        }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// Says why it is none.
    pub fn read(&self, signal: Signal, form: Form, body: &[u8]) -> Result<Read, String> {
        let mut reading = Reading::new(signal);
        match form {
            Form::Protobuf => match signal {
                Signal::Logs => self.logs(&otlp::logs(body).map_err(text)?, &mut reading),
                Signal::Metrics => {
                    self.metrics(&mut otlp::metrics(body).map_err(text)?, &mut reading);
                }
                _ => self.unread_traces(body, &mut reading).map_err(text)?,
            },
            Form::Json => {
                let json = otlp_json::parse(body).map_err(text)?;
                match signal {
                    Signal::Logs => self.logs(&otlp_json::logs(&json), &mut reading),
                    Signal::Metrics => self.metrics(&mut otlp_json::metrics(&json), &mut reading),
                    _ => self.traces(&otlp_json::traces(&json), &mut reading),
                }
            }
        }
        Ok(reading.finish())
    }

    fn traces(&self, groups: &[Group<'_, Span<'_>>], reading: &mut Reading) {
        self.with_identities(|identities| {
            for (origin, spans) in each_scope(groups, reading.times) {
                for span in spans {
                    reading.add_span(span, &origin, identities);
                }
            }
        });
    }

    /// As [`Self::traces`], but holds one span at a time.
    fn unread_traces(&self, body: &[u8], reading: &mut Reading) -> Result<(), WireError> {
        let groups = otlp::unread_traces(body)?;
        let mut span = Span::default();
        self.with_identities(|identities| {
            for (origin, messages) in each_scope(&groups, reading.times) {
                reading.candidates.reserve(messages.len());
                for message in messages {
                    otlp::read_span(*message, &mut span)?;
                    reading.add_span(&span, &origin, identities);
                }
            }
            Ok(())
        })
    }

    fn logs(&self, groups: &[Group<'_, LogRecord<'_>>], reading: &mut Reading) {
        self.with_identities(|identities| {
            for (origin, records) in each_scope(groups, reading.times) {
                for record in records {
                    // OTLP allows a time to be unknown: then it is now.
                    if record.time > 0 && !reading.times.hold(record.time) {
                        reading.reject(Why::Time);
                        continue;
                    }
                    reading.add(log::candidate(record, &origin, identities));
                }
            }
        });
    }

    fn metrics(&self, groups: &mut [Group<'_, Metric<'_>>], reading: &mut Reading) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        for Group { resource, scopes } in groups {
            for (scope, metrics) in scopes {
                let place = Origin::of(resource, scope, reading.times.now).place;
                for metric in metrics {
                    let points = keep_timed(metric, reading);
                    let before = reading.candidates.len();
                    totals.candidates(metric, place, &mut reading.candidates);
                    let told = reading.candidates.len() - before;
                    reading.records += points as u64;
                    reading.ignored += points.saturating_sub(told) as u64;
                }
            }
        }
        let marks = totals.take_marks();
        let totals = self.totals.clone();
        reading.undo = Some(Box::new(move || {
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.undo(marks);
        }));
    }

    fn with_identities<T>(&self, work: impl FnOnce(&mut Identities) -> T) -> T {
        let pool = || {
            self.identities
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let free = pool().pop();
        let mut identities = free.unwrap_or_else(|| Identities::new(self.salt.clone()));
        let done = work(&mut identities);
        pool().push(identities);
        done
    }
}

/// Why a record is wrong in itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    TraceId,
    SpanId,
    Time,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::TraceId => "the trace id is not 16 bytes, or all zeros",
            Self::SpanId => "the span id is not 8 bytes, or all zeros",
            Self::Time => "the time is missing, before 2000 or more than 30 days ahead",
        }
    }
}

/// Which times can be.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// Unix nanoseconds.
    now: i64,
    latest: u64,
}

impl Times {
    fn now() -> Self {
        let now = UnixNanos::now();
        let latest = now.saturating_add(MOST_AHEAD).0;
        Self {
            now: now.0,
            latest: u64::try_from(latest).unwrap_or(0),
        }
    }

    fn hold(self, time: u64) -> bool {
        (EARLIEST..=self.latest).contains(&time)
    }

    fn of_span(self, span: &Span<'_>) -> Option<Why> {
        let ended = if span.end > 0 { span.end } else { span.start };
        if span.trace_id == [0; 16] {
            Some(Why::TraceId)
        } else if span.span_id == [0; 8] {
            Some(Why::SpanId)
        } else if !self.hold(ended) || (span.start > 0 && !self.hold(span.start)) {
            Some(Why::Time)
        } else {
            None
        }
    }
}

/// A request that is being read.
struct Reading {
    signal: Signal,
    times: Times,
    candidates: Vec<Candidate>,
    links: Vec<Link>,
    records: u64,
    ignored: u64,
    rejected: BTreeMap<Why, u64>,
    undo: Option<Undo>,
}

impl Reading {
    fn new(signal: Signal) -> Self {
        Self {
            signal,
            times: Times::now(),
            candidates: Vec::new(),
            links: Vec::new(),
            records: 0,
            ignored: 0,
            rejected: BTreeMap::new(),
            undo: None,
        }
    }

    fn add(&mut self, candidate: Option<Candidate>) {
        self.records += 1;
        match candidate {
            Some(candidate) => self.candidates.push(candidate),
            None => self.ignored += 1,
        }
    }

    fn add_span(&mut self, span: &Span<'_>, origin: &Origin<'_>, identities: &mut Identities) {
        if let Some(why) = self.times.of_span(span) {
            self.reject(why);
            return;
        }
        let candidate = span::candidate(span, origin, identities);
        if candidate.is_none() {
            self.links.push(Link {
                trace: span.trace_id,
                span: span.span_id,
                parent: span.parent_id,
            });
        }
        self.add(candidate);
    }

    fn reject(&mut self, why: Why) {
        self.records += 1;
        *self.rejected.entry(why).or_default() += 1;
    }

    fn finish(self) -> Read {
        let whys: Vec<String> = self
            .rejected
            .iter()
            .map(|(why, count)| format!("{count}: {}", why.text()))
            .collect();
        Read {
            records: self.records,
            ignored: self.ignored,
            rejected: Rejected {
                count: self.rejected.values().sum(),
                message: whys.join("; "),
            },
            undo: self.undo,
            batch: Batch {
                signal: self.signal,
                bytes: self.candidates.len() * CANDIDATE_BYTES
                    + self.links.len() * size_of::<Link>(),
                candidates: self.candidates,
                links: self.links,
            },
        }
    }
}

/// Leaves a metric the points whose time can be; returns how many.
fn keep_timed(metric: &mut Metric<'_>, reading: &mut Reading) -> usize {
    fn keep<T>(points: &mut Vec<T>, at: fn(&T) -> &Point<'_>, reading: &mut Reading) -> usize {
        points.retain(|point| {
            let holds = reading.times.hold(at(point).time);
            if !holds {
                reading.reject(Why::Time);
            }
            holds
        });
        points.len()
    }
    match &mut metric.data {
        Data::Empty => 0,
        Data::Gauge(points) | Data::Sum { points, .. } => keep(points, |point| &point.at, reading),
        Data::Histogram { points, .. } => keep(points, |point| &point.at, reading),
        Data::ExponentialHistogram { points, .. } => keep(points, |point| &point.at, reading),
        Data::Summary(points) => keep(points, |point| &point.at, reading),
    }
}

/// The records of each scope, with what they have in common.
fn each_scope<'g, T>(
    groups: &'g [Group<'_, T>],
    times: Times,
) -> impl Iterator<Item = (Origin<'g>, &'g [T])> {
    groups.iter().flat_map(move |Group { resource, scopes }| {
        let scopes = scopes.iter();
        scopes.map(move |(scope, records)| {
            (Origin::of(resource, scope, times.now), records.as_slice())
        })
    })
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}
