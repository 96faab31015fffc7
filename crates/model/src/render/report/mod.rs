//! The report: the first seed's words and keys, then a section for whatever
//! else was recorded.
//!
//! | chosen | text | JSON |
//! |---|---|---|
//! | [`Selection::Auto`], only the first seed's kinds in the window | that seed's report, byte for byte | its keys, no more |
//! | [`Selection::Auto`], other kinds, too | sections with data | its keys, and one for every section |
//! | [`Selection::All`] | every section with data, storage | its keys, and one for every section |
//! | [`Selection::Only`] | these | these; `queries` alone: the fifth seed's summary |

mod json;
mod section;

pub use json::{json, section_json};
pub use section::Section;

pub(super) use json::{about_json, days};

use super::{
    Style, cache_performance, csv, discovery, markdown, notes, period, queries, stamp, text,
    token_savings, trends,
};
use crate::answer::{About, Method, Report};

/// Rows of a table that text shows; `stats` shows all.
const ROWS: usize = 10;

/// Which sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// What there is data for; the first seed's report when there is only that
    /// seed's data.
    #[default]
    Auto,
    /// Everything there is data for.
    All,
    /// These, with or without data.
    Only(Vec<Section>),
}

impl Selection {
    /// Tells whether the report holds more than the first seed's.
    pub fn is_full(&self, report: &Report) -> bool {
        match self {
            Self::Auto => !report
                .usage
                .kinds
                .iter()
                .all(|kind| is_of_first_seed(&kind.name)),
            Self::All | Self::Only(_) => true,
        }
    }

    fn sections(&self, report: &Report) -> Vec<Section> {
        let full = self.is_full(report);
        let all = Section::ALL.iter().copied();
        match self {
            Self::Only(sections) => all.filter(|section| sections.contains(section)).collect(),
            // An empty home is answered in the first seed's words.
            _ if !full || report.usage.is_empty() => {
                all.filter(|section| section.is_classic()).collect()
            }
            Self::All => all.filter(|section| !section.is_empty(report)).collect(),
            Self::Auto => all
                .filter(|section| *section != Section::Storage && !section.is_empty(report))
                .collect(),
        }
    }
}

/// The kinds of the first seed, and those that nobody knows.
fn is_of_first_seed(kind: &str) -> bool {
    const FIRST: [&str; 5] = [
        "agent_discovery",
        "agent_load",
        "session_start",
        "session_end",
        "cache_operation",
    ];
    FIRST.contains(&kind) || crate::kind::Kind::by_name(kind).is_none()
}

/// As text: the first seed's report, then the other sections in its taste.
/// Notes are not in it.
pub fn text(report: &Report, about: &About, selection: &Selection, style: Style) -> String {
    let sections = selection.sections(report);
    if let [Section::Queries] = sections[..]
        && matches!(selection, Selection::Only(_))
    {
        let summary = queries::summary_text(&report.queries, about);
        return style.glyphs.fit_seed(summary);
    }
    let full = selection.is_full(report);
    let mut out = String::from("\n");
    // What the first seed could have recorded is reported under its title.
    let name = if full {
        "Tachograph"
    } else {
        "Mycelium Performance Analytics"
    };
    let title = format!("=== {name} ({}) ===", period(about));
    out.push_str(&style.heading("", &title));
    out.push('\n');
    for section in sections {
        out.push('\n');
        let asked = matches!(selection, Selection::Only(_));
        if asked && section.is_empty(report) {
            let sheet = section.sheet(report);
            out.push_str(&style.heading(sheet.emoji, &format!("{}:", sheet.title)));
            out.push_str("\n  Nothing in this window\n");
        } else if section.is_classic() {
            classic(&mut out, section, report, full, style);
        } else {
            text::write(&mut out, &section.sheet(report), style, ROWS);
        }
    }
    out.push('\n');
    style.glyphs.fit(out)
}

fn classic(out: &mut String, section: Section, report: &Report, full: bool, style: Style) {
    let mut heading = |(emoji, title): (&str, &str), rest: &str| {
        out.push_str(&style.heading(emoji, &format!("{title}:{rest}")));
        out.push('\n');
    };
    match section {
        Section::TokenSavings => {
            heading(token_savings::TITLE, "");
            token_savings::text(out, &report.token_savings, full);
        }
        Section::CachePerformance => {
            heading(cache_performance::TITLE, "");
            cache_performance::text(out, &report.cache_performance, full);
        }
        Section::Trends => {
            heading(
                trends::TITLE,
                &format!(" {}", trends::direction(&report.trends).as_str()),
            );
            trends::lines(out, &report.trends);
        }
        _ => {
            heading(discovery::TITLE, "");
            discovery::text(out, &report.discovery);
        }
    }
}

/// As tidy CSV: section, name, metric, value.
pub fn csv(report: &Report, selection: &Selection) -> String {
    let mut out = csv::HEADER.to_owned();
    for section in everything(report, selection) {
        csv::write(&mut out, &section.sheet(report));
    }
    out
}

/// As Markdown, in the style of the fourth seed's report, with notes.
pub fn markdown(report: &Report, about: &About, selection: &Selection) -> String {
    let mut out = format!(
        "# Tachograph Report\n\n**Generated:** {} UTC\n",
        stamp(about.at)
    );
    out.push_str(&format!("**Analysis Window:** {}\n\n", period(about)));
    out.push_str("## Executive Summary\n\n### Key Statistics\n\n");
    let statistics = [
        ("Total Events", super::human::thousands(about.events.into())),
        (
            "Failures",
            super::human::thousands(report.errors.total.into()),
        ),
        ("Method", method(about.method)),
    ];
    for (label, figure) in statistics {
        out.push_str(&format!("- **{label}:** {figure}\n"));
    }
    out.push('\n');
    for section in everything(report, selection) {
        markdown::write(&mut out, &section.sheet(report));
    }
    if !about.notes.is_empty() {
        out.push_str("## Notes\n\n");
        for line in notes(&about.notes).lines() {
            let line = line.strip_prefix("note: ").unwrap_or(line);
            out.push_str(&format!("- {}\n", markdown::escape(line)));
        }
        out.push('\n');
    }
    out.push_str("---\n*Generated by Tachograph*\n");
    out
}

/// In CSV and Markdown nothing is bound to a seed's form: all there is.
fn everything(report: &Report, selection: &Selection) -> Vec<Section> {
    match selection {
        Selection::Only(_) => selection.sections(report),
        _ => Section::ALL
            .iter()
            .copied()
            .filter(|section| !section.is_empty(report))
            .collect(),
    }
}

fn method(method: Method) -> String {
    match method {
        Method::Exact => "exact".to_owned(),
        Method::Sketch { relative_error } => {
            format!("sketches (quantiles within {:.1}%)", relative_error * 100.0)
        }
    }
}
