//! `tacho demo`: a made-up fortnight in a home of its own, labelled as such.
//!
//! ```text
//! story.rs  what is special, and when: incident, slowing, dear day, quiet weekend
//! life.rs   the fortnight, event by event, and what follows it
//! page.rs   its page, served until Ctrl-C
//! rng.rs    the chance in it: the same seed, the same events
//! ```

mod life;
mod page;
mod rng;
mod story;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tachograph_log::{Appender, Home};
use tachograph_model::{Salt, UnixNanos};
use tachograph_store::Store;

use crate::args::Format;
use crate::args::ask::{Changes, Counted, Health, Report};
use crate::args::keep::Demo;
use crate::args::window::WindowArgs;
use crate::commands::start::lock::ServerLock;
use crate::commands::{changes, health, report};
use crate::context::{Context, Place};
use crate::exit::{Exit, Result, usage};
use crate::out;
use crate::place;

use story::{BROKEN_TOOL, DEAR_MODEL, SLOWING_TOOL, Story};

/// Says that a home is a demo's, and may be filled anew.
const MARKER: &str = "demo.json";
/// What a demo's home may hold, so that filling it anew deletes nothing else.
const OWN: &[&str] = &[
    "segments",
    "rollups",
    "imports",
    "rings",
    "manifest.json",
    "rejected.jsonl",
    "events.lock",
    "lock",
    "ring_dirs",
    "salt",
    "README.md",
    MARKER,
    "alerts",
    "token",
    "agents.json",
    "agents-index.json",
];
/// Held while a server runs on the home; stays where it is.
const SERVER_LOCK: &str = "server.lock";
const BATCH_BYTES: usize = 1024 * 1024;
const WAIT: Duration = Duration::from_secs(60);

/// Runs the command.
///
/// # Errors
/// When the home holds anything but a demo, or cannot be written.
pub fn run(args: &Demo, ctx: &Context) -> Result<Exit> {
    // What it prints is three answers for people, and no document.
    ctx.form(&[Format::Text])?;
    let root = demo_home(ctx)?;
    let before = entries(&root)?;
    let home = Home::create(&root)?;
    // From whoever serves it nothing is taken away.
    let lock = ServerLock::take(&root)?;
    clear(before)?;
    let end = UnixNanos(ctx.now.0.div_euclid(1_000) * 1_000);
    let story = Story::ending_at(end);
    label(&root, &story, args.seed)?;
    let count = fill(&home, &story, args.seed)?;
    let store = Store::open(&home);
    let sealed = place::seal(&store, WAIT)?;
    ctx.say(format_args!(
        "a made-up fortnight: {}, {} of log, sealed into {} in {}\n",
        out::counted(count as u64, "event", "events"),
        out::bytes(sealed.log_bytes),
        out::bytes(sealed.segment_bytes),
        root.display()
    ));
    let demo = Context {
        place: Place::Home(root.clone()),
        place_from: "demo".to_owned(),
        now: end,
        ..ctx.clone()
    };
    let counted = || Counted {
        window: WindowArgs {
            days: Some(story::DAYS as u32),
            ..WindowArgs::default()
        },
        exact: false,
    };
    report::run(
        &Report {
            counted: counted(),
            ..Report::default()
        },
        &demo,
    )?;
    let verdict = health::run(
        &Health {
            counted: counted(),
            ..Health::default()
        },
        &demo,
    )?;
    out::print("\n")?;
    changes::run(
        &Changes {
            counted: counted(),
            ..Changes::default()
        },
        &demo,
    )?;
    try_next(ctx, &root, &story);
    if !(args.serve || ctx.look.terminal && !args.no_serve) {
        return Ok(verdict);
    }
    page::serve(args, &demo, &home, lock, &story)?;
    Ok(Exit::Ok)
}

/// Only what was asked for by flag: a demo never fills the user's own home.
fn demo_home(ctx: &Context) -> Result<PathBuf> {
    match &ctx.place {
        Place::Home(home) if ctx.place_from == "--home" => Ok(home.clone()),
        Place::Home(_) => {
            Ok(std::path::absolute("tachograph-demo").context("cannot tell the current folder")?)
        }
        Place::Foreign(_) => Err(usage(
            "--events only reads; the demo writes\nhint: name a home with --home",
        )),
    }
}

