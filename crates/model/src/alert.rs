//! Alert rules: what is watched, and when it is too much. The words of the
//! fourth seed, held against what they may say; evaluated elsewhere.
//!
//! ```
//! use tachograph_model::alert::{Condition, Op, Stat};
//! let condition = Condition::parse("p95 >= 100")?;
//! assert_eq!(condition, Condition { stat: Stat::P95, op: Op::AtLeast, number: 100.0 });
//! # Ok::<(), tachograph_model::alert::RuleError>(())
//! ```

use serde::{Deserialize, Serialize};

use crate::time::UnixNanos;

/// Bytes of a name.
pub const MAX_NAME: usize = 256;
/// Bytes of a description.
pub const MAX_DESCRIPTION: usize = 1024;
/// The longest window, seconds.
pub const MAX_WINDOW: u64 = 3600;
/// Severities, the least first.
pub const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];

/// Names in one table: in code, as written.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// All of them, as written.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// As written.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            fn by_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// A figure of a window.
    Stat {
        /// Mean.
        Avg "avg",
        /// Smallest.
        Min "min",
        /// Largest.
        Max "max",
        /// Median.
        P50 "p50",
        /// 95th percentile.
        P95 "p95",
        /// 99th percentile.
        P99 "p99",
        /// Measurements a second.
        Rate "rate",
    }
}

words! {
    /// How a figure is compared with the threshold.
    Op {
        /// Above.
        Above ">",
        /// Not below.
        AtLeast ">=",
        /// Below.
        Below "<",
        /// Not above.
        AtMost "<=",
        /// Within 0.001, as the seed has it.
        Equals "==",
    }
}

/// When it is too much: `<stat> <op> <number>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Which figure.
    pub stat: Stat,
    /// Compared how.
    pub op: Op,
    /// With what; where a rule's threshold differs, that counts.
    pub number: f64,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A condition that is none.
    #[error(
        "the condition {text:?} is not `<stat> <op> <number>`: {what}; such as `p95 > 100`, with \
         stat one of {}, op one of {}", Stat::NAMES.join(", "), Op::NAMES.join(" ")
    )]
    Condition {
        /// What was given, its first 64 characters.
        text: String,
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

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`RuleError::Condition`], which shows how to write one.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let wrong = |what| RuleError::Condition {
            text: text.chars().take(64).collect(),
            what,
        };
        let mut rest = text.trim();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
        let (stat, after) = rest.split_at(end.unwrap_or(rest.len()));
        let stat = Stat::by_name(stat).ok_or_else(|| wrong("it begins with no figure"))?;
        rest = after.trim_start();
        let end = rest.find(|c| !matches!(c, '<' | '>' | '=' | '!'));
        let (op, after) = rest.split_at(end.unwrap_or(rest.len()));
        let op = Op::by_name(op).ok_or_else(|| wrong("no comparison follows the figure"))?;
        let number = after.trim().parse::<f64>().ok();
        let number = number.filter(|number| number.is_finite());
        let number = number.ok_or_else(|| wrong("it ends with no finite number"))?;
        Ok(Self { stat, op, number })
    }
}

/// An alert rule, with the fourth seed's keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is called; one rule a name.
    pub name: String,
    /// Which metric.
    pub metric_name: String,
    /// Where it is measured.
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
}

/// The default window.
pub const DEFAULT_WINDOW: u64 = 300;

fn five_minutes() -> u64 {
    DEFAULT_WINDOW
}

fn warning() -> String {
    "warning".to_owned()
}

fn yes() -> bool {
    true
}

