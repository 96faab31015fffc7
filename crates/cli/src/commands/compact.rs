//! `tacho compact`: seals the log, joins small segments, and deletes what
//! retention does not keep.

use std::time::Duration;

use serde_json::json;
use tachograph_log::Home;
use tachograph_store::{Retention, Store};

use crate::args::Format;
use crate::args::keep::Compact;
use crate::context::Context;
use crate::exit::{Exit, Result};
use crate::out::{self, counted};
use crate::place;
use crate::settings::Key;

/// Another process that seals is waited for so long.
const WAIT: Duration = Duration::from_secs(60);

/// Runs the command.
///
/// # Errors
/// When another process is at it for too long, or the disk fails.
pub fn run(_args: &Compact, ctx: &Context) -> Result<Exit> {
    let form = ctx.form(&[Format::Text, Format::Json])?;
    let home = Home::at(ctx.home()?);
    let store = Store::open(&home);
    let busy = ctx.busy("sealing");
    let sealed = place::seal(&store, WAIT)?;
    let joined = store.compact(WAIT)?;
    let retained = store.retain(retention(ctx), ctx.now, WAIT)?;
    drop(busy);
    for note in sealed.notes.iter().chain(&joined.notes) {
        ctx.say(format_args!("note: {note}"));
    }
    let text = match form {
        Format::Json => {
            let summary = json!({
                "sealed": {"events": sealed.events, "log_bytes": sealed.log_bytes, "segments": sealed.segments,
                    "segment_bytes": sealed.segment_bytes, "rejected_lines": sealed.rejected},
                "joined": {"segments": joined.joined, "into": joined.written,
                    "bytes_before": joined.bytes.0, "bytes_after": joined.bytes.1},
                "deleted": {"events": retained.events, "segments": retained.segments.len(), "bytes": retained.bytes},
            });
            serde_json::to_string_pretty(&summary)? + "\n"
        }
        _ => {
            let mut text = match sealed.events {
                0 => "nothing to seal\n".to_owned(),
                events => format!(
                    "sealed {}: {} of log became {} in {}\n",
                    counted(events, "event", "events"),
                    out::bytes(sealed.log_bytes),
                    out::bytes(sealed.segment_bytes),
                    counted(sealed.segments as u64, "segment", "segments"),
                ),
            };
            if joined.joined > 0 {
                text += &format!(
                    "joined {} into {}\n",
                    counted(joined.joined as u64, "small segment", "small segments"),
                    joined.written
                );
            }
            if retained.events > 0 {
                text += &format!(
                    "deleted {} ({}), as retention says\n",
                    counted(retained.events, "event", "events"),
                    out::bytes(retained.bytes)
                );
            }
            text
        }
    };
    out::print(&text)?;
    Ok(Exit::Ok)
}

/// What the settings say is to be kept.
pub fn retention(ctx: &Context) -> Retention {
    let positive = |key| {
        ctx.settings
            .int(key)
            .and_then(|number| u64::try_from(number).ok())
    };
    Retention {
        max_age: positive(Key::RetentionDays).map(|days| Duration::from_secs(days * 86_400)),
        max_bytes: positive(Key::RetentionBytes),
    }
}
