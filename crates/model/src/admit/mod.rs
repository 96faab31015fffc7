//! The door for events from outside: what of them may be stored, and as what.
//! An allow-list: a field has a class in the table of kinds, or it stays out.
//! What a command line records, what a file brings and what comes over the
//! network pass here alike.

mod line;
mod unknown;

use std::convert::Infallible;

use serde_json::{Map, Value as Json};

use crate::column::{Column, Privacy, Type};
use crate::event::{Event, Value};
use crate::kind::{Field, Kind};
use crate::privacy::{self, Salt, TagKind};
use crate::raw;
use crate::time::UnixNanos;

pub use line::LineRefusal;
pub use unknown::{MAX_UNKNOWN_FIELDS, UnknownField};

/// The longest name or type that is taken, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// What is shorter.
const NAME: &str = "a name of at most 256 bytes";

/// Makes keyed hashes of identities. A salt does; so does what reads one when
/// it is first needed, or remembers hashes.
pub trait Hasher {
    /// Why there is no hash.
    type Error;

    /// Returns the keyed hash of an identity.
    ///
    /// # Errors
    /// When the secret cannot be had.
    fn hash(&mut self, identity: &str) -> Result<String, Self::Error>;
}

impl Hasher for Salt {
    type Error = Infallible;

    fn hash(&mut self, identity: &str) -> Result<String, Infallible> {
        Ok(Salt::hash(self, identity))
    }
}

/// Admits events.
#[derive(Debug)]
pub struct Admission<H> {
    hasher: H,
    /// Whether texts and unknown fields are kept.
    pub keep_text: bool,
    /// Whether an identity that has the very form of our own hashes is one, and
    /// whole events have the names by which somebody recorded them: a log of ours
    /// passed a door already, and is to come back as it was.
    pub trust_hashes: bool,
    /// How many texts were left out.
    pub texts_left_out: usize,
    unknown: unknown::Seen,
}

/// Why a field was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {text} is not {wanted}")]
pub struct Misfit {
    /// The field.
    pub key: String,
    /// What it held, shortened.
    pub text: String,
    /// What belongs there.
    pub wanted: &'static str,
}

/// Why nothing was admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal<E> {
    /// The event is at fault.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Its identities cannot be hashed.
    #[error("identities cannot be hashed")]
    Hash(E),
}

type Admitted<T, H> = Result<T, Refusal<<H as Hasher>::Error>>;

impl<H: Hasher> Admission<H> {
    /// Makes a door that hashes identities with `hasher`.
    pub fn new(hasher: H, keep_text: bool) -> Self {
        Self {
            hasher,
            keep_text,
            trust_hashes: false,
            texts_left_out: 0,
            unknown: unknown::Seen::default(),
        }
    }

    /// Sets a field from JSON; `null` sets nothing.
    ///
    /// # Errors
    /// [`Misfit`], or when the salt cannot be read.
    pub fn json(
        &mut self,
        event: &mut Event,
        kind: &Kind,
        field: &Field,
        json: &Json,
    ) -> Admitted<(), H> {
        if json.is_null() {
            return Ok(());
        }
        let misfit = |wanted| misfit(field, &json.to_string(), wanted);
        let value = match (field.column.def().ty, json) {
            (Type::Str, Json::String(text)) => {
                self.text(event, kind, field, text)?;
                return Ok(());
            }
            (Type::I64, json) => match json.as_i64().or_else(|| whole(json.as_f64()?)) {
                Some(whole) if whole >= 0 || field.signed => Value::I64(whole),
                _ => return Err(misfit(wanted(field)).into()),
            },
            (Type::F64, Json::Number(number)) => match scaled(number.as_f64(), field) {
                Some(number) => Value::F64(number),
                None => return Err(misfit(wanted(field)).into()),
            },
            (Type::Bool, Json::Bool(truth)) => Value::Bool(*truth),
            (Type::List, Json::Array(list)) => match texts(list) {
                Some(list) => Value::List(self.names(list)?),
                None => return Err(misfit("a list of short texts").into()),
            },
            (Type::Json, Json::Object(_)) => {
                return self.attributes(event, kind, field, &json.to_string());
            }
            _ => return Err(misfit(wanted(field)).into()),
        };
        event.set(field.column, value);
        Ok(())
    }

