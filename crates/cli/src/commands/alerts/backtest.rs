//! `tacho alerts backtest`

use tachograph_model::alert::{Condition, EVERY, FAMILIES, Rule};
use tachograph_model::answer::About;
use tachograph_model::render::backtest;
use tachograph_model::{Scope, answer, question};

use super::progress::Progress;
use super::rules;
use crate::args::Format;
use crate::args::alerts::{Backtest, Tried};
use crate::commands::ask;
use crate::context::Context;
use crate::exit::{Exit, Result, usage};

/// Runs the command.
pub fn run(args: &Backtest, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json, Format::Csv, Format::Markdown])?;
    let scope = ask::scope(&args.window, ctx, Some(question::Backtest::DAYS), false)?;
    let rules = match &args.condition {
        Some(condition) => vec![tried(condition, &args.tried)?],
        None => rules::chosen(&args.which, ctx)?,
    };
    let (found, about) = replay(scope, rules, ctx)?;
    let text = match form {
        Format::Json => ask::pretty(&backtest::json(&found, &about))?,
        Format::Csv => backtest::page_csv(&found),
        Format::Markdown => backtest::page_markdown(&found, &about),
        _ => backtest::page(&found, &about, ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    Ok(Exit::Ok)
}

/// Replays rules over the past.
pub fn replay(scope: Scope, rules: Vec<Rule>, ctx: &Context) -> Result<(answer::Backtest, About)> {
    let mut progress = Progress::new(ctx);
    let question = question::Backtest { scope, rules };
    let engine = ask::engine(ctx);
    Ok(engine.backtest(&question, &mut |part| progress.at(part))?)
}

fn tried(text: &str, of: &Tried) -> Result<Rule> {
    let hint = "write it as 'p95 > 1000'; docs/guide/alerts.md lists what there is";
    let wrong = |what: String| usage(format!("--condition: {what}\nhint: {hint}"));
    let condition = Condition::parse(text).map_err(|error| wrong(error.to_string()))?;
    let source = of.source.as_deref().unwrap_or_default();
    if of.family == FAMILIES[0] && source.is_empty() {
        let metric = match of.metric.as_str() {
            EVERY => "a metric".to_owned(),
            name => format!("the metric {name:?}"),
        };
        return Err(usage(format!(
            "--condition: {metric} needs its source\n\
             hint: give --source, such as --source system, or what else it is of, such as \
             --family tool"
        )));
    }
    let named = match of.metric.as_str() {
        EVERY => String::new(),
        name => format!(" of {name}"),
    };
    let name = format!("{} {condition}{named}", of.family);
    let rule = Rule {
        family: of.family.clone(),
        window_seconds: of.over,
        for_seconds: of.for_seconds,
        min_count: of.min_count,
        ..Rule::new(&name, &of.metric, source, condition)
    };
    rule.check_new().map_err(|error| {
        let what = error.to_string();
        wrong(what.replace("`threshold`", "its number"))
    })?;
    Ok(rule)
}
