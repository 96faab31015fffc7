//! `tacho`, the command line: the only room that reads the environment,
//! settings files and the user's home folder, and that prints. It wires the
//! other rooms.
//!
//! ```text
//! argv ─► args (as typed) ─► context (settled: place, clock, form, settings) ─► commands/X.rs ─► exit
//! ```

#![expect(
    unreachable_pub,
    reason = "in a program, `pub` means: for the other modules"
)]

mod admit;
mod args;
mod busy;
mod channels;
mod commands;
mod context;
mod draft;
mod exit;
mod names;
mod out;
mod place;
mod row;
mod settings;
mod source;

use std::process::ExitCode;

use clap::Parser;
use tachograph_model::near;

use args::{Cli, Command};
use context::{Context, Strict};
use exit::{Exit, Result};

/// A server runs for months: what a large question or a sealing took goes back to
/// the system, and threads keep no arenas of their own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A mistake in the line ends here with 2; help and version with 0.
    let cli = Cli::parse();
    exit::settle(run(cli))
}

fn run(cli: Cli) -> Result<Exit> {
    let strict = match cli.command {
        Command::Config(_) => Strict::All,
        Command::Run(_) => Strict::Never,
        Command::Start(_) => Strict::Serving,
        Command::Alerts(_) => Strict::Alerts,
        _ => Strict::Used,
    };
    // Nothing but the line itself matters to these.
    match &cli.command {
        Command::Completions(args) => return commands::completions::run(args),
        Command::Man(args) => return commands::man::run(args),
        Command::SqlWorker => return commands::sql_worker::run(),
        _ => {}
    }
    let config = match &cli.command {
        Command::Start(args) => args.config.as_deref(),
        _ => None,
    };
    let ctx = Context::settle(&cli.global, config, strict)?;
    if reads(&cli.command) {
        place::prepare(&ctx)?;
    }
    match &cli.command {
        Command::Start(args) => commands::start::run(args, &ctx),
        Command::Top(args) => commands::top::run(args, &ctx),
        Command::Report(args) => commands::report::run(args, &ctx),
        Command::Health(args) => commands::health::run(args, &ctx),
        Command::Stats(args) => commands::stats::run(args, &ctx),
        Command::Trends(args) => commands::trends::run(args, &ctx),
        Command::Changes(args) => commands::changes::run(args, &ctx),
        Command::Timeline(args) => commands::timeline::run(args, &ctx),
        Command::Alerts(args) => commands::alerts::run(args, &ctx),
        Command::Sql(args) => commands::sql::run(args, &ctx),
        Command::Export(args) => commands::export::run(args, &ctx),
        Command::Record(args) => commands::record::run(args, &ctx),
        Command::Run(args) => commands::run::run(args, &ctx),
        Command::Import(args) => commands::import::run(args, &ctx),
        Command::Agents(args) => commands::agents::run(args, &ctx),
        Command::Compact(args) => commands::compact::run(args, &ctx),
        Command::Doctor(args) => commands::doctor::run(args, &ctx),
        Command::Config(args) => commands::config::run(args, &ctx),
        Command::Demo(args) => commands::demo::run(args, &ctx),
        Command::Completions(_) | Command::Man(_) | Command::SqlWorker => Ok(Exit::Ok),
    }
}

/// Whether a command looks at the recordings as a whole.
fn reads(command: &Command) -> bool {
    matches!(
        command,
        Command::Report(_)
            | Command::Health(_)
            | Command::Stats(_)
            | Command::Trends(_)
            | Command::Changes(_)
            | Command::Timeline(_)
            | Command::Sql(_)
            | Command::Export(_)
            | Command::Compact(_)
            | Command::Doctor(_)
    )
}
