//! `tacho alerts suggest`

use tachograph_model::question;
use tachograph_model::render::suggest;
use tachograph_serve::api::seed4::rules::Rules;

use super::progress::Progress;
use crate::args::Format;
use crate::args::alerts::Suggest;
use crate::commands::ask;
use crate::context::Context;
use crate::exit::{Exit, Result};
use crate::out::counted;

/// Runs the command.
pub fn run(args: &Suggest, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let home = if args.write { Some(ctx.home()?) } else { None };
    let scope = ask::scope(&args.window, ctx, Some(question::Suggest::DAYS), false)?;
    let engine = ask::engine(ctx);
    let mut progress = Progress::new(ctx);
    let question = question::Suggest { scope };
    let (found, about) = engine.suggest(&question, &mut |part| progress.at(part))?;
    drop(progress);
    let text = match form {
        Format::Json => ask::pretty(&suggest::json(&found, &about))?,
        _ => suggest::yaml(&found, &about),
    };
    ask::deliver(ctx, None, &text)?;
    ask::say_notes(ctx, &about);
    let Some(home) = home else {
        return Ok(Exit::Ok);
    };
    let rules = Rules::of(home);
    for suggestion in &found.rules {
        let mut rule = suggestion.past.rule.clone();
        rule.created_at = ctx.now;
        rules.add(rule)?;
    }
    if !found.rules.is_empty() {
        ctx.say(format_args!(
            "added {} to {}; a running server watches them within a second",
            counted(found.rules.len() as u64, "rule", "rules"),
            home.join("alerts").join("rules.json").display()
        ));
    }
    Ok(Exit::Ok)
}
