//! One session or trace: a row an event.

use serde_json::{Value, json};

use super::report::about_json;
use super::sheet::{Cell, Sheet, Table, some};
use super::{Style, csv, markdown, period, text};
use crate::answer::{About, Trace};

/// As JSON: the answer's own keys, window and notes.
pub fn json(found: &Trace, about: &About) -> Value {
    json!({
        "trace": found,
        "about": about_json(about),
        "notes": about.notes,
    })
}

/// As text.
pub fn page(found: &Trace, about: &About, style: Style) -> String {
    let title = format!("Trace ({})", period(about));
    let mut out = format!("{}\n\n", style.heading("🕑", &title));
    if found.is_empty() {
        out.push_str("Nothing in this window\n");
    } else {
        text::write(&mut out, &sheet(found), style, 0);
    }
    style.glyphs.fit(out)
}

/// As Markdown.
pub fn page_markdown(found: &Trace, about: &About) -> String {
    let mut out = format!("# Trace ({})\n\n", period(about));
    markdown::write(&mut out, &sheet(found));
    out
}

/// As CSV.
pub fn page_csv(found: &Trace) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, &sheet(found));
    out
}

fn sheet(found: &Trace) -> Sheet {
    let mut sheet = Sheet::new("trace", "Events", "🧵");
    sheet.pair("More", "more", some(found.more));
    let columns = [
        ("Name", "name"),
        ("Source", "source"),
        ("Began", "start"),
        ("Took", "duration_ms"),
        ("Status", "status"),
        ("Error", "error_type"),
        ("Span", "span_id"),
        ("Within", "parent_id"),
        ("Tokens", "tokens"),
        ("Cost", "cost_usd"),
    ];
    let mut table = Table::new("trace", "Type", &columns);
    let text = |text: &Option<String>| Cell::from(text.clone().map(Cell::Text));
    for event in &found.events {
        table.row(
            &event.event_type,
            vec![
                text(&event.name),
                text(&event.source),
                Cell::Time(event.start),
                event.duration_ms.map(Cell::Ms).into(),
                text(&event.status),
                text(&event.error_type),
                text(&event.span_id),
                text(&event.parent_id),
                event.tokens.map(Cell::Whole).into(),
                event.cost_usd.map(Cell::Usd).into(),
            ],
        );
    }
    sheet.table(table);
    sheet
}

impl Trace {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
