//! Detailed statistics: the fifth seed's comparison of its agents, then every
//! section with all its rows.

use serde_json::{Map, Value};

use super::report::{Section, about_json};
use super::{Style, csv, markdown, queries, text};
use crate::answer::{About, Report};

fn sections(report: &Report) -> impl Iterator<Item = Section> {
    let dull = |section: &Section| {
        let value = section.sheet(report);
        value.tables.is_empty()
            && value
                .pairs
                .iter()
                .all(|pair| matches!(pair.cell, super::Cell::Count(0) | super::Cell::Whole(0)))
    };
    Section::ALL
        .iter()
        .copied()
        .filter(move |section| *section != Section::Storage && !dull(section))
}

/// As text.
pub fn text(report: &Report, about: &About, style: Style) -> String {
    let mut out = String::new();
    if report.queries.total > 0 || report.usage.is_empty() {
        let performance = queries::performance_text(&report.queries, about);
        out.push_str(&style.glyphs.fit_seed(performance));
    }
    for section in sections(report) {
        if !out.is_empty() && !out.ends_with("\n\n") {
            out.push('\n');
        }
        text::write(&mut out, &section.sheet(report), style, 0);
    }
    style.glyphs.fit(out)
}

/// As JSON: the fifth seed's keys, and a key for every section.
pub fn json(report: &Report, about: &About) -> Value {
    let mut out: Map<String, Value> = queries::performance_json(&report.queries, about);
    if report.usage.is_empty() {
        return out.into();
    }
    if report.queries.total == 0 {
        out.clear();
        out.insert("report_generated_at".into(), super::iso(about.at).into());
    }
    for section in Section::ALL {
        out.insert(section.name().into(), section.json(report));
    }
    out.insert("about".into(), about_json(about));
    out.insert(
        "notes".into(),
        serde_json::to_value(&about.notes).unwrap_or(Value::Null),
    );
    out.into()
}

/// As tidy CSV: section, name, metric, value.
pub fn csv(report: &Report) -> String {
    let mut out = csv::HEADER.to_owned();
    for section in sections(report) {
        csv::write(&mut out, &section.sheet(report));
    }
    out
}

/// As Markdown.
pub fn markdown(report: &Report) -> String {
    let mut out = "# Statistics\n\n".to_owned();
    for section in sections(report) {
        markdown::write(&mut out, &section.sheet(report));
    }
    out
}
