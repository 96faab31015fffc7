//! Discovery: the first seed's `get_discovery_stats`.

use tachograph_model::answer::{Discovery, Operation, ratio};

use crate::cells::{self, Cells, Row};

/// The operation that goes through the agent cache.
pub(crate) const LOOKUP: &str = "get_agent";

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Discovery {
    let rows = cells.of("agent_discovery");
    Discovery {
        total: cells::count(rows),
        operations: cells::groups(rows, |row| Some(row.name()))
            .into_iter()
            .map(|(name, rows)| operation(name, &rows))
            .collect(),
        duration_ms: cells::durations(rows).spread(),
    }
}

fn operation(name: &str, rows: &[&Row]) -> Operation {
    let count = cells::count(rows.iter().copied());
    let hits = hits(rows.iter().copied());
    Operation {
        name: name.to_owned(),
        count,
        duration_ms: cells::durations(rows.iter().copied()).spread(),
        hits,
        hit_ratio: (name == LOOKUP).then(|| ratio(hits, count)).flatten(),
    }
}

/// Events that the cache answered.
pub(crate) fn hits<'a>(rows: impl IntoIterator<Item = &'a Row>) -> u64 {
    cells::count(rows.into_iter().filter(|row| row.key().hit == Some(true)))
}
