//! `tacho changes`

use tachograph_model::question::{self, Ask, asked::CHANGES_DAYS};
use tachograph_model::render::changes;

use super::ask;
use crate::args::Format;
use crate::args::ask::Changes;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(args: &Changes, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let scope = ask::scope(
        &args.counted.window,
        ctx,
        Some(CHANGES_DAYS),
        args.counted.exact,
    )?;
    let engine = ask::engine(ctx);
    let busy = ctx.busy("counting");
    let (mut found, mut about) = question::Changes { scope }.ask(&engine)?;
    found.limit(args.listed.rows(form), &mut about);
    drop(busy);
    let text = match form {
        Format::Json => ask::pretty(&changes::json(&found, &about))?,
        Format::Csv => changes::page_csv(&found),
        Format::Markdown => changes::page_markdown(&found),
        _ => changes::page(&found, &about, ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    ask::say_if_elsewhere(&engine, ctx, &about)?;
    let worse = found.changes.iter().any(|change| change.worse);
    Ok(if args.strict && worse {
        Exit::Findings
    } else {
        Exit::Ok
    })
}
