//! Changes: a sentence each in text, a table elsewhere.

use serde_json::Value;

use super::sheet::{Cell, Sheet, Table};
use super::{Style, csv, markdown};
use crate::answer::{About, Change, Changes, Figure, Finding};

/// As text.
pub fn page(found: &Changes, about: &About, style: Style) -> String {
    let mut page = format!(
        "{} ({})\n\n",
        style.heading("🔎", "What changed"),
        super::period(about)
    );
    if found.is_empty() {
        let told = found.series - found.too_short;
        page.push_str(&match (found.series, told) {
            _ if about.events == 0 => "No events in this window.\n".to_owned(),
            (0, _) => "Not enough data: a change needs six days of several calls, queries or \
                       look-ups each.\n"
                .to_owned(),
            (_, 0) => "Not enough data: a change needs six days.\n".to_owned(),
            _ => format!("Nothing stands out in {told} daily series.\n"),
        });
        return style.glyphs.fit(page);
    }
    for change in &found.changes {
        // Folded before it is painted: escape codes take no room.
        let line = style.folded(&format!("  • {}", sentence(change)), 4);
        let mark = style.state(!change.worse, if change.worse { "✗" } else { "✓" });
        page.push_str(&line.replacen('•', &mark, 1));
        page.push('\n');
    }
    style.glyphs.fit(page)
}

/// As JSON: the answer's own keys.
pub fn json(found: &Changes, about: &About) -> Value {
    let mut out = serde_json::to_value(found).unwrap_or(Value::Null);
    if let (Some(out), Ok(notes)) = (out.as_object_mut(), serde_json::to_value(&about.notes)) {
        out.insert("from".into(), super::iso(about.from).into());
        out.insert("generated_at".into(), super::iso(about.at).into());
        out.insert("notes".into(), notes);
    }
    out
}

/// As Markdown.
pub fn page_markdown(found: &Changes) -> String {
    let mut out = "# What changed\n\n".to_owned();
    markdown::write(&mut out, &sheet(found));
    out
}

/// As CSV.
pub fn page_csv(found: &Changes) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, &sheet(found));
    out
}

fn sentence(change: &Change) -> String {
    let figure = |value| figure(change.figure, value).shown();
    let (before, after) = (figure(change.before), figure(change.after));
    let name = Cell::Text(change.name.clone()).shown();
    let factor = change
        .factor
        .filter(|f| *f > 0.0)
        .map_or(String::new(), |f| {
            let (size, word) = if f >= 1.0 { (f, "×") } else { (1.0 / f, "÷") };
            format!(", {word} {size:.1}")
        });
    let kind = change.event_type.replace('_', " ");
    let what = change.figure.as_str();
    match change.finding {
        Finding::LevelShift => format!(
            "{name} ({kind}): {what} {before} → {after}{factor} since {}",
            change.since
        ),
        Finding::Outlier => format!(
            "{name} ({kind}): {what} {after} on {}, {before} on other days{factor}",
            change.since
        ),
    }
}

fn figure(figure: Figure, value: f64) -> Cell {
    match figure {
        Figure::MedianMs => Cell::Ms(value),
        Figure::FailureRatio | Figure::HitRatio => Cell::Ratio(value),
        Figure::CostUsd => Cell::Usd(value),
    }
}

fn sheet(found: &Changes) -> Sheet {
    let mut sheet = Sheet::new("changes", "What changed", "🔎");
    sheet.pair("Daily series", "series", Cell::Count(found.series));
    let columns = [
        ("Of", "event_type"),
        ("Figure", "figure"),
        ("Finding", "finding"),
        ("Since", "since"),
        ("Before", "before"),
        ("After", "after"),
        ("p", "p"),
        ("Worse", "worse"),
    ];
    let mut table = Table::new("changes", "What", &columns);
    for change in &found.changes {
        let finding = match change.finding {
            Finding::LevelShift => "level shift",
            Finding::Outlier => "outlier",
        };
        table.row(
            &change.name,
            vec![
                Cell::Text(change.event_type.clone()),
                Cell::Text(change.figure.as_str().to_owned()),
                Cell::Text(finding.to_owned()),
                Cell::Text(change.since.clone()),
                figure(change.figure, change.before),
                figure(change.figure, change.after),
                change.p.map(Cell::Number).into(),
                Cell::Text(if change.worse { "yes" } else { "no" }.to_owned()),
            ],
        );
    }
    sheet.table(table);
    sheet
}
