//! A log record → an event, or nothing. Coding agents tell of their calls here
//! first: their logs are primary, their spans and metrics only go along.

use tachograph_model::{Column, Event, UnixNanos, Value};

use super::candidate::{Candidate, Keys};
use super::facts::{Fact, Facts};
use super::identity::Identities;
use super::kind::Class;
use super::names::{self, hash_of};
use super::outcome::Outcome;
use super::source::Agent;
use super::tokens::Tokens;
use crate::wire::view::{Any, LogRecord, Status};

/// What a log record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// A model's call that ended well, or one that failed.
    Llm,
    Tool,
    /// A tool that the user did not let run.
    Denied,
    Agent,
    SessionStart,
}

/// Makes the event of a log record; `None` when it tells of nothing that
/// counts. `place` is a hash of the resource and the scope.
pub fn candidate(
    record: &LogRecord<'_>,
    agent: Agent,
    service: Option<&str>,
    place: u64,
    identities: &mut Identities,
) -> Option<Candidate> {
    let facts = Facts::of(&record.attrs);
    let told = told(agent, name(record, &facts)?, record, &facts)?;
    let tokens = Tokens::of(&facts, agent);
    let mut outcome = Outcome::of(&facts, Status::Unset, "", &[]);
    let (event_type, class) = match told {
        Told::Llm => ("llm_call", Some(Class::Llm)),
        Told::Tool | Told::Denied => ("tool_call", Some(Class::Tool)),
        Told::Agent => ("agent_usage", Some(Class::Agent)),
        Told::SessionStart => ("session_start", None),
    };
    let mut event = Event::new(
        i64::try_from(record.time).map_or(UnixNanos::MAX, UnixNanos),
        event_type,
    );
    let model = facts.str(Fact::Model).and_then(names::plain);
    let tool = facts.str(Fact::Tool).and_then(names::plain);
    match told {
        Told::Llm => {
            let provider = facts.str(Fact::Provider).and_then(names::provider);
            let provider = provider.or_else(|| default_provider(agent).map(str::to_owned));
            event.set(Column::Source, provider.map(Value::Str));
            event.set(Column::Name, model.map(Value::from));
            event.set(Column::Type, Value::from("chat"));
            names::tokens(&mut event, &tokens);
            names::cost(&mut event, &facts);
        }
        Told::Tool | Told::Denied => {
            event.set(Column::Name, tool.map(Value::from));
        }
        Told::Agent => {
            event.set(Column::Name, Value::from("invoke"));
        }
        Told::SessionStart => {
            let name = service.and_then(names::plain).unwrap_or("agent");
            event.set(Column::Name, Value::from(name));
        }
    }
    if told == Told::Denied {
        outcome = Outcome {
            success: false,
            error_type: Some("denied".to_owned()),
        };
    }
    if told != Told::SessionStart {
        let ms = facts
            .f64(Fact::DurationMs)
            .or_else(|| facts.f64(Fact::DurationS));
        event.set(
            Column::DurationMs,
            ms.filter(|ms| *ms >= 0.0).map(Value::F64),
        );
        event.set(Column::Success, Value::Bool(outcome.success));
        event.set(Column::ErrorType, outcome.error_type.map(Value::Str));
        event.set(
            Column::TraceId,
            names::hex(&record.trace_id).map(Value::Str),
        );
        event.set(
            Column::ParentId,
            names::hex(&record.span_id).map(Value::Str),
        );
        let who = facts
            .str(Fact::AgentName)
            .or_else(|| facts.str(Fact::AgentId));
        identities.set(&mut event, Column::Agent, who.or(service));
    }
    let session = facts.str(Fact::Session);
    identities.set(&mut event, Column::SessionId, session);

    let own = |fact| facts.str(fact).map(|id| hash_of(&[id]));
    Some(Candidate {
        keys: Keys {
            class,
            response: own(Fact::RequestId)
                .or_else(|| own(Fact::ResponseId))
                .filter(|_| told == Told::Llm),
            call: own(Fact::CallId).filter(|_| class == Some(Class::Tool)),
            detail: tokens.detail(),
            body: Some(body_hash(record, place)),
            ..Keys::default()
        },
        event,
    })
}

/// The event's name: the attribute (Codex writes a source location where the
/// name belongs), else the record's, else a short body; without the agent's
/// prefix.
fn name<'v>(record: &'v LogRecord<'_>, facts: &Facts<'v, '_>) -> Option<&'v str> {
    let body = match &record.body {
        Any::Str(text) if text.len() <= 100 => Some(&**text),
        _ => None,
    };
    let own = Some(&*record.event_name).filter(|name| !name.is_empty());
    let name = facts.str(Fact::EventName).or(own).or(body)?;
    let prefixes = ["claude_code.", "codex.", "gemini_cli.", "qwen-code."];
    let bare = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
    Some(bare.unwrap_or(name))
}

fn told(agent: Agent, name: &str, record: &LogRecord<'_>, facts: &Facts<'_, '_>) -> Option<Told> {
    match (agent, name) {
        (Agent::ClaudeCode, "api_request" | "api_error") => Some(Told::Llm),
        (Agent::ClaudeCode, "tool_result") => Some(Told::Tool),
        (Agent::ClaudeCode, "tool_decision") => {
            (facts.str(Fact::Decision) == Some("reject")).then_some(Told::Denied)
        }
        (Agent::ClaudeCode, "subagent_completed") => Some(Told::Agent),
        // Only the record with counts is the call.
        (Agent::Codex, "sse_event") => {
            let ended = facts.str(Fact::EventKind) == Some("response.completed");
            (ended && facts.has(Fact::Input)).then_some(Told::Llm)
        }
        // A call that ended well is told by its `sse_event`.
        (Agent::Codex, "api_request") => {
            let failed = facts
                .count(Fact::StatusCode)
                .is_some_and(|code| code >= 400);
            failed.then_some(Told::Llm)
        }
        (Agent::Codex, "tool_result") => Some(Told::Tool),
        (Agent::Codex, "conversation_starts") => Some(Told::SessionStart),
        (Agent::Gemini | Agent::Qwen, "api_response" | "api_error") => Some(Told::Llm),
        (Agent::Gemini | Agent::Qwen, "tool_call") => Some(Told::Tool),
        (Agent::Gemini | Agent::Qwen, "agent.finish") => Some(Told::Agent),
        // The span of the same call tells it where there is one.
        (Agent::Other, "gen_ai.client.inference.operation.details") => {
            (record.span_id == [0; 8]).then_some(Told::Llm)
        }
        _ => None,
    }
}

fn default_provider(agent: Agent) -> Option<&'static str> {
    match agent {
        Agent::ClaudeCode => Some("anthropic"),
        Agent::Codex => Some("openai"),
        Agent::Gemini => Some("gcp.gemini"),
        _ => None,
    }
}

/// A body sent twice counts once: everything of a record that is looked at.
fn body_hash(record: &LogRecord<'_>, place: u64) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (place, record.time, &record.event_name, record.span_id).hash(&mut hasher);
    for (key, value) in &record.attrs {
        key.hash(&mut hasher);
        value.hash_into(&mut hasher);
    }
    hasher.finish()
}
