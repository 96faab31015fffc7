//! Figures over time: a row a stretch.

use serde_json::{Value, json};

use super::report::about_json;
use super::sheet::{Cell, Sheet, Table, ratio, some};
use super::{Style, csv, iso, markdown, notes, period, stamp, text};
use crate::answer::{About, Measure, Timeline, ratio as part};

/// Rows of the table that text shows, the latest; a terminal's page.
const ROWS: usize = 24;

/// As JSON: the answer's own keys, window and notes.
pub fn json(found: &Timeline, about: &About) -> Value {
    json!({
        "timeline": found,
        "about": about_json(about),
        "notes": about.notes,
    })
}

/// As text.
pub fn page(found: &Timeline, about: &About, style: Style) -> String {
    let mut out = String::new();
    let title = format!("Over time ({})", period(about));
    out.push_str(&style.heading("📈", &title));
    out.push_str("\n\n");
    if found.is_empty() {
        out.push_str("Nothing in this window\n");
        return style.glyphs.fit(out);
    }
    let body = {
        let mut body = String::new();
        text::write(&mut body, &sheet(found, stamp), style, ROWS);
        body
    };
    out.push_str(&body);
    style.glyphs.fit(out)
}

/// As Markdown.
pub fn page_markdown(found: &Timeline, about: &About) -> String {
    let mut out = format!("# Over time ({})\n\n", period(about));
    markdown::write(&mut out, &sheet(found, stamp));
    if !about.notes.is_empty() {
        out.push_str("## Notes\n\n");
        for line in notes(&about.notes).lines() {
            let line = line.strip_prefix("note: ").unwrap_or(line);
            out.push_str(&format!("- {}\n", markdown::escape(line)));
        }
    }
    out
}

/// As CSV.
pub fn page_csv(found: &Timeline) -> String {
    let mut out = csv::HEADER.to_owned();
    csv::write(&mut out, &sheet(found, iso));
    out
}

