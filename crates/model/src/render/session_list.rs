//! Sessions one by one: a row each.

use serde_json::{Value, json};

use super::report::about_json;
use super::sheet::{Cell, Sheet, Table, some};
use super::{Style, csv, markdown, period, text};
use crate::answer::{About, SessionList};

/// As JSON: the answer's own keys, window and notes.
pub fn json(found: &SessionList, about: &About) -> Value {
    json!({
        "session_list": found,
        "about": about_json(about),
        "notes": about.notes,
    })
}

/// As text.
pub fn page(found: &SessionList, about: &About, style: Style) -> String {
    let title = format!("Sessions ({})", period(about));
    let mut out = format!("{}\n\n", style.heading("🕑", &title));
    if found.is_empty() {
        out.push_str("Nothing in this window\n");
    } else {
        text::write(&mut out, &sheet(found), style, 0);
    }
    style.glyphs.fit(out)
}

/// As Markdown.
pub fn page_markdown(found: &SessionList, about: &About) -> String {
    let mut out = format!("# Sessions ({})\n\n", period(about));
    markdown::write(&mut out, &sheet(found));
    out
}

/// As CSV.
pub fn page_csv(found: &SessionList) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, &sheet(found));
    out
}

fn sheet(found: &SessionList) -> Sheet {
    let mut sheet = Sheet::new("session_list", "Sessions", "🕑");
    sheet.pair("More", "more", some(found.more));
    let columns = [
        ("Agent", "agent"),
        ("Began", "first"),
        ("Last", "last"),
        ("Events", "events"),
        ("Tool calls", "tool_calls"),
        ("Model calls", "llm_calls"),
        ("Failed", "failed"),
        ("Tokens", "tokens"),
        ("Cost", "cost_usd"),
    ];
    let mut table = Table::new("session_list", "Session", &columns);
    for one in &found.sessions {
        table.row(
            &one.session,
            vec![
                one.agent.clone().map(Cell::Text).into(),
                Cell::Time(one.first),
                Cell::Time(one.last),
                Cell::Count(one.events),
                Cell::Count(one.tool_calls),
                Cell::Count(one.llm_calls),
                some(one.failed),
                one.tokens.map(Cell::Whole).into(),
                one.cost_usd.map(Cell::Usd).into(),
            ],
        );
    }
    sheet.table(table);
    sheet
}

impl SessionList {
    /// Tells whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}
