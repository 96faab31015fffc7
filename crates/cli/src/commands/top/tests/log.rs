//! Logs of one's own making.

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::{Column, Event, UnixNanos};
use tachograph_serve::config::Names;
use tachograph_serve::live::{Family, Overview, Reading, State};

use super::super::board::Board;
use super::super::picture::{Key, Source};
use super::NOW;
use super::alerts::{alerts_of_a_server, told};

/// A log of one's own making, at an instant that stands still.
pub(super) struct Log {
    pub(super) state: State,
    keys: Vec<(Family, String, String)>,
    pub(super) board: Arc<Board>,
    pub(super) names: Arc<Names>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            state: State::new(1024),
            keys: Vec::new(),
            board: Arc::default(),
            names: Arc::default(),
        }
    }

    pub(super) fn add(&mut self, family: Family, seconds_ago: i64, event: Event) {
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
    pub(super) fn of_agents() -> Self {
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

    pub(super) fn tool(&mut self, ago: i64, name: &str, ms: f64, error: Option<&str>) {
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
    pub(super) fn busy() -> Self {
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
    pub(super) fn watched() -> Self {
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

    pub(super) fn hostile() -> Self {
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

    fn names(&self) -> Arc<Names> {
        self.names.clone()
    }
}
