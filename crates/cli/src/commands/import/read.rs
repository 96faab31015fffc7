//! A file's records, by what its content is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use tachograph_analyze::Rows;
use tachograph_model::MAX_LINE_BYTES;
use tachograph_model::answer::SqlColumn;
use tachograph_model::raw::{Items, TooLong};

use super::csv_form;
use super::summary::Skipped;
use crate::row;

/// A file that is one JSON document is read whole, up to this size in bytes.
const MAX_DOCUMENT_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// How much of a file is looked at to tell what it is.
const HEAD_BYTES: usize = 256 * 1024;
/// What files begin with.
const PARQUET: &[u8] = b"PAR1";
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// What is wrong with what stands behind the end of a file's one value.
const FOLLOWS: &str = "stands behind the end of the JSON, and is not read";

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
    /// The same, made of the row of a table of events.
    Event(Vec<u8>),
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
    pub broken: Skipped,
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

/// What is wrong with a line that is too long.
pub fn too_long() -> String {
    TooLong.to_string()
}

/// Gives every record of a file to `take`.
///
/// # Errors
/// [`ReadError`]; records before it have been taken.
pub fn records(path: &Path, take: &mut Take<'_>) -> Result<Found, ReadError> {
    let meta = std::fs::metadata(path)?;
    if meta.is_dir() {
        return Err(ReadError::Input(
            "is a folder without events*.jsonl files; name the files in it".to_owned(),
        ));
    }
    let mut file = File::open(path)?;
    let head = head(&mut file)?;
    if head.starts_with(PARQUET) {
        return parquet(path, take);
    }
    let (gzip, zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
    let mut rest: Box<dyn Read> = Box::new(io::Cursor::new(head).chain(file));
    if gzip {
        rest = Box::new(flate2::read::MultiGzDecoder::new(rest));
    } else if zstd {
        rest = Box::new(zstd::Decoder::new(rest)?);
    }
    let head = self::head(&mut rest)?;
    let whole = head.len() < HEAD_BYTES;
    let guess = guess(&head, whole);
    let rest = BufReader::with_capacity(256 * 1024, io::Cursor::new(head).chain(rest));
    match guess {
        Guess::Empty => Ok(Found {
            form: "empty",
            broken: Skipped::default(),
        }),
        Guess::Lines(form) => lines(rest, form, take),
        Guess::Array => array(rest, take),
        Guess::Document => document(rest, take),
        Guess::Table(holds) => csv_form::rows(rest, holds, take),
        Guess::Unknown(what) => Err(ReadError::Input(format!("no form that is known{what}"))),
    }
}

fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// A table of events as `tacho export --format parquet` writes it.
fn parquet(path: &Path, take: &mut Take<'_>) -> Result<Found, ReadError> {
    let (mut number, mut failed) = (0, None);
    let mut broken = Skipped::default();
    let each = |columns: &[SqlColumn], rows: Rows| {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        if !csv_form::is_of_events(&names) {
            failed = Some(ReadError::Input(
                "no form that is known: a Parquet file, but not one of `tacho export`, whose \
                 columns are those of the table `events`"
                    .to_owned(),
            ));
            return ControlFlow::Break(());
        }
        for row in rows {
            number += 1;
            let taken = match row::line(columns, &row) {
                Ok(line) => take(Record {
                    line: number,
                    bytes_done: 0,
                    body: Body::Event(line),
                }),
                Err(reason) => {
                    broken.push(number, reason);
                    Ok(())
                }
            };
            if let Err(error) = taken {
                failed = Some(ReadError::Taking(error));
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    };
    let read = tachograph_analyze::read_parquet(path, each);
    if let Some(error) = failed {
        return Err(error);
    }
    if let Err(error) = read {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        return Err(ReadError::Input(format!(
            "a damaged Parquet file{}",
            source.unwrap_or_default()
        )));
    }
    Ok(Found {
        form: "events (Parquet)",
        broken,
    })
}

enum Guess {
    Empty,
    Lines(&'static str),
    Array,
    Document,
    Table(csv_form::Rows),
    /// And what it may be, in words.
    Unknown(&'static str),
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
        return Guess::Array;
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
    if let Some(holds) = csv_form::rows_under(first.trim_ascii_end()) {
        return Guess::Table(holds);
    }
    const FORMS: &str = ": neither events (JSON Lines, JSON, CSV, Parquet), a tool log nor query \
         metrics (JSON, CSV); .gz and .zst are unpacked";
    match text.first() {
        Some(b'{') if contains(text, b"\"queries\"") || contains(text, b"\"agent_selections\"") => {
            Guess::Document
        }
        // A log whose every line in sight is broken or too long to be seen.
        Some(b'{') if contains(text, b"\"event_type\"") => Guess::Lines("event log"),
        _ if text.starts_with(b"PK\x03\x04") => Guess::Unknown(": a zip archive; unpack it first"),
        _ if text.starts_with(b"BZh") => Guess::Unknown(": compressed with bzip2; unpack it first"),
        _ if text.starts_with(b"\xfd7zXZ") => {
            Guess::Unknown(": compressed with xz; unpack it first")
        }
        _ if text.starts_with(b"SQLite format 3") => {
            Guess::Unknown(": an SQLite database; export its tables as CSV or JSON first")
        }
        _ => Guess::Unknown(FORMS),
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
    let mut broken = Skipped::default();
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
            broken.push(number, too_long());
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

/// An array of records, one at a time: it may be larger than memory.
fn array(mut input: impl BufRead, take: &mut Take<'_>) -> Result<Found, ReadError> {
    let (mut number, mut bytes_done) = (0, 0);
    let mut broken = Skipped::default();
    let mut items = Items::default();
    let mut events = false;
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            break;
        }
        let length = piece.len();
        bytes_done += length as u64;
        let mut each = |item: Result<&[u8], TooLong>| {
            number += 1;
            match item {
                Ok(item) if item.starts_with(b"{") => {
                    events |= number == 1 && contains(item, b"\"event_type\"");
                    return take(Record {
                        line: number,
                        bytes_done,
                        body: Body::Line(item),
                    });
                }
                Ok(_) => broken.push(number, "not an object".to_owned()),
                Err(TooLong) => broken.push(number, too_long()),
            }
            Ok(())
        };
        let used = items.push(piece, &mut each).map_err(ReadError::Taking)?;
        let more = !piece[used..].trim_ascii().is_empty();
        input.consume(length);
        if more {
            // Another array, say: it has to be in a file of its own.
            broken.push(number + 1, FOLLOWS.to_owned());
            break;
        }
    }
    if !items.is_whole() {
        // A file that was torn while it was written: what stands before the
        // tear has been taken.
        broken.push(number + 1, "torn: the array has no end".to_owned());
    }
    let form = match events {
        true => "events (JSON array)",
        false => "query metrics (JSON array)",
    };
    Ok(Found { form, broken })
}

fn document(input: impl Read, take: &mut Take<'_>) -> Result<Found, ReadError> {
    let mut bytes = Vec::new();
    input.take(MAX_DOCUMENT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
        return Err(ReadError::Input(format!(
            "one JSON document of more than {MAX_DOCUMENT_BYTES} bytes; split it, or make an \
             array of its records: `jq .queries`"
        )));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut walk = Walk {
        take,
        number: 0,
        failed: None,
        broken: Skipped::default(),
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = json.deserialize_map(Document(&mut walk));
    if let Some(error) = walk.failed {
        return Err(ReadError::Taking(error));
    }
    let mut broken = walk.broken;
    // As with an array.
    match (read, json.end()) {
        (Err(error), _) => broken.push(error.line() as u64, format!("torn: {error}")),
        (Ok(()), Err(error)) => broken.push(error.line() as u64, FOLLOWS.to_owned()),
        (Ok(()), Ok(())) => {}
    }
    Ok(Found {
        form: "query metrics (JSON document)",
        broken,
    })
}

struct Walk<'a, 'b> {
    take: &'a mut Take<'b>,
    number: u64,
    failed: Option<anyhow::Error>,
    broken: Skipped,
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
                    self.walk.broken.push(line, "not an object".to_owned());
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
