//! What OTLP carries, as far as an agent monitor reads it, whichever form it
//! came in: both readers (protobuf, JSON) make these, and `normal` reads them.
//! Borrowed from the body wherever the form allows it.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// An attribute's value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Any<'a> {
    /// No value, or one of a kind this version does not know.
    #[default]
    Empty,
    /// Text.
    Str(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A float; may be NaN or infinite.
    Double(f64),
    /// A list, a map or bytes. Nothing that is kept has such a value, so it is
    /// not read any further.
    Nested,
}

impl Any<'_> {
    /// Whether it is no value, or a text without a letter.
    pub fn says_nothing(&self) -> bool {
        match self {
            Any::Empty => true,
            Any::Str(text) => text.is_empty(),
            _ => false,
        }
    }

    /// Hashes what of it is read; floats by their bits.
    pub fn hash_into(&self, hasher: &mut impl Hasher) {
        match self {
            Any::Str(text) => text.hash(hasher),
            Any::Bool(truth) => truth.hash(hasher),
            Any::Int(whole) => whole.hash(hasher),
            Any::Double(number) => number.to_bits().hash(hasher),
            Any::Empty | Any::Nested => {}
        }
    }
}

/// Attributes in the order they came; keys may repeat (the first counts).
pub type Attrs<'a> = Vec<(Cow<'a, str>, Any<'a>)>;

/// What emitted: a process or a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource<'a> {
    pub attrs: Attrs<'a>,
}

/// The instrumentation within it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope<'a> {
    pub name: Cow<'a, str>,
    pub version: Cow<'a, str>,
    pub attrs: Attrs<'a>,
}

/// Attributes of resources that are looked at for one request, once for each
/// scope: of many scopes and many attributes the product is without measure.
const MAX_LOOKS: usize = 1 << 22;

/// How many looks there have been.
#[derive(Debug, Default)]
pub struct Looks(usize);

impl Looks {
    /// A scope of this resource is looked at; whether that is not too much.
    #[must_use]
    pub fn at(&mut self, resource: &Resource<'_>) -> bool {
        self.0 += resource.attrs.len();
        self.0 <= MAX_LOOKS
    }
}

/// Records of one scope of one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group<'a, T> {
    pub resource: Resource<'a>,
    pub scope: Scope<'a>,
    pub records: Vec<T>,
}

/// The kind of a span, by OTLP's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpanKind {
    #[default]
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl SpanKind {
    /// By OTLP's number; an unknown one is unspecified.
    pub fn of(number: u64) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }
}

/// 16 bytes; all zeros means none.
pub type TraceId = [u8; 16];
/// 8 bytes; all zeros means none.
pub type SpanId = [u8; 8];

/// A timed operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent_id: SpanId,
    pub name: Cow<'a, str>,
    pub kind: SpanKind,
    /// Unix nanoseconds; 0 means unknown.
    pub start: u64,
    /// Unix nanoseconds; 0 means unknown.
    pub end: u64,
    pub attrs: Attrs<'a>,
    pub events: Vec<SpanEvent<'a>>,
    pub status: Status,
    /// For the class of an error only; never stored.
    pub status_message: Cow<'a, str>,
}

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Unset,
    Ok,
    Error,
}

impl Status {
    /// By OTLP's number; an unknown one is unset.
    pub fn of(number: u64) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }
}

/// Something that happened within a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanEvent<'a> {
    pub name: Cow<'a, str>,
    pub time: u64,
    pub attrs: Attrs<'a>,
}

/// A log record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogRecord<'a> {
    /// Unix nanoseconds; the observed time where the source gave none.
    pub time: u64,
    pub event_name: Cow<'a, str>,
    /// A short body is an event's name (Claude Code); never stored.
    pub body: Any<'a>,
    /// OTLP's number, 1..=24; 0 unknown.
    pub severity: u32,
    pub attrs: Attrs<'a>,
    pub trace_id: TraceId,
    pub span_id: SpanId,
}

/// A metric with its points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric<'a> {
    pub name: Cow<'a, str>,
    pub unit: Cow<'a, str>,
    pub data: Data<'a>,
}

/// How points add up over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

impl Temporality {
    /// By OTLP's number; an unknown one is unspecified.
    pub fn of(number: u64) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

/// A metric's points.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data<'a> {
    #[default]
    Empty,
    Gauge(Vec<Number<'a>>),
    Sum {
        points: Vec<Number<'a>>,
        temporality: Temporality,
        monotonic: bool,
    },
    Histogram {
        points: Vec<Histogram<'a>>,
        temporality: Temporality,
    },
    ExponentialHistogram {
        points: Vec<ExponentialHistogram<'a>>,
        temporality: Temporality,
    },
    Summary(Vec<Summary<'a>>),
}

/// What every point has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Point<'a> {
    pub attrs: Attrs<'a>,
    pub start: u64,
    pub time: u64,
    /// OTLP's "no recorded value" flag.
    pub no_value: bool,
}

/// A point of one number; NaN or infinite values may come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number<'a> {
    pub at: Point<'a>,
    pub value: f64,
}

/// A point of a histogram, without its buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram<'a> {
    pub at: Point<'a>,
    pub count: u64,
    pub sum: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// A point of an exponential histogram, without its buckets; base is
/// `2^(2^-scale)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExponentialHistogram<'a> {
    pub at: Point<'a>,
    pub count: u64,
    pub sum: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub scale: i32,
    pub zero_count: u64,
}

/// A point of a summary, without its quantiles.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary<'a> {
    pub at: Point<'a>,
    pub count: u64,
    pub sum: f64,
}
