//! Alert rules in Prometheus' words, over what the server exposes
//! (`serve`'s `expose/prometheus.rs` and `expose/machine.rs`). Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;
use tachograph_model::alert::{Condition, EVERY, NEAR, Op, Rule, Stat};

/// A rule file, and what it does not say.
#[derive(Debug)]
pub struct File {
    pub text: String,
    pub notes: Vec<String>,
}

const HEAD: &str = "\
# Tachograph's alert rules for Prometheus, over what `tacho start` exposes on port 9108.
# Figures are those of scrapes: percentiles come from classic buckets, and counts are
# extrapolated, as Prometheus does it. Cool-downs are Alertmanager's `repeat_interval`.
";

/// Writes them.
pub fn file(rules: &[Rule]) -> File {
    let (mut text, mut notes) = (HEAD.to_owned(), Vec::new());
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in rules {
        match said(rule) {
            Ok((rule_text, more)) => {
                notes.extend(more.map(|more| format!("{:?}: {more}", rule.name)));
                let group = match rule.group.is_empty() {
                    true => "tachograph".to_owned(),
                    false => format!("tachograph {}", rule.group),
                };
                groups.entry(group).or_default().push(rule_text);
            }
            Err(why) => notes.push(format!("{:?} is not exported: {why}", rule.name)),
        }
    }
    for note in &notes {
        // Names in it are quoted: nothing ends the comment.
        let _ = writeln!(text, "# {note}");
    }
    if groups.is_empty() {
        text.push_str("groups: []\n");
        return File { text, notes };
    }
    text.push_str("groups:\n");
    for (group, rules) in groups {
        let _ = writeln!(text, "  - name: {}\n    rules:", quoted(&group));
        rules.iter().for_each(|rule| text.push_str(rule));
    }
    File { text, notes }
}

/// A text in JSON is one in YAML.
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// In labels and annotations, braces are commands.
fn plain(text: &str) -> String {
    quoted(&text.replace("{{", "{{\"{{\"}}"))
}

/// The rule, and what of it is left out.
fn said(rule: &Rule) -> Result<(String, Option<String>), String> {
    let condition = rule.check().map_err(|error| error.to_string())?;
    let series = Series::of(rule)?;
    let value = series.value(condition.stat)?;
    let mut expr = compared(&value, &condition);
    let mut left_out = None;
    if rule.min_count > 1 {
        match series.value(Stat::Count) {
            Ok(count) => expr = format!("({expr}) and ({count} >= {})", rule.min_count),
            Err(_) => left_out = Some("its `min_count` cannot be said of a gauge".to_owned()),
        }
    }
    let mut out = format!(
        "      - alert: {}\n        expr: {}\n",
        quoted(&rule.name),
        quoted(&expr)
    );
    if rule.for_seconds > 0 {
        let _ = writeln!(out, "        for: {}s", rule.for_seconds);
    }
    out.push_str("        labels:\n");
    let mut labels: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in &rule.labels {
        labels.insert(label_name(key), value);
    }
    labels.insert("severity".to_owned(), &rule.severity);
    for (key, value) in labels {
        let _ = writeln!(out, "          {key}: {}", plain(value));
    }
    let shown: Vec<String> = series
        .labels
        .iter()
        .map(|it| format!("{{{{ $labels.{it} }}}}"))
        .collect();
    let of = match shown.is_empty() {
        true => plain_text(&rule.metric_name),
        false => shown.join("/"),
    };
    let summary = format!(
        "{of}: {} is {{{{ $value | humanize }}}} ({condition})",
        condition.stat.name()
    );
    let _ = writeln!(
        out,
        "        annotations:\n          summary: {}",
        quoted(&summary)
    );
    if !rule.description.is_empty() {
        let _ = writeln!(out, "          description: {}", plain(&rule.description));
    }
    Ok((out, left_out))
}

fn plain_text(text: &str) -> String {
    text.replace("{{", "{{\"{{\"}}")
}

/// What Prometheus takes as a label's name.
fn label_name(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = text.chars().map(fit).collect();
    match name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with("__") {
        true => format!("label_{name}"),
        false => name,
    }
}

fn compared(value: &str, condition: &Condition) -> String {
    let number = condition.number;
    match condition.op {
        Op::Equals => format!("abs({value} - ({number})) < {NEAR}"),
        Op::Differs => format!("abs({value} - ({number})) >= {NEAR}"),
        op => format!("{value} {} {number}", op.name()),
    }
}

/// What is exposed of what a rule watches.
struct Series {
    labels: &'static [&'static str],
    /// Between braces, without those.
    matchers: String,
    window: String,
    of: Of,
}

