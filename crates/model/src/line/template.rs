//! A line of which only the time and a few numbers change from one event to
//! the next.

use crate::column::{Column, Type};
use crate::event::{Event, Value};
use crate::kind::Kind;
use crate::number::{write_f64, write_i64};
use crate::time::UnixNanos;

/// The line of an event whose time and some of whose numbers are still open.
///
/// ```
/// use tachograph_model::{Column, Event, UnixNanos, line::Template};
/// let event = Event::new(UnixNanos(0), "metric").with(Column::Name, "load");
/// let template = Template::new(&event, &[Column::Value]);
/// let mut out = Vec::new();
/// template.write(&mut out, UnixNanos(1_000), &[2.5]);
/// let mut same = event.with(Column::Value, 2.5);
/// same.time = UnixNanos(1_000);
/// assert_eq!(out, same.to_line());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The line without its timestamp and the open numbers.
    text: Box<[u8]>,
    /// Where in it they belong, in that order, and whether they are whole.
    open: Box<[(u32, bool)]>,
}

const START: &[u8] = b"{\"timestamp\":\"";
/// Stand where a number will; no others look like them.
const FLOAT_MARK: f64 = 7.308_173_204_175_193e-301;
const WHOLE_MARK: i64 = -7_308_173_204_175_193_301;

impl Template {
    /// Makes one; `open` are the columns that hold numbers, in the order in
    /// which their kind writes them. One that holds no number is left out.
    pub fn new(event: &Event, open: &[Column]) -> Self {
        let kind = Kind::by_name(&event.event_type);
        let mut event = event.clone();
        event.time = UnixNanos(0);
        let mut members = Vec::new();
        for column in open {
            let (whole, value) = match column.def().ty {
                Type::F64 => (false, Value::F64(FLOAT_MARK)),
                Type::I64 => (true, Value::I64(WHOLE_MARK)),
                _ => continue,
            };
            event.set(*column, value);
            let field = kind.and_then(|kind| kind.field_of(*column));
            let key = field.map_or(column.name(), |field| field.key);
            // Within a text the key's quotes would be escaped.
            let mut member = format!(",\"{key}\":").into_bytes();
            let key_bytes = member.len();
            match whole {
                true => write_i64(&mut member, WHOLE_MARK),
                false => write_f64(&mut member, FLOAT_MARK),
            }
            members.push((member, key_bytes, whole));
        }
        let line = event.to_line();
        let mut stamp = Vec::new();
        event.time.write(&mut stamp);
        let mut rest = &line[START.len() + stamp.len()..];
        let mut text = Vec::with_capacity(rest.len());
        let mut places = Vec::new();
        for (member, key_bytes, whole) in members {
            let Some(at) = memchr::memmem::find(rest, &member) else {
                continue;
            };
            text.extend_from_slice(&rest[..at + key_bytes]);
            places.push((text.len() as u32, whole));
            rest = &rest[at + member.len()..];
        }
        text.extend_from_slice(rest);
        Self {
            text: text.into(),
            open: places.into(),
        }
    }

    /// Appends the line, newline included. Of `numbers` one goes to each open
    /// column; one that is missing or not finite becomes `null`.
    ///
    /// Costs about 150 ns.
    pub fn write(&self, out: &mut Vec<u8>, time: UnixNanos, numbers: &[f64]) {
        out.extend_from_slice(START);
        time.write(out);
        let mut from = 0;
        let mut numbers = numbers.iter();
        for (at, whole) in &self.open {
            let at = *at as usize;
            out.extend_from_slice(&self.text[from..at]);
            match (numbers.next(), whole) {
                (Some(number), true) if number.is_finite() => write_i64(out, *number as i64),
                (number, _) => write_f64(out, number.copied().unwrap_or(f64::NAN)),
            }
            from = at;
        }
        out.extend_from_slice(&self.text[from..]);
    }

    /// Bytes of a line that it writes, but for the numbers.
    pub fn len_bytes(&self) -> usize {
        START.len() + self.text.len() + "2025-11-20T11:00:00+00:00".len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_writes_what_the_event_would() {
        let tags = serde_json::json!({"a": ",\"value\":7.308173204175193e-301", "\"": "\n"});
        let tags = tags.as_object().expect("an object").clone();
        let event = Event::new(UnixNanos(5), "metric")
            .with(Column::Source, ",\"value\":7.308173204175193e-301")
            .with(Column::Name, "\u{1f600}")
            .with(Column::Tags, Value::Json(Box::new(tags)));
        let check = |open: &[Column], time, numbers: &[f64], expected: &Event| {
            let mut out = Vec::new();
            Template::new(&event, open).write(&mut out, UnixNanos(time), numbers);
            let mut expected = expected.clone();
            expected.time = UnixNanos(time);
            assert_eq!(
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(&expected.to_line())
            );
        };
        check(&[], 7, &[], &event);
        let value = event.clone().with(Column::Value, -0.5);
        check(&[Column::Value], 1_763_636_400_123_456_789, &[-0.5], &value);
        let both = value.with(Column::Count, 3_i64);
        check(&[Column::Value, Column::Count], -1, &[-0.5, 3.0], &both);
        // A text has no number.
        check(&[Column::Unit], 7, &[1.0], &event);
        let mut out = Vec::new();
        Template::new(&event, &[Column::Value]).write(&mut out, UnixNanos(0), &[f64::NAN]);
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains("\"value\":null,\"tags\""), "{text}");
    }
}
