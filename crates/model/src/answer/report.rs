use serde::Serialize;

use super::{
    Agents, CachePerformance, Caches, Discovery, Errors, Found, Losses, Metrics, Models, Queries,
    Sessions, Storage, TokenSavings, Tools, Trends, Usage,
};

/// The answers to all questions, from one scan.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "each is the answer to the question of its name"
)]
pub struct Report {
    pub discovery: Discovery,
    pub token_savings: TokenSavings,
    pub cache_performance: CachePerformance,
    pub trends: Trends,
    pub queries: Queries,
    pub tools: Tools,
    pub caches: Caches,
    pub models: Models,
    pub sessions: Sessions,
    pub agents: Agents,
    pub errors: Errors,
    pub usage: Usage,
    pub metrics: Metrics,
    pub losses: Losses,
    pub storage: Storage,
}

impl Report {
    /// Makes a report that holds one answer and nothing else, so that one
    /// question is rendered as its section of a report is; `None` for the answer
    /// of a question that has no section.
    pub fn of_one(found: Found) -> Option<Self> {
        let mut report = Self::default();
        match found {
            Found::Agents(found) => report.agents = *found,
            Found::CachePerformance(found) => report.cache_performance = *found,
            Found::Caches(found) => report.caches = *found,
            Found::Discovery(found) => report.discovery = *found,
            Found::Errors(found) => report.errors = *found,
            Found::Losses(found) => report.losses = *found,
            Found::Metrics(found) => report.metrics = *found,
            Found::Models(found) => report.models = *found,
            Found::Queries(found) => report.queries = *found,
            Found::Sessions(found) => report.sessions = *found,
            Found::Storage(found) => report.storage = *found,
            Found::TokenSavings(found) => report.token_savings = *found,
            Found::Tools(found) => report.tools = *found,
            Found::Trends(found) => report.trends = *found,
            Found::Usage(found) => report.usage = *found,
            Found::Report(found) => report = *found,
            Found::Changes(_)
            | Found::SessionList(_)
            | Found::Sql(_)
            | Found::Timeline(_)
            | Found::Trace(_) => return None,
        }
        Some(report)
    }
}
