//! Questions that list sessions or events one by one: what cells do not tell.
//! The store finds the rows; here they become answers.

use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType,
};
use tachograph_model::answer::{About, Found, Note, NoteKind, SessionList, Trace, TraceEvent};
use tachograph_model::{Answer, AskError, Column, Scope, UnixNanos, question};
use tachograph_store::{EVENT_TYPE, Snapshot, TIMESTAMP, Whose, began};

use super::{Engine, notes};

/// Bytes of texts that a trace holds, unless the settings say otherwise.
const TRACE_BYTES: usize = 64 << 20;

impl Engine {
    /// The latest sessions.
    pub(super) fn session_list(&self, asked: &question::SessionList) -> Result<Answer, AskError> {
        let snapshot = self.snapshot()?;
        let limit = asked.limit.max(1) as usize;
        let agent = asked.agent.as_deref();
        let listed = snapshot.sessions_of(agent, asked.scope.window, limit);
        let listed = listed.map_err(notes::read_error)?;
        let mut about = about(&asked.scope, &snapshot, &listed.notes);
        let more = listed.found.saturating_sub(listed.sessions.len() as u64);
        about.events = listed.sessions.iter().map(|one| one.events).sum();
        let rows = listed.sessions.len();
        note_more(&mut about, "session_list", "sessions", rows, more);
        let found = SessionList {
            sessions: listed.sessions,
            more,
        };
        Ok(Answer {
            about,
            found: Found::SessionList(found.into()),
        })
    }

    /// The events of a session or trace.
    pub(super) fn trace(&self, asked: &question::Trace) -> Result<Answer, AskError> {
        let snapshot = self.snapshot()?;
        let window = asked.scope.window;
        let mut latest = None;
        if asked.session.is_none() && asked.trace.is_none() {
            let listed = snapshot.sessions(window, 1).map_err(notes::read_error)?;
            latest = listed.sessions.into_iter().next();
            if latest.is_none() {
                let about = about(&asked.scope, &snapshot, &listed.notes);
                let found = Found::Trace(Trace::default().into());
                return Ok(Answer { about, found });
            }
        }
        let latest = latest.as_ref().map(|one| &*one.session);
        let whose = Whose {
            session: asked.session.as_deref().or(latest),
            trace: asked.trace.as_deref(),
        };
        let first = Mutex::new(First::new(asked.limit));
        let of = |batch: RecordBatch| {
            let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
            first.take(&batch);
        };
        let left_out = snapshot.events_of(whose, window, &columns(), of);
        let left_out = left_out.map_err(notes::read_error)?;
        let mut about = about(&asked.scope, &snapshot, &left_out);
        let first = first.into_inner().unwrap_or_else(PoisonError::into_inner);
        let count = first.count;
        let most_bytes = self.config.sql_result_bytes.unwrap_or(TRACE_BYTES);
        let events = first.finish(most_bytes);
        let more = count - events.len() as u64;
        about.events = events.len() as u64;
        note_more(&mut about, "trace", "events", events.len(), more);
        Ok(Answer {
            about,
            found: Found::Trace(Trace { events, more }.into()),
        })
    }
}

fn about(scope: &Scope, snapshot: &Snapshot, left_out: &[tachograph_store::Note]) -> About {
    let mut about = About::new(scope);
    let all = notes::of_store(snapshot.notes()).into_iter();
    for note in all.chain(notes::of_store(left_out)) {
        about.note(note);
    }
    about
}

fn note_more(about: &mut About, question: &'static str, what: &str, listed: usize, more: u64) {
    if more > 0 {
        let text = format!("{listed} {what} are listed, and {more} more are not (`limit`)");
        about.note(Note::on(question, NoteKind::RowLimit, text));
    }
}

const TEXTS: [Column; 6] = [
    Column::Name,
    Column::Source,
    Column::Status,
    Column::ErrorType,
    Column::Id,
    Column::ParentId,
];

/// What is read of an event.
fn columns() -> Vec<&'static str> {
    let others = [
        Column::Success,
        Column::DurationMs,
        Column::CostUsd,
        Column::Tokens,
        Column::InputTokens,
        Column::OutputTokens,
    ];
    let named = TEXTS.iter().chain(&others).map(|column| column.name());
    [TIMESTAMP, EVENT_TYPE].into_iter().chain(named).collect()
}

