//! The wide row as an Arrow and Parquet schema, generated from the model's
//! table of columns.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use tachograph_model::{COLUMNS, Column, Type};

/// Version of the Parquet schema, kept in each file under
/// [`SCHEMA_VERSION_KEY`]. Columns are only ever added; a file that lacks one
/// reads as null there.
pub const SCHEMA_VERSION: u32 = 1;
/// Key of the version in a Parquet file's metadata.
pub const SCHEMA_VERSION_KEY: &str = "tachograph.schema_version";

/// Name of the time column: nanoseconds UTC, never null.
pub const TIMESTAMP: &str = "timestamp";
/// Name of the type column: dictionary text, never null.
pub const EVENT_TYPE: &str = "event_type";
/// Name of the last column: a JSON object of what no column carries exactly.
pub const EXTRA: &str = "extra";

/// The schema of an event: `timestamp`, `event_type`, every model column,
/// `extra`.
///
/// Texts that repeat are dictionaries of `Int32` to `Utf8`; texts that seldom
/// do (`id`, `trace_id`, `parent_id`, `session_id`, `text`, `tags`, `extra`)
/// are plain `Utf8`.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let mut fields = Vec::with_capacity(COLUMNS.len() + 3);
        fields.push(Field::new(TIMESTAMP, timestamp_type(), false));
        fields.push(Field::new(EVENT_TYPE, dictionary_type(), false));
        fields.extend(
            COLUMNS
                .iter()
                .map(|def| Field::new(def.name, data_type(def.column), true)),
        );
        fields.push(Field::new(EXTRA, DataType::Utf8, true));
        Arc::new(Schema::new(fields))
    });
    SCHEMA.clone()
}

/// The schema of some of the columns, in the order of [`schema`]. Unknown
/// names are left out.
pub fn schema_of(columns: &[&str]) -> SchemaRef {
    let whole = schema();
    let fields: Vec<_> = whole
        .fields()
        .iter()
        .filter(|field| columns.contains(&field.name().as_str()))
        .cloned()
        .collect();
    Arc::new(Schema::new(fields))
}

pub(crate) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

pub(crate) fn dictionary_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn data_type(column: Column) -> DataType {
    match column.def().ty {
        Type::Str if is_dictionary(column) => dictionary_type(),
        Type::Str | Type::Json => DataType::Utf8,
        Type::I64 => DataType::Int64,
        Type::F64 => DataType::Float64,
        Type::Bool => DataType::Boolean,
        Type::List => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
    }
}

/// Whether a text column has few distinct values.
pub(crate) fn is_dictionary(column: Column) -> bool {
    column.def().ty == Type::Str
        && !matches!(
            column,
            Column::Id | Column::TraceId | Column::ParentId | Column::SessionId | Column::Text
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_column_has_a_field() {
        let schema = schema();
        assert_eq!(schema.fields().len(), COLUMNS.len() + 3);
        for def in COLUMNS {
            assert!(schema.field_with_name(def.name).is_ok(), "{}", def.name);
        }
    }

    #[test]
    fn a_projection_keeps_the_order_of_the_whole() {
        let some = schema_of(&["extra", "timestamp", "no such column"]);
        let names: Vec<_> = some.fields().iter().map(|f| f.name().as_str()).collect();
        assert_eq!(names, ["timestamp", "extra"]);
    }
}
