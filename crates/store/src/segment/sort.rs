//! Putting events into the order of a segment, day by day.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{Int32Type, TimestampNanosecondType};
use tachograph_model::UnixNanos;

use crate::error::StoreError;
use crate::fold::{Grain, KEY_FLAGS};
use crate::schema::{EVENT_TYPE, TIMESTAMP, schema};

/// Columns of the series, in the order in which they sort.
const ORDER: [&str; 7] = [
    EVENT_TYPE,
    "source",
    "name",
    "type",
    "status",
    "error_type",
    "agent",
];

/// One day's events, in order.
pub(crate) struct Sorted {
    pub(crate) day: i64,
    pub(crate) batch: RecordBatch,
    pub(crate) min_time: i64,
    pub(crate) max_time: i64,
    /// How many cells its rollups would have, by minute, hour and day.
    pub(crate) cells: [u64; 3],
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    day: i32,
    series: u64,
    time: i64,
    row: u32,
}

/// Sorts batches of the whole [`schema`] into days.
pub(crate) fn sort_by_day(batches: &[RecordBatch]) -> Result<Vec<Sorted>, StoreError> {
    let failed = || StoreError::columns("sort events");
    let whole = concat_batches(&schema(), batches).map_err(failed())?;
    if whole.num_rows() == 0 {
        return Ok(Vec::new());
    }
    let series = series_codes(&whole);
    let times = column(&whole, TIMESTAMP)?
        .as_primitive::<TimestampNanosecondType>()
        .clone();
    let mut places: Vec<Place> = times
        .values()
        .iter()
        .zip(&series)
        .enumerate()
        .map(|(row, (time, series))| Place {
            // 64 bits of nanoseconds are some 200 000 days.
            day: UnixNanos(*time).day() as i32,
            series: *series,
            time: *time,
            row: row as u32,
        })
        .collect();
    drop(series);
    places.sort_unstable();
    places
        .chunk_by(|a, b| a.day == b.day)
        .map(|places| one_day(&whole, places).map_err(failed()))
        .collect()
}

fn one_day(whole: &RecordBatch, places: &[Place]) -> Result<Sorted, arrow::error::ArrowError> {
    let rows: UInt32Array = places.iter().map(|place| place.row).collect();
    let columns = whole
        .columns()
        .iter()
        .map(|column| {
            if column.null_count() == column.len() && !column.is_empty() {
                Ok(new_null_array(column.data_type(), rows.len()))
            } else {
                take(column, &rows, None)
            }
        })
        .collect::<Result<Vec<ArrayRef>, _>>()?;
    let count = |grain: Grain| {
        let start = |place: &Place| (place.series, grain.start_of(UnixNanos(place.time)));
        1 + places
            .windows(2)
            .filter(|pair| start(&pair[0]) != start(&pair[1]))
            .count() as u64
    };
    let times = places.iter().map(|place| place.time);
    Ok(Sorted {
        day: i64::from(places[0].day),
        batch: RecordBatch::try_new(whole.schema(), columns)?,
        min_time: times.clone().min().unwrap_or(0),
        max_time: times.max().unwrap_or(0),
        cells: [count(Grain::Minute), count(Grain::Hour), count(Grain::Day)],
    })
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, StoreError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| StoreError::Columns {
            what: "sort events",
            source: arrow::error::ArrowError::SchemaError(format!("no column {name}")),
        })
}

/// A number a row that orders as the series do.
fn series_codes(batch: &RecordBatch) -> Vec<u64> {
    let mut codes = vec![0_u64; batch.num_rows()];
    let mut limit = 1_u64;
    for name in ORDER {
        let Some(array) = batch
            .column_by_name(name)
            .filter(|array| array.null_count() < array.len())
        else {
            continue;
        };
        let (ranks, count) = ranks(array);
        append(&mut codes, &mut limit, count, |row| ranks.at(row));
    }
    for column in KEY_FLAGS {
        let Some(array) = batch
            .column_by_name(column.name())
            .filter(|array| array.null_count() < array.len())
        else {
            continue;
        };
        let flags = array.as_boolean();
        append(&mut codes, &mut limit, 3, |row| {
            if flags.is_valid(row) {
                1 + u64::from(flags.value(row))
            } else {
                0
            }
        });
    }
    codes
}

/// Makes `rank` (below `count`) the least significant part of each code.
fn append(codes: &mut [u64], limit: &mut u64, count: u64, rank: impl Fn(usize) -> u64) {
    if limit.checked_mul(count).is_none() {
        let mut known: Vec<u64> = codes.to_vec();
        known.sort_unstable();
        known.dedup();
        for code in codes.iter_mut() {
            *code = known.binary_search(code).unwrap_or(0) as u64;
        }
        *limit = known.len() as u64;
    }
    for (row, code) in codes.iter_mut().enumerate() {
        *code = *code * count + rank(row);
    }
    *limit *= count;
}

struct Ranks {
    keys: Arc<dyn Array>,
    /// Rank of each text of the dictionary, from 1; null is 0.
    by_key: Vec<u64>,
}

impl Ranks {
    fn at(&self, row: usize) -> u64 {
        let keys = self.keys.as_dictionary::<Int32Type>().keys();
        if keys.is_valid(row) {
            self.by_key[keys.value(row) as usize]
        } else {
            0
        }
    }
}

fn ranks(array: &ArrayRef) -> (Ranks, u64) {
    let texts = array.as_dictionary::<Int32Type>().values();
    let texts = texts.as_string::<i32>();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by_key(|at| texts.value(*at));
    let mut by_key = vec![0; texts.len()];
    let mut rank = 0;
    for (place, at) in order.iter().enumerate() {
        // The same text may stand in a joined dictionary twice.
        if place == 0 || texts.value(order[place - 1]) != texts.value(*at) {
            rank += 1;
        }
        by_key[*at] = rank;
    }
    let ranks = Ranks {
        keys: array.clone(),
        by_key,
    };
    (ranks, rank + 1)
}
