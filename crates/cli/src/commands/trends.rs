//! `tacho trends`

use tachograph_model::question::{Part, asked::REPORT_DAYS};
use tachograph_model::render::trends;

use super::ask;
use crate::args::Format;
use crate::args::ask::Trends;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(args: &Trends, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let scope = ask::scope(
        &args.counted.window,
        ctx,
        Some(REPORT_DAYS),
        args.counted.exact,
    )?;
    let engine = ask::engine(ctx);
    let (found, about) = ask::report(&engine, ctx, scope, Part::Trends)?;
    let text = match form {
        Format::Json => ask::pretty(&trends::page_json(&found.trends, &found.queries, &about))?,
        Format::Csv => trends::page_csv(&found.trends, &found.queries),
        Format::Markdown => trends::page_markdown(&found.trends, &found.queries),
        _ => trends::page(&found.trends, &found.queries, &about, ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    ask::say_if_elsewhere(&engine, ctx, &about)?;
    Ok(Exit::Ok)
}
