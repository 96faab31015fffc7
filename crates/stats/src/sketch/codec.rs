//! The histogram on disk: buckets that hold something, as variable-length
//! differences, and the exact sum in about 16 bytes.
//!
//! ```text
//! version 1 │ non-finite │ zeros │ positive side │ negative side
//!           │ [min f64 LE │ max f64 LE │ residual sum]   (unless empty)
//! side:          how many, then per bucket: difference of the index, count
//! residual sum:  length × 2 + sign, bytes left out below, bytes
//! ```
//! All integers are LEB128. The encoding is canonical: equal histograms have
//! equal bytes.

use super::buckets::{Buckets, END, FIRST, MAX_CELL, index_of};
use super::{Ends, Histogram};
use crate::exact::ExactSum;

const VERSION: u8 = 1;

/// Why bytes are not a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Of a version that is not known.
    #[error("histogram: unknown version {0}")]
    Version(u8),
    /// Ends too early.
    #[error("histogram: bytes end at {at} in the middle of a field")]
    Short {
        /// Offset of the byte.
        at: usize,
    },
    /// A number is out of range.
    #[error("histogram: malformed number before byte {at}")]
    Number {
        /// Offset of the byte.
        at: usize,
    },
    /// A bucket is out of range or order.
    #[error("histogram: bucket out of order or range before byte {at}")]
    Bucket {
        /// Offset of the byte.
        at: usize,
    },
    /// Its parts contradict each other.
    #[error("histogram: minimum, maximum or sum do not fit the buckets")]
    Inconsistent,
    /// Bytes follow the end.
    #[error("histogram: {count} bytes after the end")]
    Trailing {
        /// How many.
        count: usize,
    },
}

