//! Caches: the third seed's cache metrics, and what the first seed's agent
//! cache reports of itself.

use tachograph_model::Column;
use tachograph_model::answer::{CacheReports, CacheUse, Caches, ratio};

use tachograph_store::SeriesKey;

use crate::cells::{self, Cells, Row};

/// Answers from the cells. A cache that has only evictions exists, too.
pub fn answer(cells: &Cells) -> Caches {
    Caches {
        caches: cells::groups(cells.of("cache"), |row| Some(row.name()))
            .into_iter()
            .map(|(name, rows)| cache(name, &rows))
            .collect(),
        reports: reports(cells.of("cache_operation")),
    }
}

fn cache(name: &str, rows: &[&Row]) -> CacheUse {
    let of = |what: What| {
        rows.iter()
            .copied()
            .filter(move |row| what_of(row.key()) == what)
    };
    let (hits, misses) = (cells::count(of(What::Hit)), cells::count(of(What::Miss)));
    CacheUse {
        name: name.to_owned(),
        hits,
        misses,
        hit_ratio: ratio(hits, hits + misses),
        evictions: cells::count(of(What::Eviction)),
        size_rejections: cells::count(of(What::SizeRejection)),
        hit_ms: cells::durations(of(What::Hit)).spread(),
        miss_ms: cells::durations(of(What::Miss)).spread(),
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum What {
    Hit,
    Miss,
    Eviction,
    SizeRejection,
    Other,
}

/// The operation says it; where there is none, the flag does.
pub(super) fn what_of(key: &SeriesKey) -> What {
    let operation = key.status.as_deref().filter(|it| !it.is_empty());
    match (operation, key.hit) {
        (Some("hit"), _) | (None, Some(true)) => What::Hit,
        (Some("miss"), _) | (None, Some(false)) => What::Miss,
        (Some("eviction"), _) => What::Eviction,
        (Some("size_rejection"), _) => What::SizeRejection,
        _ => What::Other,
    }
}

fn reports(rows: &[Row]) -> Option<CacheReports> {
    let reports = cells::count(rows);
    (reports > 0).then(|| CacheReports {
        reports,
        hit_percent: cells::values(rows).spread(),
        mean_size: cells::mean(rows, Column::Count),
        evictions: cells::sum(rows, Column::Evictions),
    })
}
