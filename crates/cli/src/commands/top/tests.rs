//! What is drawn, at both sizes, whatever the log holds.

use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::Color;
use serde_json::{Value as Json, json};
use tachograph_model::render::{Glyphs, iso};
use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::live::{Family, Overview, Reading, State};

use super::app::{App, Then};
use super::board::{self, Board};
use super::picture::{Key, Picture, Source};
use super::view::{self, Scene, Theme};
use super::{once, screen};
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

/// A log of one's own making, at an instant that stands still.
struct Log {
    state: State,
    keys: Vec<(Family, String, String)>,
    board: Arc<Board>,
}

impl Log {
    fn new() -> Self {
        Self {
            state: State::new(1024),
            keys: Vec::new(),
            board: Arc::default(),
        }
    }

    fn add(&mut self, family: Family, seconds_ago: i64, event: Event) {
        let text = |column| event.str(column);
        let key = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let source = match family {
            Family::Model | Family::Metric => key(text(Column::Source)),
            _ => String::new(),
        };
        let agent = key(text(Column::Agent));
        let name = match family {
            Family::Agent => agent.clone(),
            _ => key(text(Column::Name)),
        };
        let kind = event.event_type.to_string();
        let mut keys = vec![(Family::Event, String::new(), kind)];
        if family == Family::Model {
            for beside in [Family::ModelTokens, Family::ModelCost] {
                keys.push((beside, source.clone(), name.clone()));
            }
        }
        let of_agents: &[Family] = match family {
            Family::Tool => &[Family::AgentTool],
            Family::Model => &[Family::AgentModel, Family::AgentCost],
            _ => &[],
        };
        for family in of_agents.iter().filter(|_| !agent.is_empty()) {
            keys.push((*family, String::new(), agent.clone()));
        }
        keys.push((family, source, name));
        for key in keys {
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        }
        let mut event = event;
        event.time = UnixNanos(NOW.0 - seconds_ago * 1_000_000_000);
        self.state.take(&event.to_line(), NOW);
    }

    /// Three agents: one is used and calls, one only calls, one is only used.
    fn of_agents() -> Self {
        let mut log = Self::new();
        let of = |kind: &str, agent: &str, ms: f64| {
            Event::new(NOW, kind)
                .with(Column::Agent, agent)
                .with(Column::DurationMs, ms)
        };
        for at in 0..240_i64 {
            let agent = ["coder", "planner"][(at % 2) as usize];
            let tool = of("tool_call", agent, 5.0 + at as f64)
                .with(Column::Name, "search")
                .with(Column::ErrorType, "timeout")
                .with(Column::Success, at % 10 > 0);
            log.add(Family::Tool, at, tool);
            if at % 6 == 0 {
                let model = of("llm_call", agent, 900.0)
                    .with(Column::Source, "anthropic")
                    .with(Column::Name, "claude-sonnet")
                    .with(Column::InputTokens, 1200_i64)
                    .with(Column::OutputTokens, 300_i64)
                    .with(Column::CostUsd, 0.02)
                    .with(Column::Success, true);
                log.add(Family::Model, at, model);
                log.add(Family::Agent, at, of("agent_usage", "coder", 4000.0));
            }
        }
        let idle = of("agent_usage", "reviewer", 80.0).with(Column::Success, true);
        log.add(Family::Agent, 20, idle);
        log.state.settle();
        log
    }

    fn tool(&mut self, ago: i64, name: &str, ms: f64, error: Option<&str>) {
        let mut event = Event::new(NOW, "tool_call")
            .with(Column::Name, name)
            .with(Column::DurationMs, ms)
            .with(Column::SessionId, "s")
            .with(Column::Success, error.is_none());
        if let Some(error) = error {
            event = event.with(Column::ErrorType, error);
        }
        self.add(Family::Tool, ago, event);
    }

