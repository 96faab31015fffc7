//! `tacho trends`

use crate::args::ask::Trends;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(_args: &Trends, _ctx: &Context) -> Result<Exit> {
    Err(anyhow::anyhow!("not wired yet"))
}
