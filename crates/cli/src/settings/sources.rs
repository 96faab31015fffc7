//! Where settings come from, as they lie.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value as Json};

use crate::exit::{Result, usage};

/// The longest settings file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// What was found, not yet checked.
#[derive(Debug, Default)]
pub struct Inputs {
    /// `config.yaml` and where it lies, if there is one.
    pub file: Option<(PathBuf, Map<String, Json>)>,
    /// Variables of `.env`.
    pub dotenv: Vec<(String, String)>,
    /// Variables of the environment that a setting knows.
    pub env: Vec<(String, String)>,
}

impl Inputs {
    /// Returns a variable's value and whether `.env` gave it. An empty one of
    /// the environment lets `.env` speak.
    pub fn variable(&self, name: &str) -> Option<(&str, bool)> {
        let find = |list: &'_ [(String, String)]| list.iter().rposition(|(key, _)| key == name);
        match (find(&self.env), find(&self.dotenv)) {
            (Some(at), None) => Some((&self.env[at].1, false)),
            (Some(at), _) if !self.env[at].1.is_empty() => Some((&self.env[at].1, false)),
            (_, Some(at)) => Some((&self.dotenv[at].1, true)),
            (None, None) => None,
        }
    }
}

/// Reads `home/config.yaml`, or the file given in its place, and those variables
/// of the environment that `known` names; `dotenv` is what [`read_dotenv`] gave.
///
/// # Errors
/// A usage error when `config.yaml` is there and cannot be read, or the file
/// given is not there.
pub fn read(
    home: &Path,
    config: Option<&Path>,
    dotenv: Vec<(String, String)>,
    known: impl Iterator<Item = &'static str>,
) -> Result<Inputs> {
    let file = match config {
        None => config_file(&home.join("config.yaml"))?,
        Some(path) => Some(config_file(path)?.ok_or_else(|| {
            usage(format!(
                "--config {}: no such file\nhint: without --config, config.yaml in the home is read",
                path.display()
            ))
        })?),
    };
    Ok(Inputs {
        file,
        dotenv,
        env: known
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
            .collect(),
    })
}

/// Reads `./.env`; without one, or when it cannot be read, there is nothing.
pub fn read_dotenv() -> Vec<(String, String)> {
    let small =
        std::fs::metadata(".env").is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_BYTES);
    if !small {
        return Vec::new();
    }
    std::fs::read(".env").map_or_else(
        |_| Vec::new(),
        |bytes| dotenv(&String::from_utf8_lossy(&bytes)),
    )
}

fn config_file(path: &Path) -> Result<Option<(PathBuf, Map<String, Json>)>> {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let no_settings = |what: &str| {
        usage(format!(
            "{} is {what}: not a settings file\nhint: move it away; settings are `key: value`, \
             one a line, and `tacho config` lists the keys",
            path.display()
        ))
    };
    if meta.is_dir() {
        return Err(no_settings("a folder"));
    }
    if meta.len() > MAX_BYTES {
        return Err(no_settings(&format!("longer than {MAX_BYTES} bytes")));
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|_| no_settings("not UTF-8"))?;
    let map = yaml(&text).map_err(|error| {
        usage(format!("{}: {error}\nhint: settings are `key: value`, one a line; `tacho config` lists the keys", path.display()))
    })?;
    Ok(Some((path.to_owned(), map)))
}

/// Reads a YAML mapping. An empty file is an empty mapping.
pub fn yaml(text: &str) -> std::result::Result<Map<String, Json>, String> {
    match serde_saphyr::from_str::<Option<Json>>(text) {
        Ok(None | Some(Json::Null)) => Ok(Map::new()),
        Ok(Some(Json::Object(map))) => Ok(map),
        Ok(Some(_)) => Err("not a mapping of keys to values".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads `.env`: `KEY=value` lines, an optional `export`, comments, single or
/// double quotes; in double quotes `\n`, `\t`, `\"` and `\\`. Nothing is
/// expanded. A line of another form is passed over, as every such reader does.
pub fn dotenv(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(dotenv_line).collect()
}

fn dotenv_line(line: &str) -> Option<(String, String)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(fits) {
        return None;
    }
    Some((key.to_owned(), dotenv_value(value.trim())))
}

fn dotenv_value(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split('\'').next().unwrap_or_default().to_owned();
    }
    let Some(rest) = value.strip_prefix('"') else {
        let end = value.find(" #").unwrap_or(value.len());
        return value[..end].trim_end().to_owned();
    };
    let mut out = String::new();
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => break,
            },
            other => out.push(other),
        }
    }
    out
}
