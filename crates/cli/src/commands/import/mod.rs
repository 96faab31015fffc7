//! `tacho import`: other tools' files become events. The same record twice,
//! in whatever file and form, is one event.
//!
//! ```text
//! file ─► read.rs (records, by what the content is) ─► shape.rs (record → event)
//!      ─► admit (what may be stored) ─► ledger.rs (new ones only, with the log) ─► summary.rs
//! ```

mod csv_form;
mod ledger;
mod present;
mod progress;
mod read;
mod shape;
mod summary;
mod table;

pub use ledger::settle_interrupted;

use std::path::{Path, PathBuf};

use tachograph_log::Home;

use crate::admit::{self, Admission};
use crate::args::Format;
use crate::args::keep::Import;
use crate::context::Context;
use crate::exit::{Exit, Result};
use crate::settings::Key;

use ledger::Ledger;
use progress::Progress;
use read::Record;
use shape::{Outcome, Shaper};
use summary::{FileSummary, Summary};

/// Runs the command.
///
/// # Errors
/// When the home cannot be written. A file that cannot be read is named in the
/// summary and makes the exit code 1.
pub fn run(args: &Import, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let home = Home::at(ctx.home()?);
    let keep_text = args.keep_text || ctx.settings.is(Key::KeepText);
    if !args.dry_run {
        Home::create(home.root())?;
    }
    let mut door = admit::door(home.clone(), keep_text);
    door.trust_hashes = true;
    let mut ledger = Ledger::open(&home, args.dry_run)?;
    let mut summary = Summary {
        dry_run: args.dry_run,
        ..Summary::default()
    };
    for path in expand(&args.files) {
        let file = import(&path, &home, &mut door, &mut ledger, ctx)?;
        summary.files.push(file);
    }
    ledger.close()?;
    summary.print(form, ctx)?;
    Ok(if summary.failed() {
        Exit::Findings
    } else {
        Exit::Ok
    })
}

/// A folder stands for the event logs in it.
fn expand(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut expanded = Vec::new();
    for path in files {
        let logs = match path.is_dir() {
            true => Home::at(path)
                .files()
                .map(|listing| listing.files)
                .unwrap_or_default(),
            false => Vec::new(),
        };
        if logs.is_empty() {
            expanded.push(path.clone());
        }
        expanded.extend(logs.into_iter().map(|file| file.path));
    }
    expanded
}

fn import(
    path: &Path,
    home: &Home,
    door: &mut Admission,
    ledger: &mut Ledger,
    ctx: &Context,
) -> Result<FileSummary> {
    let mut file = FileSummary::new(path);
    if lies_in(path, home.root()) {
        file.failure = Some("lies in the home it would be added to".to_owned());
        return Ok(file);
    }
    let mut progress = Progress::new(path, &ctx.look);
    ledger.begin_file(present::present(path, home)?);
    let texts_before = door.texts_left_out;
    let mut shaper = Shaper::default();
    let read = read::records(path, &mut |record: Record<'_>| {
        progress.at(record.bytes_done);
        file.read += 1;
        match shaper.shape(&record, door) {
            Ok(Outcome::Event(event)) => {
                file.saw(event.time);
                file.naive += u64::from(shaper.naive);
                match ledger.offer(&event)? {
                    true => file.added += 1,
                    false => file.already += 1,
                }
            }
            Ok(Outcome::Skip(reason)) => file.skipped.push(record.line, reason),
            Err(error) => return Err(error),
        }
        Ok(())
    });
    progress.done();
    if let Err(read::ReadError::Taking(error)) = read {
        return Err(error);
    }
    // What was read until then is kept even so.
    ledger.end_of_file()?;
    file.texts_left_out = door.texts_left_out - texts_before;
    match read {
        Ok(found) => {
            file.form = Some(found.form);
            file.read += found.broken.count();
            file.skipped.append(found.broken);
        }
        Err(read::ReadError::Input(reason)) => file.failure = Some(reason),
        Err(read::ReadError::Taking(error)) => return Err(error),
    }
    Ok(file)
}

fn lies_in(path: &Path, home: &Path) -> bool {
    match (path.canonicalize(), home.canonicalize()) {
        (Ok(path), Ok(home)) => path.parent() == Some(home.as_path()),
        _ => false,
    }
}
