//! `tacho report`

use tachograph_analyze::Engine;
use tachograph_log::Home;
use tachograph_model::answer::{self, About};
use tachograph_model::privacy::legacy_agent_hash;
use tachograph_model::question::{self, Part, asked::REPORT_DAYS};
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
    let one = One::of(args, &selection)?;
    let scope = ask::scope(
        &args.counted.window,
        ctx,
        Some(REPORT_DAYS),
        args.counted.exact,
    )?;
    let engine = ask::engine(ctx);
    let (mut found, mut about) = match &one {
        Some(one) => one.ask(&engine, ctx, scope)?,
        None => ask::report(&engine, ctx, scope, Part::Whole)?,
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
    match one.filter(|_| about.events == 0 && !ctx.quiet) {
        Some(one) => one.say_if_there_is_none(&engine, ctx, scope)?,
        None => {
            ask::say_if_elsewhere(&engine, ctx, &about)?;
        }
    }
    Ok(Exit::Ok)
}

/// What asks for those without a name.
const UNKNOWN: &str = "unknown";

/// The rows of one list that are asked for by name.
struct One {
    section: Section,
    name: Option<String>,
    source: Option<String>,
}

impl One {
    /// `None`: everything is asked for.
    fn of(args: &Report, selection: &Selection) -> Result<Option<Self>> {
        let (name, source) = (args.name.clone(), args.source.clone());
        for (flag, text) in [("--name", &name), ("--source", &source)] {
            if text.as_deref() == Some("") {
                return Err(usage(format!(
                    "{flag} is empty\nhint: {flag} {UNKNOWN} picks what has no name"
                )));
            }
        }
        if name.is_none() && source.is_none() {
            return Ok(None);
        }
        let section = match selection {
            Selection::Only(sections) if sections.len() == 1 => sections.first(),
            _ => None,
        };
        match (section, &source) {
            (Some(section @ (Section::Agents | Section::Caches | Section::Tools)), None)
            | (Some(section @ Section::Models), _) => Ok(Some(Self {
                section: *section,
                name,
                source,
            })),
            (_, None) => Err(usage(
                "--name picks a row of one list, and it is not said of which\n\
                 hint: --section tools, caches, agents or models",
            )),
            (_, Some(_)) => Err(usage(
                "--source picks a provider's models\nhint: --section models",
            )),
        }
    }

    fn question(&self, scope: Scope) -> Question {
        let (name, source) = (self.name.clone(), self.source.clone());
        match self.section {
            Section::Agents => question::Agents { scope, name }.into(),
            Section::Caches => question::Caches { scope, name }.into(),
            Section::Models => question::Models {
                scope,
                name,
                source,
            }
            .into(),
            _ => question::Tools { scope, name }.into(),
        }
    }

    /// An agent may be asked for by its hash or by what it is called.
    fn ask(&self, engine: &Engine, ctx: &Context, scope: Scope) -> Result<(answer::Report, About)> {
        let asked = ask::section(engine, ctx, &self.question(scope))?;
        let called = self.name.as_deref().filter(|_| asked.1.events == 0);
        let Some(called) = called.filter(|_| self.section == Section::Agents) else {
            return Ok(asked);
        };
        for hash in hashes(called, ctx)? {
            let stored = Self {
                section: self.section,
                name: Some(hash),
                source: None,
            };
            let found = ask::section(engine, ctx, &stored.question(scope))?;
            if found.1.events > 0 {
                return Ok(found);
            }
        }
        Ok(asked)
    }

    /// Says that nothing is called so, where there are others, and which one may
    /// have been meant.
    ///
    /// # Errors
    /// When the events cannot be read.
    fn say_if_there_is_none(&self, engine: &Engine, ctx: &Context, scope: Scope) -> Result<()> {
        let all = Self {
            section: self.section,
            name: None,
            source: None,
        };
        let (found, about) = ask::section(engine, ctx, &all.question(scope))?;
        if ask::say_if_elsewhere(engine, ctx, &about)? {
            return Ok(());
        }
        let bare = |name| ("", name);
        let (what, rows): (_, Vec<(&str, &str)>) = match self.section {
            Section::Agents => {
                let names = found.agents.agents.iter().map(|it| &*it.agent);
                ("agent", names.map(bare).collect())
            }
            Section::Caches => {
                let names = found.caches.caches.iter().map(|it| &*it.name);
                ("cache", names.map(bare).collect())
            }
            Section::Models => {
                let models = found.models.models.iter();
                (
                    "model",
                    models
                        .map(|it| (it.provider.as_deref().unwrap_or(UNKNOWN), &*it.model))
                        .collect(),
                )
            }
            _ => {
                let names = found.tools.tools.iter().map(|it| &*it.name);
                ("tool", names.map(bare).collect())
            }
        };
        let nothing = match (&self.name, &self.source) {
            (Some(name), None) => format!("no {what} is called {name:?}"),
            (Some(name), Some(source)) => format!("no {what} of {source:?} is called {name:?}"),
            (None, source) => format!(
                "there is no {what} of {:?}",
                source.as_deref().unwrap_or("")
            ),
        };
        let hint = match self.meant(&rows) {
            Some(meant) => format!("did you mean {meant}?"),
            None if rows.is_empty() => format!("it holds no {what} at all"),
            None => "the same without it lists all there are".to_owned(),
        };
        ctx.say(format_args!("note: {nothing} in this window\nhint: {hint}"));
        Ok(())
    }

    /// What it is near to, of sources and names.
    fn meant(&self, rows: &[(&str, &str)]) -> Option<String> {
        let named = |row: &&(&str, &str)| self.name.as_deref().is_none_or(|name| name == row.1);
        let is_known = rows.iter().any(|row| named(&row));
        match (&self.name, &self.source) {
            (Some(name), _) if !is_known => {
                near::near(name, rows.iter().map(|row| row.1)).map(str::to_owned)
            }
            (_, Some(source)) => {
                let sources = rows.iter().filter(named).map(|row| row.0);
                let near = near::near(source, sources.clone());
                let only = || sources.clone().next().filter(|_| sources.count() == 1);
                near.or_else(only).map(|near| format!("--source {near}"))
            }
            _ => None,
        }
    }
}

/// As what the recorder may have stored an agent that is called so.
fn hashes(agent: &str, ctx: &Context) -> Result<Vec<String>> {
    let home = Home::at(ctx.folder());
    let mut hashes = vec![legacy_agent_hash(agent)];
    // One that is not there has hashed nothing; asking makes none.
    if home.salt_path().is_file() {
        hashes.insert(0, home.salt()?.hash(agent));
    }
    Ok(hashes)
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
