//! Taking a run of rows, all of one series and bucket, into its cell.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use tachograph_model::UnixNanos;

use super::columns::Columns;
use crate::fold::cell::{Cell, Grain};
use crate::fold::distribution::Distribution;

pub(super) fn add_run(
    cell: &mut Cell,
    columns: &Columns,
    times: &[i64],
    run: Range<usize>,
    grain: Grain,
) {
    cell.count += run.len() as u64;
    add_times(cell, &times[run.clone()], grain);
    let [durations, values, costs] = &columns.floats;
    if let Some(array) = durations {
        let negative = &mut cell.negative;
        add_floats(&mut cell.durations, array, run.clone(), |value| {
            *negative += u64::from(value < 0.0);
            value >= 0.0
        });
    }
    for (distribution, array) in [(&mut cell.values, values), (&mut cell.costs, costs)] {
        if let Some(array) = array {
            add_floats(distribution, array, run.clone(), |_| true);
        }
    }
    for (column, array) in &columns.wholes {
        let array = array.as_primitive::<Int64Type>();
        let mut rows = run.clone();
        let Some(first) = rows.find(|row| array.is_valid(*row)) else {
            continue;
        };
        let whole = cell.whole_mut(*column);
        whole.add(array.value(first));
        if array.null_count() == 0 {
            for value in &array.values()[rows] {
                whole.add(*value);
            }
        } else {
            for row in rows.filter(|row| array.is_valid(*row)) {
                whole.add(array.value(row));
            }
        }
    }
    if !columns.units.is_empty() {
        let units = run.clone().filter_map(|row| columns.units.get(row));
        units.for_each(|unit| cell.unit.say(unit));
    }
    if let Some(array) = &columns.entities {
        add_entities(cell, array, run);
    }
}

fn add_times(cell: &mut Cell, times: &[i64], grain: Grain) {
    let (mut low, mut high) = (i64::MAX, i64::MIN);
    for time in times {
        low = low.min(*time);
        high = high.max(*time);
    }
    cell.first = cell.first.min(UnixNanos(low));
    cell.last = cell.last.max(UnixNanos(high));
    if Grain::Hour.is_made_of(grain) {
        let hour = UnixNanos(low).hour_of_day();
        cell.by_hour[usize::from(hour)] += times.len() as u64;
        return;
    }
    // Times ascend within a run of a segment: the hour changes seldom.
    let hour_nanos = Grain::Hour.nanos().unwrap_or(1);
    let (mut start, mut hour) = (i64::MAX, 0);
    for time in times {
        if (time.wrapping_sub(start)) as u64 >= hour_nanos as u64 {
            start = Grain::Hour.start_of(UnixNanos(*time)).0;
            hour = usize::from(UnixNanos(*time).hour_of_day());
        }
        cell.by_hour[hour] += 1;
    }
}

fn add_floats(
    distribution: &mut Distribution,
    array: &Arc<dyn Array>,
    run: Range<usize>,
    mut keep: impl FnMut(f64) -> bool,
) {
    let array = array.as_primitive::<Float64Type>();
    let slice = &array.values()[run.clone()];
    let whole = match array.nulls() {
        None => true,
        Some(nulls) => nulls.slice(run.start, run.len()).null_count() == 0,
    };
    // Zero is positive here: one comparison finds negative, NaN and infinite.
    if whole && slice.iter().all(|value| (0.0..=f64::MAX).contains(value)) {
        match distribution {
            Distribution::Exact(values) => values.extend_from_slice(slice),
            Distribution::Sketch(histogram) => histogram.extend(slice.iter().copied()),
        }
        return;
    }
    for row in run {
        if array.is_valid(row) {
            let value = array.value(row);
            if value.is_finite() && keep(value) {
                distribution.insert(value);
            }
        }
    }
}

fn add_entities(cell: &mut Cell, array: &Arc<dyn Array>, run: Range<usize>) {
    let lists = array.as_list::<i32>();
    for row in run.filter(|row| lists.is_valid(*row)) {
        let list = lists.value(row);
        let texts = list.as_string::<i32>();
        for entity in texts.iter().flatten() {
            match cell.entities.get_mut(entity) {
                Some(count) => *count += 1,
                None => {
                    cell.entities.insert(Arc::from(entity), 1);
                }
            }
        }
    }
}
