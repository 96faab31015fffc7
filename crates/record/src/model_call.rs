//! Models: calls, tokens and cost.

use std::sync::Arc;
use std::time::Duration;

use tachograph_model::Column;

use crate::core::NameId;
use crate::layout::{Words, field, kind};
use crate::recorder::{Inner, Recorder};
use crate::scope::{Scope, scoped};

const PROVIDER: u32 = field(kind::LLM_CALL, Column::Source);
const MODEL: u32 = field(kind::LLM_CALL, Column::Name);
const DURATION: u32 = field(kind::LLM_CALL, Column::DurationMs);
const SUCCESS: u32 = field(kind::LLM_CALL, Column::Success);
const ERROR: u32 = field(kind::LLM_CALL, Column::ErrorType);
const INPUT: u32 = field(kind::LLM_CALL, Column::InputTokens);
const OUTPUT: u32 = field(kind::LLM_CALL, Column::OutputTokens);
const CACHE_READ: u32 = field(kind::LLM_CALL, Column::CacheReadTokens);
const CACHE_WRITE: u32 = field(kind::LLM_CALL, Column::CacheWriteTokens);
const REASONING: u32 = field(kind::LLM_CALL, Column::ReasoningTokens);
const COST: u32 = field(kind::LLM_CALL, Column::CostUsd);
const AGENT: u32 = field(kind::LLM_CALL, Column::Agent);
const SESSION: u32 = field(kind::LLM_CALL, Column::SessionId);
const PARENT: u32 = field(kind::LLM_CALL, Column::ParentId);
const TRACE: u32 = field(kind::LLM_CALL, Column::TraceId);

/// A model of a provider, resolved once.
///
/// ```
/// use std::time::Duration;
/// use tachograph::ModelCall;
/// let recorder = tachograph::Recorder::builder().build();
/// let model = recorder.model("anthropic", "claude-x");
/// model.call(ModelCall {
///     duration: Duration::from_millis(900),
///     input_tokens: 1_200,
///     output_tokens: 300,
///     cache_read_tokens: 1_000,
///     cost_usd: Some(0.0081),
///     ..ModelCall::default()
/// });
/// ```
#[derive(Clone)]
pub struct Model {
    pub(crate) inner: Option<Arc<Inner>>,
    provider: NameId,
    name: NameId,
    pub(crate) scope: Scope,
}

scoped!(Model);

/// One answer of a model, or its failure.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelCall<'a> {
    /// Until the last token.
    pub duration: Duration,
    /// Tokens sent, those read from a cache included.
    pub input_tokens: u64,
    /// Tokens received, those of reasoning included.
    pub output_tokens: u64,
    /// Of the input: read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Of the input: written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Of the output: spent on reasoning.
    pub reasoning_tokens: u64,
    /// What it cost in US dollars, if known; must be finite and not below zero.
    pub cost_usd: Option<f64>,
    /// Class of the failure, never its message; `None` is a success.
    pub error_type: Option<&'a str>,
}

impl Recorder {
    /// Resolves a model. Cost: two look-ups under a lock; once per model.
    pub fn model(&self, provider: &str, model: &str) -> Model {
        let inner = self.inner.clone();
        let name = |text| inner.as_ref().map_or(NameId::OTHER, |i| i.core.name(text));
        Model {
            provider: name(provider),
            name: name(model),
            inner,
            scope: Scope::default(),
        }
    }
}

impl Model {
    /// Records a call. Counts that are 0 for the caches and for reasoning are
    /// left out of the log. A cost that is no number is dropped and counted.
    /// Cost: about 80 ns.
    pub fn call(&self, call: ModelCall<'_>) {
        let Some(inner) = &self.inner else {
            return;
        };
        let mut words = Words::<16>::of(kind::LLM_CALL);
        words.name(PROVIDER, self.provider);
        words.name(MODEL, self.name);
        words.duration(DURATION, call.duration);
        words.put(SUCCESS, u64::from(call.error_type.is_none()));
        words.maybe_name(ERROR, call.error_type.map(|error| inner.name(error)));
        words.count(INPUT, call.input_tokens);
        words.count(OUTPUT, call.output_tokens);
        for (field, tokens) in [
            (CACHE_READ, call.cache_read_tokens),
            (CACHE_WRITE, call.cache_write_tokens),
            (REASONING, call.reasoning_tokens),
        ] {
            if tokens > 0 {
                words.count(field, tokens);
            }
        }
        match call.cost_usd {
            Some(cost) if cost.is_finite() && cost >= 0.0 => words.float(COST, cost),
            Some(_) => inner.count_invalid(kind::LLM_CALL),
            None => {}
        }
        words.maybe_name(AGENT, self.scope.agent);
        words.maybe_id(SESSION, self.scope.session);
        let (parent, trace) = self.scope.place();
        words.maybe_id(PARENT, parent);
        words.maybe_id(TRACE, trace);
        words.push(&inner.core);
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.inner.as_ref().map(|i| i.core.name_text(self.name));
        f.debug_tuple("Model").field(&name).finish()
    }
}
