//! Rollups: the cells of a segment by minute, hour and day, so that a report
//! costs by the number of series and not of events. Derived: may be deleted
//! and are made again by [`crate::Store::repair`].
//!
//! ```text
//! rollups/day/day=2025-11-20/<segment>.parquet      one row a cell
//!   start, series columns, count, errors, sums for SQL, state (the whole cell)
//! rollups/chart/…                                    the same by hour, without
//!   agents, types and classes of failure: what charts tell apart
//! rollups/kind/…                                     by hour, types of event alone
//! rollups/named/…, rollups/agent/…                   the same by day, without
//!   agents or with nothing but them, where both make many
//! rollups/session/day=2025-11-20/<segment>.parquet  one row a session
//! ```
//!
//! A tier is written only where it pays: where it has so many times fewer
//! cells than the segment has events ([`Tier::worth`]). The minute tier is the
//! dear one: its cells may be nearly as many as the events. Without it the edges of
//! a window, at most two hours, are read from the events.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Float64Array, Int64Array, RecordBatch,
    StringDictionaryBuilder, TimestampNanosecondArray,
};
use arrow::datatypes::{
    DataType, Field, Int32Type, Int64Type, Schema, SchemaRef, TimestampNanosecondType,
};
use parquet::basic::Encoding;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tachograph_log::Home;
use tachograph_model::time::date_of_day;
use tachograph_model::{Column, UnixNanos, Window};

use crate::error::StoreError;
use crate::fold::{Apart, Bound, Cell, FoldSpec, Folder, Grain, SeriesKey, Shared, encode_state};
use crate::schema::{
    EVENT_TYPE, SCHEMA_VERSION, SCHEMA_VERSION_KEY, dictionary_type, timestamp_type,
};
use crate::segment::{Sorted, compression, write_file};
use crate::sessions;

/// A tier of rollups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Tier {
    Minute,
    Hour,
    Day,
    /// By hour, with only that told apart that charts do: where agents make
    /// hours too many.
    Chart,
    /// By hour, of types of event alone: where names make hours many.
    Kind,
    /// By day, without agents: where those make days many.
    Named,
    /// By day, of agents only: where names make days many.
    Agent,
}

impl Tier {
    /// Each made of the one before.
    pub(crate) const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Chart => "chart",
            Self::Kind => "kind",
            Self::Named => "named",
            Self::Agent => "agent",
        }
    }

    pub(crate) fn grain(self) -> Grain {
        match self {
            Self::Minute => Grain::Minute,
            Self::Hour | Self::Chart | Self::Kind => Grain::Hour,
            Self::Day | Self::Named | Self::Agent => Grain::Day,
        }
    }

    /// What is told apart in its cells.
    fn apart(self) -> Apart {
        match self {
            Self::Minute | Self::Hour | Self::Day => Apart::Everything,
            Self::Chart => Apart::Charts,
            Self::Kind => Apart::Kinds,
            Self::Named => Apart::Named,
            Self::Agent => Apart::Agents,
        }
    }

    /// Whether `cells` of this tier pay for `rows` events.
    pub(crate) fn worth(self, cells: u64, rows: u64) -> bool {
        let factor = match self {
            Self::Minute => 64,
            Self::Hour | Self::Chart | Self::Kind => 8,
            Self::Day | Self::Named | Self::Agent => 4,
        };
        rows >= 4_096 && cells.saturating_mul(factor) <= rows
    }

    pub(crate) fn path(self, day: i64, segment: &str) -> PathBuf {
        file_of(self.name(), day, segment)
    }
}

/// What is derived from a segment, a folder each: the tiers, and its sessions.
pub(crate) const DERIVED: [&str; 8] = [
    "minute",
    "hour",
    "day",
    "chart",
    "kind",
    "named",
    "agent",
    sessions::NAME,
];

