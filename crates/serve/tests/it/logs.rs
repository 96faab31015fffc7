//! Log records of coding agents, in the shapes they are documented and seen
//! in; the contents are invented.

use tachograph_model::{Column, Event, Salt};
use tachograph_serve::normal::identity::Identities;
use tachograph_serve::normal::log;
use tachograph_serve::normal::source::Origin;
use tachograph_serve::wire::view::{Any, Attrs, LogRecord, Resource, Scope};

fn any(json: &serde_json::Value) -> Any<'static> {
    match json {
        serde_json::Value::Bool(truth) => Any::Bool(*truth),
        serde_json::Value::String(text) => Any::Str(text.clone().into()),
        number if number.is_i64() => Any::Int(number.as_i64().expect("whole")),
        number => Any::Double(number.as_f64().expect("a number")),
    }
}

fn attrs(json: &serde_json::Value) -> Attrs<'static> {
    let members = json.as_object().expect("an object");
    members
        .iter()
        .map(|(key, value)| (key.clone().into(), any(value)))
        .collect()
}

/// A service's record → the event's line without time and hashes.
fn event(service: &str, record: LogRecord<'static>) -> Option<Event> {
    let resource = Resource {
        attrs: vec![("service.name".into(), Any::Str(service.to_owned().into()))],
    };
    let scope = Scope::default();
    let origin = Origin::of(&resource, &scope, 0);
    let mut identities = Identities::new(Salt::new([1; 32]));
    log::candidate(&record, &origin, &mut identities).map(|candidate| candidate.event)
}

fn check(service: &str, attributes: serde_json::Value, expected: Option<serde_json::Value>) {
    let record = LogRecord {
        time: 1_763_636_400_000_000_000,
        attrs: attrs(&attributes),
        ..LogRecord::default()
    };
    let found = event(service, record).map(|mut event| {
        for hashed in [Column::Agent, Column::SessionId] {
            event.set(hashed, None);
        }
        let line = String::from_utf8(event.to_line()).expect("UTF-8");
        assert!(!line.contains("SECRET"), "{line}");
        let mut json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        json.as_object_mut().expect("an object").remove("timestamp");
        json
    });
    assert_eq!(found, expected, "{service}: {attributes}");
}

#[test]
fn claude_code_tells_of_calls_and_tools() {
    let service = "claude-code";
    check(
        service,
        serde_json::json!({"event.name": "api_request", "model": "claude-sonnet-4-5",
            "input_tokens": 178, "output_tokens": 78, "cache_read_tokens": 1000,
            "cache_creation_tokens": 56, "cost_usd": 0.002_214, "duration_ms": 812,
            "request_id": "req_1", "user.email": "SECRET@x.org", "session.id": "SECRET"}),
        Some(
            serde_json::json!({"event_type": "llm_call", "provider": "anthropic",
            "model": "claude-sonnet-4-5", "duration_ms": 812.0, "success": true,
            "input_tokens": 1234, "output_tokens": 78, "cache_read_tokens": 1000,
            "cache_write_tokens": 56, "cost_usd": 0.002_214, "operation": "chat"}),
        ),
    );
    check(
        service,
        serde_json::json!({"event.name": "api_error", "model": "claude-sonnet-4-5",
            "error": "SECRET overloaded", "status_code": "529", "duration_ms": "40"}),
        Some(
            serde_json::json!({"event_type": "llm_call", "provider": "anthropic",
            "model": "claude-sonnet-4-5", "duration_ms": 40.0, "success": false,
            "error_type": "http_529", "operation": "chat"}),
        ),
    );
    check(
        service,
        serde_json::json!({"event.name": "tool_result", "tool_name": "Bash", "success": "false",
            "duration_ms": 12, "error_type": "ShellError", "tool_input": "SECRET"}),
        Some(
            serde_json::json!({"event_type": "tool_call", "tool": "Bash", "duration_ms": 12.0,
            "success": false, "error_type": "ShellError"}),
        ),
    );
    let decision = |decision: &str| {
        serde_json::json!({"event.name": "tool_decision", "tool_name": "Bash",
            "decision": decision})
    };
    check(service, decision("accept"), None);
    check(
        service,
        decision("reject"),
        Some(
            serde_json::json!({"event_type": "tool_call", "tool": "Bash", "success": false,
            "error_type": "denied"}),
        ),
    );
    for other in ["user_prompt", "api_request_body", "api_retries_exhausted"] {
        check(
            service,
            serde_json::json!({"event.name": other, "prompt": "SECRET"}),
            None,
        );
    }
}

