//! `/api/v1/server` and `/api/v1/agent_names`, and what they answer.

use serde_json::{Value, json};

use super::paths::{Told, json_of, operation};
use super::schemas::{count, number, object, text, time};
use crate::api::problem::Kind;
use crate::counters::Signal;
use crate::server::Addresses;

/// `/api/v1/server`
pub(super) fn get() -> Value {
    let told = Told {
        id: "server",
        tag: "about",
        summary: "What the server itself does.",
        description: "Since it started, by what came as what: requests, records, events on the \
            disk, and what was left out or refused. `ignored` are records that tell of no agent, \
            `duplicates` those of a call that was told of before, `overloaded` and `failed` \
            requests that were turned away because there was too much or the disk said no. \
            `refusing` says why nothing is stored now, `listeners` where each of its doors is, \
            such as `127.0.0.1:4318`; null: that one is shut.",
    };
    let or_null = |schema: Value| json!({"anyOf": [schema, {"type": "null"}]});
    let signal = object(json!({
        "signal": {"type": "string", "enum": Signal::ALL.map(Signal::name)},
        "requests": count(),
        "body_bytes": count(),
        "records": count(),
        "stored": count(),
        "ignored": count(),
        "duplicates": count(),
        "rejected": count(),
        "overloaded": count(),
        "failed": count(),
    }));
    let doors = Addresses::default().by_name().into_iter();
    let listeners = doors.map(|(name, _)| (name.to_owned(), or_null(text())));
    let schema = object(json!({
        "version": text(),
        "started_at": time(),
        "uptime_seconds": count(),
        "listeners": object(Value::Object(listeners.collect())),
        "refusing": or_null(text()),
        "connections": count(),
        "connections_refused": count(),
        "requests_denied": count(),
        "queued_bytes": count(),
        "commits": count(),
        "commit_mean_ms": or_null(number()),
        "signals": {"type": "array", "items": signal},
    }));
    operation(&told, Vec::new(), json_of("its figures", schema), &[])
}

/// `/api/v1/agent_names`
pub(super) fn names() -> Value {
    let told = Told {
        id: "agent_names",
        tag: "about",
        summary: "What agents are called whose definitions lie on this machine.",
        description: "Names by the hashes that events hold of them: of the agents indexed last \
            (`tacho agents index`), and of programs known by the name they give themselves.",
    };
    let names = json!({"type": "object", "additionalProperties": text()});
    let answer = json_of("names by hashes", object(json!({"names": names})));
    operation(&told, Vec::new(), answer, &[Kind::Overloaded])
}