/// Where a file that is derived from a segment lies in the home.
pub(crate) fn file_of(derived: &str, day: i64, segment: &str) -> PathBuf {
    PathBuf::from("rollups")
        .join(derived)
        .join(format!("day={}", date_of_day(day)))
        .join(format!("{segment}.parquet"))
}

/// Rows that are folded between two looks at how many cells there are.
const PIECE_ROWS: usize = 64 << 10;
/// Days of so few cells are read as fast as those with less told apart.
const FEW_CELLS: u64 = 256;

/// The schema of a rollup.
pub fn rollup_schema() -> SchemaRef {
    let mut fields = vec![Field::new("start", timestamp_type(), false)];
    for name in SeriesKey::text_columns() {
        fields.push(Field::new(name, dictionary_type(), name != EVENT_TYPE));
    }
    for name in SeriesKey::flag_columns() {
        fields.push(Field::new(name, DataType::Boolean, true));
    }
    for name in ["count", "errors"] {
        fields.push(Field::new(name, DataType::Int64, false));
    }
    for (name, _) in FIGURES {
        fields.push(Field::new(*name, DataType::Float64, true));
    }
    fields.push(Field::new("state", DataType::Binary, false));
    Arc::new(Schema::new(fields))
}

type Figure = fn(&Cell) -> Option<f64>;

/// What SQL may want of a cell; null where no event has it.
const FIGURES: &[(&str, Figure)] = &[
    ("duration_ms_sum", |c| {
        c.durations.min().map(|_| c.durations.sum())
    }),
    ("duration_ms_min", |c| c.durations.min()),
    ("duration_ms_max", |c| c.durations.max()),
    ("value_sum", |c| c.values.min().map(|_| c.values.sum())),
    ("value_min", |c| c.values.min()),
    ("value_max", |c| c.values.max()),
    ("cost_usd_sum", |c| c.costs.min().map(|_| c.costs.sum())),
    ("size_bytes_sum", |c| whole(c, Column::SizeBytes)),
    ("tokens_sum", |c| whole(c, Column::Tokens)),
    ("input_tokens_sum", |c| whole(c, Column::InputTokens)),
    ("output_tokens_sum", |c| whole(c, Column::OutputTokens)),
];

fn whole(cell: &Cell, column: Column) -> Option<f64> {
    let whole = cell.whole(column);
    (whole.present > 0).then_some(whole.sum as f64)
}

/// Writes what is derived from a segment and worth it; returns the names and
/// the checksums of the files.
pub(crate) fn write_derived(
    home: &Home,
    sorted: &Sorted,
    segment: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sorted.batch.num_rows() as u64;
    let mut tiers = Vec::new();
    // From the finest that is written, the coarser ones are merged.
    let mut finer: Option<Vec<Cell>> = None;
    for (tier, cells) in Tier::ALL.into_iter().zip(sorted.cells) {
        if !tier.worth(cells, rows) {
            continue;
        }
        let mut folder = Folder::new(FoldSpec::new(tier.grain()), Window::ALL);
        match finer.take() {
            Some(cells) => cells
                .into_iter()
                .try_for_each(|cell| folder.push_cell(cell))?,
            None => folder.push(&sorted.batch)?,
        }
        let cells = folder.finish();
        let checksum = write_tier(home, tier, sorted.day, segment, &cells)?;
        tiers.push((tier.name().to_owned(), format!("{checksum:016x}")));
        finer = Some(cells);
    }
    let [_, hours, days] = sorted.cells;
    let hour = sorted.fewer_than(Tier::Hour, hours);
    let by_hour = [(Tier::Chart, hour), (Tier::Kind, hour)];
    // Half as many must do, or they are not worth a file.
    let day = sorted.fewer_than(Tier::Day, days);
    let by_day = [(Tier::Named, day), (Tier::Agent, day)];
    let by_day = by_day.into_iter().filter(|_| days > FEW_CELLS);
    let by_hour = by_hour.into_iter().filter(|_| hours > FEW_CELLS);
    for (tier, most) in by_hour.chain(by_day) {
        if let Some(cells) = cells_telling(sorted, tier, most)? {
            let checksum = write_tier(home, tier, sorted.day, segment, &cells)?;
            tiers.push((tier.name().to_owned(), format!("{checksum:016x}")));
        }
    }
    if let Some(checksum) = sessions::write_if_worth(home, sorted, segment)? {
        tiers.push((sessions::NAME.to_owned(), format!("{checksum:016x}")));
    }
    Ok(tiers)
}

