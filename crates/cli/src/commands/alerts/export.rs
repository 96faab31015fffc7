//! `tacho alerts export`: a Prometheus rule file.

use std::path::Path;

use super::{promql, rules};
use crate::args::Format;
use crate::args::alerts::Export;
use crate::commands::ask;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(args: &Export, ctx: &Context) -> Result<Exit> {
    ctx.form(&[Format::Text])?;
    let rules = rules::chosen(&args.which, ctx)?;
    let file = promql::file(&rules);
    let output = args
        .output
        .as_deref()
        .filter(|path| *path != Path::new("-"));
    ask::deliver(ctx, output, &file.text)?;
    for note in &file.notes {
        ctx.say(format_args!("note: {note}"));
    }
    Ok(Exit::Ok)
}
