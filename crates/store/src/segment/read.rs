//! Reading a segment: only the row groups, pages and columns that matter.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions,
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowFilter, RowSelection,
};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use tachograph_model::Window;

use super::write::{BATCH_KEY, Batch};
use crate::error::StoreError;
use crate::schema::{EVENT_TYPE, TIMESTAMP, schema_of};

/// Batches of a segment. Rows outside the window may be among them: what is
/// left out is left out by the page.
pub(crate) struct Scan {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    columns: Vec<String>,
    window: Window,
    batch_rows: usize,
    groups: Vec<usize>,
    reader: Option<ParquetRecordBatchReader>,
    schema: SchemaRef,
    /// Columns of ids, and what they are to hold.
    ids: Vec<(&'static str, String)>,
}

impl Scan {
    /// Opens a segment. `whole` says that all its events lie in the window, so
    /// that no index is needed.
    pub(crate) fn open(
        path: &Path,
        columns: &[&str],
        window: Window,
        types: Option<&[String]>,
        whole: bool,
        batch_rows: usize,
    ) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let policy = if whole {
            PageIndexPolicy::Skip
        } else {
            PageIndexPolicy::Optional
        };
        let options = ArrowReaderOptions::new().with_page_index_policy(policy);
        let metadata =
            ArrowReaderMetadata::load(&file, options).map_err(StoreError::parquet("read", path))?;
        // One that cannot be null is missing: this is no segment. (A file that
        // has none of the columns would read as one without rows.)
        let schema = schema_of(columns);
        for field in schema.fields().iter().filter(|field| !field.is_nullable()) {
            if metadata.schema().field_with_name(field.name()).is_err() {
                return Err(no_column(field.name()));
            }
        }
        let mut groups: Vec<usize> = metadata
            .metadata()
            .row_groups()
            .iter()
            .enumerate()
            .filter(|(_, group)| in_window(group, window) && of_types(group, types))
            .map(|(at, _)| at)
            .collect();
        groups.reverse();
        Ok(Self {
            path: path.to_owned(),
            file,
            metadata,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            window,
            batch_rows,
            groups,
            reader: None,
            schema,
            ids: Vec::new(),
        })
    }

