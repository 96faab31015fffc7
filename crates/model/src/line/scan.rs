//! Finds the members of one flat JSON object without copying or allocating.

/// A value as it stands in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Null,
    True,
    False,
    /// The text between the quotes; `escaped` when it holds a backslash.
    Str {
        escaped: bool,
    },
    Int,
    Float,
    /// Bare NaN, Infinity or -Infinity, as Python writes them.
    NonFinite,
    /// An object or array, brackets included; not yet validated.
    Nested,
}

/// One member: ranges into the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) key: (u32, u32),
    pub(crate) key_escaped: bool,
    pub(crate) value: (u32, u32),
    pub(crate) token: Token,
}

/// Reads the members of the object that `line` is. `Err` is the offset at
/// which it stops being JSON.
pub(crate) fn members(line: &[u8], out: &mut Vec<Member>) -> Result<(), usize> {
    out.clear();
    let mut at = skip_space(line, 0);
    if line.get(at) != Some(&b'{') {
        return Err(at);
    }
    at = skip_space(line, at + 1);
    if line.get(at) == Some(&b'}') {
        return end(line, at + 1);
    }
    loop {
        if line.get(at) != Some(&b'"') {
            return Err(at);
        }
        let (key_end, key_escaped) = string(line, at + 1)?;
        let key = (at as u32 + 1, key_end as u32);
        at = skip_space(line, key_end + 1);
        if line.get(at) != Some(&b':') {
            return Err(at);
        }
        at = skip_space(line, at + 1);
        let (token, value, next) = value(line, at)?;
        out.push(Member {
            key,
            key_escaped,
            value,
            token,
        });
        at = skip_space(line, next);
        match line.get(at) {
            Some(b',') => at = skip_space(line, at + 1),
            Some(b'}') => return end(line, at + 1),
            _ => return Err(at),
        }
    }
}

fn end(line: &[u8], at: usize) -> Result<(), usize> {
    let at = skip_space(line, at);
    if at == line.len() { Ok(()) } else { Err(at) }
}

#[inline]
fn skip_space(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// Returns the offset of the closing quote of the string that starts at `at`.
#[inline]
fn string(line: &[u8], mut at: usize) -> Result<(usize, bool), usize> {
    let mut escaped = false;
    loop {
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

type Value = (Token, (u32, u32), usize);

#[inline]
fn value(line: &[u8], at: usize) -> Result<Value, usize> {
    let span = |from: usize, to: usize| (from as u32, to as u32);
    match line.get(at) {
        Some(b'"') => {
            let (close, escaped) = string(line, at + 1)?;
            Ok((Token::Str { escaped }, span(at + 1, close), close + 1))
        }
        Some(b'-' | b'0'..=b'9') => number(line, at),
        Some(b't') => word(line, at, b"true", Token::True),
        Some(b'f') => word(line, at, b"false", Token::False),
        Some(b'n') => word(line, at, b"null", Token::Null),
        Some(b'N') => word(line, at, b"NaN", Token::NonFinite),
        Some(b'I') => word(line, at, b"Infinity", Token::NonFinite),
        Some(b'{' | b'[') => {
            let next = nested(line, at)?;
            Ok((Token::Nested, span(at, next), next))
        }
        _ => Err(at),
    }
}

fn word(line: &[u8], at: usize, text: &[u8], token: Token) -> Result<Value, usize> {
    let end = at + text.len();
    if line.get(at..end) != Some(text) {
        return Err(at);
    }
    Ok((token, (at as u32, end as u32), end))
}

#[inline]
fn number(line: &[u8], start: usize) -> Result<Value, usize> {
    let mut at = start + usize::from(line[start] == b'-');
    if line.get(at) == Some(&b'I') {
        let (token, _, end) = word(line, at, b"Infinity", Token::NonFinite)?;
        return Ok((token, (start as u32, end as u32), end));
    }
    let digits = |mut at: usize| -> Result<usize, usize> {
        let from = at;
        while line.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at == from { Err(at) } else { Ok(at) }
    };
    let leading_zero = line.get(at) == Some(&b'0');
    let whole = at;
    at = digits(at)?;
    if leading_zero && at > whole + 1 {
        return Err(whole);
    }
    let mut token = Token::Int;
    if line.get(at) == Some(&b'.') {
        token = Token::Float;
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = line.get(at) {
        token = Token::Float;
        at += 1;
        at += usize::from(matches!(line.get(at), Some(b'+' | b'-')));
        at = digits(at)?;
    }
    Ok((token, (start as u32, at as u32), at))
}

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
