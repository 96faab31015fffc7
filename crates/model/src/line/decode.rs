//! Line → typed cells. What no column can hold exactly goes to `extra`.

use std::borrow::Cow;

use super::scan::{self, Member, Place, Token};
use crate::column::{Column, Type};
use crate::kind::{Field, Kind};
use crate::time::{TimeError, UnixNanos};

/// A value for a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// For [`Type::Str`].
    Str(&'a str),
    /// For [`Type::I64`].
    I64(i64),
    /// For [`Type::F64`]; always finite.
    F64(f64),
    /// For [`Type::Bool`].
    Bool(bool),
    /// For [`Type::List`]: a JSON array of texts, as it stands in the line.
    List(&'a str),
    /// For [`Type::Json`]: a JSON object, as it stands in the line or without
    /// members that no reader takes.
    Json(&'a str),
}

/// Takes what [`Decoder::decode`] finds, in this order: one `begin`, then
/// cells and extras. A line that fails calls nothing at all.
pub trait Visitor {
    /// The event's time and type.
    fn begin(&mut self, time: UnixNanos, event_type: &str, kind: Option<&'static Kind>);
    /// A value that its column carries.
    fn cell(&mut self, column: Column, cell: Cell<'_>);
    /// A member that no column carries exactly: its key, and its value as
    /// JSON text. When the column got a value too, this one overrides it on
    /// export.
    fn extra(&mut self, key: &str, json: &str);
    /// A member that is NaN, Infinity or -Infinity, as Python writes them. That
    /// text is not JSON; a null says as much.
    fn no_number(&mut self, key: &str, _text: &str) {
        self.extra(key, "null");
    }
}

/// Why a line holds no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// Not a JSON object.
    #[error("not a JSON object (at byte {at})")]
    Syntax {
        /// Offset in the line.
        at: usize,
    },
    /// Longer than a line may be.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// Longest line that is read.
        limit: usize,
    },
    /// No `timestamp`, or one that is no text.
    #[error("no timestamp")]
    NoTimestamp,
    /// A `timestamp` that cannot be read.
    #[error("timestamp: {0}")]
    Timestamp(#[from] TimeError),
    /// No `event_type`, or one that is no text.
    #[error("no event_type")]
    NoType,
}

/// The longest line that is read, in bytes. A longer one is skipped and named.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Reads lines; keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub struct Decoder {
    members: Vec<Member>,
    scratch: String,
    /// The kind of the last line: the next one is likely of it too.
    last: Option<&'static Kind>,
}

impl Decoder {
    /// Decodes one line (without its newline) into `visitor`.
    ///
    /// Costs about 200 ns for a line of 170 bytes; allocates only for escaped
    /// text.
    ///
    /// # Errors
    /// [`LineError`] when the line holds no event; `visitor` is then untouched.
    pub fn decode(&mut self, line: &[u8], visitor: &mut impl Visitor) -> Result<(), LineError> {
        self.decode_as(line, None, visitor)
    }

    /// As [`Self::decode`], for what others than our recorders write: a line
    /// without `timestamp` happened `now`, one that is a number counts the
    /// seconds since 1970.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_open(
        &mut self,
        line: &[u8],
        now: UnixNanos,
        visitor: &mut impl Visitor,
    ) -> Result<(), LineError> {
        self.decode_as(line, Some(now), visitor)
    }

    fn decode_as(
        &mut self,
        line: &[u8],
        now: Option<UnixNanos>,
        visitor: &mut impl Visitor,
    ) -> Result<(), LineError> {
        let (line, head) = self.read(line, now)?;
        let event_type = match head.event_type {
            Cow::Borrowed(text) => text,
            Cow::Owned(ref text) => text,
        };
        visitor.begin(head.time, event_type, head.kind);
        for member in &self.members {
            let field = match (member.place, head.kind) {
                (Place::Timestamp | Place::EventType, _) => continue,
                (Place::Field(at), Some(kind)) => &kind.fields[usize::from(at)],
                _ => {
                    extra(line, member, visitor, &mut self.scratch);
                    continue;
                }
            };
            if !cell(line, member, field, visitor, &mut self.scratch) {
                extra(line, member, visitor, &mut self.scratch);
            }
        }
        Ok(())
    }

    /// Finds the members, each with its place, and what comes before them.
    fn read<'a>(
        &mut self,
        line: &'a [u8],
        now: Option<UnixNanos>,
    ) -> Result<(&'a str, Head<'a>), LineError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(LineError::TooLong {
                limit: MAX_LINE_BYTES,
            });
        }
        let line = std::str::from_utf8(line).map_err(|_| LineError::Encoding)?;
        let mut seen = scan::members(line.as_bytes(), self.last, &mut self.members)
            .map_err(|at| LineError::Syntax { at })?;
        if seen.unordered && self.may_repeat(line) {
            self.drop_repeated(line);
        }
        if seen.unvalidated {
            self.validate(line)?;
        }
        let time = self.timestamp(line, now)?;
        let event_type = self
            .find(Place::EventType)
            .and_then(|member| text(line, member))
            .ok_or(LineError::NoType)?;
        if seen.unordered {
            seen.kind = Kind::by_name(&event_type);
            self.settle(line, seen.kind);
        }
        self.last = seen.kind;
        let head = Head {
            time,
            event_type,
            kind: seen.kind,
        };
        Ok((line, head))
    }

    /// Whether two keys may be equal. A key's length and its ends choose one of
    /// 64 marks; keys that share none are not equal.
    fn may_repeat(&self, line: &str) -> bool {
        let mut marks = 0_u64;
        self.members.iter().any(|member| {
            let key = &line.as_bytes()[member.key.0 as usize..member.key.1 as usize];
            let ends = match key {
                [] => 0,
                [first, .., last] => usize::from(*first) + 7 * usize::from(*last),
                [one] => usize::from(*one),
            };
            let mark = 1 << ((ends + 29 * key.len()) % 64);
            let marked = marks & mark != 0;
            marks |= mark;
            marked
        })
    }

    /// A duplicate key means the later one, as in Python.
    fn drop_repeated(&mut self, line: &str) {
        if self.members.len() > 64 {
            // Beyond what any writer writes: by hash, so that a hostile line
            // costs no more than its length.
            let mut seen = std::collections::HashSet::new();
            self.members.reverse();
            self.members
                .retain(|member| seen.insert(slice(line, member.key)));
            self.members.reverse();
            return;
        }
        let mut at = 0;
        while at < self.members.len() {
            let key = self.members[at].key;
            let length = key.1 - key.0;
            let repeated = self.members[at + 1..].iter().any(|later| {
                later.key.1 - later.key.0 == length && slice(line, later.key) == slice(line, key)
            });
            if repeated {
                self.members.remove(at);
            } else {
                at += 1;
            }
        }
    }

    /// Gives each member its place, now that the kind is known for certain.
    fn settle(&mut self, line: &str, kind: Option<&'static Kind>) {
        for member in &mut self.members {
            if !matches!(member.place, Place::Timestamp | Place::EventType) {
                member.place = scan::place_of(kind, slice(line, member.key).as_bytes());
            }
        }
    }

    /// Escapes and nested values are rare: serde_json has the last word on
    /// those lines, so that what we keep as text is always valid JSON.
    fn validate(&self, line: &str) -> Result<(), LineError> {
        for member in &self.members {
            let whole = match member.token {
                Token::Nested => slice(line, member.value),
                Token::Escaped => quoted(line, member.value),
                _ => "",
            };
            let key = if member.key_escaped {
                quoted(line, member.key)
            } else {
                ""
            };
            for part in [whole, key] {
                if !part.is_empty() && serde_json::from_str::<serde::de::IgnoredAny>(part).is_err()
                {
                    return Err(LineError::Syntax {
                        at: member.value.0 as usize,
                    });
                }
            }
        }
        Ok(())
    }

    fn timestamp(&self, line: &str, now: Option<UnixNanos>) -> Result<UnixNanos, LineError> {
        let member = self.find(Place::Timestamp);
        match (member, now) {
            (None, Some(now)) => return Ok(now),
            (Some(member), Some(_)) if member.token.is_number() => {
                let seconds = slice(line, member.value).parse().ok();
                let time = seconds.and_then(UnixNanos::from_epoch_seconds);
                return Ok(time.ok_or(TimeError::OutOfRange)?);
            }
            _ => {}
        }
        let text = member
            .and_then(|member| text(line, member))
            .ok_or(LineError::NoTimestamp)?;
        // A timestamp without an offset is UTC: every writer of this format
        // works in UTC, and a guess at a local zone would move the event.
        Ok(UnixNanos::parse(&text, true)?)
    }

    fn find(&self, place: Place) -> Option<&Member> {
        self.members.iter().find(|member| member.place == place)
    }
}

