//! What the commands that answer questions share: the engine, the window, the
//! baseline, and how an answer is handed over.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tachograph_analyze::{Engine, EngineConfig};
use tachograph_log::Home;
use tachograph_model::answer::{About, Note, NoteKind, Storage};
use tachograph_model::question::{Baseline, BaselineSource, Part, QueryLimits, Report, Scope};
use tachograph_model::render::{self, Style, health::Targets, iso};
use tachograph_model::{Answerer as _, Ask, AskError, Question, answer, question};
use tachograph_store::Store;

use crate::args::Format;
use crate::args::window::WindowArgs;
use crate::context::{Context, Place};
use crate::draft::{Draft, cannot_write};
use crate::exit::{Result, usage};
use crate::out;
use crate::place::IndexedAgents;
use crate::settings::Key;

/// Opens the engine on the folder the events are in, which [`crate::place::prepare`]
/// has made ready.
pub fn engine(ctx: &Context) -> Engine {
    let home = Home::at(ctx.folder());
    let store = match ctx.place {
        Place::Home(_) => Store::open(&home),
        Place::Foreign(_) => Store::open_readonly(&home),
    };
    let mut config = EngineConfig {
        now: Some(ctx.now),
        ..EngineConfig::default()
    };
    limit(&mut config, ctx);
    Engine::open(store, config)
}

/// Settles up to how many events are counted exactly, and what a query in SQL
/// may take.
pub fn limit(config: &mut EngineConfig, ctx: &Context) {
    let of = |key| ctx.settings.int(key);
    if let Some(limit) = of(Key::ExactLimit) {
        config.exact_limit = u64::try_from(limit).unwrap_or(0);
    }
    if let Some(seconds) = of(Key::SqlTime).and_then(|seconds| u64::try_from(seconds).ok()) {
        config.sql_time = Some(Duration::from_secs(seconds));
    }
    if let Some(bytes) = of(Key::SqlMemory) {
        config.sql_memory_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    }
    if let Some(bytes) = of(Key::SqlResult) {
        config.sql_result_bytes = usize::try_from(bytes).ok();
    }
}

/// How many queries in SQL a server runs at once.
pub fn sql_queries(ctx: &Context) -> usize {
    let queries = ctx.settings.int(Key::SqlQueries).unwrap_or(1);
    usize::try_from(queries).unwrap_or(1)
}

/// Settles which events are meant: `default` days when nothing was said, all
/// events for `None`.
///
/// # Errors
/// As [`WindowArgs::scope`].
pub fn scope(args: &WindowArgs, ctx: &Context, default: Option<u32>, exact: bool) -> Result<Scope> {
    let mut scope = args.scope(ctx.now, default)?;
    scope.exact = exact;
    Ok(scope)
}

/// Asks everything at once, or a part of it.
///
/// # Errors
/// When the events cannot be read.
pub fn report(
    engine: &Engine,
    ctx: &Context,
    scope: Scope,
    part: Part,
) -> Result<(answer::Report, About)> {
    let question = Report {
        scope,
        baseline: baseline(ctx),
        limits: limits(ctx),
        part,
    };
    let _busy = ctx.busy("counting");
    Ok(question.ask(engine)?)
}

/// Asks for one section of a report alone.
pub fn section(
    engine: &Engine,
    ctx: &Context,
    question: &Question,
) -> Result<(answer::Report, About)> {
    let _busy = ctx.busy("counting");
    let answer = engine.answer(question)?;
    let found = answer::Report::of_one(answer.found).unwrap_or_default();
    Ok((found, answer.about))
}

/// What counts as a slow query.
pub fn limits(ctx: &Context) -> QueryLimits {
    let default = QueryLimits::default();
    QueryLimits {
        slow_ms: ctx
            .settings
            .float(Key::SlowQueryMs)
            .unwrap_or(default.slow_ms),
        very_slow_ms: ctx
            .settings
            .float(Key::VerySlowQueryMs)
            .unwrap_or(default.very_slow_ms),
        ..default
    }
}

/// What token savings are measured against: the settings, else the agents that
/// were indexed last, else the first seed's figures.
pub fn baseline(ctx: &Context) -> Baseline {
    let default = Baseline::default();
    let agents = ctx.settings.int(Key::BaselineAgents);
    let each = ctx.settings.int(Key::BaselineTokens);
    let index = IndexedAgents::read(ctx.folder()).filter(|index| index.agents > 0);
    if agents.is_none()
        && each.is_none()
        && let Some(index) = &index
    {
        return Baseline {
            agents: index.agents,
            tokens: index.tokens.try_into().unwrap_or(i64::MAX),
            source: BaselineSource::Index,
        };
    }
    if agents.is_none() && each.is_none() {
        return default;
    }
    let agents = agents
        .and_then(|agents| u64::try_from(agents).ok())
        .or(index.map(|index| index.agents))
        .unwrap_or(default.agents);
    let each = each.unwrap_or(450);
    Baseline {
        agents,
        tokens: each.saturating_mul(i64::try_from(agents).unwrap_or(i64::MAX)),
        source: BaselineSource::Config,
    }
}

