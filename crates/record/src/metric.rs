//! Any metric: source, name, type, value, tags.

use std::sync::Arc;

use tachograph_model::number::{write_f64, write_i64, write_str};
use tachograph_model::privacy::{TagKind, tag};
use tachograph_model::{Column, Privacy};

use crate::core::NameId;
use crate::layout::{Words, field, kind};
use crate::recorder::{Inner, Recorder};

const SOURCE: u32 = field(kind::METRIC, Column::Source);
const NAME: u32 = field(kind::METRIC, Column::Name);
const TYPE: u32 = field(kind::METRIC, Column::Type);
const VALUE: u32 = field(kind::METRIC, Column::Value);
const UNIT: u32 = field(kind::METRIC, Column::Unit);
const TAGS: u32 = field(kind::METRIC, Column::Tags);

/// What the values of a metric mean together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricType {
    /// An amount to add up.
    Counter,
    /// A level; the last one counts.
    Gauge,
    /// A measurement whose distribution matters.
    Histogram,
    /// A measurement that was summed up before.
    Summary,
    /// An amount per second.
    Rate,
}

impl MetricType {
    /// The word for it in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Rate => "rate",
        }
    }
}

/// A metric with its tags, resolved once.
///
/// ```
/// use tachograph::MetricType;
/// let recorder = tachograph::Recorder::builder().build();
/// let depth = recorder
///     .metric("scheduler", "queue_depth", MetricType::Gauge)
///     .unit("1")
///     .tag("queue", "high");
/// depth.record(17.0);
/// depth.record(f64::NAN); // dropped and counted
/// assert_eq!(recorder.losses()[0].reason, "invalid");
/// ```
#[derive(Clone)]
pub struct Metric {
    inner: Option<Arc<Inner>>,
    source: NameId,
    name: NameId,
    ty: NameId,
    unit: Option<NameId>,
    tags: Tags,
    tags_name: Option<NameId>,
}

impl Recorder {
    /// Resolves a metric. Cost: look-ups under a lock; once per metric.
    pub fn metric(&self, source: &str, name: &str, ty: MetricType) -> Metric {
        let inner = self.inner.clone();
        let resolve = |text| inner.as_ref().map_or(NameId::OTHER, |i| i.core.name(text));
        Metric {
            source: resolve(source),
            name: resolve(name),
            ty: resolve(ty.as_str()),
            inner,
            unit: None,
            tags: Tags::default(),
            tags_name: None,
        }
    }

    /// How many sessions are active now: for the live windows, and as a gauge
    /// of source `system`. Cost: about 100 ns.
    pub fn set_active_sessions(&self, sessions: u64) {
        self.set_system("active_sessions", sessions);
    }

    /// How many requests are being served now: for the live windows, and as a
    /// gauge of source `system`. Cost: about 100 ns.
    pub fn set_concurrent_requests(&self, requests: u64) {
        self.set_system("concurrent_requests", requests);
    }

    fn set_system(&self, name: &str, value: u64) {
        let Some(inner) = self.for_tools() else {
            return;
        };
        if let Some(windows) = &inner.windows {
            match name {
                "active_sessions" => windows.set_active_sessions(value),
                _ => windows.set_concurrent_requests(value),
            }
        }
        let mut words = Words::<4>::of(kind::METRIC);
        words.name(SOURCE, inner.name("system"));
        words.name(NAME, inner.name(name));
        words.name(TYPE, inner.name(MetricType::Gauge.as_str()));
        words.float(VALUE, value as f64);
        words.push(&inner.core);
    }
}

