//! The one file of a library that reads the environment: the older recorders'
//! opt-outs must work in every program that embeds this one.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::builder::MAX_WINDOW;
use crate::opt_out::{OptOut, OptedOut};

/// What the environment asks for, settled.
///
/// | variable | effect | default |
/// |---|---|---|
/// | `TACHOGRAPH_DISABLED` | `1`, `true`, `yes` or `on`: nothing is recorded | recorded |
/// | `MYCELIUM_TELEMETRY` | exactly `0`: nothing is recorded | recorded |
/// | `TACHOGRAPH_HOME` | folder of the log | `$HOME/.tachograph` |
/// | `PERFORMANCE_METRICS_ENABLED` | `true` in any case: tools, caches and live windows; anything else: not | `true` |
/// | `METRICS_WINDOW_SIZE` | latencies kept for each tool, 1..=1,000,000 | 1000 |
/// | `METRICS_ENABLED` | `true` in any case: queries; anything else: not | `true` |
/// | `METRICS_SAMPLING_RATE` | part of the queries that is recorded, 0..=1 | 1 |
///
/// A wrong value means the default and one of [`Settings::notices`]; one of an
/// opt-out means out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Whether anything is recorded.
    pub enabled: bool,
    /// Folder of the log; `None` when none can be found.
    pub home: Option<PathBuf>,
    /// Whether tools, caches and live windows are recorded.
    pub tool_metrics: bool,
    /// Whether queries are recorded.
    pub query_metrics: bool,
    /// Part of the queries that is recorded, 0..=1.
    pub sampling_rate: f64,
    /// Latencies kept for each tool.
    pub window: usize,
    /// The variables that turn recording off, as a whole or in part.
    pub opt_outs: Vec<OptOut>,
    /// What was wrong, in words.
    pub notices: Vec<String>,
}

impl Settings {
    /// Reads the environment. Cost: microseconds; once per process.
    pub fn from_env() -> Self {
        Self::from_lookup(|name| env::var_os(name))
    }

