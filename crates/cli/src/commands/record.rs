//! `tacho record`: events from flags or from JSON on stdin, straight to the
//! log. Opens no store and starts no thread: a hook runs it per tool call.

use std::io::{self, BufRead, IsTerminal, Read};

use serde_json::{Map, Value as Json};
use tachograph_log::{Appender, Home};
use tachograph_model::{Event, KINDS, Kind, MAX_LINE_BYTES, UnixNanos};

use crate::admit::{self, Admission, Misfit};
use crate::args::keep::Record;
use crate::args::window::instant;
use crate::context::{Context, now};
use crate::exit::{Exit, Result, usage};
use crate::out;
use crate::settings::{Key, distance};

/// Lines are appended in batches of about this many bytes.
const BATCH_BYTES: usize = 1024 * 1024;

/// Runs the command.
///
/// # Errors
/// A usage error when the flags make no event; otherwise when the log cannot
/// be written.
pub fn run(args: &Record, ctx: &Context) -> Result<Exit> {
    if let Some(kind) = &args.kind
        && let Some(source) = ctx.settings.off(kind)
    {
        ctx.say(format_args!("not recorded: {source} says so"));
        return Ok(Exit::Ok);
    }
    let keep_text = args.keep_text || ctx.settings.is(Key::KeepText);
    let home = Home::at(ctx.home()?);
    let mut door = Admission::new(home.clone(), keep_text);
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
    let Some(kind) = Kind::by_name(name) else {
        return Err(usage(no_kind(name)));
    };
    let time = match &args.timestamp {
        Some(text) => instant("--timestamp", text)?,
        None => ctx.now,
    };
    create(home)?;
    let mut event = Event::new(time, kind.name);
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
    kind: &'static Kind,
    key: &str,
    text: &str,
) -> Result<()> {
    match kind.fields.iter().find(|field| field.key == key) {
        Some(field) => {
            door.typed(event, kind, field, text)
                .map_err(|error| match error.downcast::<Misfit>() {
                    Ok(misfit) => usage(misfit.to_string()),
                    Err(error) => error,
                })
        }
        None if door.keep_text => {
            door.unknown(event, key, &Json::from(text));
            Ok(())
        }
        None => {
            let keys: Vec<&str> = kind.fields.iter().map(|field| field.key).collect();
            Err(usage(format!(
                "{} has no field `{key}`\nhint: it has {}; --keep-text keeps others too",
                kind.name,
                keys.join(", ")
            )))
        }
    }
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
    create(home)?;
    let log = Appender::new(home);
    let mut input = io::stdin().lock();
    let (mut line, mut batch) = (Vec::new(), Vec::new());
    let (mut number, mut recorded, mut failed, mut off) = (0_u64, 0_u64, 0_u64, 0_u64);
    while next_line(&mut input, &mut line)? {
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match event(&line, default, door) {
            Ok(event) if ctx.settings.off(&event.event_type).is_some() => off += 1,
            Ok(event) => {
                batch.extend_from_slice(&event.to_line());
                recorded += 1;
            }
            Err(error) => {
                failed += 1;
                out::err(format_args!("stdin:{number}: {error}"));
            }
        }
        if batch.len() >= BATCH_BYTES {
            log.append(&batch)?;
            batch.clear();
        }
    }
    if !batch.is_empty() {
        log.append(&batch)?;
    }
    if off > 0 {
        ctx.say(format_args!(
            "{off} events not recorded: recording is off; see `tacho config`"
        ));
    }
    ctx.detail(format_args!(
        "recorded {recorded} events in {}",
        home.log().display()
    ));
    if failed > 0 {
        out::err(format_args!(
            "error: {failed} of {} lines hold no event",
            failed + recorded + off
        ));
        return Ok(Exit::Findings);
    }
    Ok(Exit::Ok)
}

/// Reads a line; of one that is too long, as much as shows it is.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let limit = MAX_LINE_BYTES as u64 + 2;
    input.by_ref().take(limit).read_until(b'\n', line)?;
    if line.len() as u64 == limit && line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}

fn event(line: &[u8], default: Option<UnixNanos>, door: &mut Admission) -> Result<Event> {
    if line.len() > MAX_LINE_BYTES + 1 {
        anyhow::bail!("longer than {MAX_LINE_BYTES} bytes");
    }
    let text = std::str::from_utf8(line).map_err(|_| anyhow::anyhow!("not UTF-8"))?;
    let object: Map<String, Json> = serde_json::from_str(text)
        .map_err(|error| anyhow::anyhow!("not a JSON object: {error}"))?;
    let Some(name) = object.get("event_type").and_then(Json::as_str) else {
        anyhow::bail!("no event_type");
    };
    let time = match object.get("timestamp") {
        Some(json) => admit::instant(json).map_err(anyhow::Error::msg)?.0,
        None => default.unwrap_or_else(now),
    };
    let mut event = Event::new(time, name);
    let kind = Kind::by_name(name);
    if kind.is_none() && !door.keep_text {
        anyhow::bail!("{}", no_kind(name).replace("\nhint: ", "; "));
    }
    for (key, json) in &object {
        if key == "timestamp" || key == "event_type" {
            continue;
        }
        match kind.and_then(|kind| Some((kind, kind.fields.iter().find(|field| field.key == key)?)))
        {
            Some((kind, field)) => door.json(&mut event, kind, field, json)?,
            None => door.unknown(&mut event, key, json),
        }
    }
    Ok(event)
}

fn create(home: &Home) -> Result<()> {
    Home::create(home.root())?;
    Ok(())
}

fn no_kind(name: &str) -> String {
    let near = KINDS
        .iter()
        .map(|kind| (distance(name, kind.name), kind.name))
        .min();
    let hint = match near {
        Some((distance, near)) if distance <= 1 + name.len() / 4 => format!("did you mean {near}?"),
        _ => {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            format!(
                "there are {}; JSON of any kind is taken with --keep-text",
                names.join(", ")
            )
        }
    };
    format!("no kind of event is called `{name}`\nhint: {hint}")
}
