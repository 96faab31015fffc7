//! What a command needs to know, settled once: where the events lie, what
//! time it is, how to print, every setting. Commands read no environment.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tachograph_model::UnixNanos;

use crate::args::window::instant;
use crate::args::{Format, Global, When};
use crate::busy::Busy;
use crate::exit::{Result, usage};
use crate::out::{self, Look, Screen};
use crate::settings::{self, Key, SETTINGS, Settings};

/// Settled values.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where the events are.
    pub place: Place,
    /// Who said so.
    pub place_from: String,
    /// The present, or the instant of `--as-of`.
    pub now: UnixNanos,
    /// Whether `--as-of` was given.
    pub as_of: bool,
    /// The form asked for; none: the command's own default.
    pub format: Option<Format>,
    /// How what is printed may look.
    pub look: Look,
    /// Whether a browser that is opened is seen by somebody.
    pub desktop: bool,
    /// `-q`: words on stderr only for errors.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// Every setting.
    pub settings: Settings,
}

/// Where the events are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Our own home: may be written.
    Home(PathBuf),
    /// A foreign folder of `events*.jsonl`: only read.
    Foreign(PathBuf),
}

/// How strict to be about wrong settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strict {
    /// A wrong value of a setting that this version uses is an error, unless
    /// it is the server's.
    Used,
    /// One of the server's is an error as well (`tacho start`).
    Serving,
    /// One of the server's that is about alerts is an error as well (`tacho alerts`).
    Alerts,
    /// Any wrong value is an error (`tacho config`).
    All,
    /// A wrong value is a warning, and the weaker source counts: recording
    /// must never be in a command's way.
    Never,
}

impl Context {
    /// Settles everything; `config` is read in place of the home's config.yaml.
    ///
    /// # Errors
    /// A usage error when a flag or a setting is wrong.
    pub fn settle(global: &Global, config: Option<&Path>, strict: Strict) -> Result<Self> {
        let dotenv = settings::read_dotenv();
        let (home, home_from) = home(global, &dotenv)?;
        let inputs = match settings::read(&home, config, dotenv, variables()) {
            Err(error) if strict == Strict::Never => {
                out::err(format_args!("warning: {error:#}"));
                settings::Inputs::default()
            }
            inputs => inputs?,
        };
        let (mut settings, wrong) = Settings::resolve(&inputs);
        for wrong in wrong {
            match strict {
                Strict::Never => out::err(format_args!("warning: {}", wrong.message)),
                Strict::Used if !wrong.key.def().used || wrong.key.is_for_serving() => {}
                Strict::Alerts if wrong.key.is_for_serving() && !wrong.key.is_for_alerts() => {}
                Strict::Serving | Strict::Alerts if !wrong.key.def().used => {}
                _ => return Err(usage(wrong.message)),
            }
        }
        if let Some(when) = global.color {
            let name = when
                .to_possible_value()
                .map(|value| value.get_name().to_owned());
            settings.set(Key::Color, name.into(), "--color");
        }
        let when = settings
            .text(Key::Color)
            .and_then(|text| When::from_str(text, true).ok());
        let context = Self {
            place: match &global.events {
                Some(folder) => Place::Foreign(folder.clone()),
                None => Place::Home(home),
            },
            place_from: match &global.events {
                Some(_) => "--events".to_owned(),
                None => home_from,
            },
            now: match &global.as_of {
                Some(text) => instant("--as-of", text)?,
                None => now(),
            },
            as_of: global.as_of.is_some(),
            format: if global.json {
                Some(Format::Json)
            } else {
                global.format
            },
            look: Look::settle(when.unwrap_or_default(), &screen()),
            desktop: desktop(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())),
            quiet: global.quiet,
            verbose: global.verbose,
            settings,
        };
        context.tell_unknown_keys(inputs.file.as_ref().map(|(path, _)| path.as_path()));
        Ok(context)
    }

    /// Returns the home, for a command that writes.
    ///
    /// # Errors
    /// A usage error when `--events` named a folder to read only.
    pub fn home(&self) -> Result<&Path> {
        match &self.place {
            Place::Home(home) => Ok(home),
            Place::Foreign(_) => Err(usage(
                "--events only reads; this command writes\nhint: name a home with --home",
            )),
        }
    }

    /// Returns the folder the events are in, for a command that reads.
    pub fn folder(&self) -> &Path {
        match &self.place {
            Place::Home(folder) | Place::Foreign(folder) => folder,
        }
    }

    /// Returns the form to print in: the one asked for, else the first of
    /// `offered`.
    ///
    /// # Errors
    /// A usage error that lists the forms on offer.
    pub fn form(&self, offered: &[Format]) -> Result<Format> {
        let first = offered.first().copied().unwrap_or(Format::Text);
        let form = self.format.unwrap_or(first);
        if offered.contains(&form) {
            return Ok(form);
        }
        let names: Vec<&str> = offered.iter().map(|form| name(*form)).collect();
        Err(usage(format!(
            "--format {} does not fit this command\nhint: it takes {}",
            name(form),
            names.join(", ")
        )))
    }

    /// Shows that something is being done, should it take long, until the guard
    /// is dropped.
    pub fn busy(&self, what: &'static str) -> Busy {
        Busy::new(what, self.look.progress && !self.quiet)
    }

    /// Says something on stderr, unless `-q`.
    pub fn say(&self, words: impl std::fmt::Display) {
        if !self.quiet {
            out::err(format_args!("{words}"));
        }
    }

    /// Says something on stderr with `-v` only.
    pub fn detail(&self, words: impl std::fmt::Display) {
        if self.verbose > 0 {
            out::err(format_args!("{words}"));
        }
    }

    fn tell_unknown_keys(&self, file: Option<&Path>) {
        let file = file.and_then(Path::file_name).unwrap_or_default();
        let file = file.to_string_lossy();
        for (key, nearest) in &self.settings.unknown {
            match nearest {
                Some(nearest) => self.say(format_args!(
                    "warning: {file}: no setting is called `{key}`; did you mean `{nearest}`?"
                )),
                None => self.say(format_args!(
                    "warning: {file}: no setting is called `{key}`; `tacho config` lists them"
                )),
            }
        }
    }
}

