//! Discovery: the first seed's words and keys, and a sheet.

use serde_json::{Map, Value, json};

use super::human::{plain_ms, round};
use super::sheet::{Cell, DURATIONS, Sheet, Table, durations, ratio};
use super::width::clean;
use crate::answer::{Discovery, Operation, Spread};

pub(super) const TITLE: (&str, &str) = ("📊", "Agent Discovery Performance");

/// The lines under the heading.
pub(super) fn text(out: &mut String, found: &Discovery) {
    out.push_str(&format!("  Total operations: {}\n", found.total));
    if found.is_empty() {
        return;
    }
    let all = Figures::new(found.duration_ms);
    out.push_str(&format!(
        "  Overall p95: {}\n  Overall avg: {}\n",
        plain_ms(all.p95, 2),
        plain_ms(all.mean, 2)
    ));
    out.push_str("\n  By Operation:\n");
    for operation in &found.operations {
        let figures = Figures::new(operation.duration_ms);
        out.push_str(&format!("    {}:\n", clean(&operation.name)));
        out.push_str(&format!(
            "      Count: {}\n      p95: {}\n",
            operation.count,
            plain_ms(figures.p95, 2)
        ));
        if let Some(ratio) = operation.hit_ratio {
            out.push_str(&format!(
                "      Cache hit rate: {:.2}%\n",
                round(ratio * 100.0, 2)
            ));
        }
    }
}

/// `discovery_stats`.
pub(super) fn json(found: &Discovery) -> Value {
    let by_operation: Map<String, Value> = found
        .operations
        .iter()
        .map(|operation| (operation.name.clone(), operation_json(operation)))
        .collect();
    let overall = if found.is_empty() {
        Map::new()
    } else {
        Figures::new(found.duration_ms).json()
    };
    json!({
        "total_operations": found.total,
        "by_operation": by_operation,
        "overall": overall,
    })
}

fn operation_json(operation: &Operation) -> Value {
    let mut object = Map::new();
    object.insert("count".into(), operation.count.into());
    object.extend(Figures::new(operation.duration_ms).json());
    if let Some(ratio) = operation.hit_ratio {
        object.insert("cache_hit_rate".into(), round(ratio * 100.0, 2).into());
    }
    object.into()
}

/// The first seed's four figures, rounded; zeros where there is no duration.
struct Figures {
    p50: f64,
    p95: f64,
    p99: f64,
    mean: f64,
}

impl Figures {
    fn new(spread: Option<Spread>) -> Self {
        let figure =
            |of: fn(&Spread) -> f64| spread.as_ref().map_or(0.0, |spread| round(of(spread), 2));
        Self {
            p50: figure(|s| s.p50),
            p95: figure(|s| s.p95),
            p99: figure(|s| s.p99),
            mean: figure(|s| s.mean),
        }
    }

    fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("p50_ms".into(), self.p50.into());
        object.insert("p95_ms".into(), self.p95.into());
        object.insert("p99_ms".into(), self.p99.into());
        object.insert("avg_ms".into(), self.mean.into());
        object
    }
}

pub(super) fn sheet(found: &Discovery) -> Sheet {
    let mut sheet = Sheet::new("discovery", TITLE.1, TITLE.0);
    sheet.pair("Total operations", "operations", Cell::Count(found.total));
    sheet.durations(found.duration_ms);
    let mut columns = vec![("Count", "count")];
    columns.extend(DURATIONS);
    columns.push(("Cache hit rate", "hit_ratio"));
    let mut table = Table::new("discovery", "Operation", &columns).least(&["avg_ms", "p99_ms"]);
    for operation in &found.operations {
        let mut cells = vec![Cell::Count(operation.count)];
        cells.extend(durations(operation.duration_ms));
        cells.push(ratio(operation.hit_ratio));
        table.row(&operation.name, cells);
    }
    sheet.table(table);
    sheet
}
