//! JSON letter by letter: numbers keep every digit they came with, which a
//! value in memory would not (1.10, whole numbers beyond 64 bits).

use indexmap::IndexMap;

use crate::column::Column;
use crate::event::Event;
use crate::kind::Kind;
use crate::line::{Cell, Decoder, LineError, MAX_LINE_BYTES, Visitor};
use crate::time::UnixNanos;

/// The members of a JSON object but `timestamp` and `event_type`, each with
/// its value's text as it came; of a repeated key the last.
///
/// # Errors
/// What is wrong with the text.
pub fn members(object: &str) -> Result<IndexMap<String, String>, LineError> {
    // The codec of the log keeps what it does not know letter by letter, and
    // of a type without a name it knows nothing. What comes last counts,
    // whatever the object calls itself.
    const TAIL: &str = "\"timestamp\":\"1970-01-01T00:00:00Z\",\"event_type\":\"\"}";
    let object = object.trim();
    let body = object
        .strip_suffix('}')
        .ok_or(LineError::Syntax { at: object.len() })?;
    let comma = if body.trim_end() == "{" { "" } else { "," };
    Ok(Event::from_line(format!("{body}{comma}{TAIL}").as_bytes())?.extra)
}

/// Returns JSON text without the white space between its tokens.
pub fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|c| {
            let kept = in_string || !matches!(c, ' ' | '\t' | '\n' | '\r');
            in_string = match (in_string, c) {
                (true, '"') => escaped,
                (false, '"') => true,
                (is, _) => is,
            };
            escaped = in_string && !escaped && *c == '\\';
            kept
        })
        .collect()
}

/// Reads an event from a line; a JSON object that its column would write in
/// other letters stands in `extra` as it came.
///
/// # Errors
/// [`LineError`] when the line holds no event.
pub fn event(line: &[u8]) -> Result<Event, LineError> {
    let mut letters = Letters::default();
    Decoder::default().decode(line, &mut letters)?;
    Ok(letters.event)
}

#[derive(Default)]
struct Letters {
    event: Event,
    kind: Option<&'static Kind>,
}

impl Visitor for Letters {
    fn begin(&mut self, time: UnixNanos, event_type: &str, kind: Option<&'static Kind>) {
        self.kind = kind;
        self.event.begin(time, event_type, kind);
    }

    fn cell(&mut self, column: Column, cell: Cell<'_>) {
        if let (Cell::Json(text), Some(field)) =
            (&cell, self.kind.and_then(|kind| kind.field_of(column)))
        {
            self.event.extra(field.key, text);
        }
        self.event.cell(column, cell);
    }

    fn extra(&mut self, key: &str, json: &str) {
        self.event.extra(key, json);
    }
}

/// Takes the items of a JSON array one after the other, in whatever pieces the
/// array arrives. What an item holds is not looked at.
#[derive(Debug, Default)]
pub struct Items {
    place: Place,
    depth: u32,
    in_string: bool,
    escaped: bool,
    too_long: bool,
    item: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Before,
    Within,
    After,
}

/// An item longer than a line may be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("longer than {MAX_LINE_BYTES} bytes")]
pub struct TooLong;

impl Items {
    /// Takes the next piece; gives each item that is complete to `each`, on
    /// one line. Returns how much of the piece belongs to the array.
    ///
    /// # Errors
    /// What `each` returns; what follows in the piece is not looked at then.
    pub fn push<E>(
        &mut self,
        piece: &[u8],
        each: &mut impl FnMut(Result<&[u8], TooLong>) -> Result<(), E>,
    ) -> Result<usize, E> {
        for (at, &byte) in piece.iter().enumerate() {
            match self.place {
                Place::Before if byte == b'[' => self.place = Place::Within,
                Place::Before => {}
                Place::Within => self.within(byte, each)?,
                Place::After => return Ok(at),
            }
        }
        Ok(piece.len())
    }

    /// Tells whether the array came to its end.
    pub fn is_whole(&self) -> bool {
        self.place == Place::After
    }

