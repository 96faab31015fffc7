//! OTLP: a body of any of the three signals, in either form, becomes a batch,
//! and the batch an answer. Both doors (HTTP and gRPC) come through here.

use std::borrow::Cow;
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
use crate::normal::mix::MixMap;
use crate::normal::names::{hash_of, plain};
use crate::normal::seen::Link;
use crate::normal::source::Origin;
use crate::normal::span::Left;
use crate::normal::{log, span};
use crate::wire::answer::{Code, Form, Rejected, Status};
use crate::wire::otlp;
use crate::wire::otlp_json::{self, JsonError};
use crate::wire::protobuf::WireError;
use crate::wire::view::{Data, LogRecord, Metric, Point, Span};

/// Nothing that an agent did is older: 2000-01-01, Unix nanoseconds.
pub(super) const EARLIEST: u64 = 946_684_800_000_000_000;
/// How far ahead of ours a clock may be.
pub(super) const MOST_AHEAD: Duration = Duration::from_secs(30 * 24 * 3600);
/// About what a candidate takes in memory, bytes.
const CANDIDATE_BYTES: usize = 1500;
/// Events that one request may make: 200 MB of candidates.
pub(super) const MAX_EVENTS: usize = 1 << 17;

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
    /// It fits, and would take far more memory than a body may.
    #[error("{0}")]
    TooMany(String),
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Many => Self::TooMany(error.to_string()),
            _ => Self::Bad(error.to_string()),
        }
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Many(_) | JsonError::Scopes => Self::TooMany(error.to_string()),
            _ => Self::Bad(error.to_string()),
        }
    }
}

