//! Spans that are left out, and those whose kind only their name tells.

use super::facts::{Fact, Facts};
use super::kind::{Class, Decision};
use super::source::{Agent, Origin};
use crate::wire::view::Span;

/// Whether a span is noise: the inner life of an agent's own machinery (one
/// Codex turn makes about 400 of them, opencode 860 for a prompt).
pub fn span(span: &Span<'_>, origin: &Origin<'_>) -> bool {
    match origin.agent {
        // A turn, and what knows the tokens of a response.
        Agent::Codex => match &*span.name {
            "session_task.turn" => false,
            "handle_responses" => !span
                .attrs
                .iter()
                .any(|(key, _)| key == "gen_ai.usage.input_tokens"),
            _ => true,
        },
        Agent::ClaudeCode => !span.name.starts_with("claude_code."),
        _ => origin.scope == "codex_otel.trace_safe",
    }
}

/// Decides for agents whose spans bear no attribute that does.
pub fn decide<'v>(span: &Span<'_>, agent: Agent, facts: &Facts<'v, '_>) -> Option<Decision<'v>> {
    match (agent, &*span.name) {
        (Agent::ClaudeCode, "claude_code.llm_request") => Some((Class::Llm, "chat")),
        // It bears the id by which its log is known; the execution within does not.
        (Agent::ClaudeCode, "claude_code.tool") => Some((Class::Tool, "execute_tool")),
        (Agent::ClaudeCode, "claude_code.interaction") => Some((Class::Structure, "interaction")),
        (Agent::ClaudeCode, _) => Some((Class::Structure, "step")),
        // The turn's tokens are the sum of its responses'.
        (Agent::Codex, "session_task.turn") => Some((Class::Structure, "turn")),
        (Agent::Codex, _) => Some((Class::Llm, "chat")),
        // Their logs tell of their calls, and cannot be switched off where their
        // spans are on.
        (Agent::Gemini | Agent::Qwen, _) if facts.has(Fact::Operation) => {
            Some((Class::Structure, "step"))
        }
        _ => None,
    }
}