impl Histogram {
    /// Two to four bytes a bucket, at most 40 beside them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        push(&mut bytes, self.non_finite);
        push(&mut bytes, self.zero);
        push_side(&mut bytes, &self.positive);
        push_side(&mut bytes, &self.negative);
        if self.is_empty() {
            return bytes;
        }
        bytes.extend(self.ends.min.to_le_bytes());
        bytes.extend(self.ends.max.to_le_bytes());
        let (negative, skipped, sum) = self.residuals().to_bytes();
        push(&mut bytes, (sum.len() as u64) << 1 | u64::from(negative));
        if !sum.is_empty() {
            push(&mut bytes, skipped as u64);
            bytes.extend(sum);
        }
        bytes
    }

    /// The histogram that [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are anything else. Never panics; allocates at most 4 MB a
    /// side, whatever the bytes say.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut histogram = Self::new();
        histogram.merge_encoded(bytes)?;
        Ok(histogram)
    }

    /// Merges an encoded histogram without building it first: the way to add up
    /// many rollups.
    ///
    /// # Errors
    /// As [`decode`](Self::decode); nothing was merged then.
    pub fn merge_encoded(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        // Once to check, once to add: an error leaves `self` as it was.
        let mut coming = [(0, None); 2];
        let tail = read(bytes, |side, index, _| {
            let (some, ends) = &mut coming[side as usize];
            let (first, _) = *ends.get_or_insert((index, index));
            (*some, *ends) = (*some + 1, Some((first, index)));
        })?;
        for (side, (some, ends)) in [&mut self.positive, &mut self.negative]
            .into_iter()
            .zip(coming)
        {
            if let Some(ends) = ends {
                side.expect(some, ends);
            }
        }
        read(bytes, |side, index, count| match side {
            Side::Positive => self.positive.add_count(index, count),
            Side::Negative => self.negative.add_count(index, count),
        })?;
        self.zero = self.zero.saturating_add(tail.zero);
        self.non_finite = self.non_finite.saturating_add(tail.non_finite);
        if let Some((ends, residuals)) = tail.rest {
            self.widen(ends);
            self.carry(&residuals);
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Positive,
    Negative,
}

struct Tail {
    zero: u64,
    non_finite: u64,
    rest: Option<(Ends, ExactSum)>,
}

fn read(bytes: &[u8], mut each: impl FnMut(Side, u32, u64)) -> Result<Tail, DecodeError> {
    let mut reader = Reader { bytes, at: 0 };
    match reader.take(1)?[0] {
        VERSION => {}
        other => return Err(DecodeError::Version(other)),
    }
    let non_finite = reader.number()?;
    let zero = reader.number()?;
    let positive = reader.side(|index, count| each(Side::Positive, index, count))?;
    let negative = reader.side(|index, count| each(Side::Negative, index, count))?;
    let rest = if zero == 0 && positive.is_none() && negative.is_none() {
        None
    } else {
        let ends = reader.ends()?;
        if !fits(ends, zero, positive, negative) {
            return Err(DecodeError::Inconsistent);
        }
        Some((ends, reader.residuals()?))
    };
    match bytes.len() - reader.at {
        0 => Ok(Tail {
            zero,
            non_finite,
            rest,
        }),
        count => Err(DecodeError::Trailing { count }),
    }
}

/// Whether minimum and maximum lie in the outermost buckets.
fn fits(ends: Ends, zero: u64, positive: Option<(u32, u32)>, negative: Option<(u32, u32)>) -> bool {
    let lies_in = |value: f64, index: u32| value.is_normal() && index_of(value) == index;
    let min = match (negative, positive) {
        (Some((_, outermost)), _) => lies_in(-ends.min, outermost),
        (None, Some((first, _))) if zero == 0 => lies_in(ends.min, first),
        _ => ends.min.to_bits() == 0,
    };
    let max = match (positive, negative) {
        (Some((_, outermost)), _) => lies_in(ends.max, outermost),
        (None, Some((first, _))) if zero == 0 => lies_in(-ends.max, first),
        _ => ends.max.to_bits() == 0,
    };
    min && max && ends.min <= ends.max
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let short = DecodeError::Short {
            at: self.bytes.len(),
        };
        let end = self.at.checked_add(count).ok_or(short)?;
        let taken = self.bytes.get(self.at..end).ok_or(short)?;
        self.at = end;
        Ok(taken)
    }

    /// LEB128 in its shortest form.
    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            let part = u64::from(byte & 0x7f);
            let malformed = DecodeError::Number { at: self.at };
            if part << shift >> shift != part {
                return Err(malformed);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                let padded = byte == 0 && shift > 0;
                return if padded { Err(malformed) } else { Ok(value) };
            }
        }
        Err(DecodeError::Number { at: self.at })
    }

    /// Calls `each` per bucket; returns the first and last index.
    fn side(&mut self, mut each: impl FnMut(u32, u64)) -> Result<Option<(u32, u32)>, DecodeError> {
        let buckets = self.number()?;
        let mut ends: Option<(u32, u32)> = None;
        for _ in 0..buckets {
            let difference = self.number()?;
            let count = self.number()?;
            let previous = ends.map_or(FIRST, |(_, last)| last);
            let index = u64::from(previous).saturating_add(difference);
            let repeated = ends.is_some() && difference == 0;
            if repeated || index >= u64::from(END) || count == 0 || count > MAX_CELL {
                return Err(DecodeError::Bucket { at: self.at });
            }
            let index = index as u32;
            ends = Some((ends.map_or(index, |(first, _)| first), index));
            each(index, count);
        }
        Ok(ends)
    }

    fn ends(&mut self) -> Result<Ends, DecodeError> {
        Ok(Ends {
            min: self.float()?,
            max: self.float()?,
        })
    }

    fn float(&mut self) -> Result<f64, DecodeError> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(f64::from_le_bytes(bytes))
    }

    fn residuals(&mut self) -> Result<ExactSum, DecodeError> {
        let head = self.number()?;
        let negative = head & 1 == 1;
        if head >> 1 == 0 {
            return if negative {
                Err(DecodeError::Inconsistent)
            } else {
                Ok(ExactSum::new())
            };
        }
        let skipped = self.number()?;
        let length = usize::try_from(head >> 1).unwrap_or(usize::MAX);
        let bytes = self.take(length)?;
        usize::try_from(skipped)
            .ok()
            .and_then(|skipped| ExactSum::from_bytes(negative, skipped, bytes))
            .ok_or(DecodeError::Inconsistent)
    }
}

fn push_side(bytes: &mut Vec<u8>, side: &Buckets) {
    push(bytes, side.counts().count() as u64);
    let mut previous = FIRST;
    for (index, count) in side.counts() {
        push(bytes, u64::from(index - previous));
        push(bytes, count);
        previous = index;
    }
}

fn push(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
