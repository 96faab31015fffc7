//! What a span is: the conventions in the order in which they decide.

use super::facts::{Fact, Facts};

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// One call of a model; the only class that counts tokens.
    Llm,
    /// One call of a tool.
    Tool,
    /// A run of an agent; its tokens are sums over its calls.
    Agent,
    /// A look-up in a store of documents or memories.
    Retrieval,
    /// Holds others together: a chain, a workflow, a task.
    Structure,
}

/// A class, and the operation as it is named in what is stored.
pub type Decision<'v> = (Class, &'v str);

/// Decides by attributes; `None` when the span is no agent's.
pub fn decide<'v>(facts: &Facts<'v, '_>) -> Option<Decision<'v>> {
    facts
        .str(Fact::Operation)
        .and_then(operation)
        .or_else(|| facts.str(Fact::OpenInferenceKind).and_then(open_inference))
        .or_else(|| facts.str(Fact::TraceloopKind).and_then(traceloop))
        .or_else(|| facts.str(Fact::McpMethod).map(mcp))
        .or_else(|| facts.str(Fact::AiOperation).and_then(vercel))
        .or_else(|| facts.str(Fact::RequestType).and_then(request_type))
        .or_else(|| of_tomorrow(facts))
}

fn operation(name: &str) -> Option<Decision<'_>> {
    Some(match name {
        "chat" | "generate_content" | "text_completion" | "embeddings" => (Class::Llm, name),
        // Gemini CLI's own.
        "llm_call" => (Class::Llm, "chat"),
        "execute_tool" | "tool_call" => (Class::Tool, "execute_tool"),
        "invoke_agent" | "agent_call" => (Class::Agent, "invoke"),
        "create_agent" => (Class::Agent, "create"),
        "plan" => (Class::Agent, "plan"),
        "invoke_workflow" => (Class::Agent, "workflow"),
        "retrieval" | "search_memory" => (Class::Retrieval, name),
        "create_memory_store"
        | "create_memory"
        | "update_memory"
        | "upsert_memory"
        | "delete_memory" => (Class::Structure, name),
        "schedule_tool_calls" | "user_prompt" | "system_prompt" => (Class::Structure, name),
        _ => return None,
    })
}

/// Whether it is the name of an operation of [`Class::Retrieval`].
pub(super) fn is_retrieval(name: &str) -> bool {
    matches!(
        name,
        "retrieval" | "search_memory" | "rerank" | "mcp resources"
    )
}

/// An operation that no convention names yet: its tokens and its tool tell what
/// it is.
fn of_tomorrow(facts: &Facts<'_, '_>) -> Option<Decision<'static>> {
    if !facts.has(Fact::Operation) {
        return None;
    }
    if facts.has(Fact::Input) || facts.has(Fact::Output) {
        return Some((Class::Llm, "other"));
    }
    facts
        .has(Fact::Tool)
        .then_some((Class::Tool, "execute_tool"))
}

fn open_inference(kind: &str) -> Option<Decision<'static>> {
    Some(match kind.to_ascii_uppercase().as_str() {
        "LLM" => (Class::Llm, "chat"),
        "EMBEDDING" => (Class::Llm, "embeddings"),
        "TOOL" => (Class::Tool, "execute_tool"),
        "AGENT" => (Class::Agent, "invoke"),
        "RETRIEVER" => (Class::Retrieval, "retrieval"),
        "RERANKER" => (Class::Retrieval, "rerank"),
        "CHAIN" => (Class::Structure, "chain"),
        "GUARDRAIL" => (Class::Structure, "guardrail"),
        "EVALUATOR" => (Class::Structure, "evaluator"),
        "PROMPT" => (Class::Structure, "prompt"),
        _ => return None,
    })
}

fn traceloop(kind: &str) -> Option<Decision<'static>> {
    Some(match kind {
        "workflow" => (Class::Structure, "workflow"),
        "task" => (Class::Structure, "task"),
        "agent" => (Class::Agent, "invoke"),
        "tool" => (Class::Tool, "execute_tool"),
        _ => return None,
    })
}

