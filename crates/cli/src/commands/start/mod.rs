//! `tacho start`: takes in what agents send, and answers, until it is told to
//! stop. Wires the engine and the log to the doors of [`tachograph_serve`].
//!
//! ```text
//! flags, settings ─ plan ─► Config ─┐
//! home ─ lock ─ DurableLog, Engine ─┴─► serve::start ─► screen, ready file ─ signal ─► stop
//!                                            └─ background: drain, seal, compact, retain
//! ```

mod asker;
mod background;
mod denials;
pub mod lock;
mod log;
pub mod plan;
mod reach;
pub mod screen;
pub mod signals;
mod token;

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use serde_json::json;
use tachograph_analyze::{Engine, EngineConfig};
use tachograph_log::{DurableLog, Home};
use tachograph_model::Sink;
use tachograph_serve::{Doors, Running, StartError};
use tachograph_store::Store;

use self::asker::Asker;
use self::background::{Background, Tasks};
use self::lock::{ServerLock, remove_stale};
use self::log::Log;
use self::plan::Plan;
use self::token::Origin;
use crate::args::Format;
use crate::args::start::{LogFormat, Start};
use crate::commands::ask;
use crate::commands::compact::retention;
use crate::context::{Context, user_home};
use crate::draft::Draft;
use crate::exit::{Exit, Result, usage};
use crate::out;
use crate::settings::Key;

/// Runs the command: returns when the server has stopped.
///
/// # Errors
/// When another server has the home, a port is taken, or the home cannot be
/// written.
pub fn run(args: &Start, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    if ctx.as_of {
        return Err(usage(
            "--as-of asks about the past; a server lives in the present\nhint: leave it out",
        ));
    }
    if !ctx.settings.is(Key::Recording) {
        let why = ctx.settings.off("").unwrap_or_default();
        return Err(usage(format!(
            "recording is off because {why}, so there is nothing to serve for\n\
             hint: unset it for the server: `tacho config` tells every opt-out"
        )));
    }
    let root = std::path::absolute(ctx.home()?)?;
    let home = Home::create(&root)?;
    let mut lock = ServerLock::take(&root)?;
    let plan = plan::settle(args, &root, ctx)?;
    let log = Log::new(args.log_format, ctx);
    accepted_only(args, &log);
    plan.tell(&log);
    if let Some(path) = &args.ready_file {
        remove_stale(path)?;
    }
    // From here on a signal is noted, so that none is lost while doors open.
    let signals = signals::watch()?;
    let doors = doors(&home, ctx)?;
    let running = tachograph_serve::start(plan.config.clone(), doors).map_err(not_started)?;
    let ready = screen::ready(&running, &root, plan.config.tls.as_ref());
    lock.tell(&ready)?;
    let shown = match (form, args.log_format) {
        (Format::Json, _) => out::print(&format!("{ready:#}\n")),
        // Lines for machines: words for people would be none of them.
        (_, LogFormat::Json) => Ok(()),
        _ => out::print(&first_screen(&running, &plan, &root, ctx)),
    };
    // Whoever started it may not read what it says; it serves all the same.
    if let Err(error) = shown {
        log.warning("stdout takes nothing", &[("why", log::shown(error))]);
    }
    let ready_file = args
        .ready_file
        .as_deref()
        .map(|path| ReadyFile::write(path, &ready));
    let _ready_file = ready_file.transpose()?;
    serving(&log, &ready, &plan, on_screen(form, args, ctx));
    let tasks = Tasks {
        seal_after_bytes: setting_bytes(ctx),
        retention: retention(ctx),
    };
    let background = Background::start(&home, tasks, running.hub(), log)?;
    let signal = signals.wait();
    let began = Instant::now();
    log.info("stopping", &[("signal", json!(signal))]);
    running.stop();
    background.stop();
    log.info(
        "stopped",
        &[("after_ms", json!(began.elapsed().as_millis() as u64))],
    );
    Ok(Exit::Ok)
}

fn setting_bytes(ctx: &Context) -> u64 {
    let bytes = ctx.settings.int(Key::SealAfterBytes);
    bytes
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or(u64::MAX)
}

/// What was folded for one question stays for the next, up to so much memory.
const KEPT_BYTES: usize = 64 << 20;

/// The log and the engine of a home, as the server takes them.
///
/// # Errors
/// When the home's salt cannot be read or made.
pub fn doors(home: &Home, ctx: &Context) -> Result<Doors> {
    Ok(Doors {
        sink: Arc::new(DurableLog::new(home)) as Arc<dyn Sink>,
        answerer: Arc::new(asker(home, ctx)),
        salt: home.salt()?,
        home: home.clone(),
    })
}