    /// A quarter of an hour of a small team.
    fn busy() -> Self {
        let mut log = Self::new();
        for at in (0..900).rev() {
            let wave = f64::from(at % 17);
            let error =
                (at % 20 == 0).then_some(if at % 40 == 0 { "timeout" } else { "not_found" });
            log.tool(at.into(), "search", 8.0 + wave, error);
            if at % 3 == 0 {
                log.tool(at.into(), "read_file", 0.4 + wave / 40.0, None);
            }
            if at % 30 == 0 {
                log.tool(at.into(), "run_tests", 4000.0 + 500.0 * wave, None);
            }
            if at % 10 == 0 {
                let event = Event::new(NOW, "llm_call")
                    .with(Column::Source, "anthropic")
                    .with(Column::Name, "claude-sonnet")
                    .with(Column::DurationMs, 900.0 + 100.0 * wave)
                    .with(Column::InputTokens, 1200_i64)
                    .with(Column::OutputTokens, 300_i64)
                    .with(Column::CostUsd, 0.0081)
                    .with(Column::Success, true);
                log.add(Family::Model, at.into(), event);
                let event = Event::new(NOW, "agent_usage")
                    .with(Column::Agent, "1ccf43085d79621a")
                    .with(Column::DurationMs, 80.0);
                log.add(Family::Agent, at.into(), event);
            }
            if at % 5 == 0 {
                let event = Event::new(NOW, "cache")
                    .with(Column::Name, "semantic_cache")
                    .with(Column::Hit, at % 15 != 0);
                log.add(Family::Cache, at.into(), event);
                let event = Event::new(NOW, "metric")
                    .with(Column::Source, "system")
                    .with(Column::Name, "memory_used")
                    .with(Column::Unit, "bytes")
                    .with(Column::Value, 3.4e9 + f64::from(at) * 1e6);
                log.add(Family::Metric, at.into(), event);
            }
        }
        // It was called before the window.
        log.tool(1500, "deploy", 61_000.0, None);
        log.state.settle();
        log
    }

    /// The same, with a server that watches it.
    fn watched() -> Self {
        let mut log = Self::busy();
        log.board = Arc::new(told(&alerts_of_a_server(&[
            ("Slow Tool", "*", "tool", "", "run_tests", "firing", 125),
            (
                "High CPU Usage",
                "cpu_usage_percent",
                "metric",
                "system",
                "cpu_usage_percent",
                "pending",
                12,
            ),
            (
                "Costly",
                "claude-sonnet",
                "model_cost",
                "anthropic",
                "claude-sonnet",
                "resolved",
                400,
            ),
            (
                "High Memory Usage",
                "memory",
                "metric",
                "system",
                "memory",
                "inactive",
                4000,
            ),
        ])));
        log
    }

    fn hostile() -> Self {
        let mut log = Self::new();
        for name in [
            "\u{1b}[2J\u{1b}]0;owned\u{7}",
            "\u{202e}exe.txt\u{2066}",
            &"x".repeat(10_000),
            "🚀👩\u{200d}🚀 launch",
            "שלום עולם",
            "日本語のツール名がとても長い場合の表示",
            "line\nfeed\rreturn\ttab",
            "e\u{301}\u{301}\u{301}",
            "",
        ] {
            log.tool(3, name, 1.5, Some(name));
        }
        log.state.settle();
        log
    }
}

impl Source for Log {
    fn now(&self) -> UnixNanos {
        NOW
    }

    fn overview(&self) -> Overview {
        self.state.overview(NOW)
    }

    fn readings(&self, family: Family, length: Duration) -> Vec<Reading> {
        let keys = self.keys.iter().filter(|key| key.0 == family);
        let read = |(_, source, name): &(Family, String, String)| {
            self.state.reading(family, source, name, length, NOW)
        };
        keys.filter_map(read).collect()
    }

    fn reading(&self, family: Family, key: &Key, length: Duration) -> Option<Reading> {
        self.state
            .reading(family, &key.source, &key.name, length, NOW)
    }

    fn bars(&self, family: Family, key: &Key, length: Duration) -> Option<(Duration, Vec<u64>)> {
        self.state.bars(family, &key.source, &key.name, length, NOW)
    }

