//! The rules by which records of agents and instrumentations become events: each
//! a row of `data/rules/*.json`, in the shape that its source documents or was
//! seen to send; the contents are invented.
//!
//! A record: `span` (its number; `parent`, `trace` by number, too) or `log`;
//! `service`, `scope`, `name`, `kind`, `status`, `message`, `body`, `attrs`,
//! `events`; `ms`, from when to when, after the row's beginning. Records of one
//! batch come in one request; `now` is when a batch comes, in seconds. What is
//! stored is compared without times, ids and hashes, and without what is usual:
//! 100 ms, and success.

use serde_json::{Map, Value as Json, json};
use tachograph_model::{Event, Salt};
use tachograph_serve::normal::candidate::Candidate;
use tachograph_serve::normal::identity::Identities;
use tachograph_serve::normal::seen::{Link, Seen};
use tachograph_serve::normal::source::Origin;
use tachograph_serve::normal::{log, span};
use tachograph_serve::wire::otlp_json;

/// 2025-11-20T11:00:00Z, Unix nanoseconds.
const BEGIN: i64 = 1_763_636_400_000_000_000;

pub(crate) fn identities() -> Identities {
    Identities::new(Salt::new([1; 32]))
}

/// What a door does with requests, without network and disk.
pub(crate) struct Path {
    identities: Identities,
    seen: Seen,
}

impl Path {
    pub(crate) fn new() -> Self {
        Self {
            identities: identities(),
            seen: Seen::default(),
        }
    }

    /// Records → what is stored of them.
    pub(crate) fn take(&mut self, records: &[Json], now: u64) -> Vec<Event> {
        let (mut made, mut links) = (Vec::new(), Vec::new());
        for record in records {
            let body = request(record);
            self.read(body.to_string().as_bytes(), &mut made, &mut links);
        }
        let (kept, _) = self.seen.admit(made, &links, now);
        self.seen.settle();
        kept.into_iter().map(|candidate| candidate.event).collect()
    }

    fn read(&mut self, body: &[u8], made: &mut Vec<Candidate>, links: &mut Vec<Link>) {
        let json = otlp_json::parse(body).expect("a body of JSON");
        for group in otlp_json::traces(&json) {
            let origin = Origin::of(&group.resource, &group.scope, BEGIN);
            for record in &group.records {
                let one = span::candidate(record, &origin, &mut self.identities).ok();
                if one.is_none() {
                    links.push(Link {
                        trace: record.trace_id,
                        span: record.span_id,
                        parent: record.parent_id,
                    });
                }
                made.extend(one);
            }
        }
        for group in otlp_json::logs(&json) {
            let origin = Origin::of(&group.resource, &group.scope, BEGIN);
            for record in &group.records {
                made.extend(log::candidate(record, &origin, &mut self.identities));
            }
        }
    }
}

/// The request that a client would send a record by.
fn request(record: &Json) -> Json {
    let text = |key: &str| record[key].as_str().unwrap_or_default();
    let number = |key: &str| record[key].as_u64();
    let service = record["service"].as_str().unwrap_or("svc");
    let mut resource = attributes(&json!({"service.name": service}));
    if let Some(own) = record.get("resource") {
        resource.extend(attributes(own));
    }
    let scope = json!({"name": text("scope")});
    let attrs = attributes(&record["attrs"]);
    let time = |at: usize, usual: i64| {
        let ms = record["ms"][at].as_i64().unwrap_or(usual);
        (BEGIN + ms * 1_000_000).to_string()
    };
    let trace = format!("{:032x}", number("trace").unwrap_or(1));
    let Some(id) = number("span") else {
        let record = json!({
            "timeUnixNano": time(1, 100), "eventName": text("event_name"), "attributes": attrs,
            "body": {"stringValue": text("body")},
        });
        return json!({"resourceLogs": [{"resource": {"attributes": resource},
            "scopeLogs": [{"scope": scope, "logRecords": [record]}]}]});
    };
    let parent = number("parent").filter(|parent| *parent > 0);
    let events: Vec<Json> = record["events"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| {
            json!({"name": event["name"], "timeUnixNano": time(1, 100),
                "attributes": attributes(&event["attrs"])})
        })
        .collect();
    let status = match text("status") {
        "error" => 2,
        "ok" => 1,
        _ => 0,
    };
    let span = json!({
        "traceId": trace, "spanId": format!("{id:016x}"),
        "parentSpanId": parent.map(|parent| format!("{parent:016x}")),
        "name": record["name"].as_str().unwrap_or("SECRET span name"),
        "kind": number("kind").unwrap_or(1),
        "startTimeUnixNano": time(0, 0), "endTimeUnixNano": time(1, 100),
        "attributes": attrs, "events": events,
        "status": {"code": status, "message": text("message")},
    });
    json!({"resourceSpans": [{"resource": {"attributes": resource},
        "scopeSpans": [{"scope": scope, "spans": [span]}]}]})
}

