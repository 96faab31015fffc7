//! How much functions make of how little: the most bytes that a call may return
//! for a row, told from its arguments before it is made. Only functions whose
//! result can be far larger than what goes in are here.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int32Type, IntervalMonthDayNanoType};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;

/// Bytes that a row's result may have at most, given the call's arguments.
pub(super) type Growth = fn(&Arguments, usize) -> f64;

/// The functions, by the name they are registered under.
pub(super) const GROWING: [(&str, Growth); 14] = [
    ("repeat", |of, row| of.bytes(0, row) * of.number(1, row)),
    // Of characters, of four bytes at most.
    ("lpad", |of, row| of.number(1, row) * 4.0),
    ("rpad", |of, row| of.number(1, row) * 4.0),
    ("replace", replaced),
    ("regexp_replace", matched),
    ("concat", all),
    ("concat_ws", |of, row| {
        all(of, row) + of.bytes(0, row) * of.count()
    }),
    ("array_to_string", |of, row| {
        let between = of.bytes(1, row) + of.bytes(2, row) + NUMBER_AS_TEXT;
        of.bytes(0, row) + of.items(0, row) * between
    }),
    ("array_repeat", |of, row| {
        (of.bytes(0, row) + PLACE) * of.number(1, row)
    }),
    ("array_resize", |of, row| {
        of.bytes(0, row) + (of.bytes(2, row) + PLACE) * of.number(1, row)
    }),
    ("array_concat", all),
    ("array_append", all),
    ("range", series),
    ("generate_series", series),
];

/// Bytes of a number in a list, and of a string's place in one.
const PLACE: f64 = 16.0;
/// Bytes of a number as text: of most; the longest have some hundred.
const NUMBER_AS_TEXT: f64 = 32.0;

fn all(of: &Arguments, row: usize) -> f64 {
    (0..of.values.len()).map(|at| of.bytes(at, row)).sum()
}

/// An empty pattern is found before each character and at the end.
fn replaced(of: &Arguments, row: usize) -> f64 {
    let text = of.bytes(0, row);
    text + (text / of.bytes(1, row).max(1.0) + 1.0) * of.bytes(2, row)
}

/// Matches do not overlap: a reference to one costs the text's length in all.
fn matched(of: &Arguments, row: usize) -> f64 {
    let (text, by) = (of.bytes(0, row), of.bytes(2, row));
    let (references, times) = (by / 2.0, text + 1.0);
    text * (1.0 + references) + times * by
}

fn series(of: &Arguments, row: usize) -> f64 {
    let (from, to) = match of.values.len() {
        1 => (0.0, of.point(0, row)),
        _ => (of.point(0, row), of.point(1, row)),
    };
    let step = match of.values.len() {
        3 => of.point(2, row).abs(),
        _ => 1.0,
    };
    // A step of nothing is the function's own to refuse.
    if step == 0.0 {
        0.0
    } else {
        ((to - from) / step).abs() * PLACE
    }
}

/// The arguments of a call, made ready to be measured.
pub(super) struct Arguments {
    values: Vec<Measured>,
}

/// An argument; one that is the same for all rows is looked at once.
struct Measured {
    same: bool,
    array: ArrayRef,
    /// As numbers, or as nanoseconds where it is of time.
    points: Option<ArrayRef>,
}

impl Arguments {
    /// # Errors
    /// When a value cannot be made an array of one.
    pub(super) fn of(values: &[ColumnarValue]) -> Result<Self> {
        let values = values.iter().map(|value| {
            let (same, array) = match value {
                ColumnarValue::Array(array) => (false, array.clone()),
                ColumnarValue::Scalar(value) => (true, value.to_array()?),
            };
            let points = points(&array);
            Ok(Measured {
                same,
                array,
                points,
            })
        });
        Ok(Self {
            values: values.collect::<Result<_>>()?,
        })
    }

    fn count(&self) -> f64 {
        self.values.len() as f64
    }

    /// Bytes of the argument `at`; nothing where there is none.
    fn bytes(&self, at: usize, row: usize) -> f64 {
        let Some((array, row)) = self.value(at, row) else {
            return 0.0;
        };
        match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().value(row).len() as f64,
            DataType::LargeUtf8 => array.as_string::<i64>().value(row).len() as f64,
            DataType::Utf8View => array.as_string_view().value(row).len() as f64,
            // Its rows are much alike, or it is one row.
            _ => (array.get_array_memory_size() / array.len().max(1)) as f64,
        }
    }

    /// Items of the list that the argument `at` is.
    fn items(&self, at: usize, row: usize) -> f64 {
        let Some((array, row)) = self.value(at, row) else {
            return 0.0;
        };
        match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().value_length(row).into(),
            DataType::LargeList(_) => array.as_list::<i64>().value_length(row) as f64,
            DataType::FixedSizeList(_, size) => (*size).into(),
            _ => 0.0,
        }
    }

    /// The number that the argument `at` is, from 0.
    fn number(&self, at: usize, row: usize) -> f64 {
        self.point(at, row).max(0.0)
    }

    fn point(&self, at: usize, row: usize) -> f64 {
        let Some(value) = self.values.get(at) else {
            return 0.0;
        };
        let row = if value.same { 0 } else { row };
        match &value.points {
            Some(points) if points.is_valid(row) => points.as_primitive::<Float64Type>().value(row),
            _ => 0.0,
        }
    }

    fn value(&self, at: usize, row: usize) -> Option<(&ArrayRef, usize)> {
        let value = self.values.get(at)?;
        let row = if value.same { 0 } else { row };
        value.array.is_valid(row).then_some((&value.array, row))
    }
}

/// Numbers as they are, what is of time in nanoseconds.
fn points(array: &ArrayRef) -> Option<ArrayRef> {
    use datafusion::arrow::array::Float64Array;
    use datafusion::arrow::datatypes::{IntervalUnit, TimeUnit};
    const DAY: f64 = 86_400e9;
    let scaled = |array: &ArrayRef, by: f64| -> Option<ArrayRef> {
        let numbers = cast(array, &DataType::Float64).ok()?;
        let numbers = numbers.as_primitive::<Float64Type>();
        Some(std::sync::Arc::new(
            numbers.unary::<_, Float64Type>(|value| value * by),
        ))
    };
    match array.data_type() {
        ty if ty.is_numeric() => scaled(array, 1.0),
        DataType::Date32 => {
            let days = cast(array, &DataType::Int32).ok()?;
            let days = days.as_primitive::<Int32Type>();
            Some(std::sync::Arc::new(
                days.unary::<_, Float64Type>(|days| f64::from(days) * DAY),
            ))
        }
        DataType::Timestamp(unit, _) => {
            let whole = cast(array, &DataType::Int64).ok()?;
            let by = match unit {
                TimeUnit::Second => 1e9,
                TimeUnit::Millisecond => 1e6,
                TimeUnit::Microsecond => 1e3,
                TimeUnit::Nanosecond => 1.0,
            };
            scaled(&whole, by)
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let steps = array.as_primitive::<IntervalMonthDayNanoType>();
            let steps: Float64Array = steps.unary(|step| {
                f64::from(step.months) * 28.0 * DAY
                    + f64::from(step.days) * DAY
                    + step.nanoseconds as f64
            });
            Some(std::sync::Arc::new(steps))
        }
        _ => None,
    }
}
