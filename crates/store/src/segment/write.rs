//! Writing a segment.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use tachograph_log::Home;
use tachograph_model::Column;
use tachograph_model::time::date_of_day;

use super::sort::Sorted;
use crate::disk;
use crate::error::StoreError;
use crate::fold::SUMMED;
use crate::manifest::{Segment, Source};
use crate::schema::{SCHEMA_VERSION, SCHEMA_VERSION_KEY, TIMESTAMP};

/// Key of a segment's [`Batch`] in its metadata.
pub(crate) const BATCH_KEY: &str = "tachograph.batch";

/// Rows in a row group.
const GROUP_ROWS: usize = 512 << 10;
/// Rows in a page: what a reader of a narrow window must decode at least.
const PAGE_ROWS: usize = 20_000;

/// One step of sealing: the segments that were made of the same logs. Stands
/// in each of them, so that a lost manifest can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Batch {
    pub(crate) id: String,
    /// Which of the step's segments this is, from 0.
    pub(crate) part: usize,
    /// How many there are.
    pub(crate) of: usize,
    /// How far the logs are sealed when all parts are there.
    pub(crate) sources: Vec<Source>,
    /// Segments whose events it took over.
    #[serde(default)]
    pub(crate) replaces: Vec<String>,
}

/// Zstandard at level 3, for texts: levels 1 to 9 give the same size within
/// 0.1 % on events, and read equally fast.
pub(crate) fn compression() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default())
}

/// Writes a day's events and waits for the disk.
pub(crate) fn write_segment(
    home: &Home,
    sorted: &Sorted,
    batch: &Batch,
) -> Result<Segment, StoreError> {
    let id = format!("{}-{}", batch.id, batch.part);
    let path = PathBuf::from("segments")
        .join(format!("day={}", date_of_day(sorted.day)))
        .join(format!("{id}.parquet"));
    let file = home.root().join(&path);
    let (bytes, checksum) = write_file(&file, &sorted.batch, properties(sorted, batch))?;
    Ok(Segment {
        id,
        path,
        day: sorted.day,
        rows: sorted.batch.num_rows() as u64,
        min_time: sorted.min_time,
        max_time: sorted.max_time,
        bytes,
        checksum: format!("{checksum:016x}"),
        tiers: Vec::new(),
        tier_checksums: Vec::new(),
    })
}

/// Writes a Parquet file under a temporary name, waits for the disk, and gives
/// it its own; returns size and checksum.
pub(crate) fn write_file(
    path: &Path,
    batch: &RecordBatch,
    properties: WriterPropertiesBuilder,
) -> Result<(u64, u64), StoreError> {
    if let Some(folder) = path.parent() {
        disk::create_dir(folder)?;
    }
    let temporary = path.with_extension("tmp");
    let file = disk::create(&temporary)?;
    let failed = |error| StoreError::parquet("write", &temporary)(error);
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    let file = writer.into_inner().map_err(failed)?;
    file.sync_all()
        .map_err(StoreError::io("write", &temporary))?;
    let written = disk::open_private(&temporary, std::fs::OpenOptions::new().read(true))
        .and_then(|file| {
            let bytes = file.metadata()?.len();
            Ok((bytes, disk::checksum(&file, bytes)?))
        })
        .map_err(StoreError::io("read", &temporary))?;
    fs::rename(&temporary, path).map_err(StoreError::io("rename", &temporary))?;
    disk::sync_parent(path)?;
    Ok(written)
}

fn properties(sorted: &Sorted, batch: &Batch) -> WriterPropertiesBuilder {
    let described = serde_json::to_string(batch).unwrap_or_default();
    let pair = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let mut properties = WriterProperties::builder()
        .set_compression(compression())
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from(TIMESTAMP), EnabledStatistics::Page)
        .set_column_statistics_enabled(ColumnPath::from("event_type"), EnabledStatistics::Page)
        .set_column_statistics_enabled(ColumnPath::from("name"), EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 1,
            descending: false,
            nulls_first: true,
        }]))
        .set_key_value_metadata(Some(vec![
            pair(SCHEMA_VERSION_KEY, SCHEMA_VERSION.to_string()),
            pair(BATCH_KEY, described),
        ]));
    // Numbers that every report reads are not compressed: their bits hardly
    // repeat, so it would save 1.2 bytes an event and cost half the time of
    // reading (docs/benchmarks.md, "Segment encodings").
    let bare = |properties: WriterPropertiesBuilder, name: &str, encoding| {
        let column = ColumnPath::from(name);
        properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), encoding)
            .set_column_compression(column, Compression::UNCOMPRESSED)
    };
    properties = bare(properties, TIMESTAMP, Encoding::DELTA_BINARY_PACKED);
    for column in [Column::DurationMs, Column::Value] {
        properties = bare(properties, column.name(), Encoding::PLAIN);
    }
    for column in SUMMED {
        properties = bare(properties, column.name(), Encoding::DELTA_BINARY_PACKED);
    }
    // Ids are looked up one at a time.
    for name in ["id", "trace_id", "parent_id", "session_id"] {
        let present = sorted
            .batch
            .column_by_name(name)
            .is_some_and(|array| array.null_count() < array.len());
        if present {
            let column = ColumnPath::from(name);
            properties = properties
                .set_column_bloom_filter_enabled(column.clone(), true)
                .set_column_bloom_filter_fpp(column.clone(), 0.01)
                .set_column_bloom_filter_max_ndv(
                    column,
                    GROUP_ROWS.min(sorted.batch.num_rows()) as u64,
                );
        }
    }
    properties
}
