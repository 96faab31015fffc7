//! One file a question: cells in, answer out. Pure: no file, no clock,
//! no engine.

pub mod agents;
pub mod backtest;
pub mod cache_performance;
pub mod caches;
pub mod changes;
pub mod discovery;
pub mod errors;
pub mod losses;
pub mod metrics;
pub mod models;
pub mod queries;
pub mod report;
pub mod sessions;
pub mod suggest;
pub mod timeline;
pub mod token_savings;
pub mod tools;
pub mod trends;
pub mod usage;

use tachograph_model::Question;
use tachograph_model::answer::{Found, Note, Storage, Tally};

use crate::cells::{self, Cells, Row};

/// Counts rows by what `key` says of them, in the order first seen.
fn tallies<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    key: impl Fn(&'a Row) -> Option<&'a str>,
) -> Vec<Tally> {
    cells::groups(rows, key)
        .into_iter()
        .map(|(name, rows)| Tally {
            name: name.to_owned(),
            count: cells::count(rows),
        })
        .collect()
}

/// Returns the types of event that a question looks at; `None` for all. Every
/// answer looks at losses, too.
pub(crate) fn types(question: &Question) -> Option<Vec<&str>> {
    let types: &[&str] = match question {
        Question::CachePerformance(_) | Question::Discovery(_) | Question::Trends(_) => {
            &["agent_discovery", "loss"]
        }
        Question::Caches(_) => &["cache", "cache_operation", "loss"],
        Question::Losses(_) => &["loss"],
        Question::Metrics(_) => &["metric", "performance", "loss"],
        Question::Models(_) => &["llm_call", "loss"],
        Question::Queries(_) => &["query", "agent_selection", "loss"],
        Question::Sessions(_) => &["session_start", "session_end", "loss"],
        Question::TokenSavings(_) => &["agent_load", "session_start", "loss"],
        Question::Tools(_) => &["tool_call", "loss"],
        Question::Timeline(q) => return q.kind.as_deref().map(|kind| vec![kind, "loss"]),
        _ => return None,
    };
    Some(types.to_vec())
}

/// Answers a question about events. `None` for those that cells cannot answer:
/// SQL and storage. A report gets its storage from `storage`.
pub(crate) fn answer(
    question: &Question,
    cells: &Cells,
    storage: Storage,
    notes: &mut Vec<Note>,
) -> Option<Found> {
    Some(match question {
        Question::Agents(_) => Found::Agents(agents::answer(cells).into()),
        Question::CachePerformance(_) => {
            Found::CachePerformance(cache_performance::answer(cells).into())
        }
        Question::Caches(_) => Found::Caches(caches::answer(cells).into()),
        Question::Changes(_) => Found::Changes(changes::answer(cells).into()),
        Question::Discovery(_) => Found::Discovery(discovery::answer(cells).into()),
        Question::Errors(_) => Found::Errors(errors::answer(cells).into()),
        Question::Losses(_) => Found::Losses(losses::answer(cells).into()),
        Question::Metrics(_) => Found::Metrics(metrics::answer(cells).into()),
        Question::Models(_) => Found::Models(models::answer(cells).into()),
        Question::Queries(q) => Found::Queries(queries::answer(cells, q.limits).into()),
        Question::Report(q) => Found::Report(report::answer(q, cells, storage, notes).into()),
        Question::Sessions(_) => Found::Sessions(sessions::answer(cells).into()),
        Question::Timeline(q) => Found::Timeline(timeline::answer(q, cells, notes).into()),
        Question::TokenSavings(q) => {
            Found::TokenSavings(token_savings::answer(cells, q.baseline, notes).into())
        }
        Question::Tools(_) => Found::Tools(tools::answer(cells).into()),
        Question::Trends(_) => Found::Trends(trends::answer(cells, notes).into()),
        Question::Usage(_) => Found::Usage(usage::answer(cells).into()),
        _ => return None,
    })
}
