//! Token counts in one convention: input with what was cached, output with
//! reasoning.

use super::facts::{Fact, Facts};
use super::source::Agent;

/// Tokens of one model call; `None` is unknown, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Sent, cached ones included.
    pub input: Option<i64>,
    /// Received, reasoning included.
    pub output: Option<i64>,
    /// Of the input, read from the provider's cache.
    pub cache_read: Option<i64>,
    /// Of the input, written to the provider's cache.
    pub cache_write: Option<i64>,
    /// Of the output, reasoning.
    pub reasoning: Option<i64>,
}

impl Tokens {
    /// Reads them, and brings them to the one convention. `embeds`: there is no
    /// output.
    pub fn of(facts: &Facts<'_, '_>, agent: Agent, embeds: bool) -> Self {
        let parts = [Fact::CacheWrite5m, Fact::CacheWrite1h].map(|fact| facts.count(fact));
        let cache_write = facts
            .count(Fact::CacheWrite)
            .or_else(|| parts.into_iter().flatten().reduce(i64::saturating_add));
        let mut tokens = Self {
            input: facts.count(Fact::Input),
            output: facts.count(Fact::Output),
            cache_read: facts.count(Fact::CacheRead),
            cache_write,
            reasoning: facts.count(Fact::Reasoning),
        };
        let cached = add(tokens.cache_read, tokens.cache_write);
        // Older instrumentations of Anthropic's API count without the cache as
        // well: more was read from it than was sent.
        let beyond = tokens.cache_read > tokens.input && tokens.input.is_some();
        if agent == Agent::ClaudeCode || beyond {
            tokens.input = tokens.input.map(|input| input.saturating_add(cached));
        }
        if agent == Agent::Gemini {
            let beside = add(tokens.reasoning, facts.count(Fact::ToolTokens));
            tokens.output = tokens.output.map(|output| output.saturating_add(beside));
        }
        tokens.fill(facts.count(Fact::Total), embeds);
        tokens
    }

    /// The part that is missing is what the total has beside the other. A total
    /// by itself is of embeddings all input, and of anything else unknown parts.
    fn fill(&mut self, total: Option<i64>, embeds: bool) {
        let Some(total) = total else { return };
        let rest = |part: i64| (part <= total).then(|| total - part);
        match (self.input, self.output) {
            (Some(input), None) if !embeds => self.output = rest(input),
            (None, Some(output)) => self.input = rest(output),
            (None, None) if embeds => self.input = Some(total),
            _ => {}
        }
    }

    /// How much is known: of two records of one call, the better one is kept.
    pub fn detail(&self) -> u8 {
        [
            self.input,
            self.output,
            self.cache_read,
            self.cache_write,
            self.reasoning,
        ]
        .iter()
        .map(|count| u8::from(count.is_some()))
        .sum()
    }
}

fn add(a: Option<i64>, b: Option<i64>) -> i64 {
    a.unwrap_or(0).saturating_add(b.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view::Any;

    /// Attributes → input, output, cache read, cache write, reasoning.
    fn check(agent: Agent, attrs: &[(&str, i64)], expected: [Option<i64>; 5]) {
        let attrs: Vec<(&str, Any<'_>)> = attrs
            .iter()
            .map(|(key, count)| (*key, Any::Int(*count)))
            .collect();
        let tokens = Tokens::of(&Facts::of(&attrs), agent, false);
        let found = [
            tokens.input,
            tokens.output,
            tokens.cache_read,
            tokens.cache_write,
            tokens.reasoning,
        ];
        assert_eq!(found, expected, "{agent:?} {attrs:?}");
    }

    #[test]
    fn every_convention_becomes_one() {
        check(
            Agent::Other,
            &[
                ("gen_ai.usage.input_tokens", 1234),
                ("gen_ai.usage.output_tokens", 78),
                ("gen_ai.usage.cache_read.input_tokens", 1000),
                ("gen_ai.usage.cache_creation.input_tokens", 56),
                ("gen_ai.usage.reasoning.output_tokens", 20),
            ],
            [Some(1234), Some(78), Some(1000), Some(56), Some(20)],
        );
        check(
            Agent::ClaudeCode,
            &[
                ("input_tokens", 178),
                ("output_tokens", 78),
                ("cache_read_tokens", 1000),
                ("cache_creation_tokens", 56),
            ],
            [Some(1234), Some(78), Some(1000), Some(56), None],
        );
        check(
            Agent::ClaudeCode,
            &[
                ("input_tokens", 178),
                ("cache_creation_5m_tokens", 50),
                ("cache_creation_1h_tokens", 6),
            ],
            [Some(234), None, None, Some(56), None],
        );
        check(
            Agent::Gemini,
            &[
                ("input_token_count", 1234),
                ("output_token_count", 58),
                ("thoughts_token_count", 20),
                ("cached_content_token_count", 1000),
                ("total_token_count", 1312),
            ],
            [Some(1234), Some(78), Some(1000), None, Some(20)],
        );
        // Qwen's output includes the thoughts, Gemini's does not.
        check(
            Agent::Qwen,
            &[("output_token_count", 78), ("thoughts_token_count", 20)],
            [None, Some(78), None, None, Some(20)],
        );
        // An older instrumentation of Anthropic's API: more read than sent.
        check(
            Agent::Other,
            &[
                ("gen_ai.usage.input_tokens", 178),
                ("gen_ai.usage.cache_read_input_tokens", 1000),
            ],
            [Some(1178), None, Some(1000), None, None],
        );
    }

    #[test]
    fn what_is_no_count_is_unknown() {
        for wrong in [
            Any::Int(-1),
            Any::Double(1.5),
            Any::Double(f64::NAN),
            Any::Str("many".into()),
            Any::Bool(true),
            Any::Nested,
        ] {
            let attrs = [("input_tokens", wrong)];
            let tokens = Tokens::of(&Facts::of(&attrs), Agent::Other, false);
            assert_eq!(tokens, Tokens::default(), "{attrs:?}");
        }
        let attrs = [("input_tokens", Any::Str("12".into()))];
        let tokens = Tokens::of(&Facts::of(&attrs), Agent::Codex, false);
        assert_eq!(tokens.input, Some(12), "Codex writes counts as text");
    }

    #[test]
    fn sums_beyond_what_fits_stay_at_the_most() {
        check(
            Agent::ClaudeCode,
            &[("input_tokens", i64::MAX), ("cache_read_tokens", i64::MAX)],
            [Some(i64::MAX), None, Some(i64::MAX), None, None],
        );
    }
}
