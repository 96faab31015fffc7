//! `tacho config`: every setting, its value, and where the value came from.

use serde_json::{Map, Value as Json, json};
use tachograph_model::render::grid::Column;

use crate::args::Format;
use crate::args::keep::Config;
use crate::context::{Context, Place};
use crate::exit::{Exit, Result, usage};
use crate::near::near;
use crate::out;
use crate::settings::{Key, Kind, Settled};

/// Runs the command.
///
/// # Errors
/// A usage error for a key that is none.
pub fn run(args: &Config, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    for key in &args.keys {
        known(key, ctx)?;
    }
    let wanted = |name: &str| args.keys.is_empty() || args.keys.iter().any(|key| key == name);
    let all = args.keys.is_empty();
    let settings: Vec<&Settled> = ctx
        .settings
        .all
        .iter()
        .filter(|settled| wanted(settled.def.name))
        .filter(|settled| !(all && settled.def.key.is_for_embedding()))
        .collect();
    let (place, folder) = match &ctx.place {
        Place::Home(folder) => ("home", folder),
        Place::Foreign(folder) => ("events", folder),
    };
    let place =
        wanted(place).then(|| (place, folder.display().to_string(), ctx.place_from.clone()));
    match form {
        Format::Json => print_json(place, &settings, all, ctx)?,
        _ if args.keys.is_empty() => print_all(place, &settings, ctx)?,
        _ => print_each(place, &settings, ctx)?,
    }
    Ok(Exit::Ok)
}

type Row = (&'static str, String, String);

/// A variable that may keep something from being recorded, and how it stands.
struct OptOut {
    variable: &'static str,
    value: Option<String>,
    /// What it concerns.
    part: &'static str,
    off: bool,
}

/// Every opt-out, as far as it is read here: `.env` counts as the environment.
fn opt_outs(ctx: &Context) -> Vec<OptOut> {
    let parts = [
        (Key::Recording, "everything"),
        (Key::ToolMetrics, "tool calls and caches"),
        (Key::QueryMetrics, "queries and what they used"),
    ];
    let mut found = Vec::new();
    for (key, part) in parts {
        for (at, (variable, _)) in key.def().env.iter().enumerate() {
            let read = ctx.settings.variables(key).get(at).cloned().flatten();
            found.push(OptOut {
                variable,
                off: read.as_ref().is_some_and(|(_, on)| !on),
                value: read.map(|(text, _)| text),
                part,
            });
        }
    }
    found
}

fn print_json(place: Option<Row>, settings: &[&Settled], all: bool, ctx: &Context) -> Result<()> {
    let mut object = Map::new();
    if let Some((name, folder, source)) = place {
        object.insert(name.to_owned(), json!({"value": folder, "source": source}));
    }
    for settled in settings {
        object.insert(
            settled.def.name.to_owned(),
            json!({
                "value": value(settled),
                "source": settled.source.to_string(),
                "allowed": settled.def.wanted(),
                "used": settled.def.used,
            }),
        );
    }
    if all {
        let outs = opt_outs(ctx).into_iter().map(|out| {
            let state = json!({"value": out.value, "part": out.part, "off": out.off});
            (out.variable.to_owned(), state)
        });
        object.insert("opt_outs".to_owned(), Json::Object(outs.collect()));
    }
    out::print(&(serde_json::to_string_pretty(&object)? + "\n"))?;
    Ok(())
}

/// A table of everything.
fn print_all(place: Option<Row>, settings: &[&Settled], ctx: &Context) -> Result<()> {
    let row = |settled: &&Settled| {
        vec![
            settled.def.name.to_owned(),
            shown(&value(settled)),
            settled.source.to_string(),
            settled.def.doc.to_owned(),
        ]
    };
    let place = place.map(|(name, folder, source)| {
        vec![
            name.to_owned(),
            folder,
            source,
            "where the events are".to_owned(),
        ]
    });
    let (used, kept): (Vec<&Settled>, Vec<&Settled>) = settings
        .iter()
        .copied()
        .partition(|settled| settled.def.used);
    let used: Vec<Vec<String>> = place.into_iter().chain(used.iter().map(row)).collect();
    let kept: Vec<Vec<String>> = kept.iter().map(row).collect();
    let mut text = out::grid(columns(), &used, &ctx.look);
    if !kept.is_empty() {
        text.push_str("\nAccepted and checked, but nothing in this version uses them:\n");
        text.push_str(&out::grid(columns(), &kept, &ctx.look));
    }
    text.push_str("\nOpt-outs:\n");
    let outs: Vec<Vec<String>> = opt_outs(ctx)
        .into_iter()
        .map(|out| {
            vec![
                out.variable.to_owned(),
                out.value.unwrap_or_else(|| "-".to_owned()),
                if out.off { "off" } else { "on" }.to_owned(),
                out.part.to_owned(),
            ]
        })
        .collect();
    let heading = ["variable", "value", "recording", "of"];
    let heading = heading.map(|title| Column::words(title).whole());
    text.push_str(&out::grid(heading.into(), &outs, &ctx.look));
    text.push_str(
        "\nPrograms that embed the recorder read METRICS_WINDOW_SIZE and METRICS_SAMPLING_RATE as \
         well,\nfrom their own environment; tacho itself samples nothing.\n",
    );
    out::print(&text)?;
    if text.contains(['…', '~']) && ctx.look.terminal {
        ctx.say("`tacho config NAME` shows a setting whole");
    }
    Ok(())
}

fn columns() -> Vec<Column> {
    vec![
        Column::words("setting").whole(),
        Column::words("value").importance(2).cut_to(10),
        Column::words("from").importance(1).cut_to(15),
        Column::words("meaning").importance(0).cut_to(40),
    ]
}

/// Each setting asked for, whole.
fn print_each(place: Option<Row>, settings: &[&Settled], ctx: &Context) -> Result<()> {
    let mut text = String::new();
    let mut entry = |name: &str, lines: &[(&str, String)]| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&ctx.look.paint(out::Style::Bold, name));
        text.push('\n');
        for (label, value) in lines {
            text.push_str(&format!("  {label:<9}  {value}\n"));
        }
    };
    if let Some((name, folder, source)) = place {
        let meaning = "where the events are".to_owned();
        entry(
            name,
            &[("value", folder), ("from", source), ("meaning", meaning)],
        );
    }
    for settled in settings {
        let variables: Vec<&str> = settled.def.env.iter().map(|(name, _)| *name).collect();
        let value = match value(settled) {
            Json::String(text) => text,
            Json::Null => "-".to_owned(),
            value => value.to_string(),
        };
        let mut lines = vec![
            ("value", value),
            ("from", settled.source.to_string()),
            ("allowed", settled.def.wanted()),
            ("meaning", settled.def.doc.to_owned()),
        ];
        if !variables.is_empty() {
            lines.push(("variables", variables.join(", ")));
        }
        if !settled.def.used {
            let note = "accepted and checked, but nothing in this version uses it";
            lines.push(("note", note.to_owned()));
        }
        entry(settled.def.name, &lines);
    }
    out::print(&ctx.look.glyphs.fit(text))?;
    Ok(())
}

