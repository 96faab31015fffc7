//! Whatever texts and identities a record holds, none of them reaches what is
//! stored, not even a piece.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tachograph_serve::normal::metric::Totals;
use tachograph_serve::wire::otlp_json;

use crate::rules::{Path, attributes};

/// The shortest piece that would tell something, bytes.
const PIECE: usize = 8;

/// Attributes that hold texts, addresses or identities, of every convention and
/// agent; flattened lists by one of their members.
const PRIVATE: &[&str] = &[
    "gen_ai.system_instructions",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.completion.0.content",
    "gen_ai.prompt.name",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.description",
    "gen_ai.tool.definitions",
    "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.evaluation.explanation",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.description",
    "gen_ai.conversation.id",
    "gen_ai.data_source.id",
    "gen_ai.request.stop_sequences",
    "gen_ai.response.id",
    "gen_ai.openai.api_base",
    "gen_ai.tool.call.id",
    "input.value",
    "output.value",
    "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.content",
    "llm.invocation_parameters",
    "llm.prompts",
    "llm.tools.0.tool.json_schema",
    "metadata",
    "tag.tags",
    "tool.description",
    "tool.parameters",
    "retrieval.documents.0.document.content",
    "embedding.embeddings.0.embedding.text",
    "agent.name",
    "graph.node.id",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "traceloop.entity.path",
    "traceloop.workflow.name",
    "traceloop.association.properties.user_id",
    "traceloop.association.properties.session_id",
    "pydantic_ai.all_messages",
    "final_result",
    "ai.prompt",
    "ai.prompt.messages",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.request.headers.authorization",
    "ai.telemetry.metadata.userId",
    "ai.telemetry.metadata.sessionId",
    "mcp.resource.uri",
    "mcp.session.id",
    "url.full",
    "http.url",
    "http.target",
    "server.address",
    "client.address",
    "db.query.text",
    "error.message",
    "error",
    "exception.message",
    "exception.stacktrace",
    "prompt",
    "user_prompt",
    "response",
    "response_text",
    "request_text",
    "body",
    "body_ref",
    "tool_input",
    "tool_parameters",
    "full_command",
    "function_args",
    "arguments",
    "output",
    "cwd",
    "file_path",
    "workspace.host_paths",
    "prompt_id",
    "request_id",
    "conversation.id",
    "session.id",
    "agent_id",
    "agent_name",
    "agent_type",
    "mcp_server",
    "mcp_server_name",
    "user.id",
    "user.email",
    "user.account_uuid",
    "user.account_id",
    "organization.id",
    "enduser.id",
    "installation.id",
    "host.name",
    "process.owner",
    "process.command_args",
];

/// Records that make an event each, in which texts are hidden.
fn bases() -> Vec<Json> {
    let span = |attrs: Json| json!({"span": 1, "attrs": attrs});
    let log = |service: &str, name: &str| {
        json!({"log": true, "service": service, "attrs": {"event.name": name, "model": "m",
            "event.kind": "response.completed", "input_token_count": 1, "success": "false",
            "http.response.status_code": 500, "decision": "reject"}})
    };
    vec![
        span(json!({"gen_ai.operation.name": "chat"})),
        span(json!({"gen_ai.operation.name": "execute_tool"})),
        span(json!({"gen_ai.operation.name": "invoke_agent"})),
        span(json!({"gen_ai.operation.name": "retrieval"})),
        span(json!({"openinference.span.kind": "LLM"})),
        span(json!({"openinference.span.kind": "TOOL"})),
        span(json!({"openinference.span.kind": "CHAIN"})),
        span(json!({"traceloop.span.kind": "agent"})),
        span(json!({"mcp.method.name": "tools/call"})),
        span(json!({"mcp.method.name": "resources/read"})),
        span(json!({"ai.operationId": "ai.toolCall"})),
        span(json!({"llm.request.type": "chat"})),
        log("claude-code", "api_request"),
        log("claude-code", "api_error"),
        log("claude-code", "tool_result"),
        log("claude-code", "tool_decision"),
        log("claude-code", "subagent_completed"),
        log("codex_exec", "codex.sse_event"),
        log("codex_exec", "codex.api_request"),
        log("codex_exec", "codex.tool_result"),
        log("codex_exec", "codex.conversation_starts"),
        log("gemini-cli", "gemini_cli.api_response"),
        log("gemini-cli", "gemini_cli.agent.finish"),
        log("qwen-code", "qwen-code.tool_call"),
        log("x", "gen_ai.client.inference.operation.details"),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_.:/-]{8,40}",
        "[ -~]{8,60}",
        "\\PC{8,30}",
        // A response as OpenInference shows it.
        "[a-z0-9]{20,30}".prop_map(|id| format!("{{\"id\":\"{id}\"}}")),
    ]
}

