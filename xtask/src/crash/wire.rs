//! Spans as OTLP has them on the wire, both forms, and events as JSON: no more
//! than a crash run sends. Ids are numbers, so that each can be found again.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a batch is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Protobuf,
    Json,
    /// Our own API for events.
    Events,
}

impl Form {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
            Self::Events => "application/x-ndjson",
        }
    }

    /// A batch of calls of tools, one for each id.
    pub(crate) fn body(self, ids: &[u64]) -> Vec<u8> {
        match self {
            Self::Protobuf => protobuf(ids),
            Self::Json => json(ids).into_bytes(),
            Self::Events => events(ids).into_bytes(),
        }
    }
}

/// A span's id as it is stored: 16 hexadecimal digits.
pub(crate) fn span_id(id: u64) -> String {
    format!("{id:016x}")
}

fn trace_id(id: u64) -> u128 {
    u128::from(id / 8) + 1
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as u64)
}

fn events(ids: &[u64]) -> String {
    let mut lines = String::new();
    for id in ids {
        // Writing into a text cannot fail.
        let _ = writeln!(
            lines,
            r#"{{"event_type":"tool_call","tool":"crash","duration_ms":1.5,"success":true,"trace_id":"{:032x}","span_id":"{}"}}"#,
            trace_id(*id),
            span_id(*id)
        );
    }
    lines
}

fn json(ids: &[u64]) -> String {
    let end = now();
    let spans: Vec<String> = ids
        .iter()
        .map(|id| {
            format!(
                r#"{{"traceId":"{:032x}","spanId":"{}","name":"execute_tool crash","kind":1,"startTimeUnixNano":"{}","endTimeUnixNano":"{end}","attributes":[{{"key":"gen_ai.operation.name","value":{{"stringValue":"execute_tool"}}}},{{"key":"gen_ai.tool.name","value":{{"stringValue":"crash"}}}}]}}"#,
                trace_id(*id),
                span_id(*id),
                end - 1_500_000
            )
        })
        .collect();
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[]}},"scopeSpans":[{{"scope":{{"name":"crash"}},"spans":[{}]}}]}}]}}"#,
        spans.join(",")
    )
}

/// `ExportTraceServiceRequest`, by the field numbers of opentelemetry-proto.
fn protobuf(ids: &[u64]) -> Vec<u8> {
    let end = now();
    let mut scope_spans = Vec::new();
    field(&mut scope_spans, 1, &text(1, "crash"));
    for id in ids {
        let mut span = Vec::new();
        field(&mut span, 1, &trace_id(*id).to_be_bytes());
        field(&mut span, 2, &id.to_be_bytes());
        field(&mut span, 5, b"execute_tool crash");
        span.extend([6 << 3, 1]);
        for (number, time) in [(7_u8, end - 1_500_000), (8, end)] {
            span.push(number << 3 | 1);
            span.extend(time.to_le_bytes());
        }
        for (key, value) in [
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "crash"),
        ] {
            let mut attribute = text(1, key);
            field(&mut attribute, 2, &text(1, value));
            field(&mut span, 9, &attribute);
        }
        field(&mut scope_spans, 2, &span);
    }
    let mut resource_spans = Vec::new();
    field(&mut resource_spans, 1, b"");
    field(&mut resource_spans, 2, &scope_spans);
    let mut request = Vec::new();
    field(&mut request, 1, &resource_spans);
    request
}

fn text(number: u8, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    field(&mut bytes, number, text.as_bytes());
    bytes
}

/// A field with a length: number, length, bytes.
fn field(out: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    out.push(number << 3 | 2);
    let mut rest = bytes.len();
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::{Form, field};

    #[test]
    fn a_batch_names_each_of_its_ids() {
        for form in [Form::Json, Form::Events] {
            let body = String::from_utf8(form.body(&[7, 255])).expect("text");
            let id = |id: &str| body.matches(id).count();
            assert_eq!([id("0000000000000007\""), id("00000000000000ff\"")], [1, 1]);
        }
    }

    #[test]
    fn lengths_are_varints() {
        let mut out = Vec::new();
        field(&mut out, 1, &[0; 300]);
        assert_eq!(out[..3], [0x0a, 0xac, 0x02]);
        assert_eq!(out.len(), 303);
    }
}
