use super::Scope;

/// Asks how many tokens loading agents on demand saves.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSavings {
    /// Which events.
    pub scope: Scope,
    /// What savings are measured against.
    pub baseline: Baseline,
}

/// What one session would load if it loaded every agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Baseline {
    /// How many agents there are.
    pub agents: u64,
    /// Tokens of all of them.
    pub tokens: i64,
    /// Where these figures are from.
    pub source: BaselineSource,
}

/// Where a baseline is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineSource {
    /// The index of agents.
    Index,
    /// The settings.
    Config,
    /// The first seed's figures, where nothing better is known.
    Default,
}

impl Default for Baseline {
    /// The first seed's: 119 agents of 450 tokens.
    fn default() -> Self {
        Self {
            agents: 119,
            tokens: 119 * 450,
            source: BaselineSource::Default,
        }
    }
}
