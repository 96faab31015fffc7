//! A file's records, by what its content is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use tachograph_model::MAX_LINE_BYTES;

use super::csv_form;

/// A file that is one JSON document is read whole, up to this size in bytes.
const MAX_DOCUMENT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// How much of a file is looked at to tell what it is.
const HEAD_BYTES: usize = 256 * 1024;

/// One record and where it is from.
pub struct Record<'a> {
    /// The line it begins in, from 1; of a document, its number from 1.
    pub line: u64,
    /// How many bytes of the file are read so far.
    pub bytes_done: u64,
    /// What it is.
    pub body: Body<'a>,
}

/// A record's content.
pub enum Body<'a> {
    /// A line that is still to be read.
    Line(&'a [u8]),
    /// An object of a document or a row of a table.
    Object(Map<String, Json>),
    /// The same, from the list of agent selections.
    Selection(Map<String, Json>),
}

/// What was found.
pub struct Found {
    /// What the file is, in words.
    pub form: &'static str,
    /// What was no record: line and reason.
    pub broken: Vec<(u64, String)>,
}

/// Why reading ended early.
pub enum ReadError {
    /// Something is wrong with the file.
    Input(String),
    /// Whoever took the records failed.
    Taking(anyhow::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Input(error.to_string())
    }
}

type Take<'a> = dyn FnMut(Record<'_>) -> anyhow::Result<()> + 'a;

/// Gives every record of a file to `take`.
///
/// # Errors
/// [`ReadError`]; records before it have been taken.
pub fn records(path: &Path, take: &mut Take<'_>) -> Result<Found, ReadError> {
    let meta = std::fs::metadata(path)?;
    if meta.is_dir() {
        return Err(ReadError::Input(
            "is a folder without events*.jsonl files".to_owned(),
        ));
    }
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref()
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    let whole = (head.len() as u64) < HEAD_BYTES as u64;
    let guess = guess(&head, whole);
    let rest = io::Cursor::new(head).chain(file);
    match guess {
        Guess::Empty => Ok(Found {
            form: "empty",
            broken: Vec::new(),
        }),
        Guess::Lines(form) => lines(BufReader::with_capacity(256 * 1024, rest), form, take),
        Guess::Document => document(rest, meta.len(), take),
        Guess::Table => csv_form::rows(rest, take),
        Guess::Unknown => Err(ReadError::Input(
            "no form that is known: neither an event log, a tool log nor query metrics (JSON, CSV)"
                .to_owned(),
        )),
    }
}

enum Guess {
    Empty,
    Lines(&'static str),
    Document,
    Table,
    Unknown,
}

fn guess(head: &[u8], whole: bool) -> Guess {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    if text.is_empty() && whole {
        return Guess::Empty;
    }
    if text.first() == Some(&b'[') {
        return Guess::Document;
    }
    // A whole object in one line makes a log, whatever stands around it.
    for line in text.split(|byte| *byte == b'\n').take(1_000) {
        if let Ok(object) = serde_json::from_slice::<Map<String, Json>>(line) {
            if object.contains_key("queries") || object.contains_key("agent_selections") {
                return Guess::Document;
            }
            if object.contains_key("event_type") {
                return Guess::Lines("event log");
            }
            if object.contains_key("event") {
                return Guess::Lines("tool log");
            }
            if object.contains_key("query_id") {
                return Guess::Lines("query metrics (JSON Lines)");
            }
        }
    }
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if csv_form::is_heading(first) {
        return Guess::Table;
    }
    match text.first() {
        Some(b'{') if contains(text, b"\"queries\"") || contains(text, b"\"agent_selections\"") => {
            Guess::Document
        }
        // A log whose every line in sight is broken or too long to be seen.
        Some(b'{') if contains(text, b"\"event_type\"") => Guess::Lines("event log"),
        _ => Guess::Unknown,
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn lines(
    mut input: impl BufRead,
    form: &'static str,
    take: &mut Take<'_>,
) -> Result<Found, ReadError> {
    let (mut number, mut bytes_done) = (0, 0);
    let mut broken = Vec::new();
    let mut line = Vec::new();
    let limit = MAX_LINE_BYTES as u64 + 2;
    loop {
        line.clear();
        bytes_done += input.by_ref().take(limit).read_until(b'\n', &mut line)? as u64;
        if line.is_empty() {
            break;
        }
        number += 1;
        if line.len() as u64 == limit && line.last() != Some(&b'\n') {
            bytes_done += input.skip_until(b'\n')? as u64;
            broken.push((number, format!("longer than {MAX_LINE_BYTES} bytes")));
            continue;
        }
        let text = line
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&line)
            .trim_ascii();
        if !text.is_empty() {
            take(Record {
                line: number,
                bytes_done,
                body: Body::Line(text),
            })
            .map_err(ReadError::Taking)?;
        }
    }
    Ok(Found { form, broken })
}

fn document(mut input: impl Read, length: u64, take: &mut Take<'_>) -> Result<Found, ReadError> {
    if length > MAX_DOCUMENT_BYTES {
        return Err(ReadError::Input(format!(
            "one JSON document of more than {MAX_DOCUMENT_BYTES} bytes"
        )));
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut walk = Walk {
        take,
        number: 0,
        failed: None,
        broken: Vec::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let array = text.trim_ascii_start().first() == Some(&b'[');
    let read = match array {
        true => json.deserialize_seq(List {
            walk: &mut walk,
            selections: false,
        }),
        false => json.deserialize_map(Document(&mut walk)),
    };
    if let Some(error) = walk.failed {
        return Err(ReadError::Taking(error));
    }
    let mut broken = walk.broken;
    if let Err(error) = read {
        // A file that was torn while it was written: what stands before the
        // tear has been taken.
        broken.push((error.line() as u64, format!("torn: {error}")));
    }
    let form = if array {
        "query metrics (JSON array)"
    } else {
        "query metrics (JSON document)"
    };
    Ok(Found { form, broken })
}

struct Walk<'a, 'b> {
    take: &'a mut Take<'b>,
    number: u64,
    failed: Option<anyhow::Error>,
    broken: Vec<(u64, String)>,
}

struct List<'w, 'a, 'b> {
    walk: &'w mut Walk<'a, 'b>,
    selections: bool,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<Json>()? {
            self.walk.number += 1;
            let line = self.walk.number;
            let body = match item {
                Json::Object(object) if self.selections => Body::Selection(object),
                Json::Object(object) => Body::Object(object),
                _ => {
                    self.walk.broken.push((line, "not an object".to_owned()));
                    continue;
                }
            };
            if let Err(error) = (self.walk.take)(Record {
                line,
                bytes_done: 0,
                body,
            }) {
                self.walk.failed = Some(error);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

struct Document<'w, 'a, 'b>(&'w mut Walk<'a, 'b>);

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with `queries` or `agent_selections`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let selections = key == "agent_selections";
            if selections || matches!(key.as_str(), "queries" | "tool_usage") {
                map.next_value_seed(List {
                    walk: self.0,
                    selections,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}
