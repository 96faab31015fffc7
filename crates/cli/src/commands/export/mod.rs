//! `tacho export`
//!
//! ```text
//! events ─SQL─► rows ─► row.rs: the event as it came ─► jsonl (lossless), json
//!                   ├─► csv (text guarded against formulas)
//!                   ├─► queries.rs: the fifth seed's records ─► csv, json
//!                   └─► parquet, by the engine
//! ```

mod queries;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;
use tachograph_analyze::{Engine, Rows};
use tachograph_model::answer::{About, SqlColumn};
use tachograph_model::render::csv;
use tachograph_model::{COLUMNS, KINDS, Kind, Scope, UnixNanos, Window};

use super::ask;
use crate::args::Format;
use crate::args::ask::{Export, Shape};
use crate::context::Context;
use crate::draft::{self, Draft, cannot_write};
use crate::exit::{Exit, Result, usage};
use crate::near;
use crate::out;
use crate::row;

const FORMS: [Format; 4] = [Format::Jsonl, Format::Json, Format::Csv, Format::Parquet];
/// Events that are sorted in memory at once; more are taken stretch by stretch.
const AT_ONCE: u64 = 500_000;

/// Runs the command.
pub fn run(args: &Export, ctx: &Context) -> Result<Exit> {
    let form = match args.shape {
        Shape::Events => ctx.form(&FORMS)?,
        Shape::Queries => ctx.form(&[Format::Csv, Format::Json, Format::Jsonl])?,
    };
    if form == Format::Parquet && args.output.is_none() {
        return Err(usage(
            "--format parquet needs --output FILE\nhint: `--output -` means stdout, for a pipe",
        ));
    }
    let output = draft::file(args.output.as_deref());
    if form == Format::Parquet && output.is_none() && ctx.look.terminal {
        return Err(usage(
            "Parquet is not for a terminal\nhint: --output FILE, or a pipe behind `--output -`",
        ));
    }
    let scope = ask::scope(&args.window, ctx, None, true)?;
    let engine = ask::engine(ctx);
    let export = Job {
        engine: &engine,
        scope,
        kinds: kinds(args, &engine)?,
        at_once: AT_ONCE,
    };
    let mut about = About::new(&scope);
    // To stdout, the events themselves show that something is done.
    let busy = output.map(|_| ctx.busy("exporting"));
    let count = match (form, output) {
        (Format::Parquet, None) => {
            export.parquet(std::io::stdout(), Path::new("stdout"), &mut about)?
        }
        (Format::Parquet, Some(path)) => {
            let mut draft = Draft::create(path)?;
            let count = export.parquet(&mut draft, path, &mut about)?;
            draft.commit()?;
            count
        }
        (_, Some(path)) => {
            let mut draft = Draft::create(path)?;
            let count = export
                .write(&mut draft, form, args.shape, &mut about)
                .with_context(|| cannot_write(path))?;
            draft.commit()?;
            count
        }
        (_, None) => {
            let mut data = out::data();
            let count = export.write(&mut data, form, args.shape, &mut about)?;
            data.flush()?;
            count
        }
    };
    drop(busy);
    if let Some(path) = output {
        ctx.say(format_args!(
            "exported {} to {}",
            out::counted(count, "event", "events"),
            path.display()
        ));
    }
    if count == 0 {
        export.say_why_nothing(ctx)?;
    }
    ask::say_notes(ctx, &about);
    Ok(Exit::Ok)
}

/// The kinds asked for; none: all. A kind that is none of ours must have been
/// recorded.
fn kinds(args: &Export, engine: &Engine) -> Result<Vec<String>> {
    if args.shape == Shape::Queries {
        return Ok(vec!["query".to_owned()]);
    }
    let unknown: Vec<&String> = args
        .kind
        .iter()
        .filter(|kind| Kind::by_name(kind).is_none())
        .collect();
    if unknown.is_empty() {
        return Ok(args.kind.clone());
    }
    let recorded = recorded_kinds(engine, "true")?;
    if let Some(kind) = unknown.into_iter().find(|kind| !recorded.contains(kind)) {
        let ours = KINDS.iter().map(|kind| kind.name);
        let others = recorded.iter().map(String::as_str);
        let others = others.filter(|name| Kind::by_name(name).is_none());
        let all: Vec<&str> = ours.chain(others).collect();
        return Err(usage(format!(
            "no kind of event is called `{kind}`\nhint: {}",
            near::hint(kind, &all)
        )));
    }
    Ok(args.kind.clone())
}

