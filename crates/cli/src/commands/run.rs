//! `tacho run -- COMMAND`: times any command as a tool call. What the command
//! reads, prints and returns is its own; recording is never in its way.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use tachograph_log::{Appender, Home};
use tachograph_model::{Column, Event};

use crate::admit::MAX_NAME_BYTES;
use crate::args::keep::Run;
use crate::context::{Context, now};
use crate::exit::{Exit, Result, usage};
use crate::out;

/// What a shell says for a command that cannot be executed, and for one that
/// cannot be found.
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Runs the command.
///
/// # Errors
/// None that the command that is run does not report by its own exit code.
pub fn run(args: &Run, ctx: &Context) -> Result<Exit> {
    let Some((program, rest)) = args.command.split_first() else {
        return Err(usage("no command\nhint: tacho run -- make test"));
    };
    if let Some(name) = &args.name
        && (name.trim().is_empty() || name.len() > MAX_NAME_BYTES)
    {
        return Err(usage(format!(
            "--name {name:?} is not a name of 1 to {MAX_NAME_BYTES} bytes\n\
             hint: leave it out for the command's own name, or write --name nightly-build"
        )));
    }
    let start = Instant::now();
    let signals = signals::wait_out();
    let ended = Command::new(program)
        .args(rest)
        .spawn()
        .and_then(|child| signals.wait(child));
    let lasted = start.elapsed();
    let (exit, error_type) = match &ended {
        Ok(status) => outcome(*status),
        Err(error) => {
            out::err(format_args!(
                "error: cannot run {}: {}",
                program.display(),
                reason(error)
            ));
            let not_found = error.kind() == ErrorKind::NotFound;
            let code = if not_found { NOT_FOUND } else { NOT_EXECUTABLE };
            let class = if not_found {
                "command_not_found"
            } else {
                "command_not_executable"
            };
            (End::Code(code), Some(class.to_owned()))
        }
    };
    let name = args.name.clone().unwrap_or_else(|| file_name(program));
    if let Err(error) = record(ctx, &name, lasted, error_type) {
        ctx.say(format_args!("warning: not recorded: {error:#}"));
    }
    match exit {
        End::Code(code) => Ok(Exit::Code(code)),
        End::Signal(signal) => Ok(Exit::Code(signals::die_of(signal))),
    }
}

/// How the command ended.
enum End {
    Code(u8),
    Signal(i32),
}

fn outcome(status: ExitStatus) -> (End, Option<String>) {
    if let Some(code) = status.code() {
        let error_type = (code != 0).then(|| format!("exit_{code}"));
        return (End::Code(u8::try_from(code).unwrap_or(1)), error_type);
    }
    let signal = signals::of(status).unwrap_or(0);
    (End::Signal(signal), Some(format!("signal_{signal}")))
}

fn record(ctx: &Context, name: &str, lasted: Duration, error_type: Option<String>) -> Result<()> {
    if let Some(why) = ctx.settings.off("tool_call") {
        ctx.say(format_args!("not recorded: recording is off because {why}"));
        return Ok(());
    }
    let home = Home::create(ctx.home()?)?;
    // An event's time is when it ended, as everywhere.
    let time = if ctx.as_of { ctx.now } else { now() };
    let mut event = Event::new(time, "tool_call")
        .with(Column::Name, name)
        .with(Column::DurationMs, lasted.as_nanos() as f64 / 1e6)
        .with(Column::Success, error_type.is_none());
    if let Some(error_type) = error_type {
        event.set(Column::ErrorType, tachograph_model::Value::from(error_type));
    }
    Appender::new(&home).append(&event.to_line())?;
    Ok(())
}

/// The name without folders, which may tell who and where the user is.
fn file_name(program: &OsStr) -> String {
    // A path without a last part would tell whose folder it is.
    let name = Path::new(program)
        .file_name()
        .unwrap_or(OsStr::new("command"))
        .to_string_lossy();
    let mut end = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such command".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// Ctrl-C reaches the whole group of processes: the command decides what it
/// does then, and we wait, to record it. What is sent to us alone is passed on.
/// (A handler, unlike an ignored signal, is not inherited by the command.)
#[cfg(unix)]
mod signals {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, ExitStatus};

    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::{Handle, Signals};

    /// Signals are waited out while this lives.
    pub(super) struct Guard(Option<(Signals, Handle)>);

    pub(super) fn wait_out() -> Guard {
        let signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP]).ok();
        Guard(signals.map(|signals| {
            let handle = signals.handle();
            (signals, handle)
        }))
    }

    impl Guard {
        /// Waits for the command and passes signals on to it.
        pub(super) fn wait(self, mut child: Child) -> std::io::Result<ExitStatus> {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            let (Some((mut signals, handle)), Some(pid)) = (self.0, pid) else {
                return child.wait();
            };
            let passing = std::thread::spawn(move || {
                for signal in signals.forever() {
                    let own = match signal {
                        SIGTERM => Signal::TERM,
                        SIGHUP => Signal::HUP,
                        _ => continue,
                    };
                    let _ = kill_process(pid, own);
                }
            });
            let status = child.wait();
            handle.close();
            let _ = passing.join();
            status
        }
    }

    pub(super) fn of(status: ExitStatus) -> Option<i32> {
        status.signal()
    }

    /// Dies of the same signal, so that whoever called us sees what the
    /// command did; where that is not possible, says 128 + signal as a shell.
    pub(super) fn die_of(signal: i32) -> u8 {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
        u8::try_from(128 + signal).unwrap_or(1)
    }
}

#[cfg(not(unix))]
mod signals {
    use std::process::{Child, ExitStatus};

    pub(super) struct Guard;

    pub(super) fn wait_out() -> Guard {
        Guard
    }

    impl Guard {
        pub(super) fn wait(self, mut child: Child) -> std::io::Result<ExitStatus> {
            child.wait()
        }
    }

    pub(super) fn of(_: ExitStatus) -> Option<i32> {
        None
    }

    pub(super) fn die_of(_: i32) -> u8 {
        1
    }
}
