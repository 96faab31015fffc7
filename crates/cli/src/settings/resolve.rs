//! One settled value per setting, and where it came from.

use std::fmt;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::list::SETTINGS;
use super::sources::Inputs;
use super::table::{Def, Key, Kind, Rule};
use crate::near::near;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// `config.yaml`, and where it lies.
    File(PathBuf),
    /// A variable of `./.env`.
    DotEnv(String),
    /// A variable of the environment.
    Env(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::DotEnv(name) => write!(f, "{name} in .env"),
            Self::Env(name) => write!(f, "{name} in the environment"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A value that does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The setting.
    pub key: Key,
    /// What is wrong, and the way out after `\nhint: `.
    pub message: String,
}

/// One setting's value.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Its entry in the table.
    pub def: &'static Def,
    /// The value; `null` when unset.
    pub value: Json,
    /// Where it came from.
    pub source: Source,
    /// How the source writes it, where it is a variable.
    pub written: Option<String>,
}

impl Settled {
    /// Says who set the value to what.
    fn why(&self) -> String {
        let written = self.written.as_deref().unwrap_or_default();
        match &self.source {
            Source::Env(name) => format!("{name}={written}"),
            Source::DotEnv(name) => format!("{name}={written} (in .env)"),
            source => format!("{}: {} ({source})", self.def.name, self.value),
        }
    }
}

/// Every setting's value.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In the order of the table.
    pub all: Vec<Settled>,
    variables: Vec<Vec<Option<(String, bool)>>>,
    /// Keys of config.yaml that no setting has, each with the nearest key.
    pub unknown: Vec<(String, Option<&'static str>)>,
}

impl Settings {
    /// Settles every setting. Where a value is wrong, the weaker sources count.
    pub fn resolve(inputs: &Inputs) -> (Self, Vec<Wrong>) {
        let mut wrong = Vec::new();
        let all = SETTINGS
            .iter()
            .map(|def| settle(def, inputs, &mut wrong))
            .collect();
        let keys = inputs.file.iter().flat_map(|(_, map)| map.keys());
        let unknown = keys
            .filter(|key| {
                !SETTINGS
                    .iter()
                    .any(|def| def.name == *key || def.alias == Some(key))
            })
            .map(|key| (key.clone(), near(key, SETTINGS.iter().map(|def| def.name))))
            .collect();
        let variables = SETTINGS
            .iter()
            .map(|def| {
                let read = |(name, rule): &(&str, Rule)| {
                    let (text, _) = inputs.variable(name)?;
                    let says = read(def.kind, *rule, text);
                    // An empty one says nothing, but to those for whom all
                    // but `true` is a no.
                    let silent = text.is_empty() && *rule != Rule::OnIfTrue;
                    Some((text.to_owned(), silent || says != Some(Json::Bool(false))))
                };
                match def.kind {
                    Kind::Bool => def.env.iter().map(read).collect(),
                    _ => Vec::new(),
                }
            })
            .collect();
        let settings = Self {
            all,
            variables,
            unknown,
        };
        (settings, wrong)
    }

    /// Returns what each variable of a yes-or-no setting says, in the order of
    /// the table, if it is set: its text, and whether that is a yes.
    pub fn variables(&self, key: Key) -> &[Option<(String, bool)>] {
        &self.variables[key as usize]
    }

    /// Sets a value that a flag gave.
    pub fn set(&mut self, key: Key, value: Json, flag: &'static str) {
        let settled = &mut self.all[key as usize];
        settled.value = value;
        settled.source = Source::Flag(flag);
    }

    /// Returns a setting's value.
    pub fn get(&self, key: Key) -> &Settled {
        &self.all[key as usize]
    }

    /// Returns a yes-or-no setting.
    pub fn is(&self, key: Key) -> bool {
        self.get(key).value.as_bool().unwrap_or(false)
    }

    /// Tells whether events of this kind are not to be recorded, and why:
    /// `TACHOGRAPH_DISABLED=1`.
    pub fn off(&self, kind: &str) -> Option<String> {
        let part = match kind {
            "tool_call" | "cache" => Some(Key::ToolMetrics),
            "query" | "agent_selection" | "tool_usage" => Some(Key::QueryMetrics),
            _ => None,
        };
        [Some(Key::Recording), part]
            .into_iter()
            .flatten()
            .find(|key| !self.is(*key))
            .map(|key| self.get(key).why())
    }

    /// Returns a whole number, if set.
    pub fn int(&self, key: Key) -> Option<i64> {
        self.get(key).value.as_i64()
    }

    /// Returns a number, if set.
    pub fn float(&self, key: Key) -> Option<f64> {
        self.get(key).value.as_f64()
    }

    /// Returns a text, if set.
    pub fn text(&self, key: Key) -> Option<&str> {
        self.get(key).value.as_str()
    }
}

fn settle(def: &'static Def, inputs: &Inputs, wrong: &mut Vec<Wrong>) -> Settled {
    let from_env = variables(def, inputs, wrong);
    let settled = from_env.or_else(|| from_file(def, inputs, wrong));
    let (value, source) = settled.unwrap_or_else(|| (default(def), Source::Default));
    let written = match &source {
        Source::Env(name) | Source::DotEnv(name) => inputs.variable(name),
        _ => None,
    };
    Settled {
        def,
        value,
        source,
        written: written.map(|(text, _)| text.to_owned()),
    }
}