impl Failure {
    /// As `google.rpc.Status`, with when to try again where that may help.
    pub fn status(&self) -> Status {
        let (code, retry_seconds) = match self {
            Self::Bad(_) => (Code::InvalidArgument, None),
            Self::TooMany(_) | Self::Body(BodyError::TooLarge(_)) => {
                (Code::ResourceExhausted, None)
            }
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
        hub.otlp.read(signal, form, &body)
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
    of.foreign.add(read.foreign);
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
    /// Spans that tell of no model, tool or agent.
    pub foreign: u64,
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

    /// Reads a request, one record at a time.
    ///
    /// # Errors
    /// [`Failure`]: why it is none. Then nothing is changed.
    pub fn read(&self, signal: Signal, form: Form, body: &[u8]) -> Result<Read, Failure> {
        let mut reading = Reading::new(signal);
        match signal {
            Signal::Logs => self.logs(form, body, &mut reading)?,
            Signal::Metrics => self.metrics(form, body, &mut reading)?,
            _ => self.traces(form, body, &mut reading)?,
        }
        Ok(reading.finish())
    }

    fn traces(&self, form: Form, body: &[u8], reading: &mut Reading) -> Result<(), Failure> {
        let now = reading.times.now;
        self.with_identities(|identities| match form {
            Form::Protobuf => {
                let mut span = Span::default();
                otlp::each_scope(body, |resource, scope, records| {
                    let origin = Origin::of(resource, scope, now);
                    for record in records {
                        otlp::read_span(record?, &mut span)?;
                        reading.add_span(&span, &origin, identities)?;
                    }
                    Ok(())
                })
            }
            Form::Json => {
                let json = otlp_json::parse(body)?;
                otlp_json::each_scope(&json, otlp_json::SPANS, |resource, scope, records| {
                    let origin = Origin::of(resource, scope, now);
                    for record in records {
                        reading.add_span(&otlp_json::span(record), &origin, identities)?;
                    }
                    Ok(())
                })
            }
        })
    }

    fn logs(&self, form: Form, body: &[u8], reading: &mut Reading) -> Result<(), Failure> {
        let now = reading.times.now;
        self.with_identities(|identities| match form {
            Form::Protobuf => otlp::each_scope(body, |resource, scope, records| {
                let origin = Origin::of(resource, scope, now);
                for record in records {
                    reading.add_log(&otlp::log_record(record?)?, &origin, identities)?;
                }
                Ok(())
            }),
            Form::Json => {
                let json = otlp_json::parse(body)?;
                otlp_json::each_scope(&json, otlp_json::LOGS, |resource, scope, records| {
                    let origin = Origin::of(resource, scope, now);
                    for record in records {
                        reading.add_log(&otlp_json::log_record(record), &origin, identities)?;
                    }
                    Ok(())
                })
            }
        })
    }

    fn metrics(&self, form: Form, body: &[u8], reading: &mut Reading) -> Result<(), Failure> {
        let now = reading.times.now;
        let json = match form {
            Form::Protobuf => None,
            Form::Json => Some(otlp_json::parse(body)?),
        };
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let read = self.with_identities(|identities| {
            let mut add =
                |metric, place| reading.add_metric(metric, place, &mut totals, identities);
            match &json {
                None => otlp::each_scope(body, |resource, scope, records| {
                    let place = Origin::of(resource, scope, now).place;
                    for record in records {
                        add(otlp::metric(record?)?, place)?;
                    }
                    Ok(())
                }),
                Some(json) => {
                    otlp_json::each_scope(json, otlp_json::METRICS, |resource, scope, records| {
                        let place = Origin::of(resource, scope, now).place;
                        for record in records {
                            add(otlp_json::metric(record), place)?;
                        }
                        Ok(())
                    })
                }
            }
        });
        let marks = totals.take_marks();
        if let Err(failure) = read {
            totals.undo(marks);
            return Err(failure);
        }
        let totals = self.totals.clone();
        reading.undo = Some(Box::new(move || {
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.undo(marks);
        }));
        Ok(())
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
    Value,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::TraceId => "the trace id is not 16 bytes, or all zeros",
            Self::SpanId => "the span id is not 8 bytes, or all zeros",
            Self::Time => "the time is missing, before 2000 or more than 30 days ahead",
            Self::Value => "the value is no finite number",
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
    /// How often a log record came, by its hash.
    alike: MixMap<u64, u64>,
    records: u64,
    ignored: u64,
    foreign: u64,
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
            alike: MixMap::default(),
            records: 0,
            ignored: 0,
            foreign: 0,
            rejected: BTreeMap::new(),
            undo: None,
        }
    }

    fn add(&mut self, candidate: Option<Candidate>) -> Result<(), Failure> {
        self.records += 1;
        match candidate {
            Some(candidate) => self.candidates.push(candidate),
            None => self.ignored += 1,
        }
        self.fits()
    }

    /// Whether there are not too many yet.
    fn fits(&self) -> Result<(), Failure> {
        if self.candidates.len() > MAX_EVENTS || self.links.len() > 8 * MAX_EVENTS {
            let message = format!("more than {MAX_EVENTS} records; send fewer at once");
            return Err(Failure::TooMany(message));
        }
        Ok(())
    }

    fn add_log(
        &mut self,
        record: &LogRecord<'_>,
        origin: &Origin<'_>,
        identities: &mut Identities,
    ) -> Result<(), Failure> {
        // OTLP allows a time to be unknown: then it is now.
        if record.time > 0 && !self.times.hold(record.time) {
            self.reject(Why::Time);
            return Ok(());
        }
        let mut candidate = log::candidate(record, origin, identities);
        if let Some(body) = candidate.as_mut().and_then(|one| one.keys.body.as_mut()) {
            // Alike in one request, records are of as many calls: clients that tell
            // milliseconds have two tools end at once. Sent again, they are as many.
            let times = self.alike.entry(*body).or_default();
            if *times > 0 {
                *body = hash_of(&[*body, *times]);
            }
            *times += 1;
        }
        self.add(candidate)
    }

    fn add_metric(
        &mut self,
        mut metric: Metric<'_>,
        place: u64,
        totals: &mut Totals,
        identities: &mut Identities,
    ) -> Result<(), Failure> {
        let points = keep_sound(&mut metric, self);
        if plain(&metric.name).is_some()
            && let Cow::Owned(hash) = identities.name(&metric.name)
        {
            metric.name = hash.into();
        }
        let before = self.candidates.len();
        totals.candidates(&metric, place, &mut self.candidates);
        let told = self.candidates.len() - before;
        self.records += points as u64;
        self.ignored += points.saturating_sub(told) as u64;
        self.fits()
    }

    fn add_span(
        &mut self,
        span: &Span<'_>,
        origin: &Origin<'_>,
        identities: &mut Identities,
    ) -> Result<(), Failure> {
        if let Some(why) = self.times.of_span(span) {
            self.reject(why);
            return Ok(());
        }
        match span::candidate(span, origin, identities) {
            Ok(candidate) => return self.add(Some(candidate)),
            Err(Left::Noise) => self.ignored += 1,
            Err(Left::NoAgentEvent) => self.foreign += 1,
        }
        self.records += 1;
        self.links.push(Link {
            trace: span.trace_id,
            span: span.span_id,
            parent: span.parent_id,
        });
        self.fits()
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
            foreign: self.foreign,
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

/// Leaves a metric the points whose time can be, and whose value is a finite
/// number; returns how many.
fn keep_sound(metric: &mut Metric<'_>, reading: &mut Reading) -> usize {
    fn keep<T>(
        points: &mut Vec<T>,
        reading: &mut Reading,
        look: impl Fn(&T) -> (&Point<'_>, f64),
    ) -> usize {
        points.retain(|point| {
            let (at, value) = look(point);
            let wrong = match () {
                () if !reading.times.hold(at.time) => Some(Why::Time),
                // A series that has ended says so by a flag, and with a NaN at will.
                () if !at.no_value && !value.is_finite() => Some(Why::Value),
                () => None,
            };
            if let Some(why) = wrong {
                reading.reject(why);
            }
            wrong.is_none()
        });
        points.len()
    }
    match &mut metric.data {
        Data::Empty => 0,
        Data::Gauge(points) | Data::Sum { points, .. } => {
            keep(points, reading, |point| (&point.at, point.value))
        }
        Data::Histogram { points, .. } => keep(points, reading, |point| {
            (&point.at, point.sum.unwrap_or_default())
        }),
        Data::ExponentialHistogram { points, .. } => keep(points, reading, |point| {
            (&point.at, point.sum.unwrap_or_default())
        }),
        Data::Summary(points) => keep(points, reading, |point| (&point.at, point.sum)),
    }
}

#[cfg(test)]
mod tests;
