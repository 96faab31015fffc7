//! The bodies that are sent. Spans are those of a traced agent with
//! OpenInference's attributes: of ten, one is the agent's run, three are model
//! calls with their texts, four tools, two look-ups.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::BATCH;

const MODELS: [&str; 3] = ["claude-sonnet-4-5", "gpt-5-mini", "gemini-2.5-flash"];
const TEXT: &str = "the quick brown fox jumps over the lazy dog and then compiles the workspace \
    again the quick brown fox jumps over the lazy dog and then compiles the workspace again the \
    quick brown fox jumps over the lazy dog and then compiles the workspace again the quick brown \
    fox jumps over the lazy dog and then compiles the workspace again the quick brown fox jumps \
    over the lazy dog and then compiles the workspace again and again and again and again and \
    again";

fn now_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// A step of SplitMix64: an odd-looking number of an even one.
fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes(out: &mut Vec<u8>, number: u8, value: &[u8]) {
    out.push(number << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn fixed64(out: &mut Vec<u8>, number: u8, value: u64) {
    out.push(number << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// An attribute's value.
enum Any<'a> {
    Str(&'a str),
    Int(u64),
    Bool(bool),
}

/// One span of the mix.
struct Span {
    trace: [u8; 16],
    id: u64,
    parent: Option<u64>,
    name: String,
    start: u64,
    end: u64,
    failed: bool,
    attributes: Vec<(&'static str, Any<'static>)>,
    session: String,
    agent: Option<String>,
}

fn span(number: u64) -> Span {
    let (trace, place) = (number / 10, number % 10);
    let random = mix(number);
    let id = |place: u64| mix((trace * 10 + place) << 8) | 1;
    let took = random % 2_000_000_000;
    let end = now_nanos() - mix(trace) % 86_400_000_000_000;
    let kind = [
        "AGENT",
        "LLM",
        "TOOL",
        "TOOL",
        "RETRIEVER",
        "LLM",
        "TOOL",
        "LLM",
        "RETRIEVER",
        "TOOL",
    ][place as usize];
    let mut attributes = vec![("openinference.span.kind", Any::Str(kind))];
    let name = match kind {
        "AGENT" => {
            attributes.push(("input.value", Any::Str(&TEXT[..200])));
            attributes.push(("output.value", Any::Str(&TEXT[..200])));
            "agent.run".to_owned()
        }
        "LLM" => {
            let (input, output) = (200 + random % 5800, 20 + random % 880);
            attributes.extend([
                ("llm.model_name", Any::Str(MODELS[(random % 3) as usize])),
                ("llm.provider", Any::Str("x")),
                ("llm.token_count.prompt", Any::Int(input)),
                ("llm.token_count.completion", Any::Int(output)),
                (
                    "llm.token_count.prompt_details.cache_read",
                    Any::Int(random % 150),
                ),
                ("input.value", Any::Str(&TEXT[..400])),
                ("output.value", Any::Str(&TEXT[..300])),
                ("input.mime_type", Any::Str("text/plain")),
                ("llm.token_count.total", Any::Int(input + output)),
            ]);
            "llm.call".to_owned()
        }
        "TOOL" => {
            attributes.push(("input.value", Any::Str("{\"q\":1}")));
            attributes.push(("output.value", Any::Str(&TEXT[..120])));
            format!("tool_{}", random % 20)
        }
        _ => {
            attributes.push(("input.value", Any::Str(&TEXT[..60])));
            attributes.push(("cache.hit", Any::Bool(!random.is_multiple_of(5))));
            "retrieve".to_owned()
        }
    };
    let mut trace_id = [0; 16];
    trace_id[..8].copy_from_slice(&mix(trace ^ 1 << 60).to_be_bytes());
    trace_id[8..].copy_from_slice(&trace.to_be_bytes());
    Span {
        trace: trace_id,
        id: id(place),
        parent: (place > 0).then(|| id(0)),
        name,
        start: end - took,
        end,
        failed: random.is_multiple_of(50),
        attributes,
        session: format!("s{}", trace / 20),
        agent: (place == 0).then(|| format!("agent_{}", trace % 12)),
    }
}

impl Span {
    fn all(&self) -> impl Iterator<Item = (&str, &Any<'_>)> {
        self.attributes.iter().map(|(key, value)| (*key, value))
    }

    /// Texts that are its own.
    fn own(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tool = self
            .name
            .starts_with("tool_")
            .then_some(("tool.name", &*self.name));
        let agent = self.agent.as_deref().map(|agent| ("agent.name", agent));
        [("session.id", &*self.session)]
            .into_iter()
            .chain(tool)
            .chain(agent)
    }

    fn protobuf(&self, scratch: &mut [Vec<u8>; 3], out: &mut Vec<u8>) {
        let [message, pair, any] = scratch;
        message.clear();
        bytes(message, 1, &self.trace);
        bytes(message, 2, &self.id.to_be_bytes());
        if let Some(parent) = self.parent {
            bytes(message, 4, &parent.to_be_bytes());
        }
        bytes(message, 5, self.name.as_bytes());
        message.extend_from_slice(&[6 << 3, 1]);
        fixed64(message, 7, self.start);
        fixed64(message, 8, self.end);
        let own = self.own().map(|(key, text)| (key, Any::Str(text)));
        let mut put = |key: &str, value: &Any<'_>| {
            pair.clear();
            any.clear();
            bytes(pair, 1, key.as_bytes());
            match value {
                Any::Str(text) => bytes(any, 1, text.as_bytes()),
                Any::Bool(truth) => any.extend_from_slice(&[2 << 3, u8::from(*truth)]),
                Any::Int(whole) => {
                    any.push(3 << 3);
                    varint(any, *whole);
                }
            }
            bytes(pair, 2, any);
            bytes(message, 9, pair);
        };
        self.all().for_each(|(key, value)| put(key, value));
        own.for_each(|(key, value)| put(key, &value));
        let status: &[u8] = match self.failed {
            true => b"\x12\x04boom\x18\x02",
            false => b"\x18\x01",
        };
        bytes(message, 15, status);
        bytes(out, 2, message);
    }

    fn json(&self, out: &mut String) {
        let trace: u128 = u128::from_be_bytes(self.trace);
        let parent = self
            .parent
            .map_or(String::new(), |parent| format!("{parent:016x}"));
        // Writing to text cannot fail.
        let _ = write!(
            out,
            r#"{{"traceId":"{trace:032x}","spanId":"{:016x}","parentSpanId":"{parent}","name":"{}","kind":1,"startTimeUnixNano":"{}","endTimeUnixNano":"{}","attributes":["#,
            self.id, self.name, self.start, self.end
        );
        let quoted = |text: &str| text.replace('"', "\\\"");
        for (key, value) in self.all() {
            let _ = match value {
                Any::Str(text) => write!(
                    out,
                    r#"{{"key":"{key}","value":{{"stringValue":"{}"}}}},"#,
                    quoted(text)
                ),
                Any::Bool(truth) => {
                    write!(out, r#"{{"key":"{key}","value":{{"boolValue":{truth}}}}},"#)
                }
                Any::Int(whole) => write!(
                    out,
                    r#"{{"key":"{key}","value":{{"intValue":"{whole}"}}}},"#
                ),
            };
        }
        for (key, text) in self.own() {
            let _ = write!(
                out,
                r#"{{"key":"{key}","value":{{"stringValue":"{text}"}}}},"#
            );
        }
        out.pop();
        let code = if self.failed { 2 } else { 1 };
        let _ = write!(out, r#"],"status":{{"code":{code}}}}}"#);
    }
}

fn request(spans: impl Iterator<Item = u64>) -> Vec<u8> {
    let mut scope = Vec::new();
    bytes(&mut scope, 1, b"\x0a\x05bench\x12\x031.0");
    let mut scratch = [const { Vec::new() }; 3];
    spans.for_each(|number| span(number).protobuf(&mut scratch, &mut scope));
    let mut pair = Vec::new();
    bytes(&mut pair, 1, b"service.name");
    bytes(&mut pair, 2, b"\x0a\x0bbench-agent");
    let mut resource = Vec::new();
    bytes(&mut resource, 1, &pair);
    let mut group = Vec::with_capacity(scope.len() + 64);
    bytes(&mut group, 1, &resource);
    bytes(&mut group, 2, &scope);
    let mut body = Vec::with_capacity(group.len() + 8);
    bytes(&mut body, 1, &group);
    body
}

fn numbers(batch: u64) -> std::ops::Range<u64> {
    batch * BATCH as u64..(batch + 1) * BATCH as u64
}

/// `ExportTraceServiceRequest`.
pub(crate) fn spans(batch: u64) -> (Vec<u8>, usize) {
    (request(numbers(batch)), BATCH)
}

pub(crate) fn spans_gzip(batch: u64) -> (Vec<u8>, usize) {
    let level = flate2::Compression::fast();
    let mut to = flate2::write::GzEncoder::new(Vec::new(), level);
    to.write_all(&request(numbers(batch))).expect("memory");
    (to.finish().expect("memory"), BATCH)
}

pub(crate) fn one_span(number: u64) -> (Vec<u8>, usize) {
    (request(number..number + 1), 1)
}

pub(crate) fn spans_json(batch: u64) -> (Vec<u8>, usize) {
    let mut out = String::from(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bench-agent"}}]},"scopeSpans":[{"scope":{"name":"bench","version":"1.0"},"spans":["#,
    );
    for number in numbers(batch) {
        span(number).json(&mut out);
        out.push(',');
    }
    out.pop();
    out.push_str("]}]}]}");
    (out.into_bytes(), BATCH)
}

/// Tool calls, one a line.
pub(crate) fn events(batch: u64) -> (Vec<u8>, usize) {
    let mut out = String::new();
    for number in numbers(batch) {
        let random = mix(number);
        let second = number / 1000 % 60;
        let _ = writeln!(
            out,
            r#"{{"timestamp":"2026-11-20T11:00:{second:02}.{:06}+00:00","event_type":"tool_call","tool":"tool_{}","duration_ms":{}.{},"success":{}}}"#,
            number % 1_000_000,
            random % 20,
            random % 300,
            random % 10,
            !random.is_multiple_of(50),
        );
    }
    (out.into_bytes(), BATCH)
}

/// `WriteRequest` of remote-write 1.0: 2000 series with a sample each.
pub(crate) fn samples(batch: u64) -> (Vec<u8>, usize) {
    const SERIES: u64 = 2000;
    // A millisecond later each time, whatever the batch's number: a sender keeps the
    // order of a series' samples, and what is older than the newest was sent before.
    static MADE: AtomicU64 = AtomicU64::new(0);
    static START: LazyLock<u64> = LazyLock::new(|| now_nanos() / 1_000_000 - 60_000);
    let now = *START + MADE.fetch_add(1, Ordering::Relaxed);
    let mut body = Vec::new();
    let (mut series, mut label, mut sample) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..SERIES {
        series.clear();
        let instance = format!("10.0.0.{}:9100", number % 50);
        let name = format!("node_metric_{}", number / 50);
        for (key, value) in [
            ("__name__", &*name),
            ("instance", &instance),
            ("job", "node"),
        ] {
            label.clear();
            bytes(&mut label, 1, key.as_bytes());
            bytes(&mut label, 2, value.as_bytes());
            bytes(&mut series, 1, &label);
        }
        sample.clear();
        fixed64(
            &mut sample,
            1,
            (mix(number + batch) as f64 / 1e18).to_bits(),
        );
        sample.push(2 << 3);
        varint(&mut sample, now);
        bytes(&mut series, 2, &sample);
        bytes(&mut body, 1, &series);
    }
    let body = snap::raw::Encoder::new()
        .compress_vec(&body)
        .expect("memory");
    (body, SERIES as usize)
}
