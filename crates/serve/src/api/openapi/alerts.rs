//! Paths of rules and alerts, and what they answer.

use serde_json::{Value, json};
use tachograph_model::alert::{
    DEFAULT_COOLDOWN, DEFAULT_WINDOW, FAMILIES, MAX_CHANNELS, MAX_COUNT, MAX_DESCRIPTION,
    MAX_LABELS, MAX_NAME, MAX_WAIT, MAX_WINDOW, Op, SEVERITIES, Stat, State,
};

use super::paths::{Told, in_path, json_of, operation};
use super::schemas::{count, number, object, shape, text, time};
use crate::alert::silence;
use crate::api::alerts;
use crate::api::params::Param;
use crate::api::problem::Kind;
use crate::notify;

/// All of them.
pub(super) fn paths() -> [(&'static str, Value); 7] {
    [
        ("/api/v1/alerts", json!({"get": get()})),
        (
            "/api/v1/alerts/rules/{name}",
            json!({"put": put(name(), ""), "delete": delete(name(), "")}),
        ),
        (
            "/api/v1/alerts/rules",
            json!({
                "put": put(in_query(alerts::NAME), "_named"),
                "delete": delete(in_query(alerts::NAME), "_named"),
            }),
        ),
        ("/api/v1/alerts/silences", json!({"post": silence()})),
        (
            "/api/v1/alerts/silences/{id}",
            json!({"delete": unsilence()}),
        ),
        (
            "/api/v1/alerts/test/{channel}",
            json!({"post": test(channel(), "")}),
        ),
        (
            "/api/v1/alerts/test",
            json!({"post": test(in_query(alerts::CHANNEL), "_named")}),
        ),
    ]
}

/// `/api/v1/alerts`
fn get() -> Value {
    let told = Told {
        id: "alerts_now",
        tag: "alerts",
        summary: "How every alert stands, and every rule.",
        description: "Rules by group and name, those of no group first. A rule that watches every \
            series (`*`) has an alert for each. Firing ones first, then pending, those that fired \
            when there still was data, resolved (for 15 minutes), without data, and those all is \
            well with; 1000 at most, `more` says how many more there are, and `totals` counts all \
            of them by state, as `series` of each rule does of its own. One that fired is `open` until it is resolved, also in the state \
            `no_data`: of those `open_without_data` are. Of the series that rules match, \
            `unwatched` are beyond what all rules together may watch. `enabled` is false where \
            nothing is watched (`enable_alerts: false`); `notes` say what could not be read. \
            `channels` are those that the settings name: when one was told last, why not since, \
            how many alerts wait for it, and of how many it was never told.",
    };
    let instant = || json!({"type": "string", "format": "date-time"});
    let or_null = |schema: Value| json!({"anyOf": [schema, {"type": "null"}]});
    let states = State::ALL.map(State::name);
    let counted = states.into_iter().chain(["open_without_data"]);
    let totals: Value = counted.map(|name| (name.to_owned(), count())).collect();
    let schema = json!({
        "type": "object",
        "required": ["rules", "alerts", "more", "unwatched", "totals", "channels", "silences", "enabled",
            "notes"],
        "properties": {
            "rules": {"type": "array", "items": watched_rule()},
            "alerts": {"type": "array", "items": {
                "type": "object",
                "required": ["rule", "family", "source", "name", "state", "open", "severity",
                    "value", "threshold", "condition", "since", "fired_at", "resolved_at",
                    "silenced_until", "description", "labels"],
                "properties": {
                    "rule": {"type": "string"},
                    "family": {"type": "string", "enum": FAMILIES},
                    "source": {"type": "string", "description": "empty where there is none"},
                    "name": {"type": "string"},
                    "state": {"type": "string", "enum": states},
                    "open": {"type": "boolean", "description": "it fired, and is not resolved"},
                    "severity": {"type": "string", "enum": SEVERITIES},
                    "value": or_null(json!({"type": "number"})),
                    "threshold": {"type": "number"},
                    "condition": {"type": "string"},
                    "since": instant(),
                    "fired_at": or_null(instant()),
                    "resolved_at": or_null(instant()),
                    "silenced_until": or_null(instant()),
                    "description": {"type": "string"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            }},
            "more": {"type": "integer", "minimum": 0, "description": "that are not listed"},
            "unwatched": {
                "type": "integer",
                "minimum": 0,
                "description": "series that rules match and that are not watched",
            },
            "totals": object(totals),
            "channels": {"type": "array", "items": object(json!({
                "name": text(),
                "kind": {"type": "string", "enum": notify::KINDS},
                "severity": {"type": "string", "enum": SEVERITIES},
                "last_ok": or_null(instant()),
                "last_error": or_null(text()),
                "last_error_at": or_null(instant()),
                "waiting": count(),
                "undelivered": count(),
            }))},
            "silences": {"type": "array", "items": one_silence()},
            "enabled": {"type": "boolean"},
            "notes": {"type": "array", "items": {"type": "string"}},
        },
    });
    let answer = json_of("rules and alerts", schema);
    operation(&told, Vec::new(), answer, &[Kind::Overloaded])
}

/// What no path can name, such as `..`, a query can.
fn in_query(param: Param) -> Value {
    let mut name = param.openapi();
    name["required"] = true.into();
    name
}

/// `/api/v1/alerts/rules/{name}`, and with the name in the query
fn put(name: Value, way: &str) -> Value {
    let told = Told {
        id: &format!("replace_rule{way}"),
        tag: "alerts",
        summary: "Keep a rule, in the place of any of that name.",
        description: "Also of one that is built in or of config.yaml, which comes back when this \
            one is removed.",
    };
    let answer = json_of("the rule as it is kept", shape("OwnedRule"));
    let mut operation = operation(&told, vec![name], answer, &problems(&CHANGING, way));
    operation["requestBody"] = json!({
        "required": true,
        "content": {"application/json": {"schema": shape("NewRule")}},
    });
    operation
}

/// `/api/v1/alerts/rules/{name}`, and with the name in the query
fn delete(name: Value, way: &str) -> Value {
    let told = Told {
        id: &format!("remove_rule{way}"),
        tag: "alerts",
        summary: "Remove a rule of the API.",
        description: "What fires of it is resolved, and where no other rule of that name is left, \
            silences of it end (`silences_ended`; those of any rule stay). One that is built in or \
            of config.yaml is turned off by keeping one of its name with `enabled` false.",
    };
    let schema = json!({
        "type": "object",
        "required": ["removed", "now", "silences_ended", "notes"],
        "properties": {
            "removed": {"type": "string"},
            "now": {
                "description": "whose rule of that name is watched instead",
                "anyOf": [{"enum": ["builtin", "config"]}, {"type": "null"}],
            },
            "silences_ended": {"type": "array", "items": one_silence()},
            "notes": {
                "description": "why its silences stay, if they do",
                "type": "array",
                "items": text(),
            },
        },
    });
    let answer = json_of("it is removed", schema);
    operation(&told, vec![name], answer, &problems(&CHANGING, way))
}

/// A query may be wrong besides.
fn problems(kinds: &[Kind], way: &str) -> Vec<Kind> {
    let query = (!way.is_empty()).then_some(Kind::BadParameter);
    kinds.iter().copied().chain(query).collect()
}

/// `/api/v1/alerts/silences`
fn silence() -> Value {
    let told = Told {
        id: "silence",
        tag: "alerts",
        summary: "Tell nobody of a rule's alerts for a while.",
        description: "They change their state all the same. `rule` may be `*`: all of them. What \
            still fires when the silence ends is told of then.",
    };
    let mut answer = operation(
        &told,
        Vec::new(),
        json_of("the silence", one_silence()),
        &CHANGING,
    );
    let made = answer["responses"]["200"].take();
    if let Some(responses) = answer["responses"].as_object_mut() {
        responses.remove("200");
        responses.insert("201".to_owned(), made);
    }
    let series = json!({"type": "string", "minLength": 1, "description": "without: any"});
    let minutes = json!({"type": "integer", "minimum": 1, "maximum": silence::MOST_MINUTES});
    answer["requestBody"] = json!({
        "required": true,
        "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["rule", "minutes"],
            "additionalProperties": false,
            "properties": {
                "rule": {"type": "string", "minLength": 1},
                "source": series,
                "name": series,
                "minutes": minutes,
            },
        }}},
    });
    answer
}

