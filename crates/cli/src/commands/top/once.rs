//! One picture on stdout, for pipes and scripts.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::{Map, Value, json};
use tachograph_model::render::grid;
use tachograph_model::render::{human, iso, stamp};
use tachograph_serve::live::Live;

use super::alerts;
use super::app::App;
use super::columns;
use super::picture::{Following, Picture, Row, TABS};
use super::view::figures;
use crate::args::Format;
use crate::args::top::{Tab, Top};
use crate::commands::ask;
use crate::context::Context;
use crate::exit::Result;
use crate::out::{self, Look};

/// How long the log's past may take to read.
const PATIENCE: Duration = Duration::from_secs(60);
/// Rows of a table of text.
const ROWS: usize = 20;

/// Prints what is there now.
pub fn print(
    source: &Following<'_>,
    args: &Top,
    form: Format,
    home: &str,
    ctx: &Context,
) -> Result<()> {
    let busy = ctx.busy("reading the log");
    settle(source.live)?;
    drop(busy);
    let tabs: Vec<Tab> = args.tab.map_or_else(|| TABS.to_vec(), |tab| vec![tab]);
    let pictures: Vec<Picture> = tabs
        .iter()
        .map(|tab| Picture::read(source, *tab, args.window, None))
        .collect();
    let text = match form {
        Format::Json => ask::pretty(&document(&pictures, home))?,
        _ => page(&pictures, home, &ctx.look),
    };
    ask::deliver(ctx, None, &text)
}

