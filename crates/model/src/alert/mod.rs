//! Alert rules: what is watched, and when it is too much. The words of the
//! fourth seed and ours, held against what they may say, and the state machine
//! of an alert. Pure: who reads the figures and the clock is elsewhere.
//!
//! ```
//! use tachograph_model::alert::{Condition, Op, Stat};
//! let condition = Condition::parse("p95 >= 100")?;
//! assert_eq!(condition, Condition { stat: Stat::P95, op: Op::AtLeast, number: 100.0 });
//! # Ok::<(), tachograph_model::alert::RuleError>(())
//! ```

mod condition;
mod fresh;
mod machine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use condition::{Condition, NEAR, Op, Reading, Stat};
pub use machine::{MOST_BETWEEN, Machine, Notice, State, Terms, Transition};

use crate::time::UnixNanos;

/// Bytes of a name.
pub const MAX_NAME: usize = 256;
/// Bytes of a description.
pub const MAX_DESCRIPTION: usize = 1024;
/// The longest window, seconds: a year.
pub const MAX_WINDOW: u64 = 366 * 86_400;
/// The longest that a condition may have to hold, and that a rule may be silent
/// after it fired, seconds: a week.
pub const MAX_WAIT: u64 = 7 * 86_400;
/// The most values that a rule may want in its window.
pub const MAX_COUNT: u64 = 1_000_000;
/// Labels of a rule.
pub const MAX_LABELS: usize = 16;
/// Channels that a rule may name.
pub const MAX_CHANNELS: usize = 16;
/// Severities, the least first.
pub const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];
/// What a rule may watch, the default first: families of live series.
pub const FAMILIES: [&str; 17] = [
    "metric",
    "tool",
    "model",
    "model_tokens",
    "model_cost",
    "cache",
    "agent",
    "agent_tool",
    "agent_model",
    "agent_cost",
    "query",
    "selection",
    "error",
    "discovery",
    "profile",
    "loss",
    "event",
];
/// Those whose series are told apart by a source, too.
pub const SOURCED: [&str; 6] = [
    "metric",
    "model",
    "model_tokens",
    "model_cost",
    "profile",
    "loss",
];
/// As a metric's name: every series of the family and source.
pub const EVERY: &str = "*";

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A condition that is none.
    #[error(
        "the condition {text:?} is not `<stat> <op> <number>`: column {column}: {what}; such as \
         `p95 > 100`, with stat one of {}, op one of {}",
        Stat::NAMES.join(", "), Op::NAMES.join(" ")
    )]
    Condition {
        /// What was given, its first 64 characters.
        text: String,
        /// Where it goes wrong, in characters from 1.
        column: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A value that a field does not take.
    #[error("`{field}` must be {allowed}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What it takes.
        allowed: String,
    },
}

/// An alert rule: the fourth seed's keys, then ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is called; one rule a name.
    pub name: String,
    /// Which metric, or what else is watched by its name; [`EVERY`]: each there
    /// is, with an alert of its own.
    pub metric_name: String,
    /// Where it is measured; where a family has no source it does not matter.
    pub source: String,
    /// See [`Condition`].
    pub condition: String,
    /// What counts where the condition's number differs.
    pub threshold: f64,
    /// How far back it looks, seconds, 1 to [`MAX_WINDOW`].
    #[serde(default = "five_minutes")]
    pub window_seconds: u64,
    /// One of [`SEVERITIES`].
    #[serde(default = "warning")]
    pub severity: String,
    /// In words.
    #[serde(default)]
    pub description: String,
    /// Whether it is watched.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// When it was made.
    pub created_at: UnixNanos,
    /// How long the condition must hold before it fires, and be gone before it
    /// resolves, seconds.
    #[serde(default)]
    pub for_seconds: u64,
    /// After it fired it is not told of again for so long, seconds.
    #[serde(default = "an_hour")]
    pub cooldown_seconds: u64,
    /// For whoever sorts alerts.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Rules of one group are shown together; may be empty.
    #[serde(default)]
    pub group: String,
    /// One of [`FAMILIES`].
    #[serde(default = "metric")]
    pub family: String,
    /// Of fewer values in the window nothing is said, 1 to [`MAX_COUNT`].
    #[serde(default = "one")]
    pub min_count: u64,
    /// Which channels are told; empty: all.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// The default window.
