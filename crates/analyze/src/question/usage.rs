//! Usage: when work happens, in UTC.

use tachograph_model::answer::{Usage, UsageDay};

use super::tallies;
use crate::cells::Cells;

/// Answers from the cells.
pub fn answer(cells: &Cells) -> Usage {
    let mut usage = Usage::default();
    let mut days: std::collections::BTreeMap<i64, u64> = std::collections::BTreeMap::new();
    for row in cells.all() {
        let weekday = usize::from(row.cell.start.weekday()) % 7;
        *days.entry(row.cell.start.day()).or_default() += row.cell.count;
        usage.events += row.cell.count;
        usage.weekdays[weekday] += row.cell.count;
        for (hour, count) in row.cell.by_hour.iter().enumerate() {
            usage.hours[hour] += count;
            usage.grid[weekday][hour] += count;
        }
    }
    usage.days = days
        .into_iter()
        .map(|(day, events)| UsageDay {
            date: tachograph_model::time::date_of_day(day),
            events,
        })
        .collect();
    usage.kinds = tallies(cells.all(), |row| Some(&*row.key().event_type));
    usage
        .kinds
        .sort_by_key(|tally| std::cmp::Reverse(tally.count));
    usage
}
