//! Spans that are left out, and those whose kind only their name tells.

use super::facts::{Fact, Facts};
use super::kind::{Class, Decision};
use super::source::Agent;
use crate::wire::view::{Scope, Span};

/// Whether a span is noise: the inner life of an agent's own machinery (one
/// Codex turn makes about 400 of them, opencode 860 for a prompt).
pub fn span(span: &Span<'_>, scope: &Scope<'_>, agent: Agent) -> bool {
    match agent {
        // Its logs tell of its calls; of its spans only the turn is kept.
        Agent::Codex => span.name != "session_task.turn",
        Agent::ClaudeCode => !span.name.starts_with("claude_code."),
        _ => scope.name == "codex_otel.trace_safe",
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
        (Agent::Codex, "session_task.turn") => Some((Class::Structure, "turn")),
        // Their logs tell of their calls: primary, so spans are structure.
        (Agent::Gemini | Agent::Qwen, _) if facts.has(Fact::Operation) => {
            Some((Class::Structure, "step"))
        }
        _ => None,
    }
}