    /// Only rows that have these ids. Leaves out the groups whose bloom filters
    /// say that none has.
    pub(crate) fn only(mut self, ids: &[(&'static str, &str)]) -> Result<Self, StoreError> {
        let groups = std::mem::take(&mut self.groups);
        for at in groups {
            if self.may_hold(at, ids)? {
                self.groups.push(at);
            }
        }
        self.ids = ids.iter().map(|(c, id)| (*c, (*id).to_owned())).collect();
        Ok(self)
    }

    fn may_hold(&self, group: usize, ids: &[(&'static str, &str)]) -> Result<bool, StoreError> {
        let failed = || StoreError::parquet("read", &self.path);
        let builder = self.builder()?;
        for (column, id) in ids {
            let chunks = self.metadata.metadata().row_group(group).columns().iter();
            let mut places = chunks.enumerate();
            let place = places.find(|(_, chunk)| chunk.column_path().string() == *column);
            let Some((place, chunk)) = place else {
                return Ok(false);
            };
            if is_empty(chunk) {
                return Ok(false);
            }
            let filter = builder
                .get_row_group_column_bloom_filter(group, place)
                .map_err(failed())?;
            if filter.is_some_and(|filter| !filter.check(*id)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn builder(&self) -> Result<ParquetRecordBatchReaderBuilder<File>, StoreError> {
        let file = self
            .file
            .try_clone()
            .map_err(StoreError::io("read", &self.path))?;
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(
            file,
            self.metadata.clone(),
        ))
    }

    /// Reads a column of ids before all others, which are then read only of the
    /// rows that have the wanted ones.
    fn row_filter(&self) -> RowFilter {
        let schema = self.metadata.parquet_schema();
        let predicate = |(column, id): &(&'static str, String)| {
            let id = id.clone();
            let mask = ProjectionMask::columns(schema, [*column]);
            Box::new(ArrowPredicateFn::new(mask, move |batch| {
                let held = cast(batch.column(0), &DataType::Utf8)?;
                eq(&held, &StringArray::new_scalar(&id))
            })) as Box<dyn ArrowPredicate>
        };
        RowFilter::new(self.ids.iter().map(predicate).collect())
    }

    fn next_reader(&mut self) -> Result<Option<ParquetRecordBatchReader>, StoreError> {
        let Some(at) = self.groups.pop() else {
            return Ok(None);
        };
        let failed = || StoreError::parquet("read", &self.path);
        let group = self.metadata.metadata().row_group(at);
        // A column that is null throughout the group is not worth opening.
        let leaves = group.columns().iter().enumerate().filter(|(_, chunk)| {
            let root = chunk.column_path().parts().first();
            let wanted = root.is_some_and(|root| self.columns.contains(root));
            wanted && !is_empty(chunk)
        });
        let mask =
            ProjectionMask::leaves(self.metadata.parquet_schema(), leaves.map(|(leaf, _)| leaf));
        let mut builder = self
            .builder()?
            .with_row_groups(vec![at])
            .with_projection(mask)
            .with_batch_size(self.batch_rows);
        if !self.ids.is_empty() {
            builder = builder.with_row_filter(self.row_filter());
        }
        if let Some(selection) = self.pages(at) {
            builder = builder.with_row_selection(selection);
        }
        builder.build().map(Some).map_err(failed())
    }

    /// The pages of a group that hold events of the window.
    fn pages(&self, group: usize) -> Option<RowSelection> {
        let metadata = self.metadata.metadata();
        let rows = usize::try_from(metadata.row_group(group).num_rows()).ok()?;
        let locations = metadata
            .offset_index()?
            .get(group)?
            .first()?
            .page_locations();
        let ColumnIndexMetaData::INT64(times) = metadata.column_index()?.get(group)?.first()?
        else {
            return None;
        };
        let mut ranges = Vec::new();
        for (page, location) in locations.iter().enumerate() {
            let from = usize::try_from(location.first_row_index).ok()?;
            let to = match locations.get(page + 1) {
                Some(next) => usize::try_from(next.first_row_index).ok()?,
                None => rows,
            };
            let (min, max) = (times.min_value(page)?, times.max_value(page)?);
            if from > to
                || to > rows
                || ranges
                    .last()
                    .is_some_and(|r: &std::ops::Range<usize>| r.end > from)
            {
                return None;
            }
            if *min < self.window.to.0 && self.window.from.0 <= *max {
                ranges.push(from..to);
            }
        }
        Some(RowSelection::from_consecutive_ranges(
            ranges.into_iter(),
            rows,
        ))
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(reader) = &mut self.reader {
                match reader.next() {
                    Some(Ok(batch)) => return Some(conform(&batch, &self.schema)),
                    Some(Err(error)) => {
                        self.groups.clear();
                        self.reader = None;
                        let failed = StoreError::columns("read a segment");
                        return Some(Err(failed(error)));
                    }
                    None => self.reader = None,
                }
            }
            match self.next_reader() {
                Ok(Some(reader)) => self.reader = Some(reader),
                Ok(None) => return None,
                Err(error) => {
                    self.groups.clear();
                    return Some(Err(error));
                }
            }
        }
    }
}

/// Puts a batch's columns into the form of a schema; those it lacks are null.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, StoreError> {
    let failed = || StoreError::columns("read a segment");
    let rows = batch.num_rows();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match batch.column_by_name(field.name()) {
            Some(array) if array.data_type() == field.data_type() => array.clone(),
            Some(array) => arrow::compute::cast(array, field.data_type()).map_err(failed())?,
            None if field.is_nullable() => new_null_array(field.data_type(), rows),
            None => return Err(no_column(field.name())),
        });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(failed())
}

fn no_column(name: &str) -> StoreError {
    StoreError::columns("read a segment")(arrow::error::ArrowError::SchemaError(format!(
        "no column {name}"
    )))
}

/// Reads which step of sealing a segment belongs to, and how many rows it has.
pub(crate) fn batch_of(path: &Path) -> Result<(Batch, u64), StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    let metadata = unless_it_panics(|| {
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(StoreError::parquet("read", path))
    })?;
    let file = metadata.metadata().file_metadata();
    let batch = file
        .key_value_metadata()
        .into_iter()
        .flatten()
        .find(|pair| pair.key == BATCH_KEY)
        .and_then(|pair| serde_json::from_str(pair.value.as_deref()?).ok())
        .unwrap_or_default();
    Ok((batch, u64::try_from(file.num_rows()).unwrap_or(0)))
}

/// The Parquet library means to return errors on damaged bytes; should it panic
/// all the same, that is one, too.
pub(crate) fn unless_it_panics<T>(
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(StoreError::Stopped {
            step: "read a segment",
            why: "its bytes are damaged".to_owned(),
        })
    })
}

/// Whether a column has no value in a group.
fn is_empty(chunk: &ColumnChunkMetaData) -> bool {
    let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
    nulls.is_some_and(|nulls| nulls as i64 >= chunk.num_values())
}

fn in_window(group: &RowGroupMetaData, window: Window) -> bool {
    match statistics(group, TIMESTAMP) {
        Some(Statistics::Int64(times)) => match (times.min_opt(), times.max_opt()) {
            (Some(min), Some(max)) => *min < window.to.0 && window.from.0 <= *max,
            _ => true,
        },
        _ => true,
    }
}

fn of_types(group: &RowGroupMetaData, types: Option<&[String]>) -> bool {
    let Some(types) = types else {
        return true;
    };
    match statistics(group, EVENT_TYPE) {
        Some(Statistics::ByteArray(held)) => match (held.min_bytes_opt(), held.max_bytes_opt()) {
            // Long texts are cut short in statistics, upwards for the maximum.
            (Some(min), Some(max)) => types
                .iter()
                .any(|wanted| min <= wanted.as_bytes() && wanted.as_bytes() <= max),
            _ => true,
        },
        _ => true,
    }
}

fn statistics<'a>(group: &'a RowGroupMetaData, column: &str) -> Option<&'a Statistics> {
    group
        .columns()
        .iter()
        .find(|chunk| chunk.column_path().string() == column)
        .and_then(|chunk| chunk.statistics())
}
