//! Paths in the fourth seed's shapes, and what they answer.

use serde_json::{Value, json};

use super::paths::{Told, in_path, json_of, of, operation};
use super::schemas::{alert, shape};
use crate::api::params::Takes;
use crate::api::problem::Kind;
use crate::api::seed4::{HISTORY_PARAMS, SUMMARY_PARAMS, shape::SOURCES};

/// All of them.
pub(super) fn paths() -> [(&'static str, Value); 8] {
    [
        ("/health", json!({"get": health()})),
        ("/api/metrics/summary", json!({"get": summary()})),
        (
            "/api/metrics/history/{source}/{metric}",
            json!({"get": history()}),
        ),
        ("/api/metrics/sources", json!({"get": sources()})),
        ("/api/alerts", json!({"get": alerts()})),
        ("/api/alerts/rules", json!({"post": add_rule()})),
        ("/api/export/{format}", json!({"get": export()})),
        ("/ws", json!({"get": websocket()})),
    ]
}

/// An operation: what the seed refuses it says its own way.
fn seed(told: &Told, params: Vec<Value>, ok: Value, statuses: &[u16]) -> Value {
    let mut operation = operation(told, params, ok, &[]);
    for status in statuses {
        operation["responses"][status.to_string()] =
            json_of("what is wrong, in the seed's form", shape("SeedError"));
    }
    operation["responses"]["default"] = json!({
        "description": "what else may go wrong",
        "content": {
            "application/json": {"schema": shape("SeedError")},
            "application/problem+json": {"schema": shape("Problem")},
        },
    });
    operation
}

fn health() -> Value {
    let told = Told {
        id: "lives",
        tag: "about",
        summary: "Whether the server lives.",
        description: "Needs no token.",
    };
    let schema = |status: &str| {
        json!({
            "type": "object",
            "required": ["status", "timestamp", "websocket_clients", "metrics_collector"],
            "properties": {
                "status": {"const": status},
                "timestamp": {"type": "string", "format": "date-time"},
                "websocket_clients": {"type": "integer", "minimum": 0},
                "metrics_collector": {"enum": ["running", "stopped"]},
                "reason": {"type": "string"},
            },
        })
    };
    let lives = json_of("it does", schema("healthy"));
    let mut operation = seed(&told, Vec::new(), lives, &[]);
    let fails = json_of("the disk refuses what comes", schema("failing"));
    operation["responses"]["503"] = fails;
    operation
}

fn summary() -> Value {
    let told = Told {
        id: "summary",
        tag: "live",
        summary: "Figures of every metric in a window.",
        description: "A metric that nothing was measured of in it is not there.",
    };
    let answer = json_of("the figures", shape("Summary"));
    seed(&told, of(SUMMARY_PARAMS), answer, &[400, 429, 500])
}

fn history() -> Value {
    let told = Told {
        id: "history",
        tag: "live",
        summary: "Points of one metric.",
        description: "The newest 10000 at most, in order of time. Of up to an hour they come from \
            live state, of more from the events.",
    };
    let name = || Takes::Text(256).schema();
    let mut params = vec![
        in_path(
            "source",
            "one of those that /api/metrics/sources lists",
            name(),
        ),
        in_path("metric", "its name; may hold slashes", name()),
    ];
    params.extend(of(HISTORY_PARAMS));
    let schema = json!({
        "type": "object",
        "required": ["source", "metric", "duration_seconds", "data_points", "data"],
        "properties": {
            "source": {"type": "string"},
            "metric": {"type": "string"},
            "duration_seconds": {"type": "integer"},
            "data_points": {"type": "integer"},
            "data": {"type": "array", "items": {
                "type": "object",
                "required": ["timestamp", "value"],
                "properties": {
                    "timestamp": {"type": "string", "format": "date-time"},
                    "value": {"type": "number"},
                },
            }},
        },
    });
    seed(
        &told,
        params,
        json_of("the points", schema),
        &[400, 429, 500],
    )
}

fn sources() -> Value {
    let told = Told {
        id: "sources",
        tag: "live",
        summary: "Where measurements come from.",
        description: "The seed's six, and what else was seen.",
    };
    let schema = json!({
        "type": "object",
        "required": ["sources"],
        "properties": {"sources": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": SOURCES.len(),
        }},
    });
    seed(&told, Vec::new(), json_of("their names", schema), &[])
}

fn alerts() -> Value {
    let told = Told {
        id: "alerts",
        tag: "alerts",
        summary: "Alerts and rules.",
        description: "The newest 100 alerts, the oldest of them first: `alert` events of the last \
            hour and since the server's start, whoever recorded them. Rules are those of the API, \
            of config.yaml and built in, one a name. `/api/v1/alerts` says how they stand.",
    };
    let schema = json!({
        "type": "object",
        "required": ["alerts", "rules", "total_alerts", "active_rules"],
        "properties": {
            "alerts": {"type": "array", "items": alert()},
            "rules": {"type": "array", "items": shape("Rule")},
            "total_alerts": {"type": "integer"},
            "active_rules": {"type": "integer"},
        },
    });
    seed(&told, Vec::new(), json_of("both", schema), &[429, 500])
}

fn add_rule() -> Value {
    let told = Told {
        id: "add_rule",
        tag: "alerts",
        summary: "Keep a rule.",
        description: "In the place of one of the same name. 256 at most. Kept in \
            `alerts/rules.json` in the home, and watched from the next second on.",
    };
    let schema = json!({
        "type": "object",
        "required": ["status", "message"],
        "properties": {"status": {"const": "success"}, "message": {"type": "string"}},
    });
    let statuses = [400, 409, 413, 429, 500, 503];
    let mut operation = seed(&told, Vec::new(), json_of("it is kept", schema), &statuses);
    operation["requestBody"] = json!({
        "required": true,
        "content": {"application/json": {"schema": shape("NewRule")}},
    });
    operation
}

fn export() -> Value {
    let told = Told {
        id: "export",
        tag: "live",
        summary: "Figures of the last hour.",
        description: "As JSON the summary of an hour; as text the seed's lines, without HELP and \
            TYPE. What a scraper wants is on the Prometheus door.",
    };
    let format = json!({"type": "string", "enum": ["json", "prometheus"]});
    let params = vec![in_path("format", "json or prometheus", format)];
    let answer = json!({
        "description": "the figures",
        "content": {
            "application/json": {"schema": shape("Summary")},
            "text/plain; charset=utf-8": {"schema": {"type": "string"}},
        },
    });
    seed(&told, params, answer, &[400, 429, 500])
}

fn websocket() -> Value {
    let told = Told {
        id: "websocket",
        tag: "live",
        summary: "Pushes over a WebSocket.",
        description: "First `{\"type\": \"initial_data\", \"timestamp\", \"data\"}`, then \
            `metrics_update` every second, and up to four times a second when something came. \
            `data` holds `summary` (of 60 s), `charts` and `alerts`. `{\"type\": \"ping\"}` is \
            answered by `pong`. Who does not take what is sent within 5 s is dropped.",
    };
    let answer = json!({"description": "never: a websocket begins with 101"});
    let problems = [Kind::UpgradeRequired, Kind::Overloaded];
    let mut operation = operation(&told, Vec::new(), answer, &problems);
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.remove("200");
        let begins = json!({"description": "the websocket begins"});
        responses.insert("101".into(), begins);
    }
    operation
}
