//! `tacho stats`

use tachograph_model::Ask;
use tachograph_model::answer::About;
use tachograph_model::question::{self, Part};
use tachograph_model::render::{queries, stats, storage};

use super::ask;
use crate::args::Format;
use crate::args::ask::Stats;
use crate::context::Context;
use crate::exit::{Exit, Result};
use crate::near;

/// Runs the command.
pub fn run(args: &Stats, ctx: &Context) -> Result<Exit> {
    if args.storage {
        return storage(ctx);
    }
    match args.agent.as_deref() {
        Some(agent) if agent != "all" => one_agent(agent, args, ctx),
        _ => everything(args, ctx),
    }
}

/// What lies on disk: the first seed's `get_storage_stats`.
fn storage(ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let engine = ask::engine(ctx);
    let (mut found, about) = question::Storage.ask(&engine)?;
    ask::complete(&engine, &mut found)?;
    let folder = ctx.folder().display().to_string();
    let text = match form {
        Format::Json => ask::pretty(&storage::json(&found, &folder))?,
        _ => storage::page(&found, &folder, ask::style(ctx, None)),
    };
    finish(ctx, &about, &text)
}

/// The queries that one type of agent answered.
fn one_agent(agent: &str, args: &Stats, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let scope = ask::scope(&args.counted.window, ctx, None, args.counted.exact)?;
    let engine = ask::engine(ctx);
    let limits = ask::limits(ctx);
    let (found, about) = question::Queries { scope, limits }.ask(&engine)?;
    let text = match form {
        Format::Json => ask::pretty(&queries::one_agent_json(&found, agent))?,
        _ => ctx
            .look
            .glyphs
            .fit_seed(queries::one_agent_text(&found, agent)),
    };
    finish(ctx, &about, &text)?;
    let known: Vec<&str> = found.agents.iter().map(|one| one.agent.as_str()).collect();
    if !known.contains(&agent) {
        let hint = match known.is_empty() {
            true => "no query is recorded here".to_owned(),
            false => near::hint(agent, &known),
        };
        ctx.say(format_args!("note: `{agent}` answered no query; {hint}"));
    }
    Ok(Exit::Ok)
}

fn everything(args: &Stats, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let scope = ask::scope(&args.counted.window, ctx, None, args.counted.exact)?;
    let engine = ask::engine(ctx);
    let (mut found, mut about) = ask::report(&engine, ctx, scope, Part::Whole)?;
    found.limit(args.listed.rows(form), &mut about);
    let text = match form {
        Format::Json => ask::pretty(&stats::json(&found, &about))?,
        Format::Csv => stats::csv(&found),
        Format::Markdown => stats::markdown(&found),
        _ => stats::text(&found, &about, ask::style(ctx, None)),
    };
    finish(ctx, &about, &text)?;
    ask::say_if_elsewhere(&engine, ctx, &about)?;
    Ok(Exit::Ok)
}

fn finish(ctx: &Context, about: &About, text: &str) -> Result<Exit> {
    ask::deliver(ctx, None, text)?;
    ask::say_notes(ctx, about);
    Ok(Exit::Ok)
}