    /// Sets a field from JSON text, of which an object keeps its letters. That
    /// it is `null` is kept too, as [`Self::event`] does: by whichever way a line
    /// comes, it is stored as the same.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn raw(
        &mut self,
        event: &mut Event,
        kind: &Kind,
        field: &Field,
        json: &str,
    ) -> Admitted<(), H> {
        let value: Json =
            serde_json::from_str(json).map_err(|_| misfit(field, json, wanted(field)))?;
        match (field.column.def().ty, &value) {
            (_, Json::Null) => {
                event.extra.insert(field.key.to_owned(), "null".to_owned());
                Ok(())
            }
            (Type::Json, Json::Object(_)) => self.attributes(event, kind, field, json),
            _ => self.json(event, kind, field, &value),
        }
    }

    /// Sets a field from the text of a flag.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn typed(
        &mut self,
        event: &mut Event,
        kind: &Kind,
        field: &Field,
        text: &str,
    ) -> Admitted<(), H> {
        let misfit = || misfit(field, text, wanted(field));
        let json = match field.column.def().ty {
            Type::Str => return self.text(event, kind, field, text),
            Type::I64 => text.parse::<i64>().ok().map(Json::from),
            Type::F64 => text.parse::<f64>().ok().map(Json::from),
            Type::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Some(Json::Bool(true)),
                "false" | "0" | "no" => Some(Json::Bool(false)),
                _ => None,
            },
            Type::List if text.starts_with('[') => serde_json::from_str(text).ok(),
            Type::List => Some(
                text.split(',')
                    .map(|part| Json::from(part.trim()))
                    .collect(),
            ),
            Type::Json => return self.raw(event, kind, field, text),
        };
        let json = json.filter(|json| !json.is_null()).ok_or_else(misfit)?;
        self.json(event, kind, field, &json)
    }

    /// Lets in an event that a recorder wrote: what its kind knows passes as
    /// above; of what no kind knows, numbers and flags that are no identities.
    /// A known identity that came as a number is hashed as its digits.
    ///
    /// # Errors
    /// [`Misfit`] when the type is too long for one, or when the salt cannot
    /// be read.
    pub fn event(&mut self, event: Event) -> Admitted<Event, H> {
        let kind = Kind::by_name(&event.event_type);
        if event.event_type.len() > MAX_NAME_BYTES {
            return Err(Misfit {
                key: "event_type".to_owned(),
                text: shorten(&event.event_type),
                wanted: NAME,
            }
            .into());
        }
        let mut admitted = Event::new(event.time, event.event_type.as_str());
        let mut told = None;
        for (column, value) in event.values() {
            let Some((kind, field)) = kind.and_then(|kind| Some((kind, kind.field_of(column)?)))
            else {
                continue;
            };
            let named = class(kind, column) == Privacy::Plain && column != Column::ErrorType;
            match value {
                Value::Str(text) if named && self.trust_hashes && text.len() <= MAX_NAME_BYTES => {
                    admitted.set(column, value.clone());
                }
                Value::Str(text) => match self.text(&mut admitted, kind, field, text) {
                    // Too long a name: the event counts without it.
                    Err(Refusal::Misfit(_)) => self.texts_left_out += 1,
                    set => set?,
                },
                Value::Json(map) => {
                    let letters = event.extra.get(field.key);
                    // What the decoder had to leave out of the column is left out.
                    let whole =
                        |json: &&String| serde_json::from_str::<Map<String, Json>>(json).is_ok();
                    let letters = letters.filter(whole);
                    told = letters.map(|_| field.key);
                    let json = letters
                        .map_or_else(|| Json::Object((**map).clone()).to_string(), String::clone);
                    self.attributes(&mut admitted, kind, field, &json)?;
                }
                Value::List(list) if list.iter().any(|item| item.len() > MAX_NAME_BYTES) => {
                    self.texts_left_out += 1;
                }
                Value::List(list) if !self.trust_hashes => {
                    let list = self.names(list.clone())?;
                    admitted.set(column, Value::List(list));
                }
                value => {
                    admitted.set(column, value.clone());
                }
            }
        }
        for (key, json) in event.extra {
            let text = json.starts_with(['"', '{', '[']);
            if told == Some(key.as_str()) {
                continue;
            }
            let number = json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
            let known = kind.and_then(|kind| {
                let field = kind.fields.iter().find(|field| field.key == key)?;
                Some((field, class(kind, field.column)))
            });
            let private = match known {
                Some((field, Privacy::Hashed)) if number => {
                    admitted.set(field.column, Value::Str(self.hash(&json)?));
                    continue;
                }
                Some((_, privacy)) => privacy != Privacy::Plain && json != "null",
                None => number && privacy::tag(&key, TagKind::Number) != Privacy::Plain,
            };
            if (text || private) && !self.keep_text {
                self.texts_left_out += 1;
            } else {
                admitted.extra.insert(key, json);
            }
        }
        Ok(admitted)
    }

    /// Returns the members of lines that their kinds do not know, the first
    /// [`MAX_UNKNOWN_FIELDS`], whether they were kept or not.
    pub fn unknown_fields(&self) -> &[UnknownField] {
        &self.unknown.fields
    }

    /// Takes a member that the kind does not know, as JSON text: only with
    /// `keep_text`.
    pub fn unknown(&mut self, event: &mut Event, key: &str, json: &str) {
        if self.keep_text {
            event.extra.insert(key.to_owned(), json.to_owned());
        } else {
            self.texts_left_out += 1;
        }
    }

    fn text(
        &mut self,
        event: &mut Event,
        kind: &Kind,
        field: &Field,
        text: &str,
    ) -> Admitted<(), H> {
        let column = field.column;
        // Nobody is called nothing: it is not known.
        if text.is_empty() && matches!(column, Column::Name | Column::Source | Column::Agent) {
            return Ok(());
        }
        let text = match class(kind, column) {
            Privacy::Dropped if !self.keep_text => {
                self.texts_left_out += 1;
                return Ok(());
            }
            Privacy::Dropped => text.to_owned(),
            Privacy::Hashed => self.identity(field, text)?,
            Privacy::Plain if column == Column::ErrorType && !self.keep_text => {
                let class = privacy::error_class(text);
                self.texts_left_out += usize::from(class != Some(text));
                match class {
                    Some(class) => class.to_owned(),
                    None => return Ok(()),
                }
            }
            Privacy::Plain if column == Column::Unit && !self.keep_text => {
                if !privacy::is_unit(text) {
                    self.texts_left_out += 1;
                    return Ok(());
                }
                text.to_owned()
            }
            Privacy::Plain => self.name(kind, field, text)?,
        };
        event.set(column, Value::Str(text));
        Ok(())
    }

    /// A name or an id stays as it is; of a text in its place the hash stays, which
    /// tells it from others.
    fn name(&mut self, kind: &Kind, field: &Field, text: &str) -> Admitted<String, H> {
        if text.len() > MAX_NAME_BYTES {
            return Err(misfit(field, text, NAME).into());
        }
        if self.keep_text {
            return Ok(privacy::told_from_other(text).into_owned());
        }
        let (text, fits) = match field.column {
            Column::Id | Column::TraceId | Column::ParentId => (text, privacy::is_word_id(text)),
            Column::Name if kind.name == "llm_call" => {
                let model = privacy::model_name(text);
                (model, privacy::is_name(model))
            }
            _ => (text, privacy::is_name(text)),
        };
        match fits {
            true => Ok(privacy::told_from_other(text).into_owned()),
            false => self.hash_once(text),
        }
    }

    fn names(&mut self, mut list: Vec<String>) -> Admitted<Vec<String>, H> {
        for item in &mut list {
            *item = match self.keep_text || privacy::is_name(item) {
                true => privacy::told_from_other(item).into_owned(),
                false => self.hash_once(item)?,
            };
        }
        Ok(list)
    }

    /// What is a hash already stays as it is: a field that says so, or any
    /// identity of a file that was written by a recorder.
    fn identity(&mut self, field: &Field, text: &str) -> Admitted<String, H> {
        let says_so = field.key.ends_with("_hash");
        if says_so && (privacy::is_keyed_hash(text) || privacy::is_legacy_agent_hash(text)) {
            return Ok(text.to_owned());
        }
        self.hash_once(text)
    }

    fn hash_once(&mut self, text: &str) -> Admitted<String, H> {
        if self.trust_hashes && privacy::is_keyed_hash(text) {
            return Ok(text.to_owned());
        }
        self.hash(text)
    }

    fn hash(&mut self, text: &str) -> Admitted<String, H> {
        self.hasher.hash(text).map_err(Refusal::Hash)
    }

    /// Metadata: numbers and flags of the list. Attributes of a metric: what
    /// [`privacy::tag`] says. `json` is an object; what is kept of it keeps its
    /// letters.
    fn attributes(
        &mut self,
        event: &mut Event,
        kind: &Kind,
        field: &Field,
        json: &str,
    ) -> Admitted<(), H> {
        let letters = match self.keep_text {
            true => json.to_owned(),
            false => self.allowed(kind, field, json)?,
        };
        let map: Map<String, Json> = object(field, &letters)?;
        let map = Json::Object(map);
        let written = map.to_string();
        if written != letters {
            event.extra.insert(field.key.to_owned(), letters);
        }
        if let Json::Object(map) = map {
            event.set(field.column, Value::from(map));
        }
        Ok(())
    }

    fn allowed(&mut self, kind: &Kind, field: &Field, json: &str) -> Admitted<String, H> {
        let metadata = matches!(kind.name, "agent_usage" | "error");
        let values = object(field, json)?;
        let letters = raw::members(json).unwrap_or_default();
        let mut kept = Vec::new();
        for (key, value) in &values {
            let told = match value {
                Json::String(text) => Some(TagKind::Text(text)),
                Json::Number(_) => Some(TagKind::Number),
                Json::Bool(_) => Some(TagKind::Flag),
                _ => None,
            };
            let privacy = match (metadata, told) {
                (_, None) | (true, Some(TagKind::Text(_))) => Privacy::Dropped,
                (true, _) if privacy::is_plain_metadata(key) => Privacy::Plain,
                (true, _) => Privacy::Dropped,
                (false, Some(told)) => privacy::tag(key, told),
            };
            let letters = || {
                letters
                    .get(key)
                    .map_or_else(|| value.to_string(), String::clone)
            };
            let value = match (value, privacy) {
                (Json::String(_), Privacy::Plain) => value.to_string(),
                (_, Privacy::Plain) => letters(),
                (Json::String(text), Privacy::Hashed) => {
                    Json::from(self.hash_once(text)?).to_string()
                }
                (_, Privacy::Hashed) => Json::from(self.hash(&letters())?).to_string(),
                (_, Privacy::Dropped) => {
                    self.texts_left_out += 1;
                    continue;
                }
            };
            kept.push(format!("{}:{value}", Json::from(key.as_str())));
        }
        let kept = format!("{{{}}}", kept.join(","));
        // Where only white space differs, that stays, too.
        Ok(match raw::compact(json) == kept {
            true => json.to_owned(),
            false => kept,
        })
    }
}