impl Sorted {
    /// The most cells that a tier is worth beside one of `cells` with everything
    /// told apart.
    fn fewer_than(&self, beside: Tier, cells: u64) -> u64 {
        let rows = self.batch.num_rows() as u64;
        match beside.worth(cells, rows) {
            true => cells / 2,
            false => rows,
        }
    }
}

/// The cells of a tier that tells less apart; `None` where they are more than
/// `most`, or not worth it.
fn cells_telling(sorted: &Sorted, tier: Tier, most: u64) -> Result<Option<Vec<Cell>>, StoreError> {
    let rows = sorted.batch.num_rows();
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let bound = Bound {
        series: most,
        cells: most.min(rows / 4),
    };
    let spec = FoldSpec::new(tier.grain()).telling(tier.apart());
    let mut folder = Folder::new(spec.bounded(bound), Window::ALL);
    let mut from = 0;
    // Bit by bit, so that what is too much is noticed in time.
    while from < rows {
        let some = PIECE_ROWS.min(rows - from);
        match folder.push(&sorted.batch.slice(from, some)) {
            Err(StoreError::Crowded) => return Ok(None),
            pushed => pushed?,
        }
        from += some;
    }
    let cells = folder.finish();
    let worth = tier.worth(cells.len() as u64, rows as u64);
    Ok(worth.then_some(cells))
}

fn write_tier(
    home: &Home,
    tier: Tier,
    day: i64,
    segment: &str,
    cells: &[Cell],
) -> Result<u64, StoreError> {
    let mut order: Vec<&Cell> = cells.iter().collect();
    order.sort_by_key(|cell| cell.start);
    let batch = batch_of(&order).map_err(StoreError::columns("write a rollup"))?;
    let properties = WriterProperties::builder()
        .set_compression(compression())
        .set_max_row_group_row_count(Some(16 << 10))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("state"), EnabledStatistics::None)
        .set_column_dictionary_enabled(ColumnPath::from("state"), false)
        .set_column_encoding(ColumnPath::from("state"), Encoding::PLAIN)
        .set_offset_index_disabled(true)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            SCHEMA_VERSION_KEY.to_owned(),
            SCHEMA_VERSION.to_string(),
        )]));
    let (_, checksum) = write_file(
        &home.root().join(tier.path(day, segment)),
        &batch,
        properties,
    )?;
    Ok(checksum)
}

fn batch_of(cells: &[&Cell]) -> Result<RecordBatch, arrow::error::ArrowError> {
    let starts: TimestampNanosecondArray = cells.iter().map(|cell| Some(cell.start.0)).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(starts.with_timezone("UTC"))];
    for at in 0..SeriesKey::text_columns().len() {
        let mut texts = StringDictionaryBuilder::<Int32Type>::new();
        for cell in cells {
            texts.append_option(cell.key.texts()[at]);
        }
        columns.push(Arc::new(texts.finish()));
    }
    let flags: [fn(&SeriesKey) -> Option<bool>; 2] = [|key| key.success, |key| key.hit];
    for flag in flags {
        let flags: BooleanArray = cells.iter().map(|cell| flag(&cell.key)).collect();
        columns.push(Arc::new(flags));
    }
    let counts: Int64Array = cells.iter().map(|cell| Some(cell.count as i64)).collect();
    columns.push(Arc::new(counts));
    let errors: Int64Array = cells
        .iter()
        .map(|cell| {
            Some(if cell.key.success == Some(false) {
                cell.count as i64
            } else {
                0
            })
        })
        .collect();
    columns.push(Arc::new(errors));
    for (_, figure) in FIGURES {
        let figures: Float64Array = cells.iter().map(|cell| figure(cell)).collect();
        columns.push(Arc::new(figures));
    }
    let mut states = BinaryBuilder::new();
    let mut state = Vec::new();
    for cell in cells {
        state.clear();
        encode_state(cell, &mut state);
        states.append_value(&state);
    }
    columns.push(Arc::new(states.finish()));
    RecordBatch::try_new(rollup_schema(), columns)
}