/// `/api/v1/alerts/silences/{id}`
fn unsilence() -> Value {
    let told = Told {
        id: "end_silence",
        tag: "alerts",
        summary: "End a silence.",
        description: "What fires and was not told of is told of then.",
    };
    let schema = object(json!({"removed": text()}));
    let id = in_path(
        "id",
        "of the silence",
        json!({"type": "string", "minLength": 1}),
    );
    operation(&told, vec![id], json_of("it is over", schema), &CHANGING)
}

fn channel() -> Value {
    let schema = json!({"type": "string", "minLength": 1});
    in_path("channel", "as the settings name it", schema)
}

/// `/api/v1/alerts/test/{channel}`, and with the name in the query
fn test(name: Value, way: &str) -> Value {
    let told = Told {
        id: &format!("test_channel{way}"),
        tag: "alerts",
        summary: "Send a channel a marked test, and say what came of it.",
        description: "Once, without trying again; answers within the channel's time-out.",
    };
    let schema = object(json!({
        "channel": text(),
        "kind": {"type": "string", "enum": notify::KINDS},
        "sent": {"type": "boolean"},
        "took_ms": number(),
    }));
    let answer = json_of("it was taken", schema);
    let kinds = [Kind::NotFound, Kind::Overloaded, Kind::NotDelivered];
    operation(&told, vec![name], answer, &problems(&kinds, way))
}

