//! Paths and what they answer.

use serde_json::{Map, Value, json};

use super::alerts;
use super::schemas::{Schemas, alert, shape};
use super::server;
use crate::api::form::Form;
use crate::api::params::{Param, Takes};
use crate::api::problem::Kind;
use crate::api::seed4::{HISTORY_PARAMS, SUMMARY_PARAMS, shape::SOURCES};
use crate::api::sql;
use crate::api::view::{LIMIT, VIEWS, View};
use crate::api::{live, stream};

/// Every path of the door.
pub(super) fn all(schemas: &mut Schemas) -> Map<String, Value> {
    let mut paths = Map::new();
    for view in VIEWS.iter() {
        let path = format!("/api/v1/{}", view.name);
        paths.insert(path, json!({"get": question(view, schemas)}));
    }
    let rest = [
        ("/api/v1/sql", json!({"get": sql_get(), "post": sql_post()})),
        ("/api/v1", json!({"get": list()})),
        ("/api/v1/openapi.json", json!({"get": openapi()})),
        ("/api/v1/live", json!({"get": windows()})),
        ("/api/v1/stream", json!({"get": stream()})),
        ("/api/v1/server", json!({"get": server::get()})),
        ("/api/v1/agent_names", json!({"get": server::names()})),
        ("/api/v1/events", json!({"post": events()})),
        ("/api/v1/write", json!({"post": write()})),
        ("/health", json!({"get": health()})),
        ("/api/metrics/summary", json!({"get": summary()})),
        (
            "/api/metrics/history/{source}/{metric}",
            json!({"get": history()}),
        ),
        ("/api/metrics/sources", json!({"get": sources()})),
        ("/api/alerts", json!({"get": seed_alerts()})),
        ("/api/alerts/rules", json!({"post": add_rule()})),
        ("/api/export/{format}", json!({"get": export()})),
        ("/ws", json!({"get": websocket()})),
        ("/", json!({"get": page()})),
    ];
    let rest = rest.into_iter().chain(alerts::paths());
    paths.extend(rest.map(|(path, item)| (path.to_owned(), item)));
    paths
}

/// What is told of an operation.
pub(super) struct Told<'a> {
    pub(super) id: &'a str,
    pub(super) tag: &'a str,
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
}

/// An operation; problems are added to its answers.
pub(super) fn operation(told: &Told, params: Vec<Value>, ok: Value, problems: &[Kind]) -> Value {
    let mut responses = Map::new();
    responses.insert("200".into(), ok);
    for kind in problems {
        let status = kind.status().as_u16().to_string();
        responses
            .entry(status)
            .or_insert_with(|| problem(kind.title()));
    }
    responses.insert("default".into(), problem("what else may go wrong"));
    json!({
        "operationId": told.id,
        "tags": [told.tag],
        "summary": told.summary,
        "description": told.description,
        "parameters": params,
        "responses": responses,
    })
}

fn problem(title: &str) -> Value {
    json!({
        "description": title,
        "content": {"application/problem+json": {"schema": shape("Problem")}},
    })
}

pub(super) fn json_of(description: &str, schema: Value) -> Value {
    json!({
        "description": description,
        "content": {"application/json": {"schema": schema}},
    })
}

fn in_forms(description: &str, forms: &[Form], json: &Value) -> Value {
    let content: Map<String, Value> = forms
        .iter()
        .map(|form| {
            let schema = match form {
                Form::Json => json.clone(),
                _ => json!({"type": "string"}),
            };
            (form.media_type().to_owned(), json!({"schema": schema}))
        })
        .collect();
    json!({"description": description, "content": content})
}

fn of(params: &[Param]) -> Vec<Value> {
    params.iter().map(Param::openapi).collect()
}

const ASKING: [Kind; 4] = [
    Kind::BadParameter,
    Kind::NotAcceptable,
    Kind::Overloaded,
    Kind::Unreadable,
];

