//! Rules of a file: YAML or JSON, a list or what `alert_rules` holds. What is
//! wrong is told with its line and column.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;
use serde_saphyr::Spanned;
use tachograph_model::UnixNanos;
use tachograph_model::alert::Rule;
use tachograph_serve::alert::read::{self, MOST_CONFIGURED};

use crate::exit::{Result, usage};

/// Bytes of such a file.
const MOST_BYTES: u64 = 8 << 20;
const WAY_OUT: &str = "docs/guide/alerts.md shows how to write a rule";

/// A rule's keys, and where the values of each stand.
type Places = Spanned<BTreeMap<String, Spanned<IgnoredAny>>>;

#[derive(Deserialize)]
struct Whole {
    alert_rules: Vec<Places>,
}

/// Reads the rules of a file.
///
/// # Errors
/// A usage error that names file, line, column, key and the way out.
pub fn read(path: &Path, now: UnixNanos) -> Result<Vec<Rule>> {
    let text = text(path)?;
    parse(&text, now).map_err(|wrong| {
        let place = match wrong.place {
            Some((line, column)) => format!(":{line}:{column}"),
            None => String::new(),
        };
        let path = path.display();
        usage(format!("{path}{place}: {}\nhint: {WAY_OUT}", wrong.what))
    })
}

fn text(path: &Path) -> Result<String> {
    // Exit code 1 would say that something fires.
    let cannot = |error: std::io::Error| {
        usage(format!(
            "--rules {}: {error}\nhint: name a YAML or JSON file of rules; {WAY_OUT}",
            path.display()
        ))
    };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .take(MOST_BYTES + 1)
            .read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => usage(format!(
                "--rules {}: no such file\nhint: name a YAML or JSON file of rules; {WAY_OUT}",
                path.display()
            )),
            _ => cannot(error),
        })?;
        file.take(MOST_BYTES + 1).read_to_string(&mut text)
    };
    read.map_err(cannot)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(usage(format!(
            "{} has more than {MOST_BYTES} bytes\nhint: split it, and check each part",
            path.display()
        )));
    }
    Ok(text)
}

/// What is wrong, and in which line and column.
#[derive(Debug, PartialEq)]
struct Wrong {
    place: Option<(u64, u64)>,
    what: String,
}

impl Wrong {
    fn nowhere(what: impl Into<String>) -> Self {
        Self {
            place: None,
            what: what.into(),
        }
    }

    fn of_yaml(error: &serde_saphyr::Error) -> Self {
        let place = error.location().map(|at| (at.line(), at.column()));
        // Further lines show the text around, and may be long.
        let what = error.without_snippet().to_string();
        let what = what.lines().next().unwrap_or_default();
        let what: String = what.chars().take(300).collect();
        Self { place, what }
    }
}

