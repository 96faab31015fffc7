//! Sessions of agents at work, one after the other as they begin: turns of a
//! model with the tools it calls, look-ups in caches, queries, and a metric of
//! the host. What every view of the page has something to show of.

use std::fmt::Write as _;

use super::{Random, parts};

/// How long a session takes at the very most.
pub(super) const LONGEST_US: i64 = 20 * 60 * 1_000_000;

const AGENTS: u64 = 60;
const TOOLS: u64 = 40;
const CACHES: [&str; 4] = ["prompt", "embedding", "file", "http"];
const MODELS: [(&str, &str); 6] = [
    ("anthropic", "claude-opus-4-1"),
    ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-5"),
    ("openai", "gpt-5-mini"),
    ("google", "gemini-2.5-pro"),
    ("mistral", "mistral-large"),
];

/// The lines of a session that begins then, about 40 of them.
pub(super) fn session(random: &mut Random, at_us: i64) -> Vec<String> {
    let mut told = Told {
        session: format!("{:016x}", random.next()),
        trace: format!(
            "{:032x}",
            u128::from(random.next()) << 64 | u128::from(random.next())
        ),
        agent: format!("agent-{}", random.below(AGENTS)),
        at_us,
        lines: Vec::with_capacity(48),
    };
    let (session, tokens) = (told.session.clone(), 800 + random.below(4_200));
    told.line(
        "session_start",
        &format!(r#""session_type":"coding","initial_tokens":{tokens},"session_id":"{session}""#),
    );
    for _ in 0..5 + random.below(4) {
        told.turn(random);
    }
    told.asides(random);
    let seconds = (told.at_us - at_us) as f64 / 1e6;
    told.line(
        "session_end",
        &format!(
            r#""session_duration_seconds":{seconds:?},"total_tokens_loaded":{tokens},"agents_loaded":3,"session_type":"coding","session_id":"{session}""#
        ),
    );
    told.lines
}

struct Told {
    session: String,
    trace: String,
    agent: String,
    at_us: i64,
    lines: Vec<String>,
}

impl Told {
    /// A model's call, the tools that it calls, and the span around them.
    fn turn(&mut self, random: &mut Random) {
        let began = self.at_us;
        let turn = format!("{:016x}", random.next());
        let (provider, model) = MODELS[random.skewed(MODELS.len() as u64) as usize];
        let took = self.pass(random.log_normal(7.6, 0.6).min(60_000.0));
        let (input, output) = (900 + random.below(30_000), 20 + random.below(1_500));
        let cost = (input as f64 * 3e-6 + output as f64 * 15e-6) * 1e6;
        let fields = format!(
            r#""provider":"{provider}","model":"{model}","duration_ms":{took:?},{},"input_tokens":{input},"output_tokens":{output},"cache_read_tokens":{},"cost_usd":{:?}"#,
            outcome(random, 0.01, "RateLimit"),
            input / 2,
            cost.round() / 1e6,
        );
        self.within(random, "llm_call", &turn, &fields);
        for _ in 0..2 + random.below(2) {
            let tool = random.skewed(TOOLS);
            let took = self.pass(
                random
                    .log_normal(3.0 + tool as f64 / 10.0, 0.8)
                    .min(60_000.0),
            );
            let fields = format!(
                r#""tool":"tool-{tool}","duration_ms":{took:?},{}"#,
                outcome(random, 0.03, "Timeout"),
            );
            self.within(random, "tool_call", &turn, &fields);
        }
        let cache = CACHES[random.below(4) as usize];
        let hit = random.unit() < 0.8;
        let operation = if hit { "hit" } else { "miss" };
        self.line(
            "cache",
            &format!(
                r#""cache":"{cache}","operation":"{operation}","hit":{hit},"duration_ms":{:?}"#,
                random.log_normal(-3.0, 0.5)
            ),
        );
        let took = (self.at_us - began) as f64 / 1e3;
        let (trace, session, agent) = (&self.trace, &self.session, &self.agent);
        let fields = format!(
            r#""name":"turn","span_id":"{turn}","trace_id":"{trace}","duration_ms":{took:?},"success":true,"agent":"{agent}","session_id":"{session}""#
        );
        self.line("span", &fields);
    }

    /// What belongs to no session.
    fn asides(&mut self, random: &mut Random) {
        let hit = random.unit() < 0.87;
        let took = random.log_normal(if hit { -3.6 } else { 0.1 }, 0.5);
        self.line(
            "agent_discovery",
            &format!(r#""operation":"get_agent","duration_ms":{took:?},"cache_hit":{hit},"agent_count":1"#),
        );
        let took = self.pass(random.log_normal(6.0, 0.7).min(60_000.0));
        let fields = format!(
            r#""query_id":"{:016x}","agent_type":"{}","duration_ms":{took:?},{},"status":"completed","result_size_bytes":{},"tool_calls":{}"#,
            random.next(),
            ["billing", "search", "support"][random.below(3) as usize],
            outcome(random, 0.02, "Timeout"),
            random.below(50_000),
            random.below(9),
        );
        self.line("query", &fields);
        let busy = random.below(10_000) as f64 / 100.0;
        self.line(
            "metric",
            &format!(r#""source":"host","name":"system.cpu.utilization","type":"gauge","value":{busy:?},"unit":"percent""#),
        );
    }

    /// A call on behalf of the session's agent, within a turn.
    fn within(&mut self, random: &mut Random, event_type: &str, turn: &str, fields: &str) {
        let span = random.next();
        let (trace, session, agent) = (&self.trace, &self.session, &self.agent);
        let fields = format!(
            r#"{fields},"agent":"{agent}","session_id":"{session}","parent_id":"{turn}","trace_id":"{trace}","span_id":"{span:016x}""#
        );
        self.line(event_type, &fields);
    }

    /// Lets so many milliseconds pass.
    fn pass(&mut self, took_ms: f64) -> f64 {
        self.at_us += (took_ms * 1e3) as i64 + 1_000;
        took_ms
    }

    fn line(&mut self, event_type: &str, fields: &str) {
        let (date, time, micros) = parts(self.at_us);
        let mut line = String::with_capacity(fields.len() + 80);
        // Writing to a text does not fail.
        let _ = writeln!(
            line,
            r#"{{"timestamp":"{}-{:02}-{:02}T{:02}:{:02}:{:02}.{micros:06}+00:00","event_type":"{event_type}",{fields}}}"#,
            date.0, date.1, date.2, time.0, time.1, time.2
        );
        self.lines.push(line);
    }
}

/// Whether it succeeded; of a part of them, that it failed.
fn outcome(random: &mut Random, part: f64, error: &str) -> String {
    match random.unit() < part {
        true => format!(r#""success":false,"error_type":"{error}""#),
        false => r#""success":true"#.to_owned(),
    }
}
