//! Shapes of the model's answers, one table: their fields as they are written.
//! The compiler holds it against the types, so that it can say neither more nor
//! less than they do.

use serde_json::{Map, Value, json};
use tachograph_model::UnixNanos;
use tachograph_model::answer::{
    AgentCount, AgentUse, Agents, CacheReports, CacheUse, Caches, Change, Changes, Complexity,
    CountRange, Direction, ErrorGroup, Errors, Figure, Finding, Loss, Losses, Measure, Method,
    Metrics, ModelUse, Models, Note, NoteKind, OneSession, Outcomes, Queries, QueryAgent, QueryDay,
    Saving, SecondOpinion, Series, SessionList, SessionType, Sessions, Spread, Storage, Tally,
    Timeline, TimelineBucket, TokenCounts, TokenSavings, Tool, Tools, Trace, TraceEvent, Usage,
    UsageDay,
};
use tachograph_model::question::{Baseline, BaselineSource, QueryLimits};

use super::schemas::shape;

/// Shapes of types that have a name, as they are met.
pub(super) type Named = Map<String, Value>;

/// Something that is written as JSON.
pub(super) trait Shape {
    /// Its shape, or a reference to it; what is referred to is in `named`.
    fn shape(named: &mut Named) -> Value;
}

/// Types that are written the same whatever they hold.
macro_rules! plain {
    ($($ty:ty => $schema:tt,)*) => {
        $(impl Shape for $ty {
            fn shape(_: &mut Named) -> Value {
                json!($schema)
            }
        })*
    };
}

plain! {
    String => {"type": "string"},
    &'static str => {"type": "string"},
    bool => {"type": "boolean"},
    u64 => {"type": "integer", "minimum": 0},
    i64 => {"type": "integer"},
    f64 => {"type": "number"},
    UnixNanos => {"type": "string", "format": "date-time"},
}

