//! `tacho alerts`: rules over what is recorded, with or without a server.

mod backtest;
mod check;
mod export;
pub mod file;
mod list;
mod progress;
mod promql;
mod rules;
mod silence;
mod suggest;
mod test;

use crate::args::alerts::Alerts;
use crate::context::Context;
use crate::exit::{Exit, Result};
use crate::place;

/// Runs the command.
pub fn run(args: &Alerts, ctx: &Context) -> Result<Exit> {
    if matches!(
        args,
        Alerts::Check(_) | Alerts::Backtest(_) | Alerts::Suggest(_)
    ) {
        place::prepare(ctx)?;
    }
    match args {
        Alerts::List(_) => list::run(ctx),
        Alerts::Check(args) => check::run(args, ctx),
        Alerts::Test(args) => test::run(args, ctx),
        Alerts::Silence(args) => silence::run(args, ctx),
        Alerts::Backtest(args) => backtest::run(args, ctx),
        Alerts::Suggest(args) => suggest::run(args, ctx),
        Alerts::Export(args) => export::run(args, ctx),
    }
}
