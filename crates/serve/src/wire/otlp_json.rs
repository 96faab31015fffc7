//! OTLP in JSON → views. As lenient as clients are sloppy: 64-bit numbers as
//! text or number, enums as number or name, ids in hex of any case or base64,
//! `null` for what is not there, unknown members ignored, `snake_case` as well
//! as `lowerCamelCase`. What strict JSON forbids and clients write all the same
//! is mended first (`mend`).

use std::borrow::Cow;

use super::json::{self, Json, Members, ReadError};
use super::mend::mend;
use super::view::{
    Any, Attrs, Data, ExponentialHistogram, Group, Histogram, LogRecord, Looks, Metric, Number,
    Point, Resource, Scope, Span, SpanEvent, SpanKind, Status, Summary, Temporality,
};

/// Values of a body, of which an attribute has four.
const MAX_VALUES: usize = 1 << 21;

/// Why a body is no OTLP request.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON.
    #[error("the body is no JSON: {0}")]
    Syntax(serde_json::Error),
    /// It holds more than is read at once.
    #[error("the body has more than {0} values; send fewer at once")]
    Many(usize),
    /// It has too many scopes of resources of many attributes.
    #[error(
        "there are more scopes, and attributes of resources, than are read at once; send fewer"
    )]
    Scopes,
    /// It is JSON, but not an object.
    #[error("the body is no JSON object")]
    Shape,
}

/// Reads the body of a request; the views borrow from what it returns.
///
/// # Errors
/// [`JsonError`] when it is no JSON object.
pub fn parse(body: &[u8]) -> Result<Json<'_>, JsonError> {
    let json = json::read(body, MAX_VALUES).or_else(|error| match error {
        ReadError::Many(most) => Err(JsonError::Many(most)),
        ReadError::Syntax(error) => {
            let mended = mend(body);
            match json::read(&mended, MAX_VALUES) {
                Ok(json) => Ok(json.into_owned()),
                Err(ReadError::Many(most)) => Err(JsonError::Many(most)),
                Err(ReadError::Syntax(_)) => Err(JsonError::Syntax(error)),
            }
        }
    })?;
    match json {
        Json::Object(_) => Ok(json),
        _ => Err(JsonError::Shape),
    }
}

/// Reads an `ExportTraceServiceRequest`.
pub fn traces<'a>(body: &'a Json<'a>) -> Vec<Group<'a, Span<'a>>> {
    groups(body, SPANS, span)
}

/// Reads an `ExportLogsServiceRequest`.
pub fn logs<'a>(body: &'a Json<'a>) -> Vec<Group<'a, LogRecord<'a>>> {
    groups(body, LOGS, log_record)
}

/// Reads an `ExportMetricsServiceRequest`.
pub fn metrics<'a>(body: &'a Json<'a>) -> Vec<Group<'a, Metric<'a>>> {
    groups(body, METRICS, metric)
}

/// What the members of a kind of request are called.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    resources: &'static str,
    scopes: &'static str,
    records: &'static str,
}

pub const SPANS: Names = Names {
    resources: "resourceSpans",
    scopes: "scopeSpans",
    records: "spans",
};
pub const LOGS: Names = Names {
    resources: "resourceLogs",
    scopes: "scopeLogs",
    records: "logRecords",
};
pub const METRICS: Names = Names {
    resources: "resourceMetrics",
    scopes: "scopeMetrics",
    records: "metrics",
};

/// An object's members, found by either spelling.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a>(&'a Members<'a>);

impl<'a> Object<'a> {
    fn of(json: &'a Json<'a>) -> Option<Self> {
        json.as_object().map(Self)
    }

    fn get(self, key: &str) -> Option<&'a Json<'a>> {
        let find = |is: fn(&str, &str) -> bool| {
            let mut members = self.0.iter().rev();
            members.find_map(|(name, json)| is(name, key).then_some(json))
        };
        let member = find(|name, key| name == key).or_else(|| find(is_snake));
        member.filter(|json| !json.is_null())
    }

