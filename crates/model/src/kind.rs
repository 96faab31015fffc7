//! Kinds of event: which types there are, and which column each field of
//! theirs goes to.

use crate::column::Column;

/// A field of a kind: its key in the log, and the column that holds it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Key in the log line.
    pub key: &'static str,
    /// Column in the wide row.
    pub column: Column,
    /// The column's value is the field's times this (seconds become
    /// milliseconds with 1000). 1 for all but a few.
    pub scale: f64,
    /// Whether a whole number below zero means something. Elsewhere it counts
    /// what cannot be fewer than none, so that the column stays empty and the
    /// number is kept in `extra`.
    pub signed: bool,
    /// What it means.
    pub doc: &'static str,
}

/// A type of event.
#[derive(Debug)]
pub struct Kind {
    /// The value of `event_type`.
    pub name: &'static str,
    /// Fields in the order in which the log has them.
    pub fields: &'static [Field],
    /// What it records.
    pub doc: &'static str,
}

const fn f(key: &'static str, column: Column, doc: &'static str) -> Field {
    Field {
        key,
        column,
        scale: 1.0,
        signed: false,
        doc,
    }
}

/// Every kind that this version writes. Others are kept and returned as they
/// came.
pub static KINDS: &[Kind] = {
    use Column as C;
    &[
        Kind {
            name: "agent_discovery",
            doc: "agents were listed, searched or fetched",
            fields: &[
                f("operation", C::Name, "list_agents, get_agent, search"),
                f("duration_ms", C::DurationMs, "how long it took"),
                f(
                    "cache_hit",
                    C::Hit,
                    "whether the cache answered (get_agent)",
                ),
                f("agent_count", C::Count, "agents in the result"),
            ],
        },
        Kind {
            name: "agent_load",
            doc: "an agent's definition was read from disk",
            fields: &[
                f("agent_id_hash", C::Agent, "which agent, hashed"),
                f("load_time_ms", C::DurationMs, "how long the read took"),
                f("content_size_bytes", C::SizeBytes, "size of the definition"),
                f(
                    "estimated_tokens",
                    C::Tokens,
                    "about a quarter of the bytes",
                ),
            ],
        },
        Kind {
            name: "session_start",
            doc: "a session began",
            fields: &[
                f("session_type", C::Name, "kind of session"),
                f(
                    "initial_tokens",
                    C::Tokens,
                    "tokens in context at the start",
                ),
                f("session_id", C::SessionId, "which session"),
            ],
        },
        Kind {
            name: "session_end",
            doc: "a session ended",
            fields: &[
                Field {
                    key: "session_duration_seconds",
                    column: C::DurationMs,
                    scale: 1_000.0,
                    signed: false,
                    doc: "how long it lasted, in seconds",
                },
                f("total_tokens_loaded", C::Tokens, "tokens loaded in it"),
                f("agents_loaded", C::Count, "agents loaded in it"),
                f("session_type", C::Name, "kind of session"),
                f("session_id", C::SessionId, "which session"),
            ],
        },
        Kind {
            name: "cache_operation",
            doc: "a cache reported its state",
            fields: &[
                f("operation", C::Name, "get, put, evict"),
                f("cache_size", C::Count, "entries in the cache"),
                f("hit_rate", C::Value, "percent, 0..=100"),
                f("evictions", C::Evictions, "entries evicted so far"),
            ],
        },
        Kind {
            name: "agent_usage",
            doc: "an agent was used",
            fields: &[
                f("agent_id_hash", C::Agent, "which agent, hashed"),
                f("operation", C::Name, "what it was used for"),
                f(
                    "metadata",
                    C::Tags,
                    "numbers and flags of a list; others only with keep_text",
                ),
                f("duration_ms", C::DurationMs, "how long it ran"),
                f("success", C::Success, "whether it succeeded"),
                f("error_type", C::ErrorType, "class of the failure"),
                f("session_id", C::SessionId, "in which session"),
                f("parent_id", C::ParentId, "within which span or query"),
                f("trace_id", C::TraceId, "within which trace"),
                f("span_id", C::Id, "as which span"),
            ],
        },
        Kind {
            name: "performance",
            doc: "a performance figure of the host",
            fields: &[
                f("metric_name", C::Name, "which figure"),
                f("value", C::Value, "the figure"),
                f("unit", C::Unit, "its unit"),
                f(
                    "tags",
                    C::Tags,
                    "its attributes; identities hashed, texts left out, by key and value",
                ),
            ],
        },
        Kind {
            name: "error",
            doc: "something failed outside a tool, model or query",
            fields: &[
                f("error_type", C::ErrorType, "class of the failure"),
                f("error_message", C::Text, "only with keep_text"),
                f("source", C::Source, "component it happened in"),
                f("name", C::Name, "operation or model it happened in"),
                f(
                    "context",
                    C::Tags,
                    "numbers and flags of a list; others only with keep_text",
                ),
            ],
        },
        Kind {
            name: "system_info",
            doc: "the system that the host runs on",
            fields: &[
                f("platform", C::Name, "operating system"),
                f("platform_version", C::Status, "its version"),
                f("architecture", C::Type, "processor architecture"),
                f("runtime", C::Source, "language runtime and version"),
                f("cpus", C::Count, "processors"),
                f("memory_bytes", C::SizeBytes, "physical memory"),
            ],
        },
        Kind {
            name: "tool_call",
            doc: "a tool ran",
            fields: &[
                f("tool", C::Name, "which tool"),
                f("duration_ms", C::DurationMs, "how long it ran"),
                f("success", C::Success, "whether it succeeded"),
                f("error_type", C::ErrorType, "class of the failure"),
                f("agent", C::Agent, "on whose behalf"),
                f("session_id", C::SessionId, "in which session"),
                f("parent_id", C::ParentId, "within which span or query"),
                f("trace_id", C::TraceId, "within which trace"),
                f("span_id", C::Id, "as which span"),
            ],
        },
        Kind {
            name: "cache",
            doc: "one cache look-up or eviction",
            fields: &[
                f("cache", C::Name, "which cache"),
                f(
                    "operation",
                    C::Status,
                    "hit, miss, eviction, size_rejection",
                ),
                f("hit", C::Hit, "true or false for hit and miss"),
                f("duration_ms", C::DurationMs, "how long the look-up took"),
                f("size_bytes", C::SizeBytes, "size of the entry"),
                f(
                    "source",
                    C::Source,
                    "provider or layer the cache belongs to",
                ),
            ],
        },
        Kind {
            name: "llm_call",
            doc: "a model answered",
            fields: &[
                f("provider", C::Source, "who serves the model"),
                f("model", C::Name, "which model"),
                f("duration_ms", C::DurationMs, "until the last token"),
                f("success", C::Success, "whether it succeeded"),
                f("error_type", C::ErrorType, "class of the failure"),
                f("input_tokens", C::InputTokens, "sent, cached ones included"),
                f(
                    "output_tokens",
                    C::OutputTokens,
                    "received, reasoning included",
                ),
                f(
                    "cache_read_tokens",
                    C::CacheReadTokens,
                    "of the input, read from cache",
                ),
                f(
                    "cache_write_tokens",
                    C::CacheWriteTokens,
                    "of the input, written to cache",
                ),
                f(
                    "reasoning_tokens",
                    C::ReasoningTokens,
                    "of the output, reasoning",
                ),
                f("cost_usd", C::CostUsd, "what it cost"),
                f("agent", C::Agent, "on whose behalf"),
                f("session_id", C::SessionId, "in which session"),
                f("parent_id", C::ParentId, "within which span or query"),
                f("trace_id", C::TraceId, "within which trace"),
                f("span_id", C::Id, "as which span"),
                f("operation", C::Type, "chat, text_completion, embeddings"),
            ],
        },
        Kind {
            name: "query",
            doc: "a user's query was answered, or abandoned",
            fields: &[
                f("query_id", C::Id, "which query"),
                f("agent_type", C::Agent, "type of agent that answered"),
                f("duration_ms", C::DurationMs, "from question to answer"),
                f("success", C::Success, "whether it succeeded"),
                f("error_type", C::ErrorType, "class of the failure"),
                f("status", C::Status, "completed or abandoned"),
                f("result_size_bytes", C::SizeBytes, "size of the answer"),
                f("tool_calls", C::ToolCalls, "tool calls within it"),
                f(
                    "graphql_queries",
                    C::GraphqlQueries,
                    "GraphQL queries within it",
                ),
                f("entities_detected", C::Entities, "kinds of entity it named"),
                f("complexity_score", C::Value, "0..=1"),
                f(
                    "parent_id",
                    C::ParentId,
                    "query or span it was asked within",
                ),
                f("query_text", C::Text, "only with keep_text"),
            ],
        },
        Kind {
            name: "agent_selection",
            doc: "an agent was chosen for a query",
            fields: &[
                f("query_id", C::Id, "which query"),
                f("selected_agent", C::Agent, "the type of agent chosen"),
                f("complexity_score", C::Value, "0..=1"),
                f("selection_reason", C::Name, "which rule chose it"),
            ],
        },
        Kind {
            name: "tool_usage",
            doc: "the tools that a query used",
            fields: &[
                f("query_id", C::Id, "which query"),
                f("tool_name", C::Name, "which tool"),
                f("tool_calls_count", C::ToolCalls, "how often"),
                f(
                    "graphql_queries_count",
                    C::GraphqlQueries,
                    "GraphQL queries",
                ),
                f("entities_detected", C::Entities, "kinds of entity"),
            ],
        },
        Kind {
            name: "metric",
            doc: "one measurement of any metric",
            fields: &[
                f("source", C::Source, "component it was measured in"),
                f("name", C::Name, "which metric"),
                f("type", C::Type, "counter, gauge, histogram, summary, rate"),
                f("value", C::Value, "the measurement"),
                f("unit", C::Unit, "its unit"),
                f(
                    "tags",
                    C::Tags,
                    "its attributes; identities hashed, texts left out, by key and value",
                ),
                f("count", C::Count, "how many measurements it is the mean of"),
            ],
        },
        Kind {
            name: "profile",
            doc: "a profiled operation",
            fields: &[
                f("component", C::Source, "which component"),
                f("operation", C::Name, "which operation"),
                f("duration_ms", C::DurationMs, "how long it took"),
                f("cpu_time_ms", C::Value, "processor time in it"),
                f("memory_peak_bytes", C::SizeBytes, "most memory held"),
                f("call_count", C::Count, "calls seen"),
            ],
        },
        Kind {
            name: "span",
            doc: "a timed operation with a place in a trace",
            fields: &[
                f("name", C::Name, "what was done"),
                f("span_id", C::Id, "which span"),
                f("trace_id", C::TraceId, "in which trace"),
                f("parent_id", C::ParentId, "within which span"),
                f("duration_ms", C::DurationMs, "how long it took"),
                f("success", C::Success, "whether it succeeded"),
                f("error_type", C::ErrorType, "class of the failure"),
                f("agent", C::Agent, "on whose behalf"),
                f("session_id", C::SessionId, "in which session"),
            ],
        },
        Kind {
            name: "alert",
            doc: "an alert rule changed state",
            fields: &[
                f("rule", C::Name, "which rule"),
                f("source", C::Source, "source of the metric"),
                f("severity", C::Type, "info, warning, critical"),
                f("status", C::Status, "firing, resolved"),
                f("value", C::Value, "value that decided"),
                f(
                    "tags",
                    C::Tags,
                    "metric, family, condition, threshold, window_seconds, labels",
                ),
            ],
        },
        Kind {
            name: "anomaly",
            doc: "a point or stretch that does not fit",
            fields: &[
                f("metric", C::Name, "which metric"),
                f("source", C::Source, "source of the metric"),
                f("type", C::Type, "outlier, level shift, trend"),
                f("severity", C::Status, "low, medium, high, critical"),
                f("value", C::Value, "the value found"),
            ],
        },
        Kind {
            name: "regression",
            doc: "something got worse against a baseline",
            fields: &[
                f("metric", C::Name, "which metric"),
                f("source", C::Source, "source of the metric"),
                f("type", C::Type, "latency, throughput, memory, error rate"),
                f("severity", C::Status, "minor to critical"),
                f("value", C::Value, "change in percent"),
            ],
        },
        Kind {
            name: "file_count_delta",
            doc: "files were added to or removed from a provider",
            fields: &[
                f("source", C::Source, "which provider"),
                Field {
                    key: "delta",
                    column: C::Count,
                    scale: 1.0,
                    signed: true,
                    doc: "how many; negative when removed",
                },
            ],
        },
        Kind {
            name: "loss",
            doc: "events that could not be recorded",
            fields: &[
                f("kind", C::Name, "type of the lost events"),
                f(
                    "reason",
                    C::Status,
                    "overload, cardinality, write_failed, too_long, damaged",
                ),
                f("count", C::Count, "how many since the last such event"),
            ],
        },
    ]
};

impl Kind {
    /// Finds a kind by its `event_type`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Finds the field of this kind that a column holds.
    pub fn field_of(&self, column: Column) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.column == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_uses_a_column_or_a_key_twice() {
        for kind in KINDS {
            for (at, field) in kind.fields.iter().enumerate() {
                for other in &kind.fields[at + 1..] {
                    assert_ne!(field.column, other.column, "{}", kind.name);
                    assert_ne!(field.key, other.key, "{}", kind.name);
                }
            }
            assert!(std::ptr::eq(
                Kind::by_name(kind.name).expect("is in the table"),
                kind
            ));
        }
    }
}
