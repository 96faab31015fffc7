//! A log record → an event, or nothing. Coding agents tell of their calls here
//! first: their logs are primary, their spans and metrics only go along.

use tachograph_model::{Column, Event, UnixNanos, Value};

use super::candidate::{Candidate, Keys, Way};
use super::facts::{Fact, Facts};
use super::identity::Identities;
use super::kind::Class;
use super::names::{self, hash_of};
use super::outcome::Outcome;
use super::source::{Agent, Origin};
use super::tokens::Tokens;
use crate::wire::view::{Any, LogRecord, Status};

/// What a log record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// A model's call; whether it ended well its attributes say.
    Llm,
    LlmFailed,
    Tool,
    /// A tool that the user did not let run.
    Denied,
    Agent,
    SessionStart,
}

/// Makes the event of a log record; `None` when it tells of nothing that
/// counts.
pub fn candidate(
    record: &LogRecord<'_>,
    origin: &Origin<'_>,
    identities: &mut Identities,
) -> Option<Candidate> {
    let facts = Facts::of(&record.attrs);
    let name = name(record, &facts)?;
    let agent = match origin.agent {
        Agent::Other => Agent::of_event(name).unwrap_or_default(),
        agent => agent,
    };
    let told = told(agent, bare(name), record, &facts)?;
    let tokens = Tokens::of(&facts, agent, false);
    let mut outcome = Outcome::of(&facts, Status::Unset, "", &[]);
    let (event_type, class) = match told {
        Told::Llm | Told::LlmFailed => ("llm_call", Some(Class::Llm)),
        Told::Tool | Told::Denied => ("tool_call", Some(Class::Tool)),
        Told::Agent => ("agent_usage", Some(Class::Agent)),
        Told::SessionStart => ("session_start", None),
    };
    let time = origin.time(record.time);
    let mut event = Event::new(UnixNanos(time), event_type);
    let model = facts.str(Fact::Model).and_then(names::model);
    let provider = names::provider(&facts).or(agent.provider());
    match told {
        Told::Llm | Told::LlmFailed => {
            event.set(Column::Source, provider.map(Value::from));
            event.set(Column::Name, model.map(Value::from));
            event.set(Column::Type, Value::from("chat"));
            names::tokens(&mut event, &tokens);
            names::cost(&mut event, &facts);
        }
        Told::Tool | Told::Denied => {
            event.set(Column::Name, names::tool(&facts).map(Value::from));
        }
        Told::Agent => {
            event.set(Column::Name, Value::from("invoke"));
        }
        Told::SessionStart => {
            event.set(Column::Name, Value::from("codex"));
        }
    }
    match told {
        Told::LlmFailed => outcome = outcome.failed(),
        Told::Denied => {
            outcome = Outcome {
                success: false,
                error_type: Some("denied".to_owned()),
            };
        }
        _ => {}
    }
    let ms = facts.f64(Fact::Duration).filter(|ms| *ms >= 0.0);
    if told != Told::SessionStart {
        event.set(Column::DurationMs, ms.map(Value::F64));
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
        let who = names::agent(&facts).or(origin.service);
        identities.set(&mut event, Column::Agent, who);
    }
    let session = names::session(&facts);
    identities.set(&mut event, Column::SessionId, session.as_deref());
    identities.settle(&mut event);

    // A span of Claude Code's calls the request's id the response's.
    let id = facts
        .str(Fact::RequestId)
        .or_else(|| facts.str(Fact::ResponseId));
    let response = id.map(|id| hash_of(&[id]));
    let began = time.saturating_sub((ms.unwrap_or_default() * 1e6) as i64);
    // A tool's result, where there is one, follows the decision at once.
    let ended = match told {
        Told::Denied => time.saturating_add(1_000_000_000),
        _ => time,
    };
    Some(Candidate {
        keys: Keys {
            class,
            response: response.filter(|_| class == Some(Class::Llm)),
            provider: provider.map(|name| hash_of(&[name])),
            call: names::call(&facts).filter(|_| class == Some(Class::Tool)),
            detail: 2 * tokens.detail() + u8::from(model.is_some()),
            body: Some(body_hash(record, origin.place)),
            instance: origin.instance,
            place: origin.place,
            lasted: (began, ended),
            way: way(agent, told),
            ..Keys::default()
        },
        event,
    })
}

