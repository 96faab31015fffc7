//! The made-up fortnight, event by event, and what follows it while it is looked at.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use tachograph_model::time::{NANOS_PER_DAY, NANOS_PER_SECOND};
use tachograph_model::{Column, Event, Salt, UnixNanos, Value};

use super::rng::Rng;
use super::story::{BROKEN_TOOL, DEAR_MODEL, SLOWING_TOOL, Story, is_weekend};

/// Tool, median in ms, share of failures, class of the failure.
const TOOLS: &[(&str, f64, f64, &str)] = &[
    ("read_file", 4.0, 0.004, "FileNotFoundError"),
    ("grep", 16.0, 0.002, "TimeoutError"),
    (SLOWING_TOOL, 45.0, 0.01, "OperationalError"),
    ("shell", 620.0, 0.06, "exit_1"),
    (BROKEN_TOOL, 540.0, 0.02, "TimeoutError"),
    ("write_file", 7.0, 0.003, "PermissionError"),
    ("run_tests", 7_800.0, 0.18, "exit_1"),
];
/// Provider, model, US dollars per million tokens in and out (made up).
const MODELS: &[(&str, &str, f64, f64)] = &[
    ("anthropic", "claude-sonnet", 3.0, 15.0),
    ("openai", "gpt-mini", 0.4, 1.6),
    ("anthropic", DEAR_MODEL, 15.0, 75.0),
];
pub const AGENTS: &[&str] = &[
    "01-core-backend-developer",
    "02-language-python-pro",
    "04-quality-code-reviewer",
    "02-language-rust-engineer",
    "05-data-postgres-pro",
    "04-quality-debugger",
    "01-core-api-designer",
    "03-infrastructure-devops-engineer",
    "06-developer-refactoring-specialist",
    "04-quality-test-automator",
    "05-data-data-engineer",
    "06-developer-documentation-engineer",
    "07-specialized-api-documenter",
    "08-business-technical-writer",
    "09-meta-context-manager",
    "10-research-search-specialist",
];
const AGENT_TYPES: &[&str] = &["simple", "crewai", "selector"];
const ENTITIES: &[&str] = &["customers", "bills", "payments", "accounts", "orders"];
const SESSIONS_A_WORKDAY: i64 = 62;
const SESSIONS_A_WEEKEND_DAY: i64 = 7;
const METRICS_EVERY: Duration = Duration::from_secs(600);
/// Memory of the invented machine.
const MEMORY_MIB: f64 = 32_768.0;
/// A page that is looked at shows what a host measures as often as a server tells it.
const METRICS_EVERY_LIVE: Duration = Duration::from_secs(5);
/// So long before the end of the fortnight begins what goes on after it, so that
/// live windows are full at once.
const BEFORE: Duration = Duration::from_secs(300);
/// Between the starts of two sessions that go on, ms: often enough for something to
/// move, and not so often that the fortnight's charts end in a wall.
const NEXT_SESSION_MS: (f64, f64) = (60_000.0, 150_000.0);

/// Makes all events, ordered by time.
pub fn events(story: &Story, seed: u64, salt: &Salt) -> Vec<Event> {
    let mut life = Life::new(*story, Rng::new(seed), salt);
    life.events.reserve(100_000);
    life.label(seed);
    for day in story.window.from.day()..=story.window.to.day() {
        life.day(day, salt);
    }
    life.metrics();
    let mut events = life.events;
    events.retain(|event| story.window.contains(event.time));
    events.sort_by_key(|event| event.time);
    events
}

/// The team at work after its fortnight.
pub struct Onward {
    life: Life,
    salt: Salt,
    next_session: UnixNanos,
    next_metrics: UnixNanos,
}

impl Onward {
    /// Goes on where the story ends.
    pub fn new(story: &Story, seed: u64, salt: Salt) -> Self {
        let from = UnixNanos(story.window.to.0 - BEFORE.as_nanos() as i64);
        Self {
            life: Life::new(*story, Rng::new(!seed), &salt),
            salt,
            next_session: from,
            next_metrics: from,
        }
    }