/// Who answers; the clock is the system's, for it runs on.
fn asker(home: &Home, ctx: &Context) -> Asker {
    let mut config = EngineConfig {
        sql_time: Some(asker::TIME),
        sql_memory_bytes: asker::MEMORY_BYTES,
        sql_result_bytes: Some(asker::RESULT_BYTES),
        ..EngineConfig::default()
    };
    ask::limit(&mut config, ctx);
    // Whoever insists over the network gets no more than some 200 MB of values.
    config.exact_most = Some(config.exact_limit.saturating_mul(4));
    let engine = Engine::open(Store::open(home).keeping(KEPT_BYTES), config.clone());
    Asker::new(engine, home.root().to_owned(), config)
}

fn first_screen(running: &Running, plan: &Plan, root: &Path, ctx: &Context) -> String {
    let default = user_home().map(|home| home.join(".tachograph"));
    let reached_as = reach::reached_as(plan.config.host, &plan.config.allowed_hosts);
    let told = screen::Told {
        addresses: &running.addresses(),
        reached_as: reached_as.as_deref(),
        page: plan.config.page,
        home: root,
        home_is_default: default.as_deref() == Some(root),
        tls: plan.config.tls.is_some(),
        open: !plan.config.host.is_loopback(),
        token: plan.token.as_ref().map(|origin| screen::Kept {
            origin,
            // What is no terminal may be kept, by whoever collects what is printed.
            shown: plan.config.token.as_deref().filter(|_| ctx.look.terminal),
        }),
    };
    told.text(&ctx.look)
}

/// Whether a person sees the first screen and the log on one terminal.
fn on_screen(form: Format, args: &Start, ctx: &Context) -> bool {
    let text = form != Format::Json && args.log_format == LogFormat::Text;
    text && ctx.look.terminal && std::io::stderr().is_terminal()
}

/// Tells the log what listens where; a terminal shows it already.
fn serving(log: &Log, ready: &serde_json::Value, plan: &Plan, seen: bool) {
    let all = ready.as_object().into_iter().flatten();
    let mut fields: Vec<_> = all
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    if let Some(Origin::Made(path) | Origin::Stored(path)) = &plan.token {
        fields.push(("token_file", json!(path.display().to_string())));
    }
    match seen {
        true => log.debug("serving", &fields),
        false => log.info("serving", &fields),
    }
}

/// Says what of the fourth seed's flags does nothing here.
fn accepted_only(args: &Start, log: &Log) {
    for (flag, given) in [
        ("--profiling", args.profiling),
        ("--no-profiling", args.no_profiling),
        ("--regression", args.regression),
        ("--no-regression", args.no_regression),
    ] {
        if given {
            log.warning(
                "accepted for compatibility, does nothing",
                &[("flag", json!(flag))],
            );
        }
    }
}

/// Names the port, who has it, and the way out.
pub fn not_started(error: StartError) -> anyhow::Error {
    let StartError::Bind {
        door,
        address,
        source,
    } = &error
    else {
        return error.into();
    };
    let Some(door) = plan::DOORS.iter().find(|known| known.name == *door) else {
        return error.into();
    };
    let (flag, name) = (door.flag, door.key.def().name);
    let door = door.words;
    let (what, way_out) = match source.kind() {
        ErrorKind::AddrInUse => (
            "another program listens there".to_owned(),
            format!(
                "stop that program, or take another port with {flag} PORT (`{name}` in config.yaml); 0 takes any free one"
            ),
        ),
        ErrorKind::AddrNotAvailable => (
            "this machine does not have that address".to_owned(),
            format!(
                "--host 127.0.0.1 serves this machine alone (`{}` in config.yaml)",
                Key::DashboardHost.def().name
            ),
        ),
        ErrorKind::PermissionDenied => (
            "this user may not".to_owned(),
            format!("take a port from 1024 with {flag} PORT (`{name}` in config.yaml)"),
        ),
        _ => (
            source.to_string(),
            format!("another port: {flag} PORT (`{name}` in config.yaml)"),
        ),
    };
    anyhow!("cannot listen on {address} for {door}: {what}\nhint: {way_out}")
}

/// The file that says the doors answer; gone when the server is.
struct ReadyFile(PathBuf);

impl ReadyFile {
    fn write(path: &Path, ready: &serde_json::Value) -> Result<Self> {
        let mut draft = Draft::create(path)?;
        writeln!(draft, "{ready}")?;
        draft.commit()?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        // Should it stay, the next start removes it.
        let _ = remove_stale(&self.0);
    }
}
