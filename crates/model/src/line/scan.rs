//! Finds the members of one flat JSON object without copying or allocating.
//!
//! Writers write the keys of a kind in one order, so the next key is known
//! before it is read: one comparison finds its end and its field, and tells
//! that it is no repetition.

use super::word::{self, Word};
use crate::kind::Kind;

/// A value as it stands in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Null,
    True,
    False,
    /// The text between the quotes, as it stands there.
    Str,
    /// A text with a backslash in it.
    Escaped,
    /// A number without point and exponent.
    Int,
    /// One that is -0 or beyond 64 bits: [`Member::number`] is unset.
    OddInt,
    /// A number with a point.
    Float,
    /// One with an exponent or too many digits: [`Member::number`] is unset.
    LongFloat,
    /// Bare NaN, Infinity or -Infinity, as Python writes them.
    NonFinite,
    /// An object or array, brackets included; not yet validated.
    Nested,
}

impl Token {
    /// Whether it is a number that JSON has.
    pub(crate) fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int | Self::OddInt | Self::Float | Self::LongFloat
        )
    }
}

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Timestamp,
    EventType,
    /// The number of the kind's field.
    Field(u8),
    /// Not a field of the kind.
    Extra,
    /// Not known yet: the type comes later.
    Open,
}

/// One member: ranges into the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) key: (u32, u32),
    pub(crate) value: (u32, u32),
    /// Bits of the value: an `i64` of [`Token::Int`], an `f64` of
    /// [`Token::Float`].
    pub(crate) number: u64,
    pub(crate) token: Token,
    pub(crate) place: Place,
    pub(crate) key_escaped: bool,
}

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// The kind that a plain `event_type` names.
    pub(crate) kind: Option<&'static Kind>,
    /// Its keys did not come in the table's order: places may be open, and a
    /// key may stand there twice.
    pub(crate) unordered: bool,
    /// There are escapes or nested values, which nobody has validated.
    pub(crate) unvalidated: bool,
}

/// Reads the members of the object that `line` is; `last` is the kind of the
/// line before. `Err` is the offset at which it stops being JSON.
pub(crate) fn members(
    line: &[u8],
    last: Option<&'static Kind>,
    out: &mut Vec<Member>,
) -> Result<Seen, usize> {
    out.clear();
    let mut seen = Seen::default();
    let mut next = Next::Timestamp;
    let mut at = skip_space(line, 0);
    if line.get(at) != Some(&b'{') {
        return Err(at);
    }
    at = skip_space(line, at + 1);
    if line.get(at) == Some(&b'}') {
        return end(line, at + 1).map(|()| seen);
    }
    loop {
        let (key_end, key_escaped, place) = match next.expected(seen.kind) {
            Some((key, place)) if has_key(line, at, key) => (at + 1 + key.len(), false, place),
            _ => {
                if line.get(at) != Some(&b'"') {
                    return Err(at);
                }
                let (key_end, escaped) = string(line, at + 1)?;
                let place = next.place_of(seen.kind, &line[at + 1..key_end]);
                (key_end, escaped, place)
            }
        };
        let key = (at as u32 + 1, key_end as u32);
        at = skip_space(line, key_end + 1);
        if line.get(at) != Some(&b':') {
            return Err(at);
        }
        at = skip_space(line, at + 1);
        let (value, after) = value(line, at)?;
        seen.unordered |= !next.pass(place);
        seen.unvalidated |= key_escaped | matches!(value.token, Token::Nested | Token::Escaped);
        if place == Place::EventType {
            if value.token == Token::Str {
                seen.kind = kind(&line[value.from as usize..value.to as usize], last);
            } else {
                seen.unordered = true;
            }
        }
        out.push(Member {
            key,
            value: (value.from, value.to),
            number: value.number,
            token: value.token,
            place,
            key_escaped,
        });
        at = skip_space(line, after);
        match line.get(at) {
            Some(b',') => at = skip_space(line, at + 1),
            Some(b'}') => return end(line, at + 1).map(|()| seen),
            _ => return Err(at),
        }
    }
}