/// What a demo's home holds; refuses any other that is not empty.
fn entries(root: &Path) -> Result<Vec<fs::DirEntry>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot look into {}", root.display()))?,
    };
    let entries: Vec<_> = entries.collect::<std::io::Result<_>>()?;
    let holds = entries.iter().any(|entry| entry.file_name() != SERVER_LOCK);
    if holds && !root.join(MARKER).is_file() {
        return Err(usage(format!(
            "{} holds something that is no demo; it is left alone\nhint: name another folder: tacho demo --home DIR",
            root.display()
        )));
    }
    Ok(entries)
}

fn clear(entries: Vec<fs::DirEntry>) -> Result<()> {
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let log = name.starts_with("events") && name.ends_with(".jsonl");
        if !log && !OWN.contains(&name.as_ref()) {
            continue;
        }
        let path = entry.path();
        let removed = match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Returns what the agents of an invented team are called, by the hashes that its
/// events hold; none where the home is no demo's.
pub fn team(home: &Path) -> BTreeMap<String, String> {
    let marker = fs::read(home.join(MARKER)).ok();
    let marker = marker.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let agents = marker.and_then(|mut marker| Some(marker.get_mut("agents")?.take()));
    agents
        .and_then(|agents| serde_json::from_value(agents).ok())
        .unwrap_or_default()
}

/// The label comes first, so that a demo that was interrupted is known as one.
fn label(root: &Path, story: &Story, seed: u64) -> Result<()> {
    let salt = salt(seed);
    let agents: BTreeMap<String, &str> = life::AGENTS
        .iter()
        .map(|name| (salt.hash(name), *name))
        .collect();
    let marker = json!({
        "synthetic": true, "seed": seed, "agents": agents,
        "from": story.window.from.to_string(), "to": story.window.to.to_string(),
    });
    let readme = format!(
        "# Made-up recordings\n\n\
         `tacho demo` made everything in this folder (seed {seed}, {} to {}). No agent ran, nothing \
         was paid. Delete the folder whenever you like; `tacho demo` fills it anew.\n\n\
         In it are: an incident (`{BROKEN_TOOL}` fails from {} to {}), a regression (`{SLOWING_TOOL}` \
         gets slower from {} on), a cost spike (`{DEAR_MODEL}` does everything on {}), and a quiet \
         weekend ({}).\n",
        story.window.from,
        story.window.to,
        story.incident.from,
        story.incident.to,
        story.slowing.from.date(),
        story.dear_day.from.date(),
        story.quiet.from.date(),
    );
    fs::write(
        root.join(MARKER),
        serde_json::to_string_pretty(&marker)? + "\n",
    )
    .and_then(|()| fs::write(root.join("README.md"), readme))
    .with_context(|| format!("cannot write to {}", root.display()))
}

fn fill(home: &Home, story: &Story, seed: u64) -> Result<usize> {
    let events = life::events(story, seed, &salt(seed));
    let log = Appender::new(home);
    let mut batch = Vec::with_capacity(BATCH_BYTES + 4_096);
    for event in &events {
        batch.extend(event.to_line());
        if batch.len() >= BATCH_BYTES {
            log.append(&batch)?;
            batch.clear();
        }
    }
    if !batch.is_empty() {
        log.append(&batch)?;
    }
    Ok(events.len())
}

/// Not the home's own, so that the same seed gives the same events.
fn salt(seed: u64) -> Salt {
    Salt::new([seed as u8; 32])
}

fn try_next(ctx: &Context, root: &Path, story: &Story) {
    let home = root.display();
    let as_of = if ctx.as_of {
        format!(" --as-of {}", story.window.to)
    } else {
        String::new()
    };
    ctx.say(format_args!(
        "\nTry next:\n  \
         tacho --home {home}{as_of} trends --days 14\n  \
         tacho --home {home} sql \"select tool, error_type, count(*) from tool_calls where not success group by 1, 2\"\n  \
         tacho run -- make test\n\
         The last records something real: then `tacho report`."
    ));
}
