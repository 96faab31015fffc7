//! Which rules there are.

use tachograph_model::UnixNanos;
use tachograph_model::alert::Rule;
use tachograph_model::near;
use tachograph_serve::alert::{Owned, Watch};
use tachograph_serve::config::Alerts;

use super::file;
use crate::args::alerts::Which;
use crate::channels;
use crate::commands::start::plan;
use crate::context::Context;
use crate::exit::{Result, usage};
use crate::settings::Key;

/// What a server of this home would watch; nothing is looked at yet. Of the API's
/// rules those that can be read, and why these are not all.
///
/// # Errors
/// When the settings are wrong: of what `tacho start` would refuse nobody can say
/// that all is well.
pub fn watch(ctx: &Context) -> Result<(Watch, Option<String>)> {
    let channels = channels::unused(&ctx.settings, ctx.folder())?;
    let settings = Alerts {
        watch: ctx.settings.is(Key::EnableAlerts),
        builtin: true,
        rules: plan::alert_rules(&ctx.settings, &channels)?,
        ..Alerts::default()
    };
    // Of built-in rules nobody knows when they were made.
    let watch = Watch::new(ctx.folder(), &settings, UnixNanos(0));
    let unread = watch.renew().err().map(|error| error.to_string());
    Ok((watch, unread))
}

/// Those that are asked about: of a file, by their names, or all that are on.
///
/// # Errors
/// A usage error when there is no such rule, or one is wrong.
pub fn chosen(which: &Which, ctx: &Context) -> Result<Vec<Rule>> {
    let all = match &which.rules {
        Some(path) => file::read(path, ctx.now)?,
        None => {
            let (watch, unread) = watch(ctx)?;
            // Of those that cannot be read nobody can say that all is well.
            if let Some(error) = unread {
                return Err(usage(error));
            }
            let book = watch.book();
            let rules = book.rules().iter();
            rules.map(|Owned { rule, .. }| rule.clone()).collect()
        }
    };
    if which.rule.is_empty() {
        return Ok(all.into_iter().filter(|rule| rule.enabled).collect());
    }
    let named = which.rule.iter().map(|name| {
        let found = all.iter().find(|rule| rule.name == *name);
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|rule| rule.name.as_str()).collect();
            let hint = near::hint(name, &names);
            usage(format!("there is no rule {name:?}\nhint: {hint}"))
        })
    });
    named.collect()
}
