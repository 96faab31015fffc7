//! Cache performance: the first seed's words and keys, and a sheet.

use serde_json::{Value, json};

use super::human::{plain_ms, round, times};
use super::sheet::{Cell, Sheet};
use crate::answer::{CachePerformance, Spread};

pub(super) const TITLE: (&str, &str) = ("⚡", "Cache Performance");

/// The lines under the heading; with `more`, the speed-up, too.
pub(super) fn text(out: &mut String, found: &CachePerformance, more: bool) {
    let Some(ratio) = found.hit_ratio else {
        out.push_str("  No cache lookups recorded\n");
        return;
    };
    out.push_str(&format!("  Hit rate: {:.2}%\n", round(ratio * 100.0, 2)));
    out.push_str(&format!(
        "  Avg hit latency: {}\n",
        plain_ms(mean(found.hit_ms), 2)
    ));
    out.push_str(&format!(
        "  Avg miss latency: {}\n",
        plain_ms(mean(found.miss_ms), 2)
    ));
    if let (true, Some(speedup)) = (more, found.speedup) {
        out.push_str(&format!("  Speedup: {}\n", times(speedup)));
    }
}

/// How a hit compares with a miss, for the health check.
pub(super) fn speedup(found: &CachePerformance) -> String {
    match found.speedup {
        Some(factor) if factor < 0.95 => format!("{} (cache hits are slower)", times(factor)),
        Some(factor) => format!("{} faster on cache hits", times(factor)),
        None => "unknown (no hits and misses with a duration)".to_owned(),
    }
}

/// `cache_performance`; with `more`, the speed-up that the seed's document
/// promises.
pub(super) fn json(found: &CachePerformance, more: bool) -> Value {
    let mut value = json!({
        "total_lookups": found.lookups,
        "cache_hits": found.hits,
        "cache_misses": found.misses,
        "hit_rate_percentage": found.hit_ratio.map_or(0.0, |ratio| round(ratio * 100.0, 2)),
        "avg_hit_latency_ms": mean(found.hit_ms),
        "avg_miss_latency_ms": mean(found.miss_ms),
    });
    if more {
        value["speedup"] = found.speedup.map(|speedup| round(speedup, 1)).into();
    }
    value
}

/// The rounded mean, 0.0 of nothing.
pub(super) fn mean(spread: Option<Spread>) -> f64 {
    spread.map_or(0.0, |spread| round(spread.mean, 2))
}

pub(super) fn sheet(found: &CachePerformance) -> Sheet {
    let mut sheet = Sheet::new("cache_performance", TITLE.1, TITLE.0);
    sheet.pair("Lookups", "lookups", Cell::Count(found.lookups));
    sheet.pair("Hits", "hits", Cell::Count(found.hits));
    sheet.pair("Misses", "misses", Cell::Count(found.misses));
    sheet.pair("Hit rate", "hit_ratio", found.hit_ratio.map(Cell::Ratio));
    sheet.pair(
        "Avg hit latency",
        "avg_hit_ms",
        found.hit_ms.map(|s| Cell::Ms(s.mean)),
    );
    sheet.pair(
        "Avg miss latency",
        "avg_miss_ms",
        found.miss_ms.map(|s| Cell::Ms(s.mean)),
    );
    sheet.pair(
        "Speedup of a hit",
        "speedup",
        found.speedup.map(Cell::Times),
    );
    sheet
}
