//! One source file as the rules see it: its code with comments, strings and tests
//! blanked out by spaces, so that offsets and line numbers stay those of the file.

use std::cell::OnceCell;

/// A text file and, for Rust, the two views the rules search.
pub(crate) struct Source {
    /// Relative to the workspace, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    code: OnceCell<String>,
    shipped: OnceCell<String>,
}

impl Source {
    pub(crate) fn new(path: &str, text: String) -> Self {
        Self {
            path: path.to_owned(),
            text,
            code: OnceCell::new(),
            shipped: OnceCell::new(),
        }
    }

    /// Code only: comments and the contents of strings are blank.
    pub(crate) fn code(&self) -> &str {
        self.code.get_or_init(|| blank_words(&self.text))
    }

    /// Code that reaches users: [`Source::code`] without `#[cfg(test)]` items.
    pub(crate) fn shipped(&self) -> &str {
        self.shipped.get_or_init(|| blank_tests(self.code()))
    }

    /// The room's folder under `crates/`, if it lies in one.
    pub(crate) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether the whole file is test, bench, example or build code.
    pub(crate) fn is_test(&self) -> bool {
        let mut parts = self.path.split('/').rev();
        let file = parts.next().unwrap_or_default();
        let stem = file.split('.').next().unwrap_or_default();
        stem == "tests"
            || stem == "build"
            || stem.ends_with("_tests")
            || parts.any(|folder| matches!(folder, "tests" | "benches" | "examples"))
    }

    /// Lines of the file that are not test code.
    pub(crate) fn lines_shipped(&self) -> usize {
        if !self.path.ends_with(".rs") {
            return self.text.lines().count();
        }
        let dropped = |line: (&str, &str)| !line.0.trim().is_empty() && line.1.trim().is_empty();
        let code = self.code().lines().zip(self.shipped().lines());
        self.text.lines().count() - code.filter(|line| dropped(*line)).count()
    }
}

/// Line number (from 1) of a byte offset.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// Offsets at which `word` stands as a whole word, not as part of a longer name.
pub(crate) fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = code.as_bytes();
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let starts = part(word.as_bytes().first()) && part(bytes.get(at.wrapping_sub(1)));
            let ends = part(word.as_bytes().last()) && part(bytes.get(at + word.len()));
            !starts && !ends
        })
}

/// Blanks comments and the contents of string and character literals.
///
/// A small lexer rather than a parser: it must also read a file that does not
/// compile yet. Handles nested block comments, raw strings and lifetimes.
fn blank_words(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (keep, end) = if rest.starts_with(b"//") {
            (0, at + find(rest, b"\n").unwrap_or(rest.len()))
        } else if rest.starts_with(b"/*") {
            (0, at + block_comment(rest))
        } else if let Some(hashes) = raw_string(bytes, at) {
            let close: Vec<u8> = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let open = hashes + 2;
            let body = rest.get(open..).unwrap_or_default();
            let length = find(body, &close).map_or(rest.len(), |n| open + n + close.len());
            (open, at + length)
        } else if rest[0] == b'"' {
            (1, at + quoted(rest, b'"'))
        } else if rest[0] == b'\'' && is_char(rest) {
            (1, at + quoted(rest, b'\''))
        } else {
            at += 1;
            continue;
        };
        blank(&mut out, at + keep, end.saturating_sub(keep.min(1)));
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Blanks items under `#[cfg(test)]` (also `all(test, …)`), attribute included.
fn blank_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    for marker in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (at, _) in code.match_indices(marker) {
            let end = item_end(code.as_bytes(), at);
            blank(&mut out, at, end);
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// End of the item that starts at `at`: its closing brace, or its semicolon.
fn item_end(code: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    for (index, byte) in code.iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            b';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    code.len()
}

fn blank(out: &mut [u8], from: usize, to: usize) {
    let to = to.min(out.len());
    for byte in out.get_mut(from..to).unwrap_or_default() {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|part| part == needle)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Number of `#` if a raw string opens here; `r` must not end a longer name.
fn raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).and_then(|i| bytes.get(i));
    let in_name = before.is_some_and(|b| (b.is_ascii_alphanumeric() && *b != b'b') || *b == b'_');
    let rest = bytes[at..].strip_prefix(b"r")?;
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    (!in_name && rest.get(hashes) == Some(&b'"')).then_some(hashes)
}

/// Length of a literal with backslash escapes, both quotes included.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character literal, not a lifetime: an escape, or one character and a quote.
fn is_char(rest: &[u8]) -> bool {
    if rest.get(1) == Some(&b'\\') {
        return true;
    }
    let width = match rest.get(1) {
        Some(byte) if *byte < 0x80 => 1,
        Some(byte) if *byte < 0xe0 => 2,
        Some(byte) if *byte < 0xf0 => 3,
        Some(_) => 4,
        None => return false,
    };
    rest.get(1 + width) == Some(&b'\'')
}
