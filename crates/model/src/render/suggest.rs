//! Rules that the past suggests: YAML that is ready for `config.yaml`, each with
//! why, and what it would have said.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::backtest::sentence;
use super::report::about_json;
use super::{amount, human, period, stamp, width};
use crate::alert::{EVERY, Rule};
use crate::answer::{About, Suggest, Suggestion};

/// As JSON: the answer's own keys, window and notes.
pub fn json(found: &Suggest, about: &About) -> Value {
    json!({
        "suggest": found,
        "about": about_json(about),
        "notes": about.notes,
    })
}

/// As YAML; what is no rule is a comment.
pub fn yaml(found: &Suggest, about: &About) -> String {
    let mut out = format!("# Alert rules that the past suggests ({})\n", period(about));
    if found.rules.is_empty() {
        out.push_str("alert_rules: []\n");
        return out;
    }
    out.push_str("alert_rules:\n");
    for suggestion in &found.rules {
        why(&mut out, suggestion);
        out.push_str(&rule_yaml(&suggestion.past.rule));
    }
    out
}

fn why(out: &mut String, suggestion: &Suggestion) {
    let past = &suggestion.past;
    let rule = &past.rule;
    let number = |value| amount(&rule.family, &rule.condition, value).shown();
    let mut line = |text: &str| {
        // A name may hold anything: nothing may end the comment.
        let _ = writeln!(out, "  # {}", width::clean(text));
    };
    let outstanding = match suggestion.outstanding {
        0 => "none of them stands out".to_owned(),
        1 => "1 of them stands out".to_owned(),
        many => format!("{many} of them stand out"),
    };
    line(&format!(
        "usual {}, at worst {}: in {} windows on {}; {outstanding}",
        number(suggestion.usual),
        number(suggestion.worst_usual),
        suggestion.windows,
        human::counted(suggestion.days, "day", "days"),
    ));
    line(&sentence(past));
    for firing in past.firings.iter().take(3) {
        let worst = firing
            .worst
            .map_or(String::new(), |worst| format!(", worst {}", number(worst)));
        line(&format!(
            "  {} for {}{worst}",
            stamp(firing.start),
            human::duration(firing.seconds * 1e3)
        ));
    }
    if past.fired > 3 {
        line(&format!(
            "  and {} more, on {} in all",
            past.fired - 3,
            human::counted(suggestion.fired_days, "day", "days")
        ));
    }
}

/// A rule as an item of `alert_rules`; what is the default is left out.
pub fn rule_yaml(rule: &Rule) -> String {
    let default = Rule::new(
        "",
        EVERY,
        "",
        crate::alert::Condition {
            stat: crate::alert::Stat::Avg,
            op: crate::alert::Op::Above,
            number: 0.0,
        },
    );
    // A text in JSON is one in YAML.
    let text = |text: &str| Value::from(text).to_string();
    let mut lines = vec![format!("name: {}", text(&rule.name))];
    let mut add = |key: &str, value: String, wanted: bool| {
        if wanted {
            lines.push(format!("{key}: {value}"));
        }
    };
    add("family", rule.family.clone(), rule.family != default.family);
    add("metric", text(&rule.metric_name), true);
    add("source", text(&rule.source), !rule.source.is_empty());
    add("condition", text(&rule.condition), true);
    let condition = crate::alert::Condition::parse(&rule.condition);
    let differs = condition.is_ok_and(|condition| condition.number != rule.threshold);
    add("threshold", rule.threshold.to_string(), differs);
    let numbers = [
        (
            "window_seconds",
            rule.window_seconds,
            default.window_seconds,
        ),
        ("for_seconds", rule.for_seconds, default.for_seconds),
        (
            "cooldown_seconds",
            rule.cooldown_seconds,
            default.cooldown_seconds,
        ),
        ("min_count", rule.min_count, default.min_count),
    ];
    for (key, value, usual) in numbers {
        add(key, value.to_string(), value != usual);
    }
    add(
        "severity",
        rule.severity.clone(),
        rule.severity != default.severity,
    );
    add("group", text(&rule.group), !rule.group.is_empty());
    add(
        "description",
        text(&rule.description),
        !rule.description.is_empty(),
    );
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        let _ = writeln!(out, "  {} {line}", if at == 0 { "-" } else { " " });
    }
    out
}