    fn object(self, key: &str) -> Option<Self> {
        self.get(key).and_then(Self::of)
    }

    fn list(self, key: &str) -> impl Iterator<Item = &'a Json<'a>> {
        let list = self.get(key).and_then(Json::as_list);
        list.unwrap_or_default().iter()
    }

    fn objects(self, key: &str) -> impl Iterator<Item = Self> {
        self.list(key).filter_map(Self::of)
    }

    fn str(self, key: &str) -> Cow<'a, str> {
        Cow::Borrowed(self.get(key).and_then(Json::as_str).unwrap_or_default())
    }

    fn u64(self, key: &str) -> u64 {
        self.get(key).and_then(unsigned).unwrap_or_default()
    }

    fn i32(self, key: &str) -> i32 {
        let whole = self.get(key).and_then(signed).unwrap_or_default();
        i32::try_from(whole).unwrap_or_default()
    }

    fn f64(self, key: &str) -> Option<f64> {
        self.get(key).and_then(float)
    }

    /// An enum: its number, or its name's place in `names` (without prefix).
    fn choice(self, key: &str, names: &[&str]) -> u64 {
        match self.get(key) {
            Some(Json::String(text)) => {
                let place = names.iter().position(|name| text.ends_with(name));
                place.map_or_else(|| text.parse().unwrap_or(0), |at| at as u64)
            }
            Some(json) => unsigned(json).unwrap_or(0),
            None => 0,
        }
    }

    fn id<const N: usize>(self, key: &str) -> [u8; N] {
        let text = self.get(key).and_then(Json::as_str).unwrap_or_default();
        hex_id(text).or_else(|| base64_id(text)).unwrap_or([0; N])
    }

    fn attrs(self) -> Attrs<'a> {
        let pair = |pair: Self| {
            let key = pair.str("key");
            (!key.is_empty()).then(|| (key, pair.object("value").map_or(Any::Empty, any)))
        };
        self.objects("attributes").filter_map(pair).collect()
    }
}

/// Whether a name is a key in `snake_case`: `trace_id` is `traceId`.
fn is_snake(name: &str, key: &str) -> bool {
    let mut name = name.bytes();
    let same = key.bytes().all(|letter| match letter.is_ascii_uppercase() {
        true => name.next() == Some(b'_') && name.next() == Some(letter.to_ascii_lowercase()),
        false => name.next() == Some(letter),
    });
    same && name.next().is_none()
}

fn unsigned(json: &Json<'_>) -> Option<u64> {
    match json {
        Json::String(text) => text.trim().parse().ok(),
        _ => json
            .as_u64()
            .or_else(|| whole(json.as_f64()?)?.try_into().ok()),
    }
}

fn signed(json: &Json<'_>) -> Option<i64> {
    match json {
        Json::String(text) => text.trim().parse().ok(),
        _ => json.as_i64().or_else(|| whole(json.as_f64()?)),
    }
}

/// Also in quotes.
fn boolean(json: &Json<'_>) -> Option<bool> {
    json.as_bool().or_else(|| json.as_str()?.parse().ok())
}

/// `1e3` and `5.0` are whole numbers too.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

/// A double, also as `"NaN"`, `"Infinity"` or a number in quotes.
fn float(json: &Json<'_>) -> Option<f64> {
    match json {
        Json::String(text) => text.trim().parse().ok(),
        _ => json.as_f64(),
    }
}

fn hex_id<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut id = [0; N];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(id)
}

/// Protobuf's own JSON mapping writes bytes as base64; OTLP forbids it, some
/// clients do it.
fn base64_id<const N: usize>(text: &str) -> Option<[u8; N]> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=').as_bytes();
    if digits.len() != (N * 8).div_ceil(6) {
        return None;
    }
    let mut id = [0; N];
    let (mut bits, mut held, mut at) = (0_u32, 0, 0);
    for digit in digits {
        let digit = match digit {
            b'-' => 62,
            b'_' => 63,
            _ => DIGITS.iter().position(|known| known == digit)?,
        };
        bits = (bits << 6 | u32::try_from(digit).ok()?) & 0xffff;
        held += 6;
        if held >= 8 && at < N {
            held -= 8;
            id[at] = u8::try_from(bits >> held & 0xff).ok()?;
            at += 1;
        }
    }
    Some(id)
}

