//! The report: every question, from the same cells.

use tachograph_model::answer::{Note, Report, Storage};
use tachograph_model::question::{self, Part};

use super::{
    agents, cache_performance, caches, discovery, errors, losses, metrics, models, queries,
    sessions, token_savings, tools, trends, usage,
};
use crate::cells::Cells;

/// Answers from the cells; what lies on disk is given.
pub fn answer(
    question: &question::Report,
    cells: &Cells,
    storage: Storage,
    notes: &mut Vec<Note>,
) -> Report {
    if question.part != Part::Whole {
        return part(question, cells, storage, notes);
    }
    // Quantiles of the agent cache are the other half of the work.
    let (discovery, cache_performance) = if cells.threads() > 1 {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| cache_performance::answer(cells));
            let discovery = discovery::answer(cells);
            let other = other
                .join()
                .unwrap_or_else(|_| cache_performance::answer(cells));
            (discovery, other)
        })
    } else {
        (discovery::answer(cells), cache_performance::answer(cells))
    };
    Report {
        discovery,
        cache_performance,
        token_savings: token_savings::answer(cells, question.baseline, notes),
        trends: trends::answer(cells, notes),
        queries: queries::answer(cells, question.limits),
        tools: tools::answer(cells),
        caches: caches::answer(cells),
        models: models::answer(cells),
        sessions: sessions::answer(cells),
        agents: agents::answer(cells),
        errors: errors::answer(cells),
        usage: usage::answer(cells),
        metrics: metrics::answer(cells),
        losses: losses::answer(cells),
        storage,
    }
}

/// What its page shows; the rest is not asked for.
fn part(
    question: &question::Report,
    cells: &Cells,
    storage: Storage,
    notes: &mut Vec<Note>,
) -> Report {
    let mut report = Report {
        storage,
        ..Report::default()
    };
    if question.part == Part::Trends {
        report.queries = queries::answer(cells, question.limits);
    } else {
        report.usage = usage::answer(cells);
        report.discovery = discovery::answer(cells);
        report.cache_performance = cache_performance::answer(cells);
        report.token_savings = token_savings::answer(cells, question.baseline, notes);
    }
    report.trends = trends::answer(cells, notes);
    report
}
