//! What is known at one instant: read once a redraw, then only looked at.

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::UnixNanos;
use tachograph_serve::config::Names;
use tachograph_serve::live::{Counts, Family, Live, Overview, Pace, Reading, Stats};

use super::agents;
use super::board::{Board, Boards, Line};
use super::columns;
use super::names::{Called, shown};
use crate::args::top::{Tab, Window};

/// Every window, from short to long.
pub const WINDOWS: [Window; 4] = [
    Window::Minute,
    Window::FiveMinutes,
    Window::Quarter,
    Window::Hour,
];

impl Window {
    pub fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Minute => 60,
            Self::FiveMinutes => 300,
            Self::Quarter => 900,
            Self::Hour => 3600,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "1 min",
            Self::FiveMinutes => "5 min",
            Self::Quarter => "15 min",
            Self::Hour => "1 h",
        }
    }

    pub fn next(self) -> Self {
        let at = WINDOWS.iter().position(|it| *it == self).unwrap_or(0);
        WINDOWS[(at + 1) % WINDOWS.len()]
    }
}

/// Every table, in the order of the keys 1 to 6.
pub const TABS: [Tab; 6] = [
    Tab::Tools,
    Tab::Models,
    Tab::Agents,
    Tab::Caches,
    Tab::Metrics,
    Tab::Alerts,
];

impl Tab {
    pub fn title(self) -> &'static str {
        match self {
            Self::Tools => "Tools",
            Self::Models => "Models",
            Self::Agents => "Agents",
            Self::Caches => "Caches",
            Self::Metrics => "Metrics",
            Self::Alerts => "Alerts",
        }
    }

    /// What its rows count; none: no series.
    pub fn families(self) -> &'static [Family] {
        match self {
            Self::Tools => &[Family::Tool],
            Self::Models => &[Family::Model],
            Self::Agents => &agents::FAMILIES,
            Self::Caches => &[Family::Cache],
            Self::Metrics => &[Family::Metric],
            Self::Alerts => &[],
        }
    }
}

/// Where live figures come from.
pub trait Source {
    fn now(&self) -> UnixNanos;
    fn overview(&self) -> Overview;
    fn readings(&self, family: Family, length: Duration) -> Vec<Reading>;
    fn reading(&self, family: Family, key: &Key, length: Duration) -> Option<Reading>;
    fn bars(&self, family: Family, key: &Key, length: Duration) -> Option<(Duration, Vec<u64>)>;
    fn board(&self) -> Arc<Board>;
    /// What agents are called, by the hashes that events hold.
    fn names(&self) -> Arc<Names>;
}

/// Live state of a home, and its alerts.
pub struct Following<'a> {
    pub live: &'a Live,
    pub boards: Boards,
    pub called: Called,
}

impl Source for Following<'_> {
    fn now(&self) -> UnixNanos {
        UnixNanos::now()
    }

    fn overview(&self) -> Overview {
        self.live.overview()
    }

    fn readings(&self, family: Family, length: Duration) -> Vec<Reading> {
        self.live.readings(family, None, length)
    }

    fn reading(&self, family: Family, key: &Key, length: Duration) -> Option<Reading> {
        self.live.reading(family, &key.source, &key.name, length)
    }

    fn bars(&self, family: Family, key: &Key, length: Duration) -> Option<(Duration, Vec<u64>)> {
        self.live.bars(family, &key.source, &key.name, length)
    }

    fn board(&self) -> Arc<Board> {
        self.boards.read()
    }

    fn names(&self) -> Arc<Names> {
        self.called.names()
    }
}

/// Which series of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub source: Arc<str>,
    pub name: Arc<str>,
}

impl Key {
    pub fn of(reading: &Reading) -> Self {
        Self {
            source: Arc::clone(&reading.source),
            name: Arc::clone(&reading.name),
        }
    }
}

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Of an agent its uses and the calls on its behalf together.
    pub reading: Reading,
    /// Tokens of a model's calls.
    pub tokens: Option<Stats>,
    /// Cost of a model's calls, or of an agent's, US dollars.
    pub cost: Option<Stats>,
    /// Of an agent.
    pub parts: Option<Box<Parts>>,
    pub seconds: f64,
}

/// What an agent did, one by one.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    pub uses: Option<Reading>,
    pub tools: Option<Reading>,
    pub models: Option<Reading>,
}

impl Row {
    pub fn window(&self) -> Option<&Stats> {
        self.reading.window.as_ref()
    }

    /// How often it happened, with a value or without.
    pub fn happened(&self) -> Option<&Counts> {
        self.reading.happened.as_ref()
    }

    /// Whether its events tell how they ended: without, no share has failed.
    pub fn tells_outcome(&self) -> bool {
        self.reading.totals.unknown < self.reading.totals.events
    }

    /// Failures per event of the window. Of what an agent did only that counts of
    /// which some told how it ended.
    pub fn failure_ratio(&self) -> Option<f64> {
        if let Some(parts) = &self.parts {
            let all = [&parts.uses, &parts.tools, &parts.models];
            let all = all.into_iter().flatten();
            let told = all.filter(|it| it.totals.unknown < it.totals.events);
            let counts = told.filter_map(|it| it.happened);
            let sum = |sum: (u64, u64), it: Counts| (sum.0 + it.failed, sum.1 + it.count);
            let (failed, count) = counts.fold((0, 0), sum);
            return (count > 0).then(|| failed as f64 / count as f64);
        }
        let counts = self.happened().filter(|_| self.tells_outcome())?;
        Some(counts.failed as f64 / counts.count as f64)
    }
}