/// The events that began first, of all that come.
struct First {
    limit: usize,
    count: u64,
    events: Vec<TraceEvent>,
}

impl First {
    fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1) as usize,
            count: 0,
            events: Vec::new(),
        }
    }

    fn take(&mut self, batch: &RecordBatch) {
        self.count += batch.num_rows() as u64;
        for row in 0..batch.num_rows() {
            self.events.push(event(batch, row));
            if self.events.len() >= self.limit.saturating_mul(2) {
                self.cut();
            }
        }
    }

    fn cut(&mut self) {
        if self.events.len() > self.limit {
            self.events.select_nth_unstable_by(self.limit, order);
            self.events.truncate(self.limit);
        }
    }

    fn finish(mut self, most_bytes: usize) -> Vec<TraceEvent> {
        self.cut();
        self.events.sort_by(order);
        let mut bytes = 0;
        let fits = self.events.iter().take_while(|event| {
            bytes += weight(event);
            bytes <= most_bytes
        });
        let fits = fits.count().max(1);
        self.events.truncate(fits);
        self.events
    }
}

/// In the order they began; what ended later is what others are within.
fn order(a: &TraceEvent, b: &TraceEvent) -> Ordering {
    // None is the last.
    let text = |a: &Option<String>, b: &Option<String>| {
        (a.is_none(), a.as_deref()).cmp(&(b.is_none(), b.as_deref()))
    };
    a.start
        .cmp(&b.start)
        .then_with(|| b.timestamp.cmp(&a.timestamp))
        .then_with(|| a.event_type.cmp(&b.event_type))
        .then_with(|| text(&a.name, &b.name))
        .then_with(|| text(&a.span_id, &b.span_id))
}

/// Bytes that an event takes, about.
fn weight(event: &TraceEvent) -> usize {
    let texts = [
        &event.name,
        &event.source,
        &event.status,
        &event.error_type,
        &event.span_id,
        &event.parent_id,
    ];
    let held = texts.into_iter().flatten().map(String::len);
    size_of::<TraceEvent>() + event.event_type.len() + held.sum::<usize>()
}

fn event(batch: &RecordBatch, row: usize) -> TraceEvent {
    let text = |column: Column| text_of(batch, column.name(), row);
    let whole = |column: Column| number::<Int64Type>(batch, column.name(), row);
    let float = |column: Column| number::<Float64Type>(batch, column.name(), row);
    let at = number::<TimestampNanosecondType>(batch, TIMESTAMP, row).unwrap_or_default();
    let at = UnixNanos(at);
    let duration_ms = float(Column::DurationMs);
    let success = batch
        .column_by_name(Column::Success.name())
        .and_then(|flags| flags.as_boolean_opt())
        .and_then(|flags| flags.is_valid(row).then(|| flags.value(row)));
    let tokens = match (whole(Column::InputTokens), whole(Column::OutputTokens)) {
        (None, None) => whole(Column::Tokens),
        (input, output) => {
            let sum = input.unwrap_or(0).saturating_add(output.unwrap_or(0));
            Some(sum)
        }
    };
    TraceEvent {
        start: began(at, duration_ms),
        timestamp: at,
        duration_ms,
        event_type: text_of(batch, EVENT_TYPE, row).unwrap_or_default(),
        name: text(Column::Name),
        source: text(Column::Source),
        status: match success {
            Some(true) => Some("ok".to_owned()),
            Some(false) => Some("failed".to_owned()),
            None => text(Column::Status),
        },
        error_type: text(Column::ErrorType),
        span_id: text(Column::Id),
        parent_id: text(Column::ParentId),
        tokens,
        cost_usd: float(Column::CostUsd),
    }
}

fn number<T: ArrowPrimitiveType>(batch: &RecordBatch, name: &str, row: usize) -> Option<T::Native> {
    let array = batch.column_by_name(name)?.as_primitive_opt::<T>()?;
    array.is_valid(row).then(|| array.value(row))
}

fn text_of(batch: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let array = batch.column_by_name(name)?;
    if let Some(texts) = array.as_string_opt::<i32>() {
        return texts.is_valid(row).then(|| texts.value(row).to_owned());
    }
    let dictionary = array.as_dictionary_opt::<Int32Type>()?;
    let keys = dictionary.keys();
    let texts = dictionary.values().as_string_opt::<i32>()?;
    let text = || texts.value(keys.value(row) as usize).to_owned();
    keys.is_valid(row).then(text)
}