/// Reads an instant: text, or seconds since 1970. The second value tells that
/// it had no offset and was taken for UTC.
///
/// # Errors
/// Says what is wrong with it.
pub fn instant(json: &Json) -> Result<(UnixNanos, bool), String> {
    let shown = || shorten(&json.to_string());
    match json {
        Json::String(text) => match UnixNanos::parse(text, false) {
            Ok(at) => Ok((at, false)),
            Err(_) => UnixNanos::parse(text, true)
                .map(|at| (at, true))
                .map_err(|error| format!("timestamp {}: {error}", shown())),
        },
        Json::Number(number) => number
            .as_f64()
            .and_then(UnixNanos::from_epoch_seconds)
            .map(|at| (at, false))
            .ok_or_else(|| format!("timestamp {} is outside the years 1678 to 2261", shown())),
        Json::Null => Err("no timestamp".to_owned()),
        _ => Err(format!(
            "timestamp {} is neither a text nor a number",
            shown()
        )),
    }
}

/// A column's class in a kind: the type of agent that answers queries (`simple`,
/// `crewai`) is no identity.
fn class(kind: &Kind, column: Column) -> Privacy {
    match column {
        Column::Agent if matches!(kind.name, "query" | "agent_selection") => Privacy::Plain,
        column => column.def().privacy,
    }
}

