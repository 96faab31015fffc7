//! `tacho agents`

use crate::args::agents::Agents;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(_args: &Agents, _ctx: &Context) -> Result<Exit> {
    Err(anyhow::anyhow!("not wired yet"))
}
