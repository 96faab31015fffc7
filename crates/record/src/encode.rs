//! Records → log lines. Every byte that is the same for all events of a kind
//! is prepared once; what is left per event is copying names and printing
//! integers.
//!
//! The lines are those that [`tachograph_model::write_event`] writes for the
//! same event. The same records always become the same bytes: crash recovery
//! depends on it.

use tachograph_model::UnixNanos;
use tachograph_model::number::{write_f64, write_i64, write_str};

use crate::ring::Header;
use crate::table::{Shape, Table};

/// Stands for a name that the table does not hold.
const NO_NAME: &str = "_other";

/// Writes lines.
pub(crate) struct Encoder {
    kinds: Vec<Kind>,
    names: Names,
    second: Second,
}

struct Kind {
    /// `","event_type":"tool_call"`: closes the timestamp.
    head: Vec<u8>,
    fields: Vec<Field>,
}

struct Field {
    /// `,"tool":`
    key: Vec<u8>,
    shape: Shape,
}

impl Encoder {
    pub(crate) fn new(table: &Table) -> Self {
        let kinds = table.0.iter().map(|entry| {
            let mut head = b"\",\"event_type\":".to_vec();
            write_str(&mut head, &entry.name);
            let fields = entry.slots.iter().map(|slot| {
                let mut key = b",".to_vec();
                write_str(&mut key, &slot.key);
                key.push(b':');
                Field {
                    key,
                    shape: slot.shape,
                }
            });
            Kind {
                head,
                fields: fields.collect(),
            }
        });
        Self {
            kinds: kinds.collect(),
            names: Names::default(),
            second: Second::default(),
        }
    }

    /// Returns how many names it knows; records may refer to no more.
    pub(crate) fn names(&self) -> usize {
        self.names.quoted.len()
    }

    /// Adds the next name.
    pub(crate) fn add_name(&mut self, text: &str) {
        self.names.add(text);
    }

    /// Appends the line of a record, newline included; nothing for a kind that
    /// the table does not have. A name that is not known is shown as `_other`.
    pub(crate) fn line(&mut self, record: &[u64], out: &mut Vec<u8>) -> Line {
        let [first, time, values @ ..] = record else {
            return Line::None;
        };
        let header = Header(*first);
        let Some(kind) = self.kinds.get(usize::from(header.kind())) else {
            return Line::None;
        };
        let mut known = true;
        out.extend_from_slice(b"{\"timestamp\":\"");
        self.second.write(*time as i64, out);
        out.extend_from_slice(&kind.head);
        let mut values = values.iter().copied();
        let mut presence = header.presence();
        while presence != 0 {
            let at = presence.trailing_zeros() as usize;
            presence &= presence - 1;
            let (Some(field), Some(value)) = (kind.fields.get(at), values.next()) else {
                break;
            };
            out.extend_from_slice(&field.key);
            known &= self.names.value(field.shape, value, &mut values, out);
        }
        out.extend_from_slice(b"}\n");
        if known {
            Line::Whole
        } else {
            Line::NameUnknown
        }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// There is no such kind.
    None,
    /// It is a line.
    Whole,
    /// It is a line, in which a name is missing.
    NameUnknown,
}

/// Names as the log shows them.
#[derive(Default)]
struct Names {
    quoted: Vec<Box<[u8]>>,
    json: Vec<Box<[u8]>>,
}

impl Names {
    fn add(&mut self, text: &str) {
        let mut quoted = Vec::with_capacity(text.len() + 2);
        write_str(&mut quoted, text);
        self.quoted.push(quoted.into());
        self.json.push(as_object(text).into_bytes().into());
    }

    fn quoted(&self, id: u64, out: &mut Vec<u8>) -> bool {
        match self.quoted.get(id as usize) {
            Some(name) => out.extend_from_slice(name),
            None => write_str(out, NO_NAME),
        }
        id < self.quoted.len() as u64
    }

    /// Appends a value; `false` when it names what is not known.
    #[inline]
    fn value(
        &self,
        shape: Shape,
        value: u64,
        more: &mut impl Iterator<Item = u64>,
        out: &mut Vec<u8>,
    ) -> bool {
        match shape {
            Shape::Name => return self.quoted(value, out),
            Shape::Hex => write_hex(value, out),
            Shape::Whole => write_i64(out, value as i64),
            Shape::Millis => write_scaled::<6>(value, out),
            Shape::Seconds => write_scaled::<9>(value, out),
            Shape::Float => write_f64(out, f64::from_bits(value)),
            Shape::Truth => out.extend_from_slice(if value == 0 { b"false" } else { b"true" }),
            Shape::List => {
                out.push(b'[');
                let mut known = true;
                for (at, id) in more.take(value as usize).enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    known &= self.quoted(id, out);
                }
                out.push(b']');
                return known;
            }
            Shape::Json => match self.json.get(value as usize) {
                Some(json) => out.extend_from_slice(json),
                None => {
                    out.extend_from_slice(as_object("").as_bytes());
                    return false;
                }
            },
        }
        true
    }
}

/// A name that is a JSON object on one line, as it is; anything else (too many
/// distinct ones become `_other`) as an object that says so.
fn as_object(text: &str) -> String {
    let whole = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
    if !whole {
        return "{\"_other\":true}".to_owned();
    }
    // Between tokens, where alone valid JSON can have them.
    text.trim().replace(['\n', '\r'], " ")
}

fn write_hex(value: u64, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut quoted = [b'"'; 18];
    for (at, digit) in quoted[1..17].iter_mut().enumerate() {
        *digit = DIGITS[(value >> (60 - 4 * at) & 15) as usize];
    }
    out.extend_from_slice(&quoted);
}

/// Writes `value / 10^PLACES` as Python's `repr` of the nearest float.
///
/// Up to 15 digits, a decimal is the shortest text of the float nearest to it,
/// so the digits of the integer are the answer. Below 1e-4 `repr` changes to
/// an exponent; that, and what is longer, goes the slow way.
fn write_scaled<const PLACES: usize>(value: u64, out: &mut Vec<u8>) {
    let unit = 10_u64.pow(PLACES as u32);
    if value >= 1_000_000_000_000_000 || (value != 0 && value < unit / 10_000) {
        return write_f64(out, value as f64 / unit as f64);
    }
    write_i64(out, (value / unit) as i64);
    let mut fraction = value % unit;
    let mut digits = [b'0'; PLACES];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
    let end = digits.iter().rposition(|d| *d != b'0').unwrap_or(0);
    out.push(b'.');
    out.extend_from_slice(&digits[..=end]);
}

/// Writes timestamps; remembers the second it wrote last.
#[derive(Default)]
struct Second {
    second: Option<i64>,
    text: Vec<u8>,
}

impl Second {
    fn write(&mut self, nanos: i64, out: &mut Vec<u8>) {
        // To the microsecond, which is what the log's readers take.
        let micros = nanos.saturating_add(500).div_euclid(1_000);
        let (second, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        if self.second != Some(second) {
            self.text.clear();
            UnixNanos(second.saturating_mul(1_000_000_000)).write(&mut self.text);
            let date_and_time = self.text.len().saturating_sub("+00:00".len());
            self.text.truncate(date_and_time);
            self.second = Some(second);
        }
        out.extend_from_slice(&self.text);
        if fraction != 0 {
            let mut digits = *b".000000";
            let mut rest = fraction;
            for digit in digits[1..].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            out.extend_from_slice(&digits);
        }
        out.extend_from_slice(b"+00:00");
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
