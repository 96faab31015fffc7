//! Trends of discovery: the first seed's words and keys, and a sheet.

use serde_json::{Value, json};

use super::human::round;
use super::sheet::{Cell, Sheet, Table, ratio};
use super::{Style, csv, markdown, queries, text};
use crate::answer::{About, Direction, Queries, TrendDay, Trends};

pub(super) const TITLE: (&str, &str) = ("📈", "Performance Trend");

/// Where latency is heading; stable when there is too little to tell, as the
/// first seed has it.
pub(super) fn direction(found: &Trends) -> Direction {
    found.direction.unwrap_or(Direction::Stable)
}

/// The lines under the heading, which names the direction.
pub(super) fn lines(out: &mut String, found: &Trends) {
    if !found.is_empty() {
        out.push_str(&format!("  Days with data: {}\n", found.days.len()));
    }
}

/// `trends`.
pub(super) fn json(found: &Trends) -> Value {
    json!({
        "daily_stats": found.days.iter().map(day_json).collect::<Vec<_>>(),
        "trend": direction(found).as_str(),
    })
}

fn day_json(day: &TrendDay) -> Value {
    json!({
        "date": day.date,
        "operations": day.operations,
        "avg_latency_ms": day.mean_ms.map_or(0.0, |mean| round(mean, 2)),
        "cache_hit_rate": day.hit_ratio.map_or(0.0, |ratio| round(ratio * 100.0, 2)),
    })
}

pub(super) fn sheet(found: &Trends) -> Sheet {
    let mut sheet = Sheet::new("trends", TITLE.1, TITLE.0);
    sheet.pair(
        "Direction",
        "direction",
        found.direction.map(|d| Cell::Text(d.as_str().into())),
    );
    sheet.pair(
        "Days with data",
        "days",
        Cell::Count(found.days.len() as u64),
    );
    if let Some(second) = &found.second_opinion {
        sheet.pair(
            "Theil-Sen slope, ms a day",
            "slope_ms_per_day",
            Cell::Number(second.slope_ms_per_day),
        );
        sheet.pair("Mann-Kendall p", "mann_kendall_p", Cell::Number(second.p));
    }
    let columns = [
        ("Operations", "operations"),
        ("Avg latency", "avg_ms"),
        ("Cache hit rate", "hit_ratio"),
    ];
    let mut table = Table::new("trends", "Date", &columns).by_day();
    for day in &found.days {
        table.row(
            &day.date,
            vec![
                Cell::Count(day.operations),
                day.mean_ms.map(Cell::Ms).into(),
                ratio(day.hit_ratio),
            ],
        );
    }
    sheet.table(table);
    sheet
}

/// What `trends` prints: discovery day by day, then the fifth seed's block when
/// there are queries.
pub fn page(trends: &Trends, queries: &Queries, about: &About, style: Style) -> String {
    let mut out = String::new();
    if !trends.is_empty() {
        let heading = format!("{}: {}", TITLE.1, direction(trends).as_str());
        out.push_str(&style.heading(TITLE.0, &heading));
        out.push('\n');
        let mut plain = String::new();
        text::write(
            &mut plain,
            &sheet(trends),
            Style {
                color: false,
                emoji: false,
                ..style
            },
            0,
        );
        // The heading is written already, with the direction in it.
        out.push_str(plain.split_once('\n').map_or("", |(_, rest)| rest));
    }
    if !queries.days.is_empty() || trends.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        let of_queries = queries::trends_text(queries, about);
        out.push_str(&style.glyphs.fit_seed(of_queries));
    }
    style.glyphs.fit(out)
}

/// The same as JSON: the fifth seed's keys, and `trends` for discovery.
pub fn page_json(trends: &Trends, queries: &Queries, about: &About) -> Value {
    let mut out = queries::trends_json(queries, about);
    if trends.is_empty() {
        return out.into();
    }
    if queries.days.is_empty() {
        out.clear();
        out.insert("period_days".into(), super::report::days(about));
    }
    out.insert("trends".into(), json(trends));
    out.insert(
        "second_opinion".into(),
        serde_json::to_value(trends.second_opinion).unwrap_or(Value::Null),
    );
    out.insert(
        "notes".into(),
        serde_json::to_value(&about.notes).unwrap_or(Value::Null),
    );
    out.into()
}

/// The same as tidy CSV.
pub fn page_csv(trends: &Trends, queries: &Queries) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, &sheet(trends));
    csv::write(&mut out, &queries::day_sheet(queries));
    out
}

/// The same as Markdown.
pub fn page_markdown(trends: &Trends, queries: &Queries) -> String {
    let mut out = "# Trends\n\n".to_owned();
    if !trends.is_empty() {
        markdown::write(&mut out, &sheet(trends));
    }
    if !queries.days.is_empty() {
        markdown::write(&mut out, &queries::day_sheet(queries));
    }
    out
}