fn variables(def: &'static Def, inputs: &Inputs, wrong: &mut Vec<Wrong>) -> Option<(Json, Source)> {
    let mut found: Option<(Json, Source)> = None;
    for (name, rule) in def.env {
        let Some((text, dotenv)) = inputs.variable(name) else {
            continue;
        };
        // Empty counts as unset, except where an older program took it for a
        // word that is not `true`.
        if text.is_empty() && *rule != Rule::OnIfTrue {
            continue;
        }
        let source = if dotenv {
            Source::DotEnv((*name).to_owned())
        } else {
            Source::Env((*name).to_owned())
        };
        match read(def.kind, *rule, text) {
            // Whoever opted out anywhere, by whatever name, is obeyed.
            Some(value)
                if found.is_none() || (def.key == Key::Recording && value == Json::Bool(false)) =>
            {
                found = Some((value, source));
            }
            Some(_) => {}
            None => wrong.push(complaint(def, name, &source, &shown(def, text))),
        }
    }
    found
}

fn from_file(def: &'static Def, inputs: &Inputs, wrong: &mut Vec<Wrong>) -> Option<(Json, Source)> {
    let (path, map) = inputs.file.as_ref()?;
    let (name, value) = [Some(def.name), def.alias]
        .into_iter()
        .flatten()
        .find_map(|name| Some((name, map.get(name)?)))?;
    let source = Source::File(path.clone());
    if value.is_null() {
        return None;
    }
    match fit(def.kind, value) {
        Some(value) => Some((value, source)),
        None => {
            wrong.push(complaint(
                def,
                name,
                &source,
                &shown(def, &value.to_string()),
            ));
            None
        }
    }
}

/// The table's defaults are JSON, or else a text.
fn default(def: &Def) -> Json {
    serde_json::from_str(def.default).unwrap_or_else(|_| Json::from(def.default))
}

fn read(kind: Kind, rule: Rule, text: &str) -> Option<Json> {
    let lower = text.to_ascii_lowercase();
    match rule {
        Rule::OffIfYes => return truth(&lower).map(|off| Json::Bool(!off)),
        Rule::OffIfZero => return Some(Json::Bool(text != "0")),
        Rule::OnIfTrue => return Some(Json::Bool(lower == "true")),
        Rule::OnIfYes => {
            return Some(Json::Bool(matches!(
                lower.as_str(),
                "true" | "1" | "yes" | "on"
            )));
        }
        Rule::Strict => {}
    }
    match kind {
        Kind::Bool => truth(&lower).map(Json::Bool),
        Kind::Int(..) => fit(kind, &Json::from(text.parse::<i64>().ok()?)),
        Kind::Float(..) => fit(kind, &Json::from(text.parse::<f64>().ok()?)),
        Kind::Text | Kind::Secret | Kind::Choice(_) => fit(kind, &Json::from(text)),
        Kind::Block | Kind::SecretBlock => fit(kind, &serde_json::from_str(text).ok()?),
    }
}

fn truth(lower: &str) -> Option<bool> {
    match lower {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn fit(kind: Kind, value: &Json) -> Option<Json> {
    let fits = match kind {
        Kind::Bool => value.is_boolean(),
        Kind::Int(min, max) => value
            .as_i64()
            .is_some_and(|whole| (min..=max).contains(&whole)),
        Kind::Float(min, max) => {
            let number = value
                .as_f64()
                .filter(|number| (min..=max).contains(number))?;
            return Some(Json::from(number));
        }
        Kind::Text | Kind::Secret => value.is_string(),
        Kind::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
        Kind::Block | Kind::SecretBlock => value.is_array() || value.is_object(),
    };
    fits.then(|| value.clone())
}

fn shown(def: &Def, text: &str) -> String {
    match def.kind {
        Kind::Secret | Kind::SecretBlock => "(hidden)".to_owned(),
        _ => text.to_owned(),
    }
}

fn complaint(def: &'static Def, name: &str, source: &Source, text: &str) -> Wrong {
    let wanted = wanted(def.kind);
    let (place, way_out) = match source {
        Source::File(path) => (
            path.display().to_string(),
            format!(
                "correct `{name}` in that file, or remove it for the default ({})",
                def.default
            ),
        ),
        Source::DotEnv(_) => (
            ".env".to_owned(),
            format!("correct {name} in ./.env, or remove it"),
        ),
        _ => (
            "environment".to_owned(),
            format!("set {name} to {wanted}, or unset it"),
        ),
    };
    let short: String = text.chars().take(60).collect();
    Wrong {
        key: def.key,
        message: format!("{name} ({place}): {short} is not {wanted}\nhint: {way_out}"),
    }
}

/// Says what a setting's value may be.
pub(super) fn wanted(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Int(min, i64::MAX) => format!("a whole number of at least {min}"),
        Kind::Int(min, max) => format!("a whole number from {min} to {max}"),
        Kind::Float(min, max) => format!("a number from {min} to {max}"),
        Kind::Text | Kind::Secret => "a text".to_owned(),
        Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
        Kind::Block | Kind::SecretBlock => "a list or a block of settings".to_owned(),
    }
}

impl Def {
    /// Says what the setting's value may be.
    pub fn wanted(&self) -> String {
        wanted(self.kind)
    }
}
