//! Rules of a file: YAML or JSON, a list or what `alert_rules` holds. What is
//! wrong is told with its line and column, also of the settings file.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value as Json;
use serde_saphyr::Spanned;
use tachograph_model::UnixNanos;
use tachograph_model::alert::Rule;
use tachograph_serve::alert::read::{self, MOST_CONFIGURED};

use crate::exit::{Result, usage};

/// Bytes of such a file.
const MOST_BYTES: u64 = 8 << 20;
const WAY_OUT: &str = "docs/guide/alerts.md shows how to write a rule";

/// Line and column, from 1.
type Place = (u64, u64);

/// What stands in a file under `alert_rules`.
#[derive(Deserialize)]
struct Whole<T> {
    alert_rules: T,
}

/// What a rule is refused for beside what it says itself.
pub type Check<'a> = &'a dyn Fn(&Rule) -> std::result::Result<(), String>;

/// Reads the rules of a file.
///
/// # Errors
/// A usage error that names file, line, column, key and the way out.
pub fn read(path: &Path, now: UnixNanos) -> Result<Vec<Rule>> {
    let text = text(path)?;
    parse(&text, now, &|_| Ok(())).map_err(|wrong| {
        let place = wrong.place.map_or(String::new(), shown);
        let path = path.display();
        usage(format!("{path}{place}: {}\nhint: {WAY_OUT}", wrong.what))
    })
}

/// Where in a settings file what is wrong with its `alert_rules` stands, and what
/// it is; `None`: that is not to be found there.
pub fn wrong_in(settings: &Path, now: UnixNanos, check: Check<'_>) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(settings).ok()?;
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    let wrong = parse(&text, now, check).err()?;
    let place = shown(wrong.place?);
    let settings = settings.display();
    Some(format!("{settings}{place}: alert_rules: {}", wrong.what))
}

