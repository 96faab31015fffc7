//! SQL: one reading statement, its rows as JSON values.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, UInt64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use futures::StreamExt;
use serde_json::Value;
use tachograph_model::answer::{About, Found, Note, NoteKind, Sql, SqlColumn};
use tachograph_model::{Answer, AskError, UnixNanos, question};

use super::session::session;
use super::{Engine, notes};

/// Some rows of a result.
pub type Rows = Vec<Vec<Value>>;

impl Engine {
    pub(super) fn sql(&self, question: &question::Sql) -> Result<Answer, AskError> {
        let mut found = Sql::default();
        let limit = question.row_limit;
        let notes = self.sql_each(&question.query, |columns, rows| {
            if found.columns.is_empty() {
                found.columns = columns.to_vec();
            }
            let room = limit - found.rows.len();
            found.truncated = rows.len() > room;
            found.rows.extend(rows.into_iter().take(room));
            if found.truncated {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let mut about = About::new(&self.everything());
        for note in notes {
            about.note(note);
        }
        if found.truncated {
            about.note(Note::new(
                NoteKind::RowLimit,
                format!("only the first {limit} rows are shown"),
            ));
        }
        Ok(Answer {
            about,
            found: Found::Sql(found.into()),
        })
    }

    /// Runs a query and hands over its rows as they come, some thousand at a
    /// time and at least once (then without rows), until `each` breaks off.
    /// Returns what is to be noted.
    ///
    /// # Errors
    /// [`AskError::Forbidden`] for a statement that does more than read,
    /// [`AskError::Query`] for one that cannot be run, [`AskError::Read`] when the
    /// events cannot be read.
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

    /// Runs a query; the first batch has no rows and tells the columns.
    pub(super) fn batches(
        &self,
        query: &str,
        mut each: impl FnMut(RecordBatch) -> Result<ControlFlow<()>, AskError>,
    ) -> Result<Vec<Note>, AskError> {
        super::guard::check(query)?;
        let snapshot = Arc::new(self.snapshot()?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.config.threads.max(1))
            .build()
            .map_err(|error| AskError::Read {
                what: "starting threads".to_owned(),
                source: Some(Box::new(error)),
            })?;
        let mut all = notes::of_store(snapshot.notes());
        let events = runtime.block_on(async {
            let (session, events) = session(&snapshot, &self.config, query)
                .await
                .map_err(query_error)?;
            // The guard has looked at the statement; this looks at its plan.
            let options = SQLOptions::new()
                .with_allow_ddl(false)
                .with_allow_dml(false)
                .with_allow_statements(false);
            let frame = session
                .sql_with_options(query, options)
                .await
                .map_err(query_error)?;
            let mut stream = frame.execute_stream().await.map_err(query_error)?;
            let mut flow = each(RecordBatch::new_empty(stream.schema()))?;
            while flow.is_continue() {
                let Some(batch) = stream.next().await else {
                    break;
                };
                flow = each(batch.map_err(query_error)?)?;
            }
            Ok::<_, AskError>(events)
        })?;
        all.extend(notes::of_store(&events.notes()));
        Ok(all)
    }
}

/// The words of the engine, without its frames. A file that cannot be read is
/// no mistake in the statement.
fn query_error(error: DataFusionError) -> AskError {
    use DataFusionError as E;
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
    let what = error.strip_backtrace();
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
        .map_err(|error| query_error(error.into()))?;
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
