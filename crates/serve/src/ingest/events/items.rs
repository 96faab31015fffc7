//! A body → the events in it, each as the bytes it came as: one object, an
//! array, an object whose `events` is an array, or JSON Lines. What an event
//! holds is not looked at; a torn one spoils none beside it.

use memchr::{memchr, memchr2};

/// What stands at one place of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// Should be an event.
    Event(&'a [u8]),
    /// Is none, and why.
    Broken(&'static str),
}

/// Calls `each` with every item and the offset at which it begins. `lines`:
/// the body is said to be JSON Lines; else it shows what it is.
pub(super) fn split<'a>(body: &'a [u8], lines: bool, each: &mut impl FnMut(usize, Item<'a>)) {
    let start = match body.starts_with(b"\xef\xbb\xbf") {
        true => 3,
        false => 0,
    };
    let start = skip_space(body, start);
    if lines {
        return by_line(body, start, each);
    }
    match body.get(start) {
        Some(b'[') => array(body, start, body.len(), each),
        Some(b'{') => object(body, start, each),
        // Whatever it is, the first line of it is named.
        _ => by_line(body, start, each),
    }
}

fn by_line<'a>(body: &'a [u8], mut at: usize, each: &mut impl FnMut(usize, Item<'a>)) {
    while at < body.len() {
        let end = memchr(b'\n', &body[at..]).map_or(body.len(), |len| at + len);
        let from = skip_space(body, at).min(end);
        let line = body[from..end].trim_ascii_end();
        match line.first() {
            None => {}
            Some(b'[') => array(body, from, from + line.len(), each),
            Some(_) => each(from, Item::Event(line)),
        }
        at = end + 1;
    }
}

fn object<'a>(body: &'a [u8], start: usize, each: &mut impl FnMut(usize, Item<'a>)) {
    if let Some((from, to)) = wrapped(body, start) {
        return array(body, from, to, each);
    }
    match closing(body, start) {
        Some(end) if skip_space(body, end + 1) == body.len() => {
            each(start, Item::Event(&body[start..=end]));
        }
        _ => by_line(body, start, each),
    }
}

/// Where the array `events` lies in an object that is no event itself.
fn wrapped(body: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut found = None;
    let mut at = start + 1;
    loop {
        at = skip_space(body, at);
        if body.get(at) != Some(&b'"') {
            return found;
        }
        let key_end = string_end(body, at + 1)?;
        let key = &body[at + 1..key_end];
        at = skip_space(body, key_end + 1);
        if body.get(at) != Some(&b':') {
            return found;
        }
        at = skip_space(body, at + 1);
        let end = value_end(body, at);
        match key {
            b"event_type" => return None,
            b"events" if body.get(at) == Some(&b'[') => found = Some((at, end)),
            _ => {}
        }
        if body.get(end) != Some(&b',') {
            return found;
        }
        at = end + 1;
    }
}

fn array<'a>(body: &'a [u8], from: usize, to: usize, each: &mut impl FnMut(usize, Item<'a>)) {
    let body = &body[..to];
    let mut at = from + 1;
    loop {
        at = skip_space(body, at);
        let end = value_end(body, at);
        let item = body[at..end].trim_ascii_end();
        match body.get(end) {
            Some(b',' | b']') if item.is_empty() => {}
            Some(b',' | b']') => each(at, Item::Event(item)),
            _ => return each(at, Item::Broken("the array has no end")),
        }
        if body[end] == b']' {
            at = skip_space(body, end + 1);
            if at < body.len() {
                each(at, Item::Broken("more than an array"));
            }
            return;
        }
        at = end + 1;
    }
}

/// Where the value that begins at `at` ends: at the next comma or closing
/// bracket that is not within it, or with the bytes.
fn value_end(json: &[u8], mut at: usize) -> usize {
    while let Some(byte) = json.get(at) {
        let last = match byte {
            b',' | b'}' | b']' => return at,
            b'"' => string_end(json, at + 1),
            b'{' | b'[' => closing(json, at),
            _ => Some(at),
        };
        let Some(last) = last else { break };
        at = last + 1;
    }
    json.len()
}

/// The bracket that closes the one at `at`.
fn closing(json: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match json.get(at)? {
            b'"' => at = string_end(json, at + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// Where the text that begins at `at` has its closing quote.
fn string_end(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

fn skip_space(json: &[u8], mut at: usize) -> usize {
    while json.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(body: &[u8], lines: bool) -> Vec<String> {
        let mut found = Vec::new();
        split(body, lines, &mut |at, item| {
            found.push(match item {
                Item::Event(bytes) => {
                    assert_eq!(&body[at..at + bytes.len()], bytes);
                    String::from_utf8_lossy(bytes).into_owned()
                }
                Item::Broken(why) => format!("!{why}"),
            });
        });
        found
    }

    #[test]
    fn every_shape_gives_its_events() {
        let check = |body: &str, expected: &[&str]| {
            assert_eq!(items(body.as_bytes(), false), expected, "{body}");
        };
        check("", &[]);
        check(" \n ", &[]);
        let object = "{\"a\":\n \"}\",\n \"b\":{}}";
        check(&format!(" {object}\n"), &[object]);
        check("\u{feff} [ ]", &[]);
        check(
            "[{\"a\":[1,\"],\\\\\"]} ,\n{}, 7,]",
            &["{\"a\":[1,\"],\\\\\"]}", "{}", "7"],
        );
        check("{\"a\":1}\r\n\r\n{\"b\":2}", &["{\"a\":1}", "{\"b\":2}"]);
        check(
            "{ \"v\" : {\"events\":1}, \"events\" : [ {} , {\"a\":1} ] , \"n\":2}",
            &["{}", "{\"a\":1}"],
        );
        check("{\"events\":[]}", &[]);
        check("{\"events\":[{},{\"a\":", &["{}", "!the array has no end"]);
        // An event that has such a member is an event.
        let event = "{\"events\":[1],\"event_type\":\"x\"}";
        check(event, &[event]);
        check("{\"events\":7}", &["{\"events\":7}"]);
        check("hello\n{}", &["hello", "{}"]);
        check("[{},{\"a\":1", &["{}", "!the array has no end"]);
        check("[{}] []", &["{}", "!more than an array"]);
        check("[{}}", &["!the array has no end"]);
        // A torn line spoils none beside it.
        check(
            "{\"a\":{\n{\"b\":1}\n{\"c\":\"\n{\"d\":1}",
            &["{\"a\":{", "{\"b\":1}", "{\"c\":\"", "{\"d\":1}"],
        );
    }

    #[test]
    fn lines_are_lines_when_they_are_said_to_be() {
        let check = |body: &str, expected: &[&str]| {
            assert_eq!(items(body.as_bytes(), true), expected, "{body}");
        };
        check("{\"a\":\n1}\n", &["{\"a\":", "1}"]);
        check(
            "[{},{}]\n [{}\n{}",
            &["{}", "{}", "!the array has no end", "{}"],
        );
        check("{\"events\":[{}]}", &["{\"events\":[{}]}"]);
    }

    #[test]
    fn bodies_cut_anywhere_end() {
        for whole in [
            "{\"v\":1,\"events\":[{\"a\":\"\\\"\"},{}]}",
            "[{\"a\":\"\\\"\"},{}]",
            "{\"a\":1}\n{}",
        ] {
            for end in 0..=whole.len() {
                let found = items(&whole.as_bytes()[..end], false);
                assert!(found.len() <= 3, "{whole} {end} {found:?}");
            }
        }
    }
}
