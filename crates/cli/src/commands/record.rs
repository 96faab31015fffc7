//! `tacho record`: events from flags or from JSON on stdin, straight to the
//! log. Opens no store and starts no thread: a hook runs it per tool call.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value as Json};
use tachograph_log::{AppendError, Appender, Home};
use tachograph_model::raw::{self, Items, TooLong};
use tachograph_model::render::width;
use tachograph_model::{Event, Field, KINDS, Kind, MAX_LINE_BYTES, UnixNanos};

use crate::admit::{self, Admission, Refusal};
use crate::args::keep::Record;
use crate::args::window::instant;
use crate::context::{Context, now};
use crate::exit::{Exit, Result, usage};
use crate::near;
use crate::out;
use crate::settings::Key;

/// So much of stdin is read at once; what one read gives is appended before
/// the next, which may have to wait.
const READ_BYTES: usize = 1024 * 1024;
/// So many lines that hold no event are named.
const NAMED: u64 = 20;

/// Runs the command.
///
/// # Errors
/// A usage error when the flags make no event; otherwise when the log cannot
/// be written.
pub fn run(args: &Record, ctx: &Context) -> Result<Exit> {
    if let Some(kind) = &args.kind
        && let Some(why) = ctx.settings.off(kind)
    {
        ctx.say(format_args!("not recorded: recording is off because {why}"));
        return Ok(Exit::Ok);
    }
    let keep_text = args.keep_text || ctx.settings.is(Key::KeepText);
    let home = Home::at(ctx.home()?);
    let mut door = admit::door(home.clone(), keep_text);
    match &args.kind {
        Some(name) => from_flags(args, name, ctx, &home, &mut door),
        None => from_stdin(args, ctx, &home, &mut door),
    }
}

fn from_flags(
    args: &Record,
    name: &str,
    ctx: &Context,
    home: &Home,
    door: &mut Admission,
) -> Result<Exit> {
    let kind = Kind::by_name(name);
    if kind.is_none() && !door.keep_text {
        return Err(usage(no_kind(name)));
    }
    let time = match &args.timestamp {
        Some(text) => instant("--timestamp", text)?,
        None => ctx.now,
    };
    Home::create(home.root())?;
    let mut event = Event::new(time, name);
    for (key, text) in &args.fields.0 {
        set(door, &mut event, kind, key, text)?;
    }
    for pair in &args.field {
        let Some((key, text)) = pair.split_once('=') else {
            return Err(usage(format!(
                "--field {pair}: no `=`\nhint: write --field key=value"
            )));
        };
        set(door, &mut event, kind, key, text)?;
    }
    Appender::new(home).append(&event.to_line())?;
    ctx.detail(format_args!("recorded 1 event in {}", home.log().display()));
    Ok(Exit::Ok)
}

fn set(
    door: &mut Admission,
    event: &mut Event,
    kind: Option<&'static Kind>,
    key: &str,
    text: &str,
) -> Result<()> {
    match (kind, kind.and_then(|kind| field(kind, key))) {
        (Some(kind), Some(field)) => {
            door.typed(event, kind, field, text)
                .map_err(|refusal| match refusal {
                    Refusal::Misfit(misfit) => usage(misfit.to_string()),
                    Refusal::Hash(error) => error,
                })
        }
        (Some(kind), None) if !door.keep_text => {
            let keys: Vec<&str> = kind.fields.iter().map(|field| field.key).collect();
            Err(usage(format!(
                "{} has no field `{key}`\nhint: it has {}; --keep-text keeps others too",
                kind.name,
                keys.join(", ")
            )))
        }
        (_, None) | (None, _) => {
            door.unknown(event, key, &Json::from(text).to_string());
            Ok(())
        }
    }
}