impl Rule {
    /// Returns the condition.
    ///
    /// # Errors
    /// What is wrong with the rule, the first thing.
    pub fn check(&self) -> Result<Condition, RuleError> {
        for (field, text, least, most) in [
            ("name", &self.name, 1, MAX_NAME),
            ("metric_name", &self.metric_name, 1, MAX_NAME),
            ("source", &self.source, 1, MAX_NAME),
            ("description", &self.description, 0, MAX_DESCRIPTION),
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
        if !(1..=MAX_WINDOW).contains(&self.window_seconds) {
            let allowed = format!("a whole number of seconds from 1 to {MAX_WINDOW}");
            return wrong("window_seconds", allowed);
        }
        if !SEVERITIES.contains(&self.severity.as_str()) {
            return wrong("severity", format!("one of {}", SEVERITIES.join(", ")));
        }
        Condition::parse(&self.condition)
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
    fn conditions_are_read() {
        let check = |text: &str, stat, op, number| {
            let condition = Condition { stat, op, number };
            assert_eq!(Condition::parse(text), Ok(condition), "{text}");
        };
        check("avg > 100", Stat::Avg, Op::Above, 100.0);
        check("p95>=100", Stat::P95, Op::AtLeast, 100.0);
        check("  min   <   -0.5 ", Stat::Min, Op::Below, -0.5);
        check("max <= 1e3", Stat::Max, Op::AtMost, 1000.0);
        check("p50 == 5", Stat::P50, Op::Equals, 5.0);
        check("p99 > .5", Stat::P99, Op::Above, 0.5);
        check("rate < 1", Stat::Rate, Op::Below, 1.0);
    }

    #[test]
    fn what_is_no_condition_says_so() {
        let check = |text: &str, said: &str| {
            let error = Condition::parse(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
            assert!(
                error.contains("such as `p95 > 100`") && error.len() < 400,
                "{error}"
            );
        };
        check("", "no figure");
        check("> 5", "no figure");
        check("p75 > 5", "no figure");
        check("AVG > 5", "no figure");
        check("avg 5", "no comparison");
        check("avg => 5", "no comparison");
        check("avg != 5", "no comparison");
        check("avg >> 5", "no comparison");
        check("avg >", "no finite number");
        check("avg > five", "no finite number");
        check("avg > NaN", "no finite number");
        check("avg > inf", "no finite number");
        check("avg > 1e999", "no finite number");
        check("avg > 5 or 1=1", "no finite number");
        check("avg > 5; max > 3", "no finite number");
        check(&"é".repeat(10_000), "no figure");
    }

    #[test]
    fn rules_are_held_against_what_they_may_say() {
        let rule = || Rule {
            name: "slow".to_owned(),
            metric_name: "query_latency_ms".to_owned(),
            source: "database".to_owned(),
            condition: "p95 > 100".to_owned(),
            threshold: 100.0,
            window_seconds: 300,
            severity: "warning".to_owned(),
            description: String::new(),
            enabled: true,
            created_at: UnixNanos(0),
        };
        assert!(rule().check().is_ok());
        let check = |change: &dyn Fn(&mut Rule), field: &str| {
            let mut changed = rule();
            change(&mut changed);
            let error = changed.check().expect_err(field).to_string();
            assert!(error.contains(field), "{error}");
        };
        check(&|rule| rule.name.clear(), "`name`");
        check(&|rule| rule.name = "a\nb".to_owned(), "`name`");
        check(&|rule| rule.source = "x".repeat(257), "`source`");
        check(&|rule| rule.description = "x".repeat(1025), "`description`");
        check(&|rule| rule.threshold = f64::NAN, "`threshold`");
        check(&|rule| rule.window_seconds = 0, "`window_seconds`");
        check(&|rule| rule.window_seconds = 3601, "`window_seconds`");
        check(&|rule| rule.severity = "bad".to_owned(), "`severity`");
        check(&|rule| rule.condition = "often".to_owned(), "condition");
    }

    #[test]
    fn a_stored_rule_comes_back() {
        let text = r#"{"name":"a","metric_name":"m","source":"s","condition":"avg > 1",
            "threshold":1,"created_at":"2025-11-20T12:00:00"}"#;
        let rule: Rule = serde_json::from_str(text).expect("a rule");
        assert_eq!(
            (rule.window_seconds, rule.severity.as_str()),
            (300, "warning")
        );
        assert!(rule.enabled);
        let again = serde_json::to_string(&rule).expect("JSON");
        assert!(
            again.contains("\"created_at\":\"2025-11-20T12:00:00+00:00\""),
            "{again}"
        );
        assert_eq!(serde_json::from_str::<Rule>(&again).expect("a rule"), rule);
    }
}
