//! `tacho alerts suggest`

use std::path::Path;

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
    let before = rules.read()?;
    let (mut added, mut replaced) = (0, 0);
    for suggestion in &found.rules {
        let mut rule = suggestion.past.rule.clone();
        rule.created_at = ctx.now;
        match before.iter().any(|old| old.name == rule.name) {
            true => replaced += 1,
            false => added += 1,
        }
        rules.add(rule)?;
    }
    if !found.rules.is_empty() {
        let path = home.join("alerts").join("rules.json");
        ctx.say(format_args!(
            "{}; a running server watches them within a second",
            written(added, replaced, &path)
        ));
    }
    Ok(Exit::Ok)
}

/// What came of the rules of a file.
fn written(added: u64, replaced: u64, path: &Path) -> String {
    let path = path.display();
    let rules = |count| counted(count, "rule", "rules");
    match (added, replaced) {
        (_, 0) => format!("added {} to {path}", rules(added)),
        (0, _) => format!("replaced {} of the same name in {path}", rules(replaced)),
        _ => format!(
            "added {} to {path} and replaced {} of the same name",
            rules(added),
            rules(replaced)
        ),
    }
}
