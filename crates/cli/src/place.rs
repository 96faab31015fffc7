//! The folder the events are in: what to do before it is read, what to say
//! when there is nothing in it, and what the home remembers.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tachograph_log::Home;
use tachograph_store::{SealOptions, SealReport, Store};

use crate::commands::import::settle_interrupted;
use crate::context::{Context, Place, user_home};
use crate::exit::{Result, usage};
use crate::out;

/// Makes ready for reading: takes in what dead processes left in their rings,
/// settles an import that was killed, and says so when there is nothing to
/// read. Costs a few directory look-ups when there is nothing to do.
///
/// # Errors
/// A usage error when `--events` names no folder; otherwise when the home
/// cannot be written although something has to be taken in.
pub fn prepare(ctx: &Context) -> Result<()> {
    let root = match &ctx.place {
        Place::Foreign(folder) if folder.is_dir() => return Ok(()),
        Place::Foreign(folder) => {
            return Err(usage(format!(
                "--events {}: no such folder\nhint: name the folder that holds events*.jsonl",
                folder.display()
            )));
        }
        Place::Home(root) => root,
    };
    match fs::metadata(root) {
        Ok(meta) if meta.is_dir() => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            hint_where_events_are(root, ctx);
            return Ok(());
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotADirectory => {
            return Err(error).with_context(|| format!("cannot look into {}", root.display()));
        }
        _ => {
            return Err(usage(format!(
                "the home {} ({}) is not a folder\nhint: move that file away, or name another home \
                 with --home DIR or TACHOGRAPH_HOME",
                root.display(),
                ctx.place_from
            )));
        }
    }
    let report = tachograph::recover_orphans(root);
    if report.events > 0 {
        ctx.detail(format_args!(
            "took in {} events that {} dead processes had recorded",
            report.events, report.orphans
        ));
    }
    for note in &report.notes {
        ctx.say(format_args!("warning: {note}"));
    }
    let home = Home::at(root);
    if home.log().is_dir() {
        ctx.say(format_args!(
            "warning: {} is a folder: nothing can be recorded\nhint: move it away",
            home.log().display()
        ));
    }
    settle_interrupted(&home)
}

fn hint_where_events_are(root: &Path, ctx: &Context) {
    ctx.say(format_args!(
        "nothing is recorded in {} yet",
        root.display()
    ));
    let Some(older) = user_home().map(|home| home.join(".mycelium/analytics")) else {
        return;
    };
    if Home::at(&older)
        .files()
        .is_ok_and(|listing| !listing.files.is_empty())
    {
        let older = older.display();
        ctx.say(format_args!(
            "hint: {older} holds events: read them in place with --events {older}, \
             or take them in with `tacho import {older}`"
        ));
    } else {
        ctx.say("hint: `tacho run -- COMMAND` records one, `tacho demo` shows what comes of many");
    }
}

/// What the home remembers of the agents indexed last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexedAgents {
    /// Folder of the definitions.
    pub dir: PathBuf,
    /// How many agents.
    pub agents: u64,
    /// What loading all of them would cost, in tokens.
    pub tokens: u64,
}

impl IndexedAgents {
    /// Returns what the home remembers, if anything.
    pub fn read(home: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(home.join("agents.json")).ok()?).ok()
    }

    /// Makes the home remember it.
    ///
    /// # Errors
    /// When the home cannot be written.
    pub fn write(&self, home: &Path) -> Result<()> {
        let path = home.join("agents.json");
        let beside = home.join("agents.json.tmp");
        write_private(&beside, &serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&beside, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// Seals the log, first taking in what dead processes and killed imports left:
/// once the log is rotated nobody adds to it, so nothing is missed.
///
/// # Errors
/// When another process seals for longer than `wait`, or the disk fails.
pub fn seal(store: &Store, wait: Duration) -> Result<SealReport> {
    let home = store.home().clone();
    let mut before_seal = || settle(&home, &mut |note| out::err(format_args!("warning: {note}")));
    let options = SealOptions {
        wait,
        before_seal: Some(&mut before_seal),
        ..SealOptions::default()
    };
    Ok(store.seal(options)?)
}

/// Takes in what dead processes and killed imports left, before logs are
/// sealed; what is odd about it is handed to `warn`.
///
/// # Errors
/// When something cannot be settled yet: what it is held against may lie half
/// in the log that is to go.
pub fn settle(home: &Home, warn: &mut dyn FnMut(&str)) -> std::result::Result<(), String> {
    let report = tachograph::recover_orphans(home.root());
    if report.unsettled > 0 {
        return Err(format!(
            "{}\nhint: put right what stands in the way; or delete the file that is named, \
             and the events in it are lost",
            report.notes.join("; ")
        ));
    }
    for note in &report.notes {
        warn(note);
    }
    settle_interrupted(home).map_err(|error| format!("{error:#}"))
}
