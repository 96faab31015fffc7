//! Rules, as bodies and settings files describe them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tachograph_model::UnixNanos;
use tachograph_model::alert::{Condition, DEFAULT_COOLDOWN, DEFAULT_WINDOW, FAMILIES, Rule};
use tachograph_model::near::near;

use crate::api::problem::quoted;

/// Rules of a settings file.
pub const MOST_CONFIGURED: usize = 1000;
/// Keys that a rule must have, in the order in which the seed asks for them.
const REQUIRED: [&str; 5] = ["name", "metric_name", "source", "condition", "threshold"];
/// The last is the server's to say: it may stand there, for a rule that was
/// read, changed and sent back.
const OPTIONAL: [&str; 12] = [
    "window_seconds",
    "severity",
    "description",
    "enabled",
    "for_seconds",
    "cooldown_seconds",
    "labels",
    "group",
    "family",
    "min_count",
    "channels",
    "created_at",
];

/// A whole number, as whole or not as its sender writes numbers.
fn whole(value: &Value) -> Option<u64> {
    let pointed = || {
        let number = value.as_f64()?;
        let whole = number.fract() == 0.0 && (0.0..1e15).contains(&number);
        whole.then_some(number as u64)
    };
    value.as_u64().or_else(pointed)
}

/// A settings file's word for `metric_name`.
const METRIC: &str = "metric";

/// # Errors
/// The first key that no rule has, and the one that was probably meant.
fn known(body: &Map<String, Value>, also: Option<&'static str>) -> Result<(), String> {
    let known = || REQUIRED.iter().chain(&OPTIONAL).copied().chain(also);
    let Some(key) = body.keys().find(|key| !known().any(|known| known == *key)) else {
        return Ok(());
    };
    let hint = near(key, known()).map_or(String::new(), |near| format!("; did you mean {near}?"));
    Err(format!("Unknown field: '{}'{hint}", quoted(key)))
}

/// # Errors
/// Which keys are missing, as `called`; what it knows no word for does not count.
fn required(
    body: &Map<String, Value>,
    called: impl Fn(&'static str) -> Option<&'static str>,
) -> Result<(), String> {
    let missing = REQUIRED.into_iter().filter(|key| !body.contains_key(*key));
    let missing: Vec<String> = missing
        .filter_map(called)
        .map(|key| format!("'{key}'"))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("Missing required fields: [{}]", missing.join(", "))),
    }
}

/// The rule that a body of the API describes.
///
/// # Errors
/// What is wrong with it, in the fourth seed's words where it has any.
pub fn rule(body: &Map<String, Value>, now: UnixNanos) -> Result<Rule, String> {
    // A key that is misspelt is missing, too: the first says more.
    known(body, None)?;
    required(body, Some)?;
    let text = |key, default: &str| match body.get(key) {
        None => Ok(default.to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(truth)) => Err(format!(
            "`{key}` must be text, and is {truth}; YAML takes y, yes, on, n, no and off for \
             that unless they stand in quotes"
        )),
        Some(_) => Err(format!("`{key}` must be text")),
    };
    text("created_at", "")?;
    let threshold = body.get("threshold").and_then(Value::as_f64);
    let seconds = |key, default: u64| {
        let seconds = body.get(key).map_or(Some(default), whole);
        seconds.ok_or_else(|| format!("`{key}` must be a whole number of seconds"))
    };
    let enabled = body.get("enabled").map_or(Some(true), Value::as_bool);
    let min_count = body.get("min_count").map_or(Some(1), whole);
    let rule = Rule {
        name: text("name", "")?,
        metric_name: text("metric_name", "")?,
        source: text("source", "")?,
        condition: text("condition", "")?,
        threshold: threshold.ok_or("`threshold` must be a number")?,
        window_seconds: seconds("window_seconds", DEFAULT_WINDOW)?,
        severity: text("severity", "warning")?,
        description: text("description", "")?,
        enabled: enabled.ok_or("`enabled` must be true or false")?,
        created_at: now,
        for_seconds: seconds("for_seconds", 0)?,
        cooldown_seconds: seconds("cooldown_seconds", DEFAULT_COOLDOWN)?,
        labels: labels(body.get("labels"))?,
        group: text("group", "")?,
        family: text("family", FAMILIES[0])?,
        min_count: min_count.ok_or("`min_count` must be a whole number")?,
        channels: names(body.get("channels"))?,
    };
    rule.check_new().map_err(|error| error.to_string())?;
    Ok(rule)
}