/// What stands before the fields.
struct Head<'a> {
    time: UnixNanos,
    event_type: Cow<'a, str>,
    kind: Option<&'static Kind>,
}

#[inline]
fn slice(line: &str, (from, to): (u32, u32)) -> &str {
    &line[from as usize..to as usize]
}

fn quoted(line: &str, (from, to): (u32, u32)) -> &str {
    &line[from as usize - 1..to as usize + 1]
}

#[inline]
fn text<'a>(line: &'a str, member: &Member) -> Option<Cow<'a, str>> {
    match member.token {
        Token::Str => Some(Cow::Borrowed(slice(line, member.value))),
        Token::Escaped => serde_json::from_str::<String>(quoted(line, member.value))
            .ok()
            .map(Cow::Owned),
        _ => None,
    }
}

/// Gives the column its value. False when the column cannot carry the member
/// exactly, so that it belongs to `extra` (as well).
fn cell(
    line: &str,
    member: &Member,
    field: &Field,
    visitor: &mut impl Visitor,
    scratch: &mut String,
) -> bool {
    let value = slice(line, member.value);
    match (field.column.def().ty, member.token) {
        (Type::Str, Token::Str) => {
            visitor.cell(field.column, Cell::Str(value));
            true
        }
        (Type::Str, Token::Escaped) => {
            let Some(text) = text(line, member) else {
                return false;
            };
            scratch.clear();
            scratch.push_str(&text);
            visitor.cell(field.column, Cell::Str(scratch));
            true
        }
        (Type::Bool, Token::True | Token::False) => {
            visitor.cell(field.column, Cell::Bool(member.token == Token::True));
            true
        }
        (Type::I64, Token::Int) => {
            let whole = member.number.cast_signed();
            if whole < 0 && !field.signed {
                return false;
            }
            visitor.cell(field.column, Cell::I64(whole));
            true
        }
        (Type::F64, Token::Int | Token::OddInt | Token::Float | Token::LongFloat) => {
            float(value, member, field, visitor)
        }
        (Type::List, Token::Nested) if is_list_of_texts(value) => {
            visitor.cell(field.column, Cell::List(value));
            true
        }
        (Type::Json, Token::Nested) if value.starts_with('{') => match odd_members(value) {
            None => {
                visitor.cell(field.column, Cell::Json(value));
                true
            }
            Some(rest) => {
                visitor.cell(field.column, Cell::Json(&rest));
                false
            }
        },
        _ => false,
    }
}