fn field(kind: &'static Kind, key: &str) -> Option<&'static Field> {
    kind.fields.iter().find(|field| field.key == key)
}

fn from_stdin(args: &Record, ctx: &Context, home: &Home, door: &mut Admission) -> Result<Exit> {
    if !args.fields.0.is_empty() || !args.field.is_empty() {
        return Err(usage(
            "fields, but of no kind of event\nhint: tacho record tool_call --tool search",
        ));
    }
    if io::stdin().is_terminal() {
        return Err(usage(
            "nothing to record\nhint: name a kind (tacho record tool_call --tool search), or pipe JSON in",
        ));
    }
    let default = match &args.timestamp {
        Some(text) => Some(instant("--timestamp", text)?),
        None => ctx.as_of.then_some(ctx.now),
    };
    Home::create(home.root())?;
    let mut desk = Desk {
        default,
        door,
        ctx,
        batch: Vec::new(),
        recorded: 0,
        failed: 0,
        off: 0,
    };
    let log = Appender::new(home);
    let mut input = io::stdin().lock();
    let mut lines = Lines::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.context("cannot read stdin")?,
        };
        let taken = match read {
            0 => lines.end(&mut desk),
            read => lines.push(&buffer[..read], &mut desk),
        };
        // What was read before something went wrong is recorded even so.
        if !desk.batch.is_empty() {
            log.append(&desk.batch)
                .map_err(|error| desk.say_recorded(error))?;
            desk.batch.clear();
        }
        taken?;
        if read == 0 {
            break;
        }
    }
    desk.conclude(home)
}

/// Takes one event after the other.
struct Desk<'a> {
    default: Option<UnixNanos>,
    door: &'a mut Admission,
    ctx: &'a Context,
    /// Lines for the log.
    batch: Vec<u8>,
    recorded: u64,
    failed: u64,
    off: u64,
}