fn shown((line, column): Place) -> String {
    format!(":{line}:{column}")
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
    place: Option<Place>,
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

fn parse(text: &str, now: UnixNanos, check: Check<'_>) -> std::result::Result<Vec<Rule>, Wrong> {
    let whole: Json = serde_saphyr::from_str(text).map_err(|error| Wrong::of_yaml(&error))?;
    let keyed = whole.is_object();
    let list = match whole {
        Json::Object(mut keys) => keys.remove("alert_rules").ok_or_else(|| {
            Wrong::nowhere("it is neither a list of rules nor has it `alert_rules`")
        })?,
        list => list,
    };
    let source = Text { text, keyed };
    let wrong = |what: String| Wrong {
        place: source.place(),
        what,
    };
    let items = match list {
        Json::Array(items) => items,
        Json::Null => Vec::new(),
        _ => return Err(wrong("it is not a list of rules".to_owned())),
    };
    if items.len() > MOST_CONFIGURED {
        return Err(wrong(format!("it has more than {MOST_CONFIGURED} rules")));
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let wrong = |what: String| located(at, item, source, what);
        let rule = read::one(item, now).map_err(wrong)?;
        check(&rule).map_err(wrong)?;
        if rules.iter().any(|other| other.name == rule.name) {
            let what = "`name`: there is another one of that name";
            return Err(wrong(what.to_owned()));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// A file, read again for the places of what is wrong in it, and only then.
#[derive(Clone, Copy)]
struct Text<'a> {
    text: &'a str,
    /// The list stands under `alert_rules`.
    keyed: bool,
}

impl Text<'_> {
    /// Of the list.
    fn place(self) -> Option<Place> {
        let list: Spanned<IgnoredAny> = self.read()?;
        Some(place(&list))
    }

    /// Of one rule.
    fn rule(self, at: usize) -> Option<Place> {
        let all: Vec<Spanned<IgnoredAny>> = self.read()?;
        all.get(at).map(place)
    }

    /// Of the value of one of its keys.
    fn value(self, at: usize, key: &str) -> Option<Place> {
        let all: Vec<BTreeMap<String, Spanned<IgnoredAny>>> = self.read()?;
        all.get(at)?.get(key).map(place)
    }

    fn read<T: DeserializeOwned>(self) -> Option<T> {
        match self.keyed {
            true => {
                let whole = serde_saphyr::from_str::<Whole<T>>(self.text).ok()?;
                Some(whole.alert_rules)
            }
            false => serde_saphyr::from_str(self.text).ok(),
        }
    }
}

fn place<T>(found: &Spanned<T>) -> Place {
    (found.referenced.line(), found.referenced.column())
}

/// Finds the key that an error is about, and where it stands.
fn located(at: usize, item: &Json, source: Text<'_>, what: String) -> Wrong {
    let name = item.get("name").and_then(Json::as_str);
    let name = name.map_or(String::new(), |name| {
        let name: String = name.chars().take(64).collect();
        format!(" ({name:?})")
    });
    let keys = item.as_object().into_iter().flat_map(|keys| keys.keys());
    let mut keys = keys.map(String::as_str);
    let is_about = |key: &&str| {
        let condition = *key == "condition" && what.starts_with("the condition ");
        condition
            || [format!("`{key}`"), format!("'{key}'")]
                .iter()
                .any(|it| what.contains(it))
    };
    let key = keys.find(is_about);
    let about = match key {
        Some(key) if !what.contains(key) => format!("`{key}`: "),
        _ => String::new(),
    };
    let value = key.and_then(|key| source.value(at, key));
    Wrong {
        place: value.or_else(|| source.rule(at)),
        what: format!("rule {}{name}: {about}{what}", at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> std::result::Result<Vec<Rule>, Wrong> {
        super::parse(text, UnixNanos(0), &|_| Ok(()))
    }

    #[test]
    fn a_file_is_a_list_or_settings_yaml_or_json() {
        let rule = "{name: slow, family: tool, metric: '*', condition: p95 > 5}";
        let json = r#"[{"name": "slow", "family": "tool", "metric": "*", "condition": "p95 > 5"}]"#;
        let check = |text: &str, count: usize| {
            let rules = parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
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
            let wrong = parse(text).expect_err(text);
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
        check(
            &format!("{rule}ratio > 20\n"),
            Some((4, 14)),
            "the number of `condition` must be from 0 to 1 for a ratio",
        );
        check(
            &format!("{rule}ratio > 0.2\n  threshold: 20\n"),
            Some((5, 14)),
            "`threshold` must be from 0 to 1 for a ratio",
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
            "- name: slow\n  familly: tool\n  metric: '*'\n  condition: p95 > 5\n",
            Some((2, 12)),
            "Unknown field: 'familly'; did you mean family?",
        );
        check(
            "- name: slow\n  metric: ''\n  source: s\n  condition: p95 > 5\n",
            Some((2, 11)),
            "`metric` must be text",
        );
        check(
            &format!("{good}- name: x\n"),
            Some((5, 3)),
            "Missing required fields",
        );
        check(&format!("{good}- 7\n"), Some((5, 3)), "it has no keys");
        check("- name: [\n", Some((1, 9)), "unclosed bracket");
        check("alert_rules: 7\n", Some((1, 14)), "not a list of rules");
        check(
            "a: 1\nalert_rules:\n  b: 7\n",
            Some((3, 3)),
            "not a list of rules",
        );
        check("rules: []\n", None, "neither a list of rules");
        check("7\n", Some((1, 1)), "not a list of rules");
        let torn = r#"[{"name": "a", "metric": "m", "source": "s", "condition": "avg > 1",}, x"#;
        assert!(parse(torn).is_err_and(|wrong| wrong.place.is_some()));
    }

    #[test]
    fn what_is_wrong_in_settings_is_found_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        let rule = "  - name: slow\n    family: tool\n    metric: '*'\n    condition: p95 > 5\n";
        let check = |text: &str, check: Check<'_>, wanted: Option<&str>| {
            std::fs::write(&path, text).expect("written");
            let found = wrong_in(&path, UnixNanos(0), check);
            let found = found.map(|found| found.replace(&path.display().to_string(), "config"));
            assert_eq!(found.as_deref(), wanted, "{text}");
        };
        let text = format!("retention: 5\nalert_rules:\n{rule}");
        check(&text, &|_| Ok(()), None);
        check(
            &format!("{text}    channels: [chat]\n"),
            &|_| Err("`channels`: there is no channel".to_owned()),
            Some("config:7:15: alert_rules: rule 1 (\"slow\"): `channels`: there is no channel"),
        );
        check(
            &format!("{text}    group: 7\n"),
            &|_| Ok(()),
            Some("config:7:12: alert_rules: rule 1 (\"slow\"): `group` must be text"),
        );
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(wrong_in(&path, UnixNanos(0), &|_| Ok(())), None);
    }
}