fn float(value: &str, member: &Member, field: &Field, visitor: &mut impl Visitor) -> bool {
    let number = match member.token {
        Token::Int => member.number.cast_signed() as f64,
        Token::Float => f64::from_bits(member.number),
        _ => match value.parse() {
            Ok(number) => number,
            Err(_) => return false,
        },
    };
    let scaled = number * field.scale;
    if !scaled.is_finite() {
        return false;
    }
    visitor.cell(field.column, Cell::F64(scaled));
    // What the writer would not print the same way is kept as it came.
    matches!(member.token, Token::Float | Token::LongFloat)
        && (field.scale == 1.0 || scaled / field.scale == number)
        && !(number == 0.0 && value.bytes().any(|b| (b'1'..=b'9').contains(&b)))
}

/// An object without the members that are JSON by the letter but that hardly
/// any reader takes: a number beyond a double's range, nesting without end.
/// `None` when there are none of them; what was left out stands in `extra`,
/// where the whole object is kept as it came.
fn odd_members(object: &str) -> Option<String> {
    // Such a number has an exponent or is long, such nesting is long.
    let exponent = |pair: &[u8]| pair[0].is_ascii_digit() && matches!(pair[1], b'e' | b'E');
    let suspect = object.len() > 250 || object.as_bytes().windows(2).any(exponent);
    if !suspect || serde_json::from_str::<serde_json::Map<_, _>>(object).is_ok() {
        return None;
    }
    let mut members = Vec::new();
    // Brackets and quotes match, as has been validated.
    let _ = scan::members(object.as_bytes(), None, &mut members);
    let mut rest = String::from("{");
    for member in &members {
        let value = match member.token {
            Token::Str | Token::Escaped => quoted(object, member.value),
            _ => slice(object, member.value),
        };
        if serde_json::from_str::<serde_json::Value>(value).is_err() {
            continue;
        }
        if rest.len() > 1 {
            rest.push(',');
        }
        rest.push_str(quoted(object, member.key));
        rest.push(':');
        rest.push_str(value);
    }
    rest.push('}');
    Some(rest)
}

fn is_list_of_texts(json: &str) -> bool {
    serde_json::from_str::<Vec<Cow<'_, str>>>(json).is_ok()
}

fn extra(line: &str, member: &Member, visitor: &mut impl Visitor, scratch: &mut String) {
    let key = slice(line, member.key);
    let mut tell = |key: &str| match member.token {
        Token::Str | Token::Escaped => visitor.extra(key, quoted(line, member.value)),
        Token::NonFinite => visitor.no_number(key, slice(line, member.value)),
        _ => visitor.extra(key, slice(line, member.value)),
    };
    if !member.key_escaped {
        tell(key);
        return;
    }
    if let Ok(unescaped) = serde_json::from_str::<String>(quoted(line, member.key)) {
        scratch.clear();
        scratch.push_str(&unescaped);
        tell(scratch);
    }
}
