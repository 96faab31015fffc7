//! Columns: the one wide row that every event becomes, in memory, in Parquet
//! and in SQL.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// UTF-8 text, few distinct values.
    Str,
    /// 64-bit signed whole number.
    I64,
    /// 64-bit float.
    F64,
    /// True or false.
    Bool,
    /// A list of short texts.
    List,
    /// A JSON object, as text.
    Json,
}

/// What may be stored of a field, and how (an allow-list: what has no class is
/// dropped at the door).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Numbers, enums, tool and model names: stored as they are.
    Plain,
    /// Identities: stored as a keyed hash.
    Hashed,
    /// Text, arguments, paths, messages: dropped unless `keep_text` is set.
    Dropped,
}

/// One column of the wide row, beside `timestamp` and `event_type`, which
/// every event has, and `extra`, which holds what no column can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is described in the table below")]
pub enum Column {
    Name,
    Agent,
    Source,
    Type,
    Status,
    ErrorType,
    Unit,
    Id,
    TraceId,
    ParentId,
    SessionId,
    Success,
    Hit,
    DurationMs,
    Value,
    CostUsd,
    SizeBytes,
    Count,
    Evictions,
    Tokens,
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    ReasoningTokens,
    ToolCalls,
    GraphqlQueries,
    Entities,
    Tags,
    Text,
}

/// How many columns there are.
pub const COLUMN_COUNT: usize = COLUMNS.len();

/// A column's entry in the table.
#[derive(Debug)]
pub struct ColumnDef {
    /// The column itself; its number is its place in the table.
    pub column: Column,
    /// Its name in Parquet and SQL.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// Unit and range, or `-`.
    pub unit: &'static str,
    /// What may be stored of it.
    pub privacy: Privacy,
    /// What it means.
    pub doc: &'static str,
}

const fn def(
    column: Column,
    name: &'static str,
    ty: Type,
    unit: &'static str,
    privacy: Privacy,
    doc: &'static str,
) -> ColumnDef {
    ColumnDef {
        column,
        name,
        ty,
        unit,
        privacy,
        doc,
    }
}

/// The table of columns, in the order of [`Column`] and of the Parquet schema.
pub const COLUMNS: &[ColumnDef] = {
    use Privacy::{Dropped, Hashed, Plain};
    use Type::{Bool, F64, I64, Json, List, Str};
    &[
        def(
            Column::Name,
            "name",
            Str,
            "-",
            Plain,
            "what was done: operation, tool, cache, model, metric, session type",
        ),
        def(
            Column::Agent,
            "agent",
            Str,
            "-",
            Hashed,
            "which agent: a keyed hash, or the type of agent that answered a query",
        ),
        def(
            Column::Source,
            "source",
            Str,
            "-",
            Plain,
            "where from: model provider, metric source, profiled component",
        ),
        def(
            Column::Type,
            "type",
            Str,
            "-",
            Plain,
            "metric type, severity or anomaly type",
        ),
        def(
            Column::Status,
            "status",
            Str,
            "-",
            Plain,
            "outcome or state: hit, miss, eviction, completed, abandoned, firing",
        ),
        def(
            Column::ErrorType,
            "error_type",
            Str,
            "-",
            Plain,
            "class of the failure, never its message",
        ),
        def(Column::Unit, "unit", Str, "UCUM", Plain, "unit of `value`"),
        def(
            Column::Id,
            "id",
            Str,
            "-",
            Plain,
            "identifies the query or span",
        ),
        def(
            Column::TraceId,
            "trace_id",
            Str,
            "hex",
            Plain,
            "trace that a span belongs to",
        ),
        def(
            Column::ParentId,
            "parent_id",
            Str,
            "hex",
            Plain,
            "span or query it happened within",
        ),
        def(
            Column::SessionId,
            "session_id",
            Str,
            "-",
            Hashed,
            "session or conversation it belongs to",
        ),
        def(
            Column::Success,
            "success",
            Bool,
            "-",
            Plain,
            "whether it succeeded",
        ),
        def(
            Column::Hit,
            "hit",
            Bool,
            "-",
            Plain,
            "whether a cache answered",
        ),
        def(
            Column::DurationMs,
            "duration_ms",
            F64,
            "ms, >= 0",
            Plain,
            "how long it took",
        ),
        def(
            Column::Value,
            "value",
            F64,
            "see `unit`",
            Plain,
            "measured value, complexity score (0..=1) or hit rate (0..=100)",
        ),
        def(
            Column::CostUsd,
            "cost_usd",
            F64,
            "US dollars",
            Plain,
            "what it cost",
        ),
        def(
            Column::SizeBytes,
            "size_bytes",
            I64,
            "bytes, >= 0",
            Plain,
            "size of the content or result",
        ),
        def(
            Column::Count,
            "count",
            I64,
            "1",
            Plain,
            "how many: agents found, entries cached, events lost",
        ),
        def(
            Column::Evictions,
            "evictions",
            I64,
            "1, >= 0",
            Plain,
            "entries evicted",
        ),
        def(
            Column::Tokens,
            "tokens",
            I64,
            "tokens, >= 0",
            Plain,
            "estimated or total tokens of a load or session",
        ),
        def(
            Column::InputTokens,
            "input_tokens",
            I64,
            "tokens, >= 0",
            Plain,
            "tokens sent to a model, cached ones included",
        ),
        def(
            Column::OutputTokens,
            "output_tokens",
            I64,
            "tokens, >= 0",
            Plain,
            "tokens received from a model, reasoning included",
        ),
        def(
            Column::CacheReadTokens,
            "cache_read_tokens",
            I64,
            "tokens, >= 0",
            Plain,
            "input tokens read from the provider's cache",
        ),
        def(
            Column::CacheWriteTokens,
            "cache_write_tokens",
            I64,
            "tokens, >= 0",
            Plain,
            "input tokens written to the provider's cache",
        ),
        def(
            Column::ReasoningTokens,
            "reasoning_tokens",
            I64,
            "tokens, >= 0",
            Plain,
            "output tokens spent on reasoning",
        ),
        def(
            Column::ToolCalls,
            "tool_calls",
            I64,
            "1, >= 0",
            Plain,
            "tool calls within a query",
        ),
        def(
            Column::GraphqlQueries,
            "graphql_queries",
            I64,
            "1, >= 0",
            Plain,
            "GraphQL queries within a query",
        ),
        def(
            Column::Entities,
            "entities",
            List,
            "-",
            Plain,
            "kinds of entity that a query named",
        ),
        def(
            Column::Tags,
            "tags",
            Json,
            "-",
            Plain,
            "attributes of a metric or usage event",
        ),
        def(
            Column::Text,
            "text",
            Str,
            "-",
            Dropped,
            "prompt, message or path; only with `keep_text`",
        ),
    ]
};

impl Column {
    /// Returns the column's entry in the table.
    pub fn def(self) -> &'static ColumnDef {
        &COLUMNS[self as usize]
    }

    /// Returns the column's name in Parquet and SQL.
    pub fn name(self) -> &'static str {
        self.def().name
    }

    /// Finds a column by its name in Parquet and SQL.
    pub fn by_name(name: &str) -> Option<Self> {
        COLUMNS
            .iter()
            .find(|def| def.name == name)
            .map(|def| def.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_s_number_is_its_place() {
        for (at, def) in COLUMNS.iter().enumerate() {
            assert_eq!(def.column as usize, at, "{}", def.name);
            assert_eq!(Column::by_name(def.name), Some(def.column));
        }
    }
}
