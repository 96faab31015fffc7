//! Line → typed cells. What no column can hold exactly goes to `extra`.

use std::borrow::Cow;

use super::scan::{self, Member, Token};
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
    /// For [`Type::Json`]: a JSON object, as it stands in the line.
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
}

impl Decoder {
    /// Decodes one line (without its newline) into `visitor`.
    ///
    /// Costs about 150 ns for a line of 170 bytes; allocates only for escaped
    /// text.
    ///
    /// # Errors
    /// [`LineError`] when the line holds no event; `visitor` is then untouched.
    pub fn decode(&mut self, line: &[u8], visitor: &mut impl Visitor) -> Result<(), LineError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(LineError::TooLong {
                limit: MAX_LINE_BYTES,
            });
        }
        let line = std::str::from_utf8(line).map_err(|_| LineError::Encoding)?;
        scan::members(line.as_bytes(), &mut self.members).map_err(|at| LineError::Syntax { at })?;
        self.drop_repeated(line);
        self.validate(line)?;
        let time = self.timestamp(line)?;
        let type_at = self.find(line, "event_type").ok_or(LineError::NoType)?;
        let event_type = text(line, &self.members[type_at]).ok_or(LineError::NoType)?;
        let kind = Kind::by_name(&event_type);
        visitor.begin(time, &event_type, kind);
        let mut guess = 0;
        for at in 0..self.members.len() {
            let member = self.members[at];
            let key = slice(line, member.key);
            if key == "timestamp" || key == "event_type" {
                continue;
            }
            let Some((field, next)) = kind.and_then(|kind| field(kind, key, guess)) else {
                extra(line, &member, visitor, &mut self.scratch);
                continue;
            };
            guess = next;
            if !cell(line, &member, field, visitor, &mut self.scratch) {
                extra(line, &member, visitor, &mut self.scratch);
            }
        }
        Ok(())
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

    /// Escapes and nested values are rare: serde_json has the last word on
    /// those lines, so that what we keep as text is always valid JSON.
    fn validate(&self, line: &str) -> Result<(), LineError> {
        for member in &self.members {
            let whole = match member.token {
                Token::Nested => slice(line, member.value),
                Token::Str { escaped: true } => quoted(line, member.value),
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

    fn timestamp(&self, line: &str) -> Result<UnixNanos, LineError> {
        let at = self.find(line, "timestamp").ok_or(LineError::NoTimestamp)?;
        let member = &self.members[at];
        let text = text(line, member).ok_or(LineError::NoTimestamp)?;
        // A timestamp without an offset is UTC: every writer of this format
        // works in UTC, and a guess at a local zone would move the event.
        Ok(UnixNanos::parse(&text, true)?)
    }

    fn find(&self, line: &str, key: &str) -> Option<usize> {
        self.members
            .iter()
            .position(|member| slice(line, member.key) == key)
    }
}

fn slice(line: &str, (from, to): (u32, u32)) -> &str {
    &line[from as usize..to as usize]
}

fn quoted(line: &str, (from, to): (u32, u32)) -> &str {
    &line[from as usize - 1..to as usize + 1]
}

fn text<'a>(line: &'a str, member: &Member) -> Option<Cow<'a, str>> {
    match member.token {
        Token::Str { escaped: false } => Some(Cow::Borrowed(slice(line, member.value))),
        Token::Str { escaped: true } => serde_json::from_str::<String>(quoted(line, member.value))
            .ok()
            .map(Cow::Owned),
        _ => None,
    }
}

/// Fields nearly always come in the table's order: look where the last one
/// was found first.
fn field(kind: &'static Kind, key: &str, guess: usize) -> Option<(&'static Field, usize)> {
    if let Some(field) = kind.fields.get(guess)
        && field.key == key
    {
        return Some((field, guess + 1));
    }
    let at = kind.fields.iter().position(|field| field.key == key)?;
    Some((&kind.fields[at], at + 1))
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
        (Type::Str, Token::Str { escaped: false }) => {
            visitor.cell(field.column, Cell::Str(value));
            true
        }
        (Type::Str, Token::Str { escaped: true }) => {
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
        (Type::I64, Token::Int) => match value.parse() {
            Ok(whole) if value != "-0" => {
                visitor.cell(field.column, Cell::I64(whole));
                true
            }
            _ => false,
        },
        (Type::F64, Token::Int | Token::Float) => float(value, member.token, field, visitor),
        (Type::List, Token::Nested) if is_list_of_texts(value) => {
            visitor.cell(field.column, Cell::List(value));
            true
        }
        (Type::Json, Token::Nested) if value.starts_with('{') => {
            visitor.cell(field.column, Cell::Json(value));
            true
        }
        _ => false,
    }
}

fn float(value: &str, token: Token, field: &Field, visitor: &mut impl Visitor) -> bool {
    let Ok(number) = value.parse::<f64>() else {
        return false;
    };
    let scaled = number * field.scale;
    if !scaled.is_finite() {
        return false;
    }
    visitor.cell(field.column, Cell::F64(scaled));
    // What the writer would not print the same way is kept as it came.
    token == Token::Float
        && (field.scale == 1.0 || scaled / field.scale == number)
        && !(number == 0.0 && value.bytes().any(|b| (b'1'..=b'9').contains(&b)))
}

fn is_list_of_texts(json: &str) -> bool {
    serde_json::from_str::<Vec<Cow<'_, str>>>(json).is_ok()
}

fn extra(line: &str, member: &Member, visitor: &mut impl Visitor, scratch: &mut String) {
    let key = slice(line, member.key);
    let value = match member.token {
        Token::Str { .. } => quoted(line, member.value),
        // The text of a NaN is not JSON; a null says as much.
        Token::NonFinite => "null",
        _ => slice(line, member.value),
    };
    if !member.key_escaped {
        visitor.extra(key, value);
        return;
    }
    if let Ok(unescaped) = serde_json::from_str::<String>(quoted(line, member.key)) {
        scratch.clear();
        scratch.push_str(&unescaped);
        visitor.extra(scratch, value);
    }
}
