//! Metrics: points → `metric` events that add up, whatever the source's
//! temporality.
//!
//! - A delta is stored as it is.
//! - Of a running total (cumulative and monotonic) the growth since the point
//!   before is stored. A point sent again, or an older one, grows nothing; a
//!   smaller total is a source that began anew. Totals of two starts are two
//!   series: of a process and its successor, or of two at once that have one
//!   name, such as the workers of a web server. The first point of a series
//!   counts whole if its source began after we did, and is only a mark to measure
//!   from otherwise: what came before may have been stored by an earlier process.
//!   Of too many series the silent are forgotten.
//! - Of a histogram the mean is stored, with how many measurements it stands
//!   for.
//!
//! None of them is ever a call: tokens and cost that metrics tell of beside
//! logs and spans count among the metrics only.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value as Json};
use tachograph_model::privacy::{error_class, is_name};
use tachograph_model::{Column, Event, UnixNanos, Value};

use super::candidate::{Candidate, Keys};
use super::names::{self, hash_of};
use crate::wire::view::{Any, Attrs, Data, Metric, Number, Point, Temporality};

/// Series whose last total is remembered.
const MAX_SERIES: usize = 100_000;

/// Attributes that are kept: kinds of things, never who, where or what.
const KEPT: &[&str] = &[
    "type",
    "model",
    "speed",
    "effort",
    "query_source",
    "start_type",
    "decision",
    "source",
    "language",
    "tool_name",
    "function_name",
    "token_type",
    "success",
    "status",
    "error_type",
    "error.type",
    "gen_ai.token.type",
    "gen_ai.token.modality",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.system",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.tool.name",
    "mcp.method.name",
    "status_code",
    "http.response.status_code",
];

/// Of these the names of models and tools: they may hold more than a word does.
const MODELS: &[&str] = &["model", "gen_ai.request.model", "gen_ai.response.model"];
const TOOLS: &[&str] = &["tool_name", "function_name", "gen_ai.tool.name"];

/// Where the totals of all series stand.
#[derive(Debug)]
pub struct Totals {
    held: HashMap<u64, Total>,
    /// Since when nothing was missed, Unix nanoseconds.
    since: u64,
    /// Series that were forgotten because there are too many.
    overflow: u64,
    /// What changed since the last [`Self::take_marks`].
    marks: Vec<Mark>,
}

/// Where a total stood before a point, and after it.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    series: u64,
    before: Option<Total>,
    after: Total,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Total {
    start: u64,
    time: u64,
    count: f64,
    sum: f64,
}

impl Totals {
    /// Begins; `since` is now, in Unix nanoseconds.
    pub fn new(since: u64) -> Self {
        Self {
            held: HashMap::new(),
            since,
            overflow: 0,
            marks: Vec::new(),
        }
    }

    /// What changed since the last call, for [`Self::undo`].
    pub fn take_marks(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.marks)
    }

    /// Takes back what points changed that could not be stored, so that they
    /// count when they are sent again. A series that has gone on since stays
    /// where it is.
    pub fn undo(&mut self, marks: Vec<Mark>) {
        for Mark {
            series,
            before,
            after,
        } in marks.into_iter().rev()
        {
            if self.held.get(&series) != Some(&after) {
                continue;
            }
            match before {
                Some(before) => self.held.insert(series, before),
                None => self.held.remove(&series),
            };
        }
    }

    /// How many series were forgotten because there are too many.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Makes the events of a metric. `place` is a hash of resource and scope.
    pub fn candidates(&mut self, metric: &Metric<'_>, place: u64, out: &mut Vec<Candidate>) {
        let Some(name) = names::plain(&metric.name) else {
            return;
        };
        let one = One {
            metric,
            name,
            place,
        };
        match &metric.data {
            Data::Empty => {}
            Data::Gauge(points) => {
                for point in points {
                    out.extend(one.candidate("gauge", &point.at, point.value, None));
                }
            }
            Data::Sum {
                points,
                temporality,
                monotonic,
            } => {
                for Number { at, value } in points {
                    // What may fall is a level, not a count.
                    if !monotonic && *temporality == Temporality::Cumulative {
                        out.extend(one.candidate("gauge", at, *value, None));
                    } else if let Some((_, grown)) =
                        self.grown(*temporality, one.series(at), at, (0.0, *value))
                    {
                        out.extend(one.candidate("counter", at, grown, None));
                    }
                }
            }
            Data::Histogram {
                points,
                temporality,
            } => {
                for point in points {
                    let (at, of) = (&point.at, (point.count, point.sum));
                    out.extend(self.mean(&one, "histogram", *temporality, at, of));
                }
            }
            Data::ExponentialHistogram {
                points,
                temporality,
            } => {
                for point in points {
                    let (at, of) = (&point.at, (point.count, point.sum));
                    out.extend(self.mean(&one, "histogram", *temporality, at, of));
                }
            }
            Data::Summary(points) => {
                for point in points {
                    let (at, of) = (&point.at, (point.count, Some(point.sum)));
                    out.extend(self.mean(&one, "summary", Temporality::Cumulative, at, of));
                }
            }
        }
    }

    /// The mean of what came since the point before.
    fn mean(
        &mut self,
        one: &One<'_, '_>,
        kind: &str,
        temporality: Temporality,
        at: &Point<'_>,
        (count, sum): (u64, Option<f64>),
    ) -> Option<Candidate> {
        let grown = self.grown(temporality, one.series(at), at, (count as f64, sum?));
        let (count, sum) = grown.filter(|(count, _)| *count > 0.0)?;
        one.candidate(kind, at, sum / count, Some(count))
    }

    /// What a point adds to count and sum; `None` when it adds nothing.
    fn grown(
        &mut self,
        temporality: Temporality,
        series: u64,
        at: &Point<'_>,
        (count, sum): (f64, f64),
    ) -> Option<(f64, f64)> {
        if at.no_value {
            return None;
        }
        if temporality != Temporality::Cumulative {
            return Some((count, sum));
        }
        if !sum.is_finite() {
            return None;
        }
        let series = hash_of(&[series, at.start]);
        let now = Total {
            start: at.start,
            time: at.time,
            count,
            sum,
        };
        let Some(held) = self.held.get_mut(&series) else {
            if self.held.len() >= MAX_SERIES {
                self.make_room();
            }
            self.held.insert(series, now);
            self.marks.push(Mark {
                series,
                before: None,
                after: now,
            });
            return (at.start >= self.since).then_some((count, sum));
        };
        if at.time <= held.time {
            return None;
        }
        // A histogram's sum may fall while it goes on: of negative measurements.
        let fell = if held.count > 0.0 {
            count < held.count
        } else {
            sum < held.sum
        };
        let before = std::mem::replace(held, now);
        self.marks.push(Mark {
            series,
            before: Some(before),
            after: now,
        });
        let grown = if fell {
            (count, sum)
        } else {
            (count - before.count, sum - before.sum)
        };
        (grown != (0.0, 0.0)).then_some(grown)
    }

    /// Forgets the series that were silent longest, half of all. Should one speak
    /// again it is measured from there: nothing began before them is taken for
    /// new any more.
    fn make_room(&mut self) {
        let mut times: Vec<u64> = self.held.values().map(|total| total.time).collect();
        let middle = times.len() / 2;
        let (_, newest_silent, _) = times.select_nth_unstable(middle);
        let newest_silent = *newest_silent;
        let (before, since) = (self.held.len(), &mut self.since);
        self.held.retain(|_, total| {
            let speaks = total.time > newest_silent;
            if !speaks {
                *since = (*since).max(total.start.saturating_add(1));
            }
            speaks
        });
        self.overflow += (before - self.held.len()) as u64;
    }
}

