//! `tacho config`: every setting, its value, and where the value came from.

use serde_json::{Map, Value as Json, json};

use crate::args::Format;
use crate::args::keep::Config;
use crate::context::{Context, Place};
use crate::exit::{Exit, Result, usage};
use crate::out;
use crate::settings::{Kind, Settled, distance};

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
    let settings: Vec<&Settled> = ctx
        .settings
        .all
        .iter()
        .filter(|settled| wanted(settled.def.name))
        .collect();
    let (place, folder) = match &ctx.place {
        Place::Home(folder) => ("home", folder),
        Place::Foreign(folder) => ("events", folder),
    };
    let place =
        wanted(place).then(|| (place, folder.display().to_string(), ctx.place_from.clone()));
    match form {
        Format::Json => print_json(place, &settings)?,
        _ => print_text(place, &settings, args.keys.is_empty(), ctx)?,
    }
    Ok(Exit::Ok)
}

type Row = (&'static str, String, String);

fn print_json(place: Option<Row>, settings: &[&Settled]) -> Result<()> {
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
    out::print(&(serde_json::to_string_pretty(&object)? + "\n"))?;
    Ok(())
}

fn print_text(place: Option<Row>, settings: &[&Settled], all: bool, ctx: &Context) -> Result<()> {
    let heading = ["setting", "value", "from", "meaning"]
        .map(str::to_owned)
        .to_vec();
    let mut rows = vec![heading.clone()];
    if let Some((name, folder, source)) = place {
        rows.push(vec![
            name.to_owned(),
            folder,
            source,
            "where the events are".to_owned(),
        ]);
    }
    let row = |settled: &Settled| {
        vec![
            settled.def.name.to_owned(),
            shown(&value(settled)),
            settled.source.to_string(),
            settled.def.doc.to_owned(),
        ]
    };
    let (used, kept): (Vec<&Settled>, Vec<&Settled>) = settings
        .iter()
        .copied()
        .partition(|settled| settled.def.used || !all);
    rows.extend(used.into_iter().map(row));
    let mut text = out::table(&rows, &ctx.look);
    if !kept.is_empty() {
        text.push_str("\nAccepted and checked, but nothing in this version uses them:\n");
        rows = vec![heading];
        rows.extend(kept.into_iter().map(row));
        text.push_str(&out::table(&rows, &ctx.look));
    }
    out::print(&text)?;
    Ok(())
}

fn value(settled: &Settled) -> Json {
    match (&settled.value, settled.def.kind) {
        (Json::Null, _) => Json::Null,
        (_, Kind::Secret) => json!("(hidden)"),
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
    let near = names().map(|name| (distance(key, name), name)).min();
    let hint = match near {
        Some((distance, near)) if distance <= 1 + key.len() / 4 => {
            format!("did you mean `{near}`?")
        }
        _ => "`tacho config` lists them".to_owned(),
    };
    Err(usage(format!("no setting is called `{key}`\nhint: {hint}")))
}