pub(crate) fn attributes(members: &Json) -> Vec<Json> {
    let value = |json: &Json| match json {
        Json::Bool(truth) => json!({"boolValue": truth}),
        Json::String(text) => json!({"stringValue": text}),
        Json::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Json::Number(number) => json!({"doubleValue": number}),
        _ => json!({"arrayValue": {"values": [{"stringValue": "SECRET"}]}}),
    };
    members
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, json)| json!({"key": key, "value": value(json)}))
        .collect()
}

/// What is compared of an event.
fn told(event: &Event) -> Json {
    let line = String::from_utf8(event.to_line()).expect("UTF-8");
    assert!(!line.contains("SECRET"), "content got in: {line}");
    let mut json: Map<String, Json> = serde_json::from_str(&line).expect("JSON");
    for changing in [
        "timestamp",
        "trace_id",
        "span_id",
        "parent_id",
        "agent",
        "agent_id_hash",
        "session_id",
    ] {
        json.remove(changing);
    }
    json.retain(|key, value| {
        !(key == "success" && *value == true || key == "duration_ms" && *value == 100.0)
    });
    Json::Object(json)
}

fn check(rules: &str) {
    let rules: Vec<Json> = serde_json::from_str(rules).expect("rules");
    assert!(!rules.is_empty());
    for rule in rules {
        let says = rule["says"].as_str().expect("what the rule says");
        let whole = json!([rule["batch"]]);
        let batches = rule["batches"].as_array().or(whole.as_array());
        let mut path = Path::new();
        let mut stored = Vec::new();
        for batch in batches.expect("batches") {
            let records = batch.get("records").unwrap_or(batch);
            let records = records.as_array().expect("records");
            let now = batch["now"].as_u64().unwrap_or(0);
            stored.extend(path.take(records, now).iter().map(told));
        }
        assert_eq!(
            Json::Array(stored),
            rule["stored"],
            "{says}\n{:#}",
            rule["batch"]
        );
    }
}

#[test]
fn what_a_span_is() {
    check(include_str!("data/rules/kinds.json"));
}

#[test]
fn how_tokens_are_counted() {
    check(include_str!("data/rules/tokens.json"));
}

#[test]
fn how_a_call_ended() {
    check(include_str!("data/rules/outcomes.json"));
}

#[test]
fn what_coding_agents_tell() {
    check(include_str!("data/rules/agents.json"));
}

#[test]
fn one_call_is_one_event() {
    check(include_str!("data/rules/once.json"));
}

#[test]
fn what_never_gets_in() {
    check(include_str!("data/rules/privacy.json"));
}

/// Of all names of one thing the first counts, wherever it stands.
#[test]
fn the_first_name_of_a_thing_counts() {
    let tables: Vec<Json> =
        serde_json::from_str(include_str!("data/rules/aliases.json")).expect("tables of aliases");
    for table in tables {
        let names: Vec<&str> = table["names"]
            .as_array()
            .expect("names")
            .iter()
            .filter_map(Json::as_str)
            .collect();
        for first in 0..names.len() {
            let mut attrs = table["in"].as_object().expect("attributes").clone();
            // The first comes last: what stands first must not win by that.
            for (rank, name) in names.iter().enumerate().skip(first).rev() {
                attrs.insert((*name).to_owned(), value(&table, rank));
            }
            let record = match table["log"].as_str() {
                Some(service) => json!({"log": true, "service": service, "attrs": attrs}),
                None => json!({"span": 1, "attrs": attrs}),
            };
            let stored = Path::new().take(&[record], 0);
            let line: Json = serde_json::from_slice(&stored[0].to_line()).expect("JSON");
            let field = table["field"].as_str().expect("a field");
            let expected = match (value(&table, first), table["as"].as_str()) {
                (Json::String(name), Some("hash")) => json!(identities().hash(&name)),
                (Json::Number(micros), Some("micros")) if first == 0 => {
                    json!(micros.as_f64().expect("a number") / 1e6)
                }
                (Json::Number(dollars), Some("micros")) => {
                    json!(dollars.as_f64().expect("a number"))
                }
                (Json::Number(ms), Some("ms")) => json!(ms.as_f64().expect("a number")),
                (value, _) => value,
            };
            assert_eq!(
                line[field], expected,
                "{} before the rest: {line}",
                names[first]
            );
        }
    }
}

/// What the alias of this rank says.
fn value(table: &Json, rank: usize) -> Json {
    match table["as"].as_str() {
        Some("text" | "hash") => json!(format!("v{rank}")),
        _ => json!(10 + rank),
    }
}
