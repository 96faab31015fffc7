//! `tacho health`

use tachograph_model::question::{Part, asked::REPORT_DAYS};
use tachograph_model::render::health;

use super::ask;
use crate::args::Format;
use crate::args::ask::Health;
use crate::context::Context;
use crate::exit::{Exit, Result};

/// Runs the command.
pub fn run(args: &Health, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let scope = ask::scope(
        &args.counted.window,
        ctx,
        Some(REPORT_DAYS),
        args.counted.exact,
    )?;
    let engine = ask::engine(ctx);
    let (mut found, about) = ask::report(&engine, ctx, scope, Part::Health)?;
    ask::complete(&engine, &mut found.storage)?;
    let targets = ask::targets(ctx);
    if form == Format::Json {
        ask::deliver(
            ctx,
            None,
            &ask::pretty(&health::json(&found, &about, &targets))?,
        )?;
    } else {
        let style = ask::style(ctx, None);
        ask::deliver(
            ctx,
            None,
            &health::text(&found, &about, &targets, "tacho report", style),
        )?;
        ask::say_notes(ctx, &about);
    }
    ask::say_if_elsewhere(&engine, ctx, &about)?;
    let missed = health::is_missed(&health::checks(&found, &targets));
    Ok(if args.strict && missed {
        Exit::Findings
    } else {
        Exit::Ok
    })
}