    fn board(&self) -> Arc<Board> {
        self.board.clone()
    }
}

/// As a server answers: rule, what it watches, family, source, series, state, for
/// how many seconds.
fn alerts_of_a_server(rows: &[(&str, &str, &str, &str, &str, &str, i64)]) -> Json {
    let at = |ago: i64| iso(UnixNanos(NOW.0 - ago * 1_000_000_000));
    let rules = rows.iter().map(|(rule, metric, family, source, ..)| {
        json!({"name": rule, "metric_name": metric, "family": family, "source": source,
            "condition": "avg > 90", "threshold": 90.0, "severity": "critical",
            "description": "somebody should look at it", "created_at": "2025-11-20T10:00:00+00:00",
            "labels": {"team": "agents"}, "for_seconds": 60, "builtin": false, "origin": "api"})
    });
    let alerts = rows
        .iter()
        .map(|(rule, _, family, source, name, state, ago)| {
            json!({"rule": rule, "family": family, "source": source, "name": name, "state": state,
            "severity": "critical", "value": 96.25, "threshold": 90.0, "condition": "avg > 90",
            "since": at(*ago), "fired_at": at(*ago), "resolved_at": null, "description": "",
            "open": matches!(*state, "firing" | "no_data"), "labels": {}})
        });
    let (rules, alerts): (Vec<Json>, Vec<Json>) = (rules.collect(), alerts.collect());
    let count = |state: &str| rows.iter().filter(|row| row.5 == state).count();
    json!({"rules": rules, "alerts": alerts, "more": 0, "unwatched": 0, "enabled": true,
        "notes": [], "totals": {"firing": count("firing"), "pending": count("pending"),
            "resolved": count("resolved"), "no_data": count("no_data"),
            "inactive": count("inactive"), "open_without_data": count("no_data")}})
}

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

fn told(answer: &Json) -> Board {
    let address = "127.0.0.1:8090".parse().expect("an address");
    board::told(answer.clone(), address).expect("an answer")
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

#[test]
fn what_is_too_small_says_so_at_any_size() {
    let log = Log::watched();
    for size in [(59, 24), (80, 14), (20, 4), (1, 1)] {
        let screen = Seat::new(&log, Tab::Tools, size).screen();
        assert!(!screen.contains("CALLS"), "{screen}");
    }
    let screen = Seat::new(&log, Tab::Tools, (40, 10)).screen();
    assert!(
        screen.contains("This window is 40 x 10.\ntacho top needs 60 x 15"),
        "{screen}"
    );
    // From there on every table and every view can be drawn.
    for width in [60, 61, 79, 133, 250] {
        for tab in super::picture::TABS {
            let mut seat = Seat::new(&log, tab, (width, 15));
            assert!(seat.screen().contains(tab.title()));
            seat.press(KeyCode::Enter);
            let all = match tab {
                Tab::Alerts => "condition",
                _ => "All that was read",
            };
            assert!(seat.screen().contains(all), "{}", seat.screen());
        }
    }
}

#[test]
fn names_command_nothing_and_all_is_ascii_where_only_that_can_be_shown() {
    let log = Log::hostile();
    for enter in [false, true] {
        let mut seat = Seat::new(&log, Tab::Tools, SMALL);
        for _ in 0..9 {
            let ascii = Theme {
                glyphs: Glyphs::Ascii,
                ..PLAIN
            };
            for (theme, only_ascii) in [(PLAIN, false), (ascii, true)] {
                for cell in &seat.buffer(theme).content {
                    let symbol = cell.symbol();
                    assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                    assert!(!symbol.contains(['\u{202e}', '\u{2066}']), "{symbol:?}");
                    assert!(!only_ascii || symbol.is_ascii(), "{symbol:?}");
                }
            }
            if enter {
                seat.press(KeyCode::Enter);
                seat.buffer(PLAIN);
                seat.press(KeyCode::Esc);
            }
            seat.press(KeyCode::Down);
        }
    }
}

#[test]
fn without_colors_there_are_none_and_with_them_the_letters_are_the_same() {
    let log = Log::busy();
    for key in [KeyCode::Null, KeyCode::Enter] {
        let mut seat = Seat::new(&log, Tab::Tools, SMALL);
        seat.press(key);
        let plain = seat.buffer(PLAIN);
        let is_plain = |color| color == Color::Reset;
        assert!(
            plain
                .content
                .iter()
                .all(|cell| is_plain(cell.fg) && is_plain(cell.bg))
        );
        let painted = seat.buffer(Theme {
            color: true,
            ..PLAIN
        });
        assert!(painted.content.iter().any(|cell| cell.fg == Color::Red));
        assert_eq!(text(&plain), text(&painted));
    }
}

#[test]
fn rows_are_sorted_by_each_column_on_the_screen_either_way() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, LARGE);
    assert_eq!(seat.names(), ["search", "read_file", "run_tests", "deploy"]);
    seat.press(KeyCode::Char('r'));
    // What is not known stays last.
    assert_eq!(seat.names(), ["run_tests", "read_file", "search", "deploy"]);
    // To P50, by way of PER SEC, FAILED and FAIL %.
    seat.letters("ssss");
    assert!(seat.screen().contains("by P50 ▼"), "{}", seat.screen());
    assert_eq!(seat.names(), ["run_tests", "search", "read_file", "deploy"]);
    // P95, P99, MAX, LAST, and then by name.
    seat.letters("sssss");
    assert!(seat.screen().contains("by NAME ▲"), "{}", seat.screen());
    assert_eq!(seat.names(), ["deploy", "read_file", "run_tests", "search"]);
    seat.letters("rs");
    assert!(seat.screen().contains("by CALLS ▼"), "{}", seat.screen());
}