/// Spans tell of the same, for Claude Code and Codex; but not of Codex' tools and
/// failures.
fn way(agent: Agent, told: Told) -> Option<Way> {
    let twice = match agent {
        Agent::ClaudeCode => true,
        Agent::Codex => matches!(told, Told::Llm | Told::SessionStart),
        _ => false,
    };
    twice.then_some(Way {
        log: true,
        blind: agent == Agent::Codex,
    })
}

/// The event's name: the attribute (Codex writes a source location where the
/// name belongs), else the record's, else a short body.
fn name<'v>(record: &'v LogRecord<'_>, facts: &Facts<'v, '_>) -> Option<&'v str> {
    let body = match &record.body {
        Any::Str(text) if text.len() <= 100 => Some(&**text),
        _ => None,
    };
    let own = Some(&*record.event_name).filter(|name| !name.is_empty());
    facts.str(Fact::EventName).or(own).or(body)
}

/// A name without the agent's prefix.
fn bare(name: &str) -> &str {
    match (Agent::of_event(name), name.split_once('.')) {
        (Some(_), Some((_, bare))) => bare,
        _ => name,
    }
}

fn told(agent: Agent, name: &str, record: &LogRecord<'_>, facts: &Facts<'_, '_>) -> Option<Told> {
    match (agent, name) {
        (Agent::ClaudeCode, "api_request") => Some(Told::Llm),
        // One for all of a call's tries.
        (Agent::ClaudeCode, "api_error") => Some(Told::LlmFailed),
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
        // A call that ended well is told by its `sse_event`; one that never
        // reached the provider has a message and no status.
        (Agent::Codex, "api_request") => {
            let failed = match facts.count(Fact::StatusCode) {
                Some(code) => code >= 400,
                None => facts.has(Fact::ErrorMessage),
            };
            failed.then_some(Told::LlmFailed)
        }
        (Agent::Codex, "tool_result") => Some(Told::Tool),
        (Agent::Codex, "conversation_starts") => Some(Told::SessionStart),
        (Agent::Gemini | Agent::Qwen, "api_response") => Some(Told::Llm),
        (Agent::Gemini | Agent::Qwen, "api_error") => Some(Told::LlmFailed),
        (Agent::Gemini | Agent::Qwen, "tool_call") => {
            let denied = facts.str(Fact::Decision) == Some("reject");
            Some(if denied { Told::Denied } else { Told::Tool })
        }
        (Agent::Gemini | Agent::Qwen, "agent.finish") => Some(Told::Agent),
        // The span of the same call tells it where there is one; who tells of the
        // request and of the answer apart has one call with an answer.
        (Agent::Other, "gen_ai.client.inference.operation.details") => {
            let answered = [Fact::Input, Fact::Output, Fact::ResponseId, Fact::ErrorType];
            let answered = answered.into_iter().any(|fact| facts.has(fact));
            (answered && record.span_id == [0; 8]).then_some(Told::Llm)
        }
        _ => None,
    }
}

/// A body sent twice counts once: everything of a record that is looked at.
fn body_hash(record: &LogRecord<'_>, place: u64) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (place, record.time, &record.event_name).hash(&mut hasher);
    (record.trace_id, record.span_id).hash(&mut hasher);
    record.body.hash_into(&mut hasher);
    for (key, value) in &record.attrs {
        key.hash(&mut hasher);
        value.hash_into(&mut hasher);
    }
    hasher.finish()
}
