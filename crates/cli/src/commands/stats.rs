//! `tacho stats`

use crate::args::ask::Stats;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(_args: &Stats, _ctx: &Context) -> Result<Exit> {
    Err(anyhow::anyhow!("not wired yet"))
}
