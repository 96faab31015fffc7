//! StatsD's lines, DogStatsD's among them:
//! `name:value[:value…]|type[|@rate][|#tag:value,tag][|c:container][|Tseconds]`.
//!
//! Source: <https://github.com/statsd/statsd/blob/master/docs/metric_types.md> and
//! <https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/>.

/// The least share that a sample may be: what one measurement stands for must
/// not outweigh all others.
pub const MIN_RATE: f64 = 1e-6;

/// A line that counts or measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// Of one that is sampled the share that is sent, from [`MIN_RATE`] to 1.
    pub rate: f64,
    /// As they came, between commas.
    pub tags: &'a str,
    /// When it happened, Unix seconds.
    pub time: Option<i64>,
    values: &'a str,
}

/// What a line's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `c`
    Counter,
    /// `g`
    Gauge,
    /// `ms`, in milliseconds
    Timing,
    /// `h` and `d`
    Distribution,
    /// `s`
    Set,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number.
    Number(f64),
    /// Of a gauge with a sign: added to what it was.
    Change(f64),
    /// A member of a set.
    Member(&'a str),
}

/// Why a line is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("not UTF-8")]
    Encoding,
    #[error("not of the form name:value|type")]
    Form,
    #[error("the type is none of c, g, ms, h, d and s")]
    Kind,
    #[error("a value is no finite number")]
    Value,
    #[error("the sample rate is not between {MIN_RATE} and 1")]
    Rate,
    #[error("the timestamp is no whole number")]
    Time,
}

/// Reads a line; `None` for what is told to people and not counted: events
/// (`_e{`) and service checks (`_sc|`).
///
/// # Errors
/// [`LineError`].
pub fn line(line: &[u8]) -> Result<Option<Metric<'_>>, LineError> {
    if line.starts_with(b"_e{") || line.starts_with(b"_sc|") {
        return Ok(None);
    }
    let line = std::str::from_utf8(line).map_err(|_| LineError::Encoding)?;
    let (name, rest) = line.split_once(':').ok_or(LineError::Form)?;
    let mut fields = rest.split('|');
    let (Some(values), Some(kind)) = (fields.next(), fields.next()) else {
        return Err(LineError::Form);
    };
    if name.is_empty() || name.contains('|') || values.is_empty() {
        return Err(LineError::Form);
    }
    let kind = match kind {
        "c" => Kind::Counter,
        "g" => Kind::Gauge,
        "ms" => Kind::Timing,
        "h" | "d" => Kind::Distribution,
        "s" => Kind::Set,
        _ => return Err(LineError::Kind),
    };
    let mut metric = Metric {
        name,
        kind,
        rate: 1.0,
        tags: "",
        time: None,
        values,
    };
    for field in fields {
        // What later versions add is passed over.
        if let Some(rate) = field.strip_prefix('@') {
            let rate = rate.parse().ok();
            let rate = rate.filter(|rate: &f64| (MIN_RATE..=1.0).contains(rate));
            metric.rate = rate.ok_or(LineError::Rate)?;
        } else if let Some(tags) = field.strip_prefix('#') {
            metric.tags = tags;
        } else if let Some(time) = field.strip_prefix('T') {
            metric.time = Some(time.parse().map_err(|_| LineError::Time)?);
        }
    }
    // All of a line or nothing.
    if metric.values().any(|value| value.is_none()) {
        return Err(LineError::Value);
    }
    Ok(Some(metric))
}

impl<'a> Metric<'a> {
    /// Its values; none is `None` in a line that was read.
    pub fn values(self) -> impl Iterator<Item = Option<Value<'a>>> {
        // What a set's members are called is its own affair.
        let separator = if self.kind == Kind::Set { '|' } else { ':' };
        self.values
            .split(separator)
            .map(move |text| value(text, self.kind))
    }

    /// Its tags: name, and value if it has one.
    pub fn tags(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let tags = self.tags.split(',').filter(|tag| !tag.is_empty());
        tags.map(|tag| match tag.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (tag, None),
        })
    }
}