/// The cells of a tier as its file has them: in a tenth of the room that they
/// take when they are counted with.
#[derive(Debug, Default)]
pub(crate) struct TierRows {
    rows: Vec<TierRow>,
    /// The states, one behind the other.
    states: Vec<u8>,
    /// What the keys take, with their texts.
    key_bytes: usize,
}

#[derive(Debug)]
struct TierRow {
    key: Arc<SeriesKey>,
    start: UnixNanos,
    count: u64,
    /// Where its state ends.
    end: usize,
}

impl TierRows {
    /// Reads all cells of a tier.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let mut found = Self::default();
        let mut keys: HashSet<Arc<SeriesKey>> = HashSet::new();
        let mut shared = Shared::default();
        each_row(path, Window::ALL, |row| {
            let key = match keys.get(&row.key) {
                Some(key) => key.clone(),
                None => {
                    let key = Arc::new(row.key);
                    shared.key(&key);
                    keys.insert(key.clone());
                    key
                }
            };
            found.states.extend(row.state);
            found.rows.push(TierRow {
                key,
                start: row.start,
                count: row.count,
                end: found.states.len(),
            });
            Ok(true)
        })?;
        found.rows.shrink_to_fit();
        found.states.shrink_to_fit();
        found.key_bytes = shared.bytes();
        Ok(found)
    }

    /// Folds those that start in `window`. False when a state is damaged.
    pub(crate) fn fold(&self, window: Window, folder: &mut Folder) -> Result<bool, StoreError> {
        let mut from = 0;
        for row in &self.rows {
            let state = &self.states[from..row.end];
            from = row.end;
            let wanted = window.contains(row.start) && folder.wants(&row.key.event_type);
            if wanted && !folder.push_state(&row.key, row.start, row.count, state)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// About how much memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.rows.len() * size_of::<TierRow>() + self.states.len() + self.key_bytes
    }
}

/// Folds the cells of a tier that start in `window`.
pub(crate) fn read_tier(
    path: &Path,
    window: Window,
    folder: &mut Folder,
) -> Result<(), StoreError> {
    each_row(path, window, |row| {
        let wanted = window.contains(row.start) && folder.wants(&row.key.event_type);
        if !wanted {
            return Ok(true);
        }
        folder.push_state(&Arc::new(row.key), row.start, row.count, row.state)
    })
}

/// A row of a tier's file.
struct Row<'a> {
    key: SeriesKey,
    start: UnixNanos,
    count: u64,
    state: &'a [u8],
}