enum Of {
    /// Counted by status, with durations.
    Calls(&'static str, &'static str),
    /// Counted.
    Events(&'static str),
    /// What it adds up to.
    Amount(&'static str),
    /// Hits and misses.
    Cache,
    /// A level, and what makes it that of the rule.
    Gauge(&'static str, f64),
}

/// The machine's own, by proper names and in base units.
const SYSTEM: [(&str, &str, f64); 7] = [
    (
        "cpu_usage_percent",
        "tachograph_system_cpu_usage_ratio",
        100.0,
    ),
    (
        "memory_usage_percent",
        "tachograph_system_memory_usage_ratio",
        100.0,
    ),
    (
        "memory_available_mb",
        "tachograph_system_memory_available_bytes",
        1.0 / 1_048_576.0,
    ),
    (
        "disk_read_mb_per_sec",
        "tachograph_system_disk_read_bytes_per_second",
        1.0 / 1_048_576.0,
    ),
    (
        "disk_write_mb_per_sec",
        "tachograph_system_disk_write_bytes_per_second",
        1.0 / 1_048_576.0,
    ),
    (
        "network_received_mb_per_sec",
        "tachograph_system_network_received_bytes_per_second",
        1.0 / 1_048_576.0,
    ),
    (
        "network_sent_mb_per_sec",
        "tachograph_system_network_sent_bytes_per_second",
        1.0 / 1_048_576.0,
    ),
];

impl Series {
    fn of(rule: &Rule) -> Result<Self, String> {
        let (labels, of): (&'static [&'static str], Of) = match rule.family.as_str() {
            "tool" => (
                &["tool"],
                Of::Calls(
                    "tachograph_tool_calls_total",
                    "tachograph_tool_duration_seconds",
                ),
            ),
            "model" => (
                &["provider", "model"],
                Of::Calls(
                    "tachograph_llm_calls_total",
                    "tachograph_llm_call_duration_seconds",
                ),
            ),
            "model_tokens" => (
                &["provider", "model"],
                Of::Amount("tachograph_llm_tokens_total"),
            ),
            "model_cost" => (
                &["provider", "model"],
                Of::Amount("tachograph_llm_cost_usd_total"),
            ),
            "cache" => (&["cache"], Of::Cache),
            "agent" => (
                &["agent"],
                Of::Calls(
                    "tachograph_agent_uses_total",
                    "tachograph_agent_duration_seconds",
                ),
            ),
            "agent_tool" => (
                &["agent"],
                Of::Calls(
                    "tachograph_agent_tool_calls_total",
                    "tachograph_agent_tool_duration_seconds",
                ),
            ),
            "agent_model" => (
                &["agent"],
                Of::Calls(
                    "tachograph_agent_llm_calls_total",
                    "tachograph_agent_llm_call_duration_seconds",
                ),
            ),
            "agent_cost" => (
                &["agent"],
                Of::Amount("tachograph_agent_llm_cost_usd_total"),
            ),
            "query" => (
                &["agent"],
                Of::Calls(
                    "tachograph_queries_total",
                    "tachograph_query_duration_seconds",
                ),
            ),
            "selection" => (&["agent"], Of::Events("tachograph_agent_selections_total")),
            "error" => (&["type"], Of::Events("tachograph_errors_total")),
            "event" => (&["type"], Of::Events("tachograph_events_total")),
            "loss" => (
                &["reason", "type"],
                Of::Amount("tachograph_lost_events_total"),
            ),
            "metric" => {
                let own = SYSTEM.iter().find(|(name, ..)| *name == rule.metric_name);
                match own.filter(|_| rule.source == "system") {
                    Some((_, name, factor)) => (&[], Of::Gauge(name, *factor)),
                    None => (&["source", "name"], Of::Gauge("tachograph_metric", 1.0)),
                }
            }
            other => return Err(format!("{other} is not exposed to Prometheus")),
        };
        let wanted = match labels {
            [name] => vec![(*name, rule.metric_name.as_str())],
            [source, name] => vec![
                (*source, rule.source.as_str()),
                (*name, rule.metric_name.as_str()),
            ],
            _ => Vec::new(),
        };
        let matchers = wanted
            .into_iter()
            .filter(|(_, text)| !matches!(*text, EVERY | ""))
            .map(|(label, text)| format!("{label}={}", in_promql(text)));
        Ok(Self {
            labels,
            matchers: matchers.collect::<Vec<_>>().join(","),
            window: format!("{}s", rule.window_seconds),
            of,
        })
    }

    fn selected(&self, name: &str, more: &str) -> String {
        let parts = [self.matchers.as_str(), more];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match parts.is_empty() {
            true => name.to_owned(),
            false => format!("{name}{{{}}}", parts.join(",")),
        }
    }

    fn summed(&self, of: &str, name: &str, more: &str) -> String {
        let by = self.labels.join(", ");
        let (selected, window) = (self.selected(name, more), &self.window);
        format!("sum by ({by}) ({of}({selected}[{window}]))")
    }

    fn ratio(&self, part: &str, whole: (&str, &str), more: &str) -> String {
        let part = self.summed("rate", part, more);
        format!("{part} / {}", self.summed("rate", whole.0, whole.1))
    }

    /// The figure as an expression.
    fn value(&self, stat: Stat) -> Result<String, String> {
        const CACHE: &str = "tachograph_cache_operations_total";
        const LOOK_UPS: &str = "result=~\"hit|miss\"";
        let unsaid = |what: &str| Err(format!("Prometheus has no {} of {what}", stat.name()));
        Ok(match (&self.of, stat) {
            (Of::Calls(calls, _), Stat::Count) => self.summed("increase", calls, ""),
            (Of::Calls(calls, _), Stat::Rate) => self.summed("rate", calls, ""),
            (Of::Calls(calls, _), Stat::Ratio) => {
                self.ratio(calls, (calls, ""), "status=\"error\"")
            }
            (Of::Calls(_, durations), Stat::Sum) => {
                let sum = self.summed("increase", &format!("{durations}_sum"), "");
                format!("1000 * {sum}")
            }
            (Of::Calls(_, durations), Stat::Avg) => {
                let (sum, count) = (format!("{durations}_sum"), format!("{durations}_count"));
                format!("1000 * {}", self.ratio(&sum, (&count, ""), ""))
            }
            (Of::Calls(_, durations), Stat::P50 | Stat::P95 | Stat::P99) => {
                let by = self.labels.join(", ");
                let buckets = self.selected(&format!("{durations}_bucket"), "");
                let window = &self.window;
                let quantile = fraction(stat);
                format!(
                    "1000 * histogram_quantile({quantile}, sum by (le, {by}) (rate({buckets}[{window}])))"
                )
            }
            (Of::Calls(..), _) => return unsaid("durations: it counts them by buckets"),
            (Of::Events(name), Stat::Count) => self.summed("increase", name, ""),
            (Of::Events(name), Stat::Rate) => self.summed("rate", name, ""),
            (Of::Events(_), _) => return unsaid("what it only counts"),
            (Of::Amount(name), Stat::Sum) => self.summed("increase", name, ""),
            (Of::Amount(_), _) => return unsaid("what it only adds up"),
            (Of::Cache, Stat::Ratio | Stat::Avg) => {
                self.ratio(CACHE, (CACHE, LOOK_UPS), "result=\"hit\"")
            }
            (Of::Cache, Stat::Count) => self.summed("increase", CACHE, LOOK_UPS),
            (Of::Cache, Stat::Rate) => self.summed("rate", CACHE, LOOK_UPS),
            (Of::Cache, Stat::Sum) => self.summed("increase", CACHE, "result=\"hit\""),
            (Of::Cache, _) => return unsaid("hits and misses"),
            (Of::Gauge(name, factor), stat) => {
                let (selected, window) = (self.selected(name, ""), &self.window);
                let over = match stat {
                    Stat::Avg => format!("avg_over_time({selected}[{window}])"),
                    Stat::Min => format!("min_over_time({selected}[{window}])"),
                    Stat::Max => format!("max_over_time({selected}[{window}])"),
                    Stat::P50 | Stat::P95 | Stat::P99 => {
                        format!(
                            "quantile_over_time({}, {selected}[{window}])",
                            fraction(stat)
                        )
                    }
                    _ => return unsaid("a gauge: it sees only what is scraped"),
                };
                match *factor == 1.0 {
                    true => over,
                    false => format!("{factor} * {over}"),
                }
            }
        })
    }
}

fn fraction(stat: Stat) -> &'static str {
    match stat {
        Stat::P50 => "0.5",
        Stat::P95 => "0.95",
        _ => "0.99",
    }
}

/// A text between quotes: nothing in it ends it.
fn in_promql(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(family: &str, source: &str, name: &str, condition: &str) -> Rule {
        let condition = Condition::parse(condition).expect("a condition");
        Rule {
            family: family.to_owned(),
            ..Rule::new("r", name, source, condition)
        }
    }

    #[test]
    fn figures_have_expressions() {
        let check = |rule: Rule, wanted: &str| {
            let file = file(std::slice::from_ref(&rule));
            assert_eq!(file.notes, [""; 0], "{wanted}");
            let line = format!("expr: {}\n", quoted(wanted));
            assert!(file.text.contains(&line), "{wanted}: {}", file.text);
        };
        check(
            rule("tool", "", EVERY, "p95 > 1000"),
            "1000 * histogram_quantile(0.95, sum by (le, tool) \
             (rate(tachograph_tool_duration_seconds_bucket[300s]))) > 1000",
        );
        check(
            rule("tool", "", "a\"b\\", "ratio > 0.2"),
            "sum by (tool) (rate(tachograph_tool_calls_total{tool=\"a\\\"b\\\\\",status=\"error\"}[300s])) \
             / sum by (tool) (rate(tachograph_tool_calls_total{tool=\"a\\\"b\\\\\"}[300s])) > 0.2",
        );
        check(
            rule("metric", "system", "cpu_usage_percent", "avg >= 90"),
            "100 * avg_over_time(tachograph_system_cpu_usage_ratio[300s]) >= 90",
        );
        check(
            rule("metric", "database", "x", "p99 == -1"),
            "abs(quantile_over_time(0.99, tachograph_metric{source=\"database\",name=\"x\"}[300s]) - (-1)) < 0.001",
        );
        check(
            Rule {
                min_count: 20,
                ..rule("cache", "", "c", "ratio < 0.5")
            },
            "(sum by (cache) (rate(tachograph_cache_operations_total{cache=\"c\",result=\"hit\"}[300s])) / \
             sum by (cache) (rate(tachograph_cache_operations_total{cache=\"c\",result=~\"hit|miss\"}[300s])) < 0.5) \
             and (sum by (cache) (increase(tachograph_cache_operations_total{cache=\"c\",result=~\"hit|miss\"}[300s])) >= 20)",
        );
        check(
            rule("model_cost", "p", "m", "sum > 10"),
            "sum by (provider, model) (increase(tachograph_llm_cost_usd_total{provider=\"p\",model=\"m\"}[300s])) > 10",
        );
    }

    #[test]
    fn rules_of_agents_ask_for_what_they_did() {
        let check = |family: &str, condition: &str, wanted: &str| {
            let file = file(&[rule(family, "", "coder", condition)]);
            assert!(file.text.contains(wanted), "{wanted}: {}", file.text);
        };
        check(
            "agent_tool",
            "ratio > 0.2",
            "tachograph_agent_tool_calls_total{agent=\\\"coder\\\",status=\\\"error\\\"}[300s]",
        );
        check(
            "agent_model",
            "p95 > 9",
            "rate(tachograph_agent_llm_call_duration_seconds_bucket{agent=\\\"coder\\\"}[300s])",
        );
        check(
            "agent_cost",
            "sum > 5",
            "sum by (agent) (increase(tachograph_agent_llm_cost_usd_total{agent=\\\"coder\\\"}[300s])) > 5",
        );
    }

    #[test]
    fn what_cannot_be_said_is_named() {
        let check = |rule: Rule, said: &str| {
            let file = file(std::slice::from_ref(&rule));
            assert!(
                file.notes.len() == 1 && file.notes[0].contains(said),
                "{:?}",
                file.notes
            );
            assert!(
                file.text.contains(said) && file.text.contains("groups: []"),
                "{}",
                file.text
            );
        };
        check(
            rule("profile", "", "x", "p95 > 1"),
            "profile is not exposed",
        );
        check(rule("tool", "", "x", "max > 1"), "no max of durations");
        check(rule("metric", "s", "x", "count > 1"), "no count of a gauge");
        check(
            rule("model_cost", "", "x", "p95 > 1"),
            "no p95 of what it only adds up",
        );
    }

    #[test]
    fn hostile_texts_stay_texts() {
        let mut rule = rule("tool", "", EVERY, "count > 1");
        rule.name = "a\": b # {{ .X }}".to_owned();
        rule.description = "{{ $labels.x }}\n\"quoted\"".to_owned();
        rule.labels
            .insert("team name".to_owned(), "{{x}}".to_owned());
        rule.labels.insert("__x".to_owned(), "y".to_owned());
        let text = file(&[rule]).text;
        for wanted in [
            "alert: \"a\\\": b # {{ .X }}\"",
            "team_name: \"{{\\\"{{\\\"}}x}}\"",
            "label___x: \"y\"",
            "description: \"{{\\\"{{\\\"}} $labels.x }}\\n\\\"quoted\\\"\"",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
