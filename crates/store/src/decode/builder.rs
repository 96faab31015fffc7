//! Column builders: a [`Visitor`] that fills Arrow columns, and only those
//! that were asked for. A column that a line does not have costs nothing: gaps
//! are filled with nulls when the next value comes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, DictionaryArray, Float64Array, Int32Array,
    Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampNanosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::SchemaRef;
use foldhash::fast::FixedState;
use tachograph_model::number::write_str;
use tachograph_model::{COLUMN_COUNT, Cell, Column, Kind, Type, UnixNanos, Visitor, Window};

use crate::error::StoreError;
use crate::schema::{EVENT_TYPE, EXTRA, TIMESTAMP, is_dictionary, schema_of};

/// A batch is ended early when its texts reach this, so that 32-bit offsets
/// always do.
const MAX_TEXT_BYTES: usize = 64 << 20;
/// A dictionary is begun anew when it holds so many texts.
const MAX_DICTIONARY: usize = 1 << 16;

/// Builds batches from decoded lines.
pub(crate) struct BatchBuilder {
    schema: SchemaRef,
    window: Window,
    /// Place in `columns` by column number.
    places: [Option<u8>; COLUMN_COUNT],
    times: Vec<i64>,
    wants_time: bool,
    types: Option<Texts>,
    columns: Vec<(Column, Builder)>,
    extra: Option<Plain>,
    rows: usize,
    text_bytes: usize,
    /// The line at hand lies outside the window.
    skip: bool,
    /// The line at hand has a member in `extra`.
    extra_open: bool,
}

impl BatchBuilder {
    pub(crate) fn new(columns: &[&str], window: Window) -> Self {
        let schema = schema_of(columns);
        let mut places = [None; COLUMN_COUNT];
        let mut builders = Vec::new();
        for field in schema.fields() {
            if let Some(column) = Column::by_name(field.name()) {
                places[column as usize] = Some(builders.len() as u8);
                builders.push((column, Builder::new(column)));
            }
        }
        let wants = |name: &str| schema.field_with_name(name).is_ok();
        Self {
            window,
            places,
            times: Vec::new(),
            wants_time: wants(TIMESTAMP),
            types: wants(EVENT_TYPE).then(Texts::default),
            columns: builders,
            extra: wants(EXTRA).then(Plain::default),
            rows: 0,
            text_bytes: 0,
            skip: false,
            extra_open: false,
            schema,
        }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the batch must end now, however few its rows.
    pub(crate) fn is_heavy(&self) -> bool {
        self.text_bytes >= MAX_TEXT_BYTES
    }

    /// Ends the line that was just decoded.
    pub(crate) fn end_line(&mut self) {
        if self.extra_open
            && let Some(extra) = &mut self.extra
        {
            extra.bytes.push(b'}');
            extra.end();
            self.extra_open = false;
        }
    }

    /// Returns what was built, and starts over.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, StoreError> {
        let rows = std::mem::take(&mut self.rows);
        self.text_bytes = 0;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        if self.wants_time {
            let times = std::mem::take(&mut self.times);
            self.times.reserve(times.len());
            arrays.push(Arc::new(
                TimestampNanosecondArray::new(times.into(), None).with_timezone("UTC"),
            ));
        }
        let wrong = || StoreError::columns("build a batch");
        if let Some(types) = &mut self.types {
            arrays.push(types.finish(rows).map_err(wrong())?);
        }
        for (_, builder) in &mut self.columns {
            arrays.push(builder.finish(rows).map_err(wrong())?);
        }
        if let Some(extra) = &mut self.extra {
            arrays.push(extra.finish(rows).map_err(wrong())?);
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(wrong())
    }
}

impl Visitor for BatchBuilder {
    #[inline]
    fn begin(&mut self, time: UnixNanos, event_type: &str, _kind: Option<&'static Kind>) {
        self.skip = !self.window.contains(time);
        if self.skip {
            return;
        }
        if self.wants_time {
            self.times.push(time.0);
        }
        if let Some(types) = &mut self.types {
            types.push(self.rows, event_type);
        }
        self.rows += 1;
    }