#[test]
fn codex_tells_of_a_call_once() {
    let service = "codex_exec";
    check(
        service,
        serde_json::json!({"event.name": "codex.sse_event", "event.kind": "response.completed",
            "model": "gpt-5", "input_token_count": "1234", "output_token_count": "78",
            "cached_token_count": "1000", "reasoning_token_count": "20"}),
        Some(
            serde_json::json!({"event_type": "llm_call", "provider": "openai", "model": "gpt-5",
            "success": true, "input_tokens": 1234, "output_tokens": 78,
            "cache_read_tokens": 1000, "reasoning_tokens": 20, "operation": "chat"}),
        ),
    );
    let kinds = ["response.completed", "response.output_text.delta"];
    for kind in kinds {
        check(
            service,
            serde_json::json!({"event.name": "codex.sse_event", "event.kind": kind}),
            None,
        );
    }
    check(
        service,
        serde_json::json!({"event.name": "codex.api_request", "http.response.status_code": 200}),
        None,
    );
    check(
        service,
        serde_json::json!({"event.name": "codex.api_request", "model": "gpt-5",
            "http.response.status_code": 429, "error.message": "SECRET"}),
        Some(
            serde_json::json!({"event_type": "llm_call", "provider": "openai", "model": "gpt-5",
            "success": false, "error_type": "http_429", "operation": "chat"}),
        ),
    );
    check(
        service,
        serde_json::json!({"event.name": "codex.tool_result", "tool_name": "shell",
            "duration_ms": "31", "success": "true", "arguments": "SECRET", "output": "SECRET"}),
        Some(
            serde_json::json!({"event_type": "tool_call", "tool": "shell", "duration_ms": 31.0,
            "success": true}),
        ),
    );
}

#[test]
fn gemini_s_output_gains_its_thoughts() {
    check(
        "gemini-cli",
        serde_json::json!({"event.name": "gemini_cli.api_response", "model": "gemini-2.5-flash",
            "duration_ms": 900, "status_code": 200, "input_token_count": 1234,
            "output_token_count": 58, "thoughts_token_count": 20, "tool_token_count": 0,
            "cached_content_token_count": 1000, "response_text": "SECRET"}),
        Some(
            serde_json::json!({"event_type": "llm_call", "provider": "gcp.gemini",
            "model": "gemini-2.5-flash", "duration_ms": 900.0, "success": true,
            "input_tokens": 1234, "output_tokens": 78, "cache_read_tokens": 1000,
            "reasoning_tokens": 20, "operation": "chat"}),
        ),
    );
    check(
        "gemini-cli",
        serde_json::json!({"event.name": "gen_ai.client.inference.operation.details",
            "gen_ai.usage.input_tokens": 1234}),
        None,
    );
}

#[test]
fn a_body_that_is_a_name_names_the_event() {
    let record = LogRecord {
        body: Any::Str("claude_code.api_request".into()),
        attrs: attrs(&serde_json::json!({"model": "m"})),
        ..LogRecord::default()
    };
    let event = event("claude-code", record).expect("an event");
    assert_eq!(event.event_type, "llm_call");
    // A prompt in the body is no name.
    let record = LogRecord {
        body: Any::Str("please do SECRET".into()),
        ..LogRecord::default()
    };
    assert_eq!(self::event("claude-code", record), None);
}
