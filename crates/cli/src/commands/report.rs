//! `tacho report`

use tachograph_model::question::{self, asked::REPORT_DAYS};
use tachograph_model::render::report::{self, Section, Selection};
use tachograph_model::{Question, Scope};

use super::ask;
use crate::args::Format;
use crate::args::ask::Report;
use crate::context::Context;
use crate::draft;
use crate::exit::{Exit, Result, usage};
use crate::near;

const FORMS: [Format; 4] = [Format::Text, Format::Json, Format::Csv, Format::Markdown];

/// Runs the command.
pub fn run(args: &Report, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&FORMS)?;
    let output = draft::file(args.output.as_deref());
    let selection = selection(&args.section, form, ctx)?;
    let scope = ask::scope(
        &args.counted.window,
        ctx,
        Some(REPORT_DAYS),
        args.counted.exact,
    )?;
    let engine = ask::engine(ctx);
    let (mut found, mut about) = match one(args, &selection, scope)? {
        Some(question) => ask::section(&engine, ctx, &question)?,
        None => ask::report(&engine, ctx, scope)?,
    };
    found.limit(args.listed.rows(form), &mut about);
    let style = ask::style(ctx, output);
    if matches!(&selection, Selection::Only(sections) if sections.contains(&Section::Storage)) {
        ask::complete(&engine, &mut found.storage)?;
    }
    let full = selection.is_full(&found);
    let summary = selection == Selection::Only(vec![Section::Queries]);
    let text = match form {
        Format::Json => ask::pretty(&report::json(&found, &about, &selection))?,
        Format::Csv => report::csv(&found, &selection),
        Format::Markdown => report::markdown(&found, &about, &selection),
        _ => report::text(&found, &about, &selection, style),
    };
    ask::deliver(ctx, output, &text)?;
    let told = match form {
        Format::Json => full && !matches!(selection, Selection::Only(_)) && !summary,
        Format::Markdown => true,
        _ => false,
    };
    if !told {
        ask::say_notes(ctx, &about);
    }
    ask::say_if_elsewhere(&engine, ctx, &about)?;
    Ok(Exit::Ok)
}

/// The question of one list, where a row of it is asked for by its name.
fn one(args: &Report, selection: &Selection, scope: Scope) -> Result<Option<Question>> {
    let (name, source) = (args.name.clone(), args.source.clone());
    if name.is_none() && source.is_none() {
        return Ok(None);
    }
    let section = match selection {
        Selection::Only(sections) if sections.len() == 1 => sections.first(),
        _ => None,
    };
    Ok(Some(match (section, &source) {
        (Some(Section::Agents), None) => question::Agents { scope, name }.into(),
        (Some(Section::Caches), None) => question::Caches { scope, name }.into(),
        (Some(Section::Tools), None) => question::Tools { scope, name }.into(),
        (Some(Section::Models), _) => question::Models {
            scope,
            name,
            source,
        }
        .into(),
        (_, None) => {
            return Err(usage(
                "--name picks a row of one list, and it is not said of which\n\
                 hint: --section tools, caches, agents or models",
            ));
        }
        (_, Some(_)) => {
            return Err(usage(
                "--source picks a provider's models\nhint: --section models",
            ));
        }
    }))
}

/// What to show. On a terminal everything there is data for; into a pipe a log
/// that holds the first seed's kinds alone gives that seed's report, byte for
/// byte, for whatever reads it there.
fn selection(names: &[String], form: Format, ctx: &Context) -> Result<Selection> {
    if names.iter().any(|name| name == "all") {
        return Ok(Selection::All);
    }
    if names.is_empty() {
        let person = form == Format::Text && ctx.look.terminal;
        return Ok(if person {
            Selection::All
        } else {
            Selection::Auto
        });
    }
    let sections: Result<Vec<Section>> = names
        .iter()
        .map(|name| {
            Section::by_name(name).ok_or_else(|| {
                let sections = Section::ALL.iter().map(|section| section.name());
                let all: Vec<&str> = ["all"].into_iter().chain(sections).collect();
                usage(format!(
                    "no section is called `{name}`\nhint: {}",
                    near::hint(name, &all)
                ))
            })
        })
        .collect();
    Ok(Selection::Only(sections?))
}