    #[inline]
    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        if self.skip {
            return;
        }
        let Some(place) = self.places[column as usize] else {
            return;
        };
        let row = self.rows - 1;
        match (&mut self.columns[usize::from(place)].1, cell) {
            (Builder::Texts(texts), Cell::Str(text)) => texts.push(row, text),
            (Builder::Plain(texts), Cell::Str(text) | Cell::Json(text)) => {
                self.text_bytes += text.len();
                texts.push(row, text.as_bytes());
            }
            (Builder::I64(values), Cell::I64(value)) => values.push(row, value),
            (Builder::F64(values), Cell::F64(value)) => values.push(row, value),
            (Builder::Bool(values), Cell::Bool(value)) => values.push(row, value),
            (Builder::List(list), Cell::List(json)) => {
                self.text_bytes += json.len();
                list.push(row, json);
            }
            _ => {}
        }
    }

    fn extra(&mut self, key: &str, json: &str) {
        if self.skip {
            return;
        }
        let Some(extra) = &mut self.extra else {
            return;
        };
        let before = extra.bytes.len();
        if self.extra_open {
            extra.bytes.push(b',');
        } else {
            extra.fill(self.rows - 1);
            extra.bytes.push(b'{');
            self.extra_open = true;
        }
        write_str(&mut extra.bytes, key);
        extra.bytes.push(b':');
        extra.bytes.extend_from_slice(json.as_bytes());
        self.text_bytes += extra.bytes.len() - before;
    }
}

enum Builder {
    Texts(Texts),
    Plain(Plain),
    I64(Values<i64>),
    F64(Values<f64>),
    Bool(Values<bool>),
    List(Lists),
}

impl Builder {
    fn new(column: Column) -> Self {
        match column.def().ty {
            Type::Str if is_dictionary(column) => Self::Texts(Texts::default()),
            Type::Str | Type::Json => Self::Plain(Plain::default()),
            Type::I64 => Self::I64(Values::default()),
            Type::F64 => Self::F64(Values::default()),
            Type::Bool => Self::Bool(Values::default()),
            Type::List => Self::List(Lists::default()),
        }
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, arrow::error::ArrowError> {
        match self {
            Self::Texts(texts) => texts.finish(rows),
            Self::Plain(texts) => texts.finish(rows),
            Self::I64(values) => {
                let (values, nulls) = values.take(rows);
                Ok(Arc::new(Int64Array::new(values.into(), nulls)))
            }
            Self::F64(values) => {
                let (values, nulls) = values.take(rows);
                Ok(Arc::new(Float64Array::new(values.into(), nulls)))
            }
            Self::Bool(values) => {
                let (values, nulls) = values.take(rows);
                Ok(Arc::new(BooleanArray::new(values.into(), nulls)))
            }
            Self::List(lists) => Ok(lists.finish(rows)),
        }
    }
}

/// Values with gaps. As long as there is no gap there is no validity bitmap.
#[derive(Default)]
struct Values<T> {
    values: Vec<T>,
    valid: Option<BooleanBufferBuilder>,
}

impl<T: Copy + Default> Values<T> {
    #[inline]
    fn push(&mut self, row: usize, value: T) {
        if self.values.len() != row {
            self.fill(row);
        }
        self.values.push(value);
        if let Some(valid) = &mut self.valid {
            valid.append(true);
        }
    }

    #[cold]
    fn fill(&mut self, rows: usize) {
        // A column comes once a line; should it come again, the first stays.
        if self.values.len() > rows {
            self.values.truncate(rows);
            if let Some(valid) = &mut self.valid {
                valid.truncate(rows);
            }
            return;
        }
        let missing = rows - self.values.len();
        let held = self.values.len();
        let valid = self.valid.get_or_insert_with(|| {
            let mut valid = BooleanBufferBuilder::new(rows.max(1024));
            valid.append_n(held, true);
            valid
        });
        valid.append_n(missing, false);
        self.values.resize(rows, T::default());
    }

    fn take(&mut self, rows: usize) -> (Vec<T>, Option<NullBuffer>) {
        if self.values.len() != rows {
            self.fill(rows);
        }
        let values = std::mem::take(&mut self.values);
        self.values.reserve(values.len());
        let nulls = self
            .valid
            .take()
            .map(|mut valid| NullBuffer::new(valid.finish()));
        (values, nulls)
    }
}

/// Repeating texts, as a dictionary that lives on from batch to batch.
#[derive(Default)]
struct Texts {
    keys: Values<i32>,
    numbers: HashMap<Box<str>, i32, FixedState>,
    list: Plain,
    last: Box<str>,
    last_key: i32,
    /// The dictionary as last handed out, while it holds everything.
    shared: Option<Arc<StringArray>>,
}

impl Texts {
    #[inline]
    fn push(&mut self, row: usize, text: &str) {
        let key = if *self.last == *text && !self.numbers.is_empty() {
            self.last_key
        } else {
            self.number(text)
        };
        self.keys.push(row, key);
    }

