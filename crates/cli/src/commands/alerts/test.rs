//! `tacho alerts test CHANNEL`: a marked test, once; nothing is noted.

use std::sync::Arc;

use anyhow::anyhow;
use tachograph_model::near;

use crate::args::alerts::Test;
use crate::channels::channels;
use crate::context::Context;
use crate::exit::{Exit, Result, usage};
use crate::source::Server;

/// Runs the command.
pub fn run(args: &Test, ctx: &Context) -> Result<Exit> {
    let says = ctx.clone();
    let say = Arc::new(move |line: &str| says.say(format_args!("{line}")));
    let channels = channels(&ctx.settings, ctx.folder(), say)?;
    let Some(channel) = channels.get(&args.channel) else {
        let names = channels.names();
        let hint = match names.is_empty() {
            true => "config.yaml names none; docs/guide/alerts.md shows how (`alert_channels`)"
                .to_owned(),
            false => near::hint(&args.channel, &names),
        };
        return Err(usage(format!(
            "there is no channel {:?}\nhint: {hint}",
            args.channel
        )));
    };
    // As the server tells it, if one runs.
    let page = Server::of(ctx.folder()).and_then(|server| server.page);
    let busy = ctx.busy("telling");
    let told = channel.test(page);
    drop(busy);
    told.map_err(|failure| {
        anyhow!(
            "{} ({}) was not told: {failure}",
            channel.name(),
            channel.kind()
        )
    })?;
    ctx.say(format_args!(
        "{} ({}) took the test",
        channel.name(),
        channel.kind()
    ));
    Ok(Exit::Ok)
}