fn sheet(found: &Timeline, instant: fn(crate::UnixNanos) -> String) -> Sheet {
    let mut sheet = Sheet::new("timeline", "Events", "📈");
    let named = |text: &Option<String>| text.clone().map(Cell::Text);
    sheet.pair("Type", "kind", named(&found.kind));
    sheet.pair("Name", "name", named(&found.name));
    sheet.pair("Source", "source", named(&found.source));
    sheet.pair("Events", "events", Cell::Count(found.events()));
    sheet.pair("Later than these", "later", some(found.later));
    sheet.pair(
        "Seconds a row",
        "bucket_seconds",
        Cell::Count(found.bucket_seconds),
    );
    let [p50, p95, p99, mean, sum] = match found.measure {
        Some(Measure::Value) => ["p50", "p95", "p99", "mean", "sum"],
        _ => ["p50_ms", "p95_ms", "p99_ms", "avg_ms", "sum_ms"],
    };
    let columns = [
        ("Events", "count"),
        ("Failed", "failed"),
        ("Unknown", "unknown"),
        ("p50", p50),
        ("p95", p95),
        ("p99", p99),
        ("Avg", mean),
        ("Sum", sum),
        ("Tokens in", "input_tokens"),
        ("Tokens out", "output_tokens"),
        ("Cost", "cost_usd"),
        ("Hits", "hits"),
        ("Misses", "misses"),
        ("Hit rate", "hit_ratio"),
    ];
    let mut table = Table::new("timeline", "From (UTC)", &columns)
        .by_day()
        .least(&[
            "sum", "sum_ms", "unknown", "misses", "hits", "avg_ms", "mean",
        ]);
    let measured = |value: Option<f64>| {
        let cell = match found.measure {
            Some(Measure::Value) => Cell::Number,
            _ => Cell::Ms,
        };
        Cell::from(value.map(cell))
    };
    for bucket in &found.buckets {
        let hit_ratio = bucket
            .hits
            .zip(bucket.misses)
            .and_then(|(hits, misses)| part(hits, hits + misses));
        table.row(
            instant(bucket.from),
            vec![
                Cell::Count(bucket.count),
                some(bucket.failed),
                some(bucket.unknown),
                measured(bucket.p50),
                measured(bucket.p95),
                measured(bucket.p99),
                measured(bucket.mean),
                measured(bucket.sum),
                bucket.input_tokens.map(Cell::Whole).into(),
                bucket.output_tokens.map(Cell::Whole).into(),
                bucket.cost_usd.map(Cell::Usd).into(),
                bucket.hits.map(Cell::Count).into(),
                bucket.misses.map(Cell::Count).into(),
                ratio(hit_ratio),
            ],
        );
    }
    sheet.table(table);
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixNanos;
    use crate::answer::{Note, NoteKind, TimelineBucket};
    use crate::question::Scope;

    const HOSTILE: &str = "=cmd|<script>\u{1b}[31m";

    fn found() -> (Timeline, About) {
        let now = UnixNanos::parse("2025-11-20T12:00:00Z", false).expect("an instant");
        let mut about = About::new(&Scope::last_hours(1, now));
        about.note(Note::new(NoteKind::SketchError, "said | so"));
        let bucket = |minutes: i64| TimelineBucket {
            from: UnixNanos(now.0 - minutes * 60_000_000_000),
            ..TimelineBucket::default()
        };
        let calls = TimelineBucket {
            count: 3,
            failed: 1,
            p50: Some(1_500.0),
            sum: Some(4_500.0),
            hits: Some(1),
            misses: Some(3),
            ..bucket(30)
        };
        let found = Timeline {
            kind: Some("tool_call".to_owned()),
            name: Some(HOSTILE.to_owned()),
            source: None,
            measure: Some(Measure::DurationMs),
            bucket_seconds: 1_800,
            buckets: vec![bucket(60), calls],
            later: 2,
        };
        (found, about)
    }

    #[test]
    fn every_form_shows_figures_where_there_are_some_and_guards_names() {
        let (found, about) = found();
        let text = page(&found, &about, Style::PLAIN);
        assert!(text.contains("2025-11-20 11:30:00"), "{text}");
        assert!(text.contains("1.5 s"), "{text}");
        assert!(
            text.contains("25.0%") && text.contains("Later than these: 2"),
            "{text}"
        );
        assert!(!text.contains("Tokens in"), "nothing has any: {text}");
        let markdown = page_markdown(&found, &about);
        assert!(markdown.contains("said \\| so"), "{markdown}");
        for form in [&text, &markdown] {
            assert!(!form.contains('\u{1b}'), "{form:?}");
        }
        let csv = page_csv(&found);
        assert!(
            csv.contains("timeline,2025-11-20T11:30:00+00:00,p50_ms,1500\n"),
            "{csv}"
        );
        assert!(
            csv.contains("timeline,2025-11-20T11:00:00+00:00,count,0\n"),
            "{csv}"
        );
        assert!(csv.contains("timeline,,name,'=cmd|"), "{csv}");
        assert!(
            !csv.contains("T11:00:00+00:00,p50"),
            "no figure of nothing: {csv}"
        );
        let json = json(&found, &about);
        assert_eq!(json["timeline"]["buckets"][1]["p50"], 1_500.0);
        assert_eq!(json["timeline"]["buckets"][0]["p50"], Value::Null);
        assert_eq!(json["timeline"]["name"], HOSTILE);
        assert_eq!(json["notes"][0]["text"], "said | so");
    }

    #[test]
    fn of_nothing_it_says_so() {
        let (_, about) = found();
        let text = page(&Timeline::default(), &about, Style::PLAIN);
        assert_eq!(text, "Over time (1 hours)\n\nNothing in this window\n");
    }

    #[test]
    fn figures_that_events_state_have_no_unit() {
        let (mut found, _) = found();
        found.measure = Some(Measure::Value);
        assert!(page_csv(&found).contains(",p50,1500\n"));
    }
}
