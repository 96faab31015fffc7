//! SQL: one reading statement, its rows as JSON values.

use std::ops::ControlFlow;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, UInt64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use serde_json::Value;
use tachograph_model::answer::{About, Found, Note, NoteKind, Sql, SqlColumn};
use tachograph_model::{Answer, AskError, Limit, UnixNanos, question};

use super::Engine;
use super::config::EngineConfig;
use super::guard;
use super::watch::exceeded;

/// Some rows of a result.
pub type Rows = Vec<Vec<Value>>;

/// Rows that are made of a batch at a time, so that a limit is noticed in time.
const ROWS: usize = 256;

impl Engine {
    pub(super) fn sql(&self, question: &question::Sql) -> Result<Answer, AskError> {
        let mut table = Table::new(question.row_limit, self.config.sql_result_bytes);
        let notes = self.batches(&question.query, |batch| table.take(&batch))?;
        let mut about = About::new(&self.everything());
        for note in notes.into_iter().chain(table.note()) {
            about.note(note);
        }
        Ok(Answer {
            about,
            found: Found::Sql(table.found.into()),
        })
    }

    /// Runs a query and hands over its rows as they come, some thousand at a
    /// time and at least once (then without rows), until `each` breaks off.
    /// Returns what is to be noted.
    ///
    /// # Errors
    /// [`AskError::Forbidden`] for a statement that does more than read,
    /// [`AskError::Query`] for one that cannot be run, [`AskError::Limit`] for one
    /// that is too much, [`AskError::Read`] when the events cannot be read.
    pub fn sql_each(
        &self,
        query: &str,
        mut each: impl FnMut(&[SqlColumn], Rows) -> ControlFlow<()>,
    ) -> Result<Vec<Note>, AskError> {
        let mut columns = Vec::new();
        self.batches(query, |batch| {
            if columns.is_empty() {
                columns = columns_of(batch.schema_ref());
            }
            Ok(each(&columns, rows_of(&batch)?))
        })
    }
}

/// The rows of an answer, as many as it may hold.
struct Table {
    found: Sql,
    row_limit: usize,
    byte_limit: Option<usize>,
    bytes: usize,
    /// The bytes were the limit, not the rows.
    too_large: bool,
}