fn any(value: Object<'_>) -> Any<'_> {
    let Some((key, json)) = value.0.iter().find(|(_, json)| !json.is_null()) else {
        return Any::Empty;
    };
    let read = match &**key {
        "stringValue" | "string_value" => json.as_str().map(|text| Any::Str(text.into())),
        "boolValue" | "bool_value" => boolean(json).map(Any::Bool),
        "intValue" | "int_value" => signed(json).map(Any::Int),
        "doubleValue" | "double_value" => float(json).map(Any::Double),
        "arrayValue" | "array_value" | "kvlistValue" | "kvlist_value" | "bytesValue"
        | "bytes_value" => Some(Any::Nested),
        _ => None,
    };
    read.unwrap_or(Any::Empty)
}

/// Goes through the scopes of a request, with their records yet to be read.
///
/// # Errors
/// [`JsonError::Scopes`], or what `take` says.
pub fn each_scope<'a, E: From<JsonError>>(
    body: &'a Json<'a>,
    names: Names,
    mut take: impl FnMut(
        &Resource<'a>,
        &Scope<'a>,
        &mut dyn Iterator<Item = Object<'a>>,
    ) -> Result<(), E>,
) -> Result<(), E> {
    let Some(body) = Object::of(body) else {
        return Ok(());
    };
    let mut looks = Looks::default();
    for group in body.objects(names.resources) {
        let resource = Resource {
            attrs: group
                .object("resource")
                .map(Object::attrs)
                .unwrap_or_default(),
        };
        for group in group.objects(names.scopes) {
            let scope = group.object("scope").map(|scope| Scope {
                name: scope.str("name"),
                version: scope.str("version"),
                attrs: scope.attrs(),
            });
            let scope = scope.unwrap_or_default();
            if !looks.at(&resource) {
                return Err(JsonError::Scopes.into());
            }
            take(&resource, &scope, &mut group.objects(names.records))?;
        }
    }
    Ok(())
}

fn groups<'a, T>(body: &'a Json<'a>, names: Names, item: fn(Object<'a>) -> T) -> Vec<Group<'a, T>> {
    let mut groups = Vec::new();
    let read = each_scope(body, names, |resource, scope, records| {
        groups.push(Group {
            resource: resource.clone(),
            scope: scope.clone(),
            records: records.map(item).collect(),
        });
        Ok::<_, JsonError>(())
    });
    match read {
        Ok(()) => groups,
        Err(_) => Vec::new(),
    }
}

