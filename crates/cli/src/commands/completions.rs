//! `tacho completions`

use clap::CommandFactory;

use crate::args::Cli;
use crate::args::keep::Completions;
use crate::exit::{Exit, Result};
use crate::out;

/// Prints the completion script of a shell.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(args: &Completions) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tacho", &mut script);
    out::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