/// Whether a piece of a text is in a line. The line is JSON, so that of a text
/// that JSON escapes the pieces between are looked for.
fn leaks(line: &str, text: &str) -> Option<String> {
    text.split(['"', '\\'])
        .flat_map(|part| part.as_bytes().windows(PIECE))
        .filter_map(|piece| std::str::from_utf8(piece).ok())
        .find(|piece| line.contains(piece))
        .map(str::to_owned)
}

proptest! {
    #[test]
    fn no_text_and_no_identity_is_stored(
        base in 0..bases().len(),
        hidden in proptest::collection::hash_map(0..PRIVATE.len(), text(), 1..12),
        texts in proptest::collection::vec(text(), 6),
    ) {
        let mut record = bases()[base].clone();
        let attrs = record["attrs"].as_object_mut().expect("attributes");
        attrs.extend(hidden.iter().map(|(at, text)| (PRIVATE[*at].to_owned(), json!(text))));
        let own = record.as_object_mut().expect("a record");
        let [name, message, body, service, exception, host] = &texts[..] else {
            unreachable!("six texts")
        };
        if own.contains_key("span") {
            own.insert("service".to_owned(), json!(service));
        }
        own.insert("name".to_owned(), json!(name));
        own.insert("status".to_owned(), json!("error"));
        own.insert("message".to_owned(), json!(message));
        own.insert("body".to_owned(), json!(body));
        own.insert("resource".to_owned(), json!({"host.name": host}));
        own.insert("events".to_owned(), json!([{"name": "exception",
            "attrs": {"exception.message": exception}}]));
        let stored = Path::new().take(&[record], 0);
        prop_assert_eq!(stored.len(), 1);
        let line = String::from_utf8(stored[0].to_line()).expect("UTF-8");
        for text in hidden.values().chain(&texts) {
            prop_assert_eq!(leaks(&line, text), None, "of {} in {}", text, line);
        }
    }

    #[test]
    fn no_text_and_no_identity_is_stored_of_a_point(
        hidden in proptest::collection::hash_map(0..PRIVATE.len(), text(), 1..12),
        description in text(),
    ) {
        let attrs: Map<String, Json> = hidden
            .iter()
            .map(|(at, text)| (PRIVATE[*at].to_owned(), json!(text)))
            .collect();
        let point = json!({"timeUnixNano": "1763636400000000000", "asDouble": 1.5,
            "attributes": attributes(&Json::Object(attrs))});
        let metric = json!({"name": "claude_code.token.usage", "unit": "tokens",
            "description": description,
            "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [point]}});
        let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]});
        let body = body.to_string();
        let body = otlp_json::parse(body.as_bytes()).expect("JSON");
        let mut stored = Vec::new();
        for group in otlp_json::metrics(&body) {
            for metric in &group.records {
                Totals::new(0).candidates(metric, 1, &mut stored);
            }
        }
        prop_assert_eq!(stored.len(), 1);
        let line = String::from_utf8(stored[0].event.to_line()).expect("UTF-8");
        for text in hidden.values().chain([&description]) {
            prop_assert_eq!(leaks(&line, text), None, "of {} in {}", text, line);
        }
    }
}
