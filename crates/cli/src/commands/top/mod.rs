//! `tacho top`: what is going on, in the terminal. Follows the home's log as
//! the server does ([`Live`]): reads only, and needs no server. How alerts stand
//! it asks the server that runs on the home, if one does.
//!
//! ```text
//! log ─ Live ─► picture (read twice a second) ─┐
//! server ─ board ──┘                           │
//!                    keys ─► app (choices) ────┴─► view, detail ─► screen
//!                                              └─► once ─► stdout
//! ```

mod agents;
mod alerts;
mod app;
mod board;
mod columns;
mod detail;
mod names;
mod once;
mod picture;
mod screen;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tachograph_analyze::{Engine, EngineConfig};
use tachograph_log::Home;
use tachograph_serve::config::Limits;
use tachograph_serve::live::Live;
use tachograph_store::Store;

use self::app::App;
use self::board::Boards;
use self::names::Called;
use self::picture::Following;
use self::view::Theme;
use crate::args::Format;
use crate::args::top::Top;
use crate::context::{Context, Place};
use crate::exit::{Exit, Result, usage};
use crate::settings::Key;

/// Runs the command: returns when the person at the keyboard has seen enough.
///
/// # Errors
/// When stdout is no terminal, or the folder of `--events` is none.
pub fn run(args: &Top, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    if ctx.as_of {
        return Err(usage(
            "--as-of asks about the past; top shows the present\nhint: `tacho report --as-of …`",
        ));
    }
    if let Place::Foreign(folder) = &ctx.place
        && !folder.is_dir()
    {
        return Err(usage(format!(
            "--events {}: no such folder\nhint: name the folder that holds events*.jsonl",
            folder.display()
        )));
    }
    if !args.once && ctx.format == Some(Format::Json) {
        return Err(usage(
            "--format json prints one picture\nhint: say so: tacho top --once --format json",
        ));
    }
    if !args.once && !ctx.look.terminal {
        return Err(anyhow!(
            "stdout is no terminal, and top needs one\nhint: `tacho top --once` prints one picture, \
             also with --format json"
        ));
    }
    let root = std::path::absolute(ctx.folder())?;
    let home = Home::at(&root);
    let engine = Engine::open(Store::open_readonly(&home), EngineConfig::default());
    let live = Live::start_after(&home, &Limits::default(), Arc::new(engine));
    let live = live.context("cannot follow the log")?;
    let source = Following {
        live: &live,
        boards: Boards::of(&root, ctx.settings.text(Key::Token)),
        called: match args.once {
            true => Called::once(&root),
            false => Called::follow(root.clone()),
        },
    };
    let home = root.display().to_string();
    let shown = match args.once {
        true => once::print(&source, args, form, &home, ctx),
        false => {
            let app = App::new(args.tab.unwrap_or_default(), args.window);
            let theme = Theme {
                color: ctx.look.stdout,
                glyphs: ctx.look.glyphs,
            };
            screen::show(&source, app, &home, theme)
        }
    };
    live.stop();
    shown.map(|()| Exit::Ok)
}
