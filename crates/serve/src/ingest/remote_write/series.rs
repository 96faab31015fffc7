//! A series → what its samples' lines have in common: source, name, type, unit
//! and tags.
//!
//! The source is the series' `job`, which names the program that is watched;
//! without one it is the first word of the metric's name (`node` of
//! `node_load1`), as it is of OTLP's names. The metric keeps its whole name.
//! Other labels are the event's tags, under the rules of a metric's tags:
//! identities as hashes, what holds texts not at all.

use tachograph_model::line::Template;
use tachograph_model::{Column, Event, UnixNanos, Value, privacy};

use crate::normal::identity::Identities;
use crate::normal::names::plain;
use crate::wire::remote_write::{MetricType, Series};

/// Labels that a series may have, and their bytes together.
const MAX_LABELS: usize = 64;
const MAX_LABEL_BYTES: usize = 8 << 10;

/// How samples become values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A running total: what it grew by.
    Counter,
    /// A level: as it is.
    Gauge,
    /// Counts and sums: the mean, and of how many.
    Histogram,
}

/// Why a series cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Unfit {
    #[error("a series has no name, or one of more than 200 bytes")]
    Name,
    #[error("a series has more than {MAX_LABELS} labels, or {MAX_LABEL_BYTES} bytes of them")]
    Labels,
}

/// The metric's name.
///
/// # Errors
/// [`Unfit`] for what no series of ours can be.
pub(super) fn name<'a>(series: &Series<'a>) -> Result<&'a str, Unfit> {
    let bytes = |(name, value): &(&[u8], &[u8])| name.len() + value.len();
    if series.labels.len() > MAX_LABELS
        || series.labels.iter().map(bytes).sum::<usize>() > MAX_LABEL_BYTES
    {
        return Err(Unfit::Labels);
    }
    let name = label(series, b"__name__").ok_or(Unfit::Name)?;
    let name = std::str::from_utf8(name).map_err(|_| Unfit::Name)?;
    plain(name).ok_or(Unfit::Name)
}

/// Tells by the type, and where that is not told by the name, as Prometheus'
/// conventions have it.
pub(super) fn shape(name: &str, kind: MetricType, native: bool) -> Shape {
    use MetricType::{Counter, Gauge, GaugeHistogram, Histogram, Info, StateSet, Summary, Unknown};
    if native {
        return Shape::Histogram;
    }
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let part = ends(&["_count", "_sum", "_bucket"]);
    let counts = match kind {
        Counter => !name.ends_with("_created"),
        Histogram | Summary => part,
        Gauge | GaugeHistogram | Info | StateSet => false,
        Unknown => part || name.ends_with("_total"),
    };
    match counts {
        true => Shape::Counter,
        false => Shape::Gauge,
    }
}

/// The name of the family that a series is of, as metadata has it.
pub(super) fn families(name: &str) -> impl Iterator<Item = &str> {
    let ends = ["_total", "_bucket", "_count", "_sum", "_created"];
    std::iter::once(name).chain(ends.into_iter().filter_map(|end| name.strip_suffix(end)))
}

/// The line of the series' samples, with value and, of histograms, count open.
pub(super) fn template(
    series: &Series<'_>,
    name: &str,
    shape: Shape,
    unit: &[u8],
    identities: &mut Identities,
) -> Template {
    let job = label(series, b"job").and_then(|job| std::str::from_utf8(job).ok());
    let job = job.and_then(plain);
    let source = identities.name(job.unwrap_or_else(|| first_word(name)));
    let unit = unit_of(name, unit);
    let name = identities.name(name);
    let kind = match shape {
        Shape::Counter => "counter",
        Shape::Gauge => "gauge",
        Shape::Histogram => "histogram",
    };
    let mut event = Event::new(UnixNanos(0), "metric")
        .with(Column::Source, &*source)
        .with(Column::Name, &*name)
        .with(Column::Type, kind);
    event.set(Column::Unit, unit.map(Value::from));
    let tags: serde_json::Map<_, _> = series
        .labels
        .iter()
        .filter_map(|(label, value)| tag(label, value, identities))
        .collect();
    event.set(
        Column::Tags,
        (!tags.is_empty()).then_some(Value::Json(Box::new(tags))),
    );
    match shape {
        Shape::Histogram => Template::new(&event, &[Column::Value, Column::Count]),
        Shape::Counter | Shape::Gauge => Template::new(&event, &[Column::Value]),
    }
}

fn label<'a>(series: &Series<'a>, name: &[u8]) -> Option<&'a [u8]> {
    let found = series.labels.iter().find(|(label, _)| *label == name);
    found.map(|(_, value)| *value)
}

fn first_word(name: &str) -> &str {
    let first = name.split(['_', '.', ':']).next().unwrap_or_default();
    if first.is_empty() {
        "remote_write"
    } else {
        first
    }
}

fn tag(
    label: &[u8],
    value: &[u8],
    identities: &mut Identities,
) -> Option<(String, serde_json::Value)> {
    let label = std::str::from_utf8(label).ok()?;
    // An empty value is none.
    if value.is_empty() || label == "job" || label.starts_with("__") {
        return None;
    }
    identities.tag(label, Some(&String::from_utf8_lossy(value)))
}