/// The health check's targets.
pub fn targets(ctx: &Context) -> Targets {
    let default = Targets::default();
    let of = |key, default| ctx.settings.float(key).unwrap_or(default);
    Targets {
        list_agents_ms: of(Key::TargetListAgentsMs, default.list_agents_ms),
        get_agent_ms: of(Key::TargetGetAgentMs, default.get_agent_ms),
        search_ms: of(Key::TargetSearchMs, default.search_ms),
        other_ms: of(Key::TargetOtherMs, default.other_ms),
        overall_ms: of(Key::TargetOverallMs, default.overall_ms),
        hit_percent: of(Key::TargetHitRate, default.hit_percent),
        savings_percent: of(Key::TargetSavings, default.savings_percent),
    }
}

/// Completes what the store says of itself: counts the lines of the unsealed
/// log (broken and blank ones, too, as the first seed does) and looks for the
/// latest event. Reads the whole unsealed log.
///
/// # Errors
/// When it cannot be read.
pub fn complete(engine: &Engine, storage: &mut Storage) -> Result<()> {
    if storage.log_events.is_some() {
        return Ok(());
    }
    let lines = engine.store().home().count_lines()?;
    Ok(question::Storage::complete(storage, lines, engine)?)
}

/// A statement that is wrong is a mistake in the command line; one that is too
/// much is none.
pub fn asked(error: AskError) -> anyhow::Error {
    match error {
        AskError::Limit { limit, what } => anyhow::anyhow!(
            "the query was stopped: {what}\n\
             hint: ask for fewer rows or columns (`where`, `limit`), and join on equal columns; or \
             raise `{}` (`tacho config`); or `tacho export --format parquet --output FILE` for \
             another engine",
            limit.setting()
        ),
        AskError::Forbidden { .. } | AskError::Query { .. } => usage(error.to_string()),
        error => error.into(),
    }
}

/// How text on stdout may look; plain when it goes to a file.
pub fn style(ctx: &Context, output: Option<&Path>) -> Style {
    if output.is_some() {
        return Style::PLAIN;
    }
    ctx.look.style()
}

/// Says the notes on stderr, where they spoil no output.
/// What only confirms what the answer says is for those who ask for more.
pub fn say_notes(ctx: &Context, about: &About) {
    let wanted = |note: &&Note| ctx.verbose > 0 || note.kind != NoteKind::SecondOpinion;
    let notes: Vec<Note> = about.notes.iter().filter(wanted).cloned().collect();
    for line in render::notes(&notes).lines() {
        ctx.say(line);
    }
}

/// Says where the events lie, when there are some and none is in the window, of
/// whatever kind; returns whether that is so.
///
/// # Errors
/// When they cannot be read.
pub fn say_if_elsewhere(engine: &Engine, ctx: &Context, about: &About) -> Result<bool> {
    if about.events > 0 || ctx.quiet {
        return Ok(false);
    }
    let to = about.to.map(|to| format!("and timestamp < '{}'", iso(to)));
    let query = format!(
        "select count(*), min(timestamp), max(timestamp), \
         count(*) filter (where timestamp >= '{}' {}) from events",
        iso(about.from),
        to.unwrap_or_default()
    );
    let mut found = Vec::new();
    engine
        .sql_each(&query, |_, rows| {
            found.extend(rows.into_iter().flatten());
            ControlFlow::Continue(())
        })
        .map_err(asked)?;
    let [count, first, last, within] = found.as_slice() else {
        return Ok(false);
    };
    if within.as_u64() != Some(0) {
        return Ok(false);
    }
    let day = |value: &Value| {
        value
            .as_str()
            .and_then(|text| text.get(..10).map(str::to_owned))
    };
    if let (Some(count), Some(first), Some(last)) = (count.as_u64(), day(first), day(last)) {
        ctx.say(format_args!(
            "note: no event in this window; there {} {} of {first} to {last}\n\
             hint: `--since {first}` shows all",
            if count == 1 { "is" } else { "are" },
            out::counted(count, "event", "events"),
        ));
        return Ok(true);
    }
    Ok(false)
}

/// Hands over a whole text: to stdout, or to a file. Text for people is fit for
/// a terminal; the other forms hold what was recorded.
///
/// # Errors
/// What the write says.
pub fn deliver(ctx: &Context, output: Option<&Path>, text: &str) -> Result<()> {
    match output {
        None => {
            let print = match ctx.format {
                None | Some(Format::Text) => out::print,
                Some(_) => out::print_data,
            };
            Ok(print(text)?)
        }
        Some(path) => {
            let mut file = Draft::create(path)?;
            file.write_all(text.as_bytes())
                .with_context(|| cannot_write(path))?;
            file.commit()?;
            ctx.say(format_args!("wrote {}", path.display()));
            Ok(())
        }
    }
}

/// Pretty JSON with a newline.
pub fn pretty(value: &Value) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
