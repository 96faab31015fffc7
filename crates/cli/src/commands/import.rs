//! `tacho import`

use crate::args::keep::Import;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(_args: &Import, _ctx: &Context) -> Result<Exit> {
    Err(anyhow::anyhow!("not wired yet"))
}