/// The unit that metadata tells, else the one that the name ends with; in
/// UCUM's signs.
fn unit_of(name: &str, told: &[u8]) -> Option<String> {
    let ucum = |unit: &str| {
        Some(match unit {
            "seconds" => "s",
            "milliseconds" => "ms",
            "bytes" => "By",
            "ratio" => "1",
            "celsius" => "Cel",
            "volts" => "V",
            "joules" => "J",
            "meters" => "m",
            _ => return None,
        })
    };
    if name.ends_with("_count") || name.ends_with("_bucket") {
        return None;
    }
    if let Some(told) = std::str::from_utf8(told)
        .ok()
        .filter(|told| !told.is_empty())
    {
        let told = ucum(told).or_else(|| privacy::error_class(told));
        return told.map(str::to_owned);
    }
    let stem = families(name).last().unwrap_or(name);
    let (_, last) = stem.rsplit_once('_')?;
    ucum(last).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use tachograph_model::Salt;

    use super::*;

    #[test]
    fn a_name_and_its_type_tell_how_samples_count() {
        let check = |name, kind, expected| {
            assert_eq!(shape(name, kind, false), expected, "{name} {kind:?}");
        };
        use MetricType as T;
        check("x_total", T::Unknown, Shape::Counter);
        check("x_count", T::Unknown, Shape::Counter);
        check("x_seconds_bucket", T::Histogram, Shape::Counter);
        check("x_seconds", T::Summary, Shape::Gauge);
        check("x_seconds_sum", T::Summary, Shape::Counter);
        check("x", T::Counter, Shape::Counter);
        check("x_created", T::Counter, Shape::Gauge);
        check("queue_count", T::Gauge, Shape::Gauge);
        check("x_total", T::Gauge, Shape::Gauge);
        check("up", T::Unknown, Shape::Gauge);
        assert_eq!(shape("x", T::Histogram, true), Shape::Histogram);
    }

    #[test]
    fn a_series_line_has_what_may_be_kept() {
        let check = |labels: &[(&str, &str)], kind, unit: &str, expected: &str| {
            let series = Series {
                labels: labels
                    .iter()
                    .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                    .collect(),
                ..Series::default()
            };
            let name = name(&series).expect("a name");
            let mut identities = Identities::new(Salt::new([1; 32]));
            let shape = shape(name, kind, false);
            let template = template(&series, name, shape, unit.as_bytes(), &mut identities);
            let mut out = Vec::new();
            template.write(&mut out, UnixNanos(0), &[1.5]);
            let line = String::from_utf8(out).expect("UTF-8");
            let members = line.strip_prefix(
                r#"{"timestamp":"1970-01-01T00:00:00+00:00","event_type":"metric","source":"#,
            );
            assert_eq!(members.map(str::trim_end), Some(expected));
        };
        let unknown = MetricType::Unknown;
        check(
            &[
                ("__name__", "http_request_duration_seconds_bucket"),
                ("job", "api"),
                ("le", "0.5"),
                ("path", "/home/alice"),
                ("user", ""),
            ],
            unknown,
            "",
            r#""api","name":"http_request_duration_seconds_bucket","type":"counter","value":1.5,"tags":{"le":"0.5"}}"#,
        );
        let alice = Salt::new([1; 32]).hash("alice:9100");
        check(
            &[
                ("__name__", "node_memory_bytes"),
                ("instance", "alice:9100"),
            ],
            unknown,
            "",
            &format!(
                r#""node","name":"node_memory_bytes","type":"gauge","value":1.5,"unit":"By","tags":{{"instance":"{alice}"}}}}"#
            ),
        );
        let who = Salt::new([1; 32]).hash("SECRET@example.org");
        check(
            &[
                ("__name__", "up"),
                ("job", "SECRET@example.org"),
                ("userid", "SECRET@example.org"),
                ("db.statement", "SECRET"),
                ("lane", "/home/SECRET"),
                ("/home/SECRET", "x"),
            ],
            unknown,
            "",
            &format!(
                r#""{who}","name":"up","type":"gauge","value":1.5,"tags":{{"userid":"{who}"}}}}"#
            ),
        );
        check(
            &[("__name__", "_odd"), ("job", "a\nb")],
            MetricType::Counter,
            "requests",
            r#""remote_write","name":"_odd","type":"counter","value":1.5,"unit":"requests"}"#,
        );
    }

    #[test]
    fn what_is_no_series_is_named() {
        let check = |labels: Vec<(&[u8], &[u8])>, unfit| {
            let series = Series {
                labels,
                ..Series::default()
            };
            assert_eq!(name(&series), Err(unfit));
        };
        check(vec![(b"job", b"x")], Unfit::Name);
        check(vec![(b"__name__", b"")], Unfit::Name);
        check(vec![(b"__name__", b"\xff")], Unfit::Name);
        check(vec![(b"__name__", &[b'x'; 201])], Unfit::Name);
        check(vec![(b"a", b"x"); 65], Unfit::Labels);
        check(vec![(b"a", &[b'x'; 9000])], Unfit::Labels);
    }
}
