//! `tacho alerts silence`: heeded by a running server within a second, and by the
//! next one.

use serde_json::json;
use tachograph_model::UnixNanos;
use tachograph_model::alert::EVERY;
use tachograph_model::near;
use tachograph_model::render::{Cell, Sheet, Table, page_of, stamp};
use tachograph_serve::alert::silence::{Ask, Silence as Made, SilenceError, Silences};

use super::rules;
use crate::args::Format;
use crate::args::alerts::Silence;
use crate::commands::ask;
use crate::context::Context;
use crate::exit::{Exit, Result, usage};

/// Runs the command.
pub fn run(args: &Silence, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    // A silence is about what is told now, whatever was asked of the past.
    let now = UnixNanos::now();
    let silences = Silences::of(ctx.home()?);
    if let Some(id) = &args.remove {
        if !silences.remove(id, now)? {
            return Err(usage(format!(
                "there is no silence {id:?}\nhint: `tacho alerts silence` lists those there are"
            )));
        }
        ctx.say(format_args!("ended the silence {id}"));
        return Ok(Exit::Ok);
    }
    let (Some(rule), Some(seconds)) = (&args.rule, args.for_seconds) else {
        let found = silences.readable(now);
        list(&found.entries, form, ctx)?;
        return match found.wrong {
            None => Ok(Exit::Ok),
            Some(error) => {
                ctx.say(format_args!("warning: not every silence is here: {error}"));
                Ok(Exit::Findings)
            }
        };
    };
    known(rule, ctx)?;
    let ask = Ask {
        rule: rule.clone(),
        source: args.source.clone(),
        name: args.name.clone(),
        // Whoever asks for seconds means not less.
        minutes: seconds.div_ceil(60),
    };
    std::fs::create_dir_all(ctx.home()?)?;
    let made = silences.add(ask, "cli", now).map_err(|error| match error {
        SilenceError::Field {
            field: "minutes",
            allowed,
        } => usage(format!(
            "--for must be {allowed}\nhint: such as 30m, 2h or 7d"
        )),
        SilenceError::Field { .. } => usage(error.to_string()),
        error => error.into(),
    })?;
    match form {
        Format::Json => ask::deliver(ctx, None, &ask::pretty(&json!({ "silence": made }))?)?,
        _ => ask::deliver(ctx, None, &format!("{}\n", made.id))?,
    }
    ctx.say(format_args!(
        "nobody is told of {} until {} UTC\nhint: `tacho alerts silence --remove {}` ends it",
        of(&made),
        stamp(made.until),
        made.id
    ));
    Ok(Exit::Ok)
}

fn known(rule: &str, ctx: &Context) -> Result<()> {
    let (watch, unread) = rules::watch(ctx)?;
    let book = watch.book();
    let names: Vec<&str> = book
        .rules()
        .iter()
        .map(|owned| owned.rule.name.as_str())
        .collect();
    // Of a rule that cannot be read nobody knows that it is not there.
    if rule == EVERY || names.contains(&rule) || unread.is_some() {
        return Ok(());
    }
    let hint = near::hint(rule, &names);
    Err(usage(format!("there is no rule {rule:?}\nhint: {hint}")))
}

fn of(made: &Made) -> String {
    let mut of = match made.rule.as_str() {
        EVERY => "any rule".to_owned(),
        rule => format!("{rule:?}"),
    };
    for (word, text) in [("source", &made.source), ("name", &made.name)] {
        if let Some(text) = text {
            of.push_str(&format!(", {word} {text:?}"));
        }
    }
    of
}

fn list(silences: &[Made], form: Format, ctx: &Context) -> Result<()> {
    let columns = [
        ("Rule", "rule"),
        ("Source", "source"),
        ("Name", "name"),
        ("Until", "until"),
        ("By", "by"),
    ];
    let mut table = Table::new("silences", "Silence", &columns);
    for made in silences {
        let text = |text: &Option<String>| Cell::from(text.clone().map(Cell::Text));
        table.row(
            &made.id,
            vec![
                Cell::Text(made.rule.clone()),
                text(&made.source),
                text(&made.name),
                Cell::Time(made.until),
                Cell::Text(made.by.clone()),
            ],
        );
    }
    let mut sheet = Sheet::new("silences", "Silences", "🔕");
    sheet.table(table);
    let text = match form {
        Format::Json => ask::pretty(&json!({ "silences": silences }))?,
        _ if silences.is_empty() => "Nothing is silenced\n".to_owned(),
        _ => page_of::text(&sheet, ask::style(ctx, None)),
    };
    ask::deliver(ctx, None, &text)
}