    fn number(&mut self, text: &str) -> i32 {
        if let Some((held, key)) = self.numbers.get_key_value(text) {
            self.last_key = *key;
            // Only short texts are worth the copy.
            if held.len() <= 64 && self.last.len() == held.len() {
                self.last.clone_from(held);
            } else {
                self.last = held.clone();
            }
            return *key;
        }
        let key = self.numbers.len() as i32;
        self.numbers.insert(text.into(), key);
        self.list.push(key as usize, text.as_bytes());
        self.shared = None;
        self.last = text.into();
        self.last_key = key;
        key
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, arrow::error::ArrowError> {
        let (keys, nulls) = self.keys.take(rows);
        let keys = Int32Array::new(keys.into(), nulls);
        let values = match &self.shared {
            Some(values) => values.clone(),
            None => {
                let values = Arc::new(self.list.to_array(self.numbers.len())?);
                self.shared = Some(values.clone());
                values
            }
        };
        if self.numbers.len() >= MAX_DICTIONARY || self.list.bytes.len() >= MAX_TEXT_BYTES {
            *self = Self::default();
        }
        Ok(Arc::new(DictionaryArray::try_new(keys, values)?))
    }
}

/// Texts one after the other.
struct Plain {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    valid: Option<BooleanBufferBuilder>,
}

impl Default for Plain {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            offsets: vec![0],
            valid: None,
        }
    }
}

impl Plain {
    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn push(&mut self, row: usize, text: &[u8]) {
        self.fill(row);
        self.bytes.extend_from_slice(text);
        self.end();
    }

    /// Ends the text whose bytes were just appended.
    fn end(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
        if let Some(valid) = &mut self.valid {
            valid.append(true);
        }
    }

    fn fill(&mut self, rows: usize) {
        let held = self.len();
        if held >= rows {
            return;
        }
        let valid = self.valid.get_or_insert_with(|| {
            let mut valid = BooleanBufferBuilder::new(rows.max(1024));
            valid.append_n(held, true);
            valid
        });
        valid.append_n(rows - held, false);
        self.offsets.resize(rows + 1, self.bytes.len() as i32);
    }

    fn to_array(&self, rows: usize) -> Result<StringArray, arrow::error::ArrowError> {
        debug_assert_eq!(self.len(), rows);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets.clone()));
        StringArray::try_new(offsets, Buffer::from_slice_ref(&self.bytes), None)
    }

    fn finish(&mut self, rows: usize) -> Result<ArrayRef, arrow::error::ArrowError> {
        self.fill(rows);
        let taken = std::mem::take(self);
        let nulls = taken.valid.map(|mut valid| NullBuffer::new(valid.finish()));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(taken.offsets));
        Ok(Arc::new(StringArray::try_new(
            offsets,
            Buffer::from_vec(taken.bytes),
            nulls,
        )?))
    }
}

/// Lists of texts; few events have one.
#[derive(Default)]
struct Lists {
    builder: Option<ListBuilder<StringBuilder>>,
    rows: usize,
}

impl Lists {
    fn push(&mut self, row: usize, json: &str) {
        let builder = self
            .builder
            .get_or_insert_with(|| ListBuilder::new(StringBuilder::new()));
        while self.rows < row {
            builder.append_null();
            self.rows += 1;
        }
        let texts: Vec<std::borrow::Cow<'_, str>> = serde_json::from_str(json).unwrap_or_default();
        for text in texts {
            builder.values().append_value(text);
        }
        builder.append(true);
        self.rows = row + 1;
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        let builder = self
            .builder
            .get_or_insert_with(|| ListBuilder::new(StringBuilder::new()));
        while self.rows < rows {
            builder.append_null();
            self.rows += 1;
        }
        self.rows = 0;
        Arc::new(builder.finish())
    }
}
