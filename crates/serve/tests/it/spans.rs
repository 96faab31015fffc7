//! Spans of a real exporter (`opentelemetry-sdk` for Python, OpenInference's
//! attributes, invented content), in both forms.

use tachograph_model::{Column, Event, Salt};
use tachograph_serve::normal::identity::Identities;
use tachograph_serve::normal::seen::Seen;
use tachograph_serve::normal::source::Origin;
use tachograph_serve::normal::span;
use tachograph_serve::wire::view::{Group, Span};
use tachograph_serve::wire::{otlp, otlp_json};

const PROTOBUF: &[u8] = include_bytes!("data/openinference.pb");
/// The same request in protobuf's own JSON: enums by name, ids in base64.
const JSON: &[u8] = include_bytes!("data/openinference.json");

fn events(groups: &[Group<'_, Span<'_>>]) -> Vec<Event> {
    let mut identities = Identities::new(Salt::new([1; 32]));
    let mut batch = Vec::new();
    for group in groups {
        let origin = Origin::of(&group.resource, &group.scope, 0);
        let made = group
            .records
            .iter()
            .filter_map(|span| span::candidate(span, &origin, &mut identities).ok());
        batch.extend(made);
    }
    let (kept, _) = Seen::default().admit(batch, &[], 0);
    kept.into_iter().map(|candidate| candidate.event).collect()
}

#[test]
fn both_forms_say_the_same() {
    let json = otlp_json::parse(JSON).expect("JSON");
    assert_eq!(
        otlp::traces(PROTOBUF).expect("protobuf"),
        otlp_json::traces(&json)
    );
}

#[test]
fn the_totals_are_the_source_s() {
    let events = events(&otlp::traces(PROTOBUF).expect("protobuf"));
    let count = |event_type| {
        events
            .iter()
            .filter(|event| event.event_type == event_type)
            .count()
    };
    let sum = |column| {
        events
            .iter()
            .filter_map(|event| event.i64(column))
            .sum::<i64>()
    };
    // What the program that made the fixture counted itself.
    assert_eq!(events.len(), 20);
    assert_eq!((count("llm_call"), count("tool_call")), (6, 8));
    assert_eq!((count("agent_usage"), count("span")), (2, 4));
    assert_eq!(sum(Column::InputTokens), 20_395);
    assert_eq!(sum(Column::OutputTokens), 3_190);
    assert_eq!(sum(Column::CacheReadTokens), 288);
    let failed = |event: &&Event| event.bool(Column::Success) == Some(false);
    assert_eq!(events.iter().filter(failed).count(), 1);
}

#[test]
fn no_content_and_no_identity_gets_in() {
    let groups = otlp::traces(PROTOBUF).expect("protobuf");
    let lines: String = events(&groups)
        .iter()
        .map(|event| String::from_utf8(event.to_line()).expect("UTF-8"))
        .collect();
    for secret in [
        "quick brown fox",
        "boom",
        "\"q\"",
        "\"s0\"",
        "agent_0",
        "bench-agent",
    ] {
        assert!(!lines.contains(secret), "{secret} in {lines}");
    }
    assert!(lines.contains("tool_") && lines.contains("duration_ms"));
}

#[test]
fn a_body_cut_anywhere_is_an_error_or_whole_groups() {
    let whole = otlp::traces(PROTOBUF).expect("protobuf");
    for end in 0..PROTOBUF.len() {
        if let Ok(groups) = otlp::traces(&PROTOBUF[..end]) {
            assert!(groups.len() < whole.len() || end == 0, "cut at {end}");
        }
    }
}