fn question(view: &View, schemas: &mut Schemas) -> Value {
    let window = match view.days {
        _ if view.name == "storage" => String::new(),
        Some(days) => format!(" The last {days} days unless told otherwise."),
        None => " All there is unless told otherwise.".to_owned(),
    };
    let printed = match &view.command {
        Some(command) => format!("As `{command}` prints it."),
        None => "What cells do not tell, counted event by event.".to_owned(),
    };
    let told = Told {
        id: view.name,
        tag: "questions",
        summary: view.doc,
        description: &format!("{printed}{window}"),
    };
    let mut params = of(&view.params);
    for param in &mut params {
        if param["name"] == "format" {
            let names: Vec<&str> = view.forms.iter().map(|form| form.name()).collect();
            param["schema"] = json!({"type": "string", "enum": names});
        }
    }
    table["content"][Form::Table.media_type()]["schema"] = columns_and_rows();
    let mut answer = in_forms("the answer", view.forms, &schemas.view(view.name));
    if view.params.contains(&LIMIT) {
        answer["headers"] = truncated();
    }
fn columns_and_rows() -> Value {
    let column = json!({
        "type": "object",
        "required": ["name", "type", "numeric"],
        "properties": {
            "name": {"type": "string"},
            "type": {"type": "string", "description": "as the engine calls it"},
            "numeric": {"type": "boolean"},
        },
    });
    json!({
        "type": "object",
        "required": ["columns", "rows", "truncated"],
        "properties": {
            "columns": {"type": "array", "items": column},
            "rows": {"type": "array", "items": {"type": "array"}},
            "truncated": {"type": "boolean"},
        },
    })
}

    operation(&told, params, answer, &ASKING)
}

fn table() -> Value {
    let rows = json!({"type": "array", "items": {"type": "object"}});
    let mut table = in_forms("the rows", sql::FORMS, &rows);
    table["headers"] = truncated();
    table
}

fn truncated() -> Value {
    json!({
        "Tachograph-Truncated": {
            "description": "`true` when there were more rows than were asked for",
            "schema": {"type": "string", "const": "true"},
        },
    })
}

const SQL: [Kind; 6] = [
    Kind::BadQuery,
    Kind::QueryLimit,
    Kind::ForbiddenQuery,
    Kind::NotAcceptable,
    Kind::Overloaded,
    Kind::Unreadable,
];

fn sql_get() -> Value {
    let told = Told {
        id: "sql",
        tag: "questions",
        summary: "A query in SQL.",
        description: "One reading statement, as `tacho sql` takes it.",
    };
    let mut params = of(sql::GET_PARAMS);
    params[0]["required"] = true.into();
    operation(&told, params, table(), &SQL)
}

fn sql_post() -> Value {
    let told = Told {
        id: "sql_post",
        tag: "questions",
        summary: "A query in SQL, in the body.",
        description: "One reading statement, as `tacho sql` takes it.",
    };
    let mut problems = SQL.to_vec();
    problems.extend([Kind::TooLarge, Kind::UnsupportedType]);
    let mut operation = operation(&told, of(sql::POST_PARAMS), table(), &problems);
    let statement = Takes::Statement(sql::MOST_BYTES).schema();
    operation["requestBody"] = json!({
        "required": true,
        "content": {
            "application/json": {"schema": {
                "type": "object",
                "required": ["query"],
                "additionalProperties": false,
                "properties": {
                    "query": statement,
                    "limit": Takes::Whole(1, sql::MOST_ROWS as u64).schema(),
                },
            }},
            "application/sql": {"schema": statement},
        },
    });
    operation
}

fn list() -> Value {
    let told = Told {
        id: "list",
        tag: "questions",
        summary: "What can be asked.",
        description: "Every question, and the command that prints the same.",
    };
    let text = json!({"type": "string"});
    let schema = json!({
        "type": "object",
        "required": ["questions", "openapi"],
        "properties": {
            "questions": {"type": "array", "items": {
                "type": "object",
                "required": ["name", "about", "path", "command"],
                "properties": {
                    "name": text,
                    "about": text,
                    "path": text,
                    // Not all has a command of its own.
                    "command": {"type": ["string", "null"]},
                },
            }},
            "openapi": text,
        },
    });
    operation(&told, Vec::new(), json_of("the list", schema), &[])
}

fn openapi() -> Value {
    let told = Told {
        id: "openapi",
        tag: "about",
        summary: "This document.",
        description: "OpenAPI 3.1.",
    };
    let schema = json!({"type": "object", "required": ["openapi", "info", "paths"]});
    operation(&told, Vec::new(), json_of("this document", schema), &[])
}

