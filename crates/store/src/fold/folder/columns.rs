//! The columns of a batch that the fold reads.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use tachograph_model::Column;

use super::codes::Texts;
use crate::error::StoreError;
use crate::fold::cell::{KEY_FLAGS, MEASURED, SUMMED, SeriesKey};
use crate::fold::crowd::SeriesRef;
use crate::schema::{TIMESTAMP, schema, timestamp_type};

/// Their names.
pub(super) fn folded_columns() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut names = vec![TIMESTAMP];
        names.extend(SeriesKey::text_columns());
        let others = [
            &KEY_FLAGS[..],
            &MEASURED,
            &SUMMED,
            &[Column::Entities, Column::Unit],
        ];
        names.extend(others.concat().into_iter().map(Column::name));
        names
    });
    &NAMES
}

/// The columns of a batch that the fold reads; all-null ones are `None`.
pub(super) struct Columns {
    pub(super) times: Arc<dyn Array>,
    pub(super) texts: [Texts; 7],
    pub(super) flags: [Option<Arc<dyn Array>>; 2],
    pub(super) floats: [Option<Arc<dyn Array>>; 3],
    pub(super) wholes: Vec<(Column, Arc<dyn Array>)>,
    pub(super) entities: Option<Arc<dyn Array>>,
    pub(super) units: Texts,
}

impl Columns {
    pub(super) fn of(batch: &RecordBatch) -> Result<Self, StoreError> {
        let find = |name: &str| {
            batch
                .column_by_name(name)
                .filter(|array| array.null_count() < array.len())
        };
        let typed = |column: Column| -> Result<Option<Arc<dyn Array>>, StoreError> {
            let Some(array) = find(column.name()) else {
                return Ok(None);
            };
            let wanted = schema();
            let Ok(field) = wanted.field_with_name(column.name()) else {
                return Ok(None);
            };
            cast(array, field.data_type()).map(Some)
        };
        let times = find(TIMESTAMP).ok_or_else(|| StoreError::Columns {
            what: "fold a batch",
            source: arrow::error::ArrowError::SchemaError("no timestamp column".to_owned()),
        })?;
        let mut wholes = Vec::new();
        for column in SUMMED {
            if let Some(array) = typed(column)? {
                wholes.push((column, array));
            }
        }
        let mut texts: [Texts; 7] = Default::default();
        for (text, name) in texts.iter_mut().zip(SeriesKey::text_columns()) {
            *text = Texts::of(find(name))?;
        }
        let [success, hit] = KEY_FLAGS.map(typed);
        let [durations, values, costs] = MEASURED.map(typed);
        Ok(Self {
            times: cast(times, &timestamp_type())?,
            texts,
            flags: [success?, hit?],
            floats: [durations?, values?, costs?],
            wholes,
            entities: typed(Column::Entities)?,
            units: Texts::of(find(Column::Unit.name()))?,
        })
    }
}

impl Columns {
    /// The series of a row.
    pub(super) fn series(&self, row: usize) -> SeriesRef<'_> {
        let mut texts = [None; 7];
        for (text, column) in texts.iter_mut().zip(&self.texts) {
            *text = column.get(row);
        }
        texts[0] = Some(texts[0].unwrap_or_default());
        let flags = self.flags.each_ref().map(|flags| {
            let flags = flags.as_ref()?.as_boolean();
            flags.is_valid(row).then(|| flags.value(row))
        });
        SeriesRef { texts, flags }
    }
}

pub(super) fn cast(
    array: &Arc<dyn Array>,
    wanted: &DataType,
) -> Result<Arc<dyn Array>, StoreError> {
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    arrow::compute::cast(array, wanted).map_err(StoreError::columns("fold a batch"))
}
