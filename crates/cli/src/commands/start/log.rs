//! The server's log: a fixed message and fields, one line each, on stderr.

use std::fmt::Display;
use std::io::Write as _;

use serde_json::{Map, Value as Json};
use tachograph_model::UnixNanos;
use tachograph_model::render::width;

use crate::args::start::LogFormat;
use crate::context::{Context, now};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// Writes lines, down to a level.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    form: LogFormat,
    least: Level,
}

/// Named values of a line.
pub type Fields<'a> = &'a [(&'a str, Json)];

impl Log {
    /// `-q`: errors only; `-v`: everything.
    pub fn new(form: LogFormat, ctx: &Context) -> Self {
        let least = match (ctx.quiet, ctx.verbose) {
            (true, _) => Level::Error,
            (_, 0) => Level::Info,
            _ => Level::Debug,
        };
        Self { form, least }
    }

    pub fn error(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Error, message, fields);
    }

    pub fn warning(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Warning, message, fields);
    }

    pub fn info(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Info, message, fields);
    }

    pub fn debug(&self, message: &str, fields: Fields<'_>) {
        self.write(Level::Debug, message, fields);
    }

    fn write(&self, level: Level, message: &str, fields: Fields<'_>) {
        if level > self.least {
            return;
        }
        let line = self.line(now(), level, message, fields);
        // One write a line, so that threads do not cut into each other; a
        // stderr that is closed is no reason to stop serving.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    fn line(&self, now: UnixNanos, level: Level, message: &str, fields: Fields<'_>) -> String {
        let level = match level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
        };
        match self.form {
            LogFormat::Json => {
                let mut object = Map::new();
                object.insert("time".to_owned(), now.to_string().into());
                object.insert("level".to_owned(), level.into());
                object.insert("message".to_owned(), message.into());
                for (name, value) in fields {
                    object.insert((*name).to_owned(), value.clone());
                }
                Json::Object(object).to_string() + "\n"
            }
            LogFormat::Text => {
                let mut line = format!("{now} {level:<7} {message}");
                for (name, value) in fields {
                    match value {
                        Json::String(text) => line += &format!(" {name}={text:?}"),
                        value => line += &format!(" {name}={value}"),
                    }
                }
                width::clean(&line) + "\n"
            }
        }
    }
}

/// A field's value of anything that can be shown.
pub fn shown(value: impl Display) -> Json {
    Json::String(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_a_message_and_fields() {
        let now = UnixNanos::parse("2025-11-20T11:00:00Z", false).expect("a time");
        let line = |form| {
            let log = Log {
                form,
                least: Level::Info,
            };
            let fields = [("events", json!(3)), ("why", json!("it\nis \u{1b}[31mred"))];
            log.line(now, Level::Warning, "sealed the log", &fields)
        };
        let text = line(LogFormat::Text);
        assert!(
            text.ends_with(" warning sealed the log events=3 why=\"it\\nis \\u{1b}[31mred\"\n"),
            "{text:?}"
        );
        let json: Json = serde_json::from_str(&line(LogFormat::Json)).expect("JSON");
        assert_eq!(json["level"], "warning");
        assert_eq!(json["message"], "sealed the log");
        assert_eq!(json["events"], 3);
        assert!(
            json["time"]
                .as_str()
                .is_some_and(|time| time.starts_with("2025-11-20T11:00:00"))
        );
    }
}