/// A metric of one resource and scope.
struct One<'m, 'a> {
    metric: &'m Metric<'a>,
    name: &'m str,
    place: u64,
}

impl One<'_, '_> {
    fn candidate(
        &self,
        kind: &str,
        at: &Point<'_>,
        value: f64,
        count: Option<f64>,
    ) -> Option<Candidate> {
        if at.no_value || !value.is_finite() {
            return None;
        }
        let time = i64::try_from(at.time).map_or(UnixNanos::MAX, UnixNanos);
        // `gen_ai.client.token.usage` is `client.token.usage` of `gen_ai`.
        let (source, name) = self.name.split_once('.').unwrap_or(("otlp", self.name));
        let mut event = Event::new(time, "metric")
            .with(Column::Source, source)
            .with(Column::Name, name)
            .with(Column::Type, kind)
            .with(Column::Value, value);
        let unit = &*self.metric.unit;
        // `{token}` annotates, `s` is a unit.
        let unit = unit
            .strip_prefix('{')
            .and_then(|unit| unit.strip_suffix('}'))
            .unwrap_or(unit);
        event.set(Column::Unit, error_class(unit).map(Value::from));
        event.set(Column::Count, count.map(|count| Value::I64(count as i64)));
        let tags = tags(&at.attrs);
        event.set(Column::Tags, (!tags.is_empty()).then(|| Value::from(tags)));
        let mut body = DefaultHasher::new();
        (self.series(at), at.start, at.time, value.to_bits()).hash(&mut body);
        Some(Candidate {
            event,
            keys: Keys {
                body: Some(body.finish()),
                ..Keys::default()
            },
        })
    }

    /// Which series a point is of; the order of its attributes means nothing.
    fn series(&self, at: &Point<'_>) -> u64 {
        let mut attrs = 0_u64;
        for (key, value) in &at.attrs {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            value.hash_into(&mut hasher);
            attrs = attrs.wrapping_add(hasher.finish());
        }
        let mut hasher = DefaultHasher::new();
        (self.place, self.name, attrs).hash(&mut hasher);
        hasher.finish()
    }
}

fn tags(attrs: &Attrs<'_>) -> Map<String, Json> {
    let named = |name: Option<&str>| name.filter(|name| is_name(name)).map(Json::from);
    let kept = |key: &str, value: &Any<'_>| match value {
        Any::Str(text) if MODELS.contains(&key) => named(names::model(text)),
        Any::Str(text) if TOOLS.contains(&key) => named(names::plain(text)),
        Any::Str(text) => error_class(text).map(Json::from),
        Any::Bool(truth) => Some(Json::from(*truth)),
        Any::Int(whole) => Some(Json::from(*whole)),
        _ => None,
    };
    attrs
        .iter()
        .filter(|(key, _)| KEPT.contains(&&**key))
        .filter_map(|(key, value)| Some((key.to_string(), kept(key, value)?)))
        .collect()
}

#[cfg(test)]
#[path = "metric_tests.rs"]
mod tests;
