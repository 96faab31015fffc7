//! Event → line.

use crate::event::{Event, Value};
use crate::kind::Kind;
use crate::number::{write_f64, write_i64, write_str};
use crate::time::UnixNanos;

/// Builds one line member by member; the fast way, which allocates nothing
/// once its buffer has grown.
///
/// ```
/// use tachograph_model::{LineWriter, UnixNanos};
/// let mut out = Vec::new();
/// let mut line = LineWriter::begin(&mut out, UnixNanos(0), "tool_call");
/// line.str("tool", "search");
/// line.f64("duration_ms", 12.5);
/// line.bool("success", true);
/// line.end();
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "{\"timestamp\":\"1970-01-01T00:00:00+00:00\",\"event_type\":\"tool_call\",\
///      \"tool\":\"search\",\"duration_ms\":12.5,\"success\":true}\n"
/// );
/// ```
#[derive(Debug)]
pub struct LineWriter<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> LineWriter<'a> {
    /// Starts a line.
    pub fn begin(out: &'a mut Vec<u8>, time: UnixNanos, event_type: &str) -> Self {
        out.extend_from_slice(b"{\"timestamp\":\"");
        time.write(out);
        out.extend_from_slice(b"\",\"event_type\":");
        write_str(out, event_type);
        Self { out }
    }

    fn key(&mut self, key: &str) {
        self.out.push(b',');
        write_str(self.out, key);
        self.out.push(b':');
    }

    /// Adds a text.
    pub fn str(&mut self, key: &str, value: &str) {
        self.key(key);
        write_str(self.out, value);
    }

    /// Adds a float, as Python's `repr`; a non-finite one becomes `null`.
    pub fn f64(&mut self, key: &str, value: f64) {
        self.key(key);
        write_f64(self.out, value);
    }

    /// Adds a whole number.
    pub fn i64(&mut self, key: &str, value: i64) {
        self.key(key);
        write_i64(self.out, value);
    }

    /// Adds a truth value.
    pub fn bool(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out
            .extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Adds a value that is JSON text already. A line break between its tokens
    /// (elsewhere JSON has none) becomes a space, for it would end the line.
    pub fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        let start = self.out.len();
        self.out.extend_from_slice(json.as_bytes());
        for byte in &mut self.out[start..] {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }

    /// Ends the line, newline included.
    pub fn end(self) {
        self.out.extend_from_slice(b"}\n");
    }
}

/// Appends `event` as a line, newline included. Reads back as the same event.
pub fn write_event(out: &mut Vec<u8>, event: &Event) {
    let mut line = LineWriter::begin(out, event.time, &event.event_type);
    let kind = Kind::by_name(&event.event_type);
    if let Some(kind) = kind {
        for field in kind.fields {
            let extra = match event.extra.is_empty() {
                true => None,
                false => event.extra.get(field.key),
            };
            match extra {
                Some(json) => line.raw(field.key, json),
                None => {
                    if let Some(value) = event.get(field.column) {
                        put(&mut line, field.key, value, field.scale);
                    }
                }
            }
        }
        for (key, json) in &event.extra {
            if !kind.fields.iter().any(|field| field.key == key) {
                line.raw(key, json);
            }
        }
    } else {
        for (key, json) in &event.extra {
            line.raw(key, json);
        }
    }
    // A column that the kind has no field for is written under its own name,
    // which no reader of that kind will miss it by.
    for (column, value) in event.values() {
        if kind.is_none_or(|kind| kind.field_of(column).is_none()) {
            put(&mut line, column.name(), value, 1.0);
        }
    }
    line.end();
}

fn put(line: &mut LineWriter<'_>, key: &str, value: &Value, scale: f64) {
    match value {
        Value::Str(text) => line.str(key, text),
        Value::I64(whole) => line.i64(key, *whole),
        Value::F64(number) => line.f64(key, *number / scale),
        Value::Bool(truth) => line.bool(key, *truth),
        Value::List(list) => {
            let mut json = Vec::new();
            json.push(b'[');
            for (at, text) in list.iter().enumerate() {
                if at > 0 {
                    json.push(b',');
                }
                write_str(&mut json, text);
            }
            json.push(b']');
            line.raw(key, &String::from_utf8_lossy(&json));
        }
        Value::Json(json) => {
            let json = serde_json::Value::Object((**json).clone());
            line.raw(key, &json.to_string());
        }
    }
}
