//! The report: the first seed's words and keys, then a section for whatever
//! else was recorded.
//!
//! | chosen | text | JSON |
//! |---|---|---|
//! | [`Selection::Auto`], only the first seed's kinds in the window | that seed's report, byte for byte | its keys, no more |
//! | [`Selection::Auto`], other kinds, too | sections with data | its keys, and one for every section |
//! | [`Selection::All`] | every section with data, storage | its keys, and one for every section |
//! | [`Selection::Only`] | these | these; `queries` alone: the fifth seed's summary |

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::sheet::Sheet;
use super::{
    Style, agents, cache_performance, caches, csv, discovery, errors, iso, losses, markdown,
    metrics, models, notes, period, queries, sessions, stamp, storage, text, token_savings, tools,
    trends, usage,
};
use crate::answer::{About, Method, Report};
use crate::question::Period;

/// Rows of a table that text shows; `stats` shows all.
const ROWS: usize = 10;

/// Sections of a report.
macro_rules! sections {
    ($($name:ident $text:literal $doc:literal,)*) => {
        /// A section of a report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Section {
            $(#[doc = $doc] $name,)*
        }

        impl Section {
            /// All of them, in the order of the report.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name: on the command line, in CSV and as a JSON key.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

sections! {
    Discovery "discovery" "How long discovering agents takes.",
    TokenSavings "token_savings" "Tokens loaded and saved.",
    CachePerformance "cache_performance" "The agent cache.",
    Trends "trends" "Discovery day by day.",
    Queries "queries" "Users' queries.",
    Tools "tools" "Tool calls.",
    Caches "caches" "Every cache.",
    Models "models" "Model calls, tokens, cost.",
    Sessions "sessions" "Sessions.",
    Agents "agents" "Usage per agent.",
    Errors "errors" "What fails.",
    Usage "usage" "When work happens.",
    Metrics "metrics" "Series of measurements.",
    Losses "losses" "Events that could not be recorded.",
    Storage "storage" "What lies on disk.",
}

impl Section {
    /// Finds a section by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|section| section.name() == name)
    }

    /// The first seed's four.
    fn is_classic(self) -> bool {
        matches!(
            self,
            Self::Discovery | Self::TokenSavings | Self::CachePerformance | Self::Trends
        )
    }

    fn is_empty(self, report: &Report) -> bool {
        match self {
            Self::Discovery => report.discovery.is_empty(),
            Self::TokenSavings => report.token_savings.is_empty(),
            Self::CachePerformance => report.cache_performance.is_empty(),
            Self::Trends => report.trends.is_empty(),
            Self::Queries => report.queries.is_empty(),
            Self::Tools => report.tools.is_empty(),
            Self::Caches => report.caches.is_empty(),
            Self::Models => report.models.is_empty(),
            Self::Sessions => report.sessions.is_empty(),
            Self::Agents => report.agents.is_empty(),
            Self::Errors => report.errors.is_empty(),
            Self::Usage => report.usage.is_empty(),
            Self::Metrics => report.metrics.is_empty(),
            Self::Losses => report.losses.is_empty(),
            Self::Storage => report.storage.files() == 0,
        }
    }

    pub(super) fn sheet(self, report: &Report) -> Sheet {
        match self {
            Self::Discovery => discovery::sheet(&report.discovery),
            Self::TokenSavings => token_savings::sheet(&report.token_savings),
            Self::CachePerformance => cache_performance::sheet(&report.cache_performance),
            Self::Trends => trends::sheet(&report.trends),
            Self::Queries => queries::sheet(&report.queries),
            Self::Tools => tools::sheet(&report.tools),
            Self::Caches => caches::sheet(&report.caches),
            Self::Models => models::sheet(&report.models),
            Self::Sessions => sessions::sheet(&report.sessions),
            Self::Agents => agents::sheet(&report.agents),
            Self::Errors => errors::sheet(&report.errors),
            Self::Usage => usage::sheet(&report.usage),
            Self::Metrics => metrics::sheet(&report.metrics),
            Self::Losses => losses::sheet(&report.losses),
            Self::Storage => storage::sheet(&report.storage),
        }
    }

    /// The answer as it is: unrounded, every figure.
    pub(super) fn json(self, report: &Report) -> Value {
        fn value(answer: &impl Serialize) -> Value {
            serde_json::to_value(answer).unwrap_or(Value::Null)
        }
        match self {
            Self::Discovery => discovery::json(&report.discovery),
            Self::TokenSavings => token_savings::json(&report.token_savings),
            Self::CachePerformance => cache_performance::json(&report.cache_performance, true),
            Self::Trends => trends::json(&report.trends),
            Self::Queries => value(&report.queries),
            Self::Tools => value(&report.tools),
            Self::Caches => value(&report.caches),
            Self::Models => value(&report.models),
            Self::Sessions => value(&report.sessions),
            Self::Agents => value(&report.agents),
            Self::Errors => value(&report.errors),
            Self::Usage => value(&report.usage),
            Self::Metrics => value(&report.metrics),
            Self::Losses => value(&report.losses),
            Self::Storage => value(&report.storage),
        }
    }
}

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
        return queries::summary_text(&report.queries, about);
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
    out
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

/// As JSON. Whether the notes are in it is whether the report
/// [is full](Selection::is_full).
pub fn json(report: &Report, about: &About, selection: &Selection) -> Value {
    if let Selection::Only(sections) = selection {
        if let [Section::Queries] = sections[..] {
            return queries::summary_json(&report.queries, about);
        }
        return selection
            .sections(report)
            .into_iter()
            .map(|section| (section.name().to_owned(), section.json(report)))
            .collect::<Map<_, _>>()
            .into();
    }
    let full = selection.is_full(report);
    let mut out = Map::new();
    out.insert("report_period_days".into(), days(about));
    out.insert("generated_at".into(), iso(about.at).into());
    out.insert("discovery_stats".into(), discovery::json(&report.discovery));
    out.insert(
        "token_savings".into(),
        token_savings::json(&report.token_savings),
    );
    out.insert(
        "cache_performance".into(),
        cache_performance::json(&report.cache_performance, full),
    );
    out.insert("trends".into(), trends::json(&report.trends));
    if full {
        for section in Section::ALL.iter().filter(|section| !section.is_classic()) {
            out.insert(section.name().into(), section.json(report));
        }
        out.insert(
            "savings".into(),
            serde_json::to_value(&report.token_savings).unwrap_or(Value::Null),
        );
        out.insert(
            "second_opinion".into(),
            serde_json::to_value(report.trends.second_opinion).unwrap_or(Value::Null),
        );
        out.insert("about".into(), about_json(about));
        out.insert(
            "notes".into(),
            serde_json::to_value(&about.notes).unwrap_or(Value::Null),
        );
    }
    out.into()
}

/// Window, method and number of events.
pub(super) fn about_json(about: &About) -> Value {
    json!({
        "from": (about.from != crate::UnixNanos::MIN).then(|| iso(about.from)),
        "to": about.to.map(iso),
        "events": about.events,
        "method": about.method,
    })
}

/// Days of the window; null when it has no end.
pub(super) fn days(about: &About) -> Value {
    const DAY: f64 = 86_400e9;
    let days = match (about.period, about.to) {
        (Some(Period::Days(days)), _) => return days.into(),
        (Some(Period::Hours(hours)), _) => f64::from(hours) / 24.0,
        (None, Some(to)) if about.from != crate::UnixNanos::MIN => {
            (to.0 as f64 - about.from.0 as f64) / DAY
        }
        _ => return Value::Null,
    };
    if days.fract() == 0.0 {
        (days as i64).into()
    } else {
        days.into()
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
