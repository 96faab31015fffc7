//! `tacho timeline`

use tachograph_model::question::{self, Ask, asked::REPORT_DAYS};
use tachograph_model::render::timeline;

use super::ask;
use crate::args::Format;
use crate::args::ask::Timeline;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(args: &Timeline, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let scope = ask::scope(
        &args.counted.window,
        ctx,
        Some(REPORT_DAYS),
        args.counted.exact,
    )?;
    let engine = ask::engine(ctx);
    let busy = ctx.busy("counting");
    let question = question::Timeline {
        scope,
        kind: args.kind.clone(),
        name: args.name.clone(),
        source: args.source.clone(),
        buckets: args.buckets,
    };
    let (found, about) = question.ask(&engine)?;
    drop(busy);
    let text = match form {
        Format::Json => ask::pretty(&timeline::json(&found, &about))?,
        Format::Csv => timeline::page_csv(&found),
        Format::Markdown => timeline::page_markdown(&found, &about),
        _ => timeline::page(&found, &about, ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    ask::say_if_elsewhere(&engine, ctx, &about)?;
    Ok(Exit::Ok)
}
