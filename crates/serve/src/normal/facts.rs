//! What the attributes of a span or a log record say, by whatever name: the
//! alias table. First present wins, left to right.
//!
//! Sources: OpenTelemetry semantic conventions for generative AI (1.36 to
//! 1.41, and the repository they moved to), OpenInference, OpenLLMetry, Vercel
//! AI SDK, and the records of Claude Code, Codex, Gemini CLI and Qwen Code.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::mix::MixMap;
use crate::wire::view::Any;

/// Something to know of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fact {
    EventName,
    Operation,
    OpenInferenceKind,
    TraceloopKind,
    McpMethod,
    AiOperation,
    RequestType,
    Provider,
    AiProvider,
    Model,
    Input,
    Output,
    CacheRead,
    CacheWrite,
    CacheWrite5m,
    CacheWrite1h,
    Reasoning,
    ToolTokens,
    Total,
    CostMicros,
    Cost,
    Session,
    McpSession,
    Agent,
    EntityName,
    GraphNode,
    Tool,
    CallId,
    ResponseId,
    OutputValue,
    RequestId,
    JsonRpcId,
    ErrorType,
    ErrorMessage,
    StatusCode,
    Success,
    Decision,
    Duration,
    EventKind,
}

/// How many facts there are.
const FACTS: usize = Fact::EventKind as usize + 1;

const ALIASES: &[(Fact, &[&str])] = &[
    (Fact::EventName, &["event.name"]),
    (Fact::Operation, &["gen_ai.operation.name"]),
    (Fact::OpenInferenceKind, &["openinference.span.kind"]),
    (Fact::TraceloopKind, &["traceloop.span.kind"]),
    (Fact::McpMethod, &["mcp.method.name"]),
    (Fact::AiOperation, &["ai.operationId"]),
    (Fact::RequestType, &["llm.request.type"]),
    (
        Fact::Provider,
        &[
            "gen_ai.provider.name",
            "gen_ai.system",
            "llm.provider",
            "llm.system",
        ],
    ),
    (
        Fact::AiProvider,
        &["ai.model.provider", "anthropic.provider"],
    ),
    (
        Fact::Model,
        &[
            "gen_ai.response.model",
            "gen_ai.request.model",
            "llm.response.model_name",
            "llm.model_name",
            "llm.request.model_name",
            "embedding.model_name",
            "ai.response.model",
            "ai.model.id",
            "model",
            "model_name",
        ],
    ),
    (
        Fact::Input,
        &[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.usage.prompt_tokens",
            "llm.token_count.prompt",
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            "input_token_count",
            "input_tokens",
        ],
    ),
    (
        Fact::Output,
        &[
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.usage.completion_tokens",
            "llm.token_count.completion",
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
            "output_token_count",
            "output_tokens",
        ],
    ),
    (
        Fact::CacheRead,
        &[
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "ai.usage.cachedInputTokens",
            "cached_token_count",
            "cached_content_token_count",
            "cache_read_tokens",
        ],
    ),
    (
        Fact::CacheWrite,
        &[
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "llm.token_count.prompt_details.cache_write",
            "cache_write_token_count",
            "cache_creation_tokens",
        ],
    ),
    (
        Fact::CacheWrite5m,
        &[
            "cache_creation_5m_tokens",
            "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
        ],
    ),
    (
        Fact::CacheWrite1h,
        &[
            "cache_creation_1h_tokens",
            "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        ],
    ),
    (
        Fact::Reasoning,
        &[
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "llm.usage.reasoning_tokens",
            "llm.token_count.completion_details.reasoning",
            "ai.usage.reasoningTokens",
            "reasoning_token_count",
            "thoughts_token_count",
            "gen_ai.usage.details.reasoning_tokens",
        ],
    ),
    (Fact::ToolTokens, &["tool_token_count"]),
    (
        Fact::Total,
        &[
            "gen_ai.usage.total_tokens",
            "llm.usage.total_tokens",
            "llm.token_count.total",
            "ai.usage.totalTokens",
            // Of the Vercel AI SDK's embeddings.
            "ai.usage.tokens",
            "total_token_count",
        ],
    ),
    (Fact::CostMicros, &["cost_usd_micros"]),
    (
        Fact::Cost,
        &["cost_usd", "llm.cost.total", "gen_ai.usage.cost"],
    ),
    (
        Fact::Session,
        &[
            "session.id",
            "gen_ai.conversation.id",
            "conversation.id",
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.chat_id",
            "ai.telemetry.metadata.sessionId",
        ],
    ),
    // A session too, where no other is told.
    (Fact::McpSession, &["mcp.session.id"]),
    (
        Fact::Agent,
        &[
            "gen_ai.agent.id",
            "gen_ai.agent.name",
            "agent_id",
            "agent.name",
            "agent_name",
            "agent_type",
        ],
    ),
    (Fact::EntityName, &["traceloop.entity.name"]),
    (Fact::GraphNode, &["graph.node.id"]),
    (
        Fact::Tool,
        &[
            "gen_ai.tool.name",
            "tool_name",
            "function_name",
            "tool.name",
            "ai.toolCall.name",
        ],
    ),
    (
        Fact::CallId,
        &[
            "gen_ai.tool.call.id",
            "gen_ai.tool.call_id",
            "tool_use_id",
            "call_id",
            "tool.call_id",
            "ai.toolCall.id",
        ],
    ),
    (
        Fact::ResponseId,
        &["gen_ai.response.id", "ai.response.id", "response_id"],
    ),
    // Content: an id is looked for in it, and hashed; nothing of it is kept.
    (Fact::OutputValue, &["output.value"]),
    (Fact::RequestId, &["request_id"]),
    (Fact::JsonRpcId, &["jsonrpc.request.id"]),
    (Fact::ErrorType, &["error.type", "error_type"]),
    (Fact::ErrorMessage, &["error.message"]),
    (
        Fact::StatusCode,
        &[
            "http.response.status_code",
            "status_code",
            "http.status_code",
        ],
    ),
    (Fact::Success, &["success"]),
    (Fact::Decision, &["decision"]),
    // In milliseconds, all of them.
    (Fact::Duration, &["duration_ms", "duration"]),
    (Fact::EventKind, &["event.kind"]),
];

static TABLE: LazyLock<MixMap<&'static str, (Fact, u8)>> = LazyLock::new(|| {
    let mut table = MixMap::default();
    for (fact, names) in ALIASES {
        for (rank, name) in names.iter().enumerate() {
            table.insert(*name, (*fact, u8::try_from(rank).unwrap_or(u8::MAX)));
        }
    }
    table
});