#[test]
fn the_selection_stays_with_its_series_and_within_the_table() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    assert_eq!(seat.selected(), "search");
    seat.letters("j");
    assert_eq!(seat.selected(), "read_file");
    seat.letters("r");
    assert_eq!(seat.selected(), "read_file");
    seat.press(KeyCode::End);
    seat.press(KeyCode::Down);
    seat.press(KeyCode::PageDown);
    assert_eq!(seat.selected(), "deploy");
    seat.letters("gkk");
    assert_eq!(seat.selected(), "run_tests");
}

#[test]
fn a_filter_is_typed_kept_and_cleared() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    // Letters that are keys elsewhere are letters here.
    seat.letters("/R");
    assert!(seat.screen().contains("filter: R_"), "{}", seat.screen());
    assert_eq!(seat.names(), ["search", "read_file", "run_tests"]);
    seat.letters("_q");
    assert!(seat.screen().contains("Nothing is called like \"R_q\""));
    seat.press(KeyCode::Backspace);
    seat.press(KeyCode::Backspace);
    seat.letters("un");
    seat.press(KeyCode::Enter);
    assert_eq!(seat.names(), ["run_tests"]);
    assert!(seat.screen().contains("1 of 4"), "{}", seat.screen());
    seat.press(KeyCode::Esc);
    assert_eq!(seat.names().len(), 4);
    assert_eq!(seat.press(KeyCode::Char('q')), Then::Quit);
}

#[test]
fn keys_go_to_every_table_and_window_and_back() {
    let log = Log::busy();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(seat.picture.tab.title());
        seat.press(KeyCode::Tab);
    }
    assert_eq!(
        seen,
        ["Tools", "Models", "Agents", "Caches", "Metrics", "Alerts"]
    );
    assert_eq!(seat.picture.tab, Tab::Tools);
    seat.letters("h4");
    assert_eq!(seat.picture.tab, Tab::Caches);
    seat.letters("w");
    assert!(seat.screen().contains("window 15 min"));
    seat.press(KeyCode::Enter);
    assert!(seat.screen().contains("hit %"));
    seat.press(KeyCode::Esc);
    assert!(seat.screen().contains("LOOK-UPS"));
    seat.letters("p");
    assert!(seat.screen().contains("PAUSED at 12:00:00 UTC"));
    assert_eq!(seat.press(KeyCode::Char('p')), Then::Read);
}

