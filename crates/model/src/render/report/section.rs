//! The sections of a report, and what each is made from.

use serde::Serialize;
use serde_json::Value;

use super::super::sheet::Sheet;
use super::super::{
    agents, cache_performance, caches, discovery, errors, losses, metrics, models, queries,
    sessions, storage, token_savings, tools, trends, usage,
};
use crate::answer::Report;

/// Sections of a report.
macro_rules! sections {
    ($($name:ident $text:literal $doc:literal,)*) => {
        /// A section of a report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Section {
            $(#[doc = $doc] $name,)*
        }

        impl Section {
            /// All of them, in the order of the report.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name: on the command line, in CSV and as a JSON key.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

sections! {
    Discovery "discovery" "How long discovering agents takes.",
    TokenSavings "token_savings" "Tokens loaded and saved.",
    CachePerformance "cache_performance" "The agent cache.",
    Trends "trends" "Discovery day by day.",
    Queries "queries" "Users' queries.",
    Tools "tools" "Tool calls.",
    Caches "caches" "Every cache.",
    Models "models" "Model calls, tokens, cost.",
    Sessions "sessions" "Sessions.",
    Agents "agents" "Usage per agent.",
    Errors "errors" "What fails.",
    Usage "usage" "When work happens.",
    Metrics "metrics" "Series of measurements.",
    Losses "losses" "Events that could not be recorded.",
    Storage "storage" "What lies on disk.",
}

impl Section {
    /// Finds a section by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|section| section.name() == name)
    }

    /// The first seed's four.
    pub(super) fn is_classic(self) -> bool {
        matches!(
            self,
            Self::Discovery | Self::TokenSavings | Self::CachePerformance | Self::Trends
        )
    }

    pub(super) fn is_empty(self, report: &Report) -> bool {
        match self {
            Self::Discovery => report.discovery.is_empty(),
            Self::TokenSavings => report.token_savings.is_empty(),
            Self::CachePerformance => report.cache_performance.is_empty(),
            Self::Trends => report.trends.is_empty(),
            Self::Queries => report.queries.is_empty(),
            Self::Tools => report.tools.is_empty(),
            Self::Caches => report.caches.is_empty(),
            Self::Models => report.models.is_empty(),
            Self::Sessions => report.sessions.is_empty(),
            Self::Agents => report.agents.is_empty(),
            Self::Errors => report.errors.is_empty(),
            Self::Usage => report.usage.is_empty(),
            Self::Metrics => report.metrics.is_empty(),
            Self::Losses => report.losses.is_empty(),
            Self::Storage => report.storage.files() == 0,
        }
    }

    pub(in crate::render) fn sheet(self, report: &Report) -> Sheet {
        match self {
            Self::Discovery => discovery::sheet(&report.discovery),
            Self::TokenSavings => token_savings::sheet(&report.token_savings),
            Self::CachePerformance => cache_performance::sheet(&report.cache_performance),
            Self::Trends => trends::sheet(&report.trends),
            Self::Queries => queries::sheet(&report.queries),
            Self::Tools => tools::sheet(&report.tools),
            Self::Caches => caches::sheet(&report.caches),
            Self::Models => models::sheet(&report.models),
            Self::Sessions => sessions::sheet(&report.sessions),
            Self::Agents => agents::sheet(&report.agents),
            Self::Errors => errors::sheet(&report.errors),
            Self::Usage => usage::sheet(&report.usage),
            Self::Metrics => metrics::sheet(&report.metrics),
            Self::Losses => losses::sheet(&report.losses),
            Self::Storage => storage::sheet(&report.storage),
        }
    }

    /// The answer as it is: unrounded, every figure.
    pub(in crate::render) fn json(self, report: &Report) -> Value {
        fn value(answer: &impl Serialize) -> Value {
            serde_json::to_value(answer).unwrap_or(Value::Null)
        }
        match self {
            Self::Discovery => discovery::json(&report.discovery),
            Self::TokenSavings => token_savings::json(&report.token_savings),
            Self::CachePerformance => cache_performance::json(&report.cache_performance, true),
            Self::Trends => trends::json(&report.trends),
            Self::Queries => value(&report.queries),
            Self::Tools => value(&report.tools),
            Self::Caches => value(&report.caches),
            Self::Models => value(&report.models),
            Self::Sessions => value(&report.sessions),
            Self::Agents => value(&report.agents),
            Self::Errors => value(&report.errors),
            Self::Usage => value(&report.usage),
            Self::Metrics => value(&report.metrics),
            Self::Losses => value(&report.losses),
            Self::Storage => value(&report.storage),
        }
    }
}