fn value(text: &str, kind: Kind) -> Option<Value<'_>> {
    if kind == Kind::Set {
        return Some(Value::Member(text));
    }
    let number = text.parse::<f64>().ok()?;
    let number = Some(number).filter(|number| number.is_finite())?;
    if kind == Kind::Gauge && text.starts_with(['+', '-']) {
        return Some(Value::Change(number));
    }
    Some(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_read() {
        use Value::{Change, Member, Number};
        type Tags<'a> = &'a [(&'a str, Option<&'a str>)];
        let check = |text: &str, kind, values: &[Value<'_>], rate, tags: Tags<'_>, time| {
            let metric = line(text.as_bytes()).expect(text).expect("a metric");
            let found: Vec<_> = metric.values().map(|value| value.expect("one")).collect();
            assert_eq!((metric.kind, &found[..]), (kind, values), "{text}");
            assert_eq!((metric.rate, metric.time), (rate, time), "{text}");
            assert_eq!(metric.tags().collect::<Vec<_>>(), tags, "{text}");
        };
        check("a.b:1|c", Kind::Counter, &[Number(1.0)], 1.0, &[], None);
        check(
            "a:-2.5|c|@0.1",
            Kind::Counter,
            &[Number(-2.5)],
            0.1,
            &[],
            None,
        );
        check("a:7|g", Kind::Gauge, &[Number(7.0)], 1.0, &[], None);
        check("a:+7|g", Kind::Gauge, &[Change(7.0)], 1.0, &[], None);
        check("a:-7|g", Kind::Gauge, &[Change(-7.0)], 1.0, &[], None);
        check(
            "a:320|ms|@0.5",
            Kind::Timing,
            &[Number(320.0)],
            0.5,
            &[],
            None,
        );
        check(
            "a:1e3|h",
            Kind::Distribution,
            &[Number(1000.0)],
            1.0,
            &[],
            None,
        );
        let many = [Number(1.0), Number(2.0), Number(3.5)];
        check("a:1:2:3.5|d", Kind::Distribution, &many, 1.0, &[], None);
        check("a:user:7|s", Kind::Set, &[Member("user:7")], 1.0, &[], None);
        check(
            "a:1|c|@1|#k:v,bare,url:http://x:1,|c:ci-1f|T1656581400|card:low",
            Kind::Counter,
            &[Number(1.0)],
            1.0,
            &[
                ("k", Some("v")),
                ("bare", None),
                ("url", Some("http://x:1")),
            ],
            Some(1_656_581_400),
        );
    }

    #[test]
    fn what_is_no_metric_is_passed_over_or_named() {
        for text in ["_e{5,4}:title|text|#a:b", "_sc|api|0|m:fine"] {
            assert_eq!(line(text.as_bytes()), Ok(None), "{text}");
        }
        let check = |text: &str, error| {
            assert_eq!(line(text.as_bytes()), Err(error), "{text}");
        };
        for text in ["", "a", "a:1", ":1|c", "a:|c", "a|b:1|c"] {
            check(text, LineError::Form);
        }
        check("a:1|x", LineError::Kind);
        check("a:1|", LineError::Kind);
        for value in [
            "x",
            "NaN",
            "inf",
            "-infinity",
            "1e999",
            "1::2",
            "1:2:",
            "0x1",
        ] {
            check(&format!("a:{value}|ms"), LineError::Value);
        }
        for rate in ["0", "-1", "2", "NaN", "", "1e-7"] {
            check(&format!("a:1|c|@{rate}"), LineError::Rate);
        }
        check("a:1|c|T1.5", LineError::Time);
        assert_eq!(line(b"\xff:1|c"), Err(LineError::Encoding));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_line_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(Some(metric)) = line(&bytes) {
                prop_assert!(metric.values().all(|value| value.is_some()));
            }
        }

        #[test]
        fn what_looks_like_one_too(text in "[a:|cgms@#T0-9.+-]{0,30}") {
            let _ = line(text.as_bytes());
        }
    }
}
