//! What alert rules would have said: a sentence a rule, and each firing.

use serde_json::{Value, json};

use super::report::about_json;
use super::sheet::{Cell, Sheet, Table};
use super::{Style, amount, csv, human, markdown, period, text};
use crate::alert::Rule;
use crate::answer::{About, Backtest, Firing, RulePast};

/// As JSON: the answer's own keys, window and notes.
pub fn json(found: &Backtest, about: &About) -> Value {
    json!({
        "backtest": found,
        "about": about_json(about),
        "notes": about.notes,
    })
}

/// As text.
pub fn page(found: &Backtest, about: &About, style: Style) -> String {
    let title = format!("What alert rules would have said ({})", period(about));
    let mut out = format!("{}\n\n", style.heading("⏪", &title));
    if found.rules.is_empty() {
        out.push_str("There are no rules\n");
    } else {
        text::write(&mut out, &sheet(found), style, 0);
    }
    style.glyphs.fit(out)
}

/// As Markdown.
pub fn page_markdown(found: &Backtest, about: &About) -> String {
    let mut out = format!("# What alert rules would have said ({})\n\n", period(about));
    markdown::write(&mut out, &sheet(found));
    out
}

/// As CSV: a row a rule and firing.
pub fn page_csv(found: &Backtest) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, &sheet(found));
    out
}

/// What one rule would have said, as a sentence without a full stop.
pub fn sentence(past: &RulePast) -> String {
    if past.fired == 0 {
        return match past.series {
            0 => "quiet: there is no data of what it watches".to_owned(),
            _ => "quiet".to_owned(),
        };
    }
    let quiet = past.fired.saturating_sub(past.told);
    let within = match quiet {
        0 => String::new(),
        quiet => format!(" ({quiet} of them within a cool-down: nobody would have been told)"),
    };
    format!(
        "would have fired {}, {} in total{within}",
        human::counted(past.fired, "time", "times"),
        human::duration(past.firing_seconds * 1e3),
    )
}

/// Source and name of a series.
pub fn series(source: &str, name: &str) -> String {
    match source.is_empty() {
        true => name.to_owned(),
        false => format!("{source}/{name}"),
    }
}

fn sheet(found: &Backtest) -> Sheet {
    let mut sheet = Sheet::new("backtest", "Alert rules over the past", "⏪");
    for past in &found.rules {
        let name = super::width::clean(&past.rule.name);
        sheet.line(format!("{name}: {}", sentence(past)));
    }
    let columns = [
        ("Condition", "condition"),
        ("Fired", "fired"),
        ("Told", "told"),
        ("Total", "firing_ms"),
        ("Series", "series"),
        ("Values", "values"),
    ];
    let mut rules = Table::new("backtest_rules", "Rule", &columns).not_in_text();
    let columns = [
        ("Of", "series"),
        ("From", "start"),
        ("Until", "end"),
        ("For", "firing_ms"),
        ("Worst", "worst"),
        ("Told", "told"),
    ];
    let mut firings = Table::new("backtest_firings", "Rule", &columns).least(&["told", "end"]);
    for past in &found.rules {
        rules.row(
            &past.rule.name,
            vec![
                Cell::Text(past.rule.condition.clone()),
                Cell::Count(past.fired),
                Cell::Count(past.told),
                Cell::Ms(past.firing_seconds * 1e3),
                Cell::Count(past.series),
                Cell::Count(past.values),
            ],
        );
        for firing in &past.firings {
            firings.row(&past.rule.name, cells(&past.rule, firing));
        }
    }
    sheet.table(rules);
    sheet.table(firings);
    sheet
}

fn cells(rule: &Rule, firing: &Firing) -> Vec<Cell> {
    let worst = firing.worst;
    let worst = worst.map(|value| amount(&rule.family, &rule.condition, value));
    vec![
        Cell::Text(series(&firing.source, &firing.name)),
        Cell::Time(firing.start),
        match firing.end {
            Some(end) => Cell::Time(end),
            None => Cell::Text("still fires".to_owned()),
        },
        Cell::Ms(firing.seconds * 1e3),
        worst.into(),
        Cell::Text(if firing.told { "yes" } else { "no" }.to_owned()),
    ]
}
