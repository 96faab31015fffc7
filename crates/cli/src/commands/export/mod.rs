//! `tacho export`
//!
//! ```text
//! events ─SQL─► rows ─► row.rs: the event as it came ─► jsonl (lossless), json
//!                   ├─► csv (text guarded against formulas)
//!                   ├─► queries.rs: the fifth seed's records ─► csv, json
//!                   └─► parquet, by the engine
//! ```

mod queries;
mod row;

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;
use tachograph_analyze::{Engine, Rows};
use tachograph_model::answer::{About, SqlColumn};
use tachograph_model::render::csv;
use tachograph_model::{KINDS, Kind, Scope, UnixNanos, Window};

use super::ask::{self, DAY, Draft};
use crate::args::Format;
use crate::args::ask::{Export, Shape};
use crate::context::Context;
use crate::exit::{Exit, Result, usage};
use crate::out;

const FORMS: [Format; 4] = [Format::Jsonl, Format::Json, Format::Csv, Format::Parquet];
/// Events that are sorted in memory at once; more are taken day by day.
const AT_ONCE: u64 = 500_000;

/// Runs the command.
pub fn run(args: &Export, ctx: &Context) -> Result<Exit> {
    let form = match args.shape {
        Shape::Events => ctx.form(&FORMS)?,
        Shape::Queries => ctx.form(&[Format::Csv, Format::Json, Format::Jsonl])?,
    };
    let output = args.output.as_deref();
    let kinds = kinds(args)?;
    let scope = ask::scope(&args.window, ctx, None, true)?;
    let engine = ask::engine(ctx);
    let export = Job {
        engine: &engine,
        scope,
        kinds,
    };
    let mut about = About::new(&scope);
    let count = match (form, output) {
        (Format::Parquet, None) => {
            return Err(usage("--format parquet needs --output FILE"));
        }
        (Format::Parquet, Some(path)) => export.parquet(path, &mut about)?,
        (_, Some(path)) => {
            let mut draft = Draft::create(path)?;
            let count = export.write(&mut draft.writer(), form, args.shape, &mut about)?;
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
    if let Some(path) = output {
        ctx.say(format_args!(
            "exported {count} events to {}",
            path.display()
        ));
    }
    ask::say_notes(ctx, &about);
    Ok(Exit::Ok)
}

/// The kinds asked for; none: all. An unknown one may have been recorded all
/// the same, so it is no mistake unless it nearly is one of ours.
fn kinds(args: &Export) -> Result<Vec<String>> {
    if args.shape == Shape::Queries {
        return Ok(vec!["query".to_owned()]);
    }
    for kind in &args.kind {
        let near = KINDS
            .iter()
            .find(|known| crate::settings::distance(kind, known.name) == 1);
        if let (None, Some(near)) = (Kind::by_name(kind), near) {
            return Err(usage(format!(
                "no kind of event is called `{kind}`\nhint: did you mean {}?",
                near.name
            )));
        }
    }
    Ok(args.kind.clone())
}

struct Job<'a> {
    engine: &'a Engine,
    scope: Scope,
    kinds: Vec<String>,
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

    fn query(&self, window: Window) -> String {
        format!(
            "select * from events where {} order by timestamp",
            self.condition(window)
        )
    }

    /// Stretches of the window small enough to be sorted in memory.
    fn stretches(&self) -> Result<Vec<Window>> {
        let whole = self.scope.window;
        let query = format!(
            "select count(*), min(timestamp), max(timestamp) from events where {}",
            self.condition(whole)
        );
        let mut first = None;
        let each = |_: &[SqlColumn], rows: Rows| {
            first = first.take().or_else(|| rows.into_iter().next());
            ControlFlow::Continue(())
        };
        self.engine.sql_each(&query, each).map_err(ask::asked)?;
        let cell = |at: usize| first.as_ref().and_then(|row| row.get(at));
        let instant = |at| UnixNanos::parse(cell(at).and_then(Value::as_str)?, true).ok();
        let count = cell(0).and_then(Value::as_u64).unwrap_or(0);
        let (Some(from), Some(last)) = (instant(1), instant(2)) else {
            return Ok(Vec::new());
        };
        if count <= AT_ONCE {
            return Ok(vec![whole]);
        }
        let mut stretches = Vec::new();
        let mut at = from;
        while at <= last {
            let to = at.saturating_add(DAY);
            stretches.push(Window { from: at, to });
            at = to;
        }
        Ok(stretches)
    }

    fn parquet(&self, path: &Path, about: &mut About) -> Result<u64> {
        let draft = Draft::reserve(path)?;
        // Sorted data compresses best, but must fit into memory.
        let query = match self.stretches()?.len() {
            0 | 1 => self.query(self.scope.window),
            _ => format!(
                "select * from events where {}",
                self.condition(self.scope.window)
            ),
        };
        let (count, notes) = self
            .engine
            .write_parquet(&query, draft.beside())
            .map_err(ask::asked)?;
        for note in notes {
            about.note(note);
        }
        draft.commit()?;
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
            return Ok(self.out.write_all(line(&row).as_bytes())?);
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

/// A row of the wide table; text is guarded, numbers are not.
fn line(row: &[Value]) -> String {
    let cells: Vec<String> = row
        .iter()
        .map(|value| match value {
            Value::Null => String::new(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::String(text) => csv::text(text),
            other => csv::text(&other.to_string()),
        })
        .collect();
    cells.join(",") + "\n"
}