fn parse(text: &str, now: UnixNanos) -> std::result::Result<Vec<Rule>, Wrong> {
    let whole: Json = serde_saphyr::from_str(text).map_err(|error| Wrong::of_yaml(&error))?;
    let (items, places) = match whole {
        Json::Array(items) => (items, serde_saphyr::from_str::<Vec<Places>>(text).ok()),
        Json::Object(mut keys) => match keys.remove("alert_rules") {
            Some(Json::Array(items)) => {
                let places = serde_saphyr::from_str::<Whole>(text).ok();
                (items, places.map(|whole| whole.alert_rules))
            }
            Some(Json::Null) => (Vec::new(), None),
            Some(_) => return Err(Wrong::nowhere("`alert_rules` is not a list of rules")),
            None => {
                let what = "it is neither a list of rules nor has it `alert_rules`";
                return Err(Wrong::nowhere(what));
            }
        },
        Json::Null => (Vec::new(), None),
        _ => return Err(Wrong::nowhere("it is not a list of rules")),
    };
    if items.len() > MOST_CONFIGURED {
        let what = format!("it has more than {MOST_CONFIGURED} rules");
        return Err(Wrong::nowhere(what));
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let places = places.as_ref().and_then(|places| places.get(at));
        let wrong = |what: String| located(at, item, places, what);
        let rule = read::one(item, now).map_err(wrong)?;
        if rules.iter().any(|other| other.name == rule.name) {
            let what = "`name`: there is another one of that name";
            return Err(wrong(what.to_owned()));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Finds the key that an error is about, and where it stands.
fn located(at: usize, item: &Json, places: Option<&Places>, what: String) -> Wrong {
    let name = item.get("name").and_then(Json::as_str);
    let name = name.map_or(String::new(), |name| {
        let name: String = name.chars().take(64).collect();
        format!(" ({name:?})")
    });
    let keys = item.as_object().into_iter().flat_map(|keys| keys.keys());
    let mut keys = keys.map(String::as_str);
    let is_about = |key: &&str| {
        let condition = *key == "condition" && what.starts_with("the condition ");
        let alias = *key == "metric" && what.contains("`metric_name`");
        condition
            || alias
            || [format!("`{key}`"), format!("'{key}'")]
                .iter()
                .any(|it| what.contains(it))
    };
    let key = keys.find(is_about);
    let about = match key {
        Some(key) if !what.contains(key) => format!("`{key}`: "),
        _ => String::new(),
    };
    let place = places.map(|places| {
        let value = key.and_then(|key| places.value.get(key));
        let place = value.map_or(places.referenced, |value| value.referenced);
        (place.line(), place.column())
    });
    Wrong {
        place,
        what: format!("rule {}{name}: {about}{what}", at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_list_or_settings_yaml_or_json() {
        let rule = "{name: slow, family: tool, metric: '*', condition: p95 > 5}";
        let json = r#"[{"name": "slow", "family": "tool", "metric": "*", "condition": "p95 > 5"}]"#;
        let check = |text: &str, count: usize| {
            let rules =
                parse(text, UnixNanos(0)).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
            assert_eq!(rules.len(), count, "{text}");
        };
        check(&format!("- {rule}\n"), 1);
        check(&format!("alert_rules:\n- {rule}\nother: 1\n"), 1);
        check(json, 1);
        check("", 0);
        check("[]", 0);
        check("alert_rules:\n", 0);
    }

    #[test]
    fn what_is_wrong_has_a_line_and_a_column() {
        let check = |text: &str, place: Option<(u64, u64)>, said: &str| {
            let wrong = parse(text, UnixNanos(0)).expect_err(text);
            assert_eq!(wrong.place, place, "{text}: {wrong:?}");
            assert!(wrong.what.contains(said), "{text}: {wrong:?}");
            assert!(wrong.what.len() < 700, "{text}: {wrong:?}");
        };
        let rule = "- name: slow\n  family: tool\n  metric: '*'\n  condition: ";
        check(
            &format!("{rule}p95 = 5\n"),
            Some((4, 14)),
            "column 5: no comparison",
        );
        check(
            &format!("{rule}p95 > NaN\n"),
            Some((4, 14)),
            "no finite number",
        );
        let good = format!("{rule}p95 > 5\n");
        check(
            &format!("{good}  severity: bad\n"),
            Some((5, 13)),
            "`severity` must be one of",
        );
        check(
            &format!("{good}  treshold: 7\n"),
            Some((5, 13)),
            "did you mean threshold?",
        );
        check(
            &format!("{good}  family2: x\n{good}"),
            Some((5, 12)),
            "Unknown field: 'family2'",
        );
        check(
            &format!("{good}{good}"),
            Some((5, 9)),
            "another one of that name",
        );
        check(
            &format!("{good}- name: x\n"),
            Some((5, 3)),
            "Missing required fields",
        );
        check(&format!("{good}- 7\n"), None, "it has no keys");
        check("- name: [\n", Some((1, 9)), "unclosed bracket");
        check("alert_rules: 7\n", None, "not a list of rules");
        check("rules: []\n", None, "neither a list of rules");
        check("7\n", None, "not a list of rules");
        let torn = r#"[{"name": "a", "metric": "m", "source": "s", "condition": "avg > 1",}, x"#;
        assert!(parse(torn, UnixNanos(0)).is_err_and(|wrong| wrong.place.is_some()));
    }
}
