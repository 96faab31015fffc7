//! JSON that is nearly JSON. A body holds hundreds of records; one text that a
//! client cut in the middle of a character must not cost the others.
//!
//! Only bodies that failed to parse come here.

/// Values nested deeper than this are left out: what is read lies ten levels
/// deep, beyond it is content.
const MAX_DEPTH: usize = 100;

/// Returns the body with
/// - U+FFFD for halves of a surrogate pair (`\ud83d` where a text was cut) and for
///   bytes that are not UTF-8,
/// - `null` for `NaN`, `Infinity` and `-Infinity` (Python's `json`),
/// - `null` for what is nested too deep,
/// - spaces for a byte order mark and for control characters within texts.
///
/// One pass; holds one copy of the body.
pub(super) fn mend(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut mender = Mender {
        rest: text.strip_prefix('\u{feff}').unwrap_or(&text).as_bytes(),
        out: Vec::with_capacity(text.len()),
        depth: 0,
    };
    while let Some(&byte) = mender.rest.first() {
        mender.value(byte);
    }
    mender.out
}

struct Mender<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    depth: usize,
}

impl Mender<'_> {
    /// Takes what begins with this byte, outside of texts.
    fn value(&mut self, byte: u8) {
        match byte {
            b'"' => self.string(),
            b'[' | b'{' => {
                self.depth += 1;
                if self.depth == MAX_DEPTH + 1 {
                    self.out.extend_from_slice(b"null");
                }
                self.copy(1);
            }
            b']' | b'}' => {
                self.copy(1);
                self.depth = self.depth.saturating_sub(1);
            }
            b'N' | b'I' | b'-' => self.word(),
            _ => self.copy(1),
        }
    }

    /// What strict JSON has no word for.
    fn word(&mut self) {
        for word in [&b"NaN"[..], b"Infinity", b"-Infinity"] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                self.push(b"null");
                return;
            }
        }
        self.copy(1);
    }

    fn string(&mut self) {
        self.copy(1);
        while let Some(&byte) = self.rest.first() {
            match byte {
                b'"' => return self.copy(1),
                b'\\' if self.rest.get(1) == Some(&b'u') => self.unicode(),
                b'\\' => self.copy(2),
                0..=0x1f => {
                    self.rest = &self.rest[1..];
                    self.push(b" ");
                }
                _ => self.copy(1),
            }
        }
    }

    /// `\uXXXX`, or a pair of them.
    fn unicode(&mut self) {
        let pair = (unit(self.rest), self.rest.get(6..).and_then(unit));
        match pair {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => self.copy(12),
            (Some(0xd800..0xe000), _) => {
                self.rest = &self.rest[6..];
                self.push(b"\\ufffd");
            }
            _ => self.copy(2),
        }
    }

    fn copy(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        self.rest = rest;
        self.push(taken);
    }

    /// Writes, unless it lies too deep.
    fn push(&mut self, bytes: &[u8]) {
        if self.depth <= MAX_DEPTH {
            self.out.extend_from_slice(bytes);
        }
    }
}

/// The UTF-16 unit of an escape.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_clients_write_all_the_same_becomes_json() {
        let check = |body: &[u8], expected: &str| {
            let mended = mend(body);
            let json: serde_json::Value = serde_json::from_slice(&mended)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&mended)));
            assert_eq!(json.to_string(), expected);
        };
        check(
            br#"["cut \ud83d","\ude00x"]"#,
            "[\"cut \u{fffd}\",\"\u{fffd}x\"]",
        );
        check(
            br#"["\ud83d\ude00 \\ud83d \u00e4"]"#,
            "[\"\u{1f600} \\\\ud83d \u{e4}\"]",
        );
        check(br#"["\ud83d\ud83d\ude00"]"#, "[\"\u{fffd}\u{1f600}\"]");
        check(b"[\"\xf0\x9f\"]", "[\"\u{fffd}\"]");
        check(
            br#"[NaN,-Infinity,Infinity,-1,"NaN"]"#,
            r#"[null,null,null,-1,"NaN"]"#,
        );
        check(b"\xef\xbb\xbf{\"a\":\"b\nc\"}", r#"{"a":"b c"}"#);
        let deep = format!(
            r#"{{"a":{}"]}}"{},"b":1}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        let expected = format!(r#"{{"a":{}null{},"b":1}}"#, "[".repeat(99), "]".repeat(99));
        check(deep.as_bytes(), &expected);
    }

    proptest! {
        #[test]
        fn what_is_json_stays_what_it_is(text in ".*", number in any::<i32>()) {
            let json = serde_json::json!({"a": [text, number, null], "b": {"c": "\u{1f600}"}});
            let body = json.to_string();
            prop_assert_eq!(mend(body.as_bytes()), body.as_bytes());
        }

        #[test]
        fn any_bytes_end(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(mend(&body).len() <= 4 * body.len());
        }
    }
}