impl Desk<'_> {
    /// Takes what should be an event; `place` is where it stands.
    ///
    /// # Errors
    /// When the home is at fault, not the event.
    fn take(&mut self, place: impl std::fmt::Display, json: &[u8]) -> Result<()> {
        match event(json, self.default, self.door) {
            Ok(event) if self.ctx.settings.off(&event.event_type).is_some() => self.off += 1,
            Ok(event) => {
                self.batch.extend_from_slice(&event.to_line());
                self.recorded += 1;
            }
            Err(error) => match error.downcast::<Fault>() {
                Ok(fault) => self.refuse(place, fault),
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }

    fn item(
        &mut self,
        place: impl std::fmt::Display,
        item: std::result::Result<&[u8], TooLong>,
    ) -> Result<()> {
        match item {
            Ok(item) => self.take(place, item),
            Err(TooLong) => {
                self.refuse(place, TooLong);
                Ok(())
            }
        }
    }

    /// Says how much was recorded before the log could not be appended to:
    /// whoever gives the rest again must not give these again.
    fn say_recorded(&self, error: AppendError) -> anyhow::Error {
        let (kept, lost) = self.batch.split_at(error.kept_bytes as usize);
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        debug_assert!(lines(kept) + lines(lost) <= self.recorded);
        match self.recorded - lines(lost) {
            0 => error.into(),
            done => anyhow::Error::from(error).context(format!(
                "the first {done} events are recorded, the rest is not"
            )),
        }
    }

    fn refuse(&mut self, place: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.failed += 1;
        if self.failed <= NAMED || self.ctx.verbose > 0 {
            out::err(format_args!("stdin:{place}: {why}"));
        } else if self.failed == NAMED + 1 {
            out::err(format_args!("stdin: … and more, which -v names"));
        }
    }

    fn conclude(self, home: &Home) -> Result<Exit> {
        let ctx = self.ctx;
        if self.off > 0 {
            let parts = ["agent_load", "tool_call", "query"];
            let why = parts.iter().find_map(|kind| ctx.settings.off(kind));
            ctx.say(format_args!(
                "{} not recorded: recording is off because {}; see `tacho config`",
                out::counted(self.off, "event", "events"),
                why.unwrap_or_default()
            ));
        }
        ctx.detail(format_args!(
            "recorded {} events in {}",
            self.recorded,
            home.log().display()
        ));
        if self.failed > 0 {
            out::err(format_args!(
                "error: {} of {} lines hold no event\nhint: write one JSON object a line, or one \
                 array of them; `jq -c .` makes a line of an object that has several",
                self.failed,
                self.failed + self.recorded + self.off
            ));
            return Ok(Exit::Findings);
        }
        Ok(Exit::Ok)
    }
}

/// Cuts what comes in into lines; first into the items of an array, if it
/// begins with one.
#[derive(Default)]
struct Lines {
    mode: Mode,
    /// How many lines, or items of the array, were begun.
    number: u64,
    /// The line that is not complete yet.
    line: Vec<u8>,
}

#[derive(Default)]
enum Mode {
    /// Nothing but white space so far.
    #[default]
    Start,
    Array(Items),
    Lines,
}

impl Lines {
    fn push(&mut self, mut piece: &[u8], desk: &mut Desk<'_>) -> Result<()> {
        if let (Mode::Start, Some(first)) = (&self.mode, piece.trim_ascii_start().first()) {
            self.mode = match first {
                b'[' => Mode::Array(Items::default()),
                _ => Mode::Lines,
            };
        }
        if let Mode::Array(items) = &mut self.mode {
            let number = &mut self.number;
            let used = items.push(piece, &mut |item| {
                *number += 1;
                desk.item(format_args!("item {number}"), item)
            })?;
            if !items.is_whole() {
                return Ok(());
            }
            piece = &piece[used..];
            self.mode = Mode::Lines;
        }
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.keep(&piece[..end]);
            piece = &piece[end + 1..];
            self.line_ends(desk)?;
        }
        self.keep(piece);
        Ok(())
    }

    /// Keeps of a line that is too long as much as shows it is.
    fn keep(&mut self, part: &[u8]) {
        let room = (MAX_LINE_BYTES + 1).saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn line_ends(&mut self, desk: &mut Desk<'_>) -> Result<()> {
        self.number += 1;
        let place = self.number;
        let line = self.line.trim_ascii();
        if self.line.len() > MAX_LINE_BYTES {
            desk.refuse(place, TooLong);
        } else if line.starts_with(b"[") {
            let mut items = Items::default();
            let used = items.push(line, &mut |item| desk.item(place, item))?;
            if !items.is_whole() {
                desk.refuse(place, "the array has no end");
            } else if used < line.len() {
                desk.refuse(place, "more than an array in the line");
            }
        } else if !line.is_empty() {
            desk.take(place, line)?;
        }
        self.line.clear();
        Ok(())
    }

    fn end(&mut self, desk: &mut Desk<'_>) -> Result<()> {
        if matches!(self.mode, Mode::Array(_)) {
            desk.refuse(
                format_args!("item {}", self.number + 1),
                "the array has no end",
            );
        }
        self.line_ends(desk)
    }
}

/// Something is wrong with an event, not with the home.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Fault(String);

fn fault(what: impl std::fmt::Display) -> anyhow::Error {
    Fault(what.to_string()).into()
}

fn event(line: &[u8], default: Option<UnixNanos>, door: &mut Admission) -> Result<Event> {
    let text = std::str::from_utf8(line).map_err(|_| fault("not UTF-8"))?;
    let object: Map<String, Json> = serde_json::from_str(text)
        .map_err(|error| fault(format_args!("not a JSON object: {error}")))?;
    let Some(name) = object.get("event_type").and_then(Json::as_str) else {
        return Err(fault("no event_type"));
    };
    let time = match object.get("timestamp") {
        Some(json) => admit::instant(json).map_err(fault)?.0,
        None => default.unwrap_or_else(now),
    };
    let mut event = Event::new(time, name);
    let kind = Kind::by_name(name);
    if kind.is_none() && !door.keep_text {
        return Err(fault(no_kind(name).replace("\nhint: ", "; ")));
    }
    for (key, json) in &raw::members(text).map_err(fault)? {
        match (kind, kind.and_then(|kind| field(kind, key))) {
            (Some(kind), Some(field)) => {
                door.raw(&mut event, kind, field, json)
                    .map_err(|refusal| match refusal {
                        Refusal::Misfit(misfit) => fault(misfit),
                        Refusal::Hash(error) => error,
                    })?;
            }
            _ => door.unknown(&mut event, key, json),
        }
    }
    Ok(event)
}

/// What is wrong with a name that no kind has, and the way out.
fn no_kind(name: &str) -> String {
    let hint = if Path::new(name).is_file() {
        format!(
            "a file is read from stdin (tacho record < {name}), or taken in once (tacho import {name})"
        )
    } else {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let hint = near::hint(name, &names);
        let end = if hint.ends_with('?') { "" } else { ";" };
        format!("{hint}{end} --keep-text records events of any kind")
    };
    let short = width::cut(name, 40);
    format!("no kind of event is called `{short}`\nhint: {hint}")
}