    /// Takes what has happened by an instant and was not taken before.
    pub fn until(&mut self, now: UnixNanos) -> Vec<Event> {
        // In their order, so that chance is the same however often one asks.
        while self.next_session.min(self.next_metrics) <= now {
            if self.next_metrics < self.next_session {
                self.life.measure(self.next_metrics);
                self.next_metrics = self.next_metrics.saturating_add(METRICS_EVERY_LIVE);
                continue;
            }
            self.life.session(self.next_session, &self.salt);
            let (from, to) = NEXT_SESSION_MS;
            self.next_session = later(self.next_session, self.life.rng.between(from, to));
        }
        let events = &mut self.life.events;
        events.sort_by_key(|event| event.time);
        let happened = events.partition_point(|event| event.time <= now);
        events.drain(..happened).collect()
    }
}

struct Life {
    rng: Rng,
    story: Story,
    agents: Vec<String>,
    events: Vec<Event>,
}

impl Life {
    fn new(story: Story, rng: Rng, salt: &Salt) -> Self {
        Self {
            rng,
            story,
            agents: AGENTS.iter().map(|agent| salt.hash(agent)).collect(),
            events: Vec::new(),
        }
    }

    fn put(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Says in the data itself that it is made up.
    fn label(&mut self, seed: u64) {
        let tags = Map::from_iter([
            ("synthetic".to_owned(), Json::Bool(true)),
            ("seed".to_owned(), Json::from(seed)),
        ]);
        let event = Event::new(self.story.window.from, "metric")
            .with(Column::Source, "tacho-demo")
            .with(Column::Name, "synthetic")
            .with(Column::Type, "gauge")
            .with(Column::Value, 1.0);
        let mut event = event;
        event.set(Column::Tags, Value::from(tags));
        self.put(event);
    }

    fn day(&mut self, day: i64, salt: &Salt) {
        let sessions = match is_weekend(day) {
            true if self.story.quiet.contains(UnixNanos(day * NANOS_PER_DAY)) => 1,
            true => SESSIONS_A_WEEKEND_DAY,
            false => SESSIONS_A_WORKDAY + self.rng.whole(-6, 6),
        };
        for _ in 0..sessions {
            // Two humps: the morning and the afternoon.
            let hump = if self.rng.chance(0.55) { 9.5 } else { 14.5 };
            let hour = hump + self.rng.between(-2.0, 2.0) + self.rng.between(-1.0, 1.0);
            let start = day * NANOS_PER_DAY + (hour * 3_600.0 * NANOS_PER_SECOND as f64) as i64;
            self.session(UnixNanos(start / 1_000 * 1_000), salt);
        }
    }

    fn session(&mut self, start: UnixNanos, salt: &Salt) {
        let session = salt.hash(&self.rng.id());
        let kind = if self.rng.chance(0.8) {
            "interactive"
        } else {
            "batch"
        };
        let start_event = Event::new(start, "session_start")
            .with(Column::Name, kind)
            .with(Column::Tokens, self.rng.whole(1_500, 4_000))
            .with(Column::SessionId, session.as_str());
        self.put(start_event);
        let mut clock = start;
        let mut loaded = Vec::new();
        self.discoveries(&mut clock, &mut loaded);
        for _ in 0..self.rng.whole(4, 11) {
            self.query(&mut clock, &session);
            clock = later(clock, self.rng.between(4_000.0, 90_000.0));
        }
        let tokens: i64 = loaded.iter().sum();
        let end = Event::new(clock, "session_end")
            .with(Column::DurationMs, (clock.0 - start.0) as f64 / 1e6)
            .with(Column::Tokens, tokens)
            .with(Column::Count, loaded.len() as i64)
            .with(Column::Name, kind)
            .with(Column::SessionId, session.as_str());
        self.put(end);
    }

    fn discoveries(&mut self, clock: &mut UnixNanos, loaded: &mut Vec<i64>) {
        let list = self.rng.latency(0.4);
        self.discovery(clock, "list_agents", list, false, 119);
        let found = self.rng.whole(2, 14);
        let search = self.rng.latency(1.1);
        self.discovery(clock, "search", search, false, found);
        let mut known: Vec<String> = Vec::new();
        for _ in 0..self.rng.whole(8, 16) {
            let agent = self.rng.favorite(&self.agents).clone();
            let hit = known.contains(&agent) || self.rng.chance(0.6);
            if hit {
                let ms = self.rng.latency(0.003);
                self.discovery(clock, "get_agent", ms, true, 1);
                continue;
            }
            let ms = self.rng.latency(0.9);
            self.discovery(clock, "get_agent", ms, false, 1);
            let bytes = self.rng.whole(4_200, 9_800);
            loaded.push(bytes / 4);
            let load = Event::new(*clock, "agent_load")
                .with(Column::Agent, agent.as_str())
                .with(Column::DurationMs, ms)
                .with(Column::SizeBytes, bytes)
                .with(Column::Tokens, bytes / 4);
            self.put(load);
            known.push(agent);
        }
    }

    fn discovery(
        &mut self,
        clock: &mut UnixNanos,
        operation: &str,
        ms: f64,
        hit: bool,
        count: i64,
    ) {
        *clock = later(*clock, ms + self.rng.between(1.0, 400.0));
        let event = Event::new(*clock, "agent_discovery")
            .with(Column::Name, operation)
            .with(Column::DurationMs, ms)
            .with(Column::Hit, hit)
            .with(Column::Count, count);
        self.put(event);
    }

    fn query(&mut self, clock: &mut UnixNanos, session: &str) {
        let asked = *clock;
        let id = self.rng.id();
        let complexity = (self.rng.unit() * self.rng.between(0.4, 1.0) * 100.0).round() / 100.0;
        let agent_type = match complexity {
            c if c > 0.5 => AGENT_TYPES[1],
            _ if self.rng.chance(0.12) => AGENT_TYPES[2],
            _ => AGENT_TYPES[0],
        };
        let reason = if complexity > 0.5 {
            "complex_pattern"
        } else {
            "single_entity"
        };
        let selection = Event::new(asked, "agent_selection")
            .with(Column::Id, id.as_str())
            .with(Column::Agent, agent_type)
            .with(Column::Value, complexity)
            .with(Column::Name, reason);
        self.put(selection);
        let agent = self.rng.favorite(&self.agents).clone();
        let (calls, graphql) = (self.rng.whole(2, 8), self.rng.whole(0, 2));
        let mut failures = 0;
        for _ in 0..calls {
            self.cache_lookup(clock);
            failures += u32::from(!self.tool_call(clock, session, &agent, &id));
        }
        for _ in 0..1 + calls / 3 {
            self.model_call(clock, session, &agent, &id);
        }
        let success = failures < 2 && !self.rng.chance(0.015);
        let mut query = Event::new(*clock, "query")
            .with(Column::Id, id.as_str())
            .with(Column::Agent, agent_type)
            .with(Column::DurationMs, (clock.0 - asked.0) as f64 / 1e6)
            .with(Column::Success, success)
            .with(Column::Status, "completed")
            .with(Column::SizeBytes, self.rng.whole(120, 9_000))
            .with(Column::ToolCalls, calls)
            .with(Column::GraphqlQueries, graphql)
            .with(Column::Value, complexity);
        if !success {
            query.set(
                Column::ErrorType,
                Value::from(if failures > 1 {
                    "ToolError"
                } else {
                    "ModelRefusal"
                }),
            );
        }
        let entities = (0..self.rng.whole(0, 2)).map(|_| (*self.rng.favorite(ENTITIES)).to_owned());
        let mut entities: Vec<String> = entities.collect();
        entities.dedup();
        query.set(Column::Entities, Value::List(entities));
        self.put(query);
    }

    fn cache_lookup(&mut self, clock: &mut UnixNanos) {
        let (cache, rate) = match self.rng.chance(0.6) {
            true => ("file_cache", 0.86),
            false => ("semantic_cache", 0.58),
        };
        let hit = self.rng.chance(rate);
        let ms = self.rng.latency(if hit { 0.05 } else { 1.8 });
        *clock = later(*clock, ms);
        let event = Event::new(*clock, "cache")
            .with(Column::Name, cache)
            .with(Column::Status, if hit { "hit" } else { "miss" })
            .with(Column::Hit, hit)
            .with(Column::DurationMs, ms);
        self.put(event);
        if !hit && self.rng.chance(0.18) {
            let status = if self.rng.chance(0.9) {
                "eviction"
            } else {
                "size_rejection"
            };
            let size = self.rng.whole(2_000, 900_000);
            let event = Event::new(*clock, "cache")
                .with(Column::Name, cache)
                .with(Column::Status, status)
                .with(Column::SizeBytes, size);
            self.put(event);
        }
    }

    fn tool_call(
        &mut self,
        clock: &mut UnixNanos,
        session: &str,
        agent: &str,
        query: &str,
    ) -> bool {
        let &(tool, median, failing, class) = self.rng.favorite(TOOLS);
        let broken = tool == BROKEN_TOOL && self.story.incident.contains(*clock);
        let slower = if tool == SLOWING_TOOL {
            self.story.slowness(*clock)
        } else {
            1.0
        };
        let success = !self.rng.chance(if broken { 0.72 } else { failing });
        let ms = match broken && !success {
            true => 30_000.0 + self.rng.between(0.0, 40.0),
            false => self.rng.latency(median * slower),
        };
        *clock = later(*clock, ms);
        let mut event = Event::new(*clock, "tool_call")
            .with(Column::Name, tool)
            .with(Column::DurationMs, ms)
            .with(Column::Success, success)
            .with(Column::Agent, agent)
            .with(Column::SessionId, session)
            .with(Column::ParentId, query);
        if !success {
            event.set(
                Column::ErrorType,
                Value::from(if broken { "TimeoutError" } else { class }),
            );
        }
        self.put(event);
        success
    }

    fn model_call(&mut self, clock: &mut UnixNanos, session: &str, agent: &str, query: &str) {
        let dear = self.story.dear_day.contains(*clock) && self.rng.chance(0.85);
        let at = match dear {
            true => 2,
            false if self.rng.chance(0.02) => 2,
            false => usize::from(self.rng.chance(0.35)),
        };
        let (provider, model, dollars_in, dollars_out) = MODELS[at];
        let input = self.rng.whole(1_200, 14_000) * if dear { 3 } else { 1 };
        let cached = (input as f64 * self.rng.between(0.2, 0.8)) as i64;
        let output = self.rng.whole(80, 1_400);
        let cost = (input - cached) as f64 * dollars_in
            + cached as f64 * dollars_in * 0.1
            + output as f64 * dollars_out;
        let ms = self.rng.latency(700.0 + output as f64 * 2.5);
        *clock = later(*clock, ms);
        let success = !self.rng.chance(0.008);
        let mut event = Event::new(*clock, "llm_call")
            .with(Column::Source, provider)
            .with(Column::Name, model)
            .with(Column::DurationMs, ms)
            .with(Column::Success, success)
            .with(Column::InputTokens, input)
            .with(Column::OutputTokens, output)
            .with(Column::CacheReadTokens, cached)
            .with(Column::CostUsd, (cost / 1e6 * 1e8).round() / 1e8)
            .with(Column::Agent, agent)
            .with(Column::SessionId, session)
            .with(Column::ParentId, query);
        if !success {
            event.set(Column::ErrorType, Value::from("RateLimitError"));
        }
        self.put(event);
    }

    /// What a host measures by the clock.
    fn metrics(&mut self) {
        let mut at = self.story.window.from;
        while at < self.story.window.to {
            at = at.saturating_add(METRICS_EVERY);
            self.measure(at);
        }
    }

    fn measure(&mut self, at: UnixNanos) {
        let working = !is_weekend(at.day()) && (7..=17).contains(&at.hour_of_day());
        let load = if working { 1.0 } else { 0.25 };
        let memory = 38.0 + 14.0 * load + 3.0 * self.rng.unit();
        let sessions = (9.0 * load * self.rng.unit()).round();
        let mut up_to = |most: f64| most * load * self.rng.unit();
        // Reads and downloads come in bursts: mostly little, now and then much.
        let mut burst = |most: f64| up_to(1.0).powi(4) * most + 0.02;
        let figures = [
            ("system", "disk_read_mb_per_sec", "MiB/s", burst(90.0)),
            ("system", "disk_write_mb_per_sec", "MiB/s", burst(40.0)),
            (
                "system",
                "network_received_mb_per_sec",
                "MiB/s",
                burst(12.0),
            ),
            ("system", "network_sent_mb_per_sec", "MiB/s", burst(3.0)),
            ("system", "cpu_usage_percent", "%", 8.0 + up_to(40.0)),
            ("system", "memory_usage_percent", "%", memory),
            (
                "system",
                "memory_available_mb",
                "MiB",
                (100.0 - memory) * MEMORY_MIB / 100.0,
            ),
            ("system", "active_sessions", "1", sessions),
            (
                "process",
                "claude_cpu_percent",
                "%",
                3.0 * sessions + up_to(30.0),
            ),
            (
                "process",
                "claude_memory_mb",
                "MiB",
                180.0 + 240.0 * sessions,
            ),
            ("process", "claude_count", "1", sessions),
        ];
        for (source, name, unit, value) in figures {
            let event = Event::new(at, "metric")
                .with(Column::Source, source)
                .with(Column::Name, name)
                .with(Column::Type, "gauge")
                .with(Column::Value, (value * 100.0).round() / 100.0)
                .with(Column::Unit, unit);
            self.put(event);
        }
    }
}

fn later(at: UnixNanos, ms: f64) -> UnixNanos {
    UnixNanos(at.0 + (ms * 1e3) as i64 * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds after the end of the fortnight at which one looks: what is told each
    /// time happened since the last look, in order, and nothing is told of the future.
    #[test]
    fn what_goes_on_is_told_once_and_when_it_has_happened() {
        let end = UnixNanos(1_763_640_000 * NANOS_PER_SECOND);
        let at = |seconds: i64| UnixNanos(end.0 + seconds * NANOS_PER_SECOND);
        let story = Story::ending_at(end);
        let onward = || Onward::new(&story, 1, Salt::new([1; 32]));
        let mut looked = onward();
        let mut last = UnixNanos(at(0).0 - BEFORE.as_nanos() as i64 - 1);
        let mut told = Vec::new();
        for seconds in [0, 1, 2, 60, 61, 600] {
            let events = looked.until(at(seconds));
            assert!(events.is_sorted_by_key(|event| event.time));
            for event in &events {
                assert!(
                    last < event.time && event.time <= at(seconds),
                    "{seconds}: {event:?}"
                );
            }
            told.extend(events);
            last = at(seconds);
        }
        let at_once = onward().until(at(600));
        assert_eq!(told.len(), at_once.len(), "however often one looks");
        for kind in [
            "tool_call",
            "llm_call",
            "cache",
            "query",
            "session_start",
            "metric",
        ] {
            let of_kind = at_once.iter().filter(|event| event.event_type == kind);
            assert!(of_kind.count() > 2, "{kind}");
        }
    }
}
