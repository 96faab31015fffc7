//! An event, as an owned value: what passes through the ports, and what tests
//! compare. The store's fast path never builds one.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::column::{COLUMN_COUNT, Column};
use crate::kind::Kind;
use crate::line::{Cell, Decoder, LineError, Visitor};
use crate::time::UnixNanos;

/// An owned value of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Str(String),
    /// A whole number.
    I64(i64),
    /// A finite float.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// Short texts.
    List(Vec<String>),
    /// A JSON object; boxed, because it is rare and would make all the others
    /// as large as it is.
    Json(Box<Map<String, Json>>),
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// When.
    pub time: UnixNanos,
    /// What type; one of [`crate::KINDS`], or any other.
    pub event_type: String,
    values: Vec<(Column, Value)>,
    /// Members of the line that no column carries exactly: key to JSON text,
    /// which must be valid. One with the key of a field overrides the column
    /// when the event is written.
    pub extra: IndexMap<String, String>,
}

impl Event {
    /// Makes an event without values.
    pub fn new(time: UnixNanos, event_type: impl Into<String>) -> Self {
        Self {
            time,
            event_type: event_type.into(),
            // Few events have more.
            values: Vec::with_capacity(12),
            extra: IndexMap::new(),
        }
    }

    /// Reads an event from a line, without its newline.
    ///
    /// # Errors
    /// [`LineError`] when the line holds no event.
    pub fn from_line(line: &[u8]) -> Result<Self, LineError> {
        let mut event = Self::default();
        Decoder::default().decode(line, &mut event)?;
        Ok(event)
    }

    /// Returns the value of a column.
    pub fn get(&self, column: Column) -> Option<&Value> {
        self.values
            .iter()
            .find(|(held, _)| *held == column)
            .map(|(_, value)| value)
    }

    /// Returns the text of a column.
    pub fn str(&self, column: Column) -> Option<&str> {
        match self.get(column)? {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the float of a column.
    pub fn f64(&self, column: Column) -> Option<f64> {
        match self.get(column)? {
            Value::F64(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the whole number of a column.
    pub fn i64(&self, column: Column) -> Option<i64> {
        match self.get(column)? {
            Value::I64(whole) => Some(*whole),
            _ => None,
        }
    }

    /// Returns the truth value of a column.
    pub fn bool(&self, column: Column) -> Option<bool> {
        match self.get(column)? {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// Returns every value there is, in the order of [`Column`].
    pub fn values(&self) -> impl Iterator<Item = (Column, &Value)> {
        self.values.iter().map(|(column, value)| (*column, value))
    }

    /// Sets a value, or takes it away with `None`. A non-finite float is taken
    /// for `None`, which is what the log can say of it.
    pub fn set(&mut self, column: Column, value: impl Into<Option<Value>>) -> &mut Self {
        let value = value
            .into()
            .filter(|value| !matches!(value, Value::F64(number) if !number.is_finite()));
        let place = self.values.binary_search_by_key(&column, |(held, _)| *held);
        match (place, value) {
            (Ok(at), Some(value)) => self.values[at].1 = value,
            (Ok(at), None) => {
                self.values.remove(at);
            }
            (Err(at), Some(value)) => {
                debug_assert!(self.values.len() < COLUMN_COUNT);
                self.values.insert(at, (column, value));
            }
            (Err(_), None) => {}
        }
        self
    }

    /// Sets a value and returns the event: for building one in an expression.
    #[must_use]
    pub fn with(mut self, column: Column, value: impl Into<Value>) -> Self {
        self.set(column, value.into());
        self
    }

    /// Returns the line, newline included.
    pub fn to_line(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        crate::line::write_event(&mut out, self);
        out
    }
}

impl Visitor for Event {
    fn begin(&mut self, time: UnixNanos, event_type: &str, _kind: Option<&'static Kind>) {
        *self = Self::new(time, event_type);
    }

    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        self.set(column, Value::from(cell));
    }

    fn extra(&mut self, key: &str, json: &str) {
        self.extra.insert(key.to_owned(), json.to_owned());
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Str(text) => Self::Str(text.to_owned()),
            Cell::I64(whole) => Self::I64(whole),
            Cell::F64(number) => Self::F64(number),
            Cell::Bool(truth) => Self::Bool(truth),
            Cell::List(json) => Self::List(serde_json::from_str(json).unwrap_or_default()),
            Cell::Json(json) => {
                Self::from(serde_json::from_str::<Map<String, Json>>(json).unwrap_or_default())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::I64(whole)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::F64(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Map<String, Json>> for Value {
    fn from(object: Map<String, Json>) -> Self {
        Self::Json(Box::new(object))
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}