fn value(settled: &Settled) -> Json {
    match (&settled.value, settled.def.kind) {
        (Json::Null, _) => Json::Null,
        (_, Kind::Secret) => json!("(hidden)"),
        (value, Kind::SecretBlock) => tachograph_serve::notify::redacted(value),
        (value, _) => value.clone(),
    }
}

fn shown(value: &Json) -> String {
    const MOST: usize = 40;
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(list) if value.to_string().len() > MOST => format!("{} entries", list.len()),
        Json::Object(map) => format!("{} keys", map.len()),
        value => value.to_string(),
    }
}

fn known(key: &str, ctx: &Context) -> Result<()> {
    let names = || {
        ctx.settings
            .all
            .iter()
            .map(|settled| settled.def.name)
            .chain(["home", "events"])
    };
    if names().any(|name| name == key) {
        return Ok(());
    }
    let hint = match near(key, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tacho config` lists them".to_owned(),
    };
    Err(usage(format!("no setting is called `{key}`\nhint: {hint}")))
}

#[cfg(test)]
mod tests {
    use crate::settings::SETTINGS;

    /// The rows of the guide's table.
    fn table(used: bool) -> String {
        let mut table =
            "| key | default | allowed | variables | meaning |\n|---|---|---|---|---|\n".to_owned();
        for def in SETTINGS.iter().filter(|def| def.used == used) {
            let default = match def.default {
                "null" => "–".to_owned(),
                text => format!("`{text}`"),
            };
            let variables: Vec<String> = def
                .env
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect();
            table.push_str(&format!(
                "| `{}` | {default} | {} | {} | {} |\n",
                def.name,
                def.wanted(),
                variables.join(", "),
                def.doc
            ));
        }
        table
    }

    #[test]
    fn the_guide_lists_every_setting() {
        let page = include_str!("../../../../docs/guide/settings.md");
        for used in [true, false] {
            let table = table(used);
            assert!(
                page.contains(&table),
                "docs/guide/settings.md differs from the settings; put this in it:\n{table}"
            );
        }
    }
}