pub const DEFAULT_WINDOW: u64 = 300;
/// The default of [`Rule::cooldown_seconds`].
pub const DEFAULT_COOLDOWN: u64 = 3600;

fn five_minutes() -> u64 {
    DEFAULT_WINDOW
}

fn an_hour() -> u64 {
    DEFAULT_COOLDOWN
}

fn warning() -> String {
    "warning".to_owned()
}

fn metric() -> String {
    FAMILIES[0].to_owned()
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}

impl Rule {
    /// A rule of whatever is not told by its defaults.
    pub fn new(name: &str, metric_name: &str, source: &str, condition: Condition) -> Self {
        Self {
            name: name.to_owned(),
            metric_name: metric_name.to_owned(),
            source: source.to_owned(),
            condition: condition.to_string(),
            threshold: condition.number,
            window_seconds: DEFAULT_WINDOW,
            severity: warning(),
            description: String::new(),
            enabled: true,
            created_at: UnixNanos(0),
            for_seconds: 0,
            cooldown_seconds: DEFAULT_COOLDOWN,
            labels: BTreeMap::new(),
            group: String::new(),
            family: metric(),
            min_count: 1,
            channels: Vec::new(),
        }
    }

    /// Returns the condition, its number the one that counts: the threshold.
    ///
    /// # Errors
    /// What is wrong with the rule, the first thing.
    pub fn check(&self) -> Result<Condition, RuleError> {
        for (field, text, least, most) in [
            ("name", &self.name, 1, MAX_NAME),
            ("metric_name", &self.metric_name, 1, MAX_NAME),
            ("source", &self.source, 0, MAX_NAME),
            ("description", &self.description, 0, MAX_DESCRIPTION),
            ("group", &self.group, 0, MAX_NAME),
        ] {
            let control = field != "description" && text.chars().any(char::is_control);
            if control || !(least..=most).contains(&text.len()) {
                let allowed = format!("text of {least} to {most} bytes without control characters");
                return Err(RuleError::Field { field, allowed });
            }
        }
        let wrong = |field, allowed: String| Err(RuleError::Field { field, allowed });
        if !self.threshold.is_finite() {
            return wrong("threshold", "a finite number".to_owned());
        }
        for (field, seconds, least, most) in [
            ("window_seconds", self.window_seconds, 1, MAX_WINDOW),
            ("for_seconds", self.for_seconds, 0, MAX_WAIT),
            ("cooldown_seconds", self.cooldown_seconds, 0, MAX_WAIT),
        ] {
            if !(least..=most).contains(&seconds) {
                let allowed = format!("a whole number of seconds from {least} to {most}");
                return wrong(field, allowed);
            }
        }
        if !(1..=MAX_COUNT).contains(&self.min_count) {
            return wrong("min_count", format!("a whole number from 1 to {MAX_COUNT}"));
        }
        if !SEVERITIES.contains(&self.severity.as_str()) {
            return wrong("severity", format!("one of {}", SEVERITIES.join(", ")));
        }
        if !FAMILIES.contains(&self.family.as_str()) {
            return wrong("family", format!("one of {}", FAMILIES.join(", ")));
        }
        // Where nothing is measured twice there is one source, and it is empty.
        if self.family == FAMILIES[0] && self.source.is_empty() {
            return wrong("source", format!("text of 1 to {MAX_NAME} bytes"));
        }
        let label = |text: &str, least| {
            (least..=MAX_NAME).contains(&text.len()) && !text.chars().any(char::is_control)
        };
        let labels = self.labels.iter();
        let fit = labels
            .clone()
            .all(|(key, value)| label(key, 1) && label(value, 0));
        if labels.len() > MAX_LABELS || !fit {
            let allowed = format!("at most {MAX_LABELS} texts by name, each of {MAX_NAME} bytes");
            return wrong("labels", allowed);
        }
        let mut channels = self.channels.iter();
        if channels.len() > MAX_CHANNELS || !channels.all(|name| label(name, 1)) {
            let allowed = format!("at most {MAX_CHANNELS} names of channels");
            return wrong("channels", allowed);
        }
        let condition = Condition::parse(&self.condition)?;
        Ok(Condition {
            number: self.threshold,
            ..condition
        })
    }
}