impl<T: Shape> Shape for Option<T> {
    fn shape(named: &mut Named) -> Value {
        json!({"anyOf": [T::shape(named), {"type": "null"}]})
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn shape(named: &mut Named) -> Value {
        json!({"type": "array", "items": T::shape(named)})
    }
}

impl<T: Shape, const N: usize> Shape for [T; N] {
    fn shape(named: &mut Named) -> Value {
        json!({"type": "array", "items": T::shape(named), "minItems": N, "maxItems": N})
    }
}

/// Structs, field by field.
macro_rules! structs {
    ($($ty:ident { $($field:ident: $of:ty,)* })*) => {
        $(impl Shape for $ty {
            fn shape(named: &mut Named) -> Value {
                // Does not compile if a field is missing here, or is of another type.
                let _complete = |it: $ty| {
                    let $ty { $($field,)* } = it;
                    $(let _: $of = $field;)*
                };
                let name = stringify!($ty);
                if named.contains_key(name) {
                    return shape(name);
                }
                // Held while its fields are looked at.
                named.insert(name.to_owned(), Value::Null);
                let mut fields = Map::new();
                $(fields.insert(
                    stringify!($field).trim_start_matches("r#").to_owned(),
                    <$of as Shape>::shape(named),
                );)*
                let required: Vec<String> = fields.keys().cloned().collect();
                let schema = json!({
                    "type": "object",
                    "required": required,
                    "properties": fields,
                    "additionalProperties": false,
                });
                named.insert(name.to_owned(), schema);
                shape(name)
            }
        })*
    };
}

/// Enums whose variants are names; serde says which.
macro_rules! names {
    ($($ty:ident { $($variant:ident)* })*) => {
        $(impl Shape for $ty {
            fn shape(_: &mut Named) -> Value {
                let _complete = |it: $ty| match it { $($ty::$variant => (),)* };
                json!({"type": "string", "enum": [$($ty::$variant),*]})
            }
        })*
    };
}

names! {
    BaselineSource { Index Config Default }
    Direction { Improving Stable Degrading }
    Figure { MedianMs FailureRatio HitRatio CostUsd }
    Finding { LevelShift Outlier }
    Measure { DurationMs Value }
    NoteKind {
        SketchError LinesSkipped SegmentSkipped ValuesSkipped NotEnoughData LossyRecording
        SecondOpinion Baseline RowLimit Cardinality Unanswered
    }
}

impl Shape for Method {
    fn shape(_: &mut Named) -> Value {
        let _complete = |it: Self| match it {
            Self::Exact => (),
            Self::Sketch { relative_error: _ } => (),
        };
        json!({"oneOf": [
            {"const": "exact"},
            {
                "type": "object",
                "required": ["sketch"],
                "properties": {"sketch": {
                    "type": "object",
                    "required": ["relative_error"],
                    "properties": {"relative_error": {"type": "number"}},
                }},
            },
        ]})
    }
}

structs! {
    Agents { agents: Vec<AgentUse>, }
    AgentUse {
        agent: String, events: u64, loads: u64, loaded_tokens: i64, load_ms: Option<Spread>,
        uses: u64, tool_calls: Outcomes, tool_call_ms: Option<Spread>, llm_calls: Outcomes,
        tokens: Option<TokenCounts>, cost_usd: Option<f64>, first: UnixNanos, last: UnixNanos,
    }
    Caches { caches: Vec<CacheUse>, reports: Option<CacheReports>, }
    CacheUse {
        name: String, hits: u64, misses: u64, hit_ratio: Option<f64>, evictions: u64,
        size_rejections: u64, hit_ms: Option<Spread>, miss_ms: Option<Spread>,
    }
    CacheReports {
        reports: u64, hit_percent: Option<Spread>, mean_size: Option<f64>, evictions: i64,
    }
    Changes { changes: Vec<Change>, series: u64, too_short: u64, }
    Change {
        event_type: String, name: String, figure: Figure, finding: Finding, since: String,
        before: f64, after: f64, factor: Option<f64>, days_before: u64, days_after: u64,
        p: Option<f64>, worse: bool,
    }
    Errors { total: u64, types: Vec<Tally>, groups: Vec<ErrorGroup>, }
    ErrorGroup {
        error_type: String, event_type: String, name: Option<String>, source: Option<String>,
        count: u64, first: UnixNanos, last: UnixNanos,
    }
    Losses { total: u64, losses: Vec<Loss>, }
    Loss { kind: String, reason: String, count: u64, first: UnixNanos, last: UnixNanos, }
    Metrics { series: Vec<Series>, }
    Series {
        source: Option<String>, name: String, r#type: Option<String>, unit: Option<String>,
        points: u64, value: Option<Spread>, first: UnixNanos, last: UnixNanos,
    }
    Models {
        models: Vec<ModelUse>, calls: Outcomes, tokens: TokenCounts, cost_usd: Option<f64>,
    }
    ModelUse {
        provider: Option<String>, model: String, calls: Outcomes, success_ratio: Option<f64>,
        tokens: TokenCounts, cost_usd: Option<f64>, priced_calls: u64,
        duration_ms: Option<Spread>,
    }
    TokenCounts { input: i64, output: i64, cache_read: i64, cache_write: i64, reasoning: i64, }
    Note { kind: NoteKind, text: String, question: Option<&'static str>, }
    Queries {
        total: u64, outcomes: Outcomes, success_ratio: Option<f64>, abandoned: u64,
        duration_ms: Option<Spread>, limits: QueryLimits, slow: CountRange,
        very_slow: CountRange, agents: Vec<QueryAgent>, days: Vec<QueryDay>, errors: Vec<Tally>,
        entities: Vec<Tally>, complexity: Option<Complexity>, selections: Vec<Tally>,
        selection_reasons: Vec<Tally>,
    }
    QueryLimits { slow_ms: f64, very_slow_ms: f64, high_complexity: f64, }
    QueryAgent {
        agent: String, count: u64, share: f64, outcomes: Outcomes, success_ratio: Option<f64>,
        duration_ms: Option<Spread>, mean_tool_calls: Option<f64>,
        mean_graphql_queries: Option<f64>, mean_complexity: Option<f64>,
    }
    QueryDay {
        date: String, total: u64, outcomes: Outcomes, success_ratio: Option<f64>,
        duration_ms: Option<Spread>, agents: Vec<AgentCount>,
    }
    AgentCount { agent: String, count: u64, share: f64, }
    Complexity { score: Spread, high: CountRange, }
    Sessions {
        started: u64, ended: u64, duration_ms: Option<Spread>, mean_initial_tokens: Option<f64>,
        mean_tokens: Option<f64>, mean_agents: Option<f64>, types: Vec<SessionType>,
    }
    SessionType { name: String, started: u64, ended: u64, duration_ms: Option<Spread>, }
    Storage {
        log_files: u64, log_bytes: u64, log_events: Option<u64>, segments: u64,
        segment_bytes: u64, segment_events: u64, rollup_bytes: u64,
        earliest: Option<UnixNanos>, latest: Option<UnixNanos>,
    }
    SessionList { sessions: Vec<OneSession>, more: u64, }
    OneSession {
        session: String, agent: Option<String>, first: UnixNanos, last: UnixNanos, events: u64,
        tool_calls: u64, llm_calls: u64, failed: u64, tokens: Option<i64>, cost_usd: Option<f64>,
    }
    Trace { events: Vec<TraceEvent>, more: u64, }
    TraceEvent {
        start: UnixNanos, timestamp: UnixNanos, duration_ms: Option<f64>, event_type: String,
        name: Option<String>, source: Option<String>, status: Option<String>,
        error_type: Option<String>, span_id: Option<String>, parent_id: Option<String>,
        tokens: Option<i64>, cost_usd: Option<f64>,
    }
    Timeline {
        kind: Option<String>, name: Option<String>, source: Option<String>,
        measure: Option<Measure>, bucket_seconds: u64, buckets: Vec<TimelineBucket>, later: u64,
    }
    TimelineBucket {
        from: UnixNanos, count: u64, failed: u64, unknown: u64, p50: Option<f64>,
        p95: Option<f64>, p99: Option<f64>, mean: Option<f64>, sum: Option<f64>,
        input_tokens: Option<i64>, output_tokens: Option<i64>, cost_usd: Option<f64>,
        hits: Option<u64>, misses: Option<u64>,
    }
    TokenSavings {
        loads: u64, agents: u64, tokens: i64, mean_tokens: Option<f64>, baseline: Baseline,
        sessions: u64, against_one_session: Option<Saving>, against_sessions: Option<Saving>,
    }
    Baseline { agents: u64, tokens: i64, source: BaselineSource, }
    Saving { baseline_tokens: i64, saved_tokens: i64, saved_ratio: Option<f64>, }
    SecondOpinion {
        slope_ms_per_day: f64, slope_low: f64, slope_high: f64, tau: f64, p: f64,
        direction: Direction,
    }
    Tools { tools: Vec<Tool>, calls: Outcomes, duration_ms: Option<Spread>, }
    Tool {
        name: String, calls: Outcomes, success_ratio: Option<f64>, duration_ms: Option<Spread>,
        errors: Vec<Tally>, first: UnixNanos, last: UnixNanos,
    }
    Usage {
        events: u64, hours: [u64; 24], weekdays: [u64; 7], grid: [[u64; 24]; 7],
        days: Vec<UsageDay>, kinds: Vec<Tally>,
    }
    UsageDay { date: String, events: u64, }
    Spread {
        count: u64, sum: f64, mean: f64, min: f64, max: f64, p50: f64, p95: f64, p99: f64,
    }
    Tally { name: String, count: u64, }
    CountRange { at_least: u64, at_most: u64, }
    Outcomes { succeeded: u64, failed: u64, unknown: u64, }
}
