//! `tacho agents …`: agent definitions. Every operation is recorded.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tachograph_agents::{
    Benchmark, Entry, Filter, GetError, Index, Observation, OpenError, Shelf, ShelfOptions,
    Skipped, scan, unquoted,
};
use tachograph_log::{Appender, Home};
use tachograph_model::render::grid::Column as GridColumn;
use tachograph_model::render::width;
use tachograph_model::{Column, Event, UnixNanos, Value};

use crate::args::Format;
use crate::args::agents::{Agents, Folder, Get, Index as IndexArgs, List, Search};
use crate::context::{Context, Place, now};
use crate::exit::{Exit, Result, usage};
use crate::near;
use crate::out::{self, counted};
use crate::place::IndexedAgents;
use crate::settings::Key;

/// Larger definitions are refused, in bytes.
pub const MAX_FILE_BYTES: u64 = 8 << 20;

/// Runs the command.
///
/// # Errors
/// When there are no definitions, or the one asked for is not among them.
pub fn run(args: &Agents, ctx: &Context) -> Result<Exit> {
    match args {
        Agents::Index(args) => index(args, ctx),
        Agents::List(args) => list(args, ctx),
        Agents::Get(args) => get(args, ctx),
        Agents::Search(args) => search(args, ctx),
        Agents::Benchmark(args) => benchmark(&args.from, ctx),
    }
}

fn index(args: &IndexArgs, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => remembered(&args.from, ctx)?,
    };
    let folder = is_there(&folder)?;
    if !folder.is_dir() {
        return Err(usage(format!(
            "{} is no folder\nhint: name the folder the definitions lie in",
            folder.display()
        )));
    }
    let scan = scan(&folder, MAX_FILE_BYTES)?;
    tell_skipped(&scan.skipped, ctx);
    if scan.found.is_empty() {
        return Err(empty(&folder, scan.skipped.len()));
    }
    let index = Index::of_scan(&scan, &ctx.now.to_string(), "");
    let problems = index.problems();
    for problem in &problems {
        out::err(format_args!("problem: {problem}"));
    }
    let tokens = index
        .agents
        .iter()
        .map(|agent| agent.estimated_tokens)
        .sum();
    let written = match args.validate_only {
        true => None,
        false => Some(write_index(args, &index, &folder, tokens, ctx)?),
    };
    let text = match form {
        Format::Json => {
            let summary = json!({
                "folder": folder, "agents": index.agents.len(), "categories": index.categories(),
                "estimated_tokens": tokens, "skipped": scan.skipped.len(), "problems": problems,
                "index": written,
            });
            serde_json::to_string_pretty(&summary)? + "\n"
        }
        _ => {
            let mut text = format!(
                "{} in {}, about {} in all\n",
                counted(index.agents.len() as u64, "agent", "agents"),
                counted(index.categories().len() as u64, "category", "categories"),
                counted(tokens, "token", "tokens"),
            );
            if let Some(path) = &written {
                let _ = writeln!(text, "index written to {}", path.display());
            }
            text
        }
    };
    out::print(&text)?;
    Ok(if problems.is_empty() {
        Exit::Ok
    } else {
        Exit::Findings
    })
}

fn write_index(
    args: &IndexArgs,
    index: &Index,
    folder: &Path,
    tokens: u64,
    ctx: &Context,
) -> Result<PathBuf> {
    let home = Home::create(ctx.home()?)?;
    let path = match &args.output {
        Some(path) => path.clone(),
        None => home.root().join("agents-index.json"),
    };
    index.write(&path)?;
    let remembered = IndexedAgents {
        dir: folder.to_owned(),
        agents: index.agents.len() as u64,
        tokens,
    };
    remembered.write(home.root())?;
    Ok(path)
}

fn list(args: &List, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let shelf = open(&args.from, ctx)?;
    let keywords: Vec<&str> = args.keyword.iter().map(String::as_str).collect();
    let filter = Filter {
        category: args.category.as_deref().unwrap_or_default(),
        keywords: &keywords,
    };
    let agents = shelf.shelf.list(&filter);
    shelf.record(ctx);
    if agents.is_empty() {
        ctx.say("no agent passes the filter");
        if let Some(category) = &args.category {
            let names = shelf.shelf.categories();
            let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            ctx.say(format_args!("hint: {}", near::hint(category, &names)));
        }
    }
    print_entries(&agents, form, ctx)
}