fn one_silence() -> Value {
    let or_null = |kind: &str| json!({"type": [kind, "null"]});
    object(json!({
        "id": text(),
        "rule": text(),
        "source": or_null("string"),
        "name": or_null("string"),
        "until": time(),
        "by": text(),
        "created_at": time(),
    }))
}

const CHANGING: [Kind; 6] = [
    Kind::BadBody,
    Kind::NotFound,
    Kind::TooLarge,
    Kind::Overloaded,
    Kind::Unreadable,
    Kind::NotStored,
];

fn name() -> Value {
    let schema = json!({"type": "string", "minLength": 1});
    in_path("name", "of the rule", schema)
}

/// A rule, as the API takes it.
pub(super) fn new_rule() -> Value {
    // Bytes count, which a schema cannot.
    let name = |most: usize| {
        json!({
            "type": "string",
            "minLength": 1,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
            "description": format!("at most {most} bytes"),
        })
    };
    let description = format!("in words, at most {MAX_DESCRIPTION} bytes");
    let condition = format!(
        r"^({}) ?({}) ?-?[0-9]{{1,15}}(\.[0-9]{{1,15}})?$",
        Stat::NAMES.join("|"),
        Op::NAMES.join("|")
    );
    let seconds = |least: u64, most: u64, default: u64| json!({"type": "integer", "minimum": least, "maximum": most, "default": default});
    json!({
        "type": "object",
        "required": ["name", "metric_name", "source", "condition", "threshold"],
        "additionalProperties": false,
        "properties": {
            "name": name(MAX_NAME),
            "metric_name": name(MAX_NAME),
            "source": name(MAX_NAME),
            "condition": {
                "type": "string",
                "pattern": condition,
                "description": "`<stat> <op> <number>`; where `threshold` differs, that counts",
            },
            "threshold": number(),
            "window_seconds": seconds(1, MAX_WINDOW, DEFAULT_WINDOW),
            "severity": {"type": "string", "enum": SEVERITIES, "default": "warning"},
            "description": {"type": "string", "description": description},
            "channels": {
                "type": "array",
                "maxItems": MAX_CHANNELS,
                "items": name(MAX_NAME),
                "description": "which channels are told; empty: all",
            },
            "enabled": {"type": "boolean", "default": true},
            "for_seconds": seconds(0, MAX_WAIT, 0),
            "cooldown_seconds": seconds(0, MAX_WAIT, DEFAULT_COOLDOWN),
            "labels": {
                "type": "object",
                "maxProperties": MAX_LABELS,
                "propertyNames": name(MAX_NAME),
                "additionalProperties": {
                    "type": "string", "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
                },
            },
            "group": {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"},
            "family": {"type": "string", "enum": FAMILIES, "default": FAMILIES[0]},
            "min_count": seconds(1, MAX_COUNT, 1),
            "created_at": {
                "type": "string",
                "description": "the server's to say: what stands here is not taken",
            },
        },
    })
}

/// A rule, as it is kept.
pub(super) fn rule() -> Value {
    object(json!({
        "name": text(),
        "metric_name": text(),
        "source": text(),
        "condition": text(),
        "threshold": number(),
        "window_seconds": count(),
        "severity": {"type": "string", "enum": SEVERITIES},
        "description": text(),
        "enabled": {"type": "boolean"},
        "created_at": time(),
        "for_seconds": count(),
        "cooldown_seconds": count(),
        "labels": {"type": "object", "additionalProperties": text()},
        "group": text(),
        "family": {"type": "string", "enum": FAMILIES},
        "min_count": count(),
        "channels": {"type": "array", "items": text(), "description": "empty: all"},
    }))
}

/// A rule, and who made it.
pub(super) fn owned_rule() -> Value {
    let mut schema = rule();
    schema["properties"]["builtin"] = json!({"type": "boolean"});
    schema["properties"]["origin"] =
        json!({"type": "string", "enum": ["builtin", "config", "api"]});
    if let Some(required) = schema["required"].as_array_mut() {
        required.extend([json!("builtin"), json!("origin")]);
    }
    schema
}

/// A rule, who made it, and how it stands.
fn watched_rule() -> Value {
    let states = State::ALL.map(State::name);
    let series: Value = states
        .into_iter()
        .map(|name| (name.to_owned(), count()))
        .collect();
    let described = |mut schema: Value, what: &str| {
        schema["description"] = what.into();
        schema
    };
    let told = [
        (
            "state",
            json!({
                "description": "the one that matters most of those that its alerts are in, also \
                    of those that are not listed; null: it is off, or nobody has looked",
                "anyOf": [{"enum": states}, {"type": "null"}],
            }),
        ),
        (
            "series",
            described(object(series), "how many of its alerts are in which state"),
        ),
        (
            "open",
            described(count(), "how many of them fired and are not resolved"),
        ),
        (
            "unwatched",
            described(count(), "how many of its series are not watched"),
        ),
    ];
    let mut schema = owned_rule();
    for (name, member) in told {
        schema["properties"][name] = member;
        if let Some(required) = schema["required"].as_array_mut() {
            required.push(name.into());
        }
    }
    schema
}
