//! `tacho sql`

use std::io::Read;

use tachograph_model::render::sql;
use tachograph_model::{Ask, question};

use super::ask;
use crate::args::Format;
use crate::args::ask::Sql;
use crate::context::Context;
use crate::exit::{Exit, Result, usage};

const FORMS: [Format; 5] = [
    Format::Text,
    Format::Json,
    Format::Jsonl,
    Format::Csv,
    Format::Markdown,
];
/// Rows for people, who seldom read more.
const FEW: usize = 1_000;

/// Runs the command.
pub fn run(args: &Sql, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&FORMS)?;
    let query = statement(&args.statement)?;
    let row_limit = match (args.limit, form) {
        (Some(0), _) => usize::MAX,
        (Some(limit), _) => limit,
        (None, Format::Text) => FEW,
        (None, _) => usize::MAX,
    };
    let engine = ask::engine(ctx);
    let busy = ctx.busy("asking");
    let (found, about) = question::Sql { query, row_limit }
        .ask(&engine)
        .map_err(ask::asked)?;
    drop(busy);
    let text = match form {
        Format::Json => ask::pretty(&sql::json(&found))?,
        Format::Jsonl => sql::jsonl(&found),
        Format::Csv => sql::csv(&found),
        Format::Markdown => sql::markdown(&found),
        _ => sql::text(&found, ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    Ok(Exit::Ok)
}

fn statement(text: &str) -> Result<String> {
    let mut text = text.to_owned();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text)?;
    }
    if text.trim().is_empty() {
        return Err(usage(
            "the statement is empty\nhint: tacho sql \"select count(*) from events\"",
        ));
    }
    Ok(text)
}