fn name(form: Format) -> &'static str {
    match form {
        Format::Text => "text",
        Format::Json => "json",
        Format::Jsonl => "jsonl",
        Format::Csv => "csv",
        Format::Markdown => "markdown",
        Format::Parquet => "parquet",
    }
}

fn variables() -> impl Iterator<Item = &'static str> {
    SETTINGS
        .iter()
        .flat_map(|def| def.env.iter().map(|(name, _)| *name))
}

/// What the environment says of stdout.
fn screen() -> Screen {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    Screen {
        no_color: set("NO_COLOR").is_some(),
        dumb: set("TERM").is_some_and(|term| term == "dumb"),
        locale: locale.map(text),
        columns: set("COLUMNS").map(text),
    }
}

/// Whether the environment is that of a person at a desktop: nobody looks at a
/// build server, and a remote shell shows windows only where it names a display.
fn desktop(set: impl Fn(&str) -> bool) -> bool {
    if set("CI") {
        return false;
    }
    if cfg!(any(target_os = "macos", windows)) {
        return !(set("SSH_CONNECTION") || set("SSH_TTY"));
    }
    set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// `--home`, else `TACHOGRAPH_HOME`, else the same in `.env`, else
/// `~/.tachograph`.
fn home(global: &Global, dotenv: &[(String, String)]) -> Result<(PathBuf, String)> {
    const NAME: &str = "TACHOGRAPH_HOME";
    if let Some(home) = &global.home {
        return Ok((home.clone(), "--home".to_owned()));
    }
    if let Some(home) = std::env::var_os(NAME).filter(|home| !home.is_empty()) {
        return Ok((home.into(), format!("{NAME} in the environment")));
    }
    if let Some((_, home)) = dotenv
        .iter()
        .rev()
        .find(|(key, value)| key == NAME && !value.is_empty())
    {
        return Ok((home.into(), format!("{NAME} in .env")));
    }
    match user_home() {
        Some(user) => Ok((user.join(".tachograph"), "default".to_owned())),
        None => Err(usage(
            "there is no home folder to keep recordings in\nhint: set TACHOGRAPH_HOME or give --home",
        )),
    }
}

/// Returns the present, in the log's microseconds.
pub fn now() -> UnixNanos {
    UnixNanos(UnixNanos::now().0.div_euclid(1_000) * 1_000)
}

/// The user's own folder.
pub fn user_home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}