#[test]
fn alerts_are_walked_filtered_and_looked_into() {
    let log = Log::watched();
    let mut seat = Seat::new(&log, Tab::Tools, SMALL);
    seat.letters("6");
    let lines = |seat: &Seat<'_>| -> Vec<String> {
        let order = seat.app.order(&seat.picture);
        order.iter().map(|at| seat.picture.name(*at)).collect()
    };
    let all = lines(&seat);
    assert_eq!(
        all,
        [
            "run_tests: Slow Tool",
            "High CPU Usage",
            "Costly",
            "Slow Tool",
            "High CPU Usage",
            "Costly",
            "High Memory Usage",
        ]
    );
    assert!(seat.screen().contains("1 firing, 1 pending, 1 resolved"));
    // There is one order: what matters first.
    seat.letters("srj");
    assert_eq!(lines(&seat), all);
    seat.press(KeyCode::Enter);
    assert!(seat.screen().contains("system"), "{}", seat.screen());
    assert!(seat.screen().contains("team=agents"), "{}", seat.screen());
    seat.press(KeyCode::Esc);
    seat.letters("/costly");
    assert_eq!(lines(&seat), ["Costly", "Costly"]);
    seat.press(KeyCode::Esc);
    seat.letters("1");
    assert!(seat.screen().contains("CALLS"), "{}", seat.screen());
    let json = once::document(&[Seat::new(&log, Tab::Alerts, SMALL).picture], "/h");
    let alerts = &json["top"]["alerts"];
    assert_eq!(alerts["from"], "server");
    assert_eq!(alerts["alerts"].as_array().map(Vec::len), Some(3));
    assert_eq!(alerts["alerts"][0]["state"], "firing");
    assert_eq!(alerts["rules"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_fired_until_its_data_ended_is_told_apart() {
    let mut log = Log::busy();
    let mut answer = alerts_of_a_server(&[
        ("Once", "*", "tool", "", "over", "no_data", 30),
        ("Open", "*", "tool", "", "silent", "no_data", 20),
        ("Waits", "*", "tool", "", "slow", "pending", 10),
    ]);
    // That one was resolved before; when, the server says no more.
    answer["alerts"][0]["open"] = false.into();
    answer["totals"]["open_without_data"] = 1.into();
    log.board = Arc::new(told(&answer));
    let seat = Seat::new(&log, Tab::Alerts, SMALL);
    let screen = seat.screen();
    assert!(screen.contains("1 pending, 1 without data"), "{screen}");
    let json = once::document(&[seat.picture], "/h");
    let alerts = json["top"]["alerts"]["alerts"].as_array().expect("alerts");
    let told: Vec<_> = alerts
        .iter()
        .map(|it| (it["name"].as_str(), it["open"].as_bool()))
        .collect();
    assert_eq!(
        told,
        [(Some("slow"), Some(false)), (Some("silent"), Some(true))]
    );
}

#[test]
fn alerts_that_a_server_does_not_list_are_counted() {
    let mut log = Log::busy();
    let names: Vec<String> = (0..25).map(|at| format!("t{at}")).collect();
    let row = |name| ("Slow", "*", "tool", "", name, "firing", 5);
    let rows: Vec<_> = names.iter().map(|name| row(name.as_str())).collect();
    let mut answer = alerts_of_a_server(&rows);
    answer["totals"]["firing"] = 1026.into();
    answer["totals"]["resolved"] = 2.into();
    answer["unwatched"] = 3334.into();
    log.board = Arc::new(told(&answer));
    let seat = Seat::new(&log, Tab::Alerts, LARGE);
    let wanted = "1,026 firing, 2 resolved; 25 of 1,028 listed; nobody watches 3,334 series more";
    assert!(seat.screen().contains(wanted), "{}", seat.screen());
    let text = once::page(std::slice::from_ref(&seat.picture), "/h", &look());
    assert!(text.contains(wanted), "{text}");
    assert!(text.contains("\n5 more rows: --format json"), "{text}");
    let json = once::document(&[seat.picture], "/h");
    let alerts = &json["top"]["alerts"];
    assert_eq!(
        alerts["counts"],
        json!({"firing": 1026, "pending": 0, "no_data": 0, "resolved": 2})
    );
    assert_eq!(
        (&alerts["more"], &alerts["unwatched"]),
        (&1003.into(), &3334.into())
    );
}

#[test]
fn that_nothing_is_known_of_alerts_is_told_where_nothing_else_is() {
    let page = |note: Option<&str>| {
        let mut log = Log::new();
        log.state.settle();
        log.board = Arc::new(Board {
            note: note.map(str::to_owned),
            ..Board::default()
        });
        let tabs = [Tab::Tools, Tab::Alerts];
        let pictures = tabs.map(|tab| Seat::new(&log, tab, SMALL).picture);
        once::page(&pictures, "/h", &look())
    };
    let nothing = "\nNothing of the kind in this log so far.\n";
    assert!(page(None).ends_with(nothing), "{}", page(None));
    let told = page(Some("the server says nothing: who knows"));
    let said = format!("{nothing}\nAlerts: ! the server says nothing: who knows\n");
    assert!(told.ends_with(&said), "{told}");
}

#[test]
fn alerts_of_any_name_command_nothing() {
    let mut log = Log::busy();
    let long = "x".repeat(10_000);
    let names = [
        "\u{1b}[2J\u{7}",
        "\u{202e}exe",
        &long,
        "🚀👩\u{200d}🚀",
        "日本語",
    ];
    let rows: Vec<_> = names
        .iter()
        .map(|name| (*name, "*", "tool", *name, *name, "firing", 5))
        .collect();
    log.board = Arc::new(told(&alerts_of_a_server(&rows)));
    for enter in [false, true] {
        let mut seat = Seat::new(&log, Tab::Alerts, SMALL);
        for _ in 0..2 * names.len() {
            if enter {
                seat.press(KeyCode::Enter);
            }
            for cell in &seat.buffer(PLAIN).content {
                let symbol = cell.symbol();
                assert!(!symbol.chars().any(char::is_control), "{symbol:?}");
                assert!(!symbol.contains('\u{202e}'), "{symbol:?}");
            }
            seat.press(KeyCode::Esc);
            seat.press(KeyCode::Down);
        }
    }
}

#[test]
fn what_nobody_told_is_not_zero() {
    let mut log = Log::new();
    let event = Event::new(NOW, "tool_call")
        .with(Column::Name, "mute")
        .with(Column::DurationMs, 5.0);
    log.add(Family::Tool, 1, event);
    let event = Event::new(NOW, "tool_call").with(Column::Name, "timeless");
    log.add(Family::Tool, 1, event);
    let log = settled(log);
    let seat = Seat::new(&log, Tab::Tools, SMALL);
    let screen = seat.screen();
    let line = |name: &str| {
        let line = screen.lines().find(|line| line.contains(name));
        line.map(|line| {
            line.split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    assert_eq!(
        line(" mute ").as_deref(),
        Some("mute 1 <0.01 – 5.0 ms 5.0 ms 1 s"),
        "{screen}"
    );
    assert_eq!(
        line(" timeless ").as_deref(),
        Some("1 <0.01 – – – 1 s"),
        "{screen}"
    );
    assert!(screen.contains("tokens/min –   cost/h –"), "{screen}");
    assert!(screen.contains("1 event without a duration"), "{screen}");
    let json = once::document(std::slice::from_ref(&seat.picture), "/h");
    let tools = &json["top"]["tools"];
    assert_eq!(tools[0]["name"], "mute");
    assert!(
        tools[0]["failed"].is_null() && tools[1]["p95"].is_null(),
        "{tools}"
    );
    assert_eq!(tools[1]["events_read"], 1);
    assert!(json["top"]["overview"]["cost_per_hour"].is_null());
}