/// All about one series.
#[derive(Clone, Debug)]
pub struct Detail {
    /// Of each of [`WINDOWS`].
    pub windows: Vec<Row>,
}

/// What is known at one instant.
#[derive(Clone, Debug)]
pub struct Picture {
    pub at: UnixNanos,
    pub tab: Tab,
    pub window: Window,
    pub overview: Overview,
    /// The line above all tables.
    pub head: Pace,
    pub rows: Vec<Row>,
    pub detail: Option<Detail>,
    /// Of the table of alerts; nothing is asked for the others.
    pub board: Arc<Board>,
    /// Of agents, by their hashes.
    pub names: Arc<Names>,
}

impl Picture {
    /// Reads one table, and all about one series of it where that is asked for.
    pub fn read(source: &dyn Source, tab: Tab, window: Window, detail: Option<&Key>) -> Self {
        let length = window.length();
        let tokens = source.readings(Family::ModelTokens, length);
        let cost = source.readings(Family::ModelCost, length);
        Self {
            at: source.now(),
            tab,
            window,
            overview: source.overview(),
            head: head(source, length, &tokens, &cost),
            rows: rows(source, tab, length, &tokens, &cost),
            detail: detail.and_then(|key| about(source, tab, key)),
            board: match tab {
                Tab::Alerts => source.board(),
                _ => Arc::default(),
            },
            names: match tab {
                Tab::Agents | Tab::Alerts => source.names(),
                _ => Arc::default(),
            },
        }
    }

    /// Lines of the table.
    pub fn len(&self) -> usize {
        self.rows.len() + self.board.lines.len()
    }

    /// What a line is called.
    pub fn name(&self, at: usize) -> String {
        match self.rows.get(at) {
            Some(row) => columns::name(row, &self.names),
            None => {
                let line = self.board.lines.get(at);
                line.map_or(String::new(), |line| line.name(&self.names))
            }
        }
    }

    /// Whether a line is called like what is wanted, in lower case. An agent is
    /// found by its hash, too: that is what other places tell of it.
    pub fn is_like(&self, at: usize, wanted: &str) -> bool {
        let is_like = |text: &str| text.to_lowercase().contains(wanted);
        let id = || self.key(at).map(|key| key.name);
        is_like(&self.name(at))
            || id().is_some_and(|id| self.names.contains_key(&*id) && is_like(&id))
    }

    /// What the one of a key is called, without its source.
    pub fn called<'a>(&'a self, key: &'a Key) -> &'a str {
        shown(&self.names, &key.name)
    }

    /// Which one a line is of.
    pub fn key(&self, at: usize) -> Option<Key> {
        match self.rows.get(at) {
            Some(row) => Some(Key::of(&row.reading)),
            None => self.board.lines.get(at).map(Line::key),
        }
    }

    /// The alert or rule of a key.
    pub fn line(&self, key: &Key) -> Option<&Line> {
        self.board.lines.iter().find(|line| line.key() == *key)
    }

    /// Whether there is something to tell of the one that all is asked about.
    pub fn has(&self, key: &Key) -> bool {
        self.detail.is_some() || self.line(key).is_some()
    }
}

fn rows(
    source: &dyn Source,
    tab: Tab,
    length: Duration,
    tokens: &[Reading],
    cost: &[Reading],
) -> Vec<Row> {
    if tab == Tab::Agents {
        return agents::rows(source, length);
    }
    let beside = |of: &[Reading], key: &Key| {
        let mut of = of.iter().filter(|_| tab == Tab::Models);
        of.find(|it| Key::of(it) == *key).and_then(|it| it.window)
    };
    let families = tab.families().iter();
    let readings = families.flat_map(|family| source.readings(*family, length));
    let row = |reading: Reading| {
        let key = Key::of(&reading);
        Row {
            tokens: beside(tokens, &key),
            cost: beside(cost, &key),
            parts: None,
            seconds: length.as_secs_f64(),
            reading,
        }
    };
    readings.map(row).collect()
}

fn head(source: &dyn Source, length: Duration, tokens: &[Reading], cost: &[Reading]) -> Pace {
    let events = source.readings(Family::Event, length);
    Pace::of(
        events.iter().filter_map(|it| it.happened.as_ref()),
        tokens.iter().filter_map(|it| it.window.as_ref()),
        cost.iter().filter_map(|it| it.window.as_ref()),
        length,
    )
}

fn about(source: &dyn Source, tab: Tab, key: &Key) -> Option<Detail> {
    let family = *tab.families().first()?;
    let of = |window: &Window| {
        let length = window.length();
        if tab == Tab::Agents {
            return agents::row(source, key, length);
        }
        let beside = |family| source.reading(family, key, length)?.window;
        let models = tab == Tab::Models;
        Some(Row {
            reading: source.reading(family, key, length)?,
            tokens: models.then(|| beside(Family::ModelTokens)).flatten(),
            cost: models.then(|| beside(Family::ModelCost)).flatten(),
            parts: None,
            seconds: length.as_secs_f64(),
        })
    };
    let windows: Option<Vec<Row>> = WINDOWS.iter().map(of).collect();
    Some(Detail { windows: windows? })
}
