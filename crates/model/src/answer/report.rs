use serde::Serialize;

use super::{
    Agents, CachePerformance, Caches, Discovery, Errors, Losses, Metrics, Models, Queries,
    Sessions, Storage, TokenSavings, Tools, Trends, Usage,
};

/// The answers to all questions, from one scan.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
