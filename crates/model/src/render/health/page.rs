//! The dashboard, in the first seed's words; that is why it says `1 operations`
//! and `1 hours ago`.

use super::check::{Status, Targets, checks};
use super::tips::{Verdict, tips};
use super::{format_duration, plain};
use crate::answer::{About, Direction, Operation, Report, Saving};
use crate::question::BaselineSource;
use crate::render::human::{ago, counted, round, thousands};
use crate::render::width::{clean, cut, pad};
use crate::render::{Style, cache_performance, period, stamp, trends};

/// Columns inside the box.
const INSIDE: usize = 59;

/// The dashboard. `hint` is the command that shows more.
pub fn text(report: &Report, about: &About, targets: &Targets, hint: &str, style: Style) -> String {
    let checks = checks(report, targets);
    let mut page = Page {
        out: String::new(),
        style,
    };
    page.banner(about);
    page.section("📊 AGENT DISCOVERY PERFORMANCE");
    page.discovery(report, targets);
    page.section("⚡ CACHE PERFORMANCE");
    page.cache(report, targets);
    page.section("💾 TOKEN SAVINGS (Phase 1 Impact)");
    page.tokens(report, targets);
    page.section("📈 PERFORMANCE TREND");
    page.trend(report);
    page.section("🗄️  STORAGE HEALTH");
    page.storage(report, about);
    page.line("");
    page.rule();
    let verdict = Verdict::of(report, &checks);
    page.line(verdict.line());
    page.rule();
    page.line("");
    page.line("💡 Tips:");
    for tip in tips(verdict, &checks) {
        page.line(&format!("  • {tip}"));
    }
    page.line("");
    page.line(&format!("Run `{hint}` for details."));
    style.glyphs.fit_seed(page.out)
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    /// Columns of the terminal; off one, as many as it takes.
    fn columns(&self) -> usize {
        self.style.width.unwrap_or(usize::MAX)
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(&self.style.folded(text, 4));
        self.out.push('\n');
    }

    fn rule(&mut self) {
        self.line(&"━".repeat(self.columns().min(63)));
    }

    fn banner(&mut self, about: &About) {
        let inside = INSIDE.min(self.columns().saturating_sub(2));
        let edge = "═".repeat(inside);
        let line = |text: &str| {
            // Emoji go first, so that the box stays straight without them.
            let text = self.style.glyphs.fit_seed(format!("        {text}"));
            format!("║{}║\n", pad(&cut(&text, inside), inside, false))
        };
        let title = line("🔍 Mycelium Performance Health Check");
        let window = match about.period {
            Some(crate::question::Period::Days(days)) => format!("Last {days} Days"),
            Some(crate::question::Period::Hours(hours)) => format!("Last {hours} Hours"),
            None => period(about),
        };
        let window = line(&window);
        self.out
            .push_str(&format!("╔{edge}╗\n{title}{window}╚{edge}╝\n"));
    }

    fn section(&mut self, title: &str) {
        self.line("");
        let title = self.style.heading("", title);
        self.line(&title);
        self.rule();
    }

    fn discovery(&mut self, report: &Report, targets: &Targets) {
        if report.discovery.is_empty() {
            self.line("No discovery data available");
            return;
        }
        // Where the seed's table has no room: without p50 and p99.
        let wide = self.columns() >= 72;
        self.line(match wide {
            true => "Operation        Count        p50       p95       p99    Target  Status",
            false => "Operation        Count        p95    Target  Status",
        });
        for operation in &report.discovery.operations {
            let row = row(operation, targets, wide, self.style.width.is_some());
            self.line(&row);
        }
        let p95 = round(
            report
                .discovery
                .duration_ms
                .map_or(0.0, |spread| spread.p95),
            2,
        );
        let icon = Status::below(p95, targets.overall_ms).icon();
        let total = thousands(report.discovery.total.into());
        self.line("");
        self.line(&format!(
            "Overall: {total} operations, p95 = {} {icon}",
            format_duration(p95)
        ));
    }

    fn cache(&mut self, report: &Report, targets: &Targets) {
        let cache = &report.cache_performance;
        let Some(ratio) = cache.hit_ratio else {
            self.line("No cache data available");
            return;
        };
        let percent = round(ratio * 100.0, 2);
        let icon = Status::above(percent, targets.hit_percent).icon();
        let (hit, miss) = (
            cache_performance::mean(cache.hit_ms),
            cache_performance::mean(cache.miss_ms),
        );
        self.line(&format!(
            "Hit Rate:       {percent:.1}% {icon} (target: >{}%)",
            plain(targets.hit_percent)
        ));
        self.line(&format!(
            "Cache Hits:     {} operations (avg: {})",
            thousands(cache.hits.into()),
            format_duration(hit)
        ));
        self.line(&format!(
            "Cache Misses:   {} operations (avg: {})",
            thousands(cache.misses.into()),
            format_duration(miss)
        ));
        // Not from the rounded means: a hit of some microseconds is no 0.
        self.line(&format!(
            "Speedup:        {}",
            cache_performance::speedup(cache)
        ));
    }

    fn tokens(&mut self, report: &Report, targets: &Targets) {
        let tokens = &report.token_savings;
        let Some(saving) = tokens.saving() else {
            self.line("No token data available");
            return;
        };
        let agents = tokens.baseline.agents;
        // Where the agents are not told apart, loads are all that is known.
        let loaded = if tokens.agents > 0 {
            tokens.agents
        } else {
            tokens.loads
        };
        let share = crate::answer::ratio(loaded, agents).unwrap_or(0.0) * 100.0;
        let again = if tokens.loads > loaded {
            format!(", {}", counted(tokens.loads, "load", "loads"))
        } else {
            String::new()
        };
        let percent = saved_percent(&saving);
        let icon = Status::above(percent, targets.savings_percent).icon();
        self.line(&format!(
            "Agents Loaded:       {} / {agents} ({share:.1}%){again}",
            thousands(loaded.into())
        ));
        self.line(&format!(
            "Tokens Loaded:       {} tokens",
            thousands(tokens.tokens.into())
        ));
        self.line(&format!(
            "Baseline (pre-P1):   {} tokens ({})",
            thousands(saving.baseline_tokens.into()),
            baseline(report)
        ));
        self.line(&format!(
            "Savings:             {} tokens ({percent:.1}% reduction) {icon}",
            thousands(saving.saved_tokens.into())
        ));
    }

    fn trend(&mut self, report: &Report) {
        let direction = trends::direction(&report.trends);
        let (icon, latency) = match direction {
            Direction::Improving => ("✅", "decreasing"),
            Direction::Stable => ("⚠️", "stable"),
            Direction::Degrading => ("❌", "increasing"),
        };
        let word = direction.as_str().to_uppercase();
        self.line(&format!(
            "Trend: {word} {icon} (latency {latency} over time)"
        ));
    }

    fn storage(&mut self, report: &Report, about: &About) {
        let storage = &report.storage;
        let latest = match storage.latest {
            Some(at) => format!("{} UTC ({})", stamp(at), ago(at, about.at)),
            None => "No events recorded".to_owned(),
        };
        let events = match storage.events() {
            Some(events) => thousands(events.into()),
            None => "uncounted".to_owned(),
        };
        let files = counted(storage.files(), "file", "files");
        self.line(&format!("Event Files:    {files}"));
        self.line(&format!("Total Events:   {events} events"));
        self.line(&format!(
            "Storage Size:   {:.0} KB",
            storage.bytes() as f64 / 1024.0
        ));
        self.line(&format!("Latest Event:   {latest}"));
    }
}

