//! Metrics as a sheet.

use super::sheet::{Cell, Sheet, Table};
use crate::answer::{Metrics, Spread};

pub(super) fn sheet(found: &Metrics) -> Sheet {
    let mut sheet = Sheet::new("metrics", "Metrics", "📏");
    sheet.pair("Series", "series", Cell::Count(found.series.len() as u64));
    let columns = [
        ("Type", "type"),
        ("Unit", "unit"),
        ("Points", "points"),
        ("Avg", "avg"),
        ("Min", "min"),
        ("Max", "max"),
        ("p95", "p95"),
        ("p99", "p99"),
    ];
    let mut table = Table::new("metrics", "Metric", &columns).least(&["type", "min", "p99"]);
    for series in &found.series {
        let name = match &series.source {
            Some(source) => format!("{source}.{}", series.name),
            None => series.name.clone(),
        };
        let figure = |of: fn(&Spread) -> f64| {
            Cell::from(series.value.as_ref().map(|spread| Cell::Number(of(spread))))
        };
        table.row(
            name,
            vec![
                series.r#type.clone().map(Cell::Text).into(),
                series.unit.clone().map(Cell::Text).into(),
                Cell::Count(series.points),
                figure(|s| s.mean),
                figure(|s| s.min),
                figure(|s| s.max),
                figure(|s| s.p95),
                figure(|s| s.p99),
            ],
        );
    }
    sheet.table(table);
    sheet
}