fn mcp(method: &str) -> Decision<'static> {
    match method {
        "tools/call" => (Class::Tool, "execute_tool"),
        _ if method.starts_with("resources/") => (Class::Retrieval, "mcp resources"),
        "prompts/get" => (Class::Structure, "mcp prompt"),
        _ => (Class::Structure, "mcp"),
    }
}

fn vercel(operation: &str) -> Option<Decision<'static>> {
    Some(match operation {
        // The outer spans hold sums of the inner ones.
        "ai.streamText" | "ai.generateText" | "ai.streamObject" | "ai.generateObject" => {
            (Class::Structure, "generate")
        }
        "ai.embed" | "ai.embedMany" => (Class::Structure, "embeddings"),
        "ai.toolCall" => (Class::Tool, "execute_tool"),
        inner if inner.ends_with(".doStream") || inner.ends_with(".doGenerate") => {
            (Class::Llm, "chat")
        }
        inner if inner.ends_with(".doEmbed") => (Class::Llm, "embeddings"),
        _ => return None,
    })
}

fn request_type(kind: &str) -> Option<Decision<'static>> {
    Some(match kind {
        "chat" => (Class::Llm, "chat"),
        "completion" => (Class::Llm, "text_completion"),
        "embedding" => (Class::Llm, "embeddings"),
        "rerank" => (Class::Retrieval, "rerank"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::view::Any;

    fn check(attrs: &[(&'static str, &'static str)], expected: Option<Decision<'static>>) {
        let attrs: Vec<(&str, Any<'_>)> = attrs
            .iter()
            .map(|(key, text)| (*key, Any::Str((*text).into())))
            .collect();
        assert_eq!(decide(&Facts::of(&attrs)), expected, "{attrs:?}");
    }

    #[test]
    fn the_conventions_decide_in_their_order() {
        let op = "gen_ai.operation.name";
        check(&[(op, "chat")], Some((Class::Llm, "chat")));
        check(&[(op, "embeddings")], Some((Class::Llm, "embeddings")));
        check(&[(op, "execute_tool")], Some((Class::Tool, "execute_tool")));
        check(&[(op, "invoke_agent")], Some((Class::Agent, "invoke")));
        check(
            &[(op, "search_memory")],
            Some((Class::Retrieval, "search_memory")),
        );
        check(&[(op, "of tomorrow")], None);
        check(
            &[(op, "of tomorrow"), ("gen_ai.tool.name", "search")],
            Some((Class::Tool, "execute_tool")),
        );
        let kind = "openinference.span.kind";
        check(&[(kind, "LLM")], Some((Class::Llm, "chat")));
        check(&[(kind, "tool")], Some((Class::Tool, "execute_tool")));
        check(&[(kind, "CHAIN")], Some((Class::Structure, "chain")));
        check(&[(kind, "CHAIN"), (op, "chat")], Some((Class::Llm, "chat")));
        check(
            &[("traceloop.span.kind", "workflow")],
            Some((Class::Structure, "workflow")),
        );
        check(
            &[("mcp.method.name", "tools/call")],
            Some((Class::Tool, "execute_tool")),
        );
        check(
            &[("mcp.method.name", "initialize")],
            Some((Class::Structure, "mcp")),
        );
        // The outer span holds the sum of the inner ones.
        let vercel = "ai.operationId";
        check(
            &[(vercel, "ai.streamText")],
            Some((Class::Structure, "generate")),
        );
        check(
            &[(vercel, "ai.streamText.doStream")],
            Some((Class::Llm, "chat")),
        );
        check(
            &[("llm.request.type", "rerank")],
            Some((Class::Retrieval, "rerank")),
        );
        check(&[("http.request.method", "GET")], None);
        check(&[], None);
    }
}