    /// Settles what `lookup` answers for each variable; for tests and for
    /// programs that keep their settings elsewhere.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        // The older recorders take an empty value as one, so `Some("")` stays.
        let text = |name| lookup(name).map(|value| value.to_string_lossy().into_owned());
        let mut notices = Vec::new();
        let mut wrong = |name: &str, value: &str, range: &str, used: &str| {
            notices.push(format!(
                "{name} is {value:?}, which is not {range}; using {used}"
            ));
        };
        let disabled = match text("TACHOGRAPH_DISABLED") {
            None => false,
            Some(value) => match value.trim().to_lowercase().as_str() {
                "" | "0" | "false" | "no" | "off" => false,
                "1" | "true" | "yes" | "on" => true,
                _ => {
                    wrong("TACHOGRAPH_DISABLED", &value, "true or false", "true");
                    true
                }
            },
        };
        let opted_out = text("MYCELIUM_TELEMETRY").as_deref() == Some("0");
        let is_true = |name| text(name).is_none_or(|value| value.to_lowercase() == "true");
        let sampling_rate = match text("METRICS_SAMPLING_RATE") {
            None => 1.0,
            Some(value) => match value.trim().parse::<f64>() {
                Ok(rate) if (0.0..=1.0).contains(&rate) => rate,
                _ => {
                    wrong("METRICS_SAMPLING_RATE", &value, "a number 0..=1", "1");
                    1.0
                }
            },
        };
        let window = match text("METRICS_WINDOW_SIZE") {
            None => 1_000,
            Some(value) => match value.trim().parse::<usize>() {
                Ok(window) if (1..=MAX_WINDOW).contains(&window) => window,
                _ => {
                    let range = format!("a whole number 1..={MAX_WINDOW}");
                    wrong("METRICS_WINDOW_SIZE", &value, &range, "1000");
                    1_000
                }
            },
        };
        let folder = |name| lookup(name).filter(|value| !value.is_empty());
        let home = folder("TACHOGRAPH_HOME").map(PathBuf::from).or_else(|| {
            let user = folder("HOME").or_else(|| folder("USERPROFILE"))?;
            Some(PathBuf::from(user).join(".tachograph"))
        });
        let tool_metrics = is_true("PERFORMANCE_METRICS_ENABLED");
        let query_metrics = is_true("METRICS_ENABLED");
        let out = [
            ("TACHOGRAPH_DISABLED", OptedOut::Everything, disabled),
            ("MYCELIUM_TELEMETRY", OptedOut::Everything, opted_out),
            (
                "PERFORMANCE_METRICS_ENABLED",
                OptedOut::Tools,
                !tool_metrics,
            ),
            ("METRICS_ENABLED", OptedOut::Queries, !query_metrics),
            (
                "METRICS_SAMPLING_RATE",
                OptedOut::Queries,
                sampling_rate == 0.0,
            ),
        ];
        let out = out.into_iter().filter(|(.., out)| *out);
        let opt_outs = out.map(|(variable, part, _)| OptOut {
            variable,
            value: text(variable).unwrap_or_default(),
            part,
        });
        Self {
            enabled: !disabled && !opted_out,
            home,
            tool_metrics,
            query_metrics,
            sampling_rate,
            window,
            opt_outs: opt_outs.collect(),
            notices,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(variables: &[(&str, &str)]) -> Settings {
        Settings::from_lookup(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    /// The table was printed by the first seed.
    #[test]
    fn only_a_plain_zero_opts_out() {
        let cases: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(include_str!("../tests/data/opt_out.json")).expect("a table");
        assert!(cases.len() > 5);
        for (value, enabled) in cases {
            let settings = match value.as_str() {
                "None" => settled(&[]),
                value => settled(&[("MYCELIUM_TELEMETRY", value)]),
            };
            assert_eq!(Some(settings.enabled), enabled.as_bool(), "{value:?}");
        }
    }

    #[test]
    fn nothing_set_means_defaults() {
        let settings = settled(&[("HOME", "/home/ada")]);
        let expected = Settings {
            enabled: true,
            home: Some("/home/ada/.tachograph".into()),
            tool_metrics: true,
            query_metrics: true,
            sampling_rate: 1.0,
            window: 1_000,
            opt_outs: Vec::new(),
            notices: Vec::new(),
        };
        assert_eq!(settings, expected);
        assert_eq!(settled(&[]).home, None);
        let both = settled(&[("HOME", "/home/ada"), ("TACHOGRAPH_HOME", "/var/t")]);
        assert_eq!(both.home, Some("/var/t".into()));
    }

    #[test]
    fn flags_of_the_older_recorders() {
        for (value, on) in [("true", true), ("TRUE", true), ("1", false), ("", false)] {
            let tools = settled(&[("PERFORMANCE_METRICS_ENABLED", value)]);
            assert_eq!(tools.tool_metrics, on, "{value:?}");
            let queries = settled(&[("METRICS_ENABLED", value)]);
            assert_eq!(queries.query_metrics, on, "{value:?}");
            assert!(tools.enabled && queries.enabled);
        }
    }

    #[test]
    fn the_guides_list_every_variable() {
        let embedding = include_str!("../../../docs/guide/embedding.md");
        let privacy = include_str!("../../../docs/guide/privacy.md");
        let asked = std::cell::RefCell::new(Vec::new());
        Settings::from_lookup(|name| {
            asked.borrow_mut().push(name.to_owned());
            None
        });
        let asked = asked.into_inner();
        assert!(asked.len() > 7, "{asked:?}");
        for name in asked {
            let users = matches!(name.as_str(), "HOME" | "USERPROFILE");
            assert!(users || embedding.contains(&format!("`{name}")), "{name}");
            let no_opt_out = ["TACHOGRAPH_HOME", "METRICS_WINDOW_SIZE"].contains(&name.as_str());
            assert!(
                users || no_opt_out || privacy.contains(&format!("`{name}")),
                "{name}"
            );
        }
    }

    #[test]
    fn every_opt_out_is_named_with_its_value() {
        use OptedOut::{Everything, Queries, Tools};
        for (name, value, part) in [
            ("TACHOGRAPH_DISABLED", "Yes", Everything),
            ("TACHOGRAPH_DISABLED", "please", Everything),
            ("MYCELIUM_TELEMETRY", "0", Everything),
            ("PERFORMANCE_METRICS_ENABLED", "0", Tools),
            ("METRICS_ENABLED", "", Queries),
            ("METRICS_SAMPLING_RATE", "0.0", Queries),
        ] {
            let settings = settled(&[(name, value)]);
            let [out] = settings.opt_outs.as_slice() else {
                panic!("{name}={value}: {:?}", settings.opt_outs);
            };
            assert_eq!(
                (out.variable, out.value.as_str(), out.part),
                (name, value, part)
            );
            assert_eq!(out.to_string(), format!("{name}={value}"));
            assert_eq!(settings.enabled, part != Everything);
        }
        let both = settled(&[("METRICS_ENABLED", "no"), ("TACHOGRAPH_DISABLED", "1")]);
        assert_eq!(both.opt_outs.len(), 2);
        let odd = settled(&[("METRICS_SAMPLING_RATE", "2"), ("MYCELIUM_TELEMETRY", "1")]);
        assert_eq!(odd.opt_outs, [], "recorded all the same");
    }

    #[test]
    fn a_wrong_value_is_said_and_safe() {
        for (name, value) in [
            ("METRICS_WINDOW_SIZE", "0"),
            ("METRICS_WINDOW_SIZE", "many"),
            ("METRICS_SAMPLING_RATE", "1.5"),
            ("METRICS_SAMPLING_RATE", "nan"),
        ] {
            let settings = settled(&[(name, value)]);
            assert_eq!(settings.window, 1_000);
            assert_eq!(settings.sampling_rate, 1.0);
            let [notice] = settings.notices.as_slice() else {
                panic!("one notice for {name}={value}");
            };
            assert!(notice.contains(name) && notice.contains(value), "{notice}");
        }
        let odd = settled(&[("TACHOGRAPH_DISABLED", "please")]);
        assert!(!odd.enabled && odd.notices.len() == 1);
        assert!(settled(&[("TACHOGRAPH_DISABLED", "off")]).enabled);
        assert!(!settled(&[("TACHOGRAPH_DISABLED", "1")]).enabled);
    }
}