impl Metric {
    /// The same with a tag; an earlier one of the same key is replaced. Each
    /// set of tags counts as one name towards the limit of names. Unless
    /// [`Builder::keep_text`](crate::Builder::keep_text) is set, users, hosts
    /// and other identities are hashed and paths, prompts and other texts are
    /// left out, told by key and value:
    /// [`privacy::tag`](tachograph_model::privacy::tag).
    #[must_use]
    pub fn tag<'a>(mut self, key: &str, value: impl Into<TagValue<'a>>) -> Self {
        if let Some(inner) = &self.inner {
            inner.set_tag(&mut self.tags, key, &value.into());
            self.tags_name = Some(inner.core.name(&self.tags.json()));
        }
        self
    }

    /// The same with a unit, best one of UCUM: `ms`, `By`, `1`.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        if let Some(inner) = &self.inner {
            self.unit = Some(inner.core.name(unit));
        }
        self
    }

    /// Records a measurement. One that is no number (NaN, infinite) is dropped
    /// and counted. Cost: at most 60 ns.
    #[inline]
    pub fn record(&self, value: f64) {
        let Some(inner) = &self.inner else {
            return;
        };
        if !value.is_finite() {
            inner.count_invalid(kind::METRIC);
            return;
        }
        let mut words = Words::<6>::of(kind::METRIC);
        words.name(SOURCE, self.source);
        words.name(NAME, self.name);
        words.name(TYPE, self.ty);
        words.float(VALUE, value);
        words.maybe_name(UNIT, self.unit);
        words.maybe_name(TAGS, self.tags_name);
        words.push(&inner.core);
    }
}

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.inner.as_ref().map(|i| i.core.name_text(self.name));
        f.debug_tuple("Metric").field(&name).finish()
    }
}

/// Value of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TagValue<'a> {
    /// A short word out of few: region, model, queue.
    Text(&'a str),
    /// A whole number.
    Int(i64),
    /// A number; one that is not finite becomes null.
    Float(f64),
    /// A flag.
    Bool(bool),
}

impl<'a> From<&'a str> for TagValue<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for TagValue<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for TagValue<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for TagValue<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for TagValue<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl Inner {
    /// Sets a tag as far as key and value let it in.
    pub(crate) fn set_tag(&self, tags: &mut Tags, key: &str, value: &TagValue<'_>) {
        let told = match value {
            TagValue::Text(text) => TagKind::Text(text),
            TagValue::Int(_) | TagValue::Float(_) => TagKind::Number,
            TagValue::Bool(_) => TagKind::Flag,
        };
        let privacy = match self.settings.keep_text {
            true => Privacy::Plain,
            false => tag(key, told),
        };
        let digits = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut text = Vec::new();
            write(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        };
        let identity = match (privacy, value) {
            (Privacy::Dropped, _) => return,
            (Privacy::Hashed, TagValue::Text(text)) => (*text).to_owned(),
            (Privacy::Hashed, TagValue::Int(whole)) => digits(&|out| write_i64(out, *whole)),
            (Privacy::Hashed, TagValue::Float(number)) => digits(&|out| write_f64(out, *number)),
            _ => return tags.set(key, value),
        };
        tags.set(key, &TagValue::Text(&self.salt().hash(&identity)));
    }
}

/// Tags as JSON, key by key in the order in which they were set.
#[derive(Clone, Default)]
pub(crate) struct Tags {
    /// Key and value, both as JSON.
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Tags {
    pub(crate) fn set(&mut self, key: &str, value: &TagValue<'_>) {
        let (mut name, mut text) = (Vec::new(), Vec::new());
        write_str(&mut name, key);
        match value {
            TagValue::Text(value) => write_str(&mut text, value),
            TagValue::Int(value) => write_i64(&mut text, *value),
            TagValue::Float(value) => write_f64(&mut text, *value),
            TagValue::Bool(true) => text.extend_from_slice(b"true"),
            TagValue::Bool(false) => text.extend_from_slice(b"false"),
        }
        match self.pairs.iter_mut().find(|(held, _)| *held == name) {
            Some(pair) => pair.1 = text,
            None => self.pairs.push((name, text)),
        }
    }

    pub(crate) fn json(&self) -> String {
        let mut out = vec![b'{'];
        for (at, (key, value)) in self.pairs.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
        String::from_utf8_lossy(&out).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_json_in_their_order() {
        let mut tags = Tags::default();
        tags.set("queue", &"a \"b\"".into());
        tags.set("shard", &7_i64.into());
        tags.set("queue", &"high".into());
        tags.set("warm", &true.into());
        tags.set("load", &0.5.into());
        tags.set("bad", &f64::NAN.into());
        assert_eq!(
            tags.json(),
            r#"{"queue":"high","shard":7,"warm":true,"load":0.5,"bad":null}"#
        );
        assert_eq!(Tags::default().json(), "{}");
    }
}
