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
pub(crate) mod rule_values;
pub mod sessions;
pub mod suggest;
pub mod timeline;
pub mod token_savings;
pub mod tools;
pub mod trends;
pub mod usage;

use tachograph_model::Question;
use tachograph_model::answer::{Found, Note, Storage, Tally};
use tachograph_model::question::Part;
use tachograph_store::{Apart, Grain, Only, Sought};

use crate::cells::{self, Cells, Row};

/// The type of events that tell of others that were lost.
const LOSS: &str = "loss";

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
            &["agent_discovery", LOSS]
        }
        // What an agent cache reports of itself is of no cache's name.
        Question::Caches(q) if q.name.is_some() => &["cache", LOSS],
        Question::Caches(_) => &["cache", "cache_operation", LOSS],
        Question::Losses(_) => &[LOSS],
        Question::Metrics(_) => &["metric", "performance", LOSS],
        Question::Models(_) => &["llm_call", LOSS],
        Question::Queries(_) => &["query", "agent_selection", LOSS],
        Question::Report(q) => match q.part {
            Part::Whole => return None,
            Part::Health => &["agent_discovery", "agent_load", "session_start", LOSS],
            Part::Trends => &["agent_discovery", "query", "agent_selection", LOSS],
        },
        Question::Sessions(_) => &["session_start", "session_end", LOSS],
        Question::TokenSavings(_) => &["agent_load", "session_start", LOSS],
        Question::Tools(_) => &["tool_call", LOSS],
        Question::Timeline(q) => return q.kind.as_deref().map(|kind| vec![kind, LOSS]),
        _ => return None,
    };
    Some(types.to_vec())
}

/// Returns what picks the series that a question looks at; `None` for all.
/// Losses count whoever they are of.
pub(crate) fn only(question: &Question) -> Option<Only> {
    let sought = |text: &Option<String>| {
        text.as_ref().map(|text| Sought {
            text: text.clone(),
            or_none: text == cells::UNKNOWN,
        })
    };
    let (name, agent, source) = match question {
        Question::Agents(q) => (None, sought(&q.name), None),
        Question::Caches(q) => (sought(&q.name), None, None),
        Question::Models(q) => (sought(&q.name), None, sought(&q.source)),
        Question::Timeline(q) => (sought(&q.name), None, sought(&q.source)),
        Question::Tools(q) => (sought(&q.name), None, None),
        _ => return None,
    };
    let any = name.is_some() || agent.is_some() || source.is_some();
    any.then_some(Only {
        name,
        agent,
        source,
        beside: Some(LOSS),
    })
}

/// Returns how finely events are folded for a question: by day where it looks
/// at days, else all at once.
pub(crate) fn grain(question: &Question) -> Grain {
    match question {
        Question::Timeline(q) => timeline::grain(q),
        Question::Changes(_)
        | Question::Queries(_)
        | Question::Report(_)
        | Question::Trends(_)
        | Question::Usage(_) => Grain::Day,
        _ => Grain::Window,
    }
}

/// Returns what a question tells apart.
pub(crate) fn apart(question: &Question) -> Apart {
    match question {
        Question::Agents(_) => Apart::Agents,
        Question::Timeline(q) if q.name.is_none() && q.source.is_none() => Apart::Kinds,
        Question::Timeline(_) => Apart::Charts,
        // Of what it is, and when.
        Question::Usage(_) => Apart::Kinds,
        _ => Apart::Named,
    }
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
        Question::Changes(q) => Found::Changes(changes::answer(cells, &q.scope).into()),
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
