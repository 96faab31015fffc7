//! Metrics: every series of `metric` and `performance` events.

use tachograph_model::answer::{Metrics, Series};
use tachograph_store::Unit;

use super::tools::{first, last};
use crate::cells::{self, Cells, Row};

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Metrics {
    let rows = cells.of("metric").iter().chain(cells.of("performance"));
    let mut groups = cells::groups(rows, |row| {
        Some((row.source(), row.name(), row.key().r#type.as_deref()))
    });
    groups.sort_by_key(|(key, _)| *key);
    Metrics {
        series: groups
            .into_iter()
            .map(|(key, rows)| series(key, &rows))
            .collect(),
    }
}

fn unit(rows: &[&Row]) -> Option<String> {
    let mut all = Unit::default();
    rows.iter().for_each(|row| all.merge(&row.cell.unit));
    match all {
        Unit::One(unit) => Some(unit.to_string()),
        Unit::Unsaid | Unit::Several => None,
    }
}

fn series((source, name, kind): (Option<&str>, &str, Option<&str>), rows: &[&Row]) -> Series {
    Series {
        source: source.map(str::to_owned),
        name: name.to_owned(),
        r#type: kind.map(str::to_owned),
        unit: unit(rows),
        points: cells::count(rows.iter().copied()),
        value: cells::values(rows.iter().copied()).spread(),
        first: first(rows),
        last: last(rows),
    }
}