    fn within<E>(
        &mut self,
        byte: u8,
        each: &mut impl FnMut(Result<&[u8], TooLong>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            self.keep(byte);
            return Ok(());
        }
        match byte {
            b',' | b']' if self.depth == 0 => {
                if byte == b']' {
                    self.place = Place::After;
                }
                return self.end(each);
            }
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        // An item becomes a line of the log, and JSON knows no such byte but
        // as white space.
        self.keep(if matches!(byte, b'\n' | b'\r') {
            b' '
        } else {
            byte
        });
        Ok(())
    }

    fn keep(&mut self, byte: u8) {
        if self.item.len() < MAX_LINE_BYTES {
            self.item.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn end<E>(
        &mut self,
        each: &mut impl FnMut(Result<&[u8], TooLong>) -> Result<(), E>,
    ) -> Result<(), E> {
        let item = self.item.trim_ascii();
        let told = match (self.too_long, item.is_empty()) {
            (true, _) => each(Err(TooLong)),
            (false, true) => Ok(()),
            (false, false) => each(Ok(item)),
        };
        self.item.clear();
        self.too_long = false;
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_letters() {
        let check = |object: &str, found: &[(&str, &str)]| {
            let members = members(object).expect("an object");
            let pairs: Vec<(&str, &str)> = members
                .iter()
                .map(|(key, json)| (key.as_str(), json.as_str()))
                .collect();
            assert_eq!(pairs, found, "{object}");
        };
        check("{}", &[]);
        check(" { } ", &[]);
        check(
            "{\"timestamp\":1, \"a\": 1.10 ,\"event_type\":\"tool_call\",\"duration_ms\":123456789012345678901}",
            &[("a", "1.10"), ("duration_ms", "123456789012345678901")],
        );
        check("{\"a\":1,\"a\":[1.50, {}]}", &[("a", "[1.50, {}]")]);
        for wrong in ["", "[]", "{\"a\":}", "x}", "{\"a\":1"] {
            assert!(members(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn white_space_goes_but_in_texts() {
        for (json, short) in [
            ("{ \"a b\" : [ 1.10 ,\t2 ] }", "{\"a b\":[1.10,2]}"),
            ("[ \"\\\" x\" , \"\\\\\" , 1 ]", "[\"\\\" x\",\"\\\\\",1]"),
        ] {
            assert_eq!(compact(json), short);
        }
    }

    #[test]
    fn an_event_keeps_the_letters_of_its_tags() {
        let line = "{\"timestamp\":\"2025-11-20T11:00:00+00:00\",\"event_type\":\"metric\",\"tags\":{\"a\": 1.10},\"odd\":1e400}\n";
        let event = event(line.trim_end().as_bytes()).expect("an event");
        assert!(event.get(Column::Tags).is_some());
        assert_eq!(String::from_utf8_lossy(&event.to_line()), line);
    }

    #[test]
    fn items_come_whole_in_whatever_pieces() {
        let text = "\u{feff} [ {\"a\": \"],\\\"\\\\\" ,\n \"b\":[1,{}]},7 ,\"x,\",[[]] , ] tail";
        let wanted = [
            "{\"a\": \"],\\\"\\\\\" ,  \"b\":[1,{}]}",
            "7",
            "\"x,\"",
            "[[]]",
        ];
        for size in 1..text.len() {
            let (mut items, mut found) = (Items::default(), Vec::new());
            for piece in text.as_bytes().chunks(size) {
                let mut each = |item: Result<&[u8], TooLong>| {
                    found.push(String::from_utf8_lossy(item.expect("an item")).into_owned());
                    Ok::<(), ()>(())
                };
                items.push(piece, &mut each).expect("no error");
            }
            assert_eq!(found, wanted, "{size}");
            assert!(items.is_whole());
        }
        let mut torn = Items::default();
        let mut none = |_: Result<&[u8], TooLong>| Err("no item is complete");
        torn.push(b"[{\"a\":1}", &mut none).expect("nothing yet");
        assert!(!torn.is_whole());
    }
}
