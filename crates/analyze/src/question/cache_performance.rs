//! Cache performance: the first seed's `get_cache_performance`, with the
//! speed-up that its document promises.

use tachograph_model::answer::CachePerformance;

use super::discovery::{LOOKUP, hits};
use crate::cells::{self, Cells, Row};

/// Answers from the cells. A look-up that does not say is a miss.
pub fn answer(cells: &Cells) -> CachePerformance {
    let lookups: Vec<&Row> = cells
        .of("agent_discovery")
        .iter()
        .filter(|row| row.name() == LOOKUP)
        .collect();
    let all = cells::count(lookups.iter().copied());
    let hits = hits(lookups.iter().copied());
    let spread = |hit: bool| {
        let rows = lookups
            .iter()
            .copied()
            .filter(|row| (row.key().hit == Some(true)) == hit);
        cells::durations(rows).spread()
    };
    CachePerformance::new(hits, all - hits, spread(true), spread(false))
}