fn get(args: &Get, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let shelf = open(&args.from, ctx)?;
    let found = shelf.shelf.get(&args.id);
    shelf.record(ctx);
    let agent = match found {
        Ok(agent) => agent,
        Err(GetError::Unknown { id, similar }) => {
            let ids = shelf.shelf.list(&Filter::default());
            let near = near::near(&id, ids.iter().map(|entry| entry.id.as_str()));
            let hint = match (similar.is_empty(), near) {
                (false, _) => format!("did you mean {}?", similar.join(" or ")),
                (true, Some(near)) => format!("did you mean {near}?"),
                (true, None) => "`tacho agents list` lists them".to_owned(),
            };
            anyhow::bail!("no agent has the id {id}\nhint: {hint}");
        }
        Err(error) => return Err(error.into()),
    };
    match form {
        Format::Json => out::print(&(serde_json::to_string_pretty(agent.as_ref())? + "\n"))?,
        _ => out::print_data(&agent.content)?,
    }
    Ok(Exit::Ok)
}

fn search(args: &Search, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let shelf = open(&args.from, ctx)?;
    let hits = shelf.shelf.search(&args.words.join(" "));
    shelf.record(ctx);
    let total = hits.len();
    let agents: Vec<Arc<Entry>> = hits
        .into_iter()
        .take(args.limit)
        .map(|hit| hit.entry)
        .collect();
    let exit = print_entries(&agents, form, ctx)?;
    if total > agents.len() {
        ctx.say(format_args!(
            "{} more; --limit {total} shows them",
            total - agents.len()
        ));
    }
    if total > 0 {
        return Ok(exit);
    }
    ctx.say(nothing_found(&args.words.join(" "), &shelf.shelf));
    Ok(Exit::Findings)
}

/// What to say when no agent has any of the words.
fn nothing_found(words: &str, shelf: &Shelf) -> String {
    let agents = shelf.list(&Filter::default());
    let known = || {
        agents.iter().flat_map(|agent| {
            let name = agent.name.split('-').map(str::to_owned);
            name.chain(agent.keywords.iter().cloned())
        })
    };
    let mut near: Vec<String> = words
        .split_whitespace()
        .filter_map(|word| {
            let known: Vec<String> = known().collect();
            near::near(&word.to_lowercase(), known.iter().map(String::as_str)).map(str::to_owned)
        })
        .collect();
    near.dedup();
    let hint = match near.is_empty() {
        true => "`tacho agents list` lists all".to_owned(),
        false => format!("did you mean {}?", near.join(" ")),
    };
    let all = counted(agents.len() as u64, "agent", "agents");
    format!("none of {all} has a word of \"{words}\"\nhint: {hint}")
}

fn benchmark(from: &Folder, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let shelf = open(from, ctx)?;
    let benchmark = Benchmark::run(&shelf.shelf)?;
    shelf.record(ctx);
    match form {
        Format::Json => {
            let json = json!({"measured": benchmark, "targets": benchmark.targets(), "passed": benchmark.passed()});
            out::print(&(serde_json::to_string_pretty(&json)? + "\n"))?;
        }
        _ => out::print(&ctx.look.glyphs.fit_seed(benchmark.render()))?,
    }
    Ok(if benchmark.passed() {
        Exit::Ok
    } else {
        Exit::Findings
    })
}

fn print_entries(agents: &[Arc<Entry>], form: Format, ctx: &Context) -> Result<Exit> {
    if form == Format::Json {
        let entries: Vec<&Entry> = agents.iter().map(AsRef::as_ref).collect();
        out::print(&(serde_json::to_string_pretty(&entries)? + "\n"))?;
        return Ok(Exit::Ok);
    }
    let columns = vec![
        // Ids are there to be copied.
        GridColumn::words("id").whole(),
        GridColumn::words("category").importance(0),
        GridColumn::figures("tokens").importance(1),
        GridColumn::words("description").cut_to(20).importance(2),
    ];
    // Into a pipe a description is a line of its own length, but no essay.
    let most = ctx.look.width.unwrap_or(120);
    let row = |agent: &Arc<Entry>| {
        vec![
            agent.id.clone(),
            agent.category.clone(),
            agent.estimated_tokens.to_string(),
            width::cut(unquoted(&agent.description), most),
        ]
    };
    let rows: Vec<Vec<String>> = agents.iter().map(row).collect();
    if !rows.is_empty() {
        out::print(&out::grid(columns, &rows, &ctx.look))?;
    }
    Ok(Exit::Ok)
}

/// The folder's own path, if it is there.
fn is_there(folder: &Path) -> Result<PathBuf> {
    folder.canonicalize().map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return usage(format!(
                "there is no folder {}\nhint: `tacho agents index DIR` names another and remembers it",
                folder.display()
            ));
        }
        anyhow::Error::new(error).context(format!("cannot read {}", folder.display()))
    })
}