/// The rules of `alert_rules` in a settings file, in the fourth seed's form:
/// `metric` may stand for `metric_name`, the condition's number for `threshold`,
/// and what has no source needs none.
///
/// # Errors
/// Which rule is wrong, and what is.
pub fn config(list: &Value, now: UnixNanos) -> Result<Vec<Rule>, String> {
    let Some(list) = list.as_array() else {
        return Err("it is not a list of rules".to_owned());
    };
    if list.len() > MOST_CONFIGURED {
        return Err(format!("it has more than {MOST_CONFIGURED} rules"));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (at, item) in list.iter().enumerate() {
        let name = item.get("name").and_then(Value::as_str);
        let name = name.map_or(String::new(), |name| format!(" ({})", quoted(name)));
        let wrong = |error: String| format!("rule {}{name}: {error}", at + 1);
        let rule = one(item, now).map_err(wrong)?;
        if rules.iter().any(|other| other.name == rule.name) {
            return Err(wrong("there is another one of that name".to_owned()));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// The rule that one item of such a list describes.
///
/// # Errors
/// What is wrong with it, by the keys that people write there.
pub fn one(item: &Value, now: UnixNanos) -> Result<Rule, String> {
    let mut body = item.as_object().cloned().ok_or("it has no keys")?;
    known(&body, Some(METRIC))?;
    let says = |key| item.get(key).is_some_and(|value| !value.is_null());
    complete(&mut body);
    required(&body, |key| match key {
        "metric_name" => Some(METRIC),
        // Only the condition's is missing.
        "threshold" => None,
        key => Some(key),
    })?;
    rule(&body, now).map_err(|mut what| {
        if says(METRIC) {
            what = what.replace("`metric_name`", &format!("`{METRIC}`"));
        }
        if !says("threshold") {
            what = what.replace("`threshold`", "the number of `condition`");
        }
        what
    })
}

/// Says what a settings file need not say.
fn complete(body: &mut Map<String, Value>) {
    if let Some(metric) = body.remove(METRIC) {
        body.entry("metric_name").or_insert(metric);
    }
    body.retain(|_, value| !value.is_null());
    if body
        .get("family")
        .is_some_and(|family| family != FAMILIES[0])
    {
        body.entry("source").or_insert_with(|| "".into());
    }
    // One that is wrong is told of as such.
    let number = body.get("condition").map(|text| {
        let condition = text.as_str().map(Condition::parse);
        condition.map_or(0.0, |it| it.map_or(0.0, |condition| condition.number))
    });
    if let Some(number) = number {
        body.entry("threshold").or_insert_with(|| number.into());
    }
}

/// One name, or a list of them.
fn names(value: Option<&Value>) -> Result<Vec<String>, String> {
    let wrong = || "`channels` must be a list of names".to_owned();
    match value {
        None => Ok(Vec::new()),
        Some(Value::String(name)) => Ok(vec![name.clone()]),
        Some(Value::Array(list)) => {
            let names = list.iter().map(|name| Some(name.as_str()?.to_owned()));
            names.collect::<Option<_>>().ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}

fn labels(value: Option<&Value>) -> Result<BTreeMap<String, String>, String> {
    let wrong = || "`labels` must be texts by name".to_owned();
    let Some(value) = value else {
        return Ok(BTreeMap::new());
    };
    let labels = value.as_object().ok_or_else(wrong)?.iter();
    labels
        .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tachograph_model::alert::MAX_WINDOW;

    use super::*;

    fn with(key: &str, value: Value) -> Map<String, Value> {
        let mut body = Map::new();
        for (key, value) in [
            ("name", json!("slow")),
            ("metric_name", json!("query_latency_ms")),
            ("source", json!("database")),
            ("condition", json!("p95 > 100")),
            ("threshold", json!(100)),
        ] {
            body.insert(key.to_owned(), value);
        }
        body.insert(key.to_owned(), value);
        body
    }

    #[test]
    fn a_rule_is_what_its_body_says() {
        let made = rule(&with("severity", json!("critical")), UnixNanos(0)).expect("a rule");
        assert_eq!((made.threshold, made.window_seconds), (100.0, 300));
        assert_eq!((made.severity.as_str(), made.enabled), ("critical", true));
        let made = rule(&with("window_seconds", json!(60.0)), UnixNanos(0)).expect("a rule");
        assert_eq!(made.window_seconds, 60);
        // What was read may be sent back.
        let read = serde_json::to_value(&made).expect("JSON");
        let read = read.as_object().expect("an object");
        assert_eq!(rule(read, UnixNanos(0)).as_ref(), Ok(&made));
        let check = |key: &str, value: Value, said: &str| {
            let error = rule(&with(key, value), UnixNanos(0)).expect_err(said);
            assert!(error.contains(said), "{error}");
        };
        check("name", json!(7), "`name` must be text");
        check("name", json!(true), "unless they stand in quotes");
        check("name", json!(""), "`name`");
        check("name", Value::Null, "`name` must be text");
        check("threshold", json!("100"), "`threshold` must be a number");
        check("threshold", Value::Null, "`threshold`");
        check("window_seconds", json!(1.5), "`window_seconds`");
        check("window_seconds", json!(-60), "`window_seconds`");
        check("window_seconds", json!(MAX_WINDOW + 1), "`window_seconds`");
        check("enabled", json!("yes"), "`enabled`");
        check("created_at", json!(7), "`created_at` must be text");
        check("severity", json!("fatal"), "`severity`");
        check("name", json!(" \u{200b}"), "`name` must be text of which");
        check(
            "condition",
            json!("ratio > 20"),
            "`threshold` must be from 0",
        );
        check("condition", json!("sometimes"), "condition");
        check("for_seconds", json!(-1), "`for_seconds`");
        check("cooldown_seconds", json!("1h"), "`cooldown_seconds`");
        check("labels", json!(["a"]), "`labels`");
        check("labels", json!({"a": 1}), "`labels`");
        check("family", json!("tools"), "`family`");
        check("group", json!(7), "`group` must be text");
        check("min_count", json!(0), "`min_count`");
        check("min_count", json!("few"), "`min_count`");
        check("channels", json!(7), "`channels`");
        check("channels", json!(["a", 7]), "`channels`");
        check("treshold", json!(1), "did you mean threshold?");
        let error = rule(
            json!({"name": "a", "metric": "b"})
                .as_object()
                .expect("an object"),
            UnixNanos(0),
        );
        // The API has one word for it.
        assert!(error.is_err_and(|error| error.starts_with("Unknown field: 'metric'")));
        let two = json!({"name": "a", "source": "b", "threshold": 1});
        let error = rule(two.as_object().expect("an object"), UnixNanos(0)).expect_err("missing");
        assert_eq!(
            error,
            "Missing required fields: ['metric_name', 'condition']"
        );
    }

    #[test]
    fn a_settings_file_has_the_seeds_rules() {
        let list = json!([
            {"name": "High CPU Usage", "metric": "cpu_usage_percent", "source": "system",
                "condition": "avg > 90", "threshold": 90, "severity": "critical"},
            {"name": "slow", "family": "tool", "metric": "*", "condition": "p95 ≥ 5e3",
                "for_seconds": 60, "description": null, "labels": {"team": "a"}},
        ]);
        let rules = config(&list, UnixNanos(0)).expect("rules");
        assert_eq!(rules[0].metric_name, "cpu_usage_percent");
        assert_eq!(rules[0].severity, "critical");
        assert_eq!((rules[1].threshold, rules[1].for_seconds), (5000.0, 60));
        assert_eq!(rules[1].source, "");
        let check = |list: Value, said: &str| {
            let error = config(&list, UnixNanos(0)).expect_err(said);
            assert!(error.contains(said), "{error}");
        };
        check(json!({"a": 1}), "not a list");
        check(json!(["a"]), "rule 1: it has no keys");
        check(
            json!([list[0], list[0]]),
            "rule 2 (High CPU Usage): there is another",
        );
        check(
            json!([{"name": "x", "metric": "m", "source": "s", "condition": "avg = 1"}]),
            "column 5",
        );
        check(
            json!([{"name": "x", "condition": "avg > 1"}]),
            "Missing required fields: ['metric', 'source']",
        );
        check(
            json!([{"name": "x", "family": "tool"}]),
            "Missing required fields: ['metric', 'condition']",
        );
        check(
            json!([{"name": "x", "familly": "tool", "metric": "m", "condition": "avg > 1"}]),
            "Unknown field: 'familly'; did you mean family?",
        );
        check(
            json!([{"name": "x", "metrik": "m", "condition": "avg > 1"}]),
            "did you mean metric?",
        );
        check(
            json!([{"name": "x", "metric": 7, "source": "s", "condition": "avg > 1"}]),
            "`metric` must be text",
        );
        check(
            json!([{"name": "x", "family": "tool", "metric": "*", "condition": "ratio > 20"}]),
            "rule 1 (x): the number of `condition` must be from 0 to 1 for a ratio: 20 % is 0.2",
        );
        check(
            json!([{"name": "x", "family": "tool", "metric": "*", "condition": "ratio > 0.2",
                "threshold": 20}]),
            "`threshold` must be from 0 to 1",
        );
        check(
            json!([{"name": " ", "family": "tool", "metric": "*", "condition": "avg > 1"}]),
            "`name` must be text of which something is to be seen",
        );
        check(
            json!([{"name": "x", "metric_name": 7, "source": "s", "condition": "avg > 1"}]),
            "`metric_name` must be text",
        );
        let mut other = list[1].clone();
        other["metrik_name"] = "m".into();
        check(json!([other]), "did you mean metric_name?");
    }
}
