//! OTLP in protobuf: `Export{Trace,Logs,Metrics}ServiceRequest` → views.
//!
//! Schema: opentelemetry-proto 1.x. The numbers of the fields stand beside
//! their names below; fields that nothing reads are passed over.

use std::borrow::Cow;

use super::protobuf::{Message, Wire, WireError};
use super::view::{
    Any, Attrs, Data, ExponentialHistogram, Group, Histogram, LogRecord, Looks, Metric, Number,
    Point, Resource, Scope, Span, SpanEvent, SpanKind, Status, Summary, Temporality,
};

type Read<T> = Result<T, WireError>;

// An empty record, point or attribute has two bytes on the wire and a hundred in
// memory. So one record is held at a time, and of what one may hold without end
// no more than this.

/// Attributes of a record; more are passed over.
const MAX_ATTRS: usize = 1 << 16;
/// Events of a span; of more the first are let go of.
const MAX_EVENTS: usize = 1 << 10;
/// Attributes of a span's event.
const MAX_EVENT_ATTRS: usize = 1 << 8;
/// Points of a metric, and attributes of all of them.
const MAX_POINTS: usize = 1 << 17;
const MAX_POINT_ATTRS: usize = 1 << 20;

/// The records of one scope, yet to be read.
#[derive(Clone, Debug)]
pub struct Records<'a>(Message<'a>);