impl Table {
    fn new(row_limit: usize, byte_limit: Option<usize>) -> Self {
        Self {
            found: Sql::default(),
            row_limit,
            byte_limit,
            bytes: 0,
            too_large: false,
        }
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<ControlFlow<()>, AskError> {
        if self.found.columns.is_empty() {
            self.found.columns = columns_of(batch.schema_ref());
        }
        for from in (0..batch.num_rows()).step_by(ROWS) {
            let rows = batch.slice(from, ROWS.min(batch.num_rows() - from));
            for row in rows_of(&rows)? {
                if self.add(row)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn add(&mut self, row: Vec<Value>) -> Result<ControlFlow<()>, AskError> {
        self.bytes += row.iter().map(weight).sum::<usize>();
        let limit = self.byte_limit.unwrap_or(usize::MAX);
        self.too_large = self.bytes > limit;
        if self.too_large && self.found.rows.is_empty() {
            return Err(AskError::Limit {
                limit: Limit::Result,
                what: format!("its first row is larger than the {limit} bytes a result may have"),
            });
        }
        if self.too_large || self.found.rows.len() == self.row_limit {
            self.found.truncated = true;
            return Ok(ControlFlow::Break(()));
        }
        self.found.rows.push(row);
        Ok(ControlFlow::Continue(()))
    }

    fn note(&self) -> Option<Note> {
        let rows = self.found.rows.len();
        let why = match self.byte_limit {
            Some(limit) if self.too_large => format!(
                ": the others would make the result larger than {limit} bytes (setting `{}`)",
                Limit::Result.setting()
            ),
            _ => String::new(),
        };
        let text = format!("only the first {rows} rows are shown{why}");
        self.found
            .truncated
            .then(|| Note::new(NoteKind::RowLimit, text))
    }
}

/// Bytes that a value takes, about.
fn weight(value: &Value) -> usize {
    let held = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        _ => 0,
    };
    size_of::<Value>() + held
}

/// The words of the engine, without its frames. A file that cannot be read is
/// no mistake in the statement.
pub(super) fn query_error(error: DataFusionError, config: &EngineConfig) -> AskError {
    use DataFusionError as E;
    if let Some(exceeded) = exceeded(&error, config) {
        return exceeded.into();
    }
    let in_a_file = match error.find_root() {
        E::IoError(_) | E::ObjectStore(_) | E::ParquetError(_) | E::External(_) => true,
        E::ArrowError(inner, _) => {
            matches!(
                **inner,
                ArrowError::IoError(..) | ArrowError::ParquetError(_)
            )
        }
        _ => false,
    };
    let what = guard::words(&error);
    if in_a_file {
        AskError::Read { what, source: None }
    } else {
        AskError::Query { what }
    }
}

pub(super) fn columns_of(schema: &Schema) -> Vec<SqlColumn> {
    schema
        .fields()
        .iter()
        .map(|field| SqlColumn {
            name: field.name().clone(),
            r#type: field.data_type().to_string(),
            numeric: field.data_type().is_numeric(),
        })
        .collect()
}

pub(super) fn rows_of(batch: &RecordBatch) -> Result<Rows, AskError> {
    let columns = batch
        .columns()
        .iter()
        .map(values)
        .collect::<Result<Vec<Vec<Value>>, _>>()
        .map_err(|error| AskError::Query {
            what: error.to_string(),
        })?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    Ok((0..batch.num_rows())
        .map(|_| {
            columns
                .iter_mut()
                .map(|column| column.next().unwrap_or(Value::Null))
                .collect()
        })
        .collect())
}

/// A column's values in JSON.
fn values(array: &ArrayRef) -> Result<Vec<Value>, datafusion::arrow::error::ArrowError> {
    use datafusion::arrow::compute::cast;
    let ty = array.data_type();
    Ok(match ty {
        DataType::Dictionary(_, inner) => values(&cast(array, inner)?)?,
        // Such an array has no validity to ask.
        DataType::Null => vec![Value::Null; array.len()],
        DataType::Boolean => each(array, |row| array.as_boolean().value(row).into()),
        DataType::UInt64 => {
            let array = array.as_primitive::<UInt64Type>();
            each(array, |row| array.value(row).into())
        }
        ty if ty.is_integer() => {
            let array = cast(array, &DataType::Int64)?;
            let array = array.as_primitive::<Int64Type>();
            each(array, |row| array.value(row).into())
        }
        ty if ty.is_floating() => {
            let array = cast(array, &DataType::Float64)?;
            let array = array.as_primitive::<Float64Type>();
            each(array, |row| array.value(row).into())
        }
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
            let array = cast(array, &DataType::Utf8)?;
            let array = array.as_string::<i32>();
            each(array, |row| array.value(row).into())
        }
        DataType::Timestamp(_, _) => instants(array)?,
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let mut all = Vec::with_capacity(lists.len());
            for row in 0..lists.len() {
                all.push(if lists.is_valid(row) {
                    Value::Array(values(&lists.value(row))?)
                } else {
                    Value::Null
                });
            }
            all
        }
        _ => {
            let options = FormatOptions::default();
            let format = ArrayFormatter::try_new(array, &options)?;
            each(array, |row| format.value(row).to_string().into())
        }
    })
}

/// Instants as the log writes them; those without a zone are UTC.
fn instants(array: &ArrayRef) -> Result<Vec<Value>, datafusion::arrow::error::ArrowError> {
    use datafusion::arrow::datatypes::{TimeUnit, TimestampNanosecondType};
    let utc = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
    let array = datafusion::arrow::compute::cast(array, &utc)?;
    let array = array.as_primitive::<TimestampNanosecondType>();
    Ok(each(array, |row| {
        let mut text = Vec::with_capacity(32);
        UnixNanos(array.value(row)).write(&mut text);
        String::from_utf8_lossy(&text).into_owned().into()
    }))
}

fn each(array: &dyn Array, value: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..array.len())
        .map(|row| {
            if array.is_valid(row) {
                value(row)
            } else {
                Value::Null
            }
        })
        .collect()
}
