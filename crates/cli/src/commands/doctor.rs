//! `tacho doctor`

use crate::args::keep::Doctor;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(_args: &Doctor, _ctx: &Context) -> Result<Exit> {
    Err(anyhow::anyhow!("not wired yet"))
}