fn kind(name: &[u8], last: Option<&'static Kind>) -> Option<&'static Kind> {
    last.filter(|kind| kind.name.as_bytes() == name)
        .or_else(|| Kind::by_name(std::str::from_utf8(name).ok()?))
}

/// Which key comes next when the line is as its writers write it.
#[derive(Clone, Copy)]
enum Next {
    Timestamp,
    EventType,
    Field(u8),
}

impl Next {
    #[inline(always)]
    fn expected(self, kind: Option<&'static Kind>) -> Option<(&'static str, Place)> {
        match self {
            Self::Timestamp => Some(("timestamp", Place::Timestamp)),
            Self::EventType => Some(("event_type", Place::EventType)),
            Self::Field(at) => {
                let field = kind?.fields.get(usize::from(at))?;
                Some((field.key, Place::Field(at)))
            }
        }
    }

    /// What a key stands for that was not expected.
    fn place_of(self, kind: Option<&'static Kind>, key: &[u8]) -> Place {
        match (self, key) {
            (_, b"timestamp") => Place::Timestamp,
            (_, b"event_type") => Place::EventType,
            (Self::Timestamp | Self::EventType, _) => Place::Open,
            (Self::Field(_), _) => place_of(kind, key),
        }
    }

    /// Goes on behind `place`. False when that was out of order, so that it may
    /// be a repetition.
    #[inline]
    fn pass(&mut self, place: Place) -> bool {
        match (*self, place) {
            (Self::Timestamp, Place::Timestamp) => *self = Self::EventType,
            (Self::EventType, Place::EventType) => *self = Self::Field(0),
            (Self::Field(next), Place::Field(at)) if at >= next => *self = Self::Field(at + 1),
            _ => return false,
        }
        true
    }
}

/// What a key that is neither time nor type stands for in a kind.
pub(crate) fn place_of(kind: Option<&'static Kind>, key: &[u8]) -> Place {
    kind.and_then(|kind| {
        let fields = &mut kind.fields.iter();
        fields.position(|field| field.key.as_bytes() == key)
    })
    .map_or(Place::Extra, |at| Place::Field(at as u8))
}

/// Whether the quoted key stands at `at`.
#[inline(always)]
fn has_key(line: &[u8], at: usize, key: &str) -> bool {
    let length = key.len();
    line.get(at..at + length + 2).is_some_and(|text| {
        text[0] == b'"' && text[length + 1] == b'"' && text[1..=length] == *key.as_bytes()
    })
}

fn end(line: &[u8], at: usize) -> Result<(), usize> {
    let at = skip_space(line, at);
    if at == line.len() { Ok(()) } else { Err(at) }
}

/// Most lines have no space: one comparison tells.
#[inline(always)]
fn skip_space(line: &[u8], mut at: usize) -> usize {
    while line.get(at).is_some_and(|byte| *byte <= b' ') {
        if !matches!(line[at], b' ' | b'\t' | b'\r' | b'\n') {
            break;
        }
        at += 1;
    }
    at
}

/// Returns the offset of the closing quote of the string that starts at `at`.
#[inline]
fn string(line: &[u8], mut at: usize) -> Result<(usize, bool), usize> {
    let mut escaped = false;
    loop {
        while let Some(word) = Word::at(line, at) {
            let plain = word.plain_text();
            at += plain;
            if plain < word::BYTES {
                break;
            }
        }
        match line.get(at) {
            None => return Err(at),
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            Some(byte) if *byte < 0x20 => return Err(at),
            Some(_) => at += 1,
        }
    }
}

struct Value {
    token: Token,
    from: u32,
    to: u32,
    number: u64,
}

impl Value {
    #[inline(always)]
    fn new(token: Token, from: usize, to: usize) -> Self {
        Self {
            token,
            from: from as u32,
            to: to as u32,
            number: 0,
        }
    }
}

/// Reads the value at `at`; returns the offset behind it too.
#[inline(always)]
fn value(line: &[u8], at: usize) -> Result<(Value, usize), usize> {
    match line.get(at) {
        Some(b'"') => {
            let (close, escaped) = string(line, at + 1)?;
            let token = if escaped { Token::Escaped } else { Token::Str };
            Ok((Value::new(token, at + 1, close), close + 1))
        }
        Some(b'-' | b'0'..=b'9') => number(line, at),
        Some(b't') => literal(line, at, b"true", Token::True),
        Some(b'f') => literal(line, at, b"false", Token::False),
        Some(b'n') => literal(line, at, b"null", Token::Null),
        Some(b'N') => literal(line, at, b"NaN", Token::NonFinite),
        Some(b'I') => literal(line, at, b"Infinity", Token::NonFinite),
        Some(b'{' | b'[') => {
            let next = nested(line, at)?;
            Ok((Value::new(Token::Nested, at, next), next))
        }
        _ => Err(at),
    }
}

#[inline(always)]
fn literal(line: &[u8], at: usize, text: &[u8], token: Token) -> Result<(Value, usize), usize> {
    let end = at + text.len();
    if line.get(at..end) != Some(text) {
        return Err(at);
    }
    Ok((Value::new(token, at, end), end))
}

#[inline(always)]
fn number(line: &[u8], start: usize) -> Result<(Value, usize), usize> {
    let negative = line[start] == b'-';
    let whole = start + usize::from(negative);
    if line.get(whole) == Some(&b'I') {
        let (_, end) = literal(line, whole, b"Infinity", Token::NonFinite)?;
        return Ok((Value::new(Token::NonFinite, start, end), end));
    }
    let mut digits = Digits::default();
    let mut at = digits.read(line, whole)?;
    if line[whole] == b'0' && at > whole + 1 {
        return Err(whole);
    }
    let mut token = Token::OddInt;
    let mut bits = 0;
    if line.get(at) == Some(&b'.') {
        let point = at + 1;
        at = digits.read(line, point)?;
        token = Token::LongFloat;
        if let Some(value) = digits.decimal(negative, at - point) {
            token = Token::Float;
            bits = value.to_bits();
        }
    } else if let Some(value) = digits.whole(negative) {
        token = Token::Int;
        bits = value.cast_unsigned();
    }
    if let Some(b'e' | b'E') = line.get(at) {
        at += 1;
        at += usize::from(matches!(line.get(at), Some(b'+' | b'-')));
        at = Digits::default().read(line, at)?;
        token = Token::LongFloat;
    }
    let mut value = Value::new(token, start, at);
    value.number = bits;
    Ok((value, at))
}

/// The digits of a number, as far as 64 bits hold them.
#[derive(Default)]
struct Digits {
    value: u64,
    count: usize,
}

impl Digits {
    /// Any number of this many digits fits.
    const MOST: usize = 19;

    /// Reads on from `from`, where there must be a digit, to the last one.
    #[inline(always)]
    fn read(&mut self, line: &[u8], from: usize) -> Result<usize, usize> {
        let mut at = from;
        while let Some(eight) = Word::at(line, at).and_then(Word::eight_digits) {
            self.value = self.value.wrapping_mul(100_000_000).wrapping_add(eight);
            at += word::BYTES;
        }
        while let Some(digit @ b'0'..=b'9') = line.get(at) {
            let digit = u64::from(digit - b'0');
            self.value = self.value.wrapping_mul(10).wrapping_add(digit);
            at += 1;
        }
        self.count += at - from;
        if at == from { Err(at) } else { Ok(at) }
    }

    #[inline(always)]
    fn whole(&self, negative: bool) -> Option<i64> {
        if self.count > Self::MOST {
            return None;
        }
        match (negative, self.value) {
            (true, 0) => None,
            (true, value) => 0_i64.checked_sub_unsigned(value),
            (false, value) => i64::try_from(value).ok(),
        }
    }

    /// The value when the last `fraction` digits stand behind the point.
    ///
    /// Up to 2^53 and 10^22 doubles are exact, so that the quotient of the two
    /// is rounded once: W. D. Clinger, "How to read floating point numbers
    /// accurately", PLDI 1990; also the fast path of Rust's own parser.
    #[inline(always)]
    fn decimal(&self, negative: bool, fraction: usize) -> Option<f64> {
        if self.count > Self::MOST || self.value > 1 << 53 {
            return None;
        }
        let value = self.value as f64 / POWERS_OF_TEN.get(fraction)?;
        Some(if negative { -value } else { value })
    }
}

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Returns the offset behind the bracket that closes the one at `at`.
fn nested(line: &[u8], mut at: usize) -> Result<usize, usize> {
    let mut depth = 0_usize;
    loop {
        match line.get(at) {
            None => return Err(at),
            Some(b'"') => at = string(line, at + 1)?.0,
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            Some(_) => {}
        }
        at += 1;
    }
}
