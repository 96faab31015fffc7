//! Paths and what they answer.

use serde_json::{Map, Value, json};

use super::schemas::{Schemas, shape};
use super::{alerts, seed4, server};
use crate::api::form::Form;
use crate::api::params::{Param, Takes};
use crate::api::problem::Kind;
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
        ("/", json!({"get": page()})),
    ];
    let rest = rest
        .into_iter()
        .chain(alerts::paths())
        .chain(seed4::paths());
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

pub(super) fn of(params: &[Param]) -> Vec<Value> {
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
    let mut answer = in_forms("the answer", view.forms, &schemas.view(view.name));
    if view.params.contains(&LIMIT) {
        answer["headers"] = truncated();
    }
    operation(&told, params, answer, &ASKING)
}

fn table() -> Value {
    let rows = json!({"type": "array", "items": {"type": "object"}});
    let mut table = in_forms("the rows", sql::FORMS, &rows);
    table["content"][Form::Table.media_type()]["schema"] = columns_and_rows();
    table["headers"] = truncated();
    table
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
