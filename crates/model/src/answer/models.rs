use serde::Serialize;

use super::{Outcomes, Spread};

/// Model calls, tokens and cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Models {
    /// Per provider and model, most calls first; equal ones in the order they
    /// were first seen.
    pub models: Vec<ModelUse>,
    /// All calls.
    pub calls: Outcomes,
    /// Tokens of all calls.
    pub tokens: TokenCounts,
    /// What all calls cost, as far as they say, US dollars.
    pub cost_usd: Option<f64>,
}

/// One model of one provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelUse {
    /// Who serves it.
    pub provider: Option<String>,
    /// Which.
    pub model: String,
    /// Calls by outcome.
    pub calls: Outcomes,
    /// Part, 0..=1, that succeeded.
    pub success_ratio: Option<f64>,
    /// Tokens.
    pub tokens: TokenCounts,
    /// What the calls cost, US dollars; `None` when none says.
    pub cost_usd: Option<f64>,
    /// Calls that say what they cost.
    pub priced_calls: u64,
    /// Until the last token, ms.
    pub duration_ms: Option<Spread>,
}

/// Tokens by use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TokenCounts {
    /// Sent, cached ones included.
    pub input: i64,
    /// Received, reasoning included.
    pub output: i64,
    /// Of the input, read from the provider's cache.
    pub cache_read: i64,
    /// Of the input, written to it.
    pub cache_write: i64,
    /// Of the output, reasoning.
    pub reasoning: i64,
}

impl TokenCounts {
    /// Sent and received.
    pub fn total(&self) -> i64 {
        self.input.saturating_add(self.output)
    }
}

impl Models {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }
}

impl std::ops::AddAssign for TokenCounts {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}
