//! One record of another tool → one event.

use serde_json::{Map, Value as Json};
use tachograph_model::{Column, Event, Kind, LineError, UnixNanos, Value, raw};

use super::read::{Body, Record};
use crate::admit::{self, Admission, Refusal};
use crate::exit::Result;

/// What became of a record.
pub enum Outcome {
    /// An event.
    Event(Event),
    /// Nothing, and why.
    Skip(String),
}

/// Shapes records.
#[derive(Default)]
pub struct Shaper {
    /// Whether the last record's time had no offset and was taken for UTC.
    pub naive: bool,
}

type Object = Map<String, Json>;
/// Which member goes to which field of the kind.
type Members = &'static [(&'static str, &'static str)];

/// Both shapes of a query; a member that is not there sets nothing.
const QUERY: Members = &[
    ("query_id", "query_id"),
    ("agent_type", "agent_type"),
    ("response_time_ms", "duration_ms"),
    ("duration_ms", "duration_ms"),
    ("success", "success"),
    ("error_type", "error_type"),
    ("result_size_bytes", "result_size_bytes"),
    ("tool_calls_count", "tool_calls"),
    ("tool_calls", "tool_calls"),
    ("graphql_queries_count", "graphql_queries"),
    ("graphql_queries", "graphql_queries"),
    ("entities_detected", "entities_detected"),
    ("query_complexity_score", "complexity_score"),
    ("complexity_score", "complexity_score"),
    ("query_text", "query_text"),
    ("user_input", "query_text"),
];
/// Times within a query that no column holds.
const QUERY_EXTRA: &[&str] = &["agent_selection_time_ms", "query_execution_time_ms"];
const SELECTION: Members = &[
    ("query_id", "query_id"),
    ("selected_agent", "selected_agent"),
    ("complexity_score", "complexity_score"),
    ("selection_reason", "selection_reason"),
];
const USAGE: Members = &[
    ("query_id", "query_id"),
    ("tool_name", "tool_name"),
    ("tool_calls_count", "tool_calls_count"),
    ("graphql_queries_count", "graphql_queries_count"),
    ("entities_detected", "entities_detected"),
];
const TOKENS: Members = &[
    ("provider", "provider"),
    ("model", "model"),
    ("input_tokens", "input_tokens"),
    ("output_tokens", "output_tokens"),
];
const PROVIDER_ERROR: Members = &[
    ("provider", "source"),
    ("model", "name"),
    ("error_type", "error_type"),
    ("message", "error_message"),
];
const FILE_COUNT: Members = &[("provider", "source"), ("delta", "delta")];
const FILE_CACHE: Members = &[("provider", "source"), ("action", "operation")];

impl Shaper {
    /// Shapes one record.
    ///
    /// # Errors
    /// Only when the home's salt cannot be read.
    pub fn shape(&mut self, record: &Record<'_>, door: &mut Admission) -> Result<Outcome> {
        self.naive = false;
        let shaped = match &record.body {
            Body::Line(line) => self.line(line, door),
            Body::Event(line) => self.line(line, door),
            Body::Object(object) => self.object(object, door),
            Body::Selection(object) => self.selection(object, door),
        };
        match shaped {
            Ok(event) => Ok(Outcome::Event(event)),
            Err(Failure::Record(reason)) => Ok(Outcome::Skip(reason)),
            Err(Failure::Home(error)) => Err(error),
        }
    }

    fn line(&mut self, line: &[u8], door: &mut Admission) -> Shaped {
        let error = match raw::event(line) {
            Ok(event) => {
                self.naive = is_naive(line);
                return Ok(door.event(event)?);
            }
            Err(error @ (LineError::NoType | LineError::NoTimestamp)) => error,
            Err(error) => return Err(Failure::Record(error.to_string())),
        };
        match serde_json::from_slice::<Object>(line) {
            // It names a type, or tries to: no other form does.
            Ok(object) if object.contains_key("event_type") => {
                Err(Failure::Record(error.to_string()))
            }
            Ok(object) => self.object(&object, door),
            Err(_) => Err(Failure::Record(error.to_string())),
        }
    }

    fn object(&mut self, object: &Object, door: &mut Admission) -> Shaped {
        if let Some(name) = object.get("event").and_then(Json::as_str) {
            return self.tool_log(name, object, door);
        }
        if object.contains_key("selected_agent") {
            return self.selection(object, door);
        }
        if object.contains_key("tool_name") {
            let time = self.time(object, "timestamp")?;
            return fill("tool_usage", time, USAGE, object, door);
        }
        if object.contains_key("event_type") {
            let line = Json::Object(object.clone()).to_string();
            return self.line(line.as_bytes(), door);
        }
        if object.contains_key("query_id") {
            return self.query(object, door);
        }
        Err(Failure::Record(
            "neither an event, a tool record nor a query".to_owned(),
        ))
    }

