//! The health check: are the targets met? The first seed's dashboard, its box
//! mended, its tips true.

use serde_json::{Value, json};

use super::human::{ago, round, thousands};
use super::width::{clean, pad};
use super::{Style, cache_performance, iso, period, stamp, trends};
use crate::answer::{About, Direction, Operation, Report, Saving};
use crate::question::BaselineSource;

/// Columns inside the box.
const INSIDE: usize = 59;

/// What is aimed at. Latencies are 95th percentiles in ms and missed when not
/// below; rates are percentages and missed when not above.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the operation or the rate of its name")]
pub struct Targets {
    pub list_agents_ms: f64,
    pub get_agent_ms: f64,
    pub search_ms: f64,
    pub other_ms: f64,
    pub overall_ms: f64,
    pub hit_percent: f64,
    pub savings_percent: f64,
}

impl Default for Targets {
    /// The first seed's.
    fn default() -> Self {
        Self {
            list_agents_ms: 20.0,
            get_agent_ms: 5.0,
            search_ms: 10.0,
            other_ms: 10.0,
            overall_ms: 10.0,
            hit_percent: 80.0,
            savings_percent: 40.0,
        }
    }
}

impl Targets {
    fn of(&self, operation: &str) -> f64 {
        match operation {
            "list_agents" => self.list_agents_ms,
            "get_agent" => self.get_agent_ms,
            "search" => self.search_ms,
            _ => self.other_ms,
        }
    }
}

/// How a figure stands to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Met.
    Good,
    /// Missed by less than half (latencies) or a quarter (rates).
    Warning,
    /// Missed by more.
    Bad,
}

impl Status {
    /// Where less is better: good below the target, a warning below one and a
    /// half times it.
    pub fn below(value: f64, target: f64) -> Self {
        if value < target {
            Self::Good
        } else if value < target * 1.5 {
            Self::Warning
        } else {
            Self::Bad
        }
    }

    /// Where more is better: good above the target, a warning above three
    /// quarters of it.
    pub fn above(value: f64, target: f64) -> Self {
        if value > target {
            Self::Good
        } else if value > target * 0.75 {
            Self::Warning
        } else {
            Self::Bad
        }
    }

    /// Its icon.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Good => "✅",
            Self::Warning => "⚠️",
            Self::Bad => "❌",
        }
    }
}

/// A duration as the dashboard writes it: `0.05ms`, `42.0ms`, `1.50s`.
pub fn format_duration(ms: f64) -> String {
    if ms < 1.0 {
        format!("{ms:.2}ms")
    } else if ms < 1000.0 {
        format!("{ms:.1}ms")
    } else {
        format!("{:.2}s", ms / 1000.0)
    }
}

/// A target and what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is measured: `search p95`, `overall p95`, `cache hit rate`, `token
    /// savings`.
    pub name: String,
    /// The figure, ms or percent.
    pub value: f64,
    /// The target.
    pub target: f64,
    /// How they stand.
    pub status: Status,
    latency: bool,
}

/// Compares every figure that there is with its target. What was not recorded
/// is not judged.
pub fn checks(report: &Report, targets: &Targets) -> Vec<Check> {
    let latency = |name: String, value: f64, target: f64| Check {
        name,
        value,
        target,
        status: Status::below(value, target),
        latency: true,
    };
    let rate = |name: &str, value: f64, target: f64| Check {
        name: name.to_owned(),
        value,
        target,
        status: Status::above(value, target),
        latency: false,
    };
    let mut checks: Vec<Check> = report
        .discovery
        .operations
        .iter()
        .filter_map(|operation| {
            let p95 = round(operation.duration_ms?.p95, 2);
            Some(latency(
                format!("{} p95", operation.name),
                p95,
                targets.of(&operation.name),
            ))
        })
        .collect();
    if let Some(spread) = report.discovery.duration_ms {
        checks.push(latency(
            "overall p95".to_owned(),
            round(spread.p95, 2),
            targets.overall_ms,
        ));
    }
    if let Some(ratio) = report.cache_performance.hit_ratio {
        checks.push(rate(
            "cache hit rate",
            round(ratio * 100.0, 2),
            targets.hit_percent,
        ));
    }
    if let Some(percent) = report
        .token_savings
        .saving()
        .and_then(|saving| saving.saved_ratio)
    {
        checks.push(rate(
            "token savings",
            round(percent * 100.0, 2),
            targets.savings_percent,
        ));
    }
    checks
}

/// Tells whether a target is missed.
pub fn is_missed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.status != Status::Good)
}