/// Names what was passed over; of many only the first, unless `-v` asks.
fn tell_skipped(skipped: &[Skipped], ctx: &Context) {
    const MOST: usize = 5;
    let told = if ctx.verbose > 0 { skipped.len() } else { MOST };
    for skipped in skipped.iter().take(told) {
        ctx.say(format_args!("skipped: {skipped}"));
    }
    if skipped.len() > told {
        ctx.say(format_args!(
            "skipped: {} more; -v names them",
            skipped.len() - told
        ));
    }
}

fn empty(folder: &Path, skipped: usize) -> anyhow::Error {
    let looked = match skipped {
        0 => String::new(),
        count => format!(
            " ({})",
            counted(
                count as u64,
                "entry was passed over",
                "entries were passed over"
            )
        ),
    };
    anyhow::anyhow!(
        "no agent definitions in {}{looked}\nhint: they are Markdown files (*.md) that begin with a front matter: ---, name: …, description: …, ---",
        folder.display()
    )
}

fn remembered(from: &Folder, ctx: &Context) -> Result<PathBuf> {
    if let Some(dir) = &from.dir {
        return Ok(dir.clone());
    }
    if let Some(dir) = ctx.settings.text(Key::AgentsDir) {
        return Ok(dir.into());
    }
    match IndexedAgents::read(ctx.folder()) {
        Some(indexed) => Ok(indexed.dir),
        None => Err(usage(
            "which folder of agent definitions?\nhint: `tacho agents index DIR` remembers one; --dir names one",
        )),
    }
}

/// A shelf, and what it was seen doing.
struct Observed {
    shelf: Shelf,
    events: Arc<Mutex<Vec<Seen>>>,
}

struct Seen {
    event: Event,
    load: Option<(String, Event)>,
}

fn open(from: &Folder, ctx: &Context) -> Result<Observed> {
    let dir = remembered(from, ctx)?;
    let events = Arc::new(Mutex::new(Vec::new()));
    let (kept, as_of) = (Arc::clone(&events), ctx.as_of.then_some(ctx.now));
    let observer = move |observation: &Observation<'_>| {
        let seen = seen(observation, as_of.unwrap_or_else(now));
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    };
    let options = ShelfOptions {
        observer: Some(Arc::new(observer)),
        ..ShelfOptions::default()
    };
    is_there(&dir)?;
    let shelf = Shelf::open(&dir, options).map_err(|error| match error {
        OpenError::Empty { folder, skipped } => {
            tell_skipped(&skipped, ctx);
            empty(&folder, skipped.len())
        }
        error => error.into(),
    })?;
    for note in shelf.notes() {
        ctx.detail(format_args!("note: {note}"));
    }
    Ok(Observed { shelf, events })
}

fn seen(observation: &Observation<'_>, time: UnixNanos) -> Seen {
    let ms = observation.duration.as_nanos() as f64 / 1e6;
    let event = Event::new(time, "agent_discovery")
        .with(Column::Name, observation.operation.as_str())
        .with(Column::DurationMs, ms)
        .with(Column::Hit, observation.cache_hit.unwrap_or(false))
        .with(Column::Count, whole(observation.agent_count as u64));
    let load = observation.load.map(|load| {
        let event = Event::new(time, "agent_load")
            .with(Column::DurationMs, ms)
            .with(Column::SizeBytes, whole(load.bytes))
            .with(Column::Tokens, whole(load.tokens));
        (load.agent_id.to_owned(), event)
    });
    Seen { event, load }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Observed {
    /// Records what was seen. An answer is not withheld because it cannot be
    /// recorded.
    fn record(&self, ctx: &Context) {
        if let Err(error) = self.try_record(ctx) {
            ctx.say(format_args!("warning: not recorded: {error:#}"));
        }
    }

    fn try_record(&self, ctx: &Context) -> Result<()> {
        let Place::Home(home) = &ctx.place else {
            return Ok(());
        };
        if ctx.settings.off("agent_discovery").is_some() {
            return Ok(());
        }
        let home = Home::create(home)?;
        let seen = std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner));
        let mut lines = Vec::new();
        for Seen { event, load } in seen {
            lines.extend(event.to_line());
            if let Some((agent, mut load)) = load {
                load.set(Column::Agent, Value::from(home.salt()?.hash(&agent)));
                lines.extend(load.to_line());
            }
        }
        Appender::new(&home).append(&lines)?;
        Ok(())
    }
}