fn row(operation: &Operation, targets: &Targets, wide: bool, fits: bool) -> String {
    let target = targets.of(&operation.name);
    let figure = |value: Option<f64>| format_duration(value.map_or(0.0, |value| round(value, 2)));
    let spread = operation.duration_ms;
    let icon = Status::below(spread.map_or(0.0, |s| round(s.p95, 2)), target).icon();
    let mut name = clean(&operation.name);
    if fits {
        name = cut(&name, 15);
    }
    let quantiles = match wide {
        true => vec![
            spread.map(|s| s.p50),
            spread.map(|s| s.p95),
            spread.map(|s| s.p99),
        ],
        false => vec![spread.map(|s| s.p95)],
    };
    let quantiles: Vec<String> = quantiles
        .into_iter()
        .map(|value| format!("{:>8}", figure(value)))
        .collect();
    format!(
        "{} {:>6}   {}  {}  {icon}",
        pad(&name, 15, false),
        thousands(operation.count.into()),
        quantiles.join("  "),
        pad(&format!("<{}ms", plain(target)), 8, false),
    )
}

fn saved_percent(saving: &Saving) -> f64 {
    round(saving.saved_ratio.unwrap_or(0.0) * 100.0, 2)
}

/// What the baseline is made of: `all 119 agents @ 450 tokens`.
fn baseline(report: &Report) -> String {
    let tokens = &report.token_savings;
    let each = tokens.baseline.tokens as f64 / tokens.baseline.agents.max(1) as f64;
    let source = match tokens.baseline.source {
        BaselineSource::Index => ", by the index",
        BaselineSource::Config => ", by the settings",
        BaselineSource::Default => "",
    };
    let sessions = match tokens.against_sessions {
        Some(_) if tokens.sessions != 1 => {
            format!(", {} sessions", thousands(tokens.sessions.into()))
        }
        _ => String::new(),
    };
    format!(
        "all {} agents @ {} tokens{source}{sessions}",
        tokens.baseline.agents,
        plain(round(each, 0))
    )
}