/// Tells whether the first seed would call all well: overall latency, hit rate
/// and savings are known and meet their targets.
fn is_operational(checks: &[Check]) -> bool {
    ["overall p95", "cache hit rate", "token savings"]
        .iter()
        .all(|name| {
            checks
                .iter()
                .any(|check| check.name == *name && check.status == Status::Good)
        })
}

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
    let verdict = if is_operational(&checks) {
        "✅ All Systems Operational - Performance Excellent"
    } else {
        "⚠️  Some Metrics Below Target - Review Recommended"
    };
    page.line(verdict);
    page.rule();
    page.line("");
    page.line("💡 Tips:");
    for tip in tips(report, &checks) {
        page.line(&format!("  • {tip}"));
    }
    page.line("");
    page.line(&format!("Run `{hint}` for details."));
    page.out
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn rule(&mut self) {
        self.line(&"━".repeat(63));
    }

    fn banner(&mut self, about: &About) {
        let edge = "═".repeat(INSIDE);
        let line = |text: &str| format!("║{}║", pad(&format!("        {text}"), INSIDE, false));
        self.line(&format!("╔{edge}╗"));
        self.line(&line("🔍 Mycelium Performance Health Check"));
        let window = match about.period {
            Some(crate::question::Period::Days(days)) => format!("Last {days} Days"),
            Some(crate::question::Period::Hours(hours)) => format!("Last {hours} Hours"),
            None => period(about),
        };
        self.line(&line(&window));
        self.line(&format!("╚{edge}╝"));
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
        self.line("Operation        Count        p50       p95       p99    Target  Status");
        for operation in &report.discovery.operations {
            let row = row(operation, targets);
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
        // Not from the rounded means: a hit of some microseconds is no 0.
        let speedup = cache.speedup.unwrap_or(0.0);
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
        self.line(&format!(
            "Speedup:        {speedup:.1}x faster on cache hits"
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
            format!(", {} loads", thousands(tokens.loads.into()))
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
        let events = storage
            .events()
            .map_or_else(|| "uncounted".to_owned(), |events| thousands(events.into()));
        let s = if storage.files() == 1 { "" } else { "s" };
        self.line(&format!("Event Files:    {} file{s}", storage.files()));
        self.line(&format!("Total Events:   {events} events"));
        self.line(&format!(
            "Storage Size:   {:.0} KB",
            storage.bytes() as f64 / 1024.0
        ));
        self.line(&format!("Latest Event:   {latest}"));
    }
}

fn row(operation: &Operation, targets: &Targets) -> String {
    let target = targets.of(&operation.name);
    let figure = |value: Option<f64>| format_duration(value.map_or(0.0, |value| round(value, 2)));
    let spread = operation.duration_ms;
    let icon = Status::below(spread.map_or(0.0, |s| round(s.p95, 2)), target).icon();
    format!(
        "{} {:>6}   {:>8}  {:>8}  {:>8}  {}  {icon}",
        pad(&clean(&operation.name), 15, false),
        thousands(operation.count.into()),
        figure(spread.map(|s| s.p50)),
        figure(spread.map(|s| s.p95)),
        figure(spread.map(|s| s.p99)),
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

/// `20`, `7.5`.
fn plain(value: f64) -> String {
    value.to_string()
}

/// What is good, what is not, and what was not recorded: each true for the
/// data at hand.
fn tips(report: &Report, checks: &[Check]) -> Vec<String> {
    let mut tips = Vec::new();
    let good = |name: &str| {
        checks
            .iter()
            .find(|check| check.name == name && check.status == Status::Good)
    };
    if let Some(check) = good("cache hit rate") {
        tips.push(format!("Cache hit rate is excellent ({:.1}%)", check.value));
    }
    if let Some(check) = good("token savings") {
        tips.push(format!(
            "Phase 1 lazy loading saving {:.1}% of tokens",
            check.value
        ));
    }
    let mut latencies = checks.iter().filter(|check| check.latency).peekable();
    if latencies.peek().is_some() && latencies.all(|check| check.status == Status::Good) {
        tips.push("All operations meeting performance targets".to_owned());
    }
    for check in checks.iter().filter(|check| check.status != Status::Good) {
        tips.push(missed(check));
    }
    if report.usage.is_empty() {
        tips.push(
            "Nothing was recorded in this window; `tacho demo` shows what a report looks like"
                .to_owned(),
        );
    }
    tips
}

fn missed(check: &Check) -> String {
    let name = clean(&check.name);
    if check.latency {
        let (value, target) = (format_duration(check.value), plain(check.target));
        return format!("{name} is {value}, its target is below {target}ms");
    }
    let advice = match check.name.as_str() {
        "cache hit rate" => {
            "a larger cache, or fetching the same agents less far apart, would raise it"
        }
        _ => "loading fewer agents would raise it",
    };
    format!(
        "The {name} is {:.1}%, its target is above {}%: {advice}",
        check.value,
        plain(check.target)
    )
}

/// The same as JSON.
pub fn json(report: &Report, about: &About, targets: &Targets) -> Value {
    let checks = checks(report, targets);
    let rows: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "value": check.value,
                "unit": if check.latency { "ms" } else { "percent" },
                "target": check.target,
                "status": match check.status {
                    Status::Good => "good",
                    Status::Warning => "warning",
                    Status::Bad => "bad",
                },
            })
        })
        .collect();
    json!({
        "generated_at": iso(about.at),
        "period_days": super::report::days(about),
        "operational": is_operational(&checks),
        "missed": is_missed(&checks),
        "checks": rows,
        "trend": trends::direction(&report.trends).as_str(),
        "storage": report.storage,
        "tips": tips(report, &checks),
        "notes": about.notes,
    })
}
