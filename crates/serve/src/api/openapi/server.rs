//! `/api/v1/server`, and what it answers.

use serde_json::{Value, json};

use super::paths::{Told, json_of, operation};
use super::schemas::{count, number, object, text, time};
use crate::counters::Signal;

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
            `refusing` says why nothing is stored now.",
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
    let schema = object(json!({
        "version": text(),
        "started_at": time(),
        "uptime_seconds": count(),
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