/// Gives every row of a tier's file that may start in `window` to `take`, which
/// says whether it is sound.
fn each_row(
    path: &Path,
    window: Window,
    mut take: impl FnMut(Row<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    use parquet::arrow::ProjectionMask;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::statistics::Statistics;

    let file = std::fs::File::open(path).map_err(StoreError::io("open", path))?;
    let failed = || StoreError::parquet("read", path);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed())?;
    // The other columns are for SQL.
    let read: Vec<&str> = ["start", "count", "state"]
        .into_iter()
        .chain(SeriesKey::text_columns())
        .chain(SeriesKey::flag_columns())
        .collect();
    // A file that has none of them would read as a rollup without cells.
    for name in &read {
        builder
            .schema()
            .field_with_name(name)
            .map_err(StoreError::columns("read a rollup"))?;
    }
    let groups: Vec<usize> = builder
        .metadata()
        .row_groups()
        .iter()
        .enumerate()
        .filter(|(_, group)| match group.column(0).statistics() {
            Some(Statistics::Int64(starts)) => match (starts.min_opt(), starts.max_opt()) {
                (Some(min), Some(max)) => *min < window.to.0 && window.from.0 <= *max,
                _ => true,
            },
            _ => true,
        })
        .map(|(at, _)| at)
        .collect();
    let mask = ProjectionMask::columns(builder.parquet_schema(), read);
    let reader = builder
        .with_row_groups(groups)
        .with_projection(mask)
        .with_batch_size(8_192)
        .build()
        .map_err(failed())?;
    for batch in reader {
        let batch = batch.map_err(StoreError::columns("read a rollup"))?;
        let damaged = || StoreError::Columns {
            what: "read a rollup",
            source: arrow::error::ArrowError::ParseError(format!("{} is damaged", path.display())),
        };
        rows_of_batch(&batch, &mut take).ok_or_else(damaged)??;
    }
    Ok(())
}

/// `None` when the batch is damaged.
fn rows_of_batch(
    batch: &RecordBatch,
    take: &mut impl FnMut(Row<'_>) -> Result<bool, StoreError>,
) -> Option<Result<(), StoreError>> {
    let starts = batch
        .column_by_name("start")?
        .as_primitive_opt::<TimestampNanosecondType>()?;
    let counts = batch
        .column_by_name("count")?
        .as_primitive_opt::<Int64Type>()?;
    let states = batch.column_by_name("state")?.as_binary_opt::<i32>()?;
    let mut texts = Vec::with_capacity(7);
    for name in SeriesKey::text_columns() {
        let dictionary = batch
            .column_by_name(name)?
            .as_dictionary_opt::<Int32Type>()?;
        let values: Vec<Arc<str>> = dictionary
            .values()
            .as_string_opt::<i32>()?
            .iter()
            .map(|text| Arc::from(text.unwrap_or_default()))
            .collect();
        texts.push((dictionary, values));
    }
    let [success, hit] = SeriesKey::flag_columns();
    let success = batch.column_by_name(success)?.as_boolean_opt()?;
    let hit = batch.column_by_name(hit)?.as_boolean_opt()?;
    for row in 0..batch.num_rows() {
        let text = |at: usize| {
            let (dictionary, values) = &texts[at];
            let keys = dictionary.keys();
            keys.is_valid(row)
                .then(|| values.get(keys.value(row) as usize).cloned())
                .flatten()
        };
        let flag = |flags: &BooleanArray| flags.is_valid(row).then(|| flags.value(row));
        let key = SeriesKey {
            event_type: text(0)?,
            name: text(1),
            agent: text(2),
            source: text(3),
            r#type: text(4),
            status: text(5),
            error_type: text(6),
            success: flag(success),
            hit: flag(hit),
        };
        let row = Row {
            key,
            start: UnixNanos(starts.value(row)),
            count: u64::try_from(counts.value(row)).ok()?,
            state: states.value(row),
        };
        match take(row) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a tier of these tools takes in memory, in each of three hours.
    fn memory_of(home: &Home, name_bytes: usize) -> usize {
        let cells = crate::fold::of_tools(name_bytes, |_| ()).finish();
        write_tier(home, Tier::Hour, 0, "a", &cells).expect("written");
        let path = home.root().join(Tier::Hour.path(0, "a"));
        TierRows::read(&path).expect("sound").memory_bytes()
    }

    #[test]
    fn what_is_held_of_a_tier_counts_with_its_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::create(folder.path()).expect("a home");
        let bare = memory_of(&home, 0);
        assert_eq!(memory_of(&home, 10_000) - bare, 4 * 10_000);
    }
}