/// The types of the events that fulfil a condition, in order.
fn recorded_kinds(engine: &Engine, condition: &str) -> Result<Vec<String>> {
    let query = format!("select distinct event_type from events where {condition} order by 1");
    let mut found = Vec::new();
    let each = |_: &[SqlColumn], rows: Rows| {
        let names = rows.iter().filter_map(|row| row.first()?.as_str());
        found.extend(names.map(str::to_owned));
        ControlFlow::Continue(())
    };
    engine.sql_each(&query, each).map_err(ask::asked)?;
    Ok(found)
}

struct Job<'a> {
    engine: &'a Engine,
    scope: Scope,
    kinds: Vec<String>,
    /// Events that are sorted at once.
    at_once: u64,
}

/// Divides a window between minutes, so that no stretch holds more than
/// `at_once` events, unless a single minute does. `minutes` are those with
/// events, in order.
fn divide(whole: Window, minutes: &[(UnixNanos, u64)], at_once: u64) -> Vec<Window> {
    let mut stretches = Vec::new();
    let (mut from, mut held) = (whole.from, 0);
    for (minute, count) in minutes {
        if held > 0 && held + count > at_once {
            stretches.push(Window { from, to: *minute });
            (from, held) = (*minute, 0);
        }
        held += count;
    }
    stretches.push(Window { from, to: whole.to });
    stretches
}

impl Job<'_> {
    /// The condition for a window.
    fn condition(&self, window: Window) -> String {
        let instant = |at: UnixNanos| {
            format!(
                "arrow_cast({}, 'Timestamp(Nanosecond, Some(\"UTC\"))')",
                at.0
            )
        };
        let mut parts = vec!["true".to_owned()];
        if window.from != UnixNanos::MIN {
            parts.push(format!("timestamp >= {}", instant(window.from)));
        }
        if window.to != UnixNanos::MAX {
            parts.push(format!("timestamp < {}", instant(window.to)));
        }
        if !self.kinds.is_empty() {
            let names: Vec<String> = self
                .kinds
                .iter()
                .map(|kind| format!("'{}'", kind.replace('\'', "''")))
                .collect();
            parts.push(format!("event_type in ({})", names.join(", ")));
        }
        parts.join(" and ")
    }

    /// Events of one instant are ordered by everything they hold, so that equal
    /// recordings give equal files, wherever the events lie.
    fn query(&self, window: Window) -> String {
        let columns: Vec<String> = COLUMNS
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        format!(
            "select * from events where {} order by timestamp, event_type, {}, extra",
            self.condition(window),
            columns.join(", ")
        )
    }

    /// Names what there is where nothing was found.
    fn say_why_nothing(&self, ctx: &Context) -> Result<()> {
        let anything = Job {
            engine: self.engine,
            scope: self.scope,
            kinds: Vec::new(),
            at_once: self.at_once,
        };
        let here = recorded_kinds(self.engine, &anything.condition(self.scope.window))?;
        if !here.is_empty() {
            ctx.say(format_args!(
                "note: no event of kind {} in this window; there are events of {}",
                self.kinds.join(", "),
                here.join(", ")
            ));
        } else if !recorded_kinds(self.engine, "true")?.is_empty() {
            ctx.say(
                "note: no event in this window; without --days, --hours, --since and --until \
                 everything is exported",
            );
        }
        Ok(())
    }

    /// Stretches of the window small enough to be sorted in memory.
    fn stretches(&self) -> Result<Vec<Window>> {
        let whole = self.scope.window;
        let condition = self.condition(whole);
        let counted = format!("select count(*) from events where {condition}");
        let count = self.table(&counted)?;
        let count = count.first().and_then(|row| row.first()?.as_u64());
        match count.unwrap_or(0) {
            0 => return Ok(Vec::new()),
            few if few <= self.at_once => return Ok(vec![whole]),
            _ => {}
        }
        let by_minute = format!(
            "select date_trunc('minute', timestamp), count(*) from events where {condition} \
             group by 1 order by 1"
        );
        let minutes: Vec<(UnixNanos, u64)> = self
            .table(&by_minute)?
            .iter()
            .filter_map(|row| {
                let minute = UnixNanos::parse(row.first()?.as_str()?, true).ok()?;
                Some((minute, row.get(1)?.as_u64()?))
            })
            .collect();
        Ok(divide(whole, &minutes, self.at_once))
    }

    fn table(&self, query: &str) -> Result<Rows> {
        let mut table = Rows::new();
        let each = |_: &[SqlColumn], rows: Rows| {
            table.extend(rows);
            ControlFlow::Continue(())
        };
        self.engine.sql_each(query, each).map_err(ask::asked)?;
        Ok(table)
    }

    fn parquet(&self, out: impl Write + Send, path: &Path, about: &mut About) -> Result<u64> {
        let mut queries: Vec<String> = self
            .stretches()?
            .into_iter()
            .map(|window| self.query(window))
            .collect();
        if queries.is_empty() {
            // A file without rows tells the columns.
            queries.push(self.query(self.scope.window));
        }
        let (count, notes) = self
            .engine
            .write_parquet(&queries, out, path)
            .map_err(ask::asked)?;
        for note in notes {
            about.note(note);
        }
        Ok(count)
    }

    /// Writes the events in a form; returns how many.
    fn write(
        &self,
        out: &mut dyn Write,
        form: Format,
        shape: Shape,
        about: &mut About,
    ) -> Result<u64> {
        let mut writer = Writer {
            out,
            form,
            shape,
            count: 0,
            header: false,
        };
        writer.begin()?;
        for window in self.stretches()? {
            let mut failed = None;
            let each = |columns: &[SqlColumn], rows: Rows| match writer.rows(columns, rows) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            };
            let notes = self
                .engine
                .sql_each(&self.query(window), each)
                .map_err(ask::asked)?;
            if let Some(error) = failed {
                return Err(error);
            }
            for note in notes {
                about.note(note);
            }
        }
        writer.end()?;
        Ok(writer.count)
    }
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    form: Format,
    shape: Shape,
    count: u64,
    header: bool,
}