impl<'de> Deserialize<'de> for UnixNanos {
    /// As [`UnixNanos::parse`] has it; without an offset it is UTC.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, true).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_held_against_what_they_may_say() {
        let condition = Condition::parse("p95 > 100").expect("a condition");
        let rule = || Rule::new("slow", "query_latency_ms", "database", condition);
        assert_eq!(rule().check(), Ok(condition));
        let check = |change: &dyn Fn(&mut Rule), field: &str| {
            let mut changed = rule();
            change(&mut changed);
            let error = changed.check().expect_err(field).to_string();
            assert!(error.contains(field), "{error}");
        };
        check(&|rule| rule.name.clear(), "`name`");
        check(&|rule| rule.name = "a\nb".to_owned(), "`name`");
        check(&|rule| rule.source = "x".repeat(257), "`source`");
        check(&|rule| rule.source.clear(), "`source`");
        check(&|rule| rule.description = "x".repeat(1025), "`description`");
        check(&|rule| rule.threshold = f64::NAN, "`threshold`");
        check(&|rule| rule.window_seconds = 0, "`window_seconds`");
        check(
            &|rule| rule.window_seconds = MAX_WINDOW + 1,
            "`window_seconds`",
        );
        check(&|rule| rule.for_seconds = MAX_WAIT + 1, "`for_seconds`");
        check(
            &|rule| rule.cooldown_seconds = u64::MAX,
            "`cooldown_seconds`",
        );
        check(&|rule| rule.min_count = 0, "`min_count`");
        check(&|rule| rule.severity = "bad".to_owned(), "`severity`");
        check(&|rule| rule.family = "tools".to_owned(), "`family`");
        check(&|rule| rule.group = "a\tb".to_owned(), "`group`");
        check(&|rule| rule.condition = "often".to_owned(), "condition");
        check(&|rule| rule.channels.push(String::new()), "`channels`");
        let label = |rule: &mut Rule, key: &str| rule.labels.insert(key.to_owned(), String::new());
        check(&|rule| drop(label(rule, "")), "`labels`");
        check(&|rule| drop(label(rule, "a\u{7f}")), "`labels`");
        check(
            &|rule| (0..=MAX_LABELS).for_each(|at| drop(label(rule, &at.to_string()))),
            "`labels`",
        );
    }

    #[test]
    fn the_threshold_counts_where_the_text_says_another_number() {
        let condition = Condition::parse("p95 > 100").expect("a condition");
        let mut rule = Rule::new("slow", "m", "s", condition);
        rule.threshold = 7.0;
        assert_eq!(rule.check().expect("a rule").number, 7.0);
    }

    #[test]
    fn a_tool_has_no_source() {
        let mut rule = Rule::new("x", "*", "", Condition::parse("p95 > 1").expect("one"));
        rule.family = "tool".to_owned();
        assert!(rule.check().is_ok());
    }

    #[test]
    fn a_rule_stored_by_an_older_version_comes_back() {
        let text = r#"{"name":"a","metric_name":"m","source":"s","condition":"avg > 1",
            "threshold":1,"created_at":"2025-11-20T12:00:00"}"#;
        let rule: Rule = serde_json::from_str(text).expect("a rule");
        assert_eq!(
            (rule.window_seconds, rule.severity.as_str()),
            (300, "warning")
        );
        assert_eq!((rule.for_seconds, rule.cooldown_seconds), (0, 3600));
        assert_eq!((rule.family.as_str(), rule.labels.len()), ("metric", 0));
        assert_eq!(rule.min_count, 1);
        assert!(rule.enabled);
        let again = serde_json::to_string(&rule).expect("JSON");
        assert!(
            again.contains("\"created_at\":\"2025-11-20T12:00:00+00:00\""),
            "{again}"
        );
        assert_eq!(serde_json::from_str::<Rule>(&again).expect("a rule"), rule);
    }
}