fn misfit(field: &Field, text: &str, wanted: &'static str) -> Misfit {
    Misfit {
        key: field.key.to_owned(),
        text: shorten(text),
        wanted,
    }
}

fn object(field: &Field, json: &str) -> Result<Map<String, Json>, Misfit> {
    serde_json::from_str(json).map_err(|_| misfit(field, json, wanted(field)))
}

fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    fits.then_some(number as i64)
}

fn scaled(number: Option<f64>, field: &Field) -> Option<f64> {
    let scaled = number? * field.scale;
    let fits = scaled.is_finite() && (scaled >= 0.0 || !from_zero(field.column));
    fits.then_some(scaled)
}

/// Whether what is below zero cannot be: nothing takes less than no time, or gives
/// money back.
fn from_zero(column: Column) -> bool {
    matches!(column, Column::DurationMs | Column::CostUsd)
}

fn texts(list: &[Json]) -> Option<Vec<String>> {
    list.iter()
        .map(|item| {
            item.as_str()
                .filter(|text| text.len() <= MAX_NAME_BYTES)
                .map(str::to_owned)
        })
        .collect()
}

fn wanted(field: &Field) -> &'static str {
    match field.column.def().ty {
        Type::Str => "a text",
        Type::I64 if field.signed => "a whole number",
        Type::I64 => "a whole number of at least 0",
        Type::F64 if from_zero(field.column) => "a number of at least 0",
        Type::F64 => "a number",
        Type::Bool => "true or false",
        Type::List => "a list of short texts",
        Type::Json => "a JSON object",
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(MOST).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests;
