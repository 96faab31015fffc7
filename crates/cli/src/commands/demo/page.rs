//! The fortnight's page: served to this machine alone, until Ctrl-C. Nothing is taken
//! in, measured or sealed; the invented team works on, so that live figures live.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use tachograph_log::{Appender, Home};
use tachograph_serve::config::{Alerts, Config};
use tachograph_serve::notify::Channels;
use tachograph_serve::{Running, StartError};

use super::life::Onward;
use super::salt;
use super::story::Story;
use crate::args::keep::Demo;
use crate::args::start::Start;
use crate::commands::start::lock::ServerLock;
use crate::commands::start::{doors, not_started, plan, screen, signals};
use crate::context::{Context, now};
use crate::exit::Result;
use crate::out::{self, Style};
use crate::settings::Key;

const PORT: u16 = 8090;
/// How often the team's work is written down.
const BEAT: Duration = Duration::from_millis(500);

/// Serves until a signal comes.
///
/// # Errors
/// When the port that was asked for is taken, or there are no threads.
pub fn serve(
    args: &Demo,
    ctx: &Context,
    home: &Home,
    mut lock: ServerLock,
    story: &Story,
) -> Result<()> {
    let signals = signals::watch()?;
    let running = open(args.port, ctx, home)?;
    let addresses = running.addresses();
    lock.tell(&screen::ready(&running, home.root(), None))?;
    let address = addresses.dashboard.context("the page has no address")?;
    // The whole of the story.
    let url = format!("http://{address}/#/overview?range=14d");
    out::print(&format!(
        "\n  Page   {}\n\nCtrl-C ends it.\n",
        ctx.look.paint(Style::Bold, &url)
    ))?;
    // What ended at an instant of the user's choosing stays as it is.
    let work =
        (!ctx.as_of).then(|| Work::start(home, Onward::new(story, args.seed, salt(args.seed))));
    let work = work.transpose()?;
    if ctx.desktop && ctx.look.terminal && !args.no_open {
        browse(ctx, &url);
    }
    signals.wait();
    if let Some(work) = work {
        work.stop(ctx);
    }
    running.stop();
    Ok(())
}

/// On the port that was asked for, else on the usual one, else on any free one.
fn open(port: Option<u16>, ctx: &Context, home: &Home) -> Result<Running> {
    let serve = |port| {
        let config = config(port, ctx, home.root())?;
        Ok(tachograph_serve::start(config, doors(home, ctx)?))
    };
    let usual: Result<_> = serve(port.unwrap_or(PORT));
    match usual? {
        Err(StartError::Bind { source, .. })
            if port.is_none() && source.kind() == ErrorKind::AddrInUse =>
        {
            serve(0)?.map_err(not_started)
        }
        served => served.map_err(not_started),
    }
}

/// As `tacho start` settles it, without its other doors and without the machine.
fn config(port: u16, ctx: &Context, home: &Path) -> Result<Config> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let start = Start {
        host: Some(loopback.to_string()),
        port: Some(port),
        ..Start::default()
    };
    let mut ctx = ctx.clone();
    // What is made up need not be kept from this machine's other users.
    ctx.settings.set(Key::RequireToken, false.into(), "demo");
    // And of what is made up nobody is to be told.
    for key in [Key::AlertChannels, Key::AlertEmail, Key::AlertWebhook] {
        ctx.settings.set(key, serde_json::Value::Null, "demo");
    }
    let plan = plan::settle(&start, home, &ctx)?;
    Ok(Config {
        page: true,
        otlp_grpc: None,
        otlp_http: None,
        json: None,
        prometheus: None,
        statsd: None,
        tls: None,
        collect: None,
        // What fires here is made up: nobody is to be called for it.
        alerts: Alerts {
            channels: Channels::default(),
            ..plan.config.alerts
        },
        ..plan.config
    })
}

/// A desktop without a browser is no failure: the address is on the screen.
fn browse(ctx: &Context, url: &str) {
    if let Err(error) = open::that_detached(url) {
        ctx.say(format_args!(
            "no browser opened ({error}): open the page yourself"
        ));
    }
}

/// The team's work, written down as it happens.
struct Work {
    stop: Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Work {
    fn start(home: &Home, mut onward: Onward) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let log = Appender::new(home);
        let work = move || {
            loop {
                let mut lines = Vec::new();
                for event in onward.until(now()) {
                    lines.extend(event.to_line());
                }
                if !lines.is_empty() {
                    log.append(&lines)?;
                }
                if stopped.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
                    return Ok(());
                }
            }
        };
        let thread = std::thread::Builder::new().name("tacho-demo".to_owned());
        let thread = thread.spawn(work).context("cannot start a thread")?;
        Ok(Self { stop, thread })
    }

    fn stop(self, ctx: &Context) {
        drop(self.stop);
        match self.thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => ctx.say(format_args!("the demo stood still: {error:#}")),
            Err(_) => ctx.say("the demo stood still: its thread broke down"),
        }
    }
}
