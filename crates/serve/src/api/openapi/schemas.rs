//! Shapes of bodies. Those of answers stand in [`super::answers`]; those
//! that renderers give the seeds' keys are written down here.

use serde_json::{Map, Value, json};
use tachograph_model::alert::FAMILIES;
use tachograph_model::answer::{
    Agents, Caches, Changes, Errors, Losses, Method, Metrics, Models, Note, Queries, SecondOpinion,
    SessionList, Sessions, Storage, Timeline, TokenSavings, Tools, Trace, Usage,
};
use tachograph_model::render::report::Section;
use tachograph_model::{Column, KINDS, Type};

use super::alerts::{new_rule, owned_rule, rule};
use super::answers::{Named, Shape};
use crate::api::params::Takes;
use crate::api::problem::Kind;

/// Shapes by name.
pub(super) struct Schemas {
    named: Named,
}

/// A reference to a shape.
pub(super) fn shape(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with just these members, all of them.
pub(super) fn object(members: Value) -> Value {
    let names: Vec<&String> = members
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .collect();
    let mut object = json!({"type": "object", "required": names, "properties": members});
    object["additionalProperties"] = false.into();
    object
}

/// An object with some of these members.
fn some_of(members: Value) -> Value {
    json!({"type": "object", "properties": members, "additionalProperties": false})
}

fn or_null(ty: &str) -> Value {
    json!({"type": [ty, "null"]})
}

pub(super) fn number() -> Value {
    json!({"type": "number"})
}

pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn map(values: Value) -> Value {
    json!({"type": "object", "additionalProperties": values})
}

impl Schemas {
    /// All that are not of one question.
    pub(super) fn new() -> Self {
        let mut all = Self { named: Map::new() };
        let notes = list(all.of::<Note>());
        let method = all.of::<Method>();
        for (name, schema) in [
            ("Problem", problem()),
            ("SeedError", object(json!({"error": text()}))),
            ("Notes", notes),
            (
                "About",
                object(json!({
                    "from": or_null("string"),
                    "to": or_null("string"),
                    "events": count(),
                    "method": method,
                })),
            ),
            ("Rule", rule()),
            ("OwnedRule", owned_rule()),
            ("NewRule", new_rule()),
            ("Live", live()),
            ("StreamMessage", stream()),
            ("Summary", summary()),
            ("Event", event()),
            ("EventsAnswer", events_answer()),
        ] {
            all.named.insert(name.to_owned(), schema);
        }
        all
    }

    /// The shape of a type of the model, or a reference to it.
    fn of<T: Shape>(&mut self) -> Value {
        T::shape(&mut self.named)
    }

    /// The shape of the JSON form of a view.
    pub(super) fn view(&mut self, name: &str) -> Value {
        match name {
            "report" => self.report(),
            "stats" => self.stats(),
            "health" => self.health(),
            "trends" => self.trends_page(),
            "changes" => self.changes(),
            "timeline" => self.one::<Timeline>(name),
            "session_list" => self.one::<SessionList>(name),
            "trace" => self.one::<Trace>(name),
            "storage" => object(json!({
                "file_count": count(),
                "total_events": count(),
                "total_size_bytes": count(),
                "latest_event_time": or_null("string"),
                "storage_dir": text(),
            })),
            name => match Section::by_name(name) {
                Some(section) => {
                    let figures = self.section(section);
                    object(json!({
                        section.name(): figures,
                        "about": shape("About"),
                        "notes": shape("Notes"),
                    }))
                }
                // A question that is no section yet.
                None => object(json!({name: {}, "notes": shape("Notes")})),
            },
        }
    }

    /// An answer under its name, with the window and the notes.
    fn one<T: Shape>(&mut self, name: &str) -> Value {
        let figures = self.of::<T>();
        object(json!({name: figures, "about": shape("About"), "notes": shape("Notes")}))
    }

    /// A section as it stands under its name.
    fn section(&mut self, section: Section) -> Value {
        match section {
            Section::Discovery => discovery(),
            Section::TokenSavings => object(json!({
                "total_agents_loaded": count(),
                "total_tokens_loaded": {"type": "integer"},
                "avg_tokens_per_agent": number(),
                "estimated_baseline_tokens": {"type": "integer"},
                "estimated_savings_tokens": {"type": "integer"},
                "savings_percentage": number(),
            })),
            Section::CachePerformance => some_of(json!({
                "total_lookups": count(),
                "cache_hits": count(),
                "cache_misses": count(),
                "hit_rate_percentage": number(),
                "avg_hit_latency_ms": number(),
                "avg_miss_latency_ms": number(),
                "speedup": or_null("number"),
            })),
            Section::Trends => object(json!({
                "daily_stats": list(object(json!({
                    "date": text(),
                    "operations": count(),
                    "avg_latency_ms": number(),
                    "cache_hit_rate": number(),
                }))),
                "trend": text(),
            })),
            Section::Queries => self.of::<Queries>(),
            Section::Tools => self.of::<Tools>(),
            Section::Caches => self.of::<Caches>(),
            Section::Models => self.of::<Models>(),
            Section::Sessions => self.of::<Sessions>(),
            Section::Agents => self.of::<Agents>(),
            Section::Errors => self.of::<Errors>(),
            Section::Usage => self.of::<Usage>(),
            Section::Metrics => self.of::<Metrics>(),
            Section::Losses => self.of::<Losses>(),
            Section::Storage => self.of::<Storage>(),
        }
    }

    fn sections(&mut self) -> Map<String, Value> {
        let all = Section::ALL.iter();
        all.map(|section| (section.name().to_owned(), self.section(*section)))
            .collect()
    }

    fn report(&mut self) -> Value {
        let mut members = self.sections();
        let savings = self.of::<TokenSavings>();
        let second = self.of::<Option<SecondOpinion>>();
        for (name, schema) in [
            ("report_period_days", or_null("number")),
            ("generated_at", time()),
            ("discovery_stats", discovery()),
            ("savings", savings),
            ("second_opinion", second),
            ("about", shape("About")),
            ("notes", shape("Notes")),
        ] {
            members.insert(name.to_owned(), schema);
        }
        let mut report = some_of(members.into());
        // The section of queries alone is the fifth seed's report, by its keys.
        report["additionalProperties"] = true.into();
        report
    }

    fn stats(&mut self) -> Value {
        let mut members = self.sections();
        for (name, schema) in [
            ("report_generated_at", time()),
            ("message", text()),
            ("comparison", map(number())),
            ("about", shape("About")),
            ("notes", shape("Notes")),
        ] {
            members.insert(name.to_owned(), schema);
        }
        let mut stats = some_of(members.into());
        // `<type>_agent`, for every type of agent, and the fifth seed's figures.
        stats["additionalProperties"] = true.into();
        stats
    }

    fn health(&mut self) -> Value {
        let storage = self.of::<Storage>();
        object(json!({
            "generated_at": time(),
            "period_days": or_null("number"),
            "operational": {"type": "boolean"},
            "missed": {"type": "boolean"},
            "verdict": text(),
            "checks": list(object(json!({
                "name": text(),
                "value": or_null("number"),
                "unit": {"enum": ["ms", "percent"]},
                "target": number(),
                "status": {"enum": ["good", "warning", "bad"]},
            }))),
            "trend": text(),
            "storage": storage,
            "tips": list(text()),
            "notes": shape("Notes"),
        }))
    }

    fn trends_page(&mut self) -> Value {
        let trends = self.section(Section::Trends);
        let second = self.of::<Option<SecondOpinion>>();
        let mut day = object(json!({
            "date": text(),
            "total_queries": count(),
            "success_rate": or_null("number"),
            "avg_response_time_ms": number(),
            "simple_agent_usage": number(),
            "crewai_agent_usage": number(),
        }));
        day["properties"]["agent_usage"] = map(number());
        day["properties"]["agent_usage"]["description"] =
            "shares of every type of agent, where there are others than those two".into();
        some_of(json!({
            "message": text(),
            "period_days": {"type": ["number", "string", "null"]},
            "trend_data": list(day),
            "summary": object(json!({
                "total_days": count(),
                "avg_queries_per_day": number(),
                "avg_success_rate": or_null("number"),
                "avg_response_time_ms": number(),
            })),
            "trends": trends,
            "second_opinion": second,
            "notes": shape("Notes"),
        }))
    }

    fn changes(&mut self) -> Value {
        self.of::<Changes>();
        // The answer's own members, and some more beside them.
        let mut changes = self.named["Changes"]["properties"].clone();
        changes["from"] = time();
        changes["generated_at"] = time();
        changes["notes"] = shape("Notes");
        object(changes)
    }

    /// All of them, by name.
    pub(super) fn all(self) -> Named {
        self.named
    }
}

fn discovery() -> Value {
    let figures = json!({
        "p50_ms": number(),
        "p95_ms": number(),
        "p99_ms": number(),
        "avg_ms": number(),
    });
    let mut operation = figures.clone();
    operation["count"] = count();
    let mut operation = object(operation);
    operation["properties"]["cache_hit_rate"] = number();
    object(json!({
        "total_operations": count(),
        "by_operation": map(operation),
        "overall": some_of(figures),
    }))
}

fn problem() -> Value {
    let kinds = Kind::ALL.iter();
    let kinds: Vec<String> = kinds
        .map(|kind| format!("urn:tachograph:problem:{}", kind.slug()))
        .collect();
    let mut problem = object(json!({
        "type": {"type": "string", "enum": kinds},
        "title": text(),
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": text(),
    }));
    for (name, schema) in [
        (
            "parameter",
            json!({"type": "string", "description": "which parameter"}),
        ),
        (
            "value",
            json!({"type": "string", "description": "what was given"}),
        ),
        ("allowed", json!({"description": "what may be given"})),
        (
            "near",
            json!({"type": "string", "description": "what was probably meant"}),
        ),
        ("retry_after_seconds", count()),
    ] {
        problem["properties"][name] = schema;
    }
    problem["description"] = "RFC 9457".into();
    problem["additionalProperties"] = true.into();
    problem
}

fn live() -> Value {
    object(json!({
        "family": text(),
        "window_seconds": count(),
        "timestamp": time(),
        "series": list(series()),
    }))
}

/// A snapshot or a delta.
fn stream() -> Value {
    let families = |items: Value| {
        json!({
            "type": "object",
            "propertyNames": {"enum": FAMILIES},
            "additionalProperties": {"type": "array", "items": items},
        })
    };
    let key = json!({"type": "array", "items": text(), "minItems": 2, "maxItems": 2});
    let alerts = || json!({"type": "array", "items": {"type": "object"}, "maxItems": 100});
    object(json!({
        "type": {"type": "string", "enum": ["snapshot", "delta"]},
        "epoch": {"type": "string", "description": "of the server; another one after a restart"},
        "seq": {"type": "integer", "minimum": 0, "description": "rises; for `after`"},
        "timestamp": time(),
        "window_seconds": count(),
        "families": families(series()),
        "gone": families(key),
        "overview": object(json!({
            "events_per_second": number(),
            "failed_per_second": number(),
            "tokens_per_second": or_null("number"),
            "cost_per_hour": or_null("number"),
            "active_sessions": count(),
            "alerts_firing": count(),
            "alerts_pending": count(),
        })),
        "alerts": object(json!({"firing": alerts(), "pending": alerts()})),
    }))
}

/// One series of a window; null where no event told a value.
pub(super) fn series() -> Value {
    let figure = || or_null("number");
    object(json!({
        "source": text(),
        "name": text(),
        "type": or_null("string"),
        "unit": or_null("string"),
        "count": count(),
        "failed": count(),
        "rate_per_second": number(),
        "values": count(),
        "sum": figure(),
        "min": figure(),
        "max": figure(),
        "avg": figure(),
        "std": figure(),
        "p50": figure(),
        "p95": figure(),
        "p99": figure(),
        "latest": figure(),
        "latest_at": {"anyOf": [time(), {"type": "null"}]},
        "change_per_second": figure(),
        "relative_error": figure(),
        "limits": list(object(json!({
            "name": text(),
            "type": {"type": "string", "enum": ["threshold", "efficiency", "latency"]},
            "of": {"type": "string", "enum": ["latest", "p95"]},
            "above": number(),
            "baseline": number(),
            "severity": {"type": "string", "enum": ["major", "high", "critical"]},
            "value": number(),
            "exceeded": {"type": "boolean"},
            "change_percent": number(),
        }))),
    }))
}

fn summary() -> Value {
    let mut stats = object(json!({
        "count": count(),
        "sum": number(),
        "min": number(),
        "max": number(),
        "avg": number(),
        "std": number(),
        "p50": number(),
        "p95": number(),
        "p99": number(),
        "latest": number(),
        "rate": {"type": "number", "description": "measurements a second of the window"},
    }));
    stats["properties"]["relative_error"] = json!({
        "type": "number",
        "description": "by what part of it a percentile may be off; not there when it is exact",
    });
    object(json!({
        "window_seconds": count(),
        "timestamp": time(),
        "sources": map(map(object(json!({
            "name": text(),
            "source": text(),
            "type": text(),
            "stats": stats,
            "window_seconds": count(),
        })))),
        "total_metrics": count(),
        "total_points": count(),
        "recent_alerts": list(alert()),
        "alert_count": count(),
    }))
}

/// An alert as the log holds it.
pub(super) fn alert() -> Value {
    object(json!({
        "timestamp": time(),
        "rule_name": or_null("string"),
        "metric_name": or_null("string"),
        "source": or_null("string"),
        "severity": or_null("string"),
        "status": or_null("string"),
        "condition": or_null("string"),
        "threshold": or_null("number"),
        "actual_value": or_null("number"),
        "window_seconds": or_null("integer"),
        "description": or_null("string"),
    }))
}

/// An event, by kind: from the table that the log's codec is made from.
fn event() -> Value {
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let mut members = Map::new();
            members.insert("event_type".into(), json!({"const": kind.name}));
            let timestamp = json!({
                "description": "when, as text or in seconds since 1970; the present unless it says",
                "anyOf": [Takes::Instant.schema(), {
                    "type": "number",
                    "exclusiveMinimum": i64::MIN / 1_000_000_000,
                    "exclusiveMaximum": i64::MAX / 1_000_000_000,
                }],
            });
            members.insert("timestamp".into(), timestamp);
            for field in kind.fields {
                let mut schema = match field.column.def().ty {
                    Type::Str => or_null("string"),
                    Type::I64 => {
                        let least = if field.signed { i64::MIN } else { 0 };
                        let mut schema = or_null("integer");
                        schema["minimum"] = least.into();
                        schema["maximum"] = i64::MAX.into();
                        schema
                    }
                    Type::F64 => {
                        let most = f64::MAX / field.scale;
                        let is_duration = field.column == Column::DurationMs;
                        let mut schema = or_null("number");
                        schema["minimum"] = if is_duration { 0.0 } else { -most }.into();
                        schema["maximum"] = most.into();
                        schema
                    }
                    Type::Bool => or_null("boolean"),
                    Type::List => json!({"type": ["array", "null"], "items": text()}),
                    Type::Json => or_null("object"),
                };
                schema["description"] = field.doc.into();
                members.insert(field.key.to_owned(), schema);
            }
            json!({
                "title": kind.name,
                "description": kind.doc,
                "type": "object",
                "required": ["event_type"],
                "properties": members,
            })
        })
        .collect();
    json!({"oneOf": kinds})
}

fn events_answer() -> Value {
    let mut answer = object(json!({
        "accepted": count(),
        "duplicates": count(),
        "rejected": list(json!({
            "type": "object",
            "required": ["index", "line", "error"],
            "properties": {
                "index": count(),
                "line": count(),
                "key": text(),
                "error": text(),
            },
        })),
        "rejected_total": count(),
    }));
    // Only where there are some.
    answer["properties"]["unknown_fields"] = list(json!({
        "type": "object",
        "required": ["event_type", "field"],
        "properties": {"event_type": text(), "field": text(), "did_you_mean": text()},
    }));
    answer
}