impl Writer<'_> {
    fn begin(&mut self) -> Result<()> {
        if self.form == Format::Json {
            self.out.write_all(b"[")?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        if self.form == Format::Json {
            self.out
                .write_all(if self.count == 0 { b"]\n" } else { b"\n]\n" })?;
        }
        if self.form == Format::Csv && self.shape == Shape::Queries && !self.header {
            self.out.write_all(queries::HEADER.as_bytes())?;
        }
        Ok(())
    }

    fn rows(&mut self, columns: &[SqlColumn], rows: Rows) -> Result<()> {
        if self.form == Format::Csv && !self.header {
            self.header = true;
            let header = match self.shape {
                Shape::Queries => queries::HEADER.to_owned(),
                Shape::Events => {
                    let names: Vec<&str> =
                        columns.iter().map(|column| column.name.as_str()).collect();
                    names.join(",") + "\n"
                }
            };
            self.out.write_all(header.as_bytes())?;
        }
        for row in rows {
            self.row(columns, row)?;
            self.count += 1;
        }
        Ok(())
    }

    fn row(&mut self, columns: &[SqlColumn], row: Vec<Value>) -> Result<()> {
        if self.form == Format::Csv && self.shape == Shape::Events {
            return Ok(self.out.write_all(csv::row_of(&row).as_bytes())?);
        }
        let event = row::event(columns, &row);
        if self.form == Format::Csv {
            return Ok(self.out.write_all(queries::line(&event).as_bytes())?);
        }
        let mut text = match self.shape {
            Shape::Queries => queries::json(&event).to_string().into_bytes(),
            Shape::Events => event.to_line(),
        };
        text.truncate(text.trim_ascii_end().len());
        if self.form == Format::Json {
            self.out
                .write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
            self.out.write_all(&text)?;
        } else {
            text.push(b'\n');
            self.out.write_all(&text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