    fn tool_log(&mut self, name: &str, object: &Object, door: &mut Admission) -> Shaped {
        let time = self.time(object, "t")?;
        match name {
            "token_usage" => fill("llm_call", time, TOKENS, object, door),
            "provider_error" => fill("error", time, PROVIDER_ERROR, object, door),
            "file_count_delta" => fill("file_count_delta", time, FILE_COUNT, object, door),
            "file_cache" => {
                let mut event = fill("cache", time, FILE_CACHE, object, door)?;
                event.set(Column::Name, Value::from("file_cache"));
                match event.str(Column::Status) {
                    Some("hit") => event.set(Column::Hit, Value::Bool(true)),
                    Some("miss") => event.set(Column::Hit, Value::Bool(false)),
                    _ => &mut event,
                };
                Ok(event)
            }
            _ => Err(Failure::Record(format!(
                "event `{}` is not known",
                short(name)
            ))),
        }
    }

    fn selection(&mut self, object: &Object, door: &mut Admission) -> Shaped {
        let time = self.time(object, "timestamp")?;
        fill("agent_selection", time, SELECTION, object, door)
    }

    fn query(&mut self, object: &Object, door: &mut Admission) -> Shaped {
        let time = self.end_of_query(object)?;
        let mut event = fill("query", time, QUERY, object, door)?;
        event.set(Column::Status, Value::from("completed"));
        for key in QUERY_EXTRA {
            if let Some(Json::Number(number)) = object.get(*key) {
                event.extra.insert((*key).to_owned(), number.to_string());
            }
        }
        Ok(event)
    }

    /// An event's time is when it ended. One form gives that as `timestamp`,
    /// one as `end_time`; the table with `duration_ms` gives the start.
    fn end_of_query(&mut self, object: &Object) -> std::result::Result<UnixNanos, Failure> {
        if object.contains_key("start_time") || object.contains_key("end_time") {
            if object.get("end_time").is_none_or(Json::is_null) {
                return Err(Failure::Record("the query has not ended yet".to_owned()));
            }
            return self.time(object, "end_time");
        }
        let time = self.time(object, "timestamp")?;
        let lasted = match object.contains_key("response_time_ms") {
            true => None,
            false => object.get("duration_ms").and_then(Json::as_f64),
        };
        let lasted = lasted.and_then(|ms| std::time::Duration::try_from_secs_f64(ms / 1e3).ok());
        Ok(time.saturating_add(lasted.unwrap_or_default()))
    }

    fn time(&mut self, object: &Object, key: &str) -> std::result::Result<UnixNanos, Failure> {
        let json = object.get(key).unwrap_or(&Json::Null);
        let (time, naive) = admit::instant(json).map_err(Failure::Record)?;
        self.naive = naive;
        Ok(time)
    }
}

/// Why there is no event.
enum Failure {
    /// The record is at fault.
    Record(String),
    /// The home is.
    Home(anyhow::Error),
}

type Shaped = std::result::Result<Event, Failure>;

impl From<Refusal<anyhow::Error>> for Failure {
    fn from(refusal: Refusal<anyhow::Error>) -> Self {
        match refusal {
            Refusal::Misfit(misfit) => Self::Record(misfit.to_string()),
            Refusal::Hash(error) => Self::Home(error),
        }
    }
}

fn fill(
    kind: &'static str,
    time: UnixNanos,
    members: Members,
    object: &Object,
    door: &mut Admission,
) -> Shaped {
    let mut event = Event::new(time, kind);
    let Some(kind) = Kind::by_name(kind) else {
        return Err(Failure::Record(format!("kind {kind} is not known")));
    };
    for (member, key) in members {
        let field = kind.fields.iter().find(|field| field.key == *key);
        if let (Some(field), Some(json)) = (field, object.get(*member)) {
            door.json(&mut event, kind, field, json)?;
        }
    }
    Ok(event)
}

fn is_naive(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"timestamp\"";
    let Some(at) = line.windows(KEY.len()).position(|window| window == KEY) else {
        return false;
    };
    let mut parts = line[at + KEY.len()..].split(|byte| *byte == b'"');
    let text = parts.nth(1).and_then(|text| std::str::from_utf8(text).ok());
    text.is_some_and(|text| {
        UnixNanos::parse(text, false) == Err(tachograph_model::time::TimeError::Naive)
    })
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
