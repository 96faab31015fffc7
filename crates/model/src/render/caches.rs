//! Caches as a sheet.

use super::sheet::{Cell, Sheet, Table, ratio, some};
use crate::answer::Caches;

pub(super) fn sheet(found: &Caches) -> Sheet {
    let mut sheet = Sheet::new("caches", "Caches", "🗃");
    if let Some(reports) = &found.reports {
        sheet.pair(
            "Reports of the agent cache",
            "reports",
            Cell::Count(reports.reports),
        );
        sheet.pair(
            "Reported hit rate",
            "reported_hit_ratio",
            reports.hit_percent.map(|s| Cell::Ratio(s.mean / 100.0)),
        );
        sheet.pair(
            "Reported entries",
            "reported_size",
            reports.mean_size.map(Cell::Number),
        );
        sheet.pair(
            "Reported evictions",
            "reported_evictions",
            Cell::Whole(reports.evictions),
        );
    }
    let columns = [
        ("Hits", "hits"),
        ("Misses", "misses"),
        ("Hit rate", "hit_ratio"),
        ("Avg hit", "avg_hit_ms"),
        ("Avg miss", "avg_miss_ms"),
        ("Evictions", "evictions"),
        ("Too large", "size_rejections"),
    ];
    let mut table = Table::new("caches", "Cache", &columns).least(&[
        "size_rejections",
        "avg_hit_ms",
        "avg_miss_ms",
    ]);
    for cache in &found.caches {
        table.row(
            &cache.name,
            vec![
                Cell::Count(cache.hits),
                Cell::Count(cache.misses),
                ratio(cache.hit_ratio),
                cache.hit_ms.map(|s| Cell::Ms(s.mean)).into(),
                cache.miss_ms.map(|s| Cell::Ms(s.mean)).into(),
                some(cache.evictions),
                some(cache.size_rejections),
            ],
        );
    }
    sheet.table(table);
    sheet
}
