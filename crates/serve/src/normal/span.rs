//! A span → an event, or nothing.

use tachograph_model::{Column, Event, UnixNanos, Value};

use super::candidate::{Candidate, Keys};
use super::facts::{Fact, Facts};
use super::identity::Identities;
use super::kind::{self, Class};
use super::names::{self, hash_of};
use super::noise;
use super::outcome::Outcome;
use super::source::Agent;
use super::tokens::Tokens;
use crate::wire::view::{Scope, Span, SpanKind};

/// Makes the event of a span; `None` when it is no agent's or only noise.
pub fn candidate(
    span: &Span<'_>,
    scope: &Scope<'_>,
    agent: Agent,
    service: Option<&str>,
    identities: &mut Identities,
) -> Option<Candidate> {
    if noise::span(span, scope, agent) {
        return None;
    }
    let facts = Facts::of(&span.attrs);
    let (class, operation) = noise::decide(span, agent, &facts).or_else(|| kind::decide(&facts))?;
    let outcome = Outcome::of(&facts, span.status, &span.status_message, &span.events);
    let tokens = Tokens::of(&facts, agent);
    let model = facts.str(Fact::Model).and_then(names::plain);
    let provider = facts.str(Fact::Provider).and_then(names::provider);
    let tool = tool_name(span, &facts);

    let mut event = Event::new(ended(span), type_of(class));
    match class {
        Class::Llm => {
            set(&mut event, Column::Source, provider.as_deref());
            set(&mut event, Column::Name, model);
            set(&mut event, Column::Type, Some(operation));
            names::tokens(&mut event, &tokens);
            names::cost(&mut event, &facts);
        }
        Class::Tool => set(&mut event, Column::Name, tool),
        Class::Agent => set(&mut event, Column::Name, Some(operation)),
        Class::Retrieval | Class::Structure => set(&mut event, Column::Name, Some(operation)),
    }
    if span.end >= span.start && span.start > 0 {
        let ms = (span.end - span.start) as f64 / 1e6;
        event.set(Column::DurationMs, Value::F64(ms));
    }
    event.set(Column::Success, Value::Bool(outcome.success));
    set(&mut event, Column::ErrorType, outcome.error_type.as_deref());
    set(&mut event, Column::Id, names::hex(&span.span_id).as_deref());
    set(
        &mut event,
        Column::TraceId,
        names::hex(&span.trace_id).as_deref(),
    );
    set(
        &mut event,
        Column::ParentId,
        names::hex(&span.parent_id).as_deref(),
    );
    identities.set(&mut event, Column::SessionId, facts.str(Fact::Session));
    let who = facts
        .str(Fact::AgentName)
        .or_else(|| facts.str(Fact::AgentId))
        .or_else(|| {
            facts
                .str(Fact::EntityName)
                .filter(|_| class == Class::Agent)
        })
        .or(service);
    identities.set(&mut event, Column::Agent, who);

    let response = facts.str(Fact::ResponseId).map(|id| hash_of(&[id]));
    let call = facts.str(Fact::CallId).map(|id| hash_of(&[id]));
    Some(Candidate {
        event,
        keys: Keys {
            class: Some(class),
            trace: span.trace_id,
            span: span.span_id,
            parent: span.parent_id,
            response: response.filter(|_| class == Class::Llm),
            call: call.filter(|_| class == Class::Tool),
            detail: tokens.detail(),
            body: None,
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

/// When it ended; what has no end is taken for its start.
fn ended(span: &Span<'_>) -> UnixNanos {
    let at = if span.end > 0 { span.end } else { span.start };
    i64::try_from(at).map_or(UnixNanos::MAX, UnixNanos)
}

fn tool_name<'v>(span: &'v Span<'_>, facts: &Facts<'v, '_>) -> Option<&'v str> {
    let named = facts
        .str(Fact::Tool)
        .or_else(|| facts.str(Fact::EntityName));
    // OpenInference names the span after the tool where it says no name.
    let named = named.or_else(|| facts.has(Fact::OpenInferenceKind).then_some(&*span.name));
    // `tools/call search`: MCP without a tool's attribute.
    let named = named.or_else(|| match span.kind {
        SpanKind::Client | SpanKind::Server => span.name.strip_prefix("tools/call "),
        _ => None,
    });
    named.and_then(names::plain)
}

fn set(event: &mut Event, column: Column, text: Option<&str>) {
    if let Some(text) = text {
        event.set(column, Value::from(text));
    }
}
