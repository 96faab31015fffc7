//! A span → an event, or nothing.

use tachograph_model::{Column, Event, UnixNanos, Value};

use super::candidate::{Candidate, Keys, Way};
use super::facts::{Fact, Facts};
use super::identity::Identities;
use super::kind::{self, Class};
use super::names::{self, hash_of};
use super::noise;
use super::outcome::Outcome;
use super::source::{Agent, Origin};
use super::tokens::Tokens;
use crate::wire::view::Span;

/// Why a span makes no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The inner life of a known agent.
    Noise,
    /// Nothing in it tells of a model, a tool or an agent.
    NoAgentEvent,
}

/// Makes the event of a span.
///
/// # Errors
/// [`Left`] when there is none.
pub fn candidate(
    span: &Span<'_>,
    origin: &Origin<'_>,
    identities: &mut Identities,
) -> Result<Candidate, Left> {
    if noise::span(span, origin) {
        return Err(Left::Noise);
    }
    let facts = Facts::of(&span.attrs);
    let agent = origin.agent;
    let decided = noise::decide(span, agent, &facts).or_else(|| kind::decide(&facts));
    let (class, operation) = decided.ok_or(match agent {
        Agent::Other => Left::NoAgentEvent,
        _ => Left::Noise,
    })?;
    let outcome = Outcome::of(&facts, span.status, &span.status_message, &span.events);
    let ended = origin.time(if span.end > 0 { span.end } else { span.start });
    let provider = names::provider(&facts).or(agent.provider());

    let mut event = Event::new(UnixNanos(ended), type_of(class));
    let mut detail = 0;
    match class {
        Class::Llm => {
            let tokens = Tokens::of(&facts, agent, operation == "embeddings");
            let model = facts.str(Fact::Model).and_then(names::model);
            detail = 2 * tokens.detail() + u8::from(model.is_some());
            set(&mut event, Column::Source, provider);
            set(&mut event, Column::Name, model);
            set(&mut event, Column::Type, Some(operation));
            names::tokens(&mut event, &tokens);
            names::cost(&mut event, &facts);
        }
        Class::Tool => set(&mut event, Column::Name, tool(span, &facts)),
        Class::Agent | Class::Retrieval | Class::Structure => {
            set(&mut event, Column::Name, Some(operation));
        }
    }
    let mut began = ended;
    if span.end >= span.start && span.start > 0 {
        let ms = (span.end - span.start) as f64 / 1e6;
        event.set(Column::DurationMs, Value::F64(ms));
        began = origin.time(span.start);
    }
    event.set(Column::Success, Value::Bool(outcome.success));
    set(&mut event, Column::ErrorType, outcome.error_type.as_deref());
    for (column, id) in [
        (Column::Id, &span.span_id[..]),
        (Column::TraceId, &span.trace_id),
        (Column::ParentId, &span.parent_id),
    ] {
        event.set(column, names::hex(id).map(Value::Str));
    }
    let session = names::session(&facts);
    identities.set(&mut event, Column::SessionId, session.as_deref());
    identities.settle(&mut event);
    let agent_named = names::agent(&facts);
    let who = agent_named.or(origin.service);
    identities.set(&mut event, Column::Agent, who);

    let is_tool = class == Class::Tool;
    let call = names::call(&facts).filter(|_| is_tool);
    let pair = names::pair(&facts, span.kind).filter(|_| is_tool && call.is_none());

    Ok(Candidate {
        event,
        keys: Keys {
            class: Some(class),
            trace: span.trace_id,
            span: span.span_id,
            parent: span.parent_id,
            response: names::response(&facts).filter(|_| class == Class::Llm),
            provider: provider.map(|name| hash_of(&[name])),
            call: call.or(pair.map(|(call, _)| call)),
            side: pair.map(|(_, side)| side),
            detail,
            body: None,
            instance: origin.instance,
            place: origin.place,
            lasted: (began, ended),
            way: way(agent, class),
            unnamed: agent_named.is_none(),
            root: operation == "chain" && span.parent_id == [0; 8],
        },
    })
}

/// The type of event of a class.
pub fn type_of(class: Class) -> &'static str {
    match class {
        Class::Llm => "llm_call",
        Class::Tool => "tool_call",
        Class::Agent => "agent_usage",
        Class::Retrieval | Class::Structure => "span",
    }
}

/// The class of a span that is stored, by its event's type and name.
pub fn class_of(event_type: &str, name: &str) -> Option<Class> {
    Some(match event_type {
        "llm_call" => Class::Llm,
        "tool_call" => Class::Tool,
        "agent_usage" => Class::Agent,
        "span" if kind::is_retrieval(name) => Class::Retrieval,
        "span" => Class::Structure,
        _ => return None,
    })
}

/// Claude Code and Codex tell of a call by a log record, too. Codex gives the two
/// no id in common.
fn way(agent: Agent, class: Class) -> Option<Way> {
    let both = matches!(agent, Agent::ClaudeCode | Agent::Codex);
    let call = matches!(class, Class::Llm | Class::Tool);
    (both && call).then_some(Way {
        log: false,
        blind: agent == Agent::Codex,
    })
}

/// The tool by its attribute, or by MCP's span name, `tools/call search`, as far
/// as it is a word: other names may say anything.
fn tool<'v>(span: &'v Span<'_>, facts: &Facts<'v, '_>) -> Option<&'v str> {
    let word = |name: &&str| {
        let byte = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
        !name.is_empty() && name.bytes().all(byte)
    };
    names::tool(facts).or_else(|| {
        facts.str(Fact::McpMethod)?;
        let named = span.name.strip_prefix("tools/call ").filter(word);
        named.and_then(names::plain)
    })
}

fn set(event: &mut Event, column: Column, text: Option<&str>) {
    if let Some(text) = text {
        event.set(column, Value::from(text));
    }
}