fn page() -> Value {
    let told = Told {
        id: "page",
        tag: "about",
        summary: "What this is, and where the API is.",
        description: "A page for browsers, a pointer in JSON for everything else.",
    };
    let answer = json!({
        "description": "what this is",
        "content": {
            "application/json": {"schema": {"type": "object", "required": ["api", "openapi"]}},
            "text/html; charset=utf-8": {"schema": {"type": "string"}},
        },
    });
    operation(&told, Vec::new(), answer, &[])
}

/// What went wrong while something was to be stored.
const STORING: [Kind; 6] = [
    Kind::BadBody,
    Kind::Timeout,
    Kind::TooLarge,
    Kind::UnsupportedType,
    Kind::Overloaded,
    Kind::NotStored,
];

fn events() -> Value {
    let told = Told {
        id: "events",
        tag: "events",
        summary: "Take in events.",
        description: "One, an array, `{\"events\": […]}`, or JSON Lines; gzip and zstd are read. \
            Answered when they are on the disk. What is wrong with one does not spoil the others: \
            it is named in `rejected`. Sent again with the same `Idempotency-Key`, events count \
            once.",
    };
    let params = vec![json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "the same for a request that is sent again",
        "schema": {"type": "string"},
    })];
    let answer = json_of("what became of them", shape("EventsAnswer"));
    let mut operation = operation(&told, params, answer, &STORING);
    let one = shape("Event");
    let many = json!({"type": "array", "items": one});
    let wrapped = json!({
        "type": "object",
        "required": ["events"],
        "properties": {"events": many},
    });
    operation["requestBody"] = json!({
        "required": true,
        "content": {
            "application/json": {"schema": {"anyOf": [one, many, wrapped]}},
            "application/x-ndjson": {"schema": {
                "type": "string",
                "description": "an event a line, each as it would be sent alone",
            }},
        },
    });
    operation
}

fn write() -> Value {
    let told = Told {
        id: "write",
        tag: "events",
        summary: "Take in samples by Prometheus remote-write.",
        description: "Versions 1.0 and 2.0 of the protocol: protobuf in snappy's block format. \
            Answered when they are on the disk.",
    };
    let answer = json!({"description": "nothing new came"});
    let mut operation = operation(&told, Vec::new(), answer, &STORING);
    operation["responses"]["204"] = json!({"description": "stored"});
    operation["requestBody"] = json!({
        "required": true,
        "content": {"application/x-protobuf": {"schema": {
            "type": "string",
            "contentMediaType": "application/x-protobuf",
        }}},
    });
    operation
}

/// A fourth seed's operation: what the seed refuses it says its own way.
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

fn windows() -> Value {
    let told = Told {
        id: "live",
        tag: "live",
        summary: "Every figure of a window, of any kind of series.",
        description: "Series of which nothing came in it are not there. `count`, `failed` and \
            `rate_per_second` are of all events, the other figures of those that told a value, \
            `values` of them; null where none did. Up to 1000 values all figures are exact; \
            `relative_error` says by what part of it a percentile may be off otherwise.",
    };
    let answer = json_of("the figures", shape("Live"));
    let problems = [Kind::BadParameter, Kind::Overloaded];
    operation(&told, of(live::PARAMS), answer, &problems)
}

fn stream() -> Value {
    let told = Told {
        id: "stream",
        tag: "live",
        summary: "What is going on, as it changes.",
        description: "With an upgrade a WebSocket: a snapshot, then deltas, at most four a second \
            and one in five seconds at least. Without, one message as JSON. A snapshot holds every \
            series of the families in which something happened within the window; a delta those \
            that changed, and in `gone` source and name of those that left. `overview` and \
            `alerts` (the first 100) are whole in every message. `after` resumes with a delta for \
            a minute; after that, of other families or another window, and after a restart it is a \
            snapshot. A client that takes nothing for 5 s is dropped with code 1013.",
    };
    let answer = json_of("a snapshot or a delta", shape("StreamMessage"));
    let problems = [
        Kind::BadParameter,
        Kind::UpgradeRequired,
        Kind::Overloaded,
        Kind::Internal,
    ];
    operation(&told, of(stream::PARAMS), answer, &problems)
}

pub(super) fn in_path(name: &str, description: &str, schema: Value) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": schema,
    })
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

fn seed_alerts() -> Value {
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