impl<'a> Iterator for Records<'a> {
    type Item = Read<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.0.next_field() {
                Ok(Some((2, value))) => return Some(value.message(2)),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Goes through the scopes of a request, whichever of the three it is: resource
/// group 1 (resource 1, scope groups 2), scope group (scope 1, records 2).
///
/// # Errors
/// [`WireError`] when the body is none, or what `take` says. What was taken
/// before is of no request.
pub fn each_scope<'a, E: From<WireError>>(
    body: &'a [u8],
    mut take: impl FnMut(&Resource<'a>, &Scope<'a>, Records<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut request = Message::new(body);
    let mut looks = Looks::default();
    while let Some((number, value)) = request.next_field()? {
        if number != 1 {
            continue;
        }
        // Whichever comes first: the resource is that of all its scopes.
        let mut group = value.message(1)?;
        let mut resource = Resource::default();
        each(group, |number, value| {
            if number == 1 {
                resource.attrs = attributes(value.message(1)?, 1)?;
            }
            Ok(())
        })?;
        while let Some((number, value)) = group.next_field()? {
            if number != 2 {
                continue;
            }
            let records = value.message(2)?;
            let mut scope = Scope::default();
            each(records, |number, value| {
                if number == 1 {
                    scope = self::scope(value.message(1)?)?;
                }
                Ok(())
            })?;
            if !looks.at(&resource) {
                return Err(WireError::Many.into());
            }
            take(&resource, &scope, Records(records))?;
        }
    }
    Ok(())
}

/// Reads an `ExportTraceServiceRequest`.
///
/// # Errors
/// [`WireError`] when the body is none; then nothing of it is taken.
pub fn traces(body: &[u8]) -> Read<Vec<Group<'_, Span<'_>>>> {
    groups(body, span)
}

/// Reads a span into one that may have been used before.
///
/// # Errors
/// As [`traces`].
pub fn read_span<'a>(message: Message<'a>, span: &mut Span<'a>) -> Read<()> {
    let (mut attrs, mut events) = (
        std::mem::take(&mut span.attrs),
        std::mem::take(&mut span.events),
    );
    attrs.clear();
    events.clear();
    *span = Span {
        attrs,
        events,
        ..Span::default()
    };
    each(message, |number, value| {
        match number {
            1 => span.trace_id = id(value, 1)?,
            2 => span.span_id = id(value, 2)?,
            4 => span.parent_id = id(value, 4)?,
            5 => span.name = value.text(5)?,
            6 => span.kind = SpanKind::of(value.varint(6)?),
            7 => span.start = value.fixed64(7)?,
            8 => span.end = value.fixed64(8)?,
            9 => push_attribute(&mut span.attrs, value.message(9)?)?,
            11 => {
                // What went wrong at the end is told last.
                if span.events.len() == MAX_EVENTS {
                    span.events.drain(..MAX_EVENTS / 2);
                }
                span.events.push(span_event(value.message(11)?)?);
            }
            15 => each(value.message(15)?, |number, value| {
                match number {
                    2 => span.status_message = value.text(2)?,
                    3 => span.status = Status::of(value.varint(3)?),
                    _ => {}
                }
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })
}

/// Reads an `ExportLogsServiceRequest`.
///
/// # Errors
/// As [`traces`].
pub fn logs(body: &[u8]) -> Read<Vec<Group<'_, LogRecord<'_>>>> {
    groups(body, log_record)
}

/// Reads an `ExportMetricsServiceRequest`.
///
/// # Errors
/// As [`traces`].
pub fn metrics(body: &[u8]) -> Read<Vec<Group<'_, Metric<'_>>>> {
    groups(body, metric)
}

fn groups<'a, T>(body: &'a [u8], item: fn(Message<'a>) -> Read<T>) -> Read<Vec<Group<'a, T>>> {
    let mut groups = Vec::new();
    each_scope(body, |resource, scope, records| {
        let items = records.map(|record| item(record?));
        groups.push(Group {
            resource: resource.clone(),
            scope: scope.clone(),
            records: items.collect::<Read<_>>()?,
        });
        Ok::<_, WireError>(())
    })?;
    Ok(groups)
}

/// Hands every field of a message to `take`.
fn each<'a>(mut message: Message<'a>, mut take: impl FnMut(u32, Wire<'a>) -> Read<()>) -> Read<()> {
    while let Some((number, value)) = message.next_field()? {
        take(number, value)?;
    }
    Ok(())
}

fn scope(message: Message<'_>) -> Read<Scope<'_>> {
    let mut scope = Scope::default();
    each(message, |number, value| {
        match number {
            1 => scope.name = value.text(1)?,
            2 => scope.version = value.text(2)?,
            3 => push_attribute(&mut scope.attrs, value.message(3)?)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(scope)
}

/// A message of which only the attributes, field `at`, are read.
fn attributes(message: Message<'_>, at: u32) -> Read<Attrs<'_>> {
    let mut attrs = Attrs::new();
    each(message, |number, value| {
        if number == at {
            push_attribute(&mut attrs, value.message(at)?)?;
        }
        Ok(())
    })?;
    Ok(attrs)
}

/// `KeyValue`: key 1, value 2.
fn push_attribute<'a>(attrs: &mut Attrs<'a>, message: Message<'a>) -> Read<()> {
    let mut key = Cow::default();
    let mut any = Any::Empty;
    each(message, |number, value| {
        match number {
            1 => key = value.text(1)?,
            2 => any = self::any(value.message(2)?)?,
            _ => {}
        }
        Ok(())
    })?;
    if attrs.len() < MAX_ATTRS {
        attrs.push((key, any));
    }
    Ok(())
}

/// `AnyValue`: string 1, bool 2, int 3, double 4, array 5, map 6, bytes 7. Lists
/// and maps are passed over unread, so their depth cannot hurt.
fn any(message: Message<'_>) -> Read<Any<'_>> {
    let mut any = Any::Empty;
    each(message, |number, value| {
        any = match number {
            1 => Any::Str(value.text(1)?),
            2 => Any::Bool(value.varint(2)? != 0),
            3 => Any::Int(value.varint(3)?.cast_signed()),
            4 => Any::Double(value.double(4)?),
            5..=7 => Any::Nested,
            _ => return Ok(()),
        };
        Ok(())
    })?;
    Ok(any)
}

/// An id of `N` bytes; of any other length it is none.
fn id<const N: usize>(value: Wire<'_>, number: u32) -> Read<[u8; N]> {
    Ok(value.bytes(number)?.try_into().unwrap_or([0; N]))
}

fn span(message: Message<'_>) -> Read<Span<'_>> {
    let mut span = Span::default();
    read_span(message, &mut span)?;
    Ok(span)
}

fn span_event(message: Message<'_>) -> Read<SpanEvent<'_>> {
    let mut event = SpanEvent::default();
    each(message, |number, value| {
        match number {
            1 => event.time = value.fixed64(1)?,
            2 => event.name = value.text(2)?,
            3 if event.attrs.len() < MAX_EVENT_ATTRS => {
                push_attribute(&mut event.attrs, value.message(3)?)?;
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(event)
}

/// Reads a log record.
///
/// # Errors
/// As [`traces`].
pub fn log_record(message: Message<'_>) -> Read<LogRecord<'_>> {
    let mut record = LogRecord::default();
    let mut observed = 0;
    each(message, |number, value| {
        match number {
            1 => record.time = value.fixed64(1)?,
            2 => record.severity = u32::try_from(value.varint(2)?).unwrap_or(0),
            5 => record.body = any(value.message(5)?)?,
            6 => push_attribute(&mut record.attrs, value.message(6)?)?,
            9 => record.trace_id = id(value, 9)?,
            10 => record.span_id = id(value, 10)?,
            11 => observed = value.fixed64(11)?,
            12 => record.event_name = value.text(12)?,
            _ => {}
        }
        Ok(())
    })?;
    if record.time == 0 {
        record.time = observed;
    }
    Ok(record)
}

/// Reads a metric.
///
/// # Errors
/// As [`traces`]; [`WireError::Many`] when it has too many points.
pub fn metric(message: Message<'_>) -> Read<Metric<'_>> {
    let mut metric = Metric::default();
    each(message, |number, value| {
        match number {
            1 => metric.name = value.text(1)?,
            3 => metric.unit = value.text(3)?,
            5 => {
                metric.data =
                    Data::Gauge(points(value.message(5)?, number_point, |point| &point.at)?.0)
            }
            7 => {
                let (points, temporality, monotonic) =
                    points(value.message(7)?, number_point, |point| &point.at)?;
                metric.data = Data::Sum {
                    points,
                    temporality,
                    monotonic,
                };
            }
            9 => {
                let (points, temporality, _) =
                    points(value.message(9)?, histogram, |point| &point.at)?;
                metric.data = Data::Histogram {
                    points,
                    temporality,
                };
            }
            10 => {
                let (points, temporality, _) =
                    points(value.message(10)?, exponential, |point| &point.at)?;
                metric.data = Data::ExponentialHistogram {
                    points,
                    temporality,
                };
            }
            11 => {
                metric.data =
                    Data::Summary(points(value.message(11)?, summary, |point| &point.at)?.0)
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(metric)
}

/// `Gauge`, `Sum`, `Histogram`, … : points 1, temporality 2, monotonic 3.
fn points<'a, T>(
    message: Message<'a>,
    point: fn(Message<'a>) -> Read<T>,
    at: fn(&T) -> &Point<'a>,
) -> Read<(Vec<T>, Temporality, bool)> {
    let mut points = Vec::new();
    let mut attrs = 0;
    let mut temporality = Temporality::Unspecified;
    let mut monotonic = false;
    each(message, |number, value| {
        match number {
            1 => {
                let point = point(value.message(1)?)?;
                attrs += at(&point).attrs.len();
                if points.len() == MAX_POINTS || attrs > MAX_POINT_ATTRS {
                    return Err(WireError::Many);
                }
                points.push(point);
            }
            2 => temporality = Temporality::of(value.varint(2)?),
            3 => monotonic = value.varint(3)? != 0,
            _ => {}
        }
        Ok(())
    })?;
    Ok((points, temporality, monotonic))
}

/// Field 8 or 10: "no recorded value" is the lowest bit.
fn flags(value: Wire<'_>, number: u32) -> Read<bool> {
    Ok(value.varint(number)? & 1 != 0)
}

fn number_point(message: Message<'_>) -> Read<Number<'_>> {
    let mut point = Number::default();
    let mut has_value = false;
    each(message, |number, value| {
        has_value |= matches!(number, 4 | 6);
        match number {
            2 => point.at.start = value.fixed64(2)?,
            3 => point.at.time = value.fixed64(3)?,
            4 => point.value = value.double(4)?,
            6 => point.value = value.fixed64(6)?.cast_signed() as f64,
            7 => push_attribute(&mut point.at.attrs, value.message(7)?)?,
            8 => point.at.no_value = flags(value, 8)?,
            _ => {}
        }
        Ok(())
    })?;
    point.at.no_value |= !has_value;
    Ok(point)
}

fn histogram(message: Message<'_>) -> Read<Histogram<'_>> {
    let mut point = Histogram::default();
    each(message, |number, value| {
        match number {
            2 => point.at.start = value.fixed64(2)?,
            3 => point.at.time = value.fixed64(3)?,
            4 => point.count = value.fixed64(4)?,
            5 => point.sum = Some(value.double(5)?),
            9 => push_attribute(&mut point.at.attrs, value.message(9)?)?,
            10 => point.at.no_value = flags(value, 10)?,
            11 => point.min = Some(value.double(11)?),
            12 => point.max = Some(value.double(12)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(point)
}

fn exponential(message: Message<'_>) -> Read<ExponentialHistogram<'_>> {
    let mut point = ExponentialHistogram::default();
    each(message, |number, value| {
        match number {
            1 => push_attribute(&mut point.at.attrs, value.message(1)?)?,
            2 => point.at.start = value.fixed64(2)?,
            3 => point.at.time = value.fixed64(3)?,
            4 => point.count = value.fixed64(4)?,
            5 => point.sum = Some(value.double(5)?),
            6 => point.scale = zigzag(value.varint(6)?),
            7 => point.zero_count = value.fixed64(7)?,
            10 => point.at.no_value = flags(value, 10)?,
            12 => point.min = Some(value.double(12)?),
            13 => point.max = Some(value.double(13)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(point)
}

fn summary(message: Message<'_>) -> Read<Summary<'_>> {
    let mut point = Summary::default();
    each(message, |number, value| {
        match number {
            2 => point.at.start = value.fixed64(2)?,
            3 => point.at.time = value.fixed64(3)?,
            4 => point.count = value.fixed64(4)?,
            5 => point.sum = value.double(5)?,
            7 => push_attribute(&mut point.at.attrs, value.message(7)?)?,
            8 => point.at.no_value = flags(value, 8)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(point)
}

/// sint32: 0, -1, 1, -2, …
fn zigzag(value: u64) -> i32 {
    let value = value as u32;
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::protobuf::field;

    /// How many attributes, events and points are held of a record of many.
    #[test]
    fn what_is_nearly_nothing_on_the_wire_takes_no_memory_without_end() {
        let request = |record: &[u8]| field(1, &field(2, &field(2, record)));
        let many = 1 << 18;
        let body = request(&[[9 << 3 | 2, 0], [11 << 3 | 2, 0]].concat().repeat(many));
        let span = &traces(&body).expect("a request")[0].records[0];
        assert_eq!(span.attrs.len(), MAX_ATTRS);
        assert!(span.events.len() <= MAX_EVENTS, "{}", span.events.len());
        let event = [field(2, b"exception"), [3 << 3 | 2, 0].repeat(many)].concat();
        let last = [[11 << 3 | 2, 0].repeat(many), field(11, &event)].concat();
        let body = request(&last);
        let span = &traces(&body).expect("a request")[0].records[0];
        let event = span.events.last().expect("an event");
        assert_eq!(
            (&*event.name, event.attrs.len()),
            ("exception", MAX_EVENT_ATTRS)
        );
        for points in [
            [1 << 3 | 2, 0].repeat(many),
            field(1, &[7 << 3 | 2, 0].repeat(MAX_ATTRS)).repeat(20),
        ] {
            let body = request(&field(5, &points));
            assert_eq!(metrics(&body), Err(WireError::Many));
        }
    }

    #[test]
    fn many_scopes_of_a_resource_of_many_attributes_are_too_many() {
        let scopes = |attrs: usize, scopes: usize| {
            let resource = field(1, &[1 << 3 | 2, 0].repeat(attrs));
            field(1, &[resource, [2 << 3 | 2, 0].repeat(scopes)].concat())
        };
        assert_eq!(
            logs(&scopes(100, 1000)).map(|groups| groups.len()),
            Ok(1000)
        );
        assert_eq!(logs(&scopes(50_000, 50_000)), Err(WireError::Many));
    }

    #[test]
    fn a_text_cut_in_a_character_and_a_point_without_a_value_spoil_only_themselves() {
        let time = [&[3 << 3 | 1][..], &7_u64.to_le_bytes()].concat();
        let value = [&[4 << 3 | 1][..], &1.5_f64.to_le_bytes()].concat();
        let points = [
            field(1, &time),
            field(1, &[time.clone(), value.clone()].concat()),
        ];
        let metric = [field(1, b"m\xf0\x9f"), field(5, &points.concat())].concat();
        let body = field(1, &field(2, &field(2, &metric)));
        let groups = metrics(&body).expect("a request");
        let metric = &groups[0].records[0];
        assert_eq!(metric.name, "m\u{fffd}");
        let Data::Gauge(points) = &metric.data else {
            panic!("no gauge");
        };
        let found: Vec<(bool, f64)> = points
            .iter()
            .map(|point| (point.at.no_value, point.value))
            .collect();
        assert_eq!(found, [(true, 0.0), (false, 1.5)]);
    }
}
