//! Events as they were put, for export and comparison.

use std::collections::{BTreeMap, VecDeque};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType};
use tachograph_model::time::NANOS_PER_DAY;
use tachograph_model::{COLUMNS, Event, Type, UnixNanos, Value, Window};

use super::Snapshot;
use crate::decode::BATCH_ROWS;
use crate::error::StoreError;
use crate::manifest::Segment;
use crate::note::Note;
use crate::schema::{EVENT_TYPE, EXTRA, TIMESTAMP, schema};
use crate::segment::Scan;

/// Events of a window in the order of their time; those of one instant in no
/// particular order. Holds the unsealed log and one sealed day in memory.
#[derive(Debug)]
pub struct Events<'a> {
    snapshot: &'a Snapshot,
    window: Window,
    days: BTreeMap<i64, Vec<&'a Segment>>,
    log: Rows,
    day: Rows,
    /// Events of the log before this belong to the day at hand.
    until: i64,
    notes: Vec<Note>,
}

/// Rows of some batches, by time.
#[derive(Debug, Default)]
struct Rows {
    batches: Vec<RecordBatch>,
    order: VecDeque<(i64, u32, u32)>,
}

impl Rows {
    fn new(batches: Vec<RecordBatch>, window: Window) -> Self {
        let mut order = Vec::new();
        for (at, batch) in batches.iter().enumerate() {
            let times = times(batch);
            order.extend(
                times
                    .iter()
                    .enumerate()
                    .filter(|(_, time)| window.contains(UnixNanos(**time)))
                    .map(|(row, time)| (*time, at as u32, row as u32)),
            );
        }
        order.sort_unstable();
        Self {
            batches,
            order: order.into(),
        }
    }

    fn first(&self) -> Option<i64> {
        self.order.front().map(|(time, _, _)| *time)
    }

    fn pop(&mut self) -> Option<Event> {
        let (_, batch, row) = self.order.pop_front()?;
        Some(event_of(self.batches.get(batch as usize)?, row as usize))
    }
}

impl Snapshot {
    /// The events of `window`, each equal to what was put.
    ///
    /// # Errors
    /// When the log cannot be read. Unreadable segments are in
    /// [`Events::notes`].
    pub fn events(&self, window: Window) -> Result<Events<'_>, StoreError> {
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let mut batches = Vec::new();
        let mut notes = Vec::new();
        for log in &self.logs {
            let mut scan = log.scan(&columns, window, BATCH_ROWS);
            for batch in scan.by_ref() {
                batches.push(batch?);
            }
            notes.extend(scan.note());
        }
        let mut days: BTreeMap<i64, Vec<&Segment>> = BTreeMap::new();
        for segment in self.segments_in(window) {
            days.entry(segment.day).or_default().push(segment);
        }
        Ok(Events {
            snapshot: self,
            window,
            days,
            log: Rows::new(batches, window),
            day: Rows::default(),
            until: i64::MIN,
            notes,
        })
    }
}

impl Events<'_> {
    /// What was left out so far, and why.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Loads the next sealed day. False when there is none.
    fn next_day(&mut self) -> bool {
        let Some((day, segments)) = self.days.pop_first() else {
            return false;
        };
        let schema = schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let mut batches = Vec::new();
        for segment in segments {
            let path = self.snapshot.segment_path(segment);
            let whole = segment.lies_in(self.window);
            let read = self
                .snapshot
                .check(segment)
                .and_then(|()| Scan::open(&path, &columns, self.window, None, whole, BATCH_ROWS))
                .and_then(Iterator::collect::<Result<Vec<_>, _>>);
            match read {
                Ok(read) => batches.extend(read),
                Err(error) => self.notes.push(self.snapshot.unreadable(segment, &error)),
            }
        }
        self.day = Rows::new(batches, self.window);
        self.until = day.saturating_add(1).saturating_mul(NANOS_PER_DAY);
        true
    }
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            match (self.day.first(), self.log.first()) {
                (Some(sealed), Some(unsealed)) if unsealed < sealed => return self.log.pop(),
                (Some(_), _) => return self.day.pop(),
                (None, Some(unsealed)) if unsealed < self.until => return self.log.pop(),
                (None, _) => {
                    if !self.next_day() {
                        return self.log.pop();
                    }
                }
            }
        }
    }
}

/// The times of a batch's rows.
pub(crate) fn times(batch: &RecordBatch) -> &[i64] {
    batch
        .column_by_name(TIMESTAMP)
        .and_then(|array| array.as_primitive_opt::<TimestampNanosecondType>())
        .map_or(&[], |times| times.values())
}

/// Makes an event of a row of a batch with the columns of [`schema`] (or some
/// of them).
pub fn event_of(batch: &RecordBatch, row: usize) -> Event {
    let time = times(batch).get(row).copied().unwrap_or_default();
    let text = |name: &str| {
        let array = batch.column_by_name(name)?;
        text_of(array, row)
    };
    let mut event = Event::new(UnixNanos(time), text(EVENT_TYPE).unwrap_or_default());
    if let Some(extra) = text(EXTRA) {
        // The codec of the log reads the members back as the texts they were:
        // no kind has an empty name, so none of them is taken for a field.
        let body = extra.strip_prefix('{').unwrap_or("}");
        let line = format!(
            "{{\"timestamp\":\"1970-01-01T00:00:00Z\",\"event_type\":\"\"{}{body}",
            if body == "}" { "" } else { "," }
        );
        if let Ok(read) = Event::from_line(line.as_bytes()) {
            event.extra = read.extra;
        }
    }
    for def in COLUMNS {
        let Some(array) = batch
            .column_by_name(def.name)
            .filter(|array| array.is_valid(row))
        else {
            continue;
        };
        let value = match def.ty {
            Type::Str => text_of(array, row).map(Value::Str),
            Type::I64 => array
                .as_primitive_opt::<Int64Type>()
                .map(|values| Value::I64(values.value(row))),
            Type::F64 => array
                .as_primitive_opt::<Float64Type>()
                .map(|values| Value::F64(values.value(row))),
            Type::Bool => array
                .as_boolean_opt()
                .map(|values| Value::Bool(values.value(row))),
            Type::List => array.as_list_opt::<i32>().map(|lists| {
                let list = lists.value(row);
                let texts = list.as_string_opt::<i32>();
                let texts = texts.into_iter().flat_map(|texts| texts.iter());
                Value::List(texts.map(|t| t.unwrap_or_default().to_owned()).collect())
            }),
            Type::Json => text_of(array, row)
                .and_then(|json| serde_json::from_str(&json).ok().map(Value::Json)),
        };
        event.set(def.column, value);
    }
    event
}

fn text_of(array: &dyn Array, row: usize) -> Option<String> {
    if !array.is_valid(row) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
        DataType::Utf8View => Some(array.as_string_view().value(row).to_owned()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary_opt::<Int32Type>()?;
            let key = usize::try_from(dictionary.keys().value(row)).ok()?;
            text_of(dictionary.values().as_ref(), key)
        }
        _ => None,
    }
}
