//! The terminal: taken, drawn on, given back however it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use tachograph_serve::live::Family;

use super::app::{App, Then};
use super::picture::{Following, Picture, Source};
use super::view::{self, Bars, Scene, Theme};
use crate::exit::Result;

/// Between two readings.
const EVERY: Duration = Duration::from_millis(500);
/// Where reading takes long (thousands of busy series) it is done less often:
/// one part in so many of a core, and never less often than this.
const SHARE: u32 = 60;
const SELDOM: Duration = Duration::from_secs(5);
/// A signal is noticed within this.
const LOOK: Duration = Duration::from_millis(250);

/// Shows the picture until the person or a signal ends it.
pub fn show(source: &Following<'_>, app: App, home: &str, theme: Theme) -> Result<()> {
    let stop = signals()?;
    // Its panic hook gives the terminal back before the panic is told.
    let terminal = ratatui::try_init().context("cannot draw on this terminal")?;
    let given_back = Restore;
    let picture = Picture::read(source, app.tab, app.window, None);
    let shown = Shown {
        source,
        app,
        home,
        theme,
        terminal,
        picture,
        bars: None,
        next: Instant::now(),
    }
    .run(&stop);
    drop(given_back);
    shown
}

struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

struct Shown<'a> {
    source: &'a Following<'a>,
    app: App,
    home: &'a str,
    theme: Theme,
    terminal: DefaultTerminal,
    picture: Picture,
    bars: Option<Bars>,
    next: Instant,
}

impl Shown<'_> {
    fn run(mut self, stop: &AtomicBool) -> Result<()> {
        self.read();
        self.draw()?;
        while !stop.load(Ordering::Relaxed) {
            let wait = self.next.saturating_duration_since(Instant::now());
            let mut then = Then::Nothing;
            if event::poll(wait.min(LOOK)).context("cannot read keys")? {
                // All that were typed since, before it is drawn once.
                loop {
                    then = stronger(then, self.take(&event::read()?)?);
                    if then == Then::Quit || !event::poll(Duration::ZERO)? {
                        break;
                    }
                }
            }
            if Instant::now() >= self.next {
                if self.app.paused {
                    self.next = Instant::now() + EVERY;
                } else {
                    then = stronger(then, Then::Read);
                }
            }
            match then {
                Then::Quit => break,
                Then::Nothing => {}
                Then::Draw => self.draw()?,
                Then::Read => {
                    self.read();
                    self.draw()?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<Then> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                let size = self.terminal.size()?;
                let page = view::page(size.height);
                let then = self.app.on(*key, &self.picture, page, size.width.into());
                // Another table than the one that was read cannot be walked.
                if then == Then::Read {
                    self.read();
                    return Ok(Then::Draw);
                }
                Ok(then)
            }
            Event::Resize(..) => Ok(Then::Draw),
            _ => Ok(Then::Nothing),
        }
    }

    fn read(&mut self) {
        let began = Instant::now();
        let app = &mut self.app;
        self.picture = Picture::read(self.source, app.tab, app.window, app.detail.as_ref());
        // It may have left its place to another.
        let picture = &self.picture;
        if app.detail.as_ref().is_some_and(|key| !picture.has(key)) {
            app.detail = None;
        }
        self.bars = None;
        let took = began.elapsed();
        self.next = began + (took * SHARE).clamp(EVERY, SELDOM);
    }

    fn draw(&mut self) -> Result<()> {
        let key = self.app.key(&self.picture);
        if key.as_ref() != self.bars.as_ref().map(|bars| &bars.key) {
            self.bars = key.and_then(|key| bars(self.source, &self.picture, key));
        }
        let scene = Scene {
            app: &self.app,
            picture: &self.picture,
            bars: self.bars.as_ref(),
            home: self.home,
            theme: self.theme,
        };
        self.terminal
            .draw(|frame| view::draw(&scene, frame.buffer_mut()))
            .context("cannot draw on this terminal")?;
        Ok(())
    }
}

/// How often it happened in the picture's window.
pub fn bars(source: &dyn Source, picture: &Picture, key: super::picture::Key) -> Option<Bars> {
    let families = picture.tab.families().iter();
    let of = |family: &Family| source.bars(*family, &key, picture.window.length());
    let (length, counts) = families
        .filter_map(of)
        .reduce(|(length, mut sum), (_, more)| {
            sum.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
            (length, sum)
        })?;
    Some(Bars {
        key,
        seconds: length.as_secs(),
        counts,
    })
}

fn stronger(a: Then, b: Then) -> Then {
    let rank = |then| match then {
        Then::Nothing => 0,
        Then::Draw => 1,
        Then::Read => 2,
        Then::Quit => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// A flag that a signal to leave sets. When the terminal is gone, reading keys
/// from it never ends: then the process ends here.
#[cfg(unix)]
fn signals() -> Result<Arc<AtomicBool>> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let stop = Arc::new(AtomicBool::new(false));
    let mut signals =
        Signals::new([SIGTERM, SIGINT, SIGHUP]).context("cannot watch for signals")?;
    let flag = Arc::clone(&stop);
    std::thread::Builder::new()
        .name("tacho-signals".to_owned())
        .spawn(move || {
            if signals.forever().next().is_some() {
                flag.store(true, Ordering::Relaxed);
                std::thread::sleep(LOOK * 4);
                ratatui::restore();
                std::process::exit(0);
            }
        })
        .context("cannot watch for signals")?;
    Ok(stop)
}

#[cfg(not(unix))]
fn signals() -> Result<Arc<AtomicBool>> {
    Ok(Arc::new(AtomicBool::new(false)))
}