fn settle(live: &Live) -> Result<()> {
    let began = Instant::now();
    loop {
        let overview = live.overview();
        if overview.settled {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(anyhow!(
                "the log could not be read within {} s\nhint: `tacho doctor` tells what is wrong with it",
                PATIENCE.as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// As text: the line of figures, then the tables that hold something.
pub fn page(pictures: &[Picture], home: &str, look: &Look) -> String {
    let Some(first) = pictures.first() else {
        return String::new();
    };
    let figures: Vec<String> = figures(first)
        .into_iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let mut text = format!(
        "{}\nlast {} until {} UTC\n{}\n",
        tachograph_model::render::width::clean(home),
        first.window.name(),
        stamp(first.at),
        figures.join("   "),
    );
    let full: Vec<&Picture> = pictures.iter().filter(|it| it.len() > 0).collect();
    if full.is_empty() {
        text += "\nNothing of the kind in this log so far.\n";
    }
    // That nothing is known of alerts is to be told where no other table is.
    let told = |it: &&Picture| it.len() > 0 || it.board.note.is_some();
    for picture in pictures.iter().filter(told) {
        text += &format!("\n{}", table(picture, look));
    }
    look.glyphs.fit(text.trim_end().to_owned() + "\n")
}

fn table(picture: &Picture, look: &Look) -> String {
    if picture.tab == Tab::Alerts {
        return alerts(picture, look);
    }
    let order = App::new(picture.tab, picture.window).order(picture);
    let figures = columns::of(picture.tab);
    let mut titles = vec![grid::Column::words(columns::name_title(picture.tab))];
    titles.extend(figures.iter().map(|it| grid::Column::figures(it.title)));
    let line = |at: &usize| {
        let row = &picture.rows[*at];
        let mut cells = vec![columns::name(row, &picture.names)];
        cells.extend(figures.iter().map(|it| it.text(row, picture.at)));
        cells
    };
    let rows: Vec<Vec<String>> = order.iter().take(ROWS).map(line).collect();
    out::grid(titles, &rows, look) + &more(order.len().saturating_sub(ROWS))
}

/// What fires, waits or did lately; of rules how many there are.
fn alerts(picture: &Picture, look: &Look) -> String {
    let board = &picture.board;
    let (note, _) = alerts::note(board);
    let rules = board.lines.iter().filter(|line| line.alert.is_none());
    let rules = match rules.count() as u64 {
        // Of none nothing is known.
        0 if board.note.is_some() => String::new(),
        count => format!("; {}", human::counted(count, "rule", "rules")),
    };
    let mut text = format!("Alerts: {note}{rules}\n");
    let shown = board.lines.iter().filter(|line| line.alert.is_some());
    let rows: Vec<Vec<String>> = shown.map(|line| alerts::cells(line, picture)).collect();
    let (first, rest) = rows.split_at(rows.len().min(ROWS));
    if !first.is_empty() {
        let titles = alerts::titles().map(grid::Column::words);
        text += &out::grid(titles.collect(), first, look);
    }
    text + &more(rest.len())
}

/// How many rows there are besides.
fn more(rows: usize) -> String {
    match rows as u64 {
        0 => String::new(),
        more => {
            let rows = human::counted(more, "more row", "more rows");
            format!("{rows}: --format json has all\n")
        }
    }
}

/// As JSON: every series, in plain units; null where nothing is known.
pub fn document(pictures: &[Picture], home: &str) -> Value {
    let Some(first) = pictures.first() else {
        return Value::Null;
    };
    let mut top = Map::new();
    top.insert("home".to_owned(), home.into());
    top.insert("timestamp".to_owned(), iso(first.at).into());
    let seconds = first.window.length().as_secs();
    top.insert("window_seconds".to_owned(), seconds.into());
    let head = &first.head;
    top.insert(
        "overview".to_owned(),
        json!({
            "events_per_second": head.events_per_second,
            "failed_per_second": head.failed_per_second,
            "tokens_per_second": head.tokens_per_second,
            "cost_per_hour": head.cost_per_hour,
            "active_sessions": first.overview.active_sessions,
            "events_read": first.overview.events,
            "unreadable_lines": first.overview.unreadable,
        }),
    );
    for picture in pictures {
        if picture.tab == Tab::Alerts {
            top.insert("alerts".to_owned(), picture.board.document(&picture.names));
            continue;
        }
        let order = App::new(picture.tab, picture.window).order(picture);
        let rows: Vec<Value> = order
            .iter()
            .map(|at| series(picture, &picture.rows[*at]))
            .collect();
        top.insert(picture.tab.title().to_lowercase(), rows.into());
    }
    json!({ "top": top })
}

/// The keys of `/api/v1/live`, and what only this table has.
fn series(picture: &Picture, row: &Row) -> Value {
    let reading = &row.reading;
    let window = reading.window.as_ref();
    let unit = match reading.family.is_duration() {
        true => Some("ms"),
        false => reading.unit.as_deref(),
    };
    let counts = row.happened();
    let outcomes = counts.filter(|_| row.tells_outcome());
    let mut value = json!({
        "source": *reading.source,
        "name": *reading.name,
        "type": reading.kind.as_deref(),
        "unit": unit,
        "count": counts.map_or(0, |it| it.count),
        "failed": outcomes.map(|it| it.failed),
        "rate_per_second": counts.map_or(0.0, |it| it.rate),
        "values": window.map_or(0, |it| it.count),
        "sum": window.map(|it| it.sum),
        "min": window.map(|it| it.min),
        "max": window.map(|it| it.max),
        "avg": window.map(|it| it.avg),
        "std": window.map(|it| it.std),
        "p50": window.map(|it| it.p50),
        "p95": window.map(|it| it.p95),
        "p99": window.map(|it| it.p99),
        "latest": reading.latest.map(|(_, value)| value),
        "latest_at": reading.latest.map(|(at, _)| iso(at)),
        "change_per_second": window.and_then(|it| it.change_per_second),
        "relative_error": window.map(|it| it.relative_error),
        "events_read": reading.totals.events,
    });
    let errors: Map<String, Value> = reading
        .totals
        .errors
        .iter()
        .map(|(name, count)| (name.to_string(), (*count).into()))
        .collect();
    match picture.tab {
        Tab::Tools => value["errors_read"] = errors.into(),
        Tab::Agents => {
            value["agent_name"] = picture.names.get(&*reading.name).map(String::as_str).into();
            let parts = row.parts.as_deref();
            let parts = parts.map(|it| {
                [
                    ("uses", &it.uses),
                    ("tool_calls", &it.tools),
                    ("llm_calls", &it.models),
                ]
            });
            for (key, reading) in parts.into_iter().flatten() {
                let happened = reading.as_ref().and_then(|it| it.happened);
                let window = reading.as_ref().and_then(|it| it.window);
                value[key] = happened.map_or(0, |it| it.count).into();
                value[format!("{key}_failed")] = happened.map_or(0, |it| it.failed).into();
                value[format!("{key}_p95_ms")] = window.map(|it| it.p95).into();
            }
            value["errors_read"] = errors.into();
            value["cost_usd"] = row.cost.map(|it| it.sum).into();
        }
        Tab::Models => {
            value["errors_read"] = errors.into();
            value["tokens"] = row.tokens.map(|it| it.sum).into();
            value["cost_usd"] = row.cost.map(|it| it.sum).into();
        }
        Tab::Caches => {
            value["hits"] = window.map(|it| it.sum).into();
            value["misses"] = window.map(|it| it.count as f64 - it.sum).into();
            value["evictions_read"] = reading.totals.lookups.evictions.into();
            value["size_rejections_read"] = reading.totals.lookups.size_rejections.into();
        }
        Tab::Metrics | Tab::Alerts => {}
    }
    value
}
