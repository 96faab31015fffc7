//! A cell's state as bytes, for rollups.

use std::sync::Arc;

use tachograph_model::{COLUMNS, UnixNanos};
use tachograph_stats::Histogram;

use super::cell::{Cell, Unit, Whole};
use super::distribution::Distribution;

const VERSION: u8 = 1;

/// Appends everything of a cell but its key, start and count.
pub(crate) fn encode_state(cell: &Cell, out: &mut Vec<u8>) {
    out.push(VERSION);
    put(out, zigzag(i128::from(cell.first.0)));
    put(out, zigzag(i128::from(cell.last.0)));
    put(out, u128::from(cell.negative));
    let hours = cell.by_hour.iter().filter(|count| **count != 0).count();
    put(out, hours as u128);
    for (hour, count) in cell.by_hour.iter().enumerate() {
        if *count != 0 {
            out.push(hour as u8);
            put(out, u128::from(*count));
        }
    }
    for distribution in [&cell.durations, &cell.values, &cell.costs] {
        if distribution.is_empty() {
            put(out, 0);
            continue;
        }
        let bytes = match distribution {
            Distribution::Sketch(histogram) => histogram.encode(),
            Distribution::Exact(_) => distribution.to_histogram().encode(),
        };
        put(out, bytes.len() as u128);
        out.extend(bytes);
    }
    put(out, cell.wholes.len() as u128);
    for (column, whole) in &cell.wholes {
        out.push(*column as u8);
        put(out, u128::from(whole.present));
        put(out, zigzag(whole.sum));
        put(out, zigzag(i128::from(whole.min)));
        put(out, zigzag(i128::from(whole.max)));
    }
    put(out, cell.entities.len() as u128);
    for (entity, count) in &cell.entities {
        put(out, entity.len() as u128);
        out.extend(entity.as_bytes());
        put(out, u128::from(*count));
    }
    // States of before there were units end here.
    match &cell.unit {
        Unit::Unsaid => {}
        Unit::Several => put(out, 0),
        Unit::One(unit) => {
            put(out, unit.len() as u128 + 1);
            out.extend(unit.as_bytes());
        }
    }
}

/// Merges an encoded state into a cell. `None` when the bytes are no state;
/// the cell is then in part changed and must be dropped.
pub(crate) fn decode_state(bytes: &[u8], cell: &mut Cell) -> Option<()> {
    let mut reader = Reader { bytes };
    if reader.byte()? != VERSION {
        return None;
    }
    cell.first = cell.first.min(UnixNanos(reader.i64()?));
    cell.last = cell.last.max(UnixNanos(reader.i64()?));
    cell.negative += reader.u64()?;
    for _ in 0..reader.u64()? {
        let hour = reader.byte()?;
        *cell.by_hour.get_mut(usize::from(hour))? += reader.u64()?;
    }
    for distribution in [&mut cell.durations, &mut cell.values, &mut cell.costs] {
        let length = reader.length()?;
        if length == 0 {
            continue;
        }
        let bytes = reader.take(length)?;
        if let Distribution::Exact(values) = distribution {
            *distribution = Distribution::Sketch(values.drain(..).collect::<Histogram>());
        }
        if let Distribution::Sketch(histogram) = distribution {
            histogram.merge_encoded(bytes).ok()?;
        }
    }
    for _ in 0..reader.u64()? {
        let column = COLUMNS.get(usize::from(reader.byte()?))?.column;
        let whole = Whole {
            present: reader.u64()?,
            sum: unzigzag(reader.number()?),
            min: reader.i64()?,
            max: reader.i64()?,
        };
        cell.whole_mut(column).merge(&whole);
    }
    for _ in 0..reader.u64()? {
        let length = reader.length()?;
        let entity = std::str::from_utf8(reader.take(length)?).ok()?;
        let count = reader.u64()?;
        match cell.entities.get_mut(entity) {
            Some(held) => *held += count,
            None => {
                cell.entities.insert(Arc::from(entity), count);
            }
        }
    }
    if !reader.bytes.is_empty() {
        let unit = match reader.length()?.checked_sub(1) {
            None => Unit::Several,
            Some(length) => Unit::One(std::str::from_utf8(reader.take(length)?).ok()?.into()),
        };
        cell.unit.merge(&unit);
    }
    reader.bytes.is_empty().then_some(())
}

fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

fn unzigzag(value: u128) -> i128 {
    (value >> 1) as i128 ^ -((value & 1) as i128)
}

/// LEB128.
fn put(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self) -> Option<u128> {
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn u64(&mut self) -> Option<u64> {
        u64::try_from(self.number()?).ok()
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn i64(&mut self) -> Option<i64> {
        i64::try_from(unzigzag(self.number()?)).ok()
    }
}
