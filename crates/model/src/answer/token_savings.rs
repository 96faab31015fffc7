use serde::Serialize;

use crate::question::Baseline;

/// Tokens that loading agents on demand saves.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TokenSavings {
    /// Times a definition was loaded.
    pub loads: u64,
    /// Distinct agents among these.
    pub agents: u64,
    /// Estimated tokens of all loads.
    pub tokens: i64,
    /// Mean tokens of a load (one that does not say counts 0).
    pub mean_tokens: Option<f64>,
    /// What one session would load if it loaded every agent.
    pub baseline: Baseline,
    /// Sessions begun in the window.
    pub sessions: u64,
    /// Against one session, whatever the window: the first seed's figure, which
    /// is negative once enough sessions are in it. `None` without loads.
    pub against_one_session: Option<Saving>,
    /// Against as many sessions as began; `None` without loads or sessions.
    pub against_sessions: Option<Saving>,
}

/// A saving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Saving {
    /// What would have been loaded.
    pub baseline_tokens: i64,
    /// Less what was; negative when more was.
    pub saved_tokens: i64,
    /// Part of the baseline, up to 1; `None` for a baseline of 0.
    pub saved_ratio: Option<f64>,
}

impl Saving {
    /// Computes it.
    pub fn new(baseline_tokens: i64, tokens: i64) -> Self {
        let saved_tokens = baseline_tokens.saturating_sub(tokens);
        Self {
            baseline_tokens,
            saved_tokens,
            saved_ratio: (baseline_tokens != 0)
                .then(|| saved_tokens as f64 / baseline_tokens as f64),
        }
    }
}

impl TokenSavings {
    /// Returns the saving to show: against sessions where these are known.
    pub fn saving(&self) -> Option<Saving> {
        self.against_sessions.or(self.against_one_session)
    }

    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.loads == 0
    }
}
