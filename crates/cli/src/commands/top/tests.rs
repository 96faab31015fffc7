//! What is drawn, at both sizes, whatever the log holds.

mod agents;
mod alerts;
mod drawn;
mod keys;
mod log;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use tachograph_model::UnixNanos;
use tachograph_model::render::Glyphs;

use self::log::Log;
use super::app::{App, Then};
use super::picture::Picture;
use super::screen;
use super::view::{self, Scene, Theme};
use crate::args::top::{Tab, Window};
use crate::out::Look;

/// 2025-11-20 12:00:00 UTC.
const NOW: UnixNanos = UnixNanos(1_763_640_000_000_000_000);
const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);
const PLAIN: Theme = Theme {
    color: false,
    glyphs: Glyphs::All,
};

/// As text is printed into a pipe.
fn look() -> Look {
    Look {
        stdout: false,
        glyphs: Glyphs::All,
        width: None,
        progress: false,
        terminal: false,
    }
}

/// A person in front of a log.
struct Seat<'a> {
    log: &'a Log,
    app: App,
    picture: Picture,
    size: (u16, u16),
}

impl<'a> Seat<'a> {
    fn new(log: &'a Log, tab: Tab, size: (u16, u16)) -> Self {
        let app = App::new(tab, Window::FiveMinutes);
        let picture = Picture::read(log, app.tab, app.window, None);
        Self {
            log,
            app,
            picture,
            size,
        }
    }

    fn press(&mut self, code: KeyCode) -> Then {
        let (page, columns) = (view::page(self.size.1), self.size.0.into());
        let then = self
            .app
            .on(KeyEvent::from(code), &self.picture, page, columns);
        if then == Then::Read {
            let app = &self.app;
            self.picture = Picture::read(self.log, app.tab, app.window, app.detail.as_ref());
        }
        then
    }

    fn letters(&mut self, letters: &str) {
        for letter in letters.chars() {
            self.press(KeyCode::Char(letter));
        }
    }

    fn buffer(&self, theme: Theme) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).expect("one");
        let bars = self.app.key(&self.picture);
        let bars = bars.and_then(|key| screen::bars(self.log, &self.picture, key));
        let scene = Scene {
            app: &self.app,
            picture: &self.picture,
            bars: bars.as_ref(),
            home: "/home/bob/.tachograph",
            theme,
        };
        let draw = |frame: &mut ratatui::Frame<'_>| view::draw(&scene, frame.buffer_mut());
        terminal.draw(draw).expect("drawn");
        terminal.backend().buffer().clone()
    }

    fn screen(&self) -> String {
        text(&self.buffer(PLAIN))
    }

    /// The names of a table, from the top down.
    fn names(&self) -> Vec<String> {
        let order = self.app.order(&self.picture);
        let name = |at: &usize| self.picture.rows[*at].reading.name.to_string();
        order.iter().map(name).collect()
    }

    fn selected(&self) -> String {
        self.app
            .key(&self.picture)
            .map_or(String::new(), |key| key.name.to_string())
    }
}

/// As a terminal shows it.
fn text(buffer: &Buffer) -> String {
    let backend = {
        let mut backend = TestBackend::new(buffer.area.width, buffer.area.height);
        let blank = Buffer::empty(buffer.area);
        let changes = blank.diff(buffer);
        ratatui::backend::Backend::draw(&mut backend, changes.into_iter()).expect("drawn");
        backend
    };
    let lines = backend.to_string();
    // What wide letters cover is told behind the line.
    let lines = lines
        .lines()
        .map(|line| line.split("\" Hidden").next().unwrap_or(line));
    let lines = lines.map(|line| line.trim_matches('"').trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

macro_rules! snapshots {
    ($($test:ident: $log:expr, $tab:ident, $size:ident, $keys:expr;)+) => {$(
        #[test]
        fn $test() {
            let log = $log;
            let mut seat = Seat::new(&log, Tab::$tab, $size);
            for key in $keys {
                seat.press(key);
            }
            insta::assert_snapshot!(stringify!($test), seat.screen());
        }
    )+};
}

const NONE: [KeyCode; 0] = [];

snapshots! {
    tools_small: Log::busy(), Tools, SMALL, NONE;
    tools_large: Log::busy(), Tools, LARGE, NONE;
    models_small: Log::busy(), Models, SMALL, NONE;
    models_large: Log::busy(), Models, LARGE, NONE;
    agents_small: Log::busy(), Agents, SMALL, NONE;
    agents_of_calls_small: Log::of_agents(), Agents, SMALL, NONE;
    agents_of_calls_large: Log::of_agents(), Agents, LARGE, NONE;
    one_agent_small: Log::of_agents(), Agents, SMALL, [KeyCode::Enter];
    agents_named_small: agents::named(), Agents, SMALL, NONE;
    one_named_agent_small: agents::named(), Agents, SMALL, [KeyCode::Enter];
    caches_small: Log::busy(), Caches, SMALL, NONE;
    metrics_small: Log::busy(), Metrics, SMALL, NONE;
    metrics_large: Log::busy(), Metrics, LARGE, NONE;
    one_tool_small: Log::busy(), Tools, SMALL, [KeyCode::Enter];
    one_model_large: Log::busy(), Models, LARGE, [KeyCode::Enter];
    help_small: Log::busy(), Tools, SMALL, [KeyCode::Char('?')];
    paused_small: Log::busy(), Tools, SMALL, [KeyCode::Char('p'), KeyCode::Down];
    empty_small: settled(Log::new()), Tools, SMALL, NONE;
    empty_large: settled(Log::new()), Metrics, LARGE, NONE;
    hostile_small: Log::hostile(), Tools, SMALL, NONE;
    hostile_large: Log::hostile(), Tools, LARGE, NONE;
    alerts_small: Log::watched(), Alerts, SMALL, NONE;
    alerts_large: Log::watched(), Alerts, LARGE, NONE;
    one_alert_small: Log::watched(), Alerts, SMALL, [KeyCode::Enter];
    one_rule_large: Log::watched(), Alerts, LARGE, [KeyCode::End, KeyCode::Enter];
    alerts_of_nobody_small: Log::busy(), Alerts, SMALL, NONE;
    hostile_one_small: Log::hostile(), Tools, SMALL, [KeyCode::Enter];
}

fn settled(mut log: Log) -> Log {
    log.state.settle();
    log
}
