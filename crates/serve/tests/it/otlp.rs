//! Bodies of OTLP as clients make them, for tests.

use serde_json::{Value as Json, json};
use tachograph_model::UnixNanos;

/// Now, in Unix nanoseconds.
pub(crate) fn now() -> i64 {
    UnixNanos::now().0
}

/// The ids of span `number`: trace and span.
pub(crate) fn ids(number: u64) -> (String, String) {
    (
        format!("{:032x}", number + 1),
        format!("{:016x}", number + 1),
    )
}

/// A model's call with 10 tokens in, 3 out, that took 2 ms.
pub(crate) fn call(number: u64) -> Json {
    let (trace, span) = ids(number);
    json!({
        "traceId": trace, "spanId": span, "name": "chat m", "kind": 3,
        "startTimeUnixNano": (now() - 2_000_000).to_string(),
        "endTimeUnixNano": now().to_string(),
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "m"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": 10}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "3"}},
        ],
    })
}

/// A request with these spans.
pub(crate) fn traces(spans: &[Json]) -> Vec<u8> {
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "test-agent"}},
    ]});
    let group =
        json!({"resource": resource, "scopeSpans": [{"scope": {"name": "s"}, "spans": spans}]});
    json!({ "resourceSpans": [group] }).to_string().into_bytes()
}

/// As [`traces`], of calls by number.
pub(crate) fn calls(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    traces(&numbers.into_iter().map(call).collect::<Vec<_>>())
}

/// A record of Claude Code's: one call of a model.
pub(crate) fn api_request(request: &str, time: i64) -> Vec<u8> {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let record = json!({
        "timeUnixNano": time.to_string(),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": [
            text("event.name", "api_request"),
            text("model", "claude-sonnet-4-5"),
            text("request_id", request),
            text("session.id", "s"),
            {"key": "input_tokens", "value": {"intValue": 178}},
            {"key": "output_tokens", "value": {"intValue": 78}},
        ],
    });
    let resource = json!({"attributes": [text("service.name", "claude-code")]});
    let group = json!({"resource": resource, "scopeLogs": [{"logRecords": [record]}]});
    json!({ "resourceLogs": [group] }).to_string().into_bytes()
}

/// A running total since `start`.
pub(crate) fn total(start: i64, time: i64, value: f64) -> Vec<u8> {
    let point = json!({
        "startTimeUnixNano": start.to_string(), "timeUnixNano": time.to_string(), "asDouble": value,
        "attributes": [{"key": "gen_ai.token.type", "value": {"stringValue": "input"}}],
    });
    let sum = json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]});
    let metric = json!({"name": "agent.tokens", "unit": "{token}", "sum": sum});
    let group = json!({"scopeMetrics": [{"metrics": [metric]}]});
    json!({ "resourceMetrics": [group] })
        .to_string()
        .into_bytes()
}
