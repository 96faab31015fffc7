//! Usage as a sheet: bars in text, tables elsewhere.

use super::human::bars;
use super::sheet::{Cell, Sheet, Table};
use crate::answer::Usage;

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

pub(super) fn sheet(found: &Usage) -> Sheet {
    let mut sheet = Sheet::new("usage", "Usage", "🗓");
    sheet.pair("Events", "events", Cell::Count(found.events));
    sheet.line(format!("By hour, 0 to 23 UTC: {}", bars(&found.hours)));
    sheet.line(format!("By weekday, Mon to Sun: {}", bars(&found.weekdays)));
    let mut kinds = Table::new("usage.kinds", "Event type", &[("Events", "events")]);
    for kind in &found.kinds {
        kinds.row(&kind.name, vec![Cell::Count(kind.count)]);
    }
    sheet.table(kinds);
    let mut hours = Table::new("usage.hours", "Hour (UTC)", &[("Events", "events")])
        .titled("By Hour")
        .not_in_text();
    for (hour, count) in found.hours.iter().enumerate() {
        hours.row(format!("{hour:02}"), vec![Cell::Count(*count)]);
    }
    sheet.table(hours);
    let mut weekdays = Table::new("usage.weekdays", "Weekday", &[("Events", "events")])
        .titled("By Weekday")
        .not_in_text();
    for (day, count) in DAYS.iter().zip(found.weekdays) {
        weekdays.row(*day, vec![Cell::Count(count)]);
    }
    sheet.table(weekdays);
    let mut days = Table::new("usage.days", "Date", &[("Events", "events")])
        .titled("By Day")
        .not_in_text();
    for day in &found.days {
        days.row(&day.date, vec![Cell::Count(day.events)]);
    }
    sheet.table(days);
    sheet
}