/// Reads a span.
pub fn span(object: Object<'_>) -> Span<'_> {
    let kinds = [
        "UNSPECIFIED",
        "INTERNAL",
        "SERVER",
        "CLIENT",
        "PRODUCER",
        "CONSUMER",
    ];
    let status = object.object("status");
    Span {
        trace_id: object.id("traceId"),
        span_id: object.id("spanId"),
        parent_id: object.id("parentSpanId"),
        name: object.str("name"),
        kind: SpanKind::of(object.choice("kind", &kinds)),
        start: object.u64("startTimeUnixNano"),
        end: object.u64("endTimeUnixNano"),
        attrs: object.attrs(),
        events: object
            .objects("events")
            .map(|event| SpanEvent {
                name: event.str("name"),
                time: event.u64("timeUnixNano"),
                attrs: event.attrs(),
            })
            .collect(),
        status: status.map_or(Status::Unset, |status| {
            Status::of(status.choice("code", &["UNSET", "OK", "ERROR"]))
        }),
        status_message: status
            .map(|status| status.str("message"))
            .unwrap_or_default(),
    }
}

/// Reads a log record.
pub fn log_record(object: Object<'_>) -> LogRecord<'_> {
    let time = object.u64("timeUnixNano");
    LogRecord {
        time: if time > 0 {
            time
        } else {
            object.u64("observedTimeUnixNano")
        },
        event_name: object.str("eventName"),
        body: object.object("body").map_or(Any::Empty, any),
        severity: u32::try_from(object.choice("severityNumber", &[])).unwrap_or_default(),
        attrs: object.attrs(),
        trace_id: object.id("traceId"),
        span_id: object.id("spanId"),
    }
}

/// Reads a metric.
pub fn metric(object: Object<'_>) -> Metric<'_> {
    let data = if let Some(gauge) = object.object("gauge") {
        Data::Gauge(points(gauge, number))
    } else if let Some(sum) = object.object("sum") {
        Data::Sum {
            points: points(sum, number),
            temporality: temporality(sum),
            monotonic: sum.get("isMonotonic").and_then(boolean).unwrap_or(false),
        }
    } else if let Some(histogram) = object.object("histogram") {
        Data::Histogram {
            points: points(histogram, self::histogram),
            temporality: temporality(histogram),
        }
    } else if let Some(histogram) = object.object("exponentialHistogram") {
        Data::ExponentialHistogram {
            points: points(histogram, exponential),
            temporality: temporality(histogram),
        }
    } else if let Some(summary) = object.object("summary") {
        Data::Summary(points(summary, self::summary))
    } else {
        Data::Empty
    };
    Metric {
        name: object.str("name"),
        unit: object.str("unit"),
        data,
    }
}

fn points<'a, T>(object: Object<'a>, point: fn(Object<'a>) -> T) -> Vec<T> {
    object.objects("dataPoints").map(point).collect()
}

fn temporality(object: Object<'_>) -> Temporality {
    let names = ["UNSPECIFIED", "DELTA", "CUMULATIVE"];
    Temporality::of(object.choice("aggregationTemporality", &names))
}

fn point(object: Object<'_>) -> Point<'_> {
    Point {
        attrs: object.attrs(),
        start: object.u64("startTimeUnixNano"),
        time: object.u64("timeUnixNano"),
        no_value: object.u64("flags") & 1 != 0,
    }
}

fn number(object: Object<'_>) -> Number<'_> {
    let whole = object
        .get("asInt")
        .and_then(signed)
        .map(|whole| whole as f64);
    let value = object.f64("asDouble").or(whole);
    let mut at = point(object);
    at.no_value |= value.is_none();
    Number {
        at,
        value: value.unwrap_or_default(),
    }
}

fn histogram(object: Object<'_>) -> Histogram<'_> {
    Histogram {
        at: point(object),
        count: object.u64("count"),
        sum: object.f64("sum"),
        min: object.f64("min"),
        max: object.f64("max"),
    }
}

fn exponential(object: Object<'_>) -> ExponentialHistogram<'_> {
    ExponentialHistogram {
        at: point(object),
        count: object.u64("count"),
        sum: object.f64("sum"),
        min: object.f64("min"),
        max: object.f64("max"),
        scale: object.i32("scale"),
        zero_count: object.u64("zeroCount"),
    }
}

fn summary(object: Object<'_>) -> Summary<'_> {
    Summary {
        at: point(object),
        count: object.u64("count"),
        sum: object.f64("sum").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(span: &str) -> Span<'static> {
        let text = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
        let json = parse(text.as_bytes()).expect("JSON").into_owned();
        let json: &'static Json<'static> = Box::leak(Box::new(json));
        traces(json).remove(0).records.remove(0)
    }

    #[test]
    fn numbers_enums_and_ids_come_in_every_spelling() {
        let as_it_should = one(
            r#"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"A1A2A3A4A5A6A7A8",
                "startTimeUnixNano":"1763636400000000000","kind":3,"status":{"code":2},
                "attributes":[{"key":"n","value":{"intValue":"7"}}]}"#,
        );
        let sloppy = one(
            r#"{"trace_id":"AQIDBAUGBwgJCgsMDQ4PEA==","span_id":"oaKjpKWmp6g=","parentSpanId":null,
                "start_time_unix_nano":1763636400000000000,"kind":"SPAN_KIND_CLIENT",
                "status":{"code":"STATUS_CODE_ERROR"},"events":null,"unknown":{"a":[1]},
                "attributes":[{"key":"n","value":{"intValue":7}}]}"#,
        );
        assert_eq!(as_it_should, sloppy);
        assert_eq!(as_it_should.kind, SpanKind::Client);
        assert_eq!(as_it_should.status, Status::Error);
        assert_eq!(
            as_it_should.span_id,
            [0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8]
        );
        assert_eq!(as_it_should.attrs[0].1, Any::Int(7));
    }

    #[test]
    fn odd_values_spoil_only_themselves() {
        let span = one(r#"{"traceId":"xyz","spanId":"zz","attributes":[
                {"key":"a","value":{"arrayValue":{}}},
                {"key":"b","value":{"doubleValue":"NaN"}},
                {"key":"c","value":{}},{"key":"d"},null,"e",{"value":{"intValue":1}},
                {"key":"f","value":{"intValue":"no"}},
                {"key":"t","value":{"boolValue":"true"}},
                {"key":"g","value":{"stringValue":"kept"}}]}"#);
        assert_eq!((span.trace_id, span.span_id), ([0; 16], [0; 8]));
        let kept = |key: &str| {
            let found = span.attrs.iter().find(|(held, _)| held == key);
            found.map(|(_, value)| value.clone())
        };
        assert_eq!(kept("a"), Some(Any::Nested));
        assert!(matches!(kept("b"), Some(Any::Double(nan)) if nan.is_nan()));
        assert_eq!((kept("c"), kept("d")), (Some(Any::Empty), Some(Any::Empty)));
        assert_eq!(kept("f"), Some(Any::Empty));
        assert_eq!(kept("g"), Some(Any::Str("kept".into())));
        assert_eq!(kept("t"), Some(Any::Bool(true)));
        assert_eq!(span.attrs.len(), 7, "without a key there is no attribute");
    }

    #[test]
    fn a_temporality_s_name_does_not_lose_the_points() {
        let json = parse(
            br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","sum":{
                "aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","isMonotonic":true,
                "dataPoints":[{"asInt":"3"},{"asDouble":1.5},{}]}}]}]}]}"#,
        )
        .expect("JSON");
        let groups = metrics(&json);
        let Data::Sum {
            points,
            temporality,
            monotonic,
        } = &groups[0].records[0].data
        else {
            panic!("no sum");
        };
        assert_eq!((*temporality, *monotonic), (Temporality::Delta, true));
        let values: Vec<(f64, bool)> = points
            .iter()
            .map(|point| (point.value, point.at.no_value))
            .collect();
        assert_eq!(values, [(3.0, false), (1.5, false), (0.0, true)]);
    }

    #[test]
    fn what_is_no_request_is_an_error_or_empty() {
        for body in [&b""[..], b"{", b"[1]", b"null", b"\xff"] {
            assert!(parse(body).is_err(), "{body:?}");
        }
        for body in [
            "{}",
            r#"{"resourceSpans":null}"#,
            r#"{"resourceSpans":[{}]}"#,
        ] {
            let json = parse(body.as_bytes()).expect("JSON");
            assert!(traces(&json).is_empty());
        }
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(parse(deep.as_bytes()).is_err(), "nesting is bounded");
        let attrs = r#"{"key":"k"},"#.repeat(5000);
        let scopes = r#"{"spans":[{}]},"#.repeat(5000);
        let wide = format!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{attrs}0]}},"scopeSpans":[{scopes}0]}}]}}"#
        );
        let json = parse(wide.as_bytes()).expect("JSON");
        let read = each_scope(&json, SPANS, |_, _, _| Ok(()));
        assert!(matches!(read, Err(JsonError::Scopes)));
        let many = format!(r#"{{"resourceSpans":[{}0]}}"#, "0,".repeat(MAX_VALUES));
        assert!(matches!(parse(many.as_bytes()), Err(JsonError::Many(_))));
    }
}