/// What the attributes of one record say.
#[derive(Debug)]
pub struct Facts<'v, 'a> {
    found: [Option<(u8, &'v Any<'a>)>; FACTS],
}

impl<'v, 'a> Facts<'v, 'a> {
    /// Reads attributes; one look-up for each.
    pub fn of<K: AsRef<str>>(attrs: &'v [(K, Any<'a>)]) -> Self {
        let mut facts = Self {
            found: [None; FACTS],
        };
        for (key, value) in attrs {
            if value.says_nothing() {
                continue;
            }
            let Some(&(fact, rank)) = TABLE.get(key.as_ref()) else {
                continue;
            };
            let slot = &mut facts.found[fact as usize];
            // The first of equal keys counts, the better of aliases.
            if slot.is_none_or(|(held, _)| rank < held) {
                *slot = Some((rank, value));
            }
        }
        facts
    }

    /// Whether anything is said of it.
    pub fn has(&self, fact: Fact) -> bool {
        self.found[fact as usize].is_some()
    }

    /// The value, as it came.
    pub fn any(&self, fact: Fact) -> Option<&'v Any<'a>> {
        self.found[fact as usize].map(|(_, value)| value)
    }

    /// A text; never an empty one.
    pub fn str(&self, fact: Fact) -> Option<&'v str> {
        match self.any(fact)? {
            Any::Str(text) => Some(text),
            _ => None,
        }
    }

    /// An id: a text, or a whole number, as programs number their sessions.
    pub fn id(&self, fact: Fact) -> Option<Cow<'v, str>> {
        match self.any(fact)? {
            Any::Str(text) => Some(Cow::Borrowed(text)),
            Any::Int(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// A number, also one that came as text (Codex, binary form).
    pub fn f64(&self, fact: Fact) -> Option<f64> {
        let number = match self.any(fact)? {
            Any::Int(whole) => *whole as f64,
            Any::Double(number) => *number,
            Any::Str(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// A count: whole, at least 0, also as float or text.
    pub fn count(&self, fact: Fact) -> Option<i64> {
        match self.any(fact)? {
            Any::Int(whole) => (*whole >= 0).then_some(*whole),
            _ => {
                let number = self.f64(fact)?;
                let fits = (0.0..9e15).contains(&number) && number.fract() == 0.0;
                fits.then_some(number as i64)
            }
        }
    }

    /// A truth value, also as text.
    pub fn bool(&self, fact: Fact) -> Option<bool> {
        match self.any(fact)? {
            Any::Bool(truth) => Some(*truth),
            Any::Str(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Any::Str(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}
